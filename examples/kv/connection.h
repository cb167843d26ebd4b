#pragma once
// One client of the store.
#include <tandem/tandem.h>

#include "examples/kv/command.h"

namespace kv {

/// Reads requests and writes answers until the client has gone, does not read, says QUIT, or breaks the protocol's rules, which is
/// answered by an error and the end of the connection. The answers to all requests that one read has brought are
/// written at once.
void serve_client(tandem::net::TcpStream stream, Server& server);

}  // namespace kv
