#include "examples/http/response.h"

#include <algorithm>
#include <boost/beast/core/string.hpp>
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
  std::string_view allow = {};
};

constexpr std::string_view kToRead = "GET, HEAD";

/// What a target asks for, with the server's name before it or not: proxies, and who takes this server for one, send it.
std::string_view path_of(std::string_view target) {
  constexpr std::string_view kScheme = "http://";
  if (boost::beast::iequals(target.substr(0, kScheme.size()), kScheme)) {
    target.remove_prefix(kScheme.size());
    target.remove_prefix(std::min(target.find_first_of("/?"), target.size()));
    if (!target.starts_with('/')) return "/";
  }
  return target.substr(0, target.find('?'));
}

/// `text`: for a body that has to be put together.
Answer answer_to(const Request& request, std::string& text) {
  const std::string_view path = path_of(request.target());
  const bool is_read = request.method() == verb::get || request.method() == verb::head;
  if (path == "/") return is_read ? Answer{200, "Hello, World!"} : Answer{405, "GET it\n", kToRead};
  if (path == "/echo")
    return request.method() == verb::post ? Answer{200, request.body()} : Answer{405, "POST it\n", "POST"};
  if (path == "/usage")
    return is_read ? Answer{200, text = usage_after_collection()} : Answer{405, "GET it\n", kToRead};
  return {404, "there is no such page\n"};
}

}  // namespace

void append_response(std::string& output, const Response& response, Date& date) {
  const auto reason = boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(response.status));
  output.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ").append(reason.data(), reason.size());
  output.append("\r\nDate: ").append(date.now());
  output.append("\r\nContent-Type: text/plain\r\nContent-Length: ").append(std::to_string(response.body.size()));
  if (!response.allow.empty()) output.append("\r\nAllow: ").append(response.allow);
  if (!response.connection.empty()) output.append("\r\nConnection: ").append(response.connection);
  output.append("\r\n\r\n");
  if (!response.without_body) output.append(response.body);
}

void answer(const Request& request, Date& date, std::string& output) {
  std::string text;
  const Answer given = answer_to(request, text);
  append_response(output,
                  {.status = given.status,
                   .body = given.body,
                   .allow = given.allow,
                   .connection = !request.keep_alive() ? "close"
                                 : request.is_1_1()    ? ""
                                                       : "keep-alive",
                   .without_body = request.method() == verb::head},
                  date);
}

}  // namespace http
