#include "examples/kv/glob.h"

#include <algorithm>
#include <cstddef>

namespace kv {

namespace {

/// One element of a pattern that stands for one byte: takes it off the pattern, and says whether it matches `byte`.
bool take_set(std::string_view& pattern, unsigned char byte) {
  pattern.remove_prefix(1);  // [
  const bool negated = pattern.starts_with('^');
  if (negated) pattern.remove_prefix(1);
  bool found = false;
  while (!pattern.empty() && pattern.front() != ']') {
    if (pattern.front() == '\\' && pattern.size() > 1) pattern.remove_prefix(1);
    auto first = static_cast<unsigned char>(pattern.front()), last = first;
    pattern.remove_prefix(1);
    if (pattern.size() > 1 && pattern.front() == '-' && pattern[1] != ']') {
      last = static_cast<unsigned char>(pattern[1]);
      pattern.remove_prefix(2);
    }
    if (first > last) std::swap(first, last);
    found |= first <= byte && byte <= last;
  }
  if (!pattern.empty()) pattern.remove_prefix(1);  // a set that is not closed ends with the pattern
  return found != negated;
}

bool take_one(std::string_view& pattern, char byte) {
  if (pattern.front() == '[') return take_set(pattern, static_cast<unsigned char>(byte));
  const bool any = pattern.front() == '?';
  if (pattern.front() == '\\' && pattern.size() > 1) pattern.remove_prefix(1);
  const bool same = pattern.front() == byte;
  pattern.remove_prefix(1);
  return any || same;
}

}  // namespace

// Only the last star seen can be worth another try: what an earlier one could take in addition, the later one takes as
// well.
bool matches_glob(std::string_view pattern, std::string_view text) {
  std::string_view after_star, text_at_star;
  bool star = false;
  for (;;) {
    if (pattern.starts_with('*')) {
      pattern.remove_prefix(1);
      star = true;
      after_star = pattern;
      text_at_star = text;
    } else if (!text.empty() && !pattern.empty() && take_one(pattern, text.front())) {
      text.remove_prefix(1);
    } else if (text.empty() && pattern.empty()) {
      return true;
    } else if (star && !text_at_star.empty()) {
      text_at_star.remove_prefix(1);
      text = text_at_star;
      pattern = after_star;
    } else {
      return false;
    }
  }
}

}  // namespace kv
