#pragma once
// Cell sizes of the managed heap. A block of 64 KiB holds cells of one size; what is larger than half a block has a run of
// blocks of its own.

#include <array>
#include <cstddef>
#include <cstdint>

namespace tandem::detail {

inline constexpr std::size_t kBlockBytes = 64 * 1024;
inline constexpr std::size_t kCellAlignment = 16;

/// Steps of 16 bytes up to 128, then four steps a doubling (at most 20 % lost inside a cell); above 4 KiB the sizes that
/// divide a block best.
inline constexpr std::array<std::uint32_t, 36> kCellBytes = {
    16,  32,   48,   64,   80,   96,   112,  128,  160,  192,  224,  256,  320,  384,  448,   512,   640,   768,
    896, 1024, 1280, 1536, 1792, 2048, 2560, 3072, 3584, 4096, 5456, 6544, 8192, 9360, 10912, 16384, 21840, 32768};
inline constexpr std::uint32_t kSizeClasses = kCellBytes.size();
inline constexpr std::size_t kLargestCellBytes = kCellBytes.back();

/// Smallest class whose cells hold `bytes` aligned to `alignment` (a power of two); kSizeClasses when there is none.
constexpr std::uint32_t size_class_for(std::size_t bytes, std::size_t alignment = kCellAlignment) {
  for (std::uint32_t c = 0; c < kSizeClasses; ++c)
    if (kCellBytes[c] >= bytes && kCellBytes[c] % alignment == 0) return c;
  return kSizeClasses;
}

/// The same at run time, by table: index is the size in units of 16 bytes, rounded up.
std::uint32_t size_class_lookup(std::size_t bytes);

}  // namespace tandem::detail
