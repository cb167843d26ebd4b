// HyperAlloc, after the allocator of Corretto's Heapothesys: a live set of constant size, and a rate of allocation that is
// asked for, whatever the runtime makes of it. What is asked is how well it keeps up, and who waits meanwhile.
//
// Every goroutine has a table of entries. An entry refers to an array of bytes of random size (128 to 1,024); so two
// objects for each. At constant speed new entries replace those in random slots: an entry lives as long as chance will,
// on average as long as it takes to allocate the live set once. Once a millisecond a goroutine allocates what is due since
// the start; what it is behind it makes up for as fast as it can. The amount of work follows from the rate and the
// seconds, so that it is the same however long it takes. A further goroutine sleeps 1 ms at a time and notes how late it wakes.
//
// Bytes of payload are counted: 576 an entry on average. MB are 10^6 of them.
#pragma once

#include <tandem/tandem.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include "workloads/expect.h"
#include "workloads/random.h"

namespace workloads {

struct HyperAlloc {
  double rate = 1e9;   // bytes per second, of all goroutines together
  double live = 64e6;  // bytes, of all goroutines together; at least an entry for each
  double seconds = 3;  // at that rate
  int goroutines = 2;

  static constexpr std::uint64_t kBytesMin = 128, kBytesMax = 1024;
  static constexpr double kBytesMean = (kBytesMin + kBytesMax) / 2.0;
};

// A table of entries, and the random numbers that they are drawn with.
class EntryTable {
 public:
  EntryTable(std::size_t slots, std::uint64_t seed)
      : slots_(tandem::make_array<tandem::Member<Entry>>(slots)), random_(seed) {
    const tandem::Local<Slots> all = slots_;
    for (std::size_t slot = 0; slot < slots; ++slot) (*all)[slot] = make_entry();
  }

  // Returns the bytes that were allocated. Throws std::runtime_error when the entry that goes is damaged.
  std::int64_t replace_one() {
    const tandem::Local<Slots> all = slots_;
    tandem::Member<Entry>& slot = (*all)[random_.below(all->size())];
    expect_intact(*slot.raw());
    const tandem::Local<Entry> fresh = make_entry();
    slot = fresh;
    return static_cast<std::int64_t>(fresh->bytes.raw()->size());
  }

  // Of numbers and sizes of the entries. Throws std::runtime_error when an entry is damaged.
  std::uint64_t checksum() const {
    const tandem::Local<Slots> all = slots_;
    std::uint64_t sum = 0;
    for (std::size_t slot = 0; slot < all->size(); ++slot) {
      tandem::safepoint();
      const Entry& entry = *(*all)[slot].raw();
      expect_intact(entry);
      sum = sum * 31 + entry.number * 7 + entry.bytes.raw()->size();
    }
    return sum;
  }

  void trace(tandem::Visitor& visit) const { visit(slots_); }

 private:
  using Bytes = tandem::Array<std::uint8_t>;
  struct Entry {
    tandem::Member<Bytes> bytes;
    std::uint64_t number;
    void trace(tandem::Visitor& visit) const { visit(bytes); }
  };
  using Slots = tandem::Array<tandem::Member<Entry>>;

  static std::uint8_t stamp(std::uint64_t number, std::size_t size) { return static_cast<std::uint8_t>(number + size); }

  tandem::Local<Entry> make_entry() {
    const std::size_t size = HyperAlloc::kBytesMin + random_.below(HyperAlloc::kBytesMax - HyperAlloc::kBytesMin + 1);
    const tandem::Local<Bytes> bytes = tandem::make_array<std::uint8_t>(size);
    (*bytes)[0] = (*bytes)[size - 1] = stamp(++entries_made_, size);
    return tandem::make<Entry>(bytes, entries_made_);
  }

  static void expect_intact(const Entry& entry) {
    const Bytes& bytes = *entry.bytes.raw();
    const std::size_t size = bytes.size();
    expect(size >= HyperAlloc::kBytesMin && size <= HyperAlloc::kBytesMax, "size of a live entry");
    const std::uint8_t right = stamp(entry.number, size);
    expect(bytes[0] == right && bytes[size - 1] == right, "contents of a live entry");
  }

  tandem::Member<Slots> slots_;
  Random random_;
  std::uint64_t entries_made_ = 0;
};

// How late things were: `Durations` is default constructible and has record(std::uint64_t nanoseconds) and
// merge(const Durations&).
template <class Durations>
struct HyperAllocResult {
  std::int64_t allocated_bytes = 0;
  std::int64_t elapsed_ns = 0;  // until the slowest goroutine was done
  Durations replacing;  // an entry by a new one: allocation, and waiting for the processor where that comes in between
  Durations sleeper_late;
};

inline std::uint64_t nanoseconds_between(std::chrono::steady_clock::time_point a,
                                         std::chrono::steady_clock::time_point b) {
  return static_cast<std::uint64_t>(std::chrono::nanoseconds(b - a).count());
}

// Allocates `total` bytes at `bytes_per_ms`, or as late as the runtime makes it. Returns what was allocated.
template <class Durations>
std::int64_t replace_at_rate(EntryTable& table, double bytes_per_ms, double total, Durations& durations) {
  using Clock = std::chrono::steady_clock;
  auto next = Clock::now();
  std::int64_t allocated = 0;
  for (double due = bytes_per_ms; static_cast<double>(allocated) < total; due += bytes_per_ms) {
    auto last = Clock::now();
    while (static_cast<double>(allocated) < std::min(due, total)) {
      allocated += table.replace_one();
      const auto now = Clock::now();
      durations.record(nanoseconds_between(last, now));
      last = now;
    }
    next += std::chrono::milliseconds(1);
    if (next > last) tandem::sleep_until(next);
  }
  return allocated;
}

template <class Durations>
void sleep_and_note(const std::atomic<bool>& stop, Durations& late) {
  constexpr std::chrono::milliseconds kNap(1);
  while (!stop.load(std::memory_order_relaxed)) {
    const auto due = std::chrono::steady_clock::now() + kNap;
    tandem::sleep_for(kNap);
    late.record(nanoseconds_between(due, std::chrono::steady_clock::now()));
  }
}

// The constructor fills the tables, so that churn() is what is to be measured. Lives on a goroutine's stack.
class HyperAllocRun {
 public:
  explicit HyperAllocRun(const HyperAlloc& shape)
      : shape_(shape),
        tables_(tandem::make_array<tandem::Member<EntryTable>>(static_cast<std::size_t>(shape.goroutines))) {
    const double slots = shape.live / HyperAlloc::kBytesMean / shape.goroutines;
    expect(slots >= 1, "the live set has room for an entry for each goroutine");
    for (int number = 0; number < shape.goroutines; ++number)
      (*tables_)[static_cast<std::size_t>(number)] =
          tandem::make<EntryTable>(static_cast<std::size_t>(slots), seed_of(number));
  }

  // Parks the calling goroutine until everything is allocated. Throws std::runtime_error when an entry is damaged.
  template <class Durations>
  HyperAllocResult<Durations> churn() {
    HyperAllocResult<Durations> result;
    std::atomic<bool> stop{false};
    tandem::TaskGroup sleeper;
    sleeper.go([&] { sleep_and_note(stop, result.sleeper_late); });
    const auto start = std::chrono::steady_clock::now();
    churn_all(result);
    result.elapsed_ns = static_cast<std::int64_t>(nanoseconds_between(start, std::chrono::steady_clock::now()));
    stop = true;
    sleeper.wait();
    return result;
  }

  // Of all tables. Throws std::runtime_error when an entry is damaged.
  std::uint64_t checksum() const {
    std::uint64_t sum = 0;
    for (std::size_t number = 0; number < tables_->size(); ++number) sum += (*tables_)[number]->checksum();
    return sum;
  }

 private:
  template <class Durations>
  void churn_all(HyperAllocResult<Durations>& result) {
    const double rate = shape_.rate / shape_.goroutines;
    tandem::Mutex mutex;  // of result.allocated_bytes and result.replacing
    tandem::TaskGroup churners;
    for (const tandem::Local<EntryTable> table : *tables_)
      churners.go([&, table] {
        Durations durations;
        const std::int64_t allocated = replace_at_rate(*table, rate / 1000, rate * shape_.seconds, durations);
        const std::lock_guard lock(mutex);
        result.allocated_bytes += allocated;
        result.replacing.merge(durations);
      });
    churners.wait();
  }

  HyperAlloc shape_;
  tandem::Local<tandem::Array<tandem::Member<EntryTable>>> tables_;
};

}  // namespace workloads
