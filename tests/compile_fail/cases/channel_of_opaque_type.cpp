// A type that has a destructor and says nothing: the message gives both ways out, and nothing else is complained of.
// expect: add `void trace(tandem::Visitor& visit) const { visit(...); }` to it
// expect: add `template <> struct tandem::is_leaf<...> : std::true_type {};` after it
// errors: 1
#include <optional>
#include <utility>

#include <tandem/channel.h>
#include <tandem/make.h>
#include <tandem/select.h>

class Handle {
 public:
  Handle() = default;
  Handle(Handle&& other) noexcept : number_(std::exchange(other.number_, 0)) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Handle() { number_ = 0; }

 private:
  int number_ = 0;
};
#ifdef REPAIRED
template <>
struct tandem::is_leaf<Handle> : std::true_type {};
#endif

void f() {
  auto channel = tandem::make_channel<Handle>(1);
  channel->send(Handle());
  std::optional<Handle> received = channel->receive();
  for (const Handle& each : *channel) static_cast<void>(each);
  tandem::select(tandem::on_send(channel, Handle()), tandem::on_receive(channel, [](std::optional<Handle>) {}));
  channel->try_send(Handle());
  if (auto tried = channel->try_receive(); tried.value) received = std::move(tried.value);
}
