#pragma once
// What the socket types of tandem/net/ own.

#include <memory>

namespace tandem::detail {

class Socket;
struct CloseSocket {
  void operator()(Socket* socket) const noexcept;
};
using SocketOwner = std::unique_ptr<Socket, CloseSocket>;

}  // namespace tandem::detail
