#include "gc/attachments.h"

#include <mutex>
#include <utility>

#include "gc/finalizer.h"

namespace tandem::gc {

Attachments attachments;

void Attachments::begin_run() {
  for (Shard& shard : shards_) shard.cells_by_block.clear();
  handles_.store(0, std::memory_order_relaxed);
  ephemerons_.store(0, std::memory_order_relaxed);
}

Attachments::Attached* Attachments::find(CellRef cell) {
  auto& blocks = shards_[cell.block % kShards].cells_by_block;
  const auto block = blocks.find(cell.block);
  if (block == blocks.end()) return nullptr;
  const auto found = block->second.find(cell.index);
  return found == block->second.end() ? nullptr : &found->second;
}

detail::WeakHandle* Attachments::find_handle(CellRef cell, const void* object) {
  const Attached* const found = find(cell);
  if (found == nullptr) return nullptr;
  for (detail::WeakHandle* handle : found->handles)
    if (handle->target.load(std::memory_order_relaxed) == object) return handle;
  return nullptr;
}

void Attachments::add_handle(CellRef cell, detail::WeakHandle& handle) {
  attached(cell).handles.push_back(&handle);
  handles_.fetch_add(1, std::memory_order_relaxed);
}

void Attachments::add_cleanup(CellRef cell, std::unique_ptr<detail::Cleanup> cleanup) {
  const std::lock_guard guard(lock_of(cell.block));
  attached(cell).cleanups.push_back(std::move(cleanup));
}

void Attachments::add_sample(CellRef cell, HeapProfile::Bucket& bucket, std::uint64_t bytes) {
  const std::lock_guard guard(lock_of(cell.block));
  Attached& entry = attached(cell);
  entry.sampled_by = &bucket;
  entry.sampled_bytes = bytes;
}

void Attachments::add_table(CellRef map, std::shared_ptr<detail::EphemeronTable> table) {
  attached(map).tables.push_back(std::move(table));
}

Attachments::Ephemeron* Attachments::find_ephemeron(CellRef key, const detail::EphemeronTable& table) {
  Attached* const found = find(key);
  if (found == nullptr) return nullptr;
  for (Ephemeron& entry : found->ephemerons)
    if (entry.table.get() == &table) return &entry;
  return nullptr;
}

void Attachments::add_ephemeron(CellRef key, Ephemeron entry) {
  entry.table->entries.fetch_add(1, std::memory_order_relaxed);
  ephemerons_.fetch_add(1, std::memory_order_relaxed);
  attached(key).ephemerons.push_back(std::move(entry));
}

void Attachments::drop(Ephemeron& entry) {
  entry.table->entries.fetch_sub(1, std::memory_order_relaxed);
  ephemerons_.fetch_sub(1, std::memory_order_relaxed);
}

void Attachments::erase_ephemeron(CellRef key, Ephemeron& entry) {
  drop(entry);
  auto& entries = find(key)->ephemerons;
  entry = std::move(entries.back());
  entries.pop_back();
}

void Attachments::scan_ephemerons(std::size_t index, ProcessorState& state) {
  Shard& shard = shards_[index];
  const std::lock_guard guard(shard.lock);
  const auto of_dead_map = [&](Ephemeron& entry) {
    const bool dead = entry.table->dead.load(std::memory_order_acquire);
    if (dead) drop(entry);
    return dead;
  };
  for (auto& [block, cells] : shard.cells_by_block)
    for (auto& [cell, attached] : cells) {
      if (attached.ephemerons.empty()) continue;
      std::erase_if(attached.ephemerons, of_dead_map);
      if (!is_marked({block, cell})) continue;
      for (const Ephemeron& entry : attached.ephemerons)
        if (is_marked(cell_of(entry.table->map_address)))
          marker.shade(state, reinterpret_cast<std::uintptr_t>(entry.value));
    }
}

void Attachments::died(CellRef cell) {
  Attached* const found = find(cell);
  if (found == nullptr) return;
  for (detail::WeakHandle* handle : found->handles) handle->target.store(nullptr, std::memory_order_release);
  handles_.fetch_sub(found->handles.size(), std::memory_order_relaxed);
  for (auto& cleanup : found->cleanups) finalizer.add(std::move(cleanup));
  for (Ephemeron& entry : found->ephemerons) drop(entry);
  for (const auto& table : found->tables) table->dead.store(true, std::memory_order_release);
  if (found->sampled_by != nullptr)
    found->sampled_by->freed_bytes.fetch_add(found->sampled_bytes, std::memory_order_relaxed);
  auto& blocks = shards_[cell.block % kShards].cells_by_block;
  const auto block = blocks.find(cell.block);
  block->second.erase(cell.index);
  if (block->second.empty()) blocks.erase(block);
}

void Attachments::scan(std::size_t index, ProcessorState& state) {
  Shard& shard = shards_[index];
  const std::lock_guard guard(shard.lock);
  for (const auto& [block, cells] : shard.cells_by_block)
    for (const auto& [cell, attached] : cells)
      for (detail::WeakHandle* handle : attached.handles) marker.shade(state, reinterpret_cast<std::uintptr_t>(handle));
}

void Attachments::forget_handles() {
  for (Shard& shard : shards_) {
    const std::lock_guard guard(shard.lock);
    for (auto& [block, cells] : shard.cells_by_block)
      for (auto& [cell, attached] : cells)
        for (detail::WeakHandle* handle : std::exchange(attached.handles, {}))
          handle->target.store(nullptr, std::memory_order_release);
  }
  handles_.store(0, std::memory_order_relaxed);
}

void Attachments::release_all() {
  for (Shard& shard : shards_) {
    const std::lock_guard guard(shard.lock);
    for (auto& [block, cells] : std::exchange(shard.cells_by_block, {}))
      for (auto& [cell, attached] : cells)
        for (auto& cleanup : attached.cleanups) finalizer.add(std::move(cleanup));
  }
  ephemerons_.store(0, std::memory_order_relaxed);
}

}  // namespace tandem::gc
