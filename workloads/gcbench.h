// GCBench (Ellis, Kovac, Boehm) and its form for several threads, MT_GCBench: a tree that stretches the heap is built
// and dropped; a tree and an array stay to the end; meanwhile every goroutine builds and drops trees of every other
// depth, half of them top down (a node's children are stored into it when it is there already), half bottom up.
#pragma once

#include <tandem/tandem.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "workloads/expect.h"

namespace workloads {

struct GcNode {
  tandem::Member<GcNode> left;
  tandem::Member<GcNode> right;
  std::int64_t i = 0;
  std::int64_t j = 0;
  void trace(tandem::Visitor& visit) const {
    visit(left);
    visit(right);
  }
};

struct GcBench {
  int stretch =
      18;  // depth of the tree that stretches the heap, and what goroutines build of each depth: 4 * 2^it nodes
  int long_lived = 16;  // depth of the tree that stays, and of the deepest of the others; the shallowest have 4
  int goroutines = 1;   // that build trees, each all of them

  static constexpr int kDepthMin = 4;
  static constexpr std::size_t kArraySize = 500'000;
};

inline std::int64_t nodes_of(int depth) { return (std::int64_t{2} << depth) - 1; }

inline void populate(int depth, const tandem::Local<GcNode>& node) {
  if (depth <= 0) return;
  node->left = tandem::make<GcNode>();
  node->right = tandem::make<GcNode>();
  populate(depth - 1, node->left);
  populate(depth - 1, node->right);
}

inline tandem::Local<GcNode> make_bottom_up(int depth) {
  if (depth <= 0) return tandem::make<GcNode>();
  const tandem::Local<GcNode> left = make_bottom_up(depth - 1);
  const tandem::Local<GcNode> right = make_bottom_up(depth - 1);
  return tandem::make<GcNode>(left, right);
}

// Plain pointers: the caller holds the root. Nothing here allocates, hence the poll.
inline std::int64_t count_nodes(const GcNode* node) {
  tandem::safepoint();
  const GcNode* const left = node->left.raw();
  return left == nullptr ? 1 : 1 + count_nodes(left) + count_nodes(node->right.raw());
}

// The last tree of either kind is counted. Returns the number of nodes built.
inline std::int64_t build_trees_of(int depth, std::int64_t trees) {
  tandem::Local<GcNode> root;
  for (std::int64_t i = 0; i < trees; ++i) {
    root = tandem::make<GcNode>();
    populate(depth, root);
  }
  expect(count_nodes(root.raw()) == nodes_of(depth), "nodes of a tree built top down");
  for (std::int64_t i = 0; i < trees; ++i) {
    root = nullptr;
    root = make_bottom_up(depth);
  }
  expect(count_nodes(root.raw()) == nodes_of(depth), "nodes of a tree built bottom up");
  return 2 * trees * nodes_of(depth);
}

inline std::int64_t build_trees(const GcBench& shape) {
  std::int64_t nodes = 0;
  for (int depth = GcBench::kDepthMin; depth <= shape.long_lived; depth += 2)
    nodes += build_trees_of(depth, 2 * nodes_of(shape.stretch) / nodes_of(depth));
  return nodes;
}

inline tandem::Local<tandem::Array<double>> make_reciprocals() {
  const tandem::Local<tandem::Array<double>> array = tandem::make_array<double>(GcBench::kArraySize);
  for (std::size_t i = 0; i < GcBench::kArraySize; ++i) (*array)[i] = 1 / static_cast<double>(i + 1);
  return array;
}

// Runs it, the goroutines as children of the calling one, which parks. Returns the number of nodes that were built, those
// of the long-lived tree among them. Throws std::runtime_error when a tree or the array is not as it was built.
inline std::int64_t gcbench(const GcBench& shape) {
  expect(count_nodes(make_bottom_up(shape.stretch).raw()) == nodes_of(shape.stretch), "nodes of the stretch tree");
  const tandem::Local<GcNode> kept = tandem::make<GcNode>();
  populate(shape.long_lived, kept);
  const tandem::Local<tandem::Array<double>> array = make_reciprocals();
  std::atomic<std::int64_t> nodes = nodes_of(shape.stretch) + nodes_of(shape.long_lived);
  tandem::TaskGroup builders;
  for (int i = 1; i < shape.goroutines; ++i) builders.go([&] { nodes += build_trees(shape); });
  nodes += build_trees(shape);
  builders.wait();
  expect(count_nodes(kept.raw()) == nodes_of(shape.long_lived), "nodes of the long-lived tree");
  for (std::size_t i = 0; i < GcBench::kArraySize; ++i)
    expect((*array)[i] == 1 / static_cast<double>(i + 1), "the long-lived array");
  return nodes;
}

}  // namespace workloads
