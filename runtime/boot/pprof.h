#pragma once
// A profile in the format of pprof: a message of protocol buffers, not compressed, which pprof reads as well.
// https://github.com/google/pprof/blob/main/proto/profile.proto

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tandem::boot {

class PprofProfile {
 public:
  struct ValueType {
    std::string_view type;
    std::string_view unit;
  };
  /// The types of each sample's values; one sample was taken in `period`, on average.
  PprofProfile(const std::vector<ValueType>& types, ValueType period_type, std::int64_t period);

  /// `stack`: the address of an instruction, innermost first. As many values as there are types.
  void add_sample(const std::vector<std::uintptr_t>& stack, const std::vector<std::int64_t>& values,
                  std::int64_t object_bytes);

  /// The whole, with what is mapped from files in this process: pprof finds the names of functions there.
  std::string encode();

 private:
  std::uint64_t text(std::string_view text);
  std::uint64_t location(std::uintptr_t address);

  std::string message_;
  std::unordered_map<std::string, std::uint64_t> texts_;
  std::vector<std::string> text_table_;
  std::unordered_map<std::uintptr_t, std::uint64_t> locations_;
};

}  // namespace tandem::boot
