// Rooted<S>: traced structs as values on a stack; and the rooted forms of element types.
#include "tests/runtime/heap_test.h"

#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <tandem/detail/rooted_form.h>
#include <tandem/rooted.h>

namespace {

using tandem::Local;
using tandem::make;
using tandem::Member;
using tandem::Rooted;
using tandem_test::Canary;

using RootedTest = tandem_test::HeapTest;
TANDEM_TEST_OVER_PROCESSORS(RootedTest);

struct Job {
  Member<Canary> canary;
  int priority = 3;
  std::string name;
  void trace(tandem::Visitor& visit) const { visit(canary); }
};

static_assert(std::is_same_v<tandem::detail::RootedForm<int>, int>);
static_assert(std::is_same_v<tandem::detail::RootedForm<std::string>, std::string>);
static_assert(std::is_same_v<tandem::detail::RootedForm<Member<Canary>>, Local<Canary>>);
static_assert(std::is_same_v<tandem::detail::RootedForm<Job>, Rooted<Job>>);
static_assert(
    std::is_same_v<tandem::detail::RootedForm<std::array<Member<Canary>, 2>>, Rooted<std::array<Member<Canary>, 2>>>);
static_assert(std::is_nothrow_move_constructible_v<Rooted<Job>> && std::is_nothrow_move_assignable_v<Rooted<Job>>);

TEST_P(RootedTest, IsBuiltAsMakeBuildsAndRoots) {
  run(zealous(), [] {
    Rooted<Job> empty;
    EXPECT_EQ(empty->priority, 3);
    Rooted<Job> job(make<Canary>(1u), 7, "");
    Rooted<Job> braces = {make<Canary>(2u), 8, "named"};
    tandem_test::churn();
    EXPECT_TRUE(job->canary->is(1));
    EXPECT_EQ(job->priority, 7);
    EXPECT_TRUE((*braces).canary->is(2));
    EXPECT_EQ(braces->name, "named");
    Local<Job> shared = make<Job>(make<Canary>(3u), 9, "");
    Rooted<Job> from_object = *shared;
    shared = nullptr;
    tandem_test::churn();
    EXPECT_TRUE(from_object->canary->is(3));
  });
}

TEST_P(RootedTest, CopiesAreApartAndMovesAreNot) {
  run(zealous(), [] {
    Rooted<Job> job(make<Canary>(1u), 7, "first");
    Rooted<Job> copy = job;
    copy->priority = 70;
    copy->canary = make<Canary>(2u);
    tandem_test::churn();
    EXPECT_EQ(job->priority, 7);
    EXPECT_TRUE(job->canary->is(1));
    EXPECT_TRUE(copy->canary->is(2));

    const Job* const object = &*job;
    Rooted<Job> moved = std::move(job);
    EXPECT_EQ(&*moved, object);
    EXPECT_FALSE(job);
    Rooted<Job> copy_of_empty = job;
    EXPECT_FALSE(copy_of_empty);
    job = moved;
    EXPECT_NE(&*job, object);
    EXPECT_EQ(job->name, "first");
    const Rooted<Job>& same = job;
    job = same;
    EXPECT_TRUE(job->canary->is(1));
    job = std::move(copy);
    EXPECT_TRUE(job->canary->is(2));
  });
}

TEST_P(RootedTest, LiesWhereLocalsLie) {
  run(zealous(), [] {
    std::optional<Rooted<Job>> optional;
    optional.emplace(make<Canary>(1u), 1, "");
    std::array<Rooted<Job>, 3> array;
    for (std::uint64_t i = 0; i < 3; ++i) array[i]->canary = make<Canary>(10 + i);
    tandem::WaitGroup group;
    group.add(1);
    tandem::go([&group, job = Rooted<Job>(make<Canary>(2u), 2, "")] {
      tandem::yield();
      EXPECT_TRUE(job->canary->is(2));
      group.done();
    });
    tandem_test::churn();
    group.wait();
    EXPECT_TRUE((*optional)->canary->is(1));
    for (std::uint64_t i = 0; i < 3; ++i) EXPECT_TRUE(array[i]->canary->is(10 + i));
  });
}

TEST_P(RootedTest, ConversionsOfElementsRoundTrip) {
  using namespace tandem::detail;
  run(zealous(), [] {
    Local<Job> element = make<Job>(make<Canary>(5u), 6, "element");
    Rooted<Job> rooted = to_rooted<Job>(*element);
    element->priority = 60;
    EXPECT_EQ(rooted->priority, 6);
    *element = from_rooted<Job>(rooted);
    EXPECT_EQ(element->priority, 6);
    EXPECT_EQ(element->name, "element");
    Local<Canary> canary = to_rooted<Member<Canary>>(element->canary);
    EXPECT_TRUE(canary->is(5));
    EXPECT_TRUE(from_rooted<Member<Canary>>(canary) == element->canary);
    std::string text = "leaf";
    EXPECT_EQ(to_rooted<std::string>(text), "leaf");
    EXPECT_EQ(text, "leaf");
    EXPECT_EQ(take_rooted<std::string>(text), "leaf");
    EXPECT_EQ(text, "");
  });
}

}  // namespace
