#pragma once
// Writes answers in RESP2 behind one another into a string.
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "examples/kv/integer.h"

namespace kv {

/// The answer to one command would be larger than Reply::kBytesMax, or what the reply was given in its place.
struct ReplyTooLarge : std::length_error {
  ReplyTooLarge() : std::length_error("the reply is too large") {}
};

class Reply {
 public:
  /// Of one answer: a command of a few bytes must not make the server's memory grow without bound.
  static constexpr std::size_t kBytesMax = std::size_t{512} << 20;

  explicit Reply(std::string& output, std::size_t bytes_max = kBytesMax)
      : output_(output), start_(output.size()), bytes_max_(bytes_max) {}

  void ok() { output_ += "+OK\r\n"; }
  void simple(std::string_view text) { line('+', text); }
  /// `text` begins with a word that says which kind of error it is: "ERR ...".
  void error(std::string_view text) { line('-', text); }
  void integer(std::int64_t value) { line(':', IntegerText(value).view()); }
  void null() { output_ += "$-1\r\n"; }
  void bulk(std::string_view text) {
    if (output_.size() - start_ + text.size() > bytes_max_) throw ReplyTooLarge();
    line('$', IntegerText(static_cast<std::int64_t>(text.size())).view());
    output_ += text;
    output_ += "\r\n";
  }
  /// So many answers follow, its elements.
  void array(std::size_t size) { line('*', IntegerText(static_cast<std::int64_t>(size)).view()); }
  /// Answers that were written elsewhere.
  void raw(std::string_view answers) { output_ += answers; }

  /// Takes back what was written.
  void discard() { output_.resize(start_); }

 private:
  void line(char kind, std::string_view text) {
    output_ += kind;
    output_ += text;
    output_ += "\r\n";
  }

  std::string& output_;
  std::size_t start_;  // of this answer
  std::size_t bytes_max_;
};

}  // namespace kv
