// InputBuffer: what it holds is what was read, and its size follows what arrives.
#include "examples/server/input_buffer.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <gtest/gtest.h>
#include <random>
#include <span>
#include <string>
#include <string_view>

namespace {

using server::InputBuffer;

constexpr std::size_t kSmall = InputBuffer::kSmallBytes;
constexpr std::size_t kLarge = InputBuffer::kLargeBytesMin;

/// One read: as much of `stream` as fits is moved into the buffer. Returns how much that was.
std::size_t read(InputBuffer& input, std::string_view& stream) {
  const std::span<std::byte> space = input.space();
  const std::size_t bytes = std::min(space.size(), stream.size());
  std::memcpy(space.data(), stream.data(), bytes);
  stream.remove_prefix(bytes);
  input.add(bytes);
  return bytes;
}

/// A burst of requests of `request_bytes`, each used when it is whole. Returns the number of reads.
int burst(InputBuffer& input, std::size_t requests, std::size_t request_bytes) {
  const std::string bytes(requests * request_bytes, 'x');
  std::string_view stream = bytes;
  int reads = 0;
  for (; !stream.empty(); ++reads) {
    read(input, stream);
    while (input.data().size() >= request_bytes) input.consume(request_bytes);
  }
  return reads;
}

TEST(InputBuffer, StaysSmallAsLongAsLittleArrives) {
  InputBuffer input;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(burst(input, 10, 100), 1);
    EXPECT_FALSE(input.is_large());
  }
}

TEST(InputBuffer, ABurstAfterAGreatOneIsReadAtOnce) {
  InputBuffer input;
  EXPECT_EQ(burst(input, 16, 330), 2) << "the second read takes all that the small buffer did not hold";
  for (int i = 0; i < 100; ++i) EXPECT_EQ(burst(input, 16, 330), 1);
}

TEST(InputBuffer, ABurstOfRequestsThatFillTheSmallBufferEvenlyIsGreatToo) {
  InputBuffer input;
  EXPECT_EQ(burst(input, 100, kSmall / 16), 2);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(burst(input, 100, kSmall / 16), 1);
}

TEST(InputBuffer, IsSmallAgainAfterALittleBurst) {
  InputBuffer input;
  burst(input, 16, 330);
  EXPECT_TRUE(input.is_large());
  burst(input, 1, 330);
  input.space();
  EXPECT_FALSE(input.is_large());
}

TEST(InputBuffer, WhatALargeRequestNeededIsGivenBack) {
  InputBuffer input;
  burst(input, 1, 100 * kLarge);
  EXPECT_GE(input.capacity(), 100 * kLarge);
  EXPECT_LE(input.capacity(), 200 * kLarge);
  input.space();
  EXPECT_EQ(input.capacity(), kLarge);
}

TEST(InputBuffer, BecomesSmallOnDemandUnlessItHoldsSomething) {
  InputBuffer input;
  burst(input, 16, 330);
  std::string_view half = "half a request";
  read(input, half);
  input.become_small();
  EXPECT_TRUE(input.is_large());
  EXPECT_EQ(input.data(), "half a request");
  input.consume(input.data().size());
  input.become_small();
  EXPECT_FALSE(input.is_large());
  EXPECT_EQ(input.space().size(), kSmall);
}

TEST(InputBuffer, HoldsWhatWasReadWhateverIsUsedOfIt) {
  std::mt19937 random(1);
  std::string sent;
  for (int i = 0; i < 2'000'000; ++i) sent += static_cast<char>(random());
  InputBuffer input;
  std::string used;
  for (std::string_view stream = sent; used.size() < sent.size();) {
    std::string_view arrived = stream.substr(0, random() % (random() % 8 == 0 ? 100'000 : 2000));
    stream.remove_prefix(arrived.size());
    while (!arrived.empty()) {
      read(input, arrived);
      const std::size_t take = random() % 4 == 0 ? input.data().size() : random() % (input.data().size() + 1);
      used += input.data().substr(0, take);
      input.consume(take);
    }
    if (stream.empty()) {
      used += input.data();
      input.consume(input.data().size());
    }
  }
  EXPECT_TRUE(used == sent);
}

}  // namespace
