#include "lab/workloads/index/glob.h"

#include <fnmatch.h>

#include <algorithm>

namespace lab::index {

bool Glob::matches(const std::string& relative_path) const {
  if (patterns_.empty()) return true;
  const std::string name = relative_path.substr(relative_path.rfind('/') + 1);  // npos + 1 is 0: the whole
  return std::any_of(patterns_.begin(), patterns_.end(), [&](const std::string& pattern) {
    const bool whole_path = pattern.find('/') != std::string::npos;
    return fnmatch(pattern.c_str(), (whole_path ? relative_path : name).c_str(), 0) == 0;
  });
}

}  // namespace lab::index
