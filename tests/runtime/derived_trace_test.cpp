// Aggregates without a trace of their own: their fields are found.
#include "tests/runtime/heap_test.h"

#include <any>
#include <array>
#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#if __has_include(<boost/pfr/core.hpp>)

namespace {

using tandem::Local;
using tandem::make;
using tandem::Member;
using tandem_test::Canary;
using tandem_test::churn;

class DerivedTraceTest : public tandem_test::HeapTest {};
TANDEM_TEST_OVER_PROCESSORS(DerivedTraceTest);

struct Node {
  Member<Node> next;
  int value = 0;
};
static_assert(tandem::detail::DerivesTrace<Node>);

struct Inner {
  std::string text;
  Member<Canary> canary;
};
enum class Colour : char { red, green };
struct Everything {
  char first = 'a';
  Member<Canary> member;
  std::atomic<int> atomic{3};
  Inner inner;
  std::array<Member<Canary>, 3> members;
  std::unique_ptr<int> owned;
  Colour colour = Colour::green;
  std::optional<double> optional;
  tandem::WeakMember<Canary> weak;
  tandem::Mutex mutex;
  double last = 0.5;
};
static_assert(tandem::detail::DerivesTrace<Everything>);

// Neither bases nor C arrays are suspected where there are none, whatever the fields can be made of.
struct ByNumber {
  explicit ByNumber(int number) : number_(number) {}
  int number_;
};
struct ByNothing {
  explicit ByNothing() = default;
  int number_ = 0;
};
template <class First, class Last>
struct Around {
  First first;
  Member<Canary> member;
  std::array<int, 2> numbers;
  Last last;
};
template <class First, class Last>
inline constexpr bool kUnsuspected =
    !tandem::detail::begins_with_base<Around<First, Last>>() && !tandem::detail::has_array_field<Around<First, Last>>();
static_assert(kUnsuspected<int, std::any> && kUnsuspected<std::any, int>);
static_assert(kUnsuspected<std::function<void()>, std::optional<int>> && kUnsuspected<std::optional<std::any>, char>);
static_assert(kUnsuspected<Node, Inner> && kUnsuspected<std::array<Member<Canary>, 3>, std::list<int>>);
static_assert(kUnsuspected<ByNumber, ByNothing> && kUnsuspected<ByNothing, ByNumber>);
static_assert(kUnsuspected<tandem::Mutex, std::unique_ptr<int>> && kUnsuspected<std::atomic<int>, tandem::Mutex>);

// And found where they are.
static_assert(tandem::detail::has_array_field<Around<int[2], int>>());
static_assert(tandem::detail::has_array_field<Around<int, char[3][3]>>());
static_assert(tandem::detail::has_array_field<Around<Member<Node>[2], ByNumber>>());
struct Empty {};
struct OfEmpty : Empty {
  Member<Canary> member;
};
struct OfNode : Node {
  std::any any;
};
static_assert(tandem::detail::begins_with_base<OfEmpty>() && tandem::detail::begins_with_base<OfNode>());

TEST(DerivedTrace, FindsEveryReference) {
  const auto offsets = tandem::detail::reference_offsets<Everything>();
  EXPECT_EQ(offsets.size(), 1u + 1u + 3u + 1u);
  EXPECT_EQ(tandem::detail::reference_offsets<Node>(), (std::vector<std::uint32_t>{0}));
}

TEST_P(DerivedTraceTest, ListsStay) {
  run(zealous(), [] {
    Local<Node> list;
    for (int i = 0; i < 100; ++i) list = make<Node>(list, i);
    churn();
    int expected = 100;
    for (Local<Node> node = list; node; node = node->next) ASSERT_EQ(node->value, --expected);
    EXPECT_EQ(expected, 0);
  });
}

TEST_P(DerivedTraceTest, EveryFieldKeepsItsObject) {
  run(zealous(), [] {
    const auto all = make<Everything>();
    all->member = make<Canary>(1);
    all->inner.canary = make<Canary>(2);
    for (unsigned i = 0; i < 3; ++i) all->members[i] = make<Canary>(3 + i);
    tandem_test::use_stack();
    churn();
    EXPECT_TRUE(all->member->is(1) && all->inner.canary->is(2));
    for (unsigned i = 0; i < 3; ++i) EXPECT_TRUE(all->members[i]->is(3 + i));
  });
}

TEST_P(DerivedTraceTest, InArraysChannelsMapsAndRooted) {
  run(zealous(), [] {
    const auto array = tandem::make_array<Inner>(4);
    (*array)[3].canary = make<Canary>(1);
    const auto channel = tandem::make_channel<Inner>(1);
    channel->send(tandem::Rooted<Inner>("sent", make<Canary>(2)));
    const auto map = tandem::make_map<int, Inner>();
    map->insert(7, tandem::Rooted<Inner>("kept", make<Canary>(3)));
    churn();
    EXPECT_TRUE((*array)[3].canary->is(1));
    const auto received = channel->receive();
    EXPECT_TRUE((*received)->text == "sent" && (*received)->canary->is(2));
    const auto found = map->find(7);
    EXPECT_TRUE((*found)->text == "kept" && (*found)->canary->is(3));
  });
}

}  // namespace

#endif
