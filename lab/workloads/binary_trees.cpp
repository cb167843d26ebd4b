#include "lab/workloads/binary_trees.h"

#include <tandem/tandem.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <stdexcept>

#include "lab/workloads/measured.h"

namespace lab {
namespace {

using tandem::Channel;
using tandem::Local;
using tandem::Member;

constexpr int kDepthMin = 4;

struct Tree {
  Member<Tree> left;
  Member<Tree> right;
  void trace(tandem::Visitor& visit) const {
    visit(left);
    visit(right);
  }
};

Local<Tree> make_tree(int depth) {
  if (depth == 0) return tandem::make<Tree>();
  Local<Tree> left = make_tree(depth - 1);
  Local<Tree> right = make_tree(depth - 1);
  return tandem::make<Tree>(left, right);
}

// The plain pointers are good because the caller holds the root. Nothing here allocates, hence the poll.
std::int64_t count_nodes(const Tree* tree) {
  tandem::safepoint();
  const Tree* left = tree->left.raw();
  return left == nullptr ? 1 : 1 + count_nodes(left) + count_nodes(tree->right.raw());
}

constexpr std::int64_t nodes_of_depth(int depth) { return (std::int64_t{1} << (depth + 1)) - 1; }

void check_nodes(const char* what, int depth, std::int64_t trees, std::int64_t nodes) {
  const std::int64_t expected = trees * nodes_of_depth(depth);
  if (nodes == expected) return;
  throw std::runtime_error(fmt::format("wrong result: {} trees ({}) of depth {} have {} nodes; counted {}", trees, what,
                                       depth, expected, nodes));
}

struct DepthResult {
  int depth;
  std::int64_t trees;
  std::int64_t nodes;
};

DepthResult build_and_drop(int depth, std::int64_t trees) {
  std::int64_t nodes = 0;
  for (std::int64_t i = 0; i < trees; ++i) {
    Local<Tree> tree = make_tree(depth);
    nodes += count_nodes(&*tree);
  }
  return {depth, trees, nodes};
}

// Returns the number of nodes that were built.
std::int64_t binary_trees(int depth_max, const ParentPipe* progress) {
  {
    Local<Tree> stretch = make_tree(depth_max + 1);
    check_nodes("stretch", depth_max + 1, 1, count_nodes(&*stretch));
  }
  Local<Tree> long_lived = make_tree(depth_max);
  Local<Channel<DepthResult>> results = tandem::make_channel<DepthResult>();
  int goroutines = 0;
  for (int depth = kDepthMin; depth <= depth_max; depth += 2, ++goroutines) {
    const std::int64_t trees = std::int64_t{1} << (depth_max - depth + kDepthMin);
    tandem::go([=] { results->send(build_and_drop(depth, trees)); });
  }
  std::int64_t nodes = nodes_of_depth(depth_max + 1) + nodes_of_depth(depth_max);
  for (int done = 0; done < goroutines; ++done) {
    const auto result = results->receive();
    check_nodes("short-lived", result->depth, result->trees, result->nodes);
    nodes += result->nodes;
    if (progress != nullptr) progress->progress(fmt::format("{} of {} depths", done + 1, goroutines));
  }
  check_nodes("long-lived", depth_max, 1, count_nodes(&*long_lived));
  return nodes;
}

}  // namespace

nlohmann::json run_binary_trees(const RunRequest& request, const ParentPipe& parent) {
  // Depths below are those of the Benchmarks Game's program, which has at least six levels.
  const int depth_max = std::max(kDepthMin + 2, request.binary_trees.depth);
  std::int64_t nodes = 0;
  nlohmann::json metrics =
      measured(request, [&] { nodes = binary_trees(depth_max, request.progress ? &parent : nullptr); });
  metrics["nodes"] = nodes;
  return {{"metrics", metrics},
          {"input_text", fmt::format("trees of depth {} to {}, {} nodes in all", kDepthMin, depth_max, nodes)},
          {"input", {{"depth_min", kDepthMin}, {"depth_max", depth_max}}}};
}

}  // namespace lab
