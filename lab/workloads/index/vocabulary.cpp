#include "lab/workloads/index/vocabulary.h"

#include <algorithm>
#include <cstdint>

namespace lab::index {
namespace {

constexpr std::uint64_t kTermsMax = 4096;

}  // namespace

tandem::Local<Vocabulary> choose_vocabulary(const Generation& generation) {
  // Systematic sampling: the postings of all terms are laid end to end, and every `step`-th of them chooses
  // its term.
  const std::uint64_t postings = generation.totals().postings;
  const std::uint64_t size = std::min(postings, kTermsMax);
  auto vocabulary = tandem::make_array<tandem::Member<tandem::String>>(size);
  std::uint64_t chosen = 0;
  std::uint64_t passed = 0;
  generation.for_each([&](const auto& term, const auto& list) {
    passed += list->size();
    for (; chosen < size && passed * size > chosen * postings; ++chosen) (*vocabulary)[chosen] = term;
  });
  return vocabulary;
}

}  // namespace lab::index
