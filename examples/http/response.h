#pragma once
// Answers of HTTP/1.1, and what this server has to say.
#include <string>
#include <string_view>

#include "examples/http/date.h"
#include "examples/http/request_parser.h"

namespace http {

struct Response {
  int status;
  std::string_view body = {};
  std::string_view allow = {};       // with 405: the methods that are
  std::string_view connection = {};  // what becomes of it, if the client's version does not mean that without a word
  bool without_body = false;         // its length is told all the same
};

/// Appends an answer.
void append_response(std::string& output, const Response& response, Date& date);

/// Appends the answer to a request: GET / greets, POST /echo gives the body back, GET /usage tells what is in use after
/// a collection. Parks the goroutine for the last.
void answer(const Request& request, Date& date, std::string& output);

}  // namespace http
