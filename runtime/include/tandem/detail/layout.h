#pragma once
// From a C++ type to the number of its layout. A layout is a pointer pattern (where references lie, and the destructor if
// there is one) times a size class; blocks hold objects of one layout, and types with equal patterns share blocks.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <type_traits>

#include "tandem/detail/size_class.h"
#include "tandem/visitor.h"

namespace tandem::detail {

using LayoutNumber = std::uint32_t;   // pattern * kSizeClasses + size class
using PatternNumber = std::uint32_t;  // 0 is never used: a zero LayoutNumber means "not registered yet"

inline constexpr PatternNumber kLeafPattern = 1;
inline constexpr std::uint32_t kMaxPatterns = 4096;

/// Runs the destructors of the object(s) in a cell. For arrays it reads their number from the cell.
using DestroyFunction = void (*)(void* cell) noexcept;

/// Where the references of a cell lie. For arrays (`stride` not zero) the offsets are those of one element, repeated from
/// `first` to the end of the cell; unused elements are zero.
struct PatternDescription {
  const std::uint32_t* offsets = nullptr;  // bytes, multiples of 8, ascending or not
  std::uint32_t offset_count = 0;
  std::uint32_t first = 0;   // bytes
  std::uint32_t stride = 0;  // bytes; 0: not an array
  DestroyFunction destroy = nullptr;
};

/// The number of an equal pattern, or a new one. Any thread; takes a lock. Fatal error after kMaxPatterns patterns.
PatternNumber register_pattern(const PatternDescription& description);

template <class T>
std::vector<std::uint32_t> reference_offsets() {
  if constexpr (kIsLeaf<T>) {
    return {};
  } else {
    // Raw zeroed memory: trace() only takes addresses of fields (see visitor.h), nothing is constructed.
    alignas(T) static std::byte image[sizeof(T)];
    Visitor visitor(image);
    visitor(*reinterpret_cast<const T*>(image));
    return visitor.offsets();
  }
}

template <class T>
void destroy_object(void* cell) noexcept {
  static_cast<T*>(cell)->~T();
}

/// The layout of single objects of type T.
template <class T>
class ObjectLayout {
 public:
  static constexpr std::uint32_t kClass = size_class_for(sizeof(T), alignof(T) < 16 ? 16 : alignof(T));
  static constexpr bool kFixed = kIsLeaf<T> && std::is_trivially_destructible_v<T>;

  [[gnu::always_inline]] static LayoutNumber number() {
    if constexpr (kFixed) {
      return kLeafPattern * kSizeClasses + kClass;
    } else {
      const LayoutNumber known = number_.load(std::memory_order_acquire);
      return known != 0 ? known : learn();
    }
  }

 private:
  [[gnu::noinline, gnu::cold]] static LayoutNumber learn() {
    const std::vector<std::uint32_t> offsets = reference_offsets<T>();
    PatternDescription description{offsets.data(), static_cast<std::uint32_t>(offsets.size()), 0, 0, nullptr};
    if constexpr (!std::is_trivially_destructible_v<T>) description.destroy = &destroy_object<T>;
    const LayoutNumber number = register_pattern(description) * kSizeClasses + kClass;
    number_.store(number, std::memory_order_release);
    return number;
  }

  static inline constinit std::atomic<LayoutNumber> number_{0};
};

}  // namespace tandem::detail
