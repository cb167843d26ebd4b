// run(): the only place that knows all parts. Builds them, plugs the ports into the registry, runs main as
// the first goroutine and takes everything apart again, in the opposite order, whether or not it came to run.
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <exception>
#include <memory>
#include <stdexcept>
#include <system_error>

#include <tandem/runtime.h>

#include "gc/boehm/boehm_collector.h"
#include "gc/collector.h"
#include "gc/counters.h"
#include "netpoll/poller.h"
#include "runtime/base/assert.h"
#include "runtime/boot/active_run.h"
#include "runtime/boot/null_fault.h"
#include "runtime/boot/options.h"
#include "runtime/boot/sched_trace.h"
#include "runtime/boot/trace.h"
#include "runtime/seam/phase.h"
#include "runtime/seam/registry.h"
#include "sched/scheduler.h"

namespace tandem::boot {

namespace {

using seam::registry;

std::atomic<bool> run_in_progress{false};

// Refuses a second run while one is in progress, and lets the next one in when it is over.
class OneRun {
 public:
  OneRun() {
    if (detail::current_goroutine() != nullptr)
      throw std::logic_error("tandem::run: called inside a goroutine; start further goroutines with tandem::go");
    // Acquire, and release below: this run finds what the last one left as that one left it.
    if (run_in_progress.exchange(true, std::memory_order_acquire))
      throw std::logic_error("tandem::run: another thread is running the runtime; it can be run again afterwards");
  }
  ~OneRun() { run_in_progress.store(false, std::memory_order_release); }
  OneRun(const OneRun&) = delete;
  OneRun& operator=(const OneRun&) = delete;
};

// main, and what became of it.
struct FirstGoroutine {
  int (*invoke)(void* closure);
  void* closure;
  int result = 0;
  std::exception_ptr exception = nullptr;

  static void run(void* argument) {
    auto& self = *static_cast<FirstGoroutine*>(argument);
    try {
      self.result = self.invoke(self.closure);
    } catch (...) {
      self.exception = std::current_exception();
    }
  }
  static void destroy(void*) noexcept {}  // it lives in run_erased
};
constexpr seam::ClosureOperations kFirstGoroutine{&FirstGoroutine::run, &FirstGoroutine::destroy};

/// io_uring is refused by many a container and a kernel's administrator: no reason not to run.
std::unique_ptr<netpoll::Poller> make_poller(Options::Poller which) {
#if defined(TANDEM_HAS_LIBURING)
  if (which == Options::Poller::io_uring) {
    try {
      return netpoll::make_uring_poller();
    } catch (const std::system_error& error) {
      std::fprintf(stderr, "tandem: poller = io_uring is not available here (%s): epoll is used\n", error.what());
    }
  }
#endif
  return netpoll::make_epoll_poller();
}

class Runtime {
 public:
  explicit Runtime(const Options& options)
      : options_(options), processors_(std::make_unique<seam::Processor[]>(options.processors)) {
    try {
      plug();
    } catch (...) {
      unplug();
      throw;
    }
  }
  ~Runtime() { unplug(); }
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  void run(FirstGoroutine& first) {
    scheduler_.run_first(kFirstGoroutine, &first);
    if (!options_.trace.empty()) write_trace_of_run(options_, trace_);
  }

 private:
  void plug() {
    TANDEM_CHECK(seam::current_phase() == seam::Phase::kIdle, "the last run ended in the middle of a collection");
    for (std::uint32_t index = 0; index < options_.processors; ++index) processors_[index].index = index;
    registry.options = &options_;
    record();
    registry.processors = processors_.get();
    registry.processor_count = options_.processors;
    registry.goroutines.initialise();
    registry.handshake.reset(options_.processors, options_.handshake_every_poll);
    // With this zeal there is always something to look for at a poll.
    if (options_.handshake_every_poll) detail::global_words.poll.fetch_add(1, std::memory_order_relaxed);
    registry.world_stop.reset();
    poller_ = make_poller(options_.poller);
    registry.poller = poller_.get();
    gc::counters.begin_run(options_.processors);
    start_collector();
    collector_started_ = true;
    registry.scheduler = &scheduler_;
    install_null_fault_handler();
    faults_handled_ = true;
    scheduler_.start();
    {
      const std::lock_guard guard(active_run.lock);
      active_run.options = &options_;
      active_run.trace = trace_;
    }
    sched_trace_.start(options_.schedtrace);
  }

  void record() {
    trace_ = make_trace(options_);
    registry.trace = trace_.get();
    if (trace_ == nullptr) return;
    for (std::uint32_t index = 0; index < options_.processors; ++index) processors_[index].trace = &trace_->ring(index);
  }

  // Undoes as much of plug() as was done.
  void unplug() noexcept {
    sched_trace_.stop();
    forget_active_run();
    scheduler_.stop();
    if (faults_handled_) remove_null_fault_handler();
    if (collector_started_) stop_collector();
    detail::global_words.poll.store(0, std::memory_order_relaxed);  // requests posted after the last worker had gone
    registry.options = nullptr;
    registry.trace = nullptr;
    registry.scheduler = nullptr;
    registry.collector = nullptr;
    registry.poller = nullptr;
    poller_.reset();
    registry.processors = nullptr;
    registry.processor_count = 0;
  }

  void start_collector() {
#if defined(TANDEM_HAS_BDWGC)
    if (options_.collector == Options::Collector::boehm) {
      registry.collector = &gc::boehm::the_collector();
      return gc::boehm::the_collector().start(options_);
    }
#endif
    registry.collector = &gc::the_collector();
    gc::the_collector().start(options_);
  }

  void stop_collector() noexcept {
#if defined(TANDEM_HAS_BDWGC)
    if (options_.collector == Options::Collector::boehm) return gc::boehm::the_collector().stop();
#endif
    gc::the_collector().stop();
  }

  void forget_active_run() noexcept {
    const std::lock_guard guard(active_run.lock);
    if (active_run.options == nullptr) return;
    active_run.options = nullptr;
    active_run.trace.reset();
    try {
      active_run.last_statistics = gather_statistics();
    } catch (const std::bad_alloc&) {
      active_run.last_statistics = {};
    }
  }

  const Options options_;
  const std::unique_ptr<seam::Processor[]> processors_;
  std::shared_ptr<seam::Trace> trace_;
  std::unique_ptr<netpoll::Poller> poller_;
  sched::Scheduler scheduler_;
  SchedTrace sched_trace_;
  bool collector_started_ = false;
  bool faults_handled_ = false;
};

}  // namespace

constinit ActiveRun active_run;

}  // namespace tandem::boot

namespace tandem {

std::string options_as_text() {
  {
    const std::lock_guard guard(boot::active_run.lock);
    if (boot::active_run.options != nullptr) return boot::text_of(*boot::active_run.options);
  }
  return boot::text_of(boot::resolve_options(Options{}, environ));
}

namespace detail {

int run_erased(const Options& options, int (*invoke)(void* closure), void* closure) {
  boot::OneRun only;
  boot::FirstGoroutine first{invoke, closure};
  {
    boot::Runtime runtime(boot::resolve_options(options, environ));
    runtime.run(first);
  }
  // After everything else has ended: what the exception's destructor does must not meet a running runtime.
  if (first.exception) std::rethrow_exception(first.exception);
  return first.result;
}

}  // namespace detail
}  // namespace tandem
