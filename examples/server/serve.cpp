#include "examples/server/serve.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include <array>
#include <chrono>
#include <span>

namespace server {

namespace {

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

std::size_t open_descriptors() {
  DIR* const directory = opendir("/proc/self/fd");
  if (directory == nullptr) return 0;
  std::size_t count = 0;
  while (const dirent* const entry = readdir(directory)) count += entry->d_name[0] != '.';
  closedir(directory);
  return count - 1;  // the directory itself
}

}  // namespace

void block_stop_signals() {
  const sigset_t set = stop_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void wait_for_stop_signal() {
  tandem::blocking([] {
    const sigset_t set = stop_signals();
    int which;
    sigwait(&set, &which);
  });
}

void raise_descriptor_limit() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

void linger(tandem::net::TcpStream& stream) {
  std::error_code error;
  stream.shutdown_write(error);
  stream.set_read_deadline(tandem::this_goroutine::now() + std::chrono::seconds(1));
  std::array<std::byte, 512> ignored;
  while (!error && stream.read(ignored, error) != 0) {
  }
}

Usage usage() {
  return {.goroutines = tandem::goroutine_count(),
          .descriptors = tandem::blocking(&open_descriptors),
          .live_bytes = tandem::heap_statistics().live_bytes};
}

}  // namespace server
