#include "runtime/base/os_thread.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <system_error>

#include "runtime/base/assert.h"

namespace tandem::base {
namespace {

struct Start {
  char name[16];
  std::function<void()> body;
};

void* run_body(void* argument) noexcept {
  std::unique_ptr<Start> start(static_cast<Start*>(argument));
  pthread_setname_np(pthread_self(), start->name);
  start->body();
  return nullptr;
}

}  // namespace

Thread::~Thread() { TANDEM_CHECK(!started_, "a thread must be joined before its object is destroyed"); }

void Thread::start(const char* name, std::function<void()> body, std::size_t stack_bytes) {
  TANDEM_CHECK(!started_, "this thread object already runs a thread");
  auto start = std::make_unique<Start>();
  std::snprintf(start->name, sizeof start->name, "%s", name);
  start->body = std::move(body);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  int error = pthread_attr_setstacksize(&attributes, stack_bytes);
  if (error == 0) error = pthread_create(&handle_, &attributes, run_body, start.get());
  pthread_attr_destroy(&attributes);
  if (error != 0) throw std::system_error(error, std::generic_category(), std::string("cannot start thread ") + name);
  static_cast<void>(start.release());  // the thread owns it
  started_ = true;
}

void Thread::join() noexcept {
  TANDEM_CHECK(started_, "join needs a started thread");
  pthread_join(handle_, nullptr);
  started_ = false;
}

std::uint32_t usable_cpus() noexcept {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return std::max(static_cast<std::uint32_t>(CPU_COUNT(&set)), 1u);
}

void prefer_to_run_at_once() noexcept {
  // struct sched_attr of linux/sched/types.h, which cannot be included together with glibc's <sched.h>.
  struct {
    std::uint32_t size, policy;
    std::uint64_t flags;
    std::int32_t nice;
    std::uint32_t priority;
    std::uint64_t runtime_ns, deadline_ns, period_ns;
  } attributes{};
  attributes.size = sizeof attributes;
  attributes.policy = SCHED_OTHER;
  attributes.runtime_ns = 100'000;  // the shortest slice that the kernel grants
  ::syscall(SYS_sched_setattr, 0, &attributes, 0);
}

}  // namespace tandem::base
