#pragma once
// The terms that queries ask for.
#include <tandem/tandem.h>

#include "lab/workloads/index/generation.h"

namespace lab::index {

using Vocabulary = tandem::Array<tandem::Member<tandem::String>>;

// Up to a few thousand terms of the index, each the likelier the more documents contain it, as in real
// queries. Empty for an empty index. Only while nobody adds.
tandem::Local<Vocabulary> choose_vocabulary(const Generation& generation);

}  // namespace lab::index
