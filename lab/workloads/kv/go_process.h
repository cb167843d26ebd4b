#pragma once
// The process of the twin in Go.
#include <sys/types.h>

#include <cstdint>

#include "lab/child_process.h"
#include "lab/workload.h"

namespace lab::kv_load {

class GoProcess {
 public:
  // Returns when it serves. Throws std::runtime_error, or std::system_error, if it does not.
  GoProcess(const char* program, const GoSettings& settings);
  // Ends it.
  ~GoProcess();
  GoProcess(const GoProcess&) = delete;
  GoProcess& operator=(const GoProcess&) = delete;

  std::uint16_t port() const { return port_; }

  // Ends it; what it used goes into `outcome`.
  void end(ChildOutcome& outcome);

 private:
  pid_t process_;  // 0: ended
  std::uint16_t port_ = 0;
};

}  // namespace lab::kv_load
