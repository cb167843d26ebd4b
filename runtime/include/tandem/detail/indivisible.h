#pragma once
// What a compiler's own polls must not divide.
//
// With tandem::automatic_safepoints the compiler calls the runtime in every basic block of the user's code, and so in what it
// has inlined there of ours: between the load of a reference and its rooting, between a test of the barrier's flags and
// the store, with a spin lock held. A function in a public header that does such a thing begins with TANDEM_INDIVISIBLE;
// until it returns, those calls do nothing (seam/automatic_safepoint.cpp). It must come first: what was loaded before it, by
// the caller for instance, is not protected. A function that the library calls with a lock held is TANDEM_UNINSTRUMENTED as
// well, since its own first block comes before all else. Without automatic safepoints both are nothing.
//
// Sources with and without may be linked into one program if they are compiled with optimisation. Of an inline function that
// both have, and the compiler has inlined in neither, the linker keeps either copy; so the library itself may call the polls, in
// a function of the standard library for instance. Those of its own functions that do so with a lock held or something
// half done, on a goroutine's stack, therefore begin with an Indivisible as well: serving a safepoint, which marks and sweeps;
// the slow paths of allocation; what hangs on objects.

#include <cstddef>
#include <cstdint>

#include "tandem/detail/words.h"

namespace tandem::detail {

/// Where in a goroutine's descriptor the depth of indivisible sections is counted; seam/goroutine.h asserts it.
inline constexpr std::size_t kIndivisibleDepthOffset = 156;

[[gnu::always_inline]] inline std::uint32_t& indivisible_depth(GoroutineWords& goroutine) {
  return *reinterpret_cast<std::uint32_t*>(reinterpret_cast<std::byte*>(&goroutine) + kIndivisibleDepthOffset);
}

/// Belongs to the goroutine, so it may park in between.
class Indivisible {
 public:
  [[gnu::always_inline]] Indivisible() : goroutine_(current_goroutine()) {
    if (goroutine_ != nullptr) ++indivisible_depth(*goroutine_);
  }
  [[gnu::always_inline]] ~Indivisible() {
    if (goroutine_ != nullptr) --indivisible_depth(*goroutine_);
  }
  Indivisible(const Indivisible&) = delete;
  Indivisible& operator=(const Indivisible&) = delete;

 private:
  GoroutineWords* const goroutine_;
};

#if defined(TANDEM_AUTOMATIC_SAFEPOINTS)

#define TANDEM_INDIVISIBLE const ::tandem::detail::Indivisible tandem_indivisible
#if defined(__clang__)
#define TANDEM_UNINSTRUMENTED [[clang::no_sanitize("coverage")]]
#else
#define TANDEM_UNINSTRUMENTED [[gnu::no_sanitize_coverage]]
#endif

#else

#define TANDEM_INDIVISIBLE static_cast<void>(0)
#define TANDEM_UNINSTRUMENTED

#endif

}  // namespace tandem::detail
