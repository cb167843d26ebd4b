#include "runtime/context/sanitizers.h"

#if defined(TANDEM_ADDRESS_SANITIZER)

#include <cstdint>
#include <pthread.h>

#include "runtime/base/assert.h"

namespace tandem::context {

// `attributes` is a local whose address is taken, as a Local<T> is: if it does not lie on the stack, no root will.
void current_thread_stack(const void** low, std::size_t* bytes) noexcept {
  pthread_attr_t attributes;
  void* address = nullptr;
  TANDEM_CHECK(pthread_getattr_np(pthread_self(), &attributes) == 0, "cannot learn this thread's stack bounds");
  pthread_attr_getstack(&attributes, &address, bytes);
  pthread_attr_destroy(&attributes);
  *low = address;
  if (reinterpret_cast<std::uintptr_t>(&attributes) - reinterpret_cast<std::uintptr_t>(address) >= *bytes)
    base::fatal(
        "AddressSanitizer moves local variables to a heap of its own, where the collector does not look for roots: run "
        "the program with ASAN_OPTIONS=detect_stack_use_after_return=0");
}

}  // namespace tandem::context

#endif
