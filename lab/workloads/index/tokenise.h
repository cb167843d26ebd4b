#pragma once
// Business logic: what a term is. Knows nothing of goroutines, of the managed heap, or of files.
#include <concepts>
#include <cstddef>
#include <string_view>

namespace lab::index {

constexpr std::size_t kTermLengthMin = 2;

constexpr bool is_term_byte(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') || byte == '_';
}

// Calls use(term) for every term of `text`, in order, repetitions included. A term is a maximal run of the
// bytes [A-Za-z0-9_] of at least two bytes; case counts, and every other byte, of whatever encoding,
// separates. It is what the regular expression [A-Za-z0-9_]{2,} finds in the raw bytes. The views point into
// `text`.
template <std::invocable<std::string_view> Use>
void tokenise(std::string_view text, Use use) {
  std::size_t at = 0;
  while (at < text.size()) {
    while (at < text.size() && !is_term_byte(text[at])) ++at;
    const std::size_t begin = at;
    while (at < text.size() && is_term_byte(text[at])) ++at;
    if (at - begin >= kTermLengthMin) use(text.substr(begin, at - begin));
  }
}

}  // namespace lab::index
