#pragma once
// The knobs that this build of the runtime has.
#include <string>
#include <utility>
#include <vector>

#include "lab/variant.h"

namespace lab {

// Name and value in force where no variant sets it: fields of tandem::Options with the environment applied.
// Throws UsageError when the environment holds a bad value.
std::vector<std::pair<std::string, std::string>> known_knobs();

// Throws UsageError for a knob that does not exist, or a value that the runtime does not accept: before the
// first run, so that an experiment does not fail half-way.
void check_knobs(const std::vector<Variant>& variants);

}  // namespace lab
