#include "sched/unhandled.h"

#include <cstdio>
#include <cxxabi.h>
#include <exception>
#include <typeinfo>

#include "runtime/base/backtrace.h"
#include "runtime/seam/goroutine.h"
#include "sched/dump.h"
#include "tandem/cancelled.h"

namespace tandem::sched {

namespace {

std::terminate_handler previous = nullptr;

/// Calls print(type name, what) with what can be said about the exception being handled.
void describe_exception(std::FILE* file) {
  const std::type_info* const type = abi::__cxa_current_exception_type();
  if (type == nullptr) return;
  int status = 0;
  char* const name = abi::__cxa_demangle(type->name(), nullptr, nullptr, &status);
  std::fprintf(file, " by an exception of type %s", status == 0 ? name : type->name());
  std::free(name);
  try {
    throw;
  } catch (const std::exception& exception) {
    std::fprintf(file, ": %s", exception.what());
  } catch (...) {
  }
}

void terminate_goroutine() {
  if (const Goroutine* const self = seam::current_goroutine()) {
    void* pcs[base::kBacktraceFramesMax];
    const std::size_t count = base::capture_backtrace(base::current_frame(), self->stack.low, self->stack_base, pcs,
                                                      base::kBacktraceFramesMax);
    std::fflush(stdout);
    std::fprintf(stderr, "fatal: %s was terminated", GoroutineTitle(*self).text);
    describe_exception(stderr);
    std::fprintf(stderr, "\n");
    std::fflush(stderr);
    base::print_backtrace(2, pcs, count);
  }
  if (previous != nullptr) previous();
  std::abort();
}

}  // namespace

void install_terminate_handler() { previous = std::set_terminate(&terminate_goroutine); }

void remove_terminate_handler() {
  if (std::get_terminate() == &terminate_goroutine) std::set_terminate(previous);
}

}  // namespace tandem::sched
