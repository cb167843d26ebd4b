#pragma once
// One client of the HTTP server.
#include <tandem/tandem.h>
#include <chrono>

#include "examples/http/request_parser.h"

namespace http {

struct Settings {
  Limits limits;
  /// From one answer to the next: within it a request must have arrived whole, or the connection is closed.
  std::chrono::milliseconds timeout = std::chrono::seconds(10);
};

/// Answers requests, in order, until the client goes or does not want more, breaks a rule or is too slow. The answers
/// to all requests that one read has brought are written at once.
void serve_client(tandem::net::TcpStream stream, const Settings& settings);

}  // namespace http
