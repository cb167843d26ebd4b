// A loop that neither allocates nor calls the library, on the only processor: it ends because the compiler has put polls in.
#include <tandem/tandem.h>

#include <atomic>
#include <cstdio>

int main() {
  std::atomic<bool> stop{false};
  tandem::Options options;
  options.processors = 1;
  tandem::run(options, [&] {
    tandem::go([&] { stop = true; });
    while (!stop.load(std::memory_order_relaxed)) {
    }
  });
  std::puts("interrupted");
}
