// Small whole programs that are all scheduling: skynet, prime sieve, Fibonacci with a goroutine a call.
#include "bench/harness.h"

namespace bench {
namespace {

using namespace tandem;
using Numbers = Local<Channel<std::int64_t>>;

// A tree of goroutines, ten children each; the leaves' numbers are added up on the way back.
void skynet_node(const Numbers& result, std::int64_t number, std::int64_t leaves) {
  if (leaves == 1) return result->send(number);
  const Numbers children = make_channel<std::int64_t>();
  const std::int64_t share = leaves / 10;
  for (std::int64_t i = 0; i < 10; ++i) go([=] { skynet_node(children, number + i * share, share); });
  std::int64_t sum = 0;
  for (int i = 0; i < 10; ++i) sum += *children->receive();
  result->send(sum);
}

void skynet_of(std::int64_t leaves) {
  const Numbers result = make_channel<std::int64_t>();
  go([=] { skynet_node(result, 0, leaves); });
  expect(*result->receive() == leaves * (leaves - 1) / 2, "skynet");
}

void skynet(const Recorder& recorder) {
  std::int64_t leaves = 1'000'000;
  while (leaves > 10 && leaves > recorder.scaled(1'000'000)) leaves /= 10;  // a power of ten
  skynet_of(leaves / 10);
  recorder.whole("skynet", leaves, [&] { skynet_of(leaves); });
}

// A chain of goroutines, each of which lets through what its prime does not divide. Returns the primes found.
std::int64_t sieve_up_to(std::int64_t limit) {
  Numbers numbers = make_channel<std::int64_t>();
  go([numbers, limit] {
    for (std::int64_t i = 2; i <= limit; ++i) numbers->send(i);
    numbers->close();
  });
  std::int64_t primes = 0;
  while (const auto prime = numbers->receive()) {
    ++primes;
    const Numbers rest = make_channel<std::int64_t>();
    go([numbers, rest, divisor = *prime] {
      for (std::int64_t value : *numbers)
        if (value % divisor != 0) rest->send(value);
      rest->close();
    });
    numbers = rest;
  }
  return primes;
}

void sieve(const Recorder& recorder) {
  const std::int64_t limit = recorder.scaled(17'389, 100);  // the 2,000th prime
  sieve_up_to(limit / 10);
  std::int64_t primes = 0;
  recorder.whole("sieve", limit, [&] { primes = sieve_up_to(limit); });
  expect(limit != 17'389 || primes == 2000, "prime sieve");
}

std::int64_t fibonacci(int n) {
  if (n < 2) return n;
  std::int64_t left = 0;
  TaskGroup group;
  group.go([&] { left = fibonacci(n - 1); });
  const std::int64_t right = fibonacci(n - 2);
  group.wait();
  return left + right;
}

void fib(const Recorder& recorder) {
  const int n = recorder.scaled(1000) < 500 ? 20 : 27;
  fibonacci(n);
  std::int64_t result = 0;
  recorder.whole("fib", n, [&] { result = fibonacci(n); });
  expect(result == (n == 27 ? 196'418 : 6765), "fib");
}

const Register kSkynet(Case{"skynet", skynet});
const Register kSieve(Case{"sieve", sieve});
const Register kFib(Case{"fib", fib});

}  // namespace
}  // namespace bench
