#include "lab/workloads/kv/load.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <future>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "lab/latency_histogram.h"
#include "lab/workloads/kv/arrivals.h"
#include "lab/workloads/kv/fill.h"
#include "lab/workloads/kv/lane.h"
#include "workloads/random.h"

namespace lab::kv_load {
namespace {

// Due at once, they are sent so many at a time: in between answers are received, or the server could not go on.
constexpr int kBatch = 64;

using Clock = std::chrono::steady_clock;
using std::chrono::nanoseconds;

// Streams of random numbers that have nothing to do with one another.
std::uint64_t stream_seed(const KvRequest& request, int stream) {
  return workloads::seed_of(static_cast<int>(2 * request.seed) + stream);
}

void add_latencies(nlohmann::json& metrics, const std::string& name, const LatencyHistogram& latency) {
  if (latency.count() == 0) return;  // 0 ns would be a lie
  metrics[name + "_p50_ns"] = latency.percentile(0.50);
  metrics[name + "_p99_ns"] = latency.percentile(0.99);
  metrics[name + "_p999_ns"] = latency.percentile(0.999);
  metrics[name + "_max_ns"] = latency.max();
}

class Load {
 public:
  Load(const KvRequest& request, std::uint16_t port);
  ~Load() { close(epoll_); }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  void run();
  nlohmann::json metrics() const;

 private:
  void send_due();
  void draw_next_due() { next_due_ = start_ + arrivals_.next(); }
  Request draw_request();
  void wait();
  void receive(Lane& lane);
  void check_patience() const;
  bool more_is_due() const { return next_due_ < end_; }

  const KvRequest& request_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  int epoll_;
  Arrivals arrivals_;
  workloads::Random random_;                // keys, and which requests write
  std::vector<std::uint32_t> last_writes_;  // of each key
  std::uint32_t writes_ = 0;
  Clock::time_point start_, end_, next_due_;
  Clock::time_point last_progress_;  // the last answer, or the first request since there was nothing to answer
  std::uint64_t unanswered_ = 0;
  LatencyHistogram latency_, sent_late_;
};

Load::Load(const KvRequest& request, std::uint16_t port)
    : request_(request),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      arrivals_(request.arrivals, request.rate, stream_seed(request, 0)),
      random_(stream_seed(request, 1)),
      last_writes_(key_count(request)) {
  for (int i = 0; i < request.connections; ++i) {
    Lane& lane = *lanes_.emplace_back(std::make_unique<Lane>(port, static_cast<std::size_t>(request.value)));
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLET;  // both are done until nothing is left
    event.data.ptr = &lane;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, lane.descriptor(), &event) != 0)
      throw std::system_error(errno, std::generic_category(), "kv: epoll_ctl");
  }
}

void Load::run() {
  start_ = last_progress_ = Clock::now();
  end_ = start_ + std::chrono::duration_cast<nanoseconds>(std::chrono::duration<double>(request_.seconds));
  draw_next_due();
  while (more_is_due() || unanswered_ > 0) {
    send_due();
    wait();
    check_patience();
  }
}

void Load::send_due() {
  Clock::time_point now = Clock::now();
  for (int sent = 0; sent < kBatch && next_due_ <= now && more_is_due(); ++sent, draw_next_due()) {
    if (unanswered_++ == 0) last_progress_ = now;
    sent_late_.record(static_cast<std::uint64_t>((now - next_due_).count()));
    const Request request = draw_request();
    Lane& lane = *lanes_[request.key % lanes_.size()];
    lane.add(request);
    lane.send();
    now = Clock::now();
  }
}

Request Load::draw_request() {
  const auto key = static_cast<std::uint32_t>(random_.below(last_writes_.size()));
  const bool is_set = draw_unit(random_) < request_.writes;
  if (is_set) last_writes_[key] = ++writes_;
  return {.due = next_due_, .key = key, .write = last_writes_[key], .is_set = is_set};
}

// For answers, until the next request is due.
void Load::wait() {
  const nanoseconds left = more_is_due() ? next_due_ - Clock::now() : nanoseconds(std::chrono::seconds(1));
  const auto ns = std::max<nanoseconds::rep>(left.count(), 0);
  const timespec timeout{.tv_sec = ns / 1'000'000'000, .tv_nsec = ns % 1'000'000'000};
  std::array<epoll_event, 64> events;
  const int ready = epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &timeout, nullptr);
  if (ready < 0 && errno != EINTR) throw std::system_error(errno, std::generic_category(), "kv: epoll_pwait2");
  for (int i = 0; i < ready; ++i) {
    Lane& lane = *static_cast<Lane*>(events[static_cast<std::size_t>(i)].data.ptr);
    receive(lane);
    lane.send();
  }
}

void Load::receive(Lane& lane) {
  lane.receive([this](const Request& answered) {
    last_progress_ = Clock::now();
    latency_.record(static_cast<std::uint64_t>((last_progress_ - answered.due).count()));
    --unanswered_;
  });
}

void Load::check_patience() const {
  if (unanswered_ == 0 || Clock::now() - last_progress_ < kPatience) return;
  throw std::runtime_error(
      fmt::format("kv: the server has not answered for {} s; {} requests wait", kPatience.count(), unanswered_));
}

nlohmann::json Load::metrics() const {
  // The load lasts to its end even when the last request was due, and answered, before.
  const std::chrono::duration<double> took = std::max(last_progress_, end_) - start_;
  nlohmann::json metrics = {{"requests", latency_.count()},
                            {"writes", writes_},
                            {"requests_per_second", static_cast<double>(latency_.count()) / took.count()}};
  add_latencies(metrics, "request_latency", latency_);
  add_latencies(metrics, "sent_late", sent_late_);
  return metrics;
}

}  // namespace

// On a thread of its own: its timers fire when they are due, not up to 50 us later, and children that the process
// starts afterwards do not inherit that.
nlohmann::json run_load(const KvRequest& request, std::uint16_t port) {
  return std::async(std::launch::async,
                    [&] {
                      prctl(PR_SET_TIMERSLACK, 1);
                      Load load(request, port);
                      load.run();
                      return load.metrics();
                    })
      .get();
}

}  // namespace lab::kv_load
