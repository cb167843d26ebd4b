#include "runtime/boot/go_trace_format.h"

namespace tandem::boot {

namespace {

constexpr char kHeader[] = "go 1.19 trace\0\0";  // 16 bytes with the one at the end
constexpr std::uint64_t kTicksPerSecond = 1'000'000'000;
constexpr std::size_t kInlineArguments = 3;  // with more, the number of their bytes goes before them
constexpr std::size_t kTextBytesMax = 100'000;

void put_number(std::string& into, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) into.push_back(static_cast<char>(value | 0x80));
  into.push_back(static_cast<char>(value));
}

/// The first byte of an event: type, and above it the number of arguments less one.
void put_type(std::string& into, GoEvent type, std::size_t arguments) {
  into.push_back(static_cast<char>(static_cast<unsigned>(type) | static_cast<unsigned>(arguments - 1) << 6));
}

template <typename Numbers>
void put_event(std::string& into, GoEvent type, const Numbers& arguments) {
  if (arguments.size() <= kInlineArguments) {
    put_type(into, type, arguments.size());
    for (const std::uint64_t argument : arguments) put_number(into, argument);
    return;
  }
  std::string encoded;
  for (const std::uint64_t argument : arguments) put_number(encoded, argument);
  put_type(into, type, kInlineArguments + 1);
  put_number(into, encoded.size());
  into += encoded;
}

void put_text(std::string& into, std::uint64_t number, std::string_view text) {
  put_type(into, GoEvent::kString, 1);
  put_number(into, number);
  put_number(into, text.size());
  into += text;
}

}  // namespace

void GoTraceFormat::event(std::uint64_t processor, GoEvent type, std::uint64_t time,
                          std::initializer_list<std::uint64_t> arguments) {
  const auto [entry, fresh] = streams_.try_emplace(processor);
  Stream& stream = entry->second;
  if (fresh) stream.first_time = stream.last_time = time;
  std::vector<std::uint64_t> all{time - stream.last_time};
  all.insert(all.end(), arguments);
  put_event(stream.bytes, type, all);
  stream.last_time = time;
}

std::uint64_t GoTraceFormat::text(std::string_view text) {
  return texts_.try_emplace(std::string(text.substr(0, kTextBytesMax)), texts_.size() + 1).first->second;
}

std::uint64_t GoTraceFormat::stack(const std::vector<std::uint64_t>& functions) {
  return stacks_.try_emplace(functions, stacks_.size() + 1).first->second;
}

std::string GoTraceFormat::encode() const {
  std::string result(kHeader, sizeof kHeader);
  put_event(result, GoEvent::kFrequency, std::initializer_list<std::uint64_t>{kTicksPerSecond});
  for (const auto& [processor, stream] : streams_) {
    put_event(result, GoEvent::kBatch, std::initializer_list<std::uint64_t>{processor, stream.first_time});
    result += stream.bytes;
  }
  for (const auto& [text, number] : texts_) put_text(result, number, text);
  for (const auto& [functions, number] : stacks_) {
    std::vector<std::uint64_t> encoded{number, functions.size()};
    // Frames: an address, by which viewers group; the function; file and line, which we do not know.
    for (const std::uint64_t function : functions) encoded.insert(encoded.end(), {function, function, 0, 0});
    put_event(result, GoEvent::kStack, encoded);
  }
  return result;
}

}  // namespace tandem::boot
