// Which types are leaves: of the standard library, by what they are made of; of this library.
#include "tandem/visitor.h"

#include <any>
#include <array>
#include <atomic>
#include <complex>
#include <deque>
#include <exception>
#include <filesystem>
#include <forward_list>
#include <functional>
#include <future>
#include <list>
#include <map>
#include <memory>
#include <memory_resource>
#include <mutex>
#include <optional>
#include <queue>
#include <set>
#include <stack>
#include <string>
#include <thread>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "tandem/channel.h"
#include "tandem/heap.h"
#include "tandem/make.h"
#include "tandem/net.h"
#include "tandem/persistent.h"
#include "tandem/sync.h"
#include "tandem/task_group.h"
#include "tandem/timer.h"
#include "tandem/weak.h"
#include "tests/support/run_fixture.h"

namespace tandem {
namespace {

struct Holder {
  Member<Holder> other;
  std::list<int> numbers;
  void trace(Visitor& visit) const {
    visit(other);
    visit(numbers);
  }
};
using M = Member<Holder>;
using S = std::string;

template <class... T>
inline constexpr bool kLeaves = (detail::kIsLeaf<T> && ...);
template <class... T>
inline constexpr bool kNone = (!detail::kIsLeaf<T> && ...);

// Containers and adaptors: as their elements, whatever the comparison, the hash or the allocator is.
struct Compare {
  explicit Compare(S name) : name_(std::move(name)) {}
  bool operator()(const S& a, const S& b) const { return a < b; }
  S name_;
};
template <class T>
struct Allocator : std::allocator<T> {
  Allocator(const Allocator&) {}
  Member<Holder>* unknown = nullptr;
};
static_assert(kLeaves<std::list<int>, std::list<S>, std::forward_list<S>, std::vector<S>, std::deque<S>>);
static_assert(kLeaves<std::multimap<S, S>, std::multiset<S>, std::unordered_multimap<S, S>>);
static_assert(kLeaves<std::unordered_multiset<S>, std::map<S, std::list<S>>, std::multiset<S, Compare>>);
static_assert(kLeaves<std::queue<S>, std::stack<S>, std::priority_queue<S>, std::stack<S, std::vector<S>>>);
static_assert(kLeaves<std::pmr::list<S>, std::pmr::multimap<int, S>, std::list<int, Allocator<int>>>);
static_assert(kLeaves<std::list<Persistent<Holder>>, std::list<std::list<std::function<void()>>>>);
static_assert(kNone<std::list<M>, std::forward_list<M>, std::multimap<int, M>, std::multimap<M, int>>);
static_assert(kNone<std::multiset<M>, std::unordered_multimap<int, M>, std::unordered_multiset<M>>);
static_assert(kNone<std::queue<M>, std::stack<M>, std::priority_queue<M>, std::list<Holder>, std::list<std::list<M>>>);
static_assert(kNone<std::list<Local<Holder>>, std::vector<Holder>>);

// Const elements.
static_assert(kLeaves<const S, const int, std::optional<const S>, std::pair<const S, int>, std::tuple<const S>>);
static_assert(kLeaves<std::vector<std::pair<const S, int>>, std::list<std::pair<const S, const S>>>);
static_assert(kNone<const M, std::optional<const M>, std::pair<const M, int>>);

// What has room for others' values on the unmanaged heap only.
static_assert(kLeaves<std::function<void()>, std::function<S(M, const Holder&)>, std::any, std::exception_ptr>);
static_assert(kLeaves<std::future<S>, std::future<void>, std::shared_future<S>, std::promise<int>, std::promise<void>>);
static_assert(kLeaves<std::packaged_task<void()>, std::thread, std::filesystem::path, std::mutex>);
static_assert(kLeaves<std::unique_ptr<S>, std::shared_ptr<S>, std::weak_ptr<S>, std::unique_lock<Mutex>>);

// What has room for them in itself.
static_assert(kLeaves<std::variant<int, S>, std::tuple<S, std::any>, std::optional<S>, std::complex<double>>);
static_assert(kNone<std::variant<int, M>, std::tuple<S, M>, std::optional<M>, std::array<M, 2>>);

// No type of std, for all that they inherit from one, or take from one as an argument.
struct DerivedFromList : std::list<int> {
  Member<Holder> member;
};
template <class T>
class Own {
 public:
  using value_type = int;
  using allocator_type = std::allocator<int>;
  Own(const Own&) {}

 private:
  Member<Holder> member_;
};
static_assert(kNone<DerivedFromList, Own<std::list<int>>, std::list<DerivedFromList>>);
static_assert(!detail::Managed<Own<std::list<int>>>);

// This library's.
static_assert(kLeaves<TaskGroup, WaitGroup, Mutex, SharedMutex, ConditionVariable, Semaphore, Once, Barrier>);
static_assert(
    kLeaves<Timer, Ticker, net::TcpStream, net::TcpListener, net::UdpSocket, net::UnixStream, net::UnixListener>);
static_assert(kLeaves<net::Endpoint, Persistent<Holder>, WeakPersistent<Holder>> && kNone<M>);

class LeafTest : public test::OnProcessors {};
TANDEM_ON_PROCESSORS(LeafTest);

TEST_P(LeafTest, AContainerLiesInAManagedObject) {
  run_clean([] {
    const Local<Holder> holder = make<Holder>();
    for (int i = 0; i < 1000; ++i) holder->numbers.push_back(i);
    collect();
    EXPECT_EQ(holder->numbers.size(), 1000u);
    EXPECT_EQ(detail::reference_offsets<Holder>(), (std::vector<std::uint32_t>{0}));
  });
}

template <class T>
T sent(T value) {
  const Local<Channel<T>> channel = make_channel<T>(1);
  channel->send(std::move(value));
  return std::move(*channel->receive());
}

TEST_P(LeafTest, WhatCanBeMovedGoesThroughChannels) {
  run_clean([] {
    EXPECT_EQ(sent<std::function<int()>>([] { return 7; })(), 7);
    EXPECT_EQ(std::any_cast<S>(sent<std::any>(S("any"))), "any");
    EXPECT_EQ(sent<std::filesystem::path>("/a/b").filename(), "b");
    EXPECT_EQ(sent(std::make_unique<S>("owned")).operator*(), "owned");
    EXPECT_EQ((sent(std::variant<int, S>("text"))), (std::variant<int, S>("text")));
    EXPECT_EQ(sent(std::make_tuple(1, S("two"))), std::make_tuple(1, S("two")));
    std::promise<int> promise;
    std::future<int> future = sent(promise.get_future());
    sent(std::move(promise)).set_value(3);
    EXPECT_EQ(future.get(), 3);
    const auto exception = sent(std::make_exception_ptr(S("thrown")));
    EXPECT_THROW(std::rethrow_exception(exception), S);
    sent(std::thread([] {})).join();
  });
}

}  // namespace
}  // namespace tandem
