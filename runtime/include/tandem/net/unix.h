#pragma once
/// \file
/// Unix stream sockets.

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

#include "tandem/net/stream.h"
#include "tandem/visitor.h"

namespace tandem::net {

class UnixStream : public Stream {
 public:
  UnixStream() noexcept = default;
  /// `path`: of a socket in the file system, 107 bytes at most; "@name": in Linux's abstract name space. While the
  /// listener's queue is full it tries again every few milliseconds; no deadline, but a cancellation ends it.
  static UnixStream connect(std::string_view path);
  static UnixStream connect(std::string_view path, std::error_code& error);

 private:
  friend class UnixListener;
  using Stream::Stream;
};

/// Moved, not copied; closed when destroyed, and then its path is removed.
class UnixListener {
 public:
  UnixListener() noexcept = default;
  UnixListener(UnixListener&&) noexcept = default;
  UnixListener& operator=(UnixListener&& other) noexcept {
    close();
    socket_ = std::move(other.socket_);
    path_ = std::move(other.path_);
    return *this;
  }
  ~UnixListener() { close(); }

  /// address_in_use if the path exists.
  static UnixListener bind(std::string_view path);
  static UnixListener bind(std::string_view path, std::error_code& error);
  UnixStream accept();
  UnixStream accept(std::error_code& error);
  /// As TcpListener's.
  void set_deadline(TimePoint time);
  /// As TcpListener's.
  void close() noexcept;
  explicit operator bool() const noexcept { return socket_ != nullptr; }

 private:
  detail::SocketOwner socket_;
  struct Path {
    explicit Path(std::string_view path) : name(path) {}
    const std::string name;
    std::atomic<bool> removed{false};  // by who closes first
  };
  std::unique_ptr<Path> path_;  // null: none to be removed
};

}  // namespace tandem::net

template <>
struct tandem::is_leaf<tandem::net::UnixStream> : std::true_type {};
template <>
struct tandem::is_leaf<tandem::net::UnixListener> : std::true_type {};
