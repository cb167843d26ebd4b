// Allocation of objects that are all references: as garbage on an empty heap, and beside a live one, where
// the collector's cost per object counts.
#include <algorithm>
#include <array>
#include <string>

#include "bench/harness.h"
#include "bench/heap_shapes.h"

namespace bench {
namespace {

using namespace tandem;

struct Keeper;
template <int words>
struct References {
  std::array<Member<Keeper>, words> slots;
  void trace(Visitor& visit) const { visit(slots); }
};
// Where the newest object hangs, so that no compiler drops the allocation.
template <int words>
struct Slot {
  Member<References<words>> newest;
  void trace(Visitor& visit) const { visit(newest); }
};

template <int bytes>
void allocate(std::int64_t n) {
  constexpr int kWords = bytes / 8;
  const Local<Slot<kWords>> slot = make<Slot<kWords>>();
  for (std::int64_t i = 0; i < n; ++i) slot->newest = make<References<kWords>>();
}

template <int bytes>
constexpr std::int64_t kCount = std::min<std::int64_t>((1 << 29) / bytes, 8'000'000);

void beside_live_heap(const Recorder& recorder) {
  const LiveHeap live = make_shuffled_heap(recorder.scaled(256 << 20, 1 << 20));
  collect();
  const std::int64_t n = recorder.scaled(8'000'000);
  recorder.per_operation("allocate_live/32", n, [&] { allocate<32>(n); });
  recorder.per_operation("allocate_live/64", n, [&] { allocate<64>(n); });
  expect(live.root->data[0] < static_cast<std::uint64_t>(live.objects), "the live heap's root");
}

const Register k16(Micro{"allocate/16", kCount<16>, allocate<16>});
const Register k32(Micro{"allocate/32", kCount<32>, allocate<32>});
const Register k64(Micro{"allocate/64", kCount<64>, allocate<64>});
const Register k256(Micro{"allocate/256", kCount<256>, allocate<256>});
const Register kLive(Case{"allocate_live", beside_live_heap});

}  // namespace
}  // namespace bench
