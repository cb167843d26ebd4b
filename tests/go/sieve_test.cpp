// What Go's test/chan/sieve1.go and sieve2.go check: that chains and loops of goroutines work together.
#include "tests/go/go_test.h"

#include <deque>
#include <queue>
#include <vector>

namespace tandem {
namespace {

using namespace test;

class GoSieve : public GoTest {};
TANDEM_ON_PROCESSORS(GoSieve);

using Numbers = Local<Channel<int>>;

std::vector<int> primes_below(int end) {
  std::vector<int> primes;
  for (int candidate = 2; candidate < end; ++candidate)
    if (std::none_of(primes.begin(), primes.end(), [=](int prime) { return candidate % prime == 0; }))
      primes.push_back(candidate);
  return primes;
}

void expect_primes(const Numbers& found, int end) {
  for (const int prime : primes_below(end)) ASSERT_EQ(found->receive(), prime);
}

// -- A chain of filters, each of which takes out the multiples of one prime.

void generate(const Numbers& out) {
  for (int number = 2;; ++number) out->send(number);
}

void filter(const Numbers& in, const Numbers& out, int prime) {
  for (int number : *in)
    if (number % prime != 0) out->send(number);
}

void sieve_by_filters(const Numbers& primes) {
  Numbers numbers = make_channel<int>();
  go(generate, numbers);
  for (;;) {
    const int prime = *numbers->receive();
    primes->send(prime);
    Numbers filtered = make_channel<int>();
    go(filter, numbers, filtered, prime);
    numbers = filtered;
  }
}

TEST_P(GoSieve, AChainOfFiltersFindsThePrimes) {
  run_and_cancel([] {
    auto primes = make_channel<int>();
    go(sieve_by_filters, primes);
    expect_primes(primes, scaled(600) + 50);
  });
}

// -- Eratosthenes: goroutines that list multiples, one that merges them, one that sieves with what is merged and feeds
// the primes back to the merger.

Numbers count_from(int first, int step, std::size_t capacity) {
  auto numbers = make_channel<int>(capacity);
  go([=] {
    for (int number = first;; number += step) numbers->send(number);
  });
  return numbers;
}

/// A channel to which a send never waits for the receiver of `out` for long: what is sent is kept in a list.
Numbers unbounded(const Numbers& out) {
  auto in = make_channel<int>(10);
  go([=] {
    std::deque<int> kept;
    for (;;)
      select(on_receive(in, [&](std::optional<int> number) { kept.push_back(*number); }),
             on_send(kept.empty() ? nullptr : out, kept.empty() ? 0 : kept.front(), [&] { kept.pop_front(); }));
  });
  return in;
}

/// The multiples of one prime from its square on, by way of a channel.
struct Multiples {
  explicit Multiples(int prime) : numbers(count_from(prime * prime, 2 * prime, 10)), head(*numbers->receive()) {}
  void next() { head = *numbers->receive(); }
  Persistent<Channel<int>> numbers;
  int head;
};

/// All odd composites in order. A prime's multiples begin at its square, so it is asked for when that is due.
void merge_multiples(const Numbers& primes, const Numbers& composites) {
  const auto later = [](const Multiples& a, const Multiples& b) { return a.head > b.head; };
  std::vector<Multiples> heap;
  const auto advance_first = [&] {
    std::pop_heap(heap.begin(), heap.end(), later);
    heap.back().next();
    std::push_heap(heap.begin(), heap.end(), later);
  };
  for (;;) {
    Multiples newest(*primes->receive());
    while (!heap.empty() && heap.front().head <= newest.head) {
      const int composite = heap.front().head;
      if (composite != newest.head) composites->send(composite);
      while (heap.front().head == composite) advance_first();
    }
    composites->send(newest.head);
    newest.next();
    heap.push_back(std::move(newest));
    std::push_heap(heap.begin(), heap.end(), later);
  }
}

void sieve_by_composites(const Numbers& found, const Numbers& composites, const Numbers& feedback) {
  Numbers primes = unbounded(feedback);
  Numbers candidates = count_from(5, 2, 50);
  int candidate = *candidates->receive();
  for (int composite : *composites) {
    for (; candidate < composite; candidate = *candidates->receive()) {
      primes->send(candidate);
      found->send(candidate);
    }
    if (candidate == composite) candidate = *candidates->receive();
  }
}

TEST_P(GoSieve, MergedMultiplesSieveThePrimes) {
  run_and_cancel([] {
    auto found = make_channel<int>(10), composites = make_channel<int>(50), feedback = make_channel<int>(10);
    found->send(2);
    found->send(3);
    feedback->send(3);
    go(merge_multiples, feedback, composites);
    go(sieve_by_composites, found, composites, feedback);
    expect_primes(found, scaled(3000) + 50);
  });
}

}  // namespace
}  // namespace tandem
