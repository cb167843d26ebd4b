#pragma once
// One run as a process of its own: this program, started again, reports lines of JSON on a pipe (of both directions: a
// socket pair):
//   {"progress": "..."}   any number of times
//   {"question": ...}     any number of times; the parent answers with a line {"answer": ...} or {"error": "..."}
//   {"result": {...}}     once, at the end
#include <sys/resource.h>

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace lab {

// The first argument by which the program knows that it is such a child; the second is the pipe's descriptor.
inline constexpr const char* kChildCommand = "run-in-child";

struct ChildOutcome {
  nlohmann::json result;
  double cpu_seconds = 0;  // user and system
  std::uint64_t peak_rss_bytes = 0;
};

// The child ended without a result. It has said why on stderr, unless a signal killed it.
struct ChildFailed : std::runtime_error {
  ChildFailed(const std::string& what, int status) : std::runtime_error(what), exit_status(status) {}
  int exit_status;  // 2 when the child called its input bad, else 1
};

struct ChildCommand {
  std::vector<std::string> arguments;                            // after the two that every child gets
  std::vector<std::pair<std::string, std::string>> environment;  // set in addition to our own
};

// What the parent does while a child runs.
struct ParentSide {
  std::function<void(const std::string&)> on_progress;
  // Returns the answer. An exception is the child's: its question throws that, and the child says so.
  std::function<nlohmann::json(const nlohmann::json&)> on_question;
};

// Blocks until the child has ended. Throws ChildFailed, or std::system_error if it cannot be started.
ChildOutcome run_child(const ChildCommand& command, const ParentSide& parent);

// The latter two of an outcome, as the system counted them for a child that was waited for.
void take_usage(ChildOutcome& outcome, const rusage& usage);

// The child's end of the pipe.
class ParentPipe {
 public:
  explicit ParentPipe(int descriptor) : descriptor_(descriptor) {}
  void progress(const std::string& text) const { write_line({{"progress", text}}); }
  void result(nlohmann::json result) const { write_line({{"result", std::move(result)}}); }

  // What the parent answers. Blocks the thread, as everything here may. Throws std::runtime_error where the parent
  // failed.
  nlohmann::json ask(nlohmann::json question) const;

 private:
  void write_line(const nlohmann::json& line) const;
  int descriptor_;
};

}  // namespace lab
