#include "runtime/base/backtrace.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <cxxabi.h>
#include <dlfcn.h>
#include <pthread.h>
#include <ucontext.h>
#include <unistd.h>

#include "runtime/base/bits.h"

namespace tandem::base {
namespace {

// What the frame pointer points to, on both x86-64 and aarch64.
struct FrameRecord {
  const FrameRecord* caller;
  void* return_address;
};

bool lies_on_stack(const void* frame, std::uintptr_t low, std::uintptr_t high) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(frame);
  return is_aligned(frame, sizeof(void*)) && address >= low && address < high && high - address >= sizeof(FrameRecord);
}

void write_all(int descriptor, const char* text, std::size_t length) noexcept {
  while (length > 0) {
    const ssize_t written = ::write(descriptor, text, length);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text += written;
    length -= static_cast<std::size_t>(written);
  }
}

void print_frame(int descriptor, std::size_t index, void* pc, bool is_return_address, Names names) noexcept {
  // A return address may be the first one of the next function; the call is before it.
  auto* lookup = static_cast<char*>(pc) - (is_return_address ? 1 : 0);
  char line[1024];
  int length = 0;
  Dl_info info{};
  if (::dladdr(lookup, &info) == 0) {
    length = std::snprintf(line, sizeof line, "  #%-2zu %p\n", index, pc);
  } else {
    char* demangled = nullptr;
    int status = -1;
    if (names == Names::demangled && info.dli_sname != nullptr) {
      demangled = abi::__cxa_demangle(info.dli_sname, nullptr, nullptr, &status);
    }
    const char* name = demangled != nullptr ? demangled : info.dli_sname != nullptr ? info.dli_sname : "??";
    const char* slash = info.dli_fname != nullptr ? std::strrchr(info.dli_fname, '/') : nullptr;
    const char* module = slash != nullptr ? slash + 1 : info.dli_fname != nullptr ? info.dli_fname : "??";
    const auto offset = [&](const void* start) {
      return static_cast<std::size_t>(static_cast<char*>(pc) - static_cast<const char*>(start));
    };
    length = info.dli_saddr != nullptr
                 ? std::snprintf(line, sizeof line, "  #%-2zu %.900s+0x%zx (%.64s+0x%zx)\n", index, name,
                                 offset(info.dli_saddr), module, offset(info.dli_fbase))
                 : std::snprintf(line, sizeof line, "  #%-2zu %s (%.64s+0x%zx)\n", index, name, module,
                                 offset(info.dli_fbase));
    std::free(demangled);
  }
  if (length <= 0) return;
  const auto printed = static_cast<std::size_t>(length);
  write_all(descriptor, line, printed < sizeof line ? printed : sizeof line - 1);
}

}  // namespace

FramePosition interrupted_frame(const void* ucontext) noexcept {
  const auto& registers = static_cast<const ucontext_t*>(ucontext)->uc_mcontext;
#if defined(__x86_64__)
  return {reinterpret_cast<void*>(registers.gregs[REG_RBP]), reinterpret_cast<void*>(registers.gregs[REG_RIP])};
#elif defined(__aarch64__)
  return {reinterpret_cast<void*>(registers.regs[29]), reinterpret_cast<void*>(registers.pc)};
#endif
}

void* interrupted_stack_pointer(const void* ucontext) noexcept {
  const auto& registers = static_cast<const ucontext_t*>(ucontext)->uc_mcontext;
#if defined(__x86_64__)
  return reinterpret_cast<void*>(registers.gregs[REG_RSP]);
#elif defined(__aarch64__)
  return reinterpret_cast<void*>(registers.sp);
#endif
}

// The sanitizers do not know that other frames' words are read here.
__attribute__((no_sanitize("address"), no_sanitize("thread"))) std::size_t capture_backtrace(
    FramePosition from, const void* low, const void* high, void** pcs, std::size_t capacity) noexcept {
  auto bound = reinterpret_cast<std::uintptr_t>(low);
  const auto end = reinterpret_cast<std::uintptr_t>(high);
  std::size_t count = 0;
  if (from.pc != nullptr && count < capacity) pcs[count++] = const_cast<void*>(from.pc);
  const auto* frame = static_cast<const FrameRecord*>(from.frame);
  while (count < capacity && lies_on_stack(frame, bound, end)) {
    if (frame->return_address == nullptr) break;
    pcs[count++] = frame->return_address;
    bound = reinterpret_cast<std::uintptr_t>(frame) + sizeof(FrameRecord);  // callers lie above: no cycles
    frame = frame->caller;
  }
  return count;
}

bool thread_stack_bounds(const void** low, const void** high) noexcept {
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return false;
  void* address = nullptr;
  std::size_t bytes = 0;
  const bool known = pthread_attr_getstack(&attributes, &address, &bytes) == 0;
  pthread_attr_destroy(&attributes);
  *low = address;
  *high = static_cast<char*>(address) + bytes;
  return known;
}

void print_backtrace(int descriptor, void* const* pcs, std::size_t count, Names names) noexcept {
  const int saved_errno = errno;
  for (std::size_t index = 0; index < count; ++index) print_frame(descriptor, index, pcs[index], index > 0, names);
  errno = saved_errno;
}

}  // namespace tandem::base
