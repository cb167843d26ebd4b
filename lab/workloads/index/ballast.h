#pragma once
// Copies of an index, kept to make the live heap as large as an experiment wants it, with objects of the real
// shape.
#include <tandem/tandem.h>

#include <cstdint>

#include "lab/workloads/index/generation.h"

namespace lab::index {

struct Ballast {
  tandem::Member<Generation> copy;
  tandem::Member<Ballast> next;

  void trace(tandem::Visitor& visit) const {
    visit(copy);
    visit(next);
  }
};

// Copies `generation` until `live_bytes` are live in the whole heap, and returns the copies; null if that is
// so already. Collects, to measure. Throws std::runtime_error when the index is too small to get there.
tandem::Local<Ballast> make_ballast(const tandem::Local<Generation>& generation, std::uint64_t live_bytes);

}  // namespace lab::index
