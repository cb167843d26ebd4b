#include "lab/workloads/kv/client.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <iterator>
#include <stdexcept>
#include <system_error>

namespace lab::kv_load {
namespace {

constexpr std::size_t kInputBytes = std::size_t{64} << 10;

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

int connect_to(std::uint16_t port) {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) fail("kv: socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    close(descriptor);
    fail("kv: connecting to the server");
  }
  const int on = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  fcntl(descriptor, F_SETFL, O_NONBLOCK);
  return descriptor;
}

}  // namespace

std::string Reply::shown() const {
  if (kind == Kind::null) return "null";
  constexpr std::size_t kShownMax = 80;
  std::string shown;
  for (const char c : text.substr(0, kShownMax)) shown += c >= ' ' && c <= '~' ? c : '?';
  return fmt::format("'{}' ({} bytes)", shown, text.size());
}

Client::Client(std::uint16_t port) : descriptor_(connect_to(port)), input_(kInputBytes) {}

Client::~Client() { close(descriptor_); }

void Client::add(std::initializer_list<std::string_view> words) {
  const auto out = std::back_inserter(output_);
  fmt::format_to(out, "*{}\r\n", words.size());
  for (const std::string_view word : words) {
    fmt::format_to(out, "${}\r\n", word.size());
    output_.append(word).append("\r\n");
  }
}

void Client::send() {
  while (unsent_bytes() > 0) {
    const ssize_t wrote = ::send(descriptor_, output_.data() + sent_, unsent_bytes(), MSG_NOSIGNAL);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0 && errno == EAGAIN) return;
    if (wrote < 0) fail("kv: sending to the server");
    sent_ += static_cast<std::size_t>(wrote);
  }
  output_.clear();
  sent_ = 0;
}

void Client::make_room() {
  if (begin_ == end_) begin_ = end_ = 0;
  if (end_ < input_.size()) return;
  std::memmove(input_.data(), input_.data() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  if (end_ > input_.size() / 2) input_.resize(2 * input_.size());
}

bool Client::receive() {
  make_room();
  const std::size_t space = input_.size() - end_;
  ssize_t got;
  do got = recv(descriptor_, input_.data() + end_, space, 0);
  while (got < 0 && errno == EINTR);
  if (got < 0 && errno == EAGAIN) return false;
  if (got < 0) fail("kv: receiving from the server");
  if (got == 0) throw std::runtime_error("kv: the server has closed a connection");
  end_ += static_cast<std::size_t>(got);
  return static_cast<std::size_t>(got) == space;
}

std::optional<std::string_view> Client::take_line() {
  const std::string_view rest(input_.data() + begin_, end_ - begin_);
  const std::size_t end = rest.find("\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  begin_ += end + 2;
  return rest.substr(0, end);
}

std::optional<Reply> Client::next_reply() {
  const std::size_t begin = begin_;
  const std::optional<std::string_view> line = take_line();
  if (!line) return std::nullopt;
  if (line->starts_with('+')) return Reply{Reply::Kind::simple, line->substr(1)};
  if (line->starts_with('-')) return Reply{Reply::Kind::error, line->substr(1)};
  if (*line == "$-1") return Reply{Reply::Kind::null, {}};
  std::size_t bytes = 0;
  const auto [end, error] = std::from_chars(line->data() + 1, line->data() + line->size(), bytes);
  if (!line->starts_with('$') || error != std::errc() || end != line->data() + line->size())
    throw std::runtime_error("kv: protocol error: no reply begins with " + Reply{Reply::Kind::simple, *line}.shown());
  if (end_ - begin_ < bytes + 2) {
    begin_ = begin;
    return std::nullopt;
  }
  const std::string_view text(input_.data() + begin_, bytes);
  if (std::string_view(text.data() + bytes, 2) != "\r\n")
    throw std::runtime_error("kv: protocol error: a bulk reply is longer than announced");
  begin_ += bytes + 2;
  return Reply{Reply::Kind::bulk, text};
}

Reply Client::wait_for_reply() {
  for (;;) {
    if (const std::optional<Reply> reply = next_reply()) return *reply;
    send();
    pollfd entry{descriptor_, static_cast<short>(POLLIN | (unsent_bytes() > 0 ? POLLOUT : 0)), 0};
    const int ready = poll(&entry, 1, static_cast<int>(std::chrono::milliseconds(kPatience).count()));
    if (ready < 0 && errno != EINTR) fail("kv: poll");
    if (ready == 0)
      throw std::runtime_error(fmt::format("kv: the server has not answered for {} s", kPatience.count()));
    if ((entry.revents & (POLLIN | POLLHUP | POLLERR)) != 0) receive();
  }
}

}  // namespace lab::kv_load
