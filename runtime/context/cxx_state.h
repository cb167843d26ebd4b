// What the C++ runtime and libc keep per thread but belongs to the goroutine: exceptions caught and in
// flight, and errno.
//
// Without it an exception in flight leaks, or is taken for another goroutine's, when its goroutine moves to
// another thread. A worker caches the two addresses once (asking costs a call each, and compilers cache the
// answers across switches). Who leaves keeps its state in the frame that leaves (CxxKeeper). Hardly anybody is
// handling an exception then; so that nobody has to write what nearly always is zero, the rule is: at a switch
// the thread's exception state is empty.
#pragma once

namespace tandem::context {

// All zero for one that has never run.
struct CxxState {
  void* caught = nullptr;  // chain of exceptions being handled
  unsigned uncaught = 0;   // what std::uncaught_exceptions() answers
  int saved_errno = 0;
};

// Per worker thread.
struct CxxThreadState {
  void* eh_globals = nullptr;     // __cxa_get_globals() of that thread
  int* errno_location = nullptr;  // &errno of that thread

  // Never inlined, so that no caller caches another thread's addresses.
  [[gnu::noinline]] static CxxThreadState of_this_thread() noexcept;
};

// The Itanium C++ ABI fixes the first two fields of __cxa_eh_globals on 64-bit platforms.
struct [[gnu::may_alias]] EhGlobals {
  void* caught;
  unsigned uncaught;
};

// Both: on the thread that `thread` describes.
inline void save(CxxState& state, const CxxThreadState& thread) noexcept {
  const auto* globals = static_cast<const EhGlobals*>(thread.eh_globals);
  state.caught = globals->caught;
  state.uncaught = globals->uncaught;
  state.saved_errno = *thread.errno_location;
}
inline void restore(const CxxState& state, const CxxThreadState& thread) noexcept {
  auto* globals = static_cast<EhGlobals*>(thread.eh_globals);
  globals->caught = state.caught;
  globals->uncaught = state.uncaught;
  *thread.errno_location = state.saved_errno;
}

// Keeps the state of one that is about to leave its thread, and leaves the thread's exception state empty. In the
// frame that switches; give_back() on the thread where it goes on.
class CxxKeeper {
 public:
  [[gnu::always_inline]] explicit CxxKeeper(const CxxThreadState& thread) noexcept {
    auto* globals = static_cast<EhGlobals*>(thread.eh_globals);
    saved_errno_ = *thread.errno_location;
    has_exceptions_ = globals->caught != nullptr || globals->uncaught != 0;
    if (!has_exceptions_) [[likely]]
      return;
    exceptions_ = *globals;
    *globals = {nullptr, 0};
  }
  [[gnu::always_inline]] void give_back(const CxxThreadState& thread) const noexcept {
    *thread.errno_location = saved_errno_;
    if (has_exceptions_) [[unlikely]]
      *static_cast<EhGlobals*>(thread.eh_globals) = exceptions_;
  }
  CxxKeeper(const CxxKeeper&) = delete;
  CxxKeeper& operator=(const CxxKeeper&) = delete;

 private:
  EhGlobals exceptions_;  // if there are any
  int saved_errno_;
  bool has_exceptions_;
};

}  // namespace tandem::context
