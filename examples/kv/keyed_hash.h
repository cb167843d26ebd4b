#pragma once
// A hash under a secret key.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace kv {

using HashKey = std::array<std::uint64_t, 3>;

namespace detail {

/// The upper half of the product on the lower one.
inline std::uint64_t folded_product(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = Wide{a} * b;
  return static_cast<std::uint64_t>(product >> 64) ^ static_cast<std::uint64_t>(product);
}

template <class Word>
std::uint64_t word_at(const char* at) {
  Word word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

}  // namespace detail

/// Who does not know the key, of random numbers, cannot find texts whose hashes meet. Folded products of 16 bytes each with
/// the key, as Go hashes the keys of its maps where the processor has no instructions for AES: no cryptographic hash, but as
/// fast as one without a key, where SipHash, which is one, would take a tenth of the time of a pipelined GET.
inline std::uint64_t keyed_hash(const HashKey& key, std::string_view text) {
  using detail::folded_product, detail::word_at;
  const std::size_t size = text.size();
  std::uint64_t state = key[0];
  for (; text.size() > 16; text.remove_prefix(16))
    state =
        folded_product(word_at<std::uint64_t>(text.data()) ^ key[1], word_at<std::uint64_t>(text.data() + 8) ^ state);
  // What is left in two words, which may overlap: the size, hashed as well, tells which bytes they are.
  const char* const begin = text.data();
  std::uint64_t first = 0, last = 0;
  if (text.size() >= 8) {
    first = word_at<std::uint64_t>(begin), last = word_at<std::uint64_t>(begin + text.size() - 8);
  } else if (text.size() >= 4) {
    first = word_at<std::uint32_t>(begin), last = word_at<std::uint32_t>(begin + text.size() - 4);
  } else if (!text.empty()) {
    first = word_at<std::uint8_t>(begin) | word_at<std::uint8_t>(begin + text.size() / 2) << 8;
    last = word_at<std::uint8_t>(begin + text.size() - 1);
  }
  return folded_product(key[2] ^ size, folded_product(first ^ key[1], last ^ state));
}

}  // namespace kv
