#include "lab/columns.h"

#include <array>

namespace lab {
namespace {

using enum Aggregate;

constexpr const char* kSafepoint = "time to safepoint";
constexpr const char* kRequest = "request latency";
constexpr const char* kLate = "sent late";
constexpr const char* kQuery = "query latency";
constexpr const char* kReplacing = "replacing an entry";
constexpr const char* kSleeper = "1 ms sleeper late";
constexpr const char* kGap = "longest gap";

constexpr std::array kColumns{
    Column{"", "documents/s", "documents_per_second", Unit::count, median},
    Column{"", "requests/s", "requests_per_second", Unit::count, median},
    Column{"", "allocated/s", "payload_bytes_per_second", Unit::bytes, median},
    Column{"", "wall", "wall_ns", Unit::nanoseconds, median},
    Column{"", "live heap", "live_bytes", Unit::bytes, median},
    Column{"", "peak RSS", "peak_rss_bytes", Unit::bytes, median},
    Column{"", "cycles", "cycles", Unit::count, median},
    Column{"", "longest stop", "longest_all_stopped_ns", Unit::nanoseconds, maximum},
    Column{kSafepoint, "p50", "time_to_safepoint_p50_ns", Unit::nanoseconds, median},
    Column{kSafepoint, "p99", "time_to_safepoint_p99_ns", Unit::nanoseconds, median},
    Column{kSafepoint, "max", "time_to_safepoint_max_ns", Unit::nanoseconds, maximum},
    Column{kQuery, "p50", "query_latency_p50_ns", Unit::nanoseconds, median},
    Column{kQuery, "p99", "query_latency_p99_ns", Unit::nanoseconds, median},
    Column{kQuery, "p99.9", "query_latency_p999_ns", Unit::nanoseconds, median},
    Column{kQuery, "max", "query_latency_max_ns", Unit::nanoseconds, maximum},
    Column{kRequest, "p50", "request_latency_p50_ns", Unit::nanoseconds, median},
    Column{kRequest, "p99", "request_latency_p99_ns", Unit::nanoseconds, median},
    Column{kRequest, "p99.9", "request_latency_p999_ns", Unit::nanoseconds, median},
    Column{kRequest, "max", "request_latency_max_ns", Unit::nanoseconds, maximum},
    Column{kLate, "p99", "sent_late_p99_ns", Unit::nanoseconds, median},
    Column{kLate, "max", "sent_late_max_ns", Unit::nanoseconds, maximum},
    Column{"", "CPU/request", "request_cpu_ns", Unit::nanoseconds, median},
    Column{kReplacing, "p50", "replacing_p50_ns", Unit::nanoseconds, median},
    Column{kReplacing, "p99", "replacing_p99_ns", Unit::nanoseconds, median},
    Column{kReplacing, "max", "replacing_max_ns", Unit::nanoseconds, maximum},
    Column{kSleeper, "p50", "sleeper_late_p50_ns", Unit::nanoseconds, median},
    Column{kSleeper, "p99", "sleeper_late_p99_ns", Unit::nanoseconds, median},
    Column{kSleeper, "max", "sleeper_late_max_ns", Unit::nanoseconds, maximum},
    Column{kGap, "own", "gap_own_max_ns", Unit::nanoseconds, maximum},
    Column{kGap, "all", "gap_all_max_ns", Unit::nanoseconds, maximum},
    Column{"", "GC CPU", "collector_cpu_share", Unit::share, median},
};

}  // namespace

std::span<const Column> columns() { return kColumns; }

}  // namespace lab
