// A whole program, as a user writes it: four goroutines add up a million orders. Prints 1000000.
#include <tandem/tandem.h>
#include <cstdio>
using namespace tandem;

struct Order {
  int id;
  double amount;
};
struct Ledger {  // a managed object: precise, no header, no macro
  Member<Ledger> previous;
  Order order;
  void trace(Visitor& visit) const { visit(previous); }
};

int main() {
  return run([] {  // boots the runtime; this lambda is the first goroutine
    Local<Channel<Order>> orders = make_channel<Order>(64);
    Local<Channel<double>> results = make_channel<double>();

    for (int worker = 0; worker < 4; ++worker)
      go([=] {  // closures capture Locals by copy
        double sum = 0;
        Local<Ledger> book;
        for (Order order : *orders) {
          book = make<Ledger>(book, order);
          sum += order.amount;
        }
        results->send(sum);
      });

    for (int id = 0; id < 1'000'000; ++id) orders->send({id, 1.0});
    orders->close();
    double total = 0;
    for (int worker = 0; worker < 4; ++worker) total += *results->receive();
    std::printf("%.0f\n", total);
    return 0;
  });
}
