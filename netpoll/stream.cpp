#include "tandem/net/stream.h"

#include "netpoll/system_call.h"

namespace tandem::net {

std::size_t Stream::read(std::span<std::byte> buffer, std::error_code& error) {
  error = socket_ ? std::error_code() : no_socket();
  if (error || buffer.empty()) return 0;
  const std::int64_t bytes = socket_->perform(
      netpoll::kRead, "network read",
      [](int descriptor, void* argument) {
        const auto& into = *static_cast<const std::span<std::byte>*>(argument);
        return result_of(::recv(descriptor, into.data(), into.size(), 0));
      },
      &buffer, error, buffer.size());
  return error ? 0 : static_cast<std::size_t>(bytes);
}

std::size_t Stream::write(std::span<const std::byte> bytes, std::error_code& error) {
  error = socket_ ? std::error_code() : no_socket();
  std::span<const std::byte> rest = bytes;
  while (!error && !rest.empty()) {
    const std::int64_t written = socket_->perform(
        netpoll::kWrite, "network write",
        [](int descriptor, void* argument) {
          const auto& from = *static_cast<const std::span<const std::byte>*>(argument);
          return result_of(::send(descriptor, from.data(), from.size(), MSG_NOSIGNAL));
        },
        &rest, error);
    if (!error) rest = rest.subspan(static_cast<std::size_t>(written));
  }
  return bytes.size() - rest.size();
}

std::size_t Stream::read(std::span<std::byte> buffer) {
  return or_throw("read", [&](std::error_code& error) { return read(buffer, error); });
}
std::size_t Stream::write(std::span<const std::byte> bytes) {
  return or_throw("write", [&](std::error_code& error) { return write(bytes, error); });
}

void Stream::set_deadline(TimePoint time) { set_deadlines(socket_, true, true, time); }
void Stream::set_read_deadline(TimePoint time) { set_deadlines(socket_, true, false, time); }
void Stream::set_write_deadline(TimePoint time) { set_deadlines(socket_, false, true, time); }

void Stream::shutdown_write(std::error_code& error) {
  if (!socket_) {
    error = no_socket();
    return;
  }
  socket_->call([](int descriptor, void*) { return result_of(::shutdown(descriptor, SHUT_WR)); }, nullptr, error);
}
void Stream::shutdown_write() {
  or_throw("shutdown_write", [&](std::error_code& error) { return shutdown_write(error), 0; });
}

void Stream::close() noexcept {
  if (socket_) socket_->close();
}

}  // namespace tandem::net
