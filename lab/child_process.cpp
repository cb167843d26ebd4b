#include "lab/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace lab {
namespace {

constexpr int kExecFailedStatus = 127;

[[noreturn]] void throw_errno(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

// Between fork and exec. This process has one thread, so the child may still allocate.
[[noreturn]] void become_child(const ChildCommand& command, int pipe_end) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // a run must not go on, and disturb others, when its experiment is gone
  fcntl(pipe_end, F_SETFD, 0);
  for (const auto& [name, value] : command.environment) setenv(name.c_str(), value.c_str(), 1);
  std::vector<std::string> arguments{"tandem-lab", kChildCommand, std::to_string(pipe_end)};
  arguments.insert(arguments.end(), command.arguments.begin(), command.arguments.end());
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  execv("/proc/self/exe", pointers.data());
  _exit(kExecFailedStatus);
}

nlohmann::json answer_to(const nlohmann::json& question, const ParentSide& parent) {
  try {
    return {{"answer", parent.on_question(question)}};
  } catch (const std::exception& error) {
    return {{"error", error.what()}};
  }
}

std::string line_of(const nlohmann::json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

// False: the other side has gone.
bool write_all(int descriptor, const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t wrote = send(descriptor, text.data() + done, text.size() - done, MSG_NOSIGNAL);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return false;
    done += static_cast<std::size_t>(wrote);
  }
  return true;
}

// Handles every complete line in `buffer` and leaves the rest.
void take_lines(int pipe_end, std::string& buffer, ChildOutcome& outcome, const ParentSide& parent) {
  for (std::size_t end; (end = buffer.find('\n')) != std::string::npos; buffer.erase(0, end + 1)) {
    auto line = nlohmann::json::parse(buffer.substr(0, end));
    if (line.contains("result")) outcome.result = std::move(line["result"]);
    if (line.contains("progress")) parent.on_progress(line["progress"].get<std::string>());
    // Where nobody takes the answer, the child has died meanwhile: its status says how.
    if (line.contains("question")) write_all(pipe_end, line_of(answer_to(line["question"], parent)));
  }
}

void read_until_end(int pipe_end, ChildOutcome& outcome, const ParentSide& parent) {
  std::string buffer;
  char chunk[4096];
  while (true) {
    const ssize_t got = read(pipe_end, chunk, sizeof chunk);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return;
    buffer.append(chunk, static_cast<std::size_t>(got));
    take_lines(pipe_end, buffer, outcome, parent);
  }
}

void check_status(int status, const ChildOutcome& outcome) {
  if (WIFSIGNALED(status))
    throw ChildFailed(
        fmt::format("the run was killed by signal {} ({})", WTERMSIG(status), strsignal(WTERMSIG(status))), 1);
  const int code = WEXITSTATUS(status);
  if (code == kExecFailedStatus) throw ChildFailed("the program could not start itself again (/proc/self/exe)", 1);
  if (code != 0) throw ChildFailed(fmt::format("the run ended with exit status {}", code), code == 2 ? 2 : 1);
  if (outcome.result.is_null()) throw ChildFailed("the run ended without a result", 1);
}

}  // namespace

ChildOutcome run_child(const ChildCommand& command, const ParentSide& parent) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) throw_errno("socketpair");
  const pid_t child = fork();
  if (child < 0) throw_errno("fork");
  if (child == 0) become_child(command, ends[1]);
  close(ends[1]);

  ChildOutcome outcome;
  read_until_end(ends[0], outcome, parent);
  close(ends[0]);
  int status = 0;
  rusage usage{};
  while (wait4(child, &status, 0, &usage) < 0)
    if (errno != EINTR) throw_errno("wait4");
  check_status(status, outcome);
  take_usage(outcome, usage);
  return outcome;
}

void take_usage(ChildOutcome& outcome, const rusage& usage) {
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  outcome.cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  outcome.peak_rss_bytes = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

nlohmann::json ParentPipe::ask(nlohmann::json question) const {
  write_line({{"question", std::move(question)}});
  std::string line;
  while (!line.ends_with('\n')) {  // the parent sends nothing unasked
    char chunk[4096];
    const ssize_t got = read(descriptor_, chunk, sizeof chunk);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw std::runtime_error("the parent process has gone before it answered");
    line.append(chunk, static_cast<std::size_t>(got));
  }
  nlohmann::json answer = nlohmann::json::parse(line);
  if (answer.contains("error")) throw std::runtime_error(answer["error"].get<std::string>());
  return std::move(answer["answer"]);
}

void ParentPipe::write_line(const nlohmann::json& line) const {
  if (!write_all(descriptor_, line_of(line))) throw_errno("writing to the parent's pipe");
}

}  // namespace lab
