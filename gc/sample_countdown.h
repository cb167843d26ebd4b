#pragma once
// How many bytes a processor has still to take from the heap before an allocation is sampled (heap_profile.h).

#include <cstdint>

#include "runtime/base/random.h"

namespace tandem::gc {

struct SampleCountdown {
  std::int64_t bytes = 0;
  base::Random random;
  bool started = false;
};

}  // namespace tandem::gc
