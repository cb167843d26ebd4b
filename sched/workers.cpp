#include "sched/workers.h"

#include <mutex>
#include <new>
#include <sched.h>
#include <sys/prctl.h>
#include <system_error>

#include "runtime/base/assert.h"
#include "runtime/context/overflow.h"
#include "sched/idle.h"
#include "sched/shared.h"

namespace tandem::sched {

namespace {

/// The kernel may delay the end of a sleep by this much to batch wake-ups; its default of 50 us is half our error budget.
constexpr unsigned long kTimerSlackNs = 1;

Worker* register_worker(bool starting) {
  auto* const worker = new (std::nothrow) Worker();
  if (worker == nullptr) return nullptr;
  worker->starting.store(starting, std::memory_order_relaxed);
  const std::lock_guard guard(shared->idle.lock);
  const std::uint32_t index = shared->worker_count.load(std::memory_order_relaxed);
  if (index == Shared::kWorkersMax) {
    delete worker;
    return nullptr;
  }
  worker->index = index;
  shared->workers[index].store(worker, std::memory_order_release);
  // Release: pairs with those who walk the workers.
  shared->worker_count.store(index + 1, std::memory_order_release);
  return worker;
}

void run(Worker& worker, Processor& processor) {
  worker.handle = pthread_self();
  worker.cxx = context::CxxThreadState::of_this_thread();
  context::adopt_thread(worker.fiber);
  context::install_thread_signal_stack();
  worker.alive.store(true, std::memory_order_release);
  context::CxxState outside{};
  context::save(outside, worker.cxx);  // the caller of run may be handling an exception; goroutines begin with none
  context::restore(context::CxxState{}, worker.cxx);
  drive(worker, processor);
  run_worker(worker);
  context::restore(outside, worker.cxx);
  worker.alive.store(false, std::memory_order_release);
  context::remove_thread_signal_stack();
}

}  // namespace

bool start_worker(Processor& processor, bool searching) {
  Worker* const worker = register_worker(true);
  if (worker == nullptr) return false;
  worker->searching = searching;
  char name[16];
  std::snprintf(name, sizeof name, "tandem-%u", worker->index);
  try {
    worker->thread.start(name, [worker, &processor] {
      ::prctl(PR_SET_TIMERSLACK, kTimerSlackNs, 0, 0, 0);
      run(*worker, processor);
    });
  } catch (const std::exception&) {  // no thread, or no memory: those there are go on
    worker->searching = false;
    worker->starting.store(false, std::memory_order_release);
    return false;  // stays registered, never alive
  }
  worker->starting.store(false, std::memory_order_release);  // pairs with join_workers
  return true;
}

void work_on_this_thread(Processor& processor) {
  Worker* const worker = register_worker(false);
  if (worker == nullptr) throw std::bad_alloc();
  const int slack = ::prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0);
  ::prctl(PR_SET_TIMERSLACK, kTimerSlackNs, 0, 0, 0);
  run(*worker, processor);
  if (slack > 0) ::prctl(PR_SET_TIMERSLACK, static_cast<unsigned long>(slack), 0, 0, 0);
}

void join_workers() {
  // A worker may start another one until it leaves its loop: look at the count again each time, and wait for its thread.
  for (std::uint32_t i = 0; i < shared->worker_count.load(std::memory_order_acquire); ++i) {
    Worker* const worker = shared->workers[i].load(std::memory_order_acquire);
    while (worker->starting.load(std::memory_order_acquire)) ::sched_yield();
    if (worker->thread.joinable()) worker->thread.join();
  }
  for (std::uint32_t i = 0; i < shared->worker_count.load(std::memory_order_acquire); ++i)
    delete shared->workers[i].exchange(nullptr, std::memory_order_relaxed);
  shared->worker_count.store(0, std::memory_order_relaxed);
}

}  // namespace tandem::sched
