#include "tandem/detail/ephemeron.h"

#include <mutex>

#include "gc/attachments.h"
#include "gc/boehm/boehm_heap.h"
#include "gc/ephemeron_pass.h"
#include "gc/planted_bugs.h"
#include "runtime/base/assert.h"
#include "tandem/detail/barrier.h"
#include "tandem/detail/indivisible.h"

namespace tandem::gc {

EphemeronPass ephemeron_pass;

bool EphemeronPass::settled(std::uint64_t marked) {
  if (!attachments.any_ephemerons()) return true;
  if (marked == marked_before_.load(std::memory_order_relaxed)) return true;
  if (planted(PlantedBug::kOneEphemeronPass) && marked_before_.load(std::memory_order_relaxed) != kNone) return true;
  marked_before_.store(marked, std::memory_order_relaxed);
  done_.store(0, std::memory_order_relaxed);
  next_.store(0, std::memory_order_release);
  return false;
}

void EphemeronPass::reset() {
  marked_before_.store(kNone, std::memory_order_relaxed);
  next_.store(Attachments::kShards, std::memory_order_relaxed);
  done_.store(Attachments::kShards, std::memory_order_relaxed);
}

bool EphemeronPass::step(ProcessorState& state) {
  if (next_.load(std::memory_order_acquire) >= Attachments::kShards) return false;
  const std::size_t shard = next_.fetch_add(1, std::memory_order_acq_rel);
  if (shard >= Attachments::kShards) return false;
  attachments.scan_ephemerons(shard, state);
  done_.fetch_add(1, std::memory_order_acq_rel);
  return true;
}

}  // namespace tandem::gc

namespace tandem::detail {

using namespace tandem::gc;

namespace {
CellRef cell_of_object(const void* object) {
  return boehm::in_use ? boehm::key_of(object) : cell_of(reinterpret_cast<std::uintptr_t>(object));
}

CellRef cell_of_key(const void* key) {
  if (key == nullptr) base::fatal("a WeakMap was given a null reference as key");
  return cell_of_object(key);
}

// As store_with_barrier(): the slot lies outside the heap, which makes no difference.
void shade_overwritten(void* old_value, void* new_value) {
  if (barrier_bits() & kBarrierOldValues) shade(old_value);
  if (barrier_bits() & kBarrierNewValues) shade(new_value);
}
}  // namespace

EphemeronTable* make_ephemeron_table(void* map) {
  const Indivisible step;
  if (!(boehm::in_use ? boehm::contains(map) : region.contains(map)))
    base::fatal("a tandem::WeakMap lies at %p, outside the managed heap: use make_weak_map", map);
  auto table = std::make_shared<EphemeronTable>(reinterpret_cast<std::uintptr_t>(map));
  EphemeronTable* const result = table.get();
  const CellRef cell = cell_of_object(map);
  const std::lock_guard guard(attachments.lock_of(cell.block));
  attachments.add_table(cell, std::move(table));
  return result;
}

bool ephemeron_store(EphemeronTable& table, void* key, void* value, bool overwrite) {
  const Indivisible step;
  if (value == nullptr) base::fatal("a WeakMap was given a null reference as value: erase the entry instead");
  const CellRef cell = cell_of_key(key);
  const std::lock_guard guard(attachments.lock_of(cell.block));
  if (Attachments::Ephemeron* entry = attachments.find_ephemeron(cell, table)) {
    if (!overwrite) return false;
    shade_overwritten(entry->value, value);
    entry->value = value;
    return false;
  }
  shade_overwritten(nullptr, value);
  attachments.add_ephemeron(cell, {table.shared_from_this(), value});
  return true;
}

void* ephemeron_find(EphemeronTable& table, const void* key) noexcept {
  const Indivisible step;
  const CellRef cell = cell_of_key(key);
  const std::lock_guard guard(attachments.lock_of(cell.block));
  const Attachments::Ephemeron* entry = attachments.find_ephemeron(cell, table);
  return entry == nullptr ? nullptr : entry->value;
}

bool ephemeron_erase(EphemeronTable& table, const void* key) noexcept {
  const Indivisible step;
  const CellRef cell = cell_of_key(key);
  const std::lock_guard guard(attachments.lock_of(cell.block));
  Attachments::Ephemeron* entry = attachments.find_ephemeron(cell, table);
  if (entry == nullptr) return false;
  shade_overwritten(entry->value, nullptr);
  attachments.erase_ephemeron(cell, *entry);
  return true;
}

std::size_t ephemeron_count(const EphemeronTable& table) noexcept {
  return table.entries.load(std::memory_order_relaxed);
}

}  // namespace tandem::detail
