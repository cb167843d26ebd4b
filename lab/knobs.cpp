#include "lab/knobs.h"

#include <tandem/runtime.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string_view>

#include "lab/command_line.h"

namespace lab {
namespace {

constexpr std::string_view kPrefix = "TANDEM_";

// An environment variable that has another value for a while. For programs with one thread only.
class ScopedVariable {
 public:
  ScopedVariable(std::string name, const std::string& value) : name_(std::move(name)) {
    if (const char* old = std::getenv(name_.c_str())) old_ = old;
    setenv(name_.c_str(), value.c_str(), 1);
  }
  ScopedVariable(ScopedVariable&& other) noexcept : name_(std::move(other.name_)), old_(std::move(other.old_)) {
    other.name_.clear();
  }
  ~ScopedVariable() {
    if (name_.empty()) return;
    if (old_)
      setenv(name_.c_str(), old_->c_str(), 1);
    else
      unsetenv(name_.c_str());
  }

 private:
  std::string name_;  // empty: moved from
  std::optional<std::string> old_;
};

std::string runtime_options() {
  try {
    return tandem::options_as_text();
  } catch (const std::invalid_argument& error) {
    constexpr std::string_view kSpeaker = "tandem: ";  // here it is the lab that speaks
    const std::string_view message = error.what();
    throw UsageError(std::string(message.substr(message.starts_with(kSpeaker) ? kSpeaker.size() : 0)));
  }
}

std::string lower_case(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> known_knobs() {
  std::vector<std::pair<std::string, std::string>> knobs;
  const std::string text = runtime_options();
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = text.substr(begin, end - begin);
    const std::size_t equals = line.find('=');
    if (line.starts_with(kPrefix) && equals != std::string::npos)
      knobs.emplace_back(lower_case(line.substr(kPrefix.size(), equals - kPrefix.size())), line.substr(equals + 1));
    begin = end + 1;
  }
  return knobs;
}

void check_knobs(const std::vector<Variant>& variants) {
  const auto known = known_knobs();
  for (const Variant& variant : variants) {
    std::vector<ScopedVariable> variables;
    for (const auto& [knob, value] : variant.knobs) {
      if (std::none_of(known.begin(), known.end(), [&](const auto& entry) { return entry.first == knob; })) {
        std::string names;
        for (const auto& [name, in_force] : known) names += (names.empty() ? "" : ", ") + name;
        throw UsageError(fmt::format("there is no knob '{}'; the knobs are {}", knob, names));
      }
      variables.emplace_back(environment_name(knob), value);
    }
    runtime_options();
  }
}

}  // namespace lab
