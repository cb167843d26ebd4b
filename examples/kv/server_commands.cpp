// PING ECHO QUIT SELECT INFO COMMAND CONFIG MEMORY
#include <string>

#include "examples/kv/command.h"
#include "examples/kv/glob.h"
#include "examples/server/serve.h"

namespace kv {

using namespace std::string_view_literals;

namespace {

void ping(Call& call) {
  if (call.arguments.size() > 2) return call.reply.error("ERR wrong number of arguments for 'ping' command");
  if (call.arguments.size() == 2)
    call.reply.bulk(call.arguments[1]);
  else
    call.reply.simple("PONG");
}

void echo(Call& call) { call.reply.bulk(call.arguments[1]); }

void quit(Call& call) {
  call.reply.ok();
  call.quit = true;
}

void select(Call& call) {
  const std::optional<std::int64_t> index = integer_argument(call, 1);
  if (!index) return;
  if (*index == 0)
    call.reply.ok();
  else
    call.reply.error("ERR DB index is out of range");
}

/// Of the sections that the arguments of INFO name; without any, of all.
class InfoText {
 public:
  explicit InfoText(const Arguments& arguments) : arguments_(arguments) {}

  /// Begins a section. False: it is not wanted.
  bool section(std::string_view name) {
    if (!is_wanted(name)) return false;
    (text_ += text_.empty() ? "# " : "\r\n# ") += static_cast<char>(name.front() - 'a' + 'A');
    text_.append(name.substr(1)).append("\r\n");
    return true;
  }
  void line(std::string_view name, std::string_view value) {
    text_.append(name).append(":").append(value).append("\r\n");
  }
  void line(std::string_view name, std::uint64_t value) { line(name, std::to_string(value)); }
  const std::string& text() const { return text_; }

 private:
  bool is_wanted(std::string_view name) const {
    if (arguments_.size() == 1) return true;
    for (std::size_t i = 1; i < arguments_.size(); ++i)
      for (const std::string_view wanted : {name, "default"sv, "all"sv, "everything"sv})
        if (equals_word(arguments_[i], wanted)) return true;
    return false;
  }

  const Arguments& arguments_;
  std::string text_;
};

void info(Call& call) {
  const Server& server = call.server;
  const server::Usage usage = server::usage();
  const tandem::HeapStatistics heap = tandem::heap_statistics();
  const auto uptime = std::chrono::duration_cast<std::chrono::seconds>(tandem::this_goroutine::now() - server.started);
  InfoText info(call.arguments);
  if (info.section("server")) {
    info.line("redis_version", "7.0.0");  // whose replies these are; clients ask
    info.line("server_name", "tandem kv_server");
    info.line("uptime_in_seconds", static_cast<std::uint64_t>(uptime.count()));
  }
  if (info.section("clients")) info.line("connected_clients", server.clients.load(std::memory_order_relaxed));
  if (info.section("memory")) {
    info.line("used_memory", heap.heap_bytes);
    info.line("live_bytes", usage.live_bytes);
    info.line("collection_cycles", heap.cycles);
  }
  if (info.section("stats")) {
    info.line("total_commands_processed", server.commands.load(std::memory_order_relaxed));
    info.line("goroutines", usage.goroutines);
    info.line("open_descriptors", usage.descriptors);
  }
  if (info.section("keyspace")) {
    const Store::Locked locked(call.store(), Store::kAllLocks);
    if (const std::size_t keys = call.store().size()) info.line("db0", "keys=" + std::to_string(keys));
  }
  call.reply.bulk(info.text());
}

void describe(Call& call, const Command& command) {
  call.reply.array(6);
  call.reply.bulk(command.name);
  call.reply.integer(command.arity);
  call.reply.array(0);
  for (const int number : {command.first_key, command.last_key, command.key_step}) call.reply.integer(number);
}

/// DOCS and what else there may be: nothing is documented.
void command(Call& call) {
  const std::span<const Command> commands = all_commands();
  if (call.arguments.size() == 1) {
    call.reply.array(commands.size());
    for (const Command& each : commands) describe(call, each);
  } else if (equals_word(call.arguments[1], "count")) {
    call.reply.integer(static_cast<std::int64_t>(commands.size()));
  } else {
    call.reply.array(0);
  }
}

/// GET only: what benchmarks ask for.
void config(Call& call) {
  if (call.arguments.size() != 3 || !equals_word(call.arguments[1], "get"))
    return call.reply.error("ERR unknown subcommand or wrong number of arguments for 'config'");
  std::string text;
  Reply found(text);
  std::size_t strings = 0;
  for (const auto& [name, value] : {std::pair<std::string_view, std::string_view>{"appendonly", "no"}, {"save", ""}}) {
    if (!matches_glob(call.arguments[2], name)) continue;
    found.bulk(name);
    found.bulk(value);
    strings += 2;
  }
  call.reply.array(strings);
  call.reply.raw(text);
}

/// PURGE collects: INFO tells afterwards what is really in use.
void memory(Call& call) {
  if (call.arguments.size() != 2 || !equals_word(call.arguments[1], "purge"))
    return call.reply.error("ERR unknown subcommand or wrong number of arguments for 'memory'");
  tandem::collect();
  tandem::wait_for_finalizers();
  tandem::collect();  // what the destructors let go
  call.reply.ok();
}

constexpr Command kCommands[] = {
    {"command", -1, 0, 0, 0, &command}, {"config", -2, 0, 0, 0, &config}, {"echo", 2, 0, 0, 0, &echo},
    {"info", -1, 0, 0, 0, &info},       {"memory", -2, 0, 0, 0, &memory}, {"ping", -1, 0, 0, 0, &ping},
    {"quit", -1, 0, 0, 0, &quit},       {"select", 2, 0, 0, 0, &select},
};

}  // namespace

std::span<const Command> server_commands() { return kCommands; }

}  // namespace kv
