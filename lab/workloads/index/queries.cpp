#include "lab/workloads/index/queries.h"

#include <mutex>
#include <random>

namespace lab::index {
namespace {

using tandem::Local;

struct GoroutineClock {
  LoadEnd::TimePoint now() const { return std::chrono::steady_clock::now(); }
  void sleep_until(LoadEnd::TimePoint time) const { tandem::sleep_until(time); }
};

// A query: in how many documents, and how often in all, does the term occur?
void look_up(const Local<Generation>& generation, const Local<tandem::String>& term, QueryResults& results) {
  const Local<Shard> shard = generation->shard(generation->shard_of(term->view()));
  const std::lock_guard guard(shard->lock);
  const Local<PostingList> list = shard->index->find(term);
  if (!list) return;
  results.found += 1;
  results.checksum += list->size() + list->occurrences();
}

}  // namespace

QueryLoad::QueryLoad(const IndexRequest& request, const Local<Service>& service, const Local<Vocabulary>& vocabulary) {
  if (request.queries_per_second <= 0 || vocabulary->size() == 0) return;
  const auto goroutines = static_cast<std::size_t>(request.query_goroutines);
  results_.resize(goroutines);
  // The goroutines take turns: each asks every `goroutines` / rate seconds, and they start 1 / rate apart.
  const std::chrono::duration<double, std::nano> apart(1e9 / request.queries_per_second);
  const auto interval = std::chrono::duration_cast<std::chrono::nanoseconds>(apart * goroutines);
  const auto now = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < goroutines; ++i) {
    const auto start = now + std::chrono::duration_cast<std::chrono::nanoseconds>(apart * (i + 1));
    group_.go([=, this] { ask(i, start, interval, service, vocabulary); });
  }
}

void QueryLoad::ask(std::size_t goroutine, LoadEnd::TimePoint start, std::chrono::nanoseconds interval,
                    const Local<Service>& service, const Local<Vocabulary>& vocabulary) {
  QueryResults& results = results_[goroutine];
  std::minstd_rand random(static_cast<std::minstd_rand::result_type>(goroutine + 1));
  GoroutineClock clock;
  run_open_loop(clock, start, interval, end_, results.latency, [&] {
    const Local<tandem::String> term = (*vocabulary)[random() % vocabulary->size()];
    look_up(service->current, term, results);
  });
}

QueryResults QueryLoad::finish() {
  end_.set(std::chrono::steady_clock::now());
  group_.wait();
  QueryResults all;
  for (const QueryResults& results : results_) {
    all.latency.merge(results.latency);
    all.found += results.found;
    all.checksum += results.checksum;
  }
  return all;
}

}  // namespace lab::index
