// Fan out, fan in, with a deadline: three replicas are asked, the first answer wins, and a slow one is given
// up by a timeout. A WaitGroup then makes sure that every goroutine has ended.
#include <tandem/tandem.h>
#include <array>
#include <chrono>
#include <cstdio>
#include <optional>
using namespace tandem;
using namespace std::chrono_literals;

namespace {

struct Answer {
  int replica;
  int value;
};

/// The first answer, or nothing after the timeout. The buffer has room for all, so that no replica waits for
/// a reader.
std::optional<Answer> ask(const std::array<std::chrono::milliseconds, 3>& delays, std::chrono::milliseconds timeout,
                          WaitGroup& replicas) {
  Local<Channel<Answer>> answers = make_channel<Answer>(delays.size());
  for (int replica = 0; replica < 3; ++replica)
    replicas.go([=, delay = delays[static_cast<std::size_t>(replica)]] {
      sleep_for(delay);
      answers->send({replica, 42});
    });
  std::optional<Answer> first;
  select(on_receive(answers, [&](std::optional<Answer> answer) { first = answer; }), on_timeout(timeout));
  return first;
}

}  // namespace

int main() {
  return run([] {
    WaitGroup replicas;
    const std::optional<Answer> quick = ask({500ms, 1ms, 800ms}, 10s, replicas);
    const std::optional<Answer> late = ask({600ms, 700ms, 800ms}, 5ms, replicas);
    replicas.wait();
    std::printf("quick: replica %d; late: %s\n", quick ? quick->replica : -1, late ? "answered" : "given up");
    return quick && quick->replica == 1 && quick->value == 42 && !late ? 0 : 1;
  });
}
