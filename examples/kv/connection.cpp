#include "examples/kv/connection.h"

#include <algorithm>

#include "examples/server/input_buffer.h"
#include "examples/server/serve.h"

namespace kv {

namespace {

constexpr std::size_t kFlushBytes = std::size_t{64} << 10;  // of answers; then they are written before more is executed
constexpr std::size_t kWriteBytes = std::size_t{256} << 10;  // that a client must read within its time
constexpr std::size_t kOutputBytesKept = std::size_t{2} << 10;
constexpr std::chrono::seconds kQuietTime(2);  // or less, down to half; then a large input buffer is given back
constexpr TimePoint kNever = TimePoint::max();

class Connection {
 public:
  Connection(tandem::net::TcpStream stream, Server& server) : stream_(std::move(stream)), server_(server) {
    server_.clients.fetch_add(1, std::memory_order_relaxed);
  }
  ~Connection() { server_.clients.fetch_sub(1, std::memory_order_relaxed); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void serve() {
    while (const std::size_t bytes = read()) {
      input_.add(bytes);
      const End end = execute_all();
      if (!flush() || end == End::kQuit) return;
      if (end == End::kProtocolError) return server::linger(stream_);
    }
  }

 private:
  enum class End : std::uint8_t { kNotYet, kQuit, kProtocolError };

  /// 0: the client has gone. Who has been quiet for a while gives a large buffer back, and waits without a deadline.
  std::size_t read() {
    std::error_code error;
    renew_deadline();
    std::size_t bytes = stream_.read(input_.space(), error);
    if (error != std::errc::timed_out) return bytes;
    input_.become_small();
    set_deadline(kNever);
    return stream_.read(input_.space(), error);
  }

  /// Setting a deadline has its price, and half of the time more or less does not matter.
  void renew_deadline() {
    if (!input_.is_large()) return;  // a deadline that was left over does no harm
    const TimePoint now = tandem::this_goroutine::now();
    if (deadline_ == kNever || deadline_ - now < kQuietTime / 2) set_deadline(now + kQuietTime);
  }
  void set_deadline(TimePoint time) {
    deadline_ = time;
    stream_.set_read_deadline(time);
  }

  /// A quarter more or less does not matter. One that was left over is renewed before it can do harm.
  void renew_write_deadline() {
    const TimePoint now = tandem::this_goroutine::now();
    if (write_deadline_ - now > server_.write_timeout) return;
    write_deadline_ = now + server_.write_timeout + server_.write_timeout / 4;
    stream_.set_write_deadline(write_deadline_);
  }

  /// Executes the requests that have arrived whole.
  End execute_all() {
    std::uint64_t executed = 0;
    End end = End::kNotYet;
    while (end == End::kNotYet && parse(end)) {
      if (parser_.arguments().size() != 0) {
        if (!execute(parser_.arguments(), server_, output_)) end = End::kQuit;
        ++executed;
      }
      input_.consume(parser_.consumed());
      if (output_.size() > kFlushBytes && !flush()) end = End::kQuit;
    }
    server_.commands.fetch_add(executed, std::memory_order_relaxed);
    return end;
  }

  bool parse(End& end) {
    if (input_.data().empty()) return false;
    const RequestParser::Status status = parser_.parse(input_.data());
    if (status == RequestParser::Status::kError) {
      Reply(output_).error("ERR " + parser_.error());
      end = End::kProtocolError;
    }
    return status == RequestParser::Status::kComplete;
  }

  /// False: the client has gone, or does not read. An answer may be large and the client's line slow: each piece has a time of
  /// its own.
  bool flush() {
    std::error_code error;
    for (std::string_view rest = output_; !rest.empty() && !error;
         rest.remove_prefix(std::min(rest.size(), kWriteBytes))) {
      renew_write_deadline();
      stream_.write(rest.substr(0, kWriteBytes), error);
    }
    output_.clear();
    if (output_.capacity() > kOutputBytesKept) output_.shrink_to_fit();
    return !error;
  }

  tandem::net::TcpStream stream_;
  TimePoint deadline_ = kNever;  // of reads
  TimePoint write_deadline_{};
  Server& server_;
  RequestParser parser_;
  std::string output_;
  server::InputBuffer input_;
};

}  // namespace

void serve_client(tandem::net::TcpStream stream, Server& server) { Connection(std::move(stream), server).serve(); }

}  // namespace kv
