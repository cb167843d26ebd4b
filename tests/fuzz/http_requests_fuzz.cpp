// Arbitrary bytes as HTTP requests. However the stream is cut, the same requests must be found in it. (That one is
// wrong may be found sooner or later: Beast waits for the end of a head that did not come in one piece.)
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "examples/http/request_parser.h"

namespace {

using http::RequestParser;

constexpr http::Limits kLimits{.head_bytes = 512, .body_bytes = 300};  // within reach of short inputs

void check(bool condition) {
  if (!condition) std::abort();
}

/// Shows the parser `step` bytes more at a time, and of what it has seen only what it has not consumed.
std::vector<std::string> requests_in(std::string_view stream, std::size_t step) {
  std::vector<std::string> requests;
  RequestParser parser(kLimits);
  std::size_t begin = 0;
  for (std::size_t end = 0; end < stream.size();) {
    end = std::min(end + step, stream.size());
    for (;;) {
      const std::string_view part = stream.substr(begin, end - begin);
      const auto exact = std::make_unique<char[]>(part.size());  // reading beyond it is found
      std::memcpy(exact.get(), part.data(), part.size());
      const RequestParser::Status status = parser.parse({exact.get(), part.size()});
      check(parser.consumed() <= part.size());
      begin += parser.consumed();
      if (status == RequestParser::Status::kIncomplete) break;
      if (status == RequestParser::Status::kError) {
        check(parser.error_status() >= 400);
        return requests;
      }
      const http::Request& request = parser.request();
      check(request.body().size() <= kLimits.body_bytes && request.target().size() <= kLimits.head_bytes);
      requests.push_back(request.target() + "\n" + request.body() + (request.keep_alive() ? "" : "\nend"));
    }
  }
  return requests;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  check(requests_in(stream, stream.size() + 1) == requests_in(stream, data[0] % 64 + 1));
  return 0;
}
