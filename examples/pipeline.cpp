// A pipeline of goroutines joined by channels: the sieve of Eratosthenes, one goroutine a prime. Each filter
// passes on what its prime does not divide. When main returns, the filters are cancelled wherever they wait.
#include <tandem/tandem.h>
#include <cstdio>
using namespace tandem;

namespace {

constexpr int kPrimes = 500;
constexpr int kLastPrime = 3571;  // the 500th

void generate(Local<Channel<int>> numbers) {
  for (int number = 2;; ++number) numbers->send(number);
}

void filter(Local<Channel<int>> in, Local<Channel<int>> out, int prime) {
  for (int number : *in)
    if (number % prime != 0) out->send(number);
}

int sieve() {
  Local<Channel<int>> numbers = make_channel<int>(16);
  go(generate, numbers);
  int prime = 0;
  for (int found = 0; found < kPrimes; ++found) {
    prime = *numbers->receive();
    Local<Channel<int>> rest = make_channel<int>(16);
    go(filter, numbers, rest, prime);
    numbers = rest;
  }
  std::printf("prime number %d is %d\n", kPrimes, prime);
  return prime == kLastPrime ? 0 : 1;
}

}  // namespace

int main() { return run(sieve); }
