#include "runtime/context/cxx_state.h"

#include <cerrno>
#include <cxxabi.h>

namespace tandem::context {

CxxThreadState CxxThreadState::of_this_thread() noexcept {
  asm volatile("" ::: "memory");  // not a pure function: the answer depends on the thread
  return {abi::__cxa_get_globals(), &errno};
}

}  // namespace tandem::context
