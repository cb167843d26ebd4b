// write_heap_profile: what is in the file, against what was allocated. The decoder knows of the format what it needs.
#include <sys/stat.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <gtest/gtest.h>

#include "tandem/tandem.h"
#include "tests/runtime/heap_test.h"

namespace tandem_test {
namespace {

/// The fields of a message: number, and a number or bytes.
struct Field {
  std::uint32_t number;
  std::uint64_t value;
  std::string_view bytes;
};

std::uint64_t take_varint(std::string_view& from) {
  std::uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    if (from.empty()) throw std::runtime_error("a number ends early");
    const auto byte = static_cast<unsigned char>(from.front());
    from.remove_prefix(1);
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if ((byte & 0x80) == 0) return value;
  }
}

std::vector<Field> fields_of(std::string_view message) {
  std::vector<Field> fields;
  while (!message.empty()) {
    const std::uint64_t tag = take_varint(message);
    Field field{static_cast<std::uint32_t>(tag >> 3), take_varint(message), {}};
    if ((tag & 7) == 2) {
      if (field.value > message.size()) throw std::runtime_error("bytes end early");
      field.bytes = message.substr(0, field.value);
      message.remove_prefix(field.value);
    } else if ((tag & 7) != 0) {
      throw std::runtime_error("a type of field that the profile has no use for");
    }
    fields.push_back(field);
  }
  return fields;
}

struct Decoded {
  struct Sample {
    std::vector<std::uint64_t> stack;  // addresses
    std::vector<std::int64_t> values;
  };
  std::string contents;  // what the rest points into
  std::vector<std::string> texts, types;
  std::vector<Sample> samples;
  std::set<std::string> files;

  explicit Decoded(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream all;
    all << file.rdbuf();
    contents = all.str();
    const std::vector<Field> fields = fields_of(contents);
    std::map<std::uint64_t, std::uint64_t> addresses;
    for (const Field& field : fields) {
      if (field.number == 6) texts.emplace_back(field.bytes);
      if (field.number == 4) {
        std::uint64_t id = 0, address = 0;
        for (const Field& part : fields_of(field.bytes)) {
          if (part.number == 1) id = part.value;
          if (part.number == 3) address = part.value;
        }
        addresses[id] = address;
      }
    }
    for (const Field& field : fields) {
      if (field.number == 1) types.push_back(texts.at(fields_of(field.bytes).at(0).value));
      if (field.number == 3) files.insert(texts.at(fields_of(field.bytes).at(4).value));
      if (field.number != 2) continue;
      Sample sample;
      for (const Field& part : fields_of(field.bytes)) {
        if (part.number == 1) sample.stack.push_back(addresses.at(part.value));
        if (part.number == 2) sample.values.push_back(static_cast<std::int64_t>(part.value));
      }
      samples.push_back(std::move(sample));
    }
  }

  /// The sum of a value over the samples with a frame inside the function that begins there.
  template <class Function>
  double bytes_through(Function* function, std::size_t value) const {
    constexpr std::uint64_t kFunctionBytes = 4096;
    const auto begin = reinterpret_cast<std::uint64_t>(function);
    double sum = 0;
    for (const Sample& sample : samples)
      for (const std::uint64_t address : sample.stack)
        if (address >= begin && address < begin + kFunctionBytes) {
          sum += static_cast<double>(sample.values.at(value));
          break;
        }
    return sum;
  }
};

enum Value { kAllocatedObjects, kAllocatedBytes, kLiveObjects, kLiveBytes };

struct Chunk {
  std::array<std::uint64_t, 28> words;
  tandem::Member<Chunk> next;
  void trace(tandem::Visitor& visit) const { visit(next); }
};
constexpr std::uint64_t kChunkBytes = 256;  // its size class

[[gnu::noinline]] void allocate_chunks(std::uint64_t count, tandem::Persistent<Chunk>& list) {
  for (std::uint64_t i = 0; i < count; ++i) {
    tandem::Local<Chunk> chunk = tandem::make<Chunk>();
    chunk->next = list.get();
    list = chunk;
  }
  asm volatile("");
}

class HeapProfileTest : public HeapTest {
 protected:
  void SetUp() override {
    directory_ = std::filesystem::temp_directory_path() / ("tandem-profile-" + std::to_string(::getpid()));
    std::filesystem::create_directory(directory_);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  std::filesystem::path path() const { return directory_ / "heap.pprof"; }

 private:
  std::filesystem::path directory_;
};
TANDEM_TEST_OVER_PROCESSORS(HeapProfileTest);

// 20 MiB in samples of 16 KiB: some 1,280 of them, so the standard deviation is 3 %; five of them are allowed.
TEST_P(HeapProfileTest, CountsWhatAFunctionAllocatesAndWhatIsLeftOfIt) {
  constexpr std::uint64_t kChunks = 80'000;
  constexpr double kBytes = static_cast<double>(kChunks * kChunkBytes);
  tandem::Options options = this->options();
  options.heap_profile_rate = 16 << 10;
  tandem::run(options, [&] {
    std::array<tandem::Persistent<Chunk>, 4> lists;
    tandem::WaitGroup group;
    for (tandem::Persistent<Chunk>& list : lists) group.go([&list] { allocate_chunks(kChunks / 4, list); });
    group.wait();
    tandem::collect();
    tandem::write_heap_profile(path());
  });
  const Decoded profile(path());
  EXPECT_EQ(profile.types, (std::vector<std::string>{"alloc_objects", "alloc_space", "inuse_objects", "inuse_space"}));
  EXPECT_EQ(profile.files.count(std::filesystem::read_symlink("/proc/self/exe").string()), 1u);
  EXPECT_NEAR(profile.bytes_through(&allocate_chunks, kAllocatedBytes) / kBytes, 1, 0.15);
  EXPECT_NEAR(profile.bytes_through(&allocate_chunks, kAllocatedObjects) / kChunks, 1, 0.15);
  EXPECT_NEAR(profile.bytes_through(&allocate_chunks, kLiveBytes) / kBytes, 1, 0.15);
}

TEST_P(HeapProfileTest, TheDeadAreNotInUse) {
  tandem::Options options = this->options();
  options.heap_profile_rate = 4 << 10;
  tandem::run(options, [&] {
    tandem::Persistent<Chunk> chunks;
    // Not all on this stack, where a stale slot could keep one, and all that hangs on it.
    tandem::WaitGroup group;
    group.go([&chunks] { allocate_chunks(10'000, chunks); });
    group.wait();
    chunks = nullptr;
    tandem::collect();
    tandem::collect();
    tandem::write_heap_profile(path());
  });
  const Decoded profile(path());
  EXPECT_GT(profile.bytes_through(&allocate_chunks, kAllocatedBytes), 0.7 * 10'000 * kChunkBytes);
  EXPECT_EQ(profile.bytes_through(&allocate_chunks, kLiveBytes), 0);
  EXPECT_EQ(profile.bytes_through(&allocate_chunks, kLiveObjects), 0);
}

TEST_P(HeapProfileTest, LargeObjectsAreSampled) {
  tandem::Options options = this->options();
  options.heap_profile_rate = 64 << 10;
  tandem::run(options, [&] {
    std::vector<tandem::Persistent<tandem::Array<std::uint64_t>>> arrays;
    for (int i = 0; i < 16; ++i) arrays.emplace_back(tandem::make_array<std::uint64_t>(128 << 10));
    tandem::write_heap_profile(path());
  });
  double live = 0;
  for (const Decoded::Sample& sample : Decoded(path()).samples)
    live += static_cast<double>(sample.values.at(kLiveBytes));
  EXPECT_NEAR(live / (16 << 20), 1, 0.35);
}

TEST_P(HeapProfileTest, ARateOfZeroSamplesNothing) {
  tandem::Options options = this->options();
  options.heap_profile_rate = 0;
  tandem::run(options, [&] {
    tandem::Persistent<Chunk> chunks;
    allocate_chunks(50'000, chunks);
    tandem::write_heap_profile(path());
  });
  EXPECT_TRUE(Decoded(path()).samples.empty());
  EXPECT_EQ(Decoded(path()).types.size(), 4u);
}

TEST_P(HeapProfileTest, AnUnwritablePathIsAnErrorThatNamesItAndLeavesNothing) {
  const std::filesystem::path missing = path().parent_path() / "missing" / "heap.pprof";
  tandem::run(options(), [&] {
    try {
      tandem::write_heap_profile(missing);
      ADD_FAILURE() << "written to " << missing;
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code(), std::errc::no_such_file_or_directory);
      EXPECT_NE(std::string(error.what()).find(missing.string()), std::string::npos) << error.what();
    }
  });
  // A directory in its place: written beside it, but not renamed.
  std::filesystem::create_directory(path());
  tandem::run(options(), [&] { EXPECT_THROW(tandem::write_heap_profile(path()), std::system_error); });
  for (const auto& entry : std::filesystem::directory_iterator(path().parent_path()))
    EXPECT_EQ(entry.path(), path()) << "left over";
}

TEST_P(HeapProfileTest, OutsideOfARunIsAnError) { EXPECT_THROW(tandem::write_heap_profile(path()), std::logic_error); }

}  // namespace
}  // namespace tandem_test
