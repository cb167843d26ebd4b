// The Benchmarks Game's binary trees: one goroutine after the other's depth, and a goroutine per depth.
#include <atomic>
#include <string>

#include "bench/harness.h"
#include "bench/trees.h"

namespace bench {
namespace {

using namespace tandem;

constexpr int kDepthMin = 4;

std::int64_t build_and_count(int depth, std::int64_t trees) {
  std::int64_t nodes = 0;
  for (std::int64_t i = 0; i < trees; ++i) {
    const Local<Tree> tree = make_tree(depth);
    nodes += count_nodes(tree.raw());
  }
  expect(nodes == trees * ((std::int64_t{2} << depth) - 1), "nodes of short-lived trees");
  return nodes;
}

void binary_trees(int depth_max, bool a_goroutine_per_depth) {
  build_and_count(depth_max + 1, 1);
  const Local<Tree> long_lived = make_tree(depth_max);
  TaskGroup depths;
  for (int depth = kDepthMin; depth <= depth_max; depth += 2) {
    const std::int64_t trees = std::int64_t{1} << (depth_max - depth + kDepthMin);
    if (a_goroutine_per_depth)
      depths.go([=] { build_and_count(depth, trees); });
    else
      build_and_count(depth, trees);
  }
  depths.wait();
  expect(count_nodes(long_lived.raw()) == (std::int64_t{2} << depth_max) - 1, "nodes of the long-lived tree");
}

template <int depth_max, bool a_goroutine_per_depth>
void run(const Recorder& recorder) {
  const int depth = recorder.scaled(1000) < 500 ? depth_max - 4 : depth_max;
  recorder.whole("binary_trees/" + std::to_string(depth_max) + (a_goroutine_per_depth ? "_goroutines" : ""), depth,
                 [&] { binary_trees(depth, a_goroutine_per_depth); });
}

const Register kSequential(Case{"binary_trees/16", run<16, false>});
const Register kGoroutines(Case{"binary_trees/16_goroutines", run<16, true>});
const Register kDeep(Case{"binary_trees/18", run<18, false>});

}  // namespace
}  // namespace bench
