#pragma once
// Which files of the input are documents.
#include <string>
#include <vector>

namespace lab::index {

class Glob {
 public:
  // Shell patterns (fnmatch: * ? [...]). One without a slash is matched against the file's name, one with a
  // slash against its path relative to the input directory, where * matches slashes too. No patterns at all:
  // every file matches.
  explicit Glob(std::vector<std::string> patterns) : patterns_(std::move(patterns)) {}

  bool matches(const std::string& relative_path) const;

 private:
  std::vector<std::string> patterns_;
};

}  // namespace lab::index
