#include "runtime/base/intrusive_queue.h"

#include <array>
#include <gtest/gtest.h>
#include <vector>

namespace tandem::base {
namespace {

struct Element {
  int number = 0;
  Element* next = nullptr;
};

class IntrusiveQueueTest : public testing::Test {
 protected:
  IntrusiveQueueTest() {
    for (int i = 0; i < 6; ++i) elements[i].number = i;
  }
  static std::vector<int> drain(IntrusiveQueue<Element>& queue) {
    std::vector<int> numbers;
    while (Element* element = queue.pop_front()) {
      EXPECT_EQ(element->next, nullptr);
      numbers.push_back(element->number);
    }
    EXPECT_TRUE(queue.empty());
    EXPECT_EQ(queue.size(), 0u);
    return numbers;
  }
  std::array<Element, 6> elements;
  IntrusiveQueue<Element> queue;
};

TEST_F(IntrusiveQueueTest, IsFirstInFirstOut) {
  for (auto& element : elements) queue.push_back(&element);
  EXPECT_EQ(queue.size(), 6u);
  EXPECT_EQ(drain(queue), (std::vector{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(queue.pop_front(), nullptr);
}

TEST_F(IntrusiveQueueTest, PushFrontOvertakes) {
  queue.push_front(&elements[1]);
  queue.push_front(&elements[0]);
  queue.push_back(&elements[2]);
  EXPECT_EQ(queue.front(), &elements[0]);
  EXPECT_EQ(drain(queue), (std::vector{0, 1, 2}));
}

TEST_F(IntrusiveQueueTest, RemovesAnywhereAndKeepsTheTail) {
  for (int i = 0; i < 4; ++i) queue.push_back(&elements[i]);
  EXPECT_TRUE(queue.remove(&elements[0]));
  EXPECT_TRUE(queue.remove(&elements[2]));
  EXPECT_TRUE(queue.remove(&elements[3]));
  EXPECT_FALSE(queue.remove(&elements[3]));
  queue.push_back(&elements[4]);
  EXPECT_EQ(drain(queue), (std::vector{1, 4}));
  queue.push_back(&elements[0]);
  EXPECT_TRUE(queue.remove(&elements[0]));
  queue.push_back(&elements[5]);
  EXPECT_EQ(drain(queue), (std::vector{5}));
}

TEST_F(IntrusiveQueueTest, AppendsInOrderAndEmptiesTheOther) {
  IntrusiveQueue<Element> other;
  queue.append(other);
  EXPECT_TRUE(queue.empty());
  other.push_back(&elements[2]);
  other.push_back(&elements[3]);
  queue.append(other);  // to an empty one
  EXPECT_TRUE(other.empty());
  other.push_back(&elements[4]);
  queue.append(other);
  queue.push_back(&elements[5]);
  EXPECT_EQ(queue.size(), 4u);
  EXPECT_EQ(drain(queue), (std::vector{2, 3, 4, 5}));
}

}  // namespace
}  // namespace tandem::base
