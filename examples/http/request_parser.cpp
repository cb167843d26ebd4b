#include "examples/http/request_parser.h"

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>

namespace http {

namespace beast = boost::beast::http;
namespace errc = boost::system::errc;

Request::Request(const Limits& limits) {
  header_limit(static_cast<std::uint32_t>(limits.head_bytes));
  body_limit(limits.body_bytes);
}

void Request::on_request_impl(beast::verb method, string_view, string_view target, int version, error_code&) {
  method_ = method;
  is_1_1_ = version == 11;
  target_.assign(target.data(), target.size());
}

void Request::on_field_impl(field name, string_view, string_view value, error_code& error) {
  switch (name) {
    case field::host:
      if (std::exchange(has_host_, true)) error = beast::error::bad_field;
      break;
    case field::transfer_encoding:
      has_transfer_encoding_ = true;
      if (!boost::beast::iequals(value, "chunked")) error = make_error_code(errc::function_not_supported);
      break;
    case field::expect: expects_continue_ = boost::beast::iequals(value, "100-continue"); break;
    default: break;
  }
}

// Beast takes a request whose last encoding is not "chunked" for one without a body: what follows would be taken for
// the next request.
void Request::on_header_impl(error_code& error) {
  if (has_transfer_encoding_ && !chunked()) error = beast::error::bad_transfer_encoding;
  if (is_1_1_ && !has_host_) error = beast::error::bad_field;
  if (!is_1_1_) expects_continue_ = false;  // who speaks 1.0 does not know the answer
}

std::size_t Request::on_body_impl(string_view part, error_code&) {
  body_.append(part.data(), part.size());
  return part.size();
}

std::size_t Request::on_chunk_body_impl(std::uint64_t, string_view part, error_code& error) {
  return on_body_impl(part, error);
}

namespace {

constexpr std::string_view kLineEnd = "\r\n";

int status_of(const boost::beast::error_code& error) {
  if (error == beast::error::header_limit) return 431;
  if (error == beast::error::body_limit) return 413;
  if (error == beast::error::bad_version) return 505;
  if (error == errc::function_not_supported) return 501;
  return 400;
}

}  // namespace

RequestParser::Status RequestParser::fail(int status) {
  error_status_ = status;
  return Status::kError;
}

RequestParser::Status RequestParser::parse(std::string_view input) {
  consumed_ = 0;
  const bool is_new = !is_within_request();
  // Some clients send an empty line behind a body. It is no part of a request.
  while (is_new && input.substr(consumed_).starts_with(kLineEnd)) consumed_ += kLineEnd.size();
  const std::string_view rest = input.substr(consumed_);
  if (rest.empty() || (is_new && rest == kLineEnd.substr(0, 1))) return Status::kIncomplete;
  if (is_new) {
    request_.emplace(limits_);
    head_bytes_ = 0;
  }
  boost::beast::error_code error;
  do {
    if (!take_element(input.substr(consumed_), error)) return Status::kError;
  } while (!error && !request_->is_done() && consumed_ < input.size());
  if (error && error != beast::error::need_more) return fail(status_of(error));
  if (request_->is_done()) return Status::kComplete;
  // What is left belongs to one element that has not arrived whole.
  const std::size_t kept = input.size() - consumed_;
  if (!request_->is_header_done()) return head_bytes_ + kept > limits_.head_bytes ? fail(431) : Status::kIncomplete;
  return kept > limits_.head_bytes ? fail(400) : Status::kIncomplete;
}

// What ends a chunked body. Boost 1.81 asserts that it is shown five bytes of it when it sees it for the second time, so a body that
// begins with its end is not shown before it has so many.
constexpr std::string_view kLastChunk = "0\r\n";
constexpr std::size_t kEndOfBodyBytes = 5;  // with an empty line

// One element: the head or a part of it, a part of a body, a chunk's line, the last chunk's with the trailer. Beast's
// own limit is only for what it has to look at again.
bool RequestParser::take_element(std::string_view input, boost::beast::error_code& error) {
  const bool in_head = !request_->is_header_done();
  if (!in_head && request_->chunked() && input.size() < kEndOfBodyBytes && input.starts_with(kLastChunk)) {
    error = beast::error::need_more;
    return true;
  }
  const std::size_t body_bytes = request_->body().size();
  const std::size_t taken = request_->put(boost::asio::const_buffer(input.data(), input.size()), error);
  consumed_ += taken;
  if (in_head) {
    head_bytes_ += taken;
    if (head_bytes_ > limits_.head_bytes) fail(431);
  } else if (taken - (request_->body().size() - body_bytes) > limits_.head_bytes) {
    fail(400);
  }
  return error_status_ == 0;
}

}  // namespace http
