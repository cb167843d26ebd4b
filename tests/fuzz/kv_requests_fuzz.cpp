// Arbitrary bytes as requests of the Redis protocol. However the stream is cut, it must mean the same.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "examples/kv/glob.h"
#include "examples/kv/request_parser.h"

namespace {

using kv::RequestParser;

struct Understood {
  std::vector<std::vector<std::string>> requests;
  std::string error;
  bool operator==(const Understood&) const = default;
};

void check(bool condition) {
  if (!condition) std::abort();
}

/// Shows the parser `step` bytes more at a time, at another address each time, as a connection's buffer does.
Understood understand(std::string_view stream, std::size_t step) {
  Understood understood;
  RequestParser parser;
  std::size_t begin = 0;
  for (std::size_t end = 0; end < stream.size();) {
    end = std::min(end + step, stream.size());
    for (;;) {
      const std::string_view part = stream.substr(begin, end - begin);
      const auto exact = std::make_unique<char[]>(part.size());  // reading beyond it is found
      std::memcpy(exact.get(), part.data(), part.size());
      const RequestParser::Status status = parser.parse({exact.get(), part.size()});
      if (status == RequestParser::Status::kIncomplete) break;
      if (status == RequestParser::Status::kError) {
        understood.error = parser.error();
        return understood;
      }
      check(parser.consumed() > 0 && parser.consumed() <= part.size());
      begin += parser.consumed();
      std::vector<std::string>& words = understood.requests.emplace_back();
      for (std::size_t i = 0; i < parser.arguments().size(); ++i) words.emplace_back(parser.arguments()[i]);
    }
  }
  return understood;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Understood whole = understand(stream, stream.size() + 1);
  check(whole == understand(stream, data[0] % 16 + 1));
  for (const auto& words : whole.requests)
    if (words.size() == 2) kv::matches_glob(words[0], words[1]);
  return 0;
}
