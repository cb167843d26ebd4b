// Quads: quadtrees that are turned and rebuilt at random places. There are several benchmarks of about this name;
// this one is:
//   Every goroutine owns a complete quadtree. A leaf has a random value, a node has four children and the sum of the
//   values below it. A round is
//     - `turns` walks from the root to a random leaf, each of which moves the children of every node it passes by one
//       place: four stores of references into old objects, 4 * depth a walk, which change what hangs where but no sum;
//     - one rebuilding: at a random depth (each equally likely, never the root) a random sub-tree is replaced by a new
//       one of the same height, built bottom up, and the sums above it are corrected.
// So allocation comes in bursts of 1 to a quarter of the tree, everything allocated survives until the round that
// replaces it or something above it, and the stores hit objects of any age all over the heap.
#pragma once

#include <tandem/tandem.h>

#include <atomic>
#include <cstdint>

#include "workloads/expect.h"
#include "workloads/random.h"

namespace workloads {

struct Quads {
  int depth = 9;       // of each tree: 4^depth leaves
  int goroutines = 4;  // and trees
  int rounds = 300;    // of each goroutine
  int turns = 200;     // walks in a round
};

struct QuadsResult {
  std::int64_t nodes = 0;      // that were built
  std::uint64_t checksum = 0;  // of all trees at the end: values and order of their leaves
};

struct Quad {
  tandem::Member<Quad> child[4];
  std::int64_t sum = 0;  // of the leaves below; a leaf's own value

  explicit Quad(std::int64_t value) : sum(value) {}
  Quad(const tandem::Local<Quad>& a, const tandem::Local<Quad>& b, const tandem::Local<Quad>& c,
       const tandem::Local<Quad>& d)
      : child{a, b, c, d}, sum(a->sum + b->sum + c->sum + d->sum) {}

  void trace(tandem::Visitor& visit) const {
    for (const auto& quarter : child) visit(quarter);
  }
};

// One goroutine's tree. Lives on its stack.
class QuadTree {
 public:
  QuadTree(int depth, std::uint64_t seed) : depth_(depth), random_(seed), root_(make_quad(depth)) {}

  void play(int rounds, int turns) {
    for (int round = 0; round < rounds; ++round) {
      for (int walk = 0; walk < turns; ++walk) turn_path();
      const int level = 1 + static_cast<int>(random_.below(static_cast<std::uint64_t>(depth_)));
      rebuild_below(root_, depth_, level);
    }
  }

  // Throws std::runtime_error when a sum is wrong or the tree is not complete.
  QuadsResult result() const { return {built_, checked_hash(root_.raw(), depth_)}; }

 private:
  tandem::Local<Quad> make_quad(int height) {
    ++built_;
    if (height == 0) return tandem::make<Quad>(static_cast<std::int64_t>(random_.below(1000)));
    const tandem::Local<Quad> a = make_quad(height - 1);
    const tandem::Local<Quad> b = make_quad(height - 1);
    const tandem::Local<Quad> c = make_quad(height - 1);
    const tandem::Local<Quad> d = make_quad(height - 1);
    return tandem::make<Quad>(a, b, c, d);
  }

  void turn_path() {
    tandem::safepoint();  // nothing here allocates
    tandem::Local<Quad> at = root_;
    for (int height = depth_; height > 0; --height) {
      const tandem::Local<Quad> first = at->child[0];
      for (int i = 0; i < 3; ++i) at->child[i] = at->child[i + 1];
      at->child[3] = first;
      at = at->child[random_.below(4)];
    }
  }

  // Replaces the sub-tree `level` steps below `quad` on a random way; returns by how much the sum has grown.
  std::int64_t rebuild_below(const tandem::Local<Quad>& quad, int height, int level) {
    const std::uint64_t way = random_.below(4);
    std::int64_t growth;
    if (level > 1) {
      growth = rebuild_below(quad->child[way], height - 1, level - 1);
    } else {
      const tandem::Local<Quad> fresh = make_quad(height - 1);
      growth = fresh->sum - quad->child[way]->sum;
      quad->child[way] = fresh;
    }
    quad->sum += growth;
    return growth;
  }

  // Plain pointers: the root is held.
  static std::uint64_t checked_hash(const Quad* quad, int height) {
    tandem::safepoint();
    std::uint64_t hash = 7;
    std::int64_t sum = 0;
    for (const auto& child : quad->child) {
      expect((child.raw() != nullptr) == (height > 0), "a quadtree is not complete");
      if (height == 0) continue;
      hash = hash * 31 + checked_hash(child.raw(), height - 1);
      sum += child.raw()->sum;
    }
    if (height == 0) return static_cast<std::uint64_t>(quad->sum);
    expect(sum == quad->sum, "sum of a quadtree's node");
    return hash;
  }

  int depth_;
  Random random_;
  std::int64_t built_ = 0;
  tandem::Local<Quad> root_;
};

// Runs it, the goroutines as children of the calling one, which parks. Throws std::runtime_error when a tree is damaged.
inline QuadsResult quads(const Quads& shape) {
  std::atomic<std::int64_t> nodes{0};
  std::atomic<std::uint64_t> checksum{0};
  tandem::TaskGroup owners;
  for (int number = 0; number < shape.goroutines; ++number)
    owners.go([&, number] {
      QuadTree tree(shape.depth, seed_of(number));
      tree.play(shape.rounds, shape.turns);
      const QuadsResult result = tree.result();
      nodes += result.nodes;
      checksum += result.checksum;
    });
  owners.wait();
  return {nodes, checksum};
}

}  // namespace workloads
