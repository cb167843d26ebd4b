// Binary trees, built bottom up, as in the Benchmarks Game.
#pragma once

#include <tandem/tandem.h>

#include <cstdint>

namespace bench {

struct Tree {
  tandem::Member<Tree> left;
  tandem::Member<Tree> right;
  void trace(tandem::Visitor& visit) const {
    visit(left);
    visit(right);
  }
};

inline tandem::Local<Tree> make_tree(int depth) {
  if (depth <= 0) return tandem::make<Tree>();
  const tandem::Local<Tree> left = make_tree(depth - 1);
  const tandem::Local<Tree> right = make_tree(depth - 1);
  return tandem::make<Tree>(left, right);
}

// Plain pointers: the caller holds the root.
inline std::int64_t count_nodes(const Tree* tree) {
  const Tree* const left = tree->left.raw();
  return left == nullptr ? 1 : 1 + count_nodes(left) + count_nodes(tree->right.raw());
}

}  // namespace bench
