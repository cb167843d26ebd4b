#pragma once
// What a connection has read and not yet used.
//
// Small at first, and after a burst (what arrived since the buffer was last empty) that a small one would have held; large
// after a greater burst, because the next one is likely to be as great: a pipeline that is read in small pieces is answered
// in as many, and costs as many system calls. Within a burst it doubles when it is full, and what is beyond the first large
// size is given back at the burst's end. So its memory follows what has arrived, never what a client has announced. Who
// lets connections be quiet for long calls become_small() then.
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
    if (begin_ == end_) begin_burst();
    if (end_ == capacity()) make_room();
    return std::as_writable_bytes(std::span(start() + end_, capacity() - end_));
  }
  /// So many bytes were read.
  void add(std::size_t bytes) {
    end_ += bytes;
    burst_bytes_ += bytes;
  }

  std::string_view data() const { return {start() + begin_, end_ - begin_}; }
  void consume(std::size_t bytes) { begin_ += bytes; }

  std::size_t capacity() const { return large_ ? large_bytes_ : small_.size(); }
  bool is_large() const { return large_ != nullptr; }

  /// Gives the large buffer back if it holds nothing.
  void become_small() {
    if (begin_ != end_) return;
    large_.reset();
    begin_ = end_ = burst_bytes_ = 0;
  }

  static constexpr std::size_t kSmallBytes = 1024;  // lies on the goroutine's stack, in its first pages
  static constexpr std::size_t kLargeBytesMin = std::size_t{16} << 10;

 private:
  char* start() { return large_ ? large_.get() : small_.data(); }
  const char* start() const { return large_ ? large_.get() : small_.data(); }

  // A burst that filled the small buffer may have been greater.
  void begin_burst() {
    if (burst_bytes_ < kSmallBytes)
      become_small();
    else if (capacity() != kLargeBytesMin)
      move_to_large(kLargeBytesMin);
    begin_ = end_ = burst_bytes_ = 0;
  }
  void make_room() {
    if (!is_large())
      move_to_large(kLargeBytesMin);
    else if (data().size() > capacity() / 2)
      move_to_large(2 * capacity());
    else
      move_to(start());
  }
  void move_to_large(std::size_t bytes) {
    std::unique_ptr<char[]> larger = std::make_unique_for_overwrite<char[]>(bytes);
    move_to(larger.get());
    large_ = std::move(larger);
    large_bytes_ = bytes;
  }
  void move_to(char* place) {
    const std::string_view kept = data();
    std::memmove(place, kept.data(), kept.size());
    begin_ = 0;
    end_ = kept.size();
  }

  std::size_t begin_ = 0, end_ = 0;
  std::size_t burst_bytes_ = 0;  // that arrived since the buffer was last empty
  std::size_t large_bytes_ = 0;
  std::unique_ptr<char[]> large_;  // null: small_ is used
  std::array<char, kSmallBytes> small_;
};

}  // namespace server
