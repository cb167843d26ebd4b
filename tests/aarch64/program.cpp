// What the processor has a say in: the switch and what it keeps, unwinding, growing and overflowing stacks, precise roots. One
// part a run, by name; exit status 0 and "ok" if all is well.

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>

#include <tandem/tandem.h>

using namespace tandem;

namespace {

#define REQUIRE(condition)                                                         \
  do {                                                                             \
    if (!(condition)) {                                                            \
      std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
      std::exit(1);                                                                \
    }                                                                              \
  } while (false)

struct Node {
  Member<Node> next;
  int value;
  void trace(Visitor& visit) const { visit(next); }
};

/// Values in as many registers as there are, integer and floating, across switches.
double through_switches(int start) {
  double a = start, b = start + 0.5, c = start * 2.0, d = 1.0, e = 2.0, f = 3.0, g = 4.0, h = 5.0, i = 6.0;
  long p = start, q = start + 1, r = start + 2, s = 3, t = 4, u = 5, v = 6, w = 7, x = 8, y = 9, z = 10;
  for (int k = 0; k < 200; ++k) {
    yield();
    a += b;
    b += 1;
    c -= d;
    d += e;
    e -= 0.25;
    f += g;
    g += 0.5;
    h += i;
    i -= 1;
    p += q;
    q ^= r;
    r += s;
    s += t;
    t ^= u;
    u += v;
    v += w;
    w ^= x;
    x += y;
    y += z;
    z += 1;
  }
  return a + b + c + d + e + f + g + h + i + static_cast<double>(p + q + r + s + t + u + v + w + x + y + z);
}

void registers() {
  const auto results = make_channel<double>(8);
  for (int k = 0; k < 8; ++k) go([=] { results->send(through_switches(5)); });
  const double expected = through_switches(5);
  for (int k = 0; k < 8; ++k) REQUIRE(*results->receive() == expected);
}

struct YieldsWhileUnwinding {
  int& exceptions_seen;
  ~YieldsWhileUnwinding() {
    CancellationShield shield;
    for (int i = 0; i < 5; ++i) yield();
    exceptions_seen += std::uncaught_exceptions();
  }
};

[[gnu::noinline]] void throw_from_below(int depth, int& exceptions_seen) {
  const YieldsWhileUnwinding guard{exceptions_seen};
  if (depth == 0) throw std::runtime_error("from below");
  throw_from_below(depth - 1, exceptions_seen);
}

// Compilers keep the address of errno within a function.
[[gnu::noinline]] void set_errno(int value) { errno = value; }
[[gnu::noinline]] int get_errno() { return errno; }

void exceptions() {
  WaitGroup group;
  for (int k = 0; k < 8; ++k)
    group.go([k] {
      for (int round = 0; round < 20; ++round) {
        set_errno(100 + k);
        yield();
        REQUIRE(get_errno() == 100 + k);
        int seen = 0;
        bool caught = false;
        try {
          throw_from_below(4, seen);
        } catch (const std::runtime_error& error) {
          yield();
          REQUIRE(std::string_view(error.what()) == "from below");
          caught = true;
        }
        REQUIRE(caught && seen == 5 && std::uncaught_exceptions() == 0);
      }
    });
  group.wait();
}

void roots() {
  const auto lists = make_channel<Member<Node>>(4);
  for (int k = 0; k < 4; ++k)
    go([=] {
      for (int round = 0; round < 10; ++round) {
        Local<Node> list;
        for (int i = 0; i < 100; ++i) list = make<Node>(list, i);
        lists->send(list);
      }
    });
  for (int k = 0; k < 40; ++k) {
    int length = 0;
    for (Local<Node> node = *lists->receive(); node; node = node->next) ++length;
    REQUIRE(length == 100);
  }
  REQUIRE(statistics().cycles > 0);
}

[[gnu::noinline]] int recurse(int depth) {
  char room[512];
  asm volatile("" : : "r"(room) : "memory");
  const int below = depth == 0 ? 0 : recurse(depth - 1) + 1;
  asm volatile("" : : "r"(room) : "memory");
  return below;
}

void deep_stacks() {
  WaitGroup group;
  for (int k = 0; k < 4; ++k)
    group.go([] {
      REQUIRE(recurse(300) == 300);  // most of 256 KiB
      yield();
      REQUIRE(ensure_stack(4 << 20, [] { return recurse(6000); }) == 6000);
    });
  group.wait();
}

[[gnu::noinline]] void wait_here(const Local<Channel<int>>& channel) {
  channel->receive();
  asm volatile("" ::: "memory");
}

void dump() {
  const auto channel = make_channel<int>();
  go([=] { wait_here(channel); });
  while (goroutine_count() < 2 || statistics().parks == 0) yield();
  for (int i = 0; i < 10; ++i) yield();
  dump_goroutines(stdout);
  channel->close();
}

void overflow() {
  WaitGroup group;
  group.go([] { recurse(1'000'000); });
  group.wait();
}

void timers() {
  const auto start = std::chrono::steady_clock::now();
  sleep_for(std::chrono::milliseconds(20));
  REQUIRE(std::chrono::steady_clock::now() - start >= std::chrono::milliseconds(20));
  REQUIRE(after(std::chrono::milliseconds(1))->receive().has_value());
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view part = argc > 1 ? argv[1] : "";
  struct {
    std::string_view name;
    void (*body)();
  } const parts[] = {{"registers", registers},     {"exceptions", exceptions}, {"roots", roots},  {"dump", dump},
                     {"deep_stacks", deep_stacks}, {"overflow", overflow},     {"timers", timers}};
  for (const auto& one : parts)
    if (one.name == part) {
      run([&one] { one.body(); });
      std::puts("ok");
      return 0;
    }
  std::fprintf(stderr, "usage: program PART\n");
  return 2;
}
