// String and make_string.
#include "tests/runtime/heap_test.h"

#include <string>
#include <string_view>
#include <type_traits>

namespace {

using namespace std::string_view_literals;
using tandem::Local;
using tandem::make_string;
using tandem::String;

using StringTest = tandem_test::HeapTest;
TANDEM_TEST_OVER_PROCESSORS(StringTest);

static_assert(!std::is_copy_constructible_v<String> && !std::is_default_constructible_v<String>);

TEST_P(StringTest, HoldsTheBytesOfEverySize) {
  run([] {
    for (std::size_t size : {0u, 1u, 7u, 8u, 9u, 24u, 25u, 100u, 4088u, 4089u, 32'759u, 32'760u, 32'761u, 2'000'000u}) {
      std::string bytes(size, '\0');
      for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 7);
      Local<String> string = make_string(bytes);
      tandem::collect();
      EXPECT_EQ(string->size(), size);
      EXPECT_EQ(string->empty(), size == 0);
      EXPECT_TRUE(string->view() == bytes) << size;
    }
  });
}

TEST_P(StringTest, ComparesAndHashesByContent) {
  run([] {
    Local<String> a = make_string("alpha");
    Local<String> again = make_string("alpha");
    Local<String> b = make_string("beta");
    Local<String> high = make_string("\xff");
    EXPECT_TRUE(*a == *again);
    EXPECT_FALSE(a == again) << "Locals compare by identity";
    EXPECT_TRUE(*a != *b);
    EXPECT_TRUE(*a < *b);
    EXPECT_TRUE(*high > *b) << "bytes are unsigned";
    EXPECT_TRUE(*a == "alpha"sv);
    EXPECT_TRUE("alpha"sv == *a);
    EXPECT_TRUE(*a < "b"sv);
    EXPECT_TRUE((*a <=> *again) == 0);
    EXPECT_TRUE(*make_string("a") < *make_string("aa"));
    EXPECT_TRUE(*make_string("a\0b"sv) != *make_string("a\0c"sv)) << "a zero is a byte like any other";
    EXPECT_EQ(std::hash<String>{}(*a), std::hash<String>{}(*again));
    EXPECT_EQ(std::hash<String>{}(*a), std::hash<std::string_view>{}("alpha"));
    const std::string_view converted = *a;
    EXPECT_EQ(converted, "alpha");
  });
}

TEST_P(StringTest, IsCopiedFromAManagedString) {
  run(zealous(), [] {
    Local<String> string = make_string("0123456789abcdef0123456789abcdef");
    for (int i = 0; i < 500; ++i) string = make_string(string->view());
    EXPECT_TRUE(*string == "0123456789abcdef0123456789abcdef"sv);
  });
}

struct Named {
  tandem::Member<Named> next;
  tandem::Member<String> name;
  void trace(tandem::Visitor& visit) const {
    visit(next);
    visit(name);
  }
};

TEST_P(StringTest, MembersKeepStrings) {
  run(zealous(), [] {
    Local<Named> names;
    for (int i = 0; i < 300; ++i) names = tandem::make<Named>(names, make_string("name " + std::to_string(i)));
    tandem::collect();
    int i = 300;
    for (Local<Named> named = names; named; named = named->next)
      ASSERT_EQ(named->name->view(), "name " + std::to_string(--i));
    EXPECT_EQ(i, 0);
  });
}

TEST_P(StringTest, UnusedOnesAreCollected) {
  run([] {
    for (int i = 0; i < 200'000; ++i)
      static_cast<void>(make_string("a string that nobody keeps, of 51 bytes altogether"));
    for (int i = 0; i < 200; ++i) static_cast<void>(make_string(std::string(1 << 20, 'x')));
    tandem::collect();
    EXPECT_LT(tandem::statistics().live_bytes, 4u << 20);
  });
}

}  // namespace
