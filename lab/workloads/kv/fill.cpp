#include "lab/workloads/kv/fill.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "lab/workloads/kv/client.h"
#include "lab/workloads/kv/stamped_value.h"

namespace lab::kv_load {
namespace {

constexpr std::size_t kBytesAhead = std::size_t{256} << 10;  // requests sent before answers are waited for

void expect_ok(Client& client, const char* command) {
  const Reply reply = client.wait_for_reply();
  if (reply.kind != Reply::Kind::simple)
    throw std::runtime_error(fmt::format("kv: the server answers {} with {}", command, reply.shown()));
}

}  // namespace

std::uint32_t key_count(const KvRequest& request) {
  return static_cast<std::uint32_t>(std::clamp(request.live * 1e6 / request.value, 1.0, 4e9));
}

void fill(const KvRequest& request, std::uint16_t port) {
  Client client(port);
  const std::uint32_t keys = key_count(request);
  const auto value_bytes = static_cast<std::size_t>(request.value);
  for (std::uint32_t key = 0; key < keys;) {
    std::uint32_t asked = 0;
    for (; key < keys && client.unsent_bytes() < kBytesAhead; ++key, ++asked)
      client.add({"SET", key_name(key), stamped_value(key, 0, value_bytes)});
    for (; asked > 0; --asked) expect_ok(client, "SET");
  }
  client.add({"MEMORY", "PURGE"});
  expect_ok(client, "MEMORY PURGE");
}

}  // namespace lab::kv_load
