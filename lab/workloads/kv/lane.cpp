#include "lab/workloads/kv/lane.h"

#include <fmt/format.h>

#include <stdexcept>

#include "lab/workloads/kv/stamped_value.h"

namespace lab::kv_load {
namespace {

constexpr std::size_t kUnsentBytesMax = std::size_t{256} << 10;

}  // namespace

void Lane::put(const Request& request) {
  if (request.is_set)
    client_.add({"SET", key_name(request.key), stamped_value(request.key, request.write, value_bytes_)});
  else
    client_.add({"GET", key_name(request.key)});
}

void Lane::send() {
  do {
    for (; !waiting_.empty() && client_.unsent_bytes() < kUnsentBytesMax; waiting_.pop_front()) {
      put(waiting_.front());
      sent_.push_back(waiting_.front());
    }
    client_.send();
  } while (client_.unsent_bytes() == 0 && !waiting_.empty());
}

Request Lane::answered(const Reply& reply) {
  if (sent_.empty())
    throw std::runtime_error("kv: wrong result: the server answers what was not asked: " + reply.shown());
  const Request request = sent_.front();
  sent_.pop_front();
  const bool right = request.is_set ? reply.kind == Reply::Kind::simple && reply.text == "OK"
                                    : reply.kind == Reply::Kind::bulk &&
                                          is_stamped_value(reply.text, request.key, request.write, value_bytes_);
  if (!right)
    throw std::runtime_error(fmt::format("kv: wrong result: {} {} (write {}) is answered with {}",
                                         request.is_set ? "SET" : "GET", key_name(request.key), request.write,
                                         reply.shown()));
  return request;
}

}  // namespace lab::kv_load
