#pragma once
// What WaitGroup::go and TaskGroup::go start: a callable, and a guard that tells the group when it is over.
// The guard is the first member, so it is destroyed last: the group hears of the end after f and its captures
// are destroyed, also when f was left by an exception or never ran.

#include <functional>
#include <type_traits>
#include <utility>

#include <tandem/detail/closure.h>

namespace tandem::detail {

/// Calls group->task_ended() once, from the destructor of whichever copy was moved to last.
template <class Group>
class TaskGuard {
 public:
  explicit TaskGuard(Group& group) noexcept : group_(&group) {}
  TaskGuard(TaskGuard&& other) noexcept : group_(std::exchange(other.group_, nullptr)) {}
  TaskGuard& operator=(TaskGuard&&) = delete;
  ~TaskGuard() {
    if (group_ != nullptr) group_->task_ended();
  }
  Group& group() const noexcept { return *group_; }

 private:
  Group* group_;
};

template <class Group, class F>
class GroupedClosure {
 public:
  template <class Callable>
  GroupedClosure(Group& group, Callable&& callable) : guard_(group), f_(std::forward<Callable>(callable)) {}

  void operator()() { guard_.group().run_task(f_); }

 private:
  TaskGuard<Group> guard_;
  F f_;
};

template <class Group, class F>
struct Called<GroupedClosure<Group, F>> {
  using Type = F;
};

}  // namespace tandem::detail
