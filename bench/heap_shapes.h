// Large live heaps for the collector's benchmarks.
#pragma once

#include <tandem/tandem.h>

#include <cstdint>

namespace bench {

// Two references, then data: 32 bytes here, 48 and 64 in the derived types.
struct Node {
  tandem::Member<Node> left;
  tandem::Member<Node> right;
  std::uint64_t data[2];
  void trace(tandem::Visitor& visit) const {
    visit(left);
    visit(right);
  }
};
struct Node48 : Node {
  std::uint64_t more[2];
  void trace(tandem::Visitor& visit) const { Node::trace(visit); }
};
struct Node64 : Node {
  std::uint64_t more[4];
  void trace(tandem::Visitor& visit) const { Node::trace(visit); }
};
using Nodes = tandem::Array<tandem::Member<Node>>;

struct LiveHeap {
  tandem::Local<Node> root;    // of a shuffled heap
  tandem::Local<Nodes> array;  // of an orderly one
  std::int64_t objects = 0;
};

// About `bytes` of nodes, a third of each size, as a complete binary tree over a random permutation of them:
// neighbours in the tree lie anywhere in memory.
LiveHeap make_shuffled_heap(std::int64_t bytes);
// The same nodes without links, in an array in the order of their addresses.
LiveHeap make_orderly_heap(std::int64_t bytes);

}  // namespace bench
