#pragma once
// Finding Locals: words that equal the complement of their own address (tandem/local.h). The next word is the reference.

#include <cstddef>
#include <cstdint>

// The scan reads whole stacks, redzones of the address sanitizer included, while their owners' closures may be under
// construction: it is exempt from both sanitizers.
#define TANDEM_RAW_SCAN __attribute__((no_sanitize("address", "thread"), noinline))

namespace tandem::gc {

/// Calls found(context, reference) for each tagged slot in [from, to). Both ends are multiples of 8. The memory may be
/// written by another goroutine meanwhile (a Local captured by reference): a tag is read by acquire, the reference after it
/// (DESIGN 13.14).
using FoundRoot = void (*)(void* context, std::uintptr_t reference);
void scan_tagged_slots(std::uintptr_t from, std::uintptr_t to, FoundRoot found, void* context);

/// The portable form; the one above picks AVX2 where the processor has it. For tests.
void scan_tagged_slots_scalar(std::uintptr_t from, std::uintptr_t to, FoundRoot found, void* context);

}  // namespace tandem::gc
