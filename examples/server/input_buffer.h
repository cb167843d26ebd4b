#pragma once
// What a connection has read and not yet used.
//
// Small while everything has been used, which is how an idle connection waits; else it doubles when it is full. So its
// memory follows what has arrived, never what a client has announced.
#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace server {

class InputBuffer {
 public:
  InputBuffer() = default;
  InputBuffer(const InputBuffer&) = delete;
  InputBuffer& operator=(const InputBuffer&) = delete;

  /// Where to read to, never empty. Views of data() end here.
  std::span<std::byte> space() {
    if (begin_ == end_) become_small();
    if (end_ == capacity()) make_room();
    return std::as_writable_bytes(std::span(start() + end_, capacity() - end_));
  }
  /// So many bytes were read.
  void add(std::size_t bytes) { end_ += bytes; }

  std::string_view data() const { return {start() + begin_, end_ - begin_}; }
  void consume(std::size_t bytes) { begin_ += bytes; }

  std::size_t capacity() const { return large_ ? large_bytes_ : small_.size(); }

 private:
  static constexpr std::size_t kSmallBytes = 1024;  // lies on the goroutine's stack, in its first pages
  static constexpr std::size_t kLargeBytesMin = std::size_t{16} << 10;

  char* start() { return large_ ? large_.get() : small_.data(); }
  const char* start() const { return large_ ? large_.get() : small_.data(); }

  void become_small() {
    large_.reset();
    begin_ = end_ = 0;
  }
  void make_room() {
    const std::string_view kept = data();
    if (kept.size() <= capacity() / 2) {
      std::memmove(start(), kept.data(), kept.size());
    } else {
      const std::size_t bytes = capacity() < kLargeBytesMin ? kLargeBytesMin : 2 * capacity();
      std::unique_ptr<char[]> larger = std::make_unique_for_overwrite<char[]>(bytes);
      std::memcpy(larger.get(), kept.data(), kept.size());
      large_ = std::move(larger);
      large_bytes_ = bytes;
    }
    end_ = kept.size();
    begin_ = 0;
  }

  std::size_t begin_ = 0, end_ = 0;
  std::size_t large_bytes_ = 0;
  std::unique_ptr<char[]> large_;  // null: small_ is used
  std::array<char, kSmallBytes> small_;
};

}  // namespace server
