#pragma once
// The load of the workload kv: an open loop of GET and SET on random keys, over many connections.
//
// It runs in the lab's parent process, on one thread of the system that serves all connections by epoll. Goroutines of
// the measured process would be late exactly when its runtime keeps them waiting, and send less just then; more threads
// would take processors from the server before one is too slow, at some 100,000 requests a second. Where the generator
// is late itself, because the machine has no processor for it, "sent late" tells it.
//
// The latency of a request counts from the moment at which it was due to its answer's arrival, whatever kept it from
// being sent: no coordinated omission (lab/open_loop.h). Requests are not limited by what is still unanswered.
//
// A key's requests all go over the same connection, so they are executed in order, and what a GET must return is known:
// what the last SET before it wrote.
#include <cstdint>

#include <nlohmann/json_fwd.hpp>

#include "lab/run_request.h"

namespace lab::kv_load {

// Blocks until all requests are answered. Returns the metrics: requests, writes, requests_per_second,
// request_latency_*, sent_late_*. Throws std::runtime_error at a wrong answer, and when the server is silent for long.
nlohmann::json run_load(const KvRequest& request, std::uint16_t port);

}  // namespace lab::kv_load
