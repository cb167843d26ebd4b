// Four goroutines turn and rebuild random parts of quadtrees, a complete one of depth 9 each: 67 MB live.
#include "workloads/quads.h"

#include "bench/harness.h"

namespace bench {
namespace {

void quads(const Recorder& recorder) {
  const int less = recorder.scaled(1000) < 500 ? 3 : 0;
  const workloads::Quads shape{.depth = 9 - less, .goroutines = 4, .rounds = 300, .turns = 200};
  workloads::QuadsResult result;
  recorder.whole("quads", shape.depth, [&] { result = workloads::quads(shape); });
  recorder.record_checksum("quads", result.checksum + static_cast<std::uint64_t>(result.nodes));
}

const Register kQuads(Case{"quads", quads});

}  // namespace
}  // namespace bench
