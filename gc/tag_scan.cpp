#include "gc/tag_scan.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace tandem::gc {

namespace {

// Both by acquire: the tag pairs with the constructor of the Local, the reference with an assignment, which another goroutine
// may be making (detail::store_local). Whichever of two values is read, the barrier of the assignment shades the new one.
TANDEM_RAW_SCAN void check_word(std::uintptr_t address, FoundRoot found, void* context) {
  if (__atomic_load_n(reinterpret_cast<const std::uintptr_t*>(address), __ATOMIC_ACQUIRE) == ~address)
    found(context, __atomic_load_n(reinterpret_cast<const std::uintptr_t*>(address + 8), __ATOMIC_ACQUIRE));
}

#if defined(__x86_64__)
// Four words a step: compares them with the complements of their addresses, which go down by 32 each step.
__attribute__((target("avx2"))) TANDEM_RAW_SCAN void scan_avx2(std::uintptr_t from, std::uintptr_t to, FoundRoot found,
                                                               void* context) {
  std::uintptr_t address = from;
  const auto tag = static_cast<long long>(~address);
  __m256i tags = _mm256_set_epi64x(tag - 24, tag - 16, tag - 8, tag);
  const __m256i step = _mm256_set1_epi64x(32);
  for (; address + 32 <= to; address += 32) {
    const __m256i words = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(address));
    int hits = _mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpeq_epi64(words, tags)));
    for (; hits != 0; hits &= hits - 1)
      check_word(address + 8 * static_cast<unsigned>(__builtin_ctz(static_cast<unsigned>(hits))), found, context);
    tags = _mm256_sub_epi64(tags, step);
  }
  for (; address < to; address += 8) check_word(address, found, context);
}
#endif

}  // namespace

TANDEM_RAW_SCAN void scan_tagged_slots_scalar(std::uintptr_t from, std::uintptr_t to, FoundRoot found, void* context) {
  for (std::uintptr_t address = from; address < to; address += 8)
    if (*reinterpret_cast<const volatile std::uintptr_t*>(address) == ~address) check_word(address, found, context);
}

void scan_tagged_slots(std::uintptr_t from, std::uintptr_t to, FoundRoot found, void* context) {
#if defined(__x86_64__)
  static const bool has_avx2 = __builtin_cpu_supports("avx2");
  if (has_avx2) return scan_avx2(from, to, found, context);
#endif
  scan_tagged_slots_scalar(from, to, found, context);
}

}  // namespace tandem::gc
