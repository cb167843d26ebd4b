// yield() among a number of goroutines that do nothing else.
#include "bench/harness.h"

namespace bench {
namespace {

template <int goroutines>
void yield_among(std::int64_t n) {
  tandem::WaitGroup all;
  for (int g = 0; g < goroutines; ++g)
    all.go([each = n / goroutines] {
      for (std::int64_t i = 0; i < each; ++i) tandem::yield();
    });
  all.wait();
}

const Register kTwo(Micro{"yield/2", 2'000'000, yield_among<2>});
const Register kThousand(Micro{"yield/1000", 2'000'000, yield_among<1000>});

}  // namespace
}  // namespace bench
