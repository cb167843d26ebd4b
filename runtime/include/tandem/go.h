#pragma once
// Goroutines: starting them, and what the running one can do.
//
//   tandem::run([] {
//     tandem::go([] { std::puts("hello"); });
//     tandem::sleep_for(std::chrono::milliseconds(1));
//   });
//
// Unless stated otherwise, everything here must be called on a goroutine; on another thread it is a fatal error.

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include <tandem/cancelled.h>
#include <tandem/detail/duration.h>
#include <tandem/detail/spawn.h>
#include <tandem/detail/words.h>

namespace tandem {

/// How a goroutine differs from others.
struct GoOptions {
  std::string_view name = {};  ///< for dumps and reports; copied
  std::uint64_t stack_size_max =
      0;  ///< bytes; 64 KiB to 1 GiB, rounded up to a power of two; 0: Options::stack_size_max
};

/// Starts f(args...) as a goroutine. Function and arguments are decay-copied as by std::thread, into storage that the
/// collector scans, so they may be or hold Locals; the result is ignored. Does not park. Throws std::bad_alloc, and whatever
/// copying throws. An exception that leaves f ends the process, see Options::on_unhandled; Cancelled just ends the goroutine.
template <typename F, typename... Args>
  requires(!std::same_as<std::decay_t<F>, GoOptions> && std::invocable<std::decay_t<F>, std::decay_t<Args>...>)
void go(F&& f, Args&&... args) {
  detail::spawn(std::forward<F>(f), std::forward<Args>(args)...);
}

/// The same with a name or another stack size. Throws std::invalid_argument if that is out of range.
template <typename F, typename... Args>
  requires std::invocable<std::decay_t<F>, std::decay_t<Args>...>
void go(const GoOptions& options, F&& f, Args&&... args) {
  detail::spawn_with(options.name, options.stack_size_max, std::forward<F>(f), std::forward<Args>(args)...);
}

/// From any thread: starts a goroutine as go() does. False, and nothing is copied, when no run is in progress or it is
/// ending. Closures hold Persistents, never Locals. Blocks only for short locks.
template <typename F, typename... Args>
  requires std::invocable<std::decay_t<F>, std::decay_t<Args>...>
bool post(F&& f, Args&&... args) {
  using Type = detail::ClosureOf<F, Args...>;
  const detail::PostScope scope;
  if (!scope.open()) return false;
  const detail::Embryo embryo = detail::begin_post(Type::kOperations, sizeof(Type));
  detail::construct_closure(embryo, &detail::abandon_post, std::forward<F>(f), std::forward<Args>(args)...);
  detail::finish_post(embryo);
  return true;
}

/// While one exists, all goroutines asleep is not a deadlock: somebody outside is going to wake one, by post(). From any
/// thread, also outside of a run.
class ExternalWaker {
 public:
  ExternalWaker() noexcept;
  ~ExternalWaker();
  ExternalWaker(const ExternalWaker&) = delete;
  ExternalWaker& operator=(const ExternalWaker&) = delete;
};

/// Lets other goroutines run. Throws Cancelled.
void yield();

/// A poll: needed only in long loops that neither allocate nor call the library. May let others run. Does not throw.
void safepoint();

/// Parks for at least this long by steady_clock; zero or less: yields. Throws Cancelled.
template <typename Rep, typename Period>
void sleep_for(const std::chrono::duration<Rep, Period>& duration) {
  const std::uint64_t ns = detail::saturated_ns(duration);
  if (ns == 0) return yield();
  detail::sleep_until_ns(detail::runtime_now_ns() + ns);
}

/// Parks until this time, never less by steady_clock; a time that has passed: yields. Throws Cancelled.
template <typename Clock, typename Duration>
void sleep_until(const std::chrono::time_point<Clock, Duration>& time) {
  detail::sleep_until_ns(detail::deadline_ns(time));
}

namespace this_goroutine {
/// Unique in the process, from 1 on; 0 on a thread that runs no goroutine.
std::uint64_t id() noexcept;
/// The time by which sleeps, timers and deadlines go: steady_clock's, unless Options::seed makes it virtual; then it passes
/// only while nothing is runnable.
inline std::chrono::steady_clock::time_point now() noexcept { return detail::time_point_of(detail::runtime_now_ns()); }
}  // namespace this_goroutine

/// Goroutines that have been started and have not ended, the calling one included; 0 when nothing runs. A snapshot, from any
/// goroutine.
std::size_t goroutine_count() noexcept;

/// Runs f, which may take long in a system call or a foreign library, so that this worker's other goroutines go on meanwhile;
/// returns its result, and its exceptions propagate. f runs on the same thread and stack; it must not touch managed
/// references or call this library: a call that would park, or that allocates, is a fatal error that says so (with debug checks
/// any that needs a goroutine). Costs some nanoseconds; when f takes longer than about 20 us and others wait, the
/// processor goes to another thread, and this goroutine queues up for one afterwards. Not interrupted by cancellation.
/// So no std::mutex may be held across it; f itself may lock and unlock some.
template <typename F>
decltype(auto) blocking(F&& f) {
  const detail::BlockingScope scope;
  return std::invoke(std::forward<F>(f));
}

/// Runs f with at least `bytes` (up to 1 GiB less a guard) of stack: where it is if there is so much left, else on a further
/// segment. For recursion deeper than stack_size_max. Returns f's result; its exceptions propagate. Throws std::bad_alloc
/// when there is no address space for the segment. On a thread's own stack f runs where it is.
template <typename F>
std::invoke_result_t<F&> ensure_stack(std::size_t bytes, F&& f) {
  using Result = std::invoke_result_t<F&>;
  if (detail::stack_bytes_left() >= bytes) [[likely]]
    return std::invoke(f);
  using Kept = std::conditional_t<
      std::is_void_v<Result>, bool,
      std::conditional_t<std::is_reference_v<Result>, std::add_pointer_t<std::remove_reference_t<Result>>, Result>>;
  struct Call {
    std::remove_reference_t<F>& function;
    std::optional<Kept> result;
    std::exception_ptr exception;
  } call{f, {}, {}};
  detail::run_on_segment(
      bytes,
      [](void* argument) noexcept {
        Call& self = *static_cast<Call*>(argument);
        try {
          if constexpr (std::is_void_v<Result>)
            std::invoke(self.function);
          else if constexpr (std::is_reference_v<Result>)
            self.result = std::addressof(std::invoke(self.function));
          else
            self.result.emplace(std::invoke(self.function));
        } catch (...) {
          self.exception = std::current_exception();
        }
      },
      &call);
  if (call.exception) std::rethrow_exception(std::move(call.exception));
  if constexpr (std::is_reference_v<Result>)
    return static_cast<Result>(**call.result);
  else if constexpr (!std::is_void_v<Result>)
    return std::move(*call.result);
}

}  // namespace tandem
