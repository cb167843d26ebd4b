#include "runtime/seam/unhandled.h"

#include <exception>

#include "runtime/seam/goroutine.h"
#include "runtime/seam/registry.h"
#include "tandem/runtime.h"

namespace tandem::seam {

bool handles_unhandled() { return registry.options->on_unhandled != nullptr; }

void report_unhandled(const Goroutine& goroutine) {
  registry.options->on_unhandled(
      {goroutine.id, goroutine.name != nullptr ? goroutine.name : "", std::current_exception()});
}

}  // namespace tandem::seam
