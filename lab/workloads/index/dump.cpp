#include "lab/workloads/index/dump.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <system_error>
#include <vector>

namespace lab::index {
namespace {

struct Line {
  std::string term;
  std::uint64_t documents;
  std::uint64_t occurrences;
};

}  // namespace

void dump_index(const Generation& generation, const std::string& path) {
  std::vector<Line> lines;
  generation.for_each([&](const auto& term, const auto& list) {
    lines.push_back({std::string(term->view()), list->size(), list->occurrences()});
  });
  tandem::blocking([&] {  // sorting and writing know nothing of the managed heap
    std::sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) { return a.term < b.term; });
    std::ofstream file(path, std::ios::binary);
    for (const Line& line : lines) file << fmt::format("{}\t{}\t{}\n", line.term, line.documents, line.occurrences);
    if (!file.flush()) throw std::system_error(errno, std::generic_category(), "--dump-index: writing '" + path + "'");
  });
}

}  // namespace lab::index
