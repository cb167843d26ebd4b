#pragma once
// The hidden half of tandem-lab: carries out one run and reports it to the parent process.
#include <string>

namespace lab {

// Boots the runtime (knobs come from the environment), runs the requested workload as its first goroutine and
// writes the result to `pipe_end`. Returns the exit status; what went wrong is on stderr.
int child_main(int pipe_end, const std::string& request_json);

}  // namespace lab
