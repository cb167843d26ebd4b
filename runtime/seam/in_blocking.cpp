#include "runtime/seam/in_blocking.h"

#include "runtime/base/assert.h"

namespace tandem::seam {

void fatal_in_blocking(const char* operation) {
  base::fatal(
      "%s was called inside the f of blocking(f), where the goroutine has no processor: f must not call this library",
      operation);
}

}  // namespace tandem::seam
