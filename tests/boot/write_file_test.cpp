// Reports are written beside their place first: what fails there is said.
#include "runtime/boot/write_file.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

#include <gtest/gtest.h>

namespace tandem::boot {
namespace {

std::string failure_of(const std::filesystem::path& path) {
  try {
    write_file(path, "contents", "tandem::write_trace");
  } catch (const std::system_error& error) {
    return error.what();
  }
  return {};
}

class WriteFileTest : public ::testing::Test {
 protected:
  WriteFileTest() { std::filesystem::create_directories(directory_); }
  ~WriteFileTest() override { std::filesystem::remove_all(directory_); }

  const std::filesystem::path directory_ =
      std::filesystem::temp_directory_path() / ("tandem-write-file-" + std::to_string(::getpid()));
};

TEST_F(WriteFileTest, ReplacesTheFile) {
  const std::filesystem::path path = directory_ / "report";
  write_file(path, "longer than what comes", "first");
  write_file(path, "what comes", "second");
  std::ifstream file(path);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "what comes");
  EXPECT_FALSE(std::filesystem::exists(directory_ / "report.unfinished"));
}

// The file is there; the one beside it cannot be made.
TEST_F(WriteFileTest, SaysWhichFileCouldNotBeMade) {
  const std::string said = failure_of("/proc/version");
  EXPECT_EQ(said.find("tandem::write_trace(\"/proc/version\"): writing \"/proc/version.unfinished\" first"), 0u)
      << said;
}

TEST_F(WriteFileTest, SaysWhichFileCouldNotBeRenamed) {
  const std::string said = failure_of(directory_);
  EXPECT_NE(said.find(": renaming \"" + directory_.string() + ".unfinished\" to it"), std::string::npos) << said;
  EXPECT_FALSE(std::filesystem::exists(directory_.string() + ".unfinished"));
}

TEST_F(WriteFileTest, SaysOfADeviceThatItIsTheOne) {
  const std::string said = failure_of("/dev/full");
  EXPECT_EQ(said.find("tandem::write_trace(\"/dev/full\"): "), 0u) << said;
  EXPECT_EQ(said.find("unfinished"), std::string::npos) << said;
}

}  // namespace
}  // namespace tandem::boot
