// write_heap_profile().
#include <tandem/statistics.h>

#include <stdexcept>

#include "gc/heap_profile.h"
#include "runtime/boot/active_run.h"
#include "runtime/boot/pprof.h"
#include "runtime/boot/write_file.h"

namespace tandem {

namespace {

std::vector<gc::HeapProfile::Entry> entries_of_the_run() {
  const std::lock_guard guard(boot::active_run.lock);
  if (boot::active_run.options == nullptr)
    throw std::logic_error("tandem::write_heap_profile: nothing runs; call it inside tandem::run");
  if (boot::active_run.options->collector == Options::Collector::boehm)
    throw std::logic_error("tandem::write_heap_profile: collector = boehm is not sampled");
  return gc::heap_profile.entries();
}

std::string encoded_profile() {
  boot::PprofProfile profile(
      {{"alloc_objects", "count"}, {"alloc_space", "bytes"}, {"inuse_objects", "count"}, {"inuse_space", "bytes"}},
      {"space", "bytes"}, static_cast<std::int64_t>(gc::heap_profile.rate()));
  for (gc::HeapProfile::Entry& entry : entries_of_the_run()) {
    // Return addresses: the call is the instruction before.
    for (std::uintptr_t& address : entry.stack) --address;
    const auto objects = [&](std::uint64_t bytes) {
      return static_cast<std::int64_t>((bytes + entry.object_bytes / 2) / entry.object_bytes);
    };
    profile.add_sample(entry.stack,
                       {objects(entry.allocated_bytes), static_cast<std::int64_t>(entry.allocated_bytes),
                        objects(entry.live_bytes), static_cast<std::int64_t>(entry.live_bytes)},
                       static_cast<std::int64_t>(entry.object_bytes));
  }
  return profile.encode();
}

}  // namespace

void write_heap_profile(const std::filesystem::path& path) {
  boot::write_file(path, encoded_profile(), "tandem::write_heap_profile");
}

}  // namespace tandem
