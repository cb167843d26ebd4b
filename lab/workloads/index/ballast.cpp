#include "lab/workloads/index/ballast.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "lab/runtime_statistics.h"
#include "lab/units.h"

namespace lab::index {
namespace {

using tandem::Local;

// Smaller indexes would need so many copies that the map of each, not its contents, were what is live.
constexpr std::uint64_t kCopyBytesMin = 16 * 1024;

}  // namespace

Local<Ballast> make_ballast(const Local<Generation>& generation, std::uint64_t live_bytes) {
  const std::uint64_t before = live_bytes_now();
  if (before >= live_bytes) return nullptr;

  Local<Ballast> ballast = tandem::make<Ballast>(generation->copy(), nullptr);
  const std::uint64_t with_one = live_bytes_now();
  if (with_one < before + kCopyBytesMin)
    throw std::runtime_error(
        fmt::format("--live-mb: the index of this input is too small ({}) to fill {} with copies of it; give "
                    "a larger input",
                    format_value(static_cast<double>(with_one - before), Unit::bytes),
                    format_value(static_cast<double>(live_bytes), Unit::bytes)));
  // Measured again and again, because what one copy takes is measured with what the processors hold for allocation: too much
  // for a small one.
  const std::uint64_t copy_bytes = with_one - before;
  for (std::uint64_t live = with_one; live + copy_bytes / 2 < live_bytes; live = live_bytes_now())
    for (std::uint64_t copies = std::max<std::uint64_t>((live_bytes - live) / copy_bytes, 1); copies > 0; --copies)
      ballast = tandem::make<Ballast>(generation->copy(), ballast);
  return ballast;
}

}  // namespace lab::index
