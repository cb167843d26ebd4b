#include "gc/pattern.h"

#include <array>
#include <atomic>
#include <mutex>

#include "runtime/base/assert.h"

namespace tandem::gc {

namespace {

struct PatternTable {
  std::mutex lock;
  std::uint32_t count = detail::kLeafPattern + 1;  // guarded by lock
  std::array<std::atomic<const Pattern*>, detail::kMaxPatterns> patterns{};
};

// Patterns outlive every run: the layout numbers are kept in static variables of the user's types.
PatternTable& table() {
  static PatternTable* const instance = [] {
    auto* t = new PatternTable;
    t->patterns[detail::kLeafPattern].store(new Pattern, std::memory_order_release);
    return t;
  }();
  return *instance;
}

Pattern build(const detail::PatternDescription& description) {
  Pattern pattern;
  pattern.offsets.assign(description.offsets, description.offsets + description.offset_count);
  for (std::uint32_t offset : pattern.offsets) {
    TANDEM_CHECK(offset % 8 == 0, "a Member is not aligned to 8 bytes (a packed struct?)");
    if (offset / 8 < 64)
      pattern.bitmap |= std::uint64_t{1} << (offset / 8);
    else
      pattern.bitmap_complete = false;
  }
  pattern.first = description.first;
  pattern.stride = description.stride;
  pattern.destroy = description.destroy;
  return pattern;
}

bool equal(const Pattern& a, const Pattern& b) {
  // The stride of a leaf does not matter to the marker, but its destructor does.
  return a.offsets == b.offsets && a.destroy == b.destroy && (a.leaf() || (a.first == b.first && a.stride == b.stride));
}

}  // namespace

const Pattern& pattern_at(detail::PatternNumber number) {
  return *table().patterns[number].load(std::memory_order_acquire);
}

}  // namespace tandem::gc

namespace tandem::detail {

PatternNumber register_pattern(const PatternDescription& description) {
  using namespace tandem::gc;
  const Pattern wanted = build(description);
  PatternTable& t = table();
  const std::lock_guard guard(t.lock);
  for (std::uint32_t number = kLeafPattern; number < t.count; ++number)
    if (equal(*t.patterns[number].load(std::memory_order_relaxed), wanted)) return number;
  if (t.count == kMaxPatterns) base::fatal("more than %u pointer patterns of managed types", kMaxPatterns - 1);
  t.patterns[t.count].store(new Pattern(wanted), std::memory_order_release);
  return t.count++;
}

}  // namespace tandem::detail
