#include "runtime/boot/pprof.h"

#include <cinttypes>
#include <cstdio>
#include <fstream>
#include <utility>

namespace tandem::boot {

namespace {

// Numbers of fields, by message.
enum Profile {
  kSampleType = 1,
  kSample = 2,
  kMapping = 3,
  kLocation = 4,
  kStringTable = 6,
  kPeriodType = 11,
  kPeriod = 12
};
enum Sample { kLocationId = 1, kValue = 2, kLabel = 3 };
enum Label { kKey = 1, kNumber = 3, kNumberUnit = 4 };
enum Mapping { kMappingId = 1, kMemoryStart = 2, kMemoryLimit = 3, kFileOffset = 4, kFileName = 5 };
enum Location { kId = 1, kMappingOfLocation = 2, kAddress = 3 };
enum Type { kType = 1, kUnit = 2 };

void put_varint(std::string& into, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) into.push_back(static_cast<char>(value | 0x80));
  into.push_back(static_cast<char>(value));
}
void put_number(std::string& into, std::uint32_t field, std::uint64_t value) {
  put_varint(into, field << 3);
  put_varint(into, value);
}
void put_bytes(std::string& into, std::uint32_t field, std::string_view bytes) {
  put_varint(into, field << 3 | 2);
  put_varint(into, bytes.size());
  into.append(bytes);
}

struct Mapped {
  std::uint64_t start, limit, offset;
  std::string file;
};

/// The executable parts of files, by /proc/self/maps.
std::vector<Mapped> mapped_files() {
  std::vector<Mapped> result;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    Mapped mapped{};
    char permissions[5] = "";
    int name = 0;
    if (std::sscanf(line.c_str(), "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %*s %*s %n", &mapped.start, &mapped.limit,
                    permissions, &mapped.offset, &name) < 4)
      continue;
    if (permissions[2] != 'x' || name == 0 || line[static_cast<std::size_t>(name)] != '/') continue;
    mapped.file = line.substr(static_cast<std::size_t>(name));
    result.push_back(std::move(mapped));
  }
  return result;
}

}  // namespace

PprofProfile::PprofProfile(const std::vector<ValueType>& types, ValueType period_type, std::int64_t period) {
  text("");  // the first of the table, by the format
  const auto put_type = [this](std::uint32_t field, const ValueType& type) {
    std::string encoded;
    put_number(encoded, kType, text(type.type));
    put_number(encoded, kUnit, text(type.unit));
    put_bytes(message_, field, encoded);
  };
  for (const ValueType& type : types) put_type(kSampleType, type);
  put_type(kPeriodType, period_type);
  put_number(message_, kPeriod, static_cast<std::uint64_t>(period));
}

std::uint64_t PprofProfile::text(std::string_view text) {
  const auto [entry, fresh] = texts_.emplace(std::string(text), text_table_.size());
  if (fresh) text_table_.emplace_back(text);
  return entry->second;
}

std::uint64_t PprofProfile::location(std::uintptr_t address) {
  return locations_.emplace(address, locations_.size() + 1).first->second;
}

void PprofProfile::add_sample(const std::vector<std::uintptr_t>& stack, const std::vector<std::int64_t>& values,
                              std::int64_t object_bytes) {
  std::string sample, label;
  for (const std::uintptr_t address : stack) put_number(sample, kLocationId, location(address));
  for (const std::int64_t value : values) put_number(sample, kValue, static_cast<std::uint64_t>(value));
  put_number(label, kKey, text("bytes"));
  put_number(label, kNumber, static_cast<std::uint64_t>(object_bytes));
  put_number(label, kNumberUnit, text("bytes"));
  put_bytes(sample, kLabel, label);
  put_bytes(message_, kSample, sample);
}

std::string PprofProfile::encode() {
  std::string result = message_;
  const std::vector<Mapped> files = mapped_files();
  for (std::size_t i = 0; i < files.size(); ++i) {
    std::string mapping;
    put_number(mapping, kMappingId, i + 1);
    put_number(mapping, kMemoryStart, files[i].start);
    put_number(mapping, kMemoryLimit, files[i].limit);
    put_number(mapping, kFileOffset, files[i].offset);
    put_number(mapping, kFileName, text(files[i].file));
    put_bytes(result, kMapping, mapping);
  }
  for (const auto& [address, id] : locations_) {
    std::string encoded;
    put_number(encoded, kId, id);
    for (std::size_t i = 0; i < files.size(); ++i)
      if (address >= files[i].start && address < files[i].limit) put_number(encoded, kMappingOfLocation, i + 1);
    put_number(encoded, kAddress, address);
    put_bytes(result, kLocation, encoded);
  }
  for (const std::string& entry : text_table_) put_bytes(result, kStringTable, entry);
  return result;
}

}  // namespace tandem::boot
