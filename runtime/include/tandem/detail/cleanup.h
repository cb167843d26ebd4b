#pragma once
// A function to be called after an object is gone, with its type erased. Lies in unmanaged memory.

#include <memory>
#include <utility>

namespace tandem::detail {

class Cleanup {
 public:
  virtual ~Cleanup() = default;
  virtual void run() = 0;
};

template <class F>
class CleanupOf final : public Cleanup {
 public:
  template <class G>
  explicit CleanupOf(G&& function) : function_(std::forward<G>(function)) {}
  void run() override { std::move(function_)(); }

 private:
  F function_;
};

/// `object` is not null, and the caller keeps it reachable. On a goroutine only.
void add_cleanup(void* object, std::unique_ptr<Cleanup> cleanup);

}  // namespace tandem::detail
