// GCBench (Ellis, Kovac, Boehm): trees built top down and bottom up beside a long-lived tree and array.
#include "bench/harness.h"

namespace bench {
namespace {

using namespace tandem;

struct GcNode {
  Member<GcNode> left;
  Member<GcNode> right;
  std::int64_t i = 0;
  std::int64_t j = 0;
  void trace(Visitor& visit) const {
    visit(left);
    visit(right);
  }
};

// Top down: stores into nodes that are there already.
void populate(int depth, const Local<GcNode>& node) {
  if (depth <= 0) return;
  node->left = make<GcNode>();
  node->right = make<GcNode>();
  populate(depth - 1, node->left);
  populate(depth - 1, node->right);
}

Local<GcNode> make_bottom_up(int depth) {
  if (depth <= 0) return make<GcNode>();
  const Local<GcNode> left = make_bottom_up(depth - 1);
  const Local<GcNode> right = make_bottom_up(depth - 1);
  return make<GcNode>(left, right);
}

std::int64_t nodes_of(int depth) { return (std::int64_t{2} << depth) - 1; }

void gcbench_of(int stretch, int long_lived) {
  constexpr int kDepthMin = 4;
  constexpr std::size_t kArraySize = 500'000;
  make_bottom_up(stretch);
  const Local<GcNode> kept = make<GcNode>();
  populate(long_lived, kept);
  const Local<Array<double>> array = make_array<double>(kArraySize);
  for (std::size_t i = 0; i < kArraySize; ++i) (*array)[i] = 1 / static_cast<double>(i + 1);
  for (int depth = kDepthMin; depth <= long_lived; depth += 2) {
    const std::int64_t times = 2 * nodes_of(stretch) / nodes_of(depth);
    for (std::int64_t i = 0; i < times; ++i) {
      const Local<GcNode> root = make<GcNode>();
      populate(depth, root);
    }
    for (std::int64_t i = 0; i < times; ++i) make_bottom_up(depth);
  }
  expect(kept->left && (*array)[1000] == 1.0 / 1001, "long-lived data");
}

void gcbench(const Recorder& recorder) {
  const int less = recorder.scaled(1000) < 500 ? 4 : 0;
  recorder.whole("gcbench", 18 - less, [&] { gcbench_of(18 - less, 16 - less); });
}

const Register kGcBench(Case{"gcbench", gcbench});

}  // namespace
}  // namespace bench
