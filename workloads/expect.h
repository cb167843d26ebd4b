#pragma once

#include <stdexcept>
#include <string>

namespace workloads {

// A workload that computes the wrong thing measures nothing. Throws std::runtime_error naming `what`.
inline void expect(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(std::string("wrong result: ") + what);
}

}  // namespace workloads
