#pragma once
// The one thread that bdwgc knows. It initialises it and runs every collection, on a stack of ordinary size; no other thread is
// registered, so bdwgc has nobody to stop by signals and no stack to scan. It stays until the process ends, for bdwgc would go
// on to count on it.

#include <condition_variable>
#include <functional>
#include <mutex>

namespace tandem::gc::boehm {

class CollectorThread {
 public:
  /// Runs the task on the thread, which is started by the first call, and waits for its end. One caller at a time.
  void run(std::function<void()> task);

 private:
  void loop();

  std::mutex lock_;
  std::condition_variable changed_;
  bool started_ = false;  // guarded by lock_, as the rest
  bool busy_ = false;
  std::function<void()> task_;
};

}  // namespace tandem::gc::boehm
