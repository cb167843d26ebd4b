#pragma once
// Answers of HTTP/1.1, and what this server has to say.
#include <string>
#include <string_view>

#include "examples/http/request_parser.h"

namespace http {

/// Appends an answer. Keeping the connection is what HTTP/1.1 means by default, and is said to clients of 1.0 as well.
void append_response(std::string& output, int status, std::string_view body, bool keep_alive,
                     bool without_body = false);

/// Appends the answer to a request: GET / greets, POST /echo gives the body back, GET /usage tells what is in use after
/// a collection. Parks the goroutine for the last.
void answer(const Request& request, std::string& output);

}  // namespace http
