#include "examples/http/connection.h"

#include "examples/http/response.h"
#include "examples/server/input_buffer.h"
#include "examples/server/serve.h"

namespace http {

namespace {

constexpr std::size_t kFlushBytes = std::size_t{64} << 10;  // of answers; then they are written before more is parsed
constexpr std::size_t kOutputBytesKept = std::size_t{2} << 10;

class Connection {
 public:
  Connection(tandem::net::TcpStream stream, const Settings& settings)
      : stream_(std::move(stream)), settings_(settings), parser_(settings.limits) {}

  void serve() {
    std::error_code error;
    renew_deadline();
    for (;;) {
      const std::size_t bytes = stream_.read(input_.space(), error);
      if (error == std::errc::timed_out && parser_.is_within_request()) return refuse(408);
      if (bytes == 0) return;
      input_.add(bytes);
      const End end = answer_all();
      if (end == End::kRefused) return refuse(parser_.error_status());
      if (!flush()) return;
      if (end == End::kNotWanted) return server::linger(stream_);
    }
  }

 private:
  enum class End : std::uint8_t { kNotYet, kNotWanted, kRefused };

  /// Answers the requests that have arrived whole.
  End answer_all() {
    for (;;) {
      const RequestParser::Status status = parser_.parse(input_.data());
      input_.consume(parser_.consumed());
      if (status == RequestParser::Status::kError) return End::kRefused;
      if (status == RequestParser::Status::kIncomplete) {
        if (parser_.is_within_request() && parser_.request().take_expectation())
          output_ += "HTTP/1.1 100 Continue\r\n\r\n";
        return End::kNotYet;
      }
      answer(parser_.request(), date_, output_);
      const bool keep_alive = parser_.request().keep_alive();
      parser_.release_request();
      if (!keep_alive) return End::kNotWanted;
      renew_deadline();
      if (output_.size() > kFlushBytes && !flush()) return End::kNotWanted;
    }
  }

  /// Setting a deadline has its price, and a quarter more or less of the time does not matter.
  void renew_deadline() {
    const tandem::net::TimePoint now = tandem::this_goroutine::now();
    if (deadline_ - now > settings_.timeout) return;
    deadline_ = now + settings_.timeout + settings_.timeout / 4;
    stream_.set_deadline(deadline_);
  }

  void refuse(int status) {
    append_response(output_, {.status = status, .connection = "close"}, date_);
    deadline_ = tandem::this_goroutine::now() + settings_.timeout;
    stream_.set_write_deadline(deadline_);
    if (flush()) server::linger(stream_);
  }

  /// False: the client has gone, or does not read.
  bool flush() {
    std::error_code error;
    if (!output_.empty()) stream_.write(output_, error);
    output_.clear();
    if (output_.capacity() > kOutputBytesKept) output_.shrink_to_fit();
    return !error;
  }

  tandem::net::TcpStream stream_;
  const Settings& settings_;
  tandem::net::TimePoint deadline_{};
  RequestParser parser_;
  Date date_;
  std::string output_;
  server::InputBuffer input_;
};

}  // namespace

void serve_client(tandem::net::TcpStream stream, const Settings& settings) {
  Connection(std::move(stream), settings).serve();
}

}  // namespace http
