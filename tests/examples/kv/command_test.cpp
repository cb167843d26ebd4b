#include "examples/kv/command.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace kv {
namespace {

using namespace tandem;

/// The words of a request, as the parser hands them over.
class Request {
 public:
  explicit Request(const std::vector<std::string>& words) {
    for (const std::string& word : words) {
      ranges_.push_back({text_.size(), word.size()});
      text_ += word;
    }
  }
  Arguments arguments() const { return {text_.data(), ranges_}; }

 private:
  std::string text_;
  std::vector<Arguments::Range> ranges_;
};

std::string ask(Server& server, const std::vector<std::string>& words) {
  std::string answer;
  const Request request(words);
  execute(request.arguments(), server, answer);
  return answer;
}

TEST(Commands, AReplyThatIsTooLargeTakesNothingOut) {
  run([] {
    Server server;
    ask(server, {"rpush", "list", "a", std::string(100, 'b'), "c"});
    for (const char* name : {"lpop", "rpop"}) {
      std::string output;
      Reply reply(output, 50);
      const Request request({name, "list", "2"});
      const Arguments arguments = request.arguments();
      bool quit = false;
      Call call{arguments, reply, server, quit};
      EXPECT_THROW(find_command(name)->execute(call), ReplyTooLarge);
      EXPECT_EQ(ask(server, {"llen", "list"}), ":3\r\n") << name;
    }
    EXPECT_EQ(ask(server, {"rpop", "list", "1"}), "*1\r\n$1\r\nc\r\n");
    EXPECT_EQ(ask(server, {"lpop", "list"}), "$1\r\na\r\n");
  });
}

TEST(Commands, WhatRunsOutOfMemoryHasNotBegun) {
  run({.memory_limit = std::size_t{64} << 20}, [] {
    Server server;
    const std::string large(std::size_t{100} << 20, 'x');
    ask(server, {"rpush", "list", "a", "b"});
    for (const std::vector<std::string>& words : {std::vector<std::string>{"rpush", "list", "c", large},
                                                  {"lpush", "list", "c", large},
                                                  {"rpush", "new", large},
                                                  {"lpush", "new", "c", large},
                                                  {"mset", "first", "value", "second", large}})
      EXPECT_TRUE(ask(server, words).starts_with("-OOM ")) << words[0] << " " << words[1];
    EXPECT_EQ(ask(server, {"lrange", "list", "0", "-1"}), "*2\r\n$1\r\na\r\n$1\r\nb\r\n");
    EXPECT_EQ(ask(server, {"exists", "new", "first", "second"}), ":0\r\n");
    EXPECT_EQ(ask(server, {"lpop", "new"}), "$-1\r\n");
  });
}

TEST(Commands, NothingComesOutOfAnEmptyList) {
  run([] {
    Server server;
    server.store->set_list("list", make<List>());
    EXPECT_EQ(ask(server, {"lpop", "list"}), "$-1\r\n");
    EXPECT_EQ(ask(server, {"rpop", "list", "2"}), "*-1\r\n");
  });
}

TEST(Commands, ARangeMayBeginAndEndAnywhere) {
  run([] {
    Server server;
    ask(server, {"rpush", "list", "a", "b", "c"});
    const std::string least = "-9223372036854775808", most = "9223372036854775807";
    for (const auto& [first, last, answer] : {std::array<std::string, 3>{most, least, "*0\r\n"},
                                              {most, most, "*0\r\n"},
                                              {least, least, "*0\r\n"},
                                              {least, most, "*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n"},
                                              {"3", "-4", "*0\r\n"},
                                              {"0", "-4", "*0\r\n"},
                                              {"-9", "0", "*1\r\n$1\r\na\r\n"},
                                              {"2", "1", "*0\r\n"}})
      EXPECT_EQ(ask(server, {"lrange", "list", first, last}), answer) << first << " " << last;
  });
}

TEST(Commands, ATimeBeyondAllTimesIsTheFurthest) {
  run([] {
    Server server;
    for (const std::vector<std::string>& words : {std::vector<std::string>{"set", "a", "x", "ex", "9000000000000"},
                                                  {"set", "b", "x", "px", "9000000000000000000"}})
      EXPECT_EQ(ask(server, words), "+OK\r\n") << words[4];
    EXPECT_EQ(ask(server, {"expire", "a", "9000000000000"}), ":1\r\n");
    EXPECT_EQ(ask(server, {"pexpire", "b", "9000000000000000000"}), ":1\r\n");
    for (const char* key : {"a", "b"}) EXPECT_GT(std::stoll(ask(server, {"ttl", key}).substr(1)), 1'000'000'000) << key;
    for (const std::vector<std::string>& words : {std::vector<std::string>{"expire", "a", "9223372036854775"},
                                                  {"expire", "a", "9223372036854776"},
                                                  {"expire", "a", "-9223372036854776"},
                                                  {"pexpire", "a", "9223372036854775807"},
                                                  {"set", "a", "x", "ex", "9223372036854776"}})
      EXPECT_TRUE(ask(server, words).starts_with("-ERR invalid expire time in '")) << words.back();
    EXPECT_EQ(ask(server, {"expire", "a", "-9000000000000"}), ":1\r\n");
    EXPECT_EQ(ask(server, {"exists", "a", "b"}), ":1\r\n");
  });
}

TEST(Commands, InfoHasTheSectionsThatAreWanted) {
  run([] {
    Server server;
    EXPECT_EQ(ask(server, {"info", "nosuch"}), "$0\r\n\r\n");
    const auto headings = [&](std::vector<std::string> words) {
      const std::string answer = ask(server, words);
      std::string found;
      for (std::size_t at = answer.find("# "); at != std::string::npos; at = answer.find("# ", at + 1))
        found += answer.substr(at, answer.find('\r', at) - at);
      return found;
    };
    EXPECT_EQ(headings({"info", "SERVER"}), "# Server");
    EXPECT_EQ(headings({"info", "stats", "nosuch", "clients"}), "# Clients# Stats");
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"info"}, {"info", "default"}, {"info", "All"}, {"info", "everything"}})
      EXPECT_EQ(headings(words), "# Server# Clients# Memory# Stats# Keyspace") << words.back();
  });
}

}  // namespace
}  // namespace kv
