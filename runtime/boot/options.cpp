#include "runtime/boot/options.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <numeric>
#include <stdexcept>
#include <vector>

namespace tandem::boot {

namespace {

constexpr std::string_view kPrefix = "TANDEM_";

// Insertions, deletions and replacements that turn one text into the other (Levenshtein).
std::size_t edit_distance(std::string_view left, std::string_view right) {
  std::vector<std::size_t> row(right.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= left.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const std::size_t replaced = diagonal + (left[i - 1] != right[j - 1]);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

// A slip of the pen: one letter in short names, two in longer ones. Names further off are somebody else's.
const OptionField* nearest_to(std::string_view variable) {
  const std::size_t allowed = variable.size() - kPrefix.size() >= 7 ? 2 : 1;
  const OptionField* nearest = nullptr;
  std::size_t least = allowed + 1;
  for (const OptionFieldPointer& field : option_fields()) {
    const std::size_t distance = edit_distance(variable, field->variable());
    if (distance >= least) continue;
    least = distance;
    nearest = field.get();
  }
  return nearest;
}

void apply_variable(std::string_view variable, std::string_view value, Options& options) {
  const std::string shown = "tandem: " + std::string(variable) + "='" + std::string(value) + "': ";
  for (const OptionFieldPointer& field : option_fields()) {
    if (field->variable() != variable) continue;
    if (!field->parse(value, options)) throw std::invalid_argument(shown + field->expectation());
    const std::string complaint = field->complaint(options);
    if (!complaint.empty()) throw std::invalid_argument(shown + complaint);
    return;
  }
  if (const OptionField* nearest = nearest_to(variable))
    throw std::invalid_argument(shown + "there is no such option; did you mean " + nearest->variable() + "?");
}

void apply_environment(const char* const* environment, Options& options) {
  for (; *environment != nullptr; ++environment) {
    const std::string_view entry = *environment;
    if (entry.substr(0, kPrefix.size()) != kPrefix) continue;
    const std::size_t equals = entry.find('=');
    if (equals == std::string_view::npos) continue;
    apply_variable(entry.substr(0, equals), entry.substr(equals + 1), options);
  }
}

}  // namespace

std::string OptionField::variable() const {
  std::string text(kPrefix);
  for (const char letter : name()) text += static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  return text;
}

Options resolve_options(const Options& from_code, const char* const* environment) {
  Options options = from_code;
  apply_environment(environment, options);
  // The environment's values have passed this already: what is found here is the code's.
  for (const OptionFieldPointer& field : option_fields()) {
    const std::string complaint = field->complaint(options);
    if (!complaint.empty())
      throw std::invalid_argument("tandem: Options::" + std::string(field->name()) + " = " + field->text(options) +
                                  ": " + complaint);
  }
  if (const std::string complaint = combination_complaint(options); !complaint.empty())
    throw std::invalid_argument("tandem: Options: " + complaint);
  if (options.processors == 0) options.processors = options.seed != 0 ? 1 : available_cpus();
  return options;
}

std::string text_of(const Options& options) {
  std::string text;
  for (const OptionFieldPointer& field : option_fields()) text += field->variable() + "=" + field->text(options) + "\n";
  return text;
}

std::uint32_t available_cpus() {
  // The mask may be wider than cpu_set_t's 1,024 CPUs: then the kernel refuses a smaller buffer.
  for (int capacity = CPU_SETSIZE; capacity <= CPU_SETSIZE * 64; capacity *= 2) {
    cpu_set_t* mask = CPU_ALLOC(static_cast<std::size_t>(capacity));
    if (mask == nullptr) break;
    const std::size_t bytes = CPU_ALLOC_SIZE(static_cast<std::size_t>(capacity));
    const bool found = ::sched_getaffinity(0, bytes, mask) == 0;
    const int cpus = found ? CPU_COUNT_S(bytes, mask) : 0;
    CPU_FREE(mask);
    if (found) return std::clamp<std::uint32_t>(static_cast<std::uint32_t>(cpus), 1, kMaxProcessors);
  }
  const long online = ::sysconf(_SC_NPROCESSORS_ONLN);
  return online < 1 ? 1 : static_cast<std::uint32_t>(std::min<long>(online, kMaxProcessors));
}

}  // namespace tandem::boot
