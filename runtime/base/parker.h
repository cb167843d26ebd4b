// One thread waits, others wake it: a token that is either there or not.
//
// unpark leaves the token (at most one, however often it is called); park takes it, waiting until there is
// one. So an unpark that comes before the park is not lost. Only one thread, the owner, may park; any may
// unpark. A park may not return without a token; park_for returns false if none came in time.
//
// What the unparker did before unpark is visible after the park that takes that token: unpark's exchange is a
// release, the owner's exchange that takes it an acquire, on the same word. The word has one modification
// order, which is why no wake-up is lost: either unpark's exchange comes before the owner announces that it
// sleeps, whose CAS then fails and finds the token; or it comes after, sees the announcement and calls the
// kernel, which compares the word again under its lock before it lets the owner sleep.
#pragma once

#include <atomic>
#include <cstdint>

namespace tandem::base {

class Parker {
 public:
  Parker() noexcept = default;
  Parker(const Parker&) = delete;
  Parker& operator=(const Parker&) = delete;

  // Owner only.
  void park() noexcept;
  // Owner only. True: a token was taken. False: timeout_ns passed, by CLOCK_MONOTONIC, without one.
  bool park_for(std::uint64_t timeout_ns) noexcept;
  // Any thread. Must not be called once the owner may have destroyed the parker.
  void unpark() noexcept;

 private:
  enum State : std::uint32_t { kEmpty, kToken, kParked };

  bool announce_or_take() noexcept;

  std::atomic<std::uint32_t> state_{kEmpty};
};

}  // namespace tandem::base
