#pragma once
#include <string>

namespace lab {

// The word as a POSIX shell takes it, so that the printed command can be pasted; quoted only where it must
// be.
std::string shell_quote(const std::string& word);

}  // namespace lab
