#pragma once
// A waiter that notes how often it was called, and with what the last time.

#include <atomic>
#include <cstdint>

#include "netpoll/descriptor.h"

namespace tandem::netpoll {

struct Record {
  std::atomic<int> calls{0};
  std::atomic<std::uint32_t> events{0};

  Waiter waiter() {
    return {[](void* cookie, std::uint32_t told, Processor*) {
              auto& record = *static_cast<Record*>(cookie);
              record.events = told;
              ++record.calls;
            },
            this};
  }
};

}  // namespace tandem::netpoll
