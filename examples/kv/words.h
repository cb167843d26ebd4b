#pragma once
// The words of a line as Redis' command line splits them.
#include <string>
#include <string_view>
#include <vector>

#include "examples/kv/request_parser.h"

namespace kv {

/// Splits `line` at blanks. "..." may contain blanks and the escapes \n \r \t \b \a \xHH, '...' only \'; a quoted word
/// ends at a blank or the end of the line. The words are put one behind the other into `text`, and `words` says where.
/// False: the quotes are not balanced.
bool split_words(std::string_view line, std::string& text, std::vector<Arguments::Range>& words);

}  // namespace kv
