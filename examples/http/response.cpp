#include "examples/http/response.h"

#include <boost/beast/http/status.hpp>

#include "examples/server/serve.h"

namespace http {

using boost::beast::http::verb;

namespace {

std::string usage_after_collection() {
  tandem::collect();
  tandem::wait_for_finalizers();
  const server::Usage usage = server::usage();
  return "goroutines " + std::to_string(usage.goroutines) + "\ndescriptors " + std::to_string(usage.descriptors) +
         "\nlive_bytes " + std::to_string(usage.live_bytes) + "\n";
}

struct Answer {
  int status;
  std::string_view body;
};

/// `text`: for a body that has to be put together.
Answer answer_to(const Request& request, std::string& text) {
  const std::string_view path = std::string_view(request.target()).substr(0, request.target().find('?'));
  const bool is_read = request.method() == verb::get || request.method() == verb::head;
  if (path == "/") return is_read ? Answer{200, "Hello, World!"} : Answer{405, "GET it\n"};
  if (path == "/echo") return request.method() == verb::post ? Answer{200, request.body()} : Answer{405, "POST it\n"};
  if (path == "/usage" && is_read) return {200, text = usage_after_collection()};
  return {404, "there is no such page\n"};
}

}  // namespace

void append_response(std::string& output, int status, std::string_view body, bool keep_alive, bool without_body) {
  const auto reason = boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(status));
  output.append("HTTP/1.1 ").append(std::to_string(status)).append(" ").append(reason.data(), reason.size());
  output.append("\r\nContent-Type: text/plain\r\nContent-Length: ").append(std::to_string(body.size()));
  output.append(keep_alive ? "\r\n\r\n" : "\r\nConnection: close\r\n\r\n");
  if (!without_body) output.append(body);
}

void answer(const Request& request, std::string& output) {
  std::string text;
  const Answer given = answer_to(request, text);
  append_response(output, given.status, given.body, request.keep_alive(), request.method() == verb::head);
}

}  // namespace http
