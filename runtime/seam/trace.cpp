#include "runtime/seam/trace.h"

#include <algorithm>
#include <mutex>
#include <new>
#include <typeinfo>

#include "runtime/base/os_memory.h"
#include "runtime/seam/registry.h"

namespace tandem::seam {

TraceRing::TraceRing(std::size_t bytes) {
  const std::size_t page = base::page_bytes();
  bytes_ = (std::max(bytes, page) + page - 1) / page * page;
  capacity_ = bytes_ / sizeof(Slot);
  std::byte* const memory = base::reserve(bytes_, page, base::Access::read_write);
  if (memory == nullptr) throw std::bad_alloc();
  slots_ = reinterpret_cast<Slot*>(memory);
}

TraceRing::~TraceRing() { base::release(reinterpret_cast<std::byte*>(slots_), bytes_); }

void TraceRing::add_at(std::uint64_t time_ns, TraceKind kind, std::uint64_t goroutine, std::uint64_t argument) {
  const std::uint64_t number = count_.load(std::memory_order_relaxed);
  Slot& slot = this->slot(number);
  // Release, every word: after the count of the record before (T4).
  slot.time_ns.store(time_ns, std::memory_order_release);
  slot.kind.store(static_cast<std::uint64_t>(kind), std::memory_order_release);
  slot.goroutine.store(goroutine, std::memory_order_release);
  slot.argument.store(argument, std::memory_order_release);
  count_.store(number + 1, std::memory_order_release);
}

TraceRing::Copy TraceRing::copy() const {
  const std::uint64_t end = count_.load(std::memory_order_acquire);
  const std::uint64_t begin = end > capacity_ ? end - capacity_ : 0;
  Copy copy;
  copy.records.reserve(end - begin);
  for (std::uint64_t number = begin; number < end; ++number) {
    const Slot& from = slot(number);
    copy.records.push_back({from.time_ns.load(std::memory_order_acquire),
                            static_cast<TraceKind>(from.kind.load(std::memory_order_acquire)),
                            from.goroutine.load(std::memory_order_acquire),
                            from.argument.load(std::memory_order_acquire)});
  }
  // The record `now` may have been half written while we looked: it lies where record now - capacity_ did (T4).
  const std::uint64_t now = count_.load(std::memory_order_relaxed);
  const std::uint64_t intact = now >= capacity_ ? now - capacity_ + 1 : 0;
  copy.overwritten = std::min(std::max(begin, intact), end);
  copy.records.erase(copy.records.begin(),
                     copy.records.begin() + static_cast<std::ptrdiff_t>(copy.overwritten - begin));
  return copy;
}

Trace::Trace(std::uint32_t processors, std::size_t ring_bytes) : began_ns_(base::real_now_ns()), outside_(ring_bytes) {
  for (std::uint32_t i = 0; i < processors; ++i) rings_.push_back(std::make_unique<TraceRing>(ring_bytes));
}

void Trace::add_outside(TraceKind kind, std::uint64_t goroutine, std::uint64_t argument) {
  const std::lock_guard guard(outside_lock_);
  outside_.add(kind, goroutine, argument);
}

const char* Trace::intern(std::string_view name) {
  const std::lock_guard guard(names_lock_);
  if (const auto known = names_.find(name); known != names_.end()) return known->c_str();
  return names_.size() < kNamesMax ? names_.emplace(name).first->c_str() : nullptr;
}

void trace_outside(TraceKind kind, std::uint64_t goroutine, std::uint64_t argument) {
  if (registry.trace != nullptr) [[unlikely]]
    registry.trace->add_outside(kind, goroutine, argument);
}

std::uint64_t trace_label(const Goroutine& goroutine) {
  const char* name = goroutine.flags & kFirstGoroutine ? "main" : goroutine.name;
  if (name != nullptr) name = registry.trace->intern(name);
  if (name != nullptr) return reinterpret_cast<std::uint64_t>(name) | kTraceName;
  const std::type_info* const type = goroutine.closure_operations->type;
  return type != nullptr ? reinterpret_cast<std::uint64_t>(type->name()) : 0;
}

void trace_create(Processor* here, const Goroutine& goroutine) {
  if (registry.trace == nullptr) return;
  const std::uint64_t label = trace_label(goroutine);
  if (here != nullptr)
    trace(*here, TraceKind::kCreate, goroutine.id, label);
  else
    trace_outside(TraceKind::kCreate, goroutine.id, label);
}

}  // namespace tandem::seam
