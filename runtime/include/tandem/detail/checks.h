#pragma once
// Checks in builds with TANDEM_DEBUG_CHECKS=1; nothing otherwise: where references live, whether they are null, and where
// objects are made.

namespace tandem::detail {

/// Aborts unless `slot` lies on a goroutine's stack or in a closure that the runtime keeps.
void check_local_place(const void* slot);
/// Aborts unless `slot` lies in the managed heap, or in a Rooted (a traced aggregate on a stack).
void check_member_place(const void* slot);
/// Ends the process inside the f of blocking(f). (The slow paths of allocation check it in all builds.)
void check_may_allocate();

#if defined(TANDEM_DEBUG_CHECKS) && TANDEM_DEBUG_CHECKS
inline constexpr bool kDebugChecks = true;
#else
inline constexpr bool kDebugChecks = false;
#endif

/// Which sanitizers are at work. g++ does not tell of UndefinedBehaviorSanitizer: there the debug checks stand for it.
#if defined(__SANITIZE_THREAD__)
inline constexpr bool kThreadSanitizer = true;
inline constexpr bool kUndefinedBehaviorSanitizer = kDebugChecks;
#elif defined(__has_feature)
inline constexpr bool kThreadSanitizer = __has_feature(thread_sanitizer);
inline constexpr bool kUndefinedBehaviorSanitizer = kDebugChecks || __has_feature(undefined_behavior_sanitizer);
#else
inline constexpr bool kThreadSanitizer = false;
inline constexpr bool kUndefinedBehaviorSanitizer = kDebugChecks;
#endif

/// Does a null reference have to fault before a sanitizer looks at the access? ThreadSanitizer's shadow of the null page is
/// not mapped.
inline constexpr bool kFaultsFirst = kThreadSanitizer || kUndefinedBehaviorSanitizer;

/// Faults, `address` being null; no sanitizer looks at it.
__attribute__((no_sanitize("undefined", "address", "thread"), noinline)) inline void fault_at(
    const volatile void* address) noexcept {
  asm volatile("" : "+r"(address));  // compilers make a trap of an access to what they know to be null
  static_cast<void>(*static_cast<const volatile char*>(address));
}

/// What each dereference of a reference goes through. Nothing is tested: a null one faults at its first access, and the
/// handler of faults says which goroutine did that (runtime/boot/null_fault.h). Two exceptions. A sanitizer that looks at the
/// access first would end the program with a message that says less. And a compiler that knows the pointer to be null takes
/// the access for unreachable, and drops it: there the test is decided when compiling.
template <class T>
[[gnu::always_inline]] inline T* dereferenced(T* pointer) noexcept {
  if (kFaultsFirst || __builtin_constant_p(pointer == nullptr)) {
    if (pointer == nullptr) [[unlikely]]
      fault_at(pointer);
  }
  return pointer;
}

}  // namespace tandem::detail
