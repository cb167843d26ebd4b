// main() of every test executable. Beyond GoogleTest's own flags it takes
//
//   --source=FILE   run only the tests that are defined in FILE (an absolute path)
//
// which is how one executable becomes one ctest entry per test source. A FILE without tests is an error, so
// that an entry cannot pass by running nothing.

#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace {

constexpr std::string_view kSourceFlag = "--source=";

// Is that the file of a test? The compiler may have been given its path relative to the build tree (ccache rewrites paths
// so): without the leading "../" it is the end of the full one.
bool is_same_file(std::string_view source, std::string_view file) {
  while (file.substr(0, 3) == "../") file.remove_prefix(3);
  if (source.size() < file.size() || source.substr(source.size() - file.size()) != file) return false;
  return source.size() == file.size() || source[source.size() - file.size() - 1] == '/';
}

// A filter naming every test of `source`, separated by colons; empty if there is none.
std::string filter_for(std::string_view source) {
  std::string filter;
  const testing::UnitTest& unit_test = *testing::UnitTest::GetInstance();
  for (int suite_index = 0; suite_index < unit_test.total_test_suite_count(); ++suite_index) {
    const testing::TestSuite& suite = *unit_test.GetTestSuite(suite_index);
    for (int test_index = 0; test_index < suite.total_test_count(); ++test_index) {
      const testing::TestInfo& test = *suite.GetTestInfo(test_index);
      if (!is_same_file(source, test.file())) continue;
      filter += (filter.empty() ? "" : ":") + std::string(suite.name()) + "." + test.name();
    }
  }
  return filter;
}

}  // namespace

int main(int argc, char** argv) {
  // The child of a death test is this program again with a filter of its own, which has to stand.
  bool is_death_test_child = false;
  for (int index = 1; index < argc; ++index)
    if (std::strncmp(argv[index], "--gtest_internal_run_death_test", 31) == 0) is_death_test_child = true;

  // Forking alone would copy one thread of a process that has many.
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  testing::InitGoogleTest(&argc, argv);

  for (int index = 1; index < argc; ++index) {
    const std::string_view argument = argv[index];
    if (argument.substr(0, kSourceFlag.size()) != kSourceFlag) {
      std::fprintf(stderr, "%s: unknown argument '%s': --source=FILE and GoogleTest's flags are known\n", argv[0],
                   argv[index]);
      return 2;
    }
    const std::string filter = filter_for(argument.substr(kSourceFlag.size()));
    if (filter.empty()) {
      std::fprintf(stderr, "%s: no test is defined in '%s': give its absolute path\n", argv[0],
                   argv[index] + kSourceFlag.size());
      return 2;
    }
    if (!is_death_test_child) testing::GTEST_FLAG(filter) = filter;
  }
  return RUN_ALL_TESTS();
}
