#include "runtime/context/sanitizers.h"

#if defined(TANDEM_ADDRESS_SANITIZER)

#include <pthread.h>

#include "runtime/base/assert.h"

namespace tandem::context {

void current_thread_stack(const void** low, std::size_t* bytes) noexcept {
  pthread_attr_t attributes;
  void* address = nullptr;
  TANDEM_CHECK(pthread_getattr_np(pthread_self(), &attributes) == 0, "cannot learn this thread's stack bounds");
  pthread_attr_getstack(&attributes, &address, bytes);
  pthread_attr_destroy(&attributes);
  *low = address;
}

}  // namespace tandem::context

#endif
