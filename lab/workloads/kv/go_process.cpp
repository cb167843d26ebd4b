#include "lab/workloads/kv/go_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <system_error>

namespace lab::kv_load {
namespace {

// Between fork and exec; the process has one thread then.
[[noreturn]] void become_twin(const char* program, const GoSettings& settings, int output) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  dup2(output, STDOUT_FILENO);
  setenv("GOMAXPROCS", settings.processors.c_str(), 1);
  setenv("GOGC", settings.gc_percent.c_str(), 1);
  execl(program, "go-kv", static_cast<char*>(nullptr));
  _exit(127);
}

std::string first_line(int input) {
  std::string line;
  char c = 0;
  while (c != '\n') {
    const ssize_t got = read(input, &c, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    line += c;
  }
  return line;
}

}  // namespace

GoProcess::GoProcess(const char* program, const GoSettings& settings) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "kv: pipe2");
  process_ = fork();
  if (process_ < 0) throw std::system_error(errno, std::generic_category(), "kv: fork");
  if (process_ == 0) become_twin(program, settings, ends[1]);
  close(ends[1]);
  const std::string line = first_line(ends[0]);  // listening on 127.0.0.1:PORT
  close(ends[0]);
  const std::size_t colon = line.rfind(':');
  if (colon != std::string::npos)
    port_ = static_cast<std::uint16_t>(std::strtoul(line.c_str() + colon + 1, nullptr, 10));
  if (port_ != 0) return;
  ChildOutcome ignored;
  end(ignored);
  throw std::runtime_error("kv: the twin in Go (" + std::string(program) + ") does not say where it listens");
}

GoProcess::~GoProcess() {
  ChildOutcome ignored;
  if (process_ != 0) end(ignored);
}

void GoProcess::end(ChildOutcome& outcome) {
  kill(process_, SIGKILL);  // it serves until then
  int status = 0;
  rusage usage{};
  while (wait4(process_, &status, 0, &usage) < 0 && errno == EINTR) {
  }
  process_ = 0;
  take_usage(outcome, usage);
}

}  // namespace lab::kv_load
