#pragma once
#include <string>

#include "lab/workloads/index/generation.h"

namespace lab::index {

// Writes "term<TAB>documents<TAB>occurrences" for every term, sorted bytewise. Throws std::system_error
// naming the file. Only while nobody adds.
void dump_index(const Generation& generation, const std::string& path);

}  // namespace lab::index
