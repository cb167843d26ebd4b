// The only file that tells AddressSanitizer and ThreadSanitizer about stack switches. Without them every
// function is empty and SanitizerFiber has no members (embed it with [[no_unique_address]]).
//
// Around every switch from A to B:
//     before_switch(a.fiber, b.fiber, dying); switch_context(a.context, b.context); after_switch(a.fiber);
// and first thing on a new stack: after_switch(its fiber). Each fiber's thread calls adopt_thread once, each
// goroutine's stack is announced by announce_stack before its first run.
//
// Everything is always_inline: an out-of-line, instrumented before_switch would push its frame on one fiber's
// shadow stack and pop it from the other's.
#pragma once

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#define TANDEM_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TANDEM_ADDRESS_SANITIZER 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define TANDEM_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TANDEM_THREAD_SANITIZER 1
#endif
#endif

#if defined(TANDEM_ADDRESS_SANITIZER)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(TANDEM_THREAD_SANITIZER)
#include <sanitizer/tsan_interface.h>
#endif

namespace tandem::context {

#if defined(TANDEM_ADDRESS_SANITIZER) || defined(TANDEM_THREAD_SANITIZER)
inline constexpr bool kFibersAreAnnounced = true;
#else
inline constexpr bool kFibersAreAnnounced = false;
#endif

struct SanitizerFiber {
#if defined(TANDEM_ADDRESS_SANITIZER)
  void* fake_stack = nullptr;  // its fake stack while it does not run; null when it does, or has none
  const void* stack_low = nullptr;
  std::size_t stack_bytes = 0;
#endif
#if defined(TANDEM_THREAD_SANITIZER)
  void* fiber = nullptr;  // created at the first run: destroying one that never ran crashes before LLVM 22
  const char* name = nullptr;
#endif
};

#if defined(TANDEM_ADDRESS_SANITIZER)
// The bounds of the calling thread's own stack; never inlined, no fast path.
void current_thread_stack(const void** low, std::size_t* bytes) noexcept;
#endif

// By a worker thread, on its own stack, before its first switch.
[[gnu::always_inline]] inline void adopt_thread([[maybe_unused]] SanitizerFiber& thread) noexcept {
#if defined(TANDEM_ADDRESS_SANITIZER)
  current_thread_stack(&thread.stack_low, &thread.stack_bytes);
#endif
#if defined(TANDEM_THREAD_SANITIZER)
  thread.fiber = __tsan_get_current_fiber();
#endif
}

// Before a goroutine's first run. `name` must stay valid until then; it appears in TSan's reports; may be
// null.
[[gnu::always_inline]] inline void announce_stack([[maybe_unused]] SanitizerFiber& fiber,
                                                  [[maybe_unused]] const std::byte* low,
                                                  [[maybe_unused]] std::size_t bytes,
                                                  [[maybe_unused]] const char* name) noexcept {
#if defined(TANDEM_ADDRESS_SANITIZER)
  fiber.fake_stack = nullptr;
  fiber.stack_low = low;
  fiber.stack_bytes = bytes;
#endif
#if defined(TANDEM_THREAD_SANITIZER)
  fiber.name = name;
#endif
}

// Last thing before the switch. `dying`: `from` will never run again.
[[gnu::always_inline]] inline void before_switch([[maybe_unused]] SanitizerFiber& from,
                                                 [[maybe_unused]] SanitizerFiber& to,
                                                 [[maybe_unused]] bool dying) noexcept {
#if defined(TANDEM_ADDRESS_SANITIZER)
  __sanitizer_start_switch_fiber(dying ? nullptr : &from.fake_stack, to.stack_low, to.stack_bytes);
#endif
#if defined(TANDEM_THREAD_SANITIZER)
  if (to.fiber == nullptr) {
    to.fiber = __tsan_create_fiber(0);
    if (to.name != nullptr) __tsan_set_fiber_name(to.fiber, to.name);
  }
  __tsan_switch_to_fiber(to.fiber, 0);
#endif
}

// First thing after the switch, `self` being what now runs.
[[gnu::always_inline]] inline void after_switch([[maybe_unused]] SanitizerFiber& self) noexcept {
#if defined(TANDEM_ADDRESS_SANITIZER)
  __sanitizer_finish_switch_fiber(self.fake_stack, nullptr, nullptr);
#endif
}

// After it died, from another fiber; also right for one that never ran.
[[gnu::always_inline]] inline void destroy_fiber([[maybe_unused]] SanitizerFiber& fiber) noexcept {
#if defined(TANDEM_THREAD_SANITIZER)
  if (fiber.fiber != nullptr) __tsan_destroy_fiber(fiber.fiber);
#endif
  fiber = SanitizerFiber{};
}

// Before a stack is used again: a goroutine that ended inside a frame, or died without unwinding, left poison
// behind.
[[gnu::always_inline]] inline void unpoison_stack([[maybe_unused]] const std::byte* low,
                                                  [[maybe_unused]] const std::byte* high) noexcept {
#if defined(TANDEM_ADDRESS_SANITIZER)
  __asan_unpoison_memory_region(low, static_cast<std::size_t>(high - low));
#endif
}

}  // namespace tandem::context
