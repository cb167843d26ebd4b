// What go_tool_trace_test.py records: goroutines that wait for one another, for time and for the collector.
#include <chrono>
#include <thread>

#include <tandem/tandem.h>

namespace {

struct Tree {
  tandem::Member<Tree> left, right;
  void trace(tandem::Visitor& visit) const {
    visit(left);
    visit(right);
  }
};

tandem::Local<Tree> grow(int depth) {
  tandem::Local<Tree> tree = tandem::make<Tree>();
  if (depth > 0) {
    tree->left = grow(depth - 1);
    tree->right = grow(depth - 1);
  }
  return tree;
}

}  // namespace

int main() {
  return tandem::run([] {
    auto numbers = tandem::make_channel<int>(0);
    tandem::WaitGroup group;
    group.go([&] {
      for (int i = 0; i < 2000; ++i) numbers->send(i);
      numbers->close();
    });
    group.go([&] {
      while (numbers->receive()) {
      }
    });
    for (int i = 0; i < 2; ++i)
      group.go([] {
        tandem::Local<Tree> kept = grow(14);
        for (int round = 0; round < 40; ++round) grow(12);
      });
    tandem::go({.name = "sleeper"}, [] {
      for (;;) tandem::sleep_for(std::chrono::milliseconds(1));
    });
    group.go([] { tandem::blocking([] { std::this_thread::sleep_for(std::chrono::milliseconds(1)); }); });
    group.wait();
    tandem::collect();
  });
}
