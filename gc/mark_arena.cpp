#include "gc/mark_arena.h"

#include <sched.h>

#include <algorithm>

namespace tandem::gc {

// No slot is kept for a thread of ours: we only enqueue.
MarkArena::MarkArena(std::size_t threads)
    : MarkExecutor(threads), arena_(static_cast<int>(threads), 0), taken_(threads) {
  arena_.initialize();
}

MarkArena::~MarkArena() { halt(); }

// Sequentially consistent, as in offer(): either it sees that we have halted, or we see its task.
void MarkArena::halt() {
  halted_.store(true, std::memory_order_seq_cst);
  while (tasks_.load(std::memory_order_seq_cst) != 0) ::sched_yield();  // for a quantum at most
}

// As many tasks as there are packets and threads. One that is about to end may have looked for packets too early to see this
// one: then a worker, which has collector work as long as nobody marks, offers it again (Cycle::mark).
void MarkArena::offer(std::size_t packets) {
  std::size_t tasks = tasks_.load(std::memory_order_seq_cst);
  for (packets = std::min(packets, threads()); packets != 0 && tasks < threads(); --packets) {
    if (!tasks_.compare_exchange_strong(tasks, tasks + 1, std::memory_order_seq_cst)) {
      ++packets;
      continue;
    }
    if (halted_.load(std::memory_order_seq_cst)) {
      tasks_.fetch_sub(1, std::memory_order_release);
      return;
    }
    arena_.enqueue([this] { run(); });
    ++tasks;
  }
}

void MarkArena::run() {
  std::size_t place = 0;  // there are as many as tasks, so one is free
  while (taken_[place].exchange(true, std::memory_order_acquire)) place = (place + 1) % threads();
  while (mark(place)) {
  }
  taken_[place].store(false, std::memory_order_release);
  tasks_.fetch_sub(1, std::memory_order_release);
}

}  // namespace tandem::gc
