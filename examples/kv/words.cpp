#include "examples/kv/words.h"

#include <cctype>

namespace kv {

namespace {

bool is_blank(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }
bool is_hex(char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; }

int hex_value(char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; }

char unescaped(char c) {
  switch (c) {
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'b': return '\b';
    case 'a': return '\a';
    default: return c;
  }
}

/// Appends what the backslash at the line's start stands for, and takes it off.
void take_escape(std::string_view& line, std::string& text) {
  if (line.size() >= 4 && line[1] == 'x' && is_hex(line[2]) && is_hex(line[3])) {
    text += static_cast<char>(hex_value(line[2]) * 16 + hex_value(line[3]));
    line.remove_prefix(4);
  } else {
    text += unescaped(line[1]);
    line.remove_prefix(2);
  }
}

/// The quoted part that the line begins with. False: it has no end, or something is attached to it.
bool take_quoted(std::string_view& line, std::string& text) {
  const char quote = line.front();
  line.remove_prefix(1);
  while (!line.empty() && line.front() != quote) {
    const bool escaped = line.front() == '\\' && line.size() > 1 && (quote == '"' || line[1] == '\'');
    if (escaped) {
      take_escape(line, text);
    } else {
      text += line.front();
      line.remove_prefix(1);
    }
  }
  if (line.empty()) return false;
  line.remove_prefix(1);
  return line.empty() || is_blank(line.front());
}

}  // namespace

bool split_words(std::string_view line, std::string& text, std::vector<Arguments::Range>& words) {
  for (;;) {
    while (!line.empty() && is_blank(line.front())) line.remove_prefix(1);
    if (line.empty()) return true;
    const std::size_t begin = text.size();
    while (!line.empty() && !is_blank(line.front())) {
      if (line.front() == '"' || line.front() == '\'') {
        if (!take_quoted(line, text)) return false;
      } else {
        text += line.front();
        line.remove_prefix(1);
      }
    }
    words.push_back({begin, text.size() - begin});
  }
}

}  // namespace kv
