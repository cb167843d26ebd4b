#pragma once
// One connection to a server that speaks the Redis protocol, on this machine. It does not block unless it says so.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lab::kv_load {

// A server that is silent for so long is taken for hung.
inline constexpr std::chrono::seconds kPatience{60};

struct Reply {
  enum class Kind : std::uint8_t { simple, error, bulk, null };
  Kind kind;
  std::string_view text;  // of the client's buffer, until it receives again

  // For messages: short and printable.
  std::string shown() const;
};

// All throw std::runtime_error, or std::system_error, when the server has closed the connection or breaks the protocol.
class Client {
 public:
  explicit Client(std::uint16_t port);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  int descriptor() const { return descriptor_; }

  // Adds a request to what is to be sent.
  void add(std::initializer_list<std::string_view> words);
  std::size_t unsent_bytes() const { return output_.size() - sent_; }
  // Sends what the system takes.
  void send();

  // Reads once. True: there may be more.
  bool receive();
  // Of what has been received.
  std::optional<Reply> next_reply();

  // Sends everything and waits for a reply: both block.
  Reply wait_for_reply();

 private:
  std::optional<std::string_view> take_line();
  void make_room();

  int descriptor_;
  std::string output_;
  std::size_t sent_ = 0;     // of output_
  std::vector<char> input_;  // [begin_, end_) has been received and not been used
  std::size_t begin_ = 0, end_ = 0;
};

}  // namespace lab::kv_load
