#include "gc/boehm/collector_thread.h"

#include <csignal>
#include <thread>
#include <utility>

namespace tandem::gc::boehm {

void CollectorThread::run(std::function<void()> task) {
  std::unique_lock guard(lock_);
  if (!std::exchange(started_, true)) std::thread([this] { loop(); }).detach();
  task_ = std::move(task);
  busy_ = true;
  changed_.notify_all();
  changed_.wait(guard, [&] { return !busy_; });
}

void CollectorThread::loop() {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);  // the program's signals are for its own threads
  std::unique_lock guard(lock_);
  for (;;) {
    changed_.wait(guard, [&] { return busy_; });
    task_();
    busy_ = false;
    changed_.notify_all();
  }
}

}  // namespace tandem::gc::boehm
