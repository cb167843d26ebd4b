#include "bench/heap_shapes.h"

#include <cstddef>

#include "bench/harness.h"

namespace bench {
namespace {

using namespace tandem;

constexpr std::int64_t kMeanNodeBytes = 48;

Local<Node> make_node(Random& random, std::size_t number) {
  Local<Node> node;
  switch (random.below(3)) {
    case 0: node = make<Node>(); break;
    case 1: node = make<Node48>(); break;
    default: node = make<Node64>(); break;
  }
  node->data[0] = number;
  return node;
}

Local<Nodes> make_nodes(Random& random, std::size_t count) {
  const Local<Nodes> nodes = make_array<Member<Node>>(count);
  for (std::size_t i = 0; i < count; ++i) (*nodes)[i] = make_node(random, i);
  return nodes;
}

void shuffle(Nodes& nodes, Random& random) {
  for (std::size_t i = nodes.size() - 1; i > 0; --i) {
    const std::size_t other = random.below(i + 1);
    const Local<Node> kept = nodes[i];
    nodes[i] = nodes[other];
    nodes[other] = kept;
    safepoint();
  }
}

Random shape_random() { return Random(2654435761u + 88172645463325252u); }

}  // namespace

LiveHeap make_shuffled_heap(std::int64_t bytes) {
  const auto count = static_cast<std::size_t>(bytes / kMeanNodeBytes);
  Random random = shape_random();
  const Local<Nodes> nodes = make_nodes(random, count);
  shuffle(*nodes, random);
  for (std::size_t i = 0; i < count; ++i) {
    const Local<Node> node = (*nodes)[i];
    if (2 * i + 1 < count) node->left = (*nodes)[2 * i + 1];
    if (2 * i + 2 < count) node->right = (*nodes)[2 * i + 2];
    safepoint();
  }
  return {(*nodes)[0].get(), nullptr, static_cast<std::int64_t>(count)};
}

LiveHeap make_orderly_heap(std::int64_t bytes) {
  const auto count = static_cast<std::size_t>(bytes / kMeanNodeBytes);
  Random random = shape_random();
  return {nullptr, make_nodes(random, count), static_cast<std::int64_t>(count)};
}

}  // namespace bench
