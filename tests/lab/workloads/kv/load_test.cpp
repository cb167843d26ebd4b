#include "lab/workloads/kv/load.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <thread>

#include "lab/workloads/kv/client.h"
#include "lab/workloads/kv/stamped_value.h"

namespace lab::kv_load {
namespace {

// A server for one connection that sends `answer`, byte by byte, to each of the first `count` requests whatever they
// are, and then closes the connection.
class FakeServer {
 public:
  FakeServer(std::string answer, int count) : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(listener_, reinterpret_cast<const sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener_, 1), 0);
    EXPECT_EQ(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, answer = std::move(answer), count] { serve(answer, count); });
  }
  ~FakeServer() {
    thread_.join();
    close(listener_);
  }

  std::uint16_t port() const { return port_; }

 private:
  void serve(const std::string& answer, int count) const {
    const int connection = accept(listener_, nullptr, nullptr);
    for (char buffer[4096]; count > 0 && read(connection, buffer, sizeof buffer) > 0; --count)
      for (const char c : answer) send(connection, &c, 1, MSG_NOSIGNAL);
    close(connection);
  }

  int listener_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

// One key, and no request that could overtake another.
constexpr int kValueBytes = 100;
KvRequest one_key(double writes) {
  return {.live = 1e-6, .value = kValueBytes, .rate = 20, .connections = 1, .seconds = 0.16, .writes = writes};
}

std::string bulk(const std::string& text) { return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n"; }

std::string failure_of(const std::string& answer, double writes, int count = 3) {
  FakeServer server(answer, count);
  try {
    run_load(one_key(writes), server.port());
  } catch (const std::exception& error) {
    return error.what();
  }
  return "none";
}

TEST(KvLoad, TakesRightAnswersInPieces) {
  FakeServer server(bulk(stamped_value(0, 0, kValueBytes)), 3);
  const nlohmann::json metrics = run_load(one_key(0), server.port());
  EXPECT_EQ(metrics["requests"], 3);  // due at 50, 100 and 150 ms
  EXPECT_EQ(metrics["writes"], 0);
  EXPECT_LE(metrics["requests_per_second"], 3 / 0.16);
  EXPECT_GT(metrics["request_latency_p50_ns"], 0);
  EXPECT_GE(metrics["request_latency_max_ns"], metrics["request_latency_p50_ns"]);
  EXPECT_EQ(failure_of("+OK\r\n", 1), "none");
}

TEST(KvLoad, RefusesWrongAnswers) {
  const auto expect_failure = [](const std::string& part, const std::string& answer, double writes) {
    const std::string failure = failure_of(answer, writes);
    EXPECT_NE(failure.find(part), std::string::npos) << failure;
  };
  expect_failure("GET key:0000000000 (write 0) is answered with 'k0000000001:w0000000000",
                 bulk(stamped_value(1, 0, kValueBytes)), 0);
  expect_failure("is answered with 'k0000000000:w0000000001", bulk(stamped_value(0, 1, kValueBytes)), 0);
  expect_failure("(99 bytes)", bulk(stamped_value(0, 0, kValueBytes - 1)), 0);
  expect_failure("answered with null", "$-1\r\n", 0);
  expect_failure("SET key:0000000000 (write 1) is answered with 'ERR no' (6 bytes)", "-ERR no\r\n", 1);
  expect_failure("answers what was not asked: 'OK'", "+OK\r\n+OK\r\n", 1);
  expect_failure("no reply begins with ':1'", ":1\r\n", 1);
  expect_failure("longer than announced", "$1\r\nabc\r\n", 0);
}

TEST(KvLoad, SaysThatTheServerHasGone) {
  const std::string failure = failure_of("+OK\r\n", 1, 1);
  EXPECT_NE(failure.find("the server"), std::string::npos) << failure;
}

}  // namespace
}  // namespace lab::kv_load
