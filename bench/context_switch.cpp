// The bare switch: two contexts that hand the processor to each other, no scheduler. The floor under all
// others.
#include "runtime/context/context.h"

#include <cstddef>
#include <memory>

#include "bench/harness.h"

namespace bench {
namespace {

using tandem::context::Context;
using tandem::context::switch_context;

struct Pair {
  Context here;
  Context there;
};

void go_back_for_ever(void* argument) {
  Pair& pair = *static_cast<Pair*>(argument);
  for (;;) switch_context(pair.there, pair.here);
}

void context_switch(std::int64_t n) {
  constexpr std::size_t kStackBytes = 64 << 10;
  const auto memory = std::make_unique<std::byte[]>(kStackBytes + 64);
  // Aligned to 64 bytes, and coloured: equal tops of two stacks would compete for cache sets.
  const auto top = (reinterpret_cast<std::uintptr_t>(memory.get()) + kStackBytes) & ~std::uintptr_t{63};
  Pair pair;
  tandem::context::prepare_context(pair.there, reinterpret_cast<std::byte*>(top - 192), &go_back_for_ever, &pair);
  for (std::int64_t i = 0; i < n; i += 2) switch_context(pair.here, pair.there);
}

const Register kContextSwitch(Micro{"context_switch", 100'000'000, context_switch});

}  // namespace
}  // namespace bench
