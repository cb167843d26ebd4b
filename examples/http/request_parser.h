#pragma once
// Requests of HTTP/1.0 and 1.1, found in a stream by Boost.Beast's parser, within limits.
#include <boost/beast/http/basic_parser.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace http {

struct Limits {
  std::size_t head_bytes = std::size_t{16} << 10;  // request line and fields; also a chunk's line, and the trailer
  std::size_t body_bytes = std::size_t{1} << 20;
};

/// One request. Beast calls it back with what it finds.
class Request : public boost::beast::http::basic_parser<true> {
 public:
  explicit Request(const Limits& limits);

  boost::beast::http::verb method() const { return method_; }
  bool is_1_1() const { return is_1_1_; }
  const std::string& target() const { return target_; }
  const std::string& body() const { return body_; }
  /// True once for a client that waits for "100 Continue" before it sends the body.
  bool take_expectation() { return is_header_done() && std::exchange(expects_continue_, false); }

 private:
  using string_view = boost::beast::string_view;
  using error_code = boost::beast::error_code;
  using field = boost::beast::http::field;

  void on_request_impl(boost::beast::http::verb method, string_view, string_view target, int version,
                       error_code&) override;
  void on_response_impl(int, string_view, int, error_code&) override {}
  void on_field_impl(field name, string_view, string_view value, error_code& error) override;
  void on_header_impl(error_code& error) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(string_view part, error_code&) override;
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view part, error_code& error) override;
  void on_finish_impl(error_code&) override {}

  boost::beast::http::verb method_ = boost::beast::http::verb::unknown;
  bool is_1_1_ = false, has_host_ = false, has_transfer_encoding_ = false, expects_continue_ = false;
  std::string target_, body_;
};

/// Cuts a stream into requests. Incremental: what has been consumed need not be kept, for it keeps what it needs. Knows
/// nothing of connections; one goroutine at a time.
class RequestParser {
 public:
  enum class Status : std::uint8_t { kIncomplete, kComplete, kError };

  explicit RequestParser(const Limits& limits = {}) : limits_(limits) {}

  /// Consumes the beginning of `input` as far as it belongs to the request, with empty lines before it; consumed() says how
  /// much that was.
  /// Incomplete: call again with the rest and more behind it. Complete: the next call begins the next request. Error:
  /// the stream cannot be understood any more.
  Status parse(std::string_view input);
  std::size_t consumed() const { return consumed_; }

  /// The request that is complete, or has begun.
  Request& request() { return *request_; }
  /// Lets the request go that has been answered: its body may be large, and the client idle.
  void release_request() { request_.reset(); }
  /// Has a request begun, and not ended?
  bool is_within_request() const { return request_ && !request_->is_done(); }
  /// After kError: the status with which to answer.
  int error_status() const { return error_status_; }

 private:
  Status fail(int status);
  bool take_element(std::string_view input, boost::beast::error_code& error);

  Limits limits_;
  std::optional<Request> request_;  // none: not one byte of the next one has come but for empty lines
  std::size_t consumed_ = 0;        // by the last call
  std::size_t head_bytes_ = 0;      // of this request
  int error_status_ = 0;
};

}  // namespace http
