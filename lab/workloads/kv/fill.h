#pragma once
// Before the load.
#include <cstdint>

#include "lab/run_request.h"

namespace lab::kv_load {

// How many keys make up the live set.
std::uint32_t key_count(const KvRequest& request);

// Gives every key its first value, and has the server collect, so that the next cycle is as far away in every run.
// Throws std::runtime_error when the server refuses.
void fill(const KvRequest& request, std::uint16_t port);

}  // namespace lab::kv_load
