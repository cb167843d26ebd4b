// Values that are allowed each by itself, but not together.
#include "runtime/boot/options.h"
#include "tandem/runtime.h"

namespace tandem::boot {

namespace {

struct Rule {
  bool (*broken)(const Options& options);
  const char* complaint;
};

constexpr Rule kRules[] = {
    {[](const Options& o) {
       return o.barrier == Options::WriteBarrier::none && o.stop != Options::Stop::stop_the_world;
     },
     "barrier = none needs stop = stop_the_world: while goroutines run beside the marking, a store that nothing "
     "notices hides "
     "objects from it"},
    {[](const Options& o) { return o.seed != 0 && o.mark_executor != Options::MarkExecutor::scheduler; },
     "a seed needs mark_executor = scheduler: threads that mark beside the schedule have a say in it"},
    {[](const Options& o) { return o.seed != 0 && !o.mark_idle; },
     "a seed needs mark_idle = on: quanta are handed out by real time, and time is virtual"},
    {[](const Options& o) {
       return o.collector == Options::Collector::boehm &&
              (o.barrier != Options::WriteBarrier::hybrid || o.roots != Options::Roots::precise ||
               o.roots_by != Options::RootsBy::first_claim || o.mark_executor != Options::MarkExecutor::scheduler ||
               o.mark_order != Options::MarkOrder::prefetch || o.sweep != Options::Sweep::lazy_and_background);
     },
     "collector = boehm stops the world and marks and sweeps in bdwgc's own way: leave roots, roots_by, barrier, "
     "mark_executor, mark_order and sweep at their defaults"},
    {[](const Options& o) {
       return o.collector == Options::Collector::boehm && (o.verify_after_mark || o.poison_freed);
     },
     "verify_after_mark and poison_freed look into the library's own heap: collector = boehm has another one"},
};

}  // namespace

std::string combination_complaint(const Options& options) {
  for (const Rule& rule : kRules)
    if (rule.broken(options)) return rule.complaint;
  return {};
}

}  // namespace tandem::boot
