#pragma once
// What the figures were taken on.
#include <cstdint>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace lab {

struct Machine {
  std::string processor;  // the model's name
  int processors = 0;     // that this process may use
  std::uint64_t memory_bytes = 0;
  std::string system;      // kernel name and release
  std::string compiler;    // that built this program
  bool optimised = false;  // built without assertions (NDEBUG)

  std::string text() const;
};

Machine this_machine();
void to_json(nlohmann::json& json, const Machine& machine);

}  // namespace lab
