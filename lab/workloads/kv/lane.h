#pragma once
// One connection of the load, with the requests that are under way on it.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "lab/workloads/kv/client.h"

namespace lab::kv_load {

struct Request {
  std::chrono::steady_clock::time_point due;
  std::uint32_t key;
  std::uint32_t write;  // SET: its number; GET: the one whose value is to be returned
  bool is_set;
};

class Lane {
 public:
  Lane(std::uint16_t port, std::size_t value_bytes) : client_(port), value_bytes_(value_bytes) {}

  int descriptor() const { return client_.descriptor(); }

  void add(const Request& request) { waiting_.push_back(request); }
  // Sends what the system takes.
  void send();
  // Receives what has arrived, and calls on_answer(request) for each request that is answered. Throws
  // std::runtime_error at a wrong answer.
  template <class OnAnswer>
  void receive(OnAnswer on_answer) {
    bool more = true;
    while (more) {
      more = client_.receive();
      while (const std::optional<Reply> reply = client_.next_reply()) on_answer(answered(*reply));
    }
  }

 private:
  void put(const Request& request);
  Request answered(const Reply& reply);

  Client client_;
  const std::size_t value_bytes_;
  std::deque<Request> waiting_;  // not yet put into words: a server that is behind must not cost the generator's memory
  std::deque<Request> sent_;
};

}  // namespace lab::kv_load
