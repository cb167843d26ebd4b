#pragma once
// Starting a goroutine without knowing its closure's type: take an embryo, construct the closure in it, let it run. From
// begin to finish the collector may scan the closure's memory, which is zeroed before.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include <tandem/detail/closure.h>

namespace tandem::detail {

struct Embryo {
  void* goroutine;
  void* closure;  ///< aligned to kClosureAlignment
};

inline constexpr std::size_t kClosureAlignment = 64;

/// On a goroutine. name is copied; stack_bytes_max = 0: the default. Throws std::bad_alloc.
Embryo begin_spawn(const ClosureOperations& operations, std::size_t closure_bytes, std::string_view name,
                   std::uint64_t stack_bytes_max);
/// The same without a name, with the default stack.
Embryo begin_spawn(const ClosureOperations& operations, std::size_t closure_bytes);
void finish_spawn(Embryo embryo) noexcept;
/// Instead of finish_spawn, for a task that its creator is going to wait for: of those that wait on a processor, the
/// youngest runs first.
void finish_task_spawn(Embryo embryo) noexcept;
void abandon_spawn(Embryo embryo) noexcept;

/// On any thread that has entered a PostScope which is open.
Embryo begin_post(const ClosureOperations& operations, std::size_t closure_bytes);
void finish_post(Embryo embryo) noexcept;
void abandon_post(Embryo embryo) noexcept;

/// While one that is open exists, the run cannot end.
class PostScope {
 public:
  PostScope() noexcept;
  ~PostScope();
  PostScope(const PostScope&) = delete;
  PostScope& operator=(const PostScope&) = delete;
  bool open() const noexcept { return open_; }

 private:
  bool open_;
};

/// f(args...) with decayed copies of both, as std::thread keeps them.
template <typename Function, typename... Arguments>
class Closure {
 public:
  template <typename F, typename... A>
  explicit Closure(std::in_place_t, F&& function, A&&... arguments)
      : parts_(std::forward<F>(function), std::forward<A>(arguments)...) {}

  static void invoke(void* self) {
    std::apply([](auto&... parts) { static_cast<void>(std::invoke(std::move(parts)...)); },
               static_cast<Closure*>(self)->parts_);
  }
  static void destroy(void* self) noexcept { std::destroy_at(static_cast<Closure*>(self)); }
#if defined(__cpp_rtti)
  static constexpr ClosureOperations kOperations{&invoke, &destroy, &typeid(typename Called<Function>::Type)};
#else
  static constexpr ClosureOperations kOperations{&invoke, &destroy};
#endif

 private:
  std::tuple<Function, Arguments...> parts_;
};

template <typename F, typename... A>
using ClosureOf = Closure<std::decay_t<F>, std::decay_t<A>...>;

/// Constructs the closure in the embryo; `abandon` gives the embryo back when that throws.
template <typename F, typename... A>
void construct_closure(Embryo embryo, void (*abandon)(Embryo) noexcept, F&& function, A&&... arguments) {
  using Type = ClosureOf<F, A...>;
  static_assert(alignof(Type) <= kClosureAlignment,
                "tandem::go: captures and arguments may be aligned to 64 bytes at most");
  static_assert(sizeof(Type) <= UINT32_MAX, "tandem::go: captures and arguments may take 4 GiB at most");
  try {
    ::new (embryo.closure) Type(std::in_place, std::forward<F>(function), std::forward<A>(arguments)...);
  } catch (...) {
    abandon(embryo);
    throw;
  }
}

template <typename F, typename... A>
void spawn(F&& function, A&&... arguments) {
  using Type = ClosureOf<F, A...>;
  const Embryo embryo = begin_spawn(Type::kOperations, sizeof(Type));
  construct_closure(embryo, &abandon_spawn, std::forward<F>(function), std::forward<A>(arguments)...);
  finish_spawn(embryo);
}

template <typename F>
void spawn_task(F&& function) {
  using Type = ClosureOf<F>;
  const Embryo embryo = begin_spawn(Type::kOperations, sizeof(Type));
  construct_closure(embryo, &abandon_spawn, std::forward<F>(function));
  finish_task_spawn(embryo);
}

template <typename F, typename... A>
void spawn_with(std::string_view name, std::uint64_t stack_bytes_max, F&& function, A&&... arguments) {
  using Type = ClosureOf<F, A...>;
  const Embryo embryo = begin_spawn(Type::kOperations, sizeof(Type), name, stack_bytes_max);
  construct_closure(embryo, &abandon_spawn, std::forward<F>(function), std::forward<A>(arguments)...);
  finish_spawn(embryo);
}

/// The processor of the running goroutine may be taken away between constructor and destructor.
class BlockingScope {
 public:
  BlockingScope();
  ~BlockingScope();
  BlockingScope(const BlockingScope&) = delete;
  BlockingScope& operator=(const BlockingScope&) = delete;

 private:
  void* worker_;
};

/// Bytes below the calling function's frame on the present stack segment.
std::size_t stack_bytes_left();
/// Runs body(argument), which must not throw, on a further segment of `bytes`. Throws std::bad_alloc.
void run_on_segment(std::size_t bytes, void (*body)(void*) noexcept, void* argument);

void sleep_until_ns(std::uint64_t deadline_ns);

}  // namespace tandem::detail
