// The fields of Options, each once: name, range, what this build offers. Parsing, checking, printing and the
// list of known environment variables all come from here; only on_unhandled, which has no text, is missing.
#include <vector>

#include "runtime/boot/option_kinds.h"
#include "runtime/boot/options.h"

namespace tandem::boot {

namespace {

constexpr std::uint64_t kKiB = std::uint64_t{1} << 10;
constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;
constexpr std::int64_t kHourMs = 3'600'000;
constexpr bool kOffered = true;
#if defined(TANDEM_HAS_TBB)
constexpr bool kHasTbb = true;
#else
constexpr bool kHasTbb = false;
#endif
#if defined(TANDEM_HAS_LIBURING)
constexpr bool kHasLiburing = true;
#else
constexpr bool kHasLiburing = false;
#endif
#if defined(TANDEM_HAS_BDWGC)
constexpr bool kHasBdwgc = true;
#else
constexpr bool kHasBdwgc = false;
#endif

class Table {
 public:
  Table() {
    add_program_options();
    add_reports();
    add_policies();
    add_zeal();
  }
  std::span<const OptionFieldPointer> fields() const { return fields_; }

 private:
  template <typename T, typename... More>
  void integer(const char* name, T Options::* field, T least, T most, More... also) {
    fields_.push_back(std::make_unique<IntegerOption<T>>(name, field, least, most, std::vector<Also>{also...}));
  }
  template <typename E>
  void names(const char* name, E Options::* field, std::vector<typename EnumOption<E>::Name> values) {
    fields_.push_back(std::make_unique<EnumOption<E>>(name, field, std::move(values)));
  }
  template <typename... Arguments>
  void bytes(Arguments... arguments) {
    fields_.push_back(std::make_unique<BytesOption>(arguments...));
  }
  template <typename... Arguments>
  void duration(Arguments... arguments) {
    fields_.push_back(std::make_unique<DurationOption>(arguments...));
  }
  template <typename... Arguments>
  void on_off(Arguments... arguments) {
    fields_.push_back(std::make_unique<SwitchOption>(arguments...));
  }

  void add_program_options() {
    integer("processors", &Options::processors, std::uint32_t{1}, kMaxProcessors,
            Also{0, "the CPUs this process may use"});
    using Collector = Options::Collector;
    names("collector", &Options::collector,
          {{Collector::concurrent, "concurrent", kOffered},
           {Collector::boehm, "boehm", kHasBdwgc},
           {Collector::none, "none", kOffered}});
    integer("gc_percent", &Options::gc_percent, 5, 10000, Also{-1, "not by growth"});
    bytes("memory_limit", &Options::memory_limit, kMiB, 65536 * kGiB, "no limit");
    bytes("stack_size_max", &Options::stack_size_max, 64 * kKiB, kGiB);
    using Poller = Options::Poller;
    names("poller", &Options::poller,
          {{Poller::automatic, "automatic", kOffered},
           {Poller::epoll, "epoll", kOffered},
           {Poller::io_uring, "io_uring", kHasLiburing}});
    integer("seed", &Options::seed, std::uint64_t{0}, ~std::uint64_t{0});
    duration("shutdown_grace", &Options::shutdown_grace, 0, kHourMs);
    bytes("first_stack_size_max", &Options::first_stack_size_max, 64 * kKiB, kGiB);
  }

  void add_reports() {
    duration("safepoint_report", &Options::safepoint_report, 0, kHourMs, "off");
    on_off("gctrace", &Options::gctrace);
    bytes("heap_profile_rate", &Options::heap_profile_rate, 1, kGiB, "off");
    duration("schedtrace", &Options::schedtrace, 0, kHourMs, "off");
    fields_.push_back(std::make_unique<PathOption>("trace", &Options::trace));
    bytes("trace_buffer", &Options::trace_buffer, 64 * kKiB, 16 * kGiB, "32M with trace, else off");
  }

  void add_policies() {
    using Stop = Options::Stop;
    names("stop", &Options::stop,
          {{Stop::ragged, "ragged", kOffered}, {Stop::stop_the_world, "stop_the_world", kOffered}});
    using RootsBy = Options::RootsBy;
    names("roots_by", &Options::roots_by,
          {{RootsBy::first_claim, "first_claim", kOffered},
           {RootsBy::owner, "owner", kOffered},
           {RootsBy::worker, "worker", kOffered}});
    using Roots = Options::Roots;
    names("roots", &Options::roots,
          {{Roots::precise, "precise", kOffered}, {Roots::conservative, "conservative", kOffered}});
    using WriteBarrier = Options::WriteBarrier;
    names("barrier", &Options::barrier,
          {{WriteBarrier::hybrid, "hybrid", kOffered},
           {WriteBarrier::insertion_rescan, "insertion_rescan", kOffered},
           {WriteBarrier::none, "none", kOffered}});
    using MarkExecutor = Options::MarkExecutor;
    names("mark_executor", &Options::mark_executor,
          {{MarkExecutor::scheduler, "scheduler", kOffered},
           {MarkExecutor::tbb, "tbb", kHasTbb},
           {MarkExecutor::threads, "threads", kOffered}});
    fields_.push_back(std::make_unique<ShareOption>("mark_share", &Options::mark_share, 0.01, 0.9));
    on_off("mark_idle", &Options::mark_idle);
    on_off("mark_assist", &Options::mark_assist);
    integer("mark_assist_max_us", &Options::mark_assist_max_us, std::uint32_t{10}, std::uint32_t{1'000'000});
    using MarkOrder = Options::MarkOrder;
    names("mark_order", &Options::mark_order,
          {{MarkOrder::prefetch, "prefetch", kOffered},
           {MarkOrder::lifo, "lifo", kOffered},
           {MarkOrder::fifo, "fifo", kOffered},
           {MarkOrder::block, "block", kOffered}});
    integer("mark_prefetch", &Options::mark_prefetch, std::uint32_t{1}, std::uint32_t{64});
    using Sweep = Options::Sweep;
    names("sweep", &Options::sweep,
          {{Sweep::lazy_and_background, "lazy_and_background", kOffered},
           {Sweep::lazy, "lazy", kOffered},
           {Sweep::eager, "eager", kOffered}});
    using Pacer = Options::Pacer;
    names("pacer", &Options::pacer,
          {{Pacer::goal, "goal", kOffered}, {Pacer::fixed, "fixed", kOffered}, {Pacer::off, "off", kOffered}});
    bytes("pacer_fixed_bytes", &Options::pacer_fixed_bytes, 64 * kKiB, 1024 * kGiB);
    on_off("huge_pages", &Options::huge_pages);
    bytes("memory_ahead", &Options::memory_ahead, 2 * kMiB, kGiB, "none");
    on_off("stack_shrink", &Options::stack_shrink);
    on_off("stack_summary", &Options::stack_summary);
    integer("stack_summary_from", &Options::stack_summary_from, std::uint32_t{0}, std::uint32_t{1} << 24);
    on_off("netpoll_during_mark", &Options::netpoll_during_mark);
    duration("slice", &Options::slice, 1, 10'000);
  }

  void add_zeal() {
    integer("collect_every", &Options::collect_every, std::uint64_t{1}, ~std::uint64_t{0}, Also{0, "off"});
    on_off("verify_after_mark", &Options::verify_after_mark);
    on_off("poison_freed", &Options::poison_freed);
    on_off("handshake_every_poll", &Options::handshake_every_poll);
    on_off("yield_every_poll", &Options::yield_every_poll);
    on_off("steal_always", &Options::steal_always);
  }

  std::vector<OptionFieldPointer> fields_;
};

}  // namespace

std::span<const OptionFieldPointer> option_fields() {
  static const Table table;
  return table.fields();
}

}  // namespace tandem::boot
