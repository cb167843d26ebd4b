// What Go's test/chan/powser1.go and powser2.go check: power series as goroutines that answer requests for one
// coefficient after the other, after M. Douglas McIlroy, "Squinting at Power Series". Series are built from series, so a
// few of them are hundreds of goroutines, in loops too; each waits by select for whichever neighbour comes first.
#include "tests/go/go_test.h"

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <numeric>
#include <utility>
#include <variant>

namespace tandem {
namespace {

using namespace test;

struct Rational {
  std::int64_t numerator = 0, denominator = 1;  // in lowest terms; the denominator is positive, 0 in kEnd

  friend bool operator==(const Rational&, const Rational&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Rational& rational) {
    return out << rational.numerator << '/' << rational.denominator;
  }
};

constexpr Rational kEnd = {0, 0}, kZero = {0, 1}, kOne = {1, 1}, kMinusOne = {-1, 1};

Rational ratio(std::int64_t numerator, std::int64_t denominator) {
  const std::int64_t divisor = (denominator < 0 ? -1 : 1) * std::gcd(numerator, denominator);
  return {numerator / divisor, denominator / divisor};
}
Rational operator+(const Rational& a, const Rational& b) {
  return ratio(a.numerator * b.denominator + b.numerator * a.denominator, a.denominator * b.denominator);
}
Rational operator*(const Rational& a, const Rational& b) {
  const Rational left = ratio(a.numerator, b.denominator), right = ratio(b.numerator, a.denominator);
  return {left.numerator * right.numerator, left.denominator * right.denominator};
}
Rational operator-(const Rational& a) { return {-a.numerator, a.denominator}; }

/// How coefficients travel: as values, or as references to managed objects.
struct ByValue {
  using Element = Rational;
  static Rational pack(const Rational& rational) { return rational; }
  static Rational unpack(const Rational& packed) { return packed; }
};
struct ByReference {
  using Element = Member<Rational>;
  static Local<Rational> pack(const Rational& rational) { return make<Rational>(rational); }
  static Rational unpack(const Local<Rational>& packed) { return *packed; }
};

template <class Carrier>
struct PowerSeries {
  using Requests = Channel<std::monostate>;
  using Coefficients = Channel<typename Carrier::Element>;

  /// Whoever wants the next coefficient sends a request, then receives. kEnd: there are no more.
  struct Stream {
    Member<Requests> requests;
    Member<Coefficients> coefficients;
    void trace(Visitor& visit) const {
      visit(requests);
      visit(coefficients);
    }
  };
  using Series = Local<Stream>;

  static Series open() {
    return make<Stream>(make_channel<std::monostate>(), make_channel<typename Carrier::Element>());
  }

  static Rational get(const Series& in) {
    in->requests->send({});
    return Carrier::unpack(*in->coefficients->receive());
  }
  static void answer(const Rational& coefficient, const Series& out) {
    out->coefficients->send(Carrier::pack(coefficient));
  }
  static void put(const Rational& coefficient, const Series& out) {
    out->requests->receive();
    answer(coefficient, out);
  }
  static void copy(const Series& in, const Series& out) {
    for (;;) {
      out->requests->receive();
      answer(get(in), out);
    }
  }

  /// One coefficient of each, asked for and received in whatever order they are ready.
  static std::pair<Rational, Rational> get_both(const Series& u, const Series& v) {
    std::pair<Rational, Rational> both;
    Local<Requests> ask_u = u->requests, ask_v = v->requests;
    Local<Coefficients> from_u, from_v;
    for (int step = 0; step < 4; ++step)
      switch (select(on_send(ask_u, {}), on_send(ask_v, {}),
                     on_receive(from_u, [&](const auto& value) { both.first = Carrier::unpack(*value); }),
                     on_receive(from_v, [&](const auto& value) { both.second = Carrier::unpack(*value); }))) {
        case 0: ask_u = nullptr, from_u = u->coefficients; break;
        case 1: ask_v = nullptr, from_v = v->coefficients; break;
        case 2: from_u = nullptr; break;
        default: from_v = nullptr;
      }
    return both;
  }

  /// Serves one series to two readers, each at its own rate. Either may be what the source waits for, so both are
  /// listened to at all times, also while the source has not answered.
  static void split_into(const Series& in, const Series& first, const Series& second) {
    go([=] {
      const std::array<Series, 2> out = {first, second};
      std::deque<Rational> kept[2];
      bool waits[2] = {};
      enum class Source { idle, to_be_asked, asked } source = Source::idle;
      for (;;) {
        Local<Requests> ask, from_first, from_second;
        Local<Coefficients> answers;
        if (!waits[0]) from_first = first->requests;
        if (!waits[1]) from_second = second->requests;
        if (source == Source::to_be_asked) ask = in->requests;
        if (source == Source::asked) answers = in->coefficients;
        const auto keep = [&](const auto& value) {
          for (auto& list : kept) list.push_back(Carrier::unpack(*value));
        };
        switch (select(on_receive(from_first), on_receive(from_second), on_send(ask, {}), on_receive(answers, keep))) {
          case 0: waits[0] = true; break;
          case 1: waits[1] = true; break;
          case 2: source = Source::asked; break;
          default: source = Source::idle;
        }
        for (int i = 0; i < 2; ++i)
          if (waits[i] && !kept[i].empty()) {
            answer(kept[i].front(), out[i]);
            kept[i].pop_front();
            waits[i] = false;
          }
        if (source == Source::idle && (waits[0] || waits[1])) source = Source::to_be_asked;
      }
    });
  }
  static std::array<Series, 2> split(const Series& in) {
    std::array<Series, 2> both = {open(), open()};
    split_into(in, both[0], both[1]);
    return both;
  }

  /// c + cx + cxx + ...
  static Series repeat(const Rational& c) {
    Series z = open();
    go([=] {
      for (;;) put(c, z);
    });
    return z;
  }

  /// c + xU
  static Series shift(const Rational& c, const Series& u) {
    Series z = open();
    go([=] {
      put(c, z);
      copy(u, z);
    });
    return z;
  }

  static Series add(const Series& u, const Series& v) {
    Series z = open();
    go([=] {
      for (;;) {
        z->requests->receive();
        const auto [a, b] = get_both(u, v);
        if (a == kEnd || b == kEnd) {
          answer(a == kEnd ? b : a, z);
          return copy(a == kEnd ? v : u, z);
        }
        answer(a + b, z);
      }
    });
    return z;
  }

  /// Each coefficient by f of itself and its exponent.
  template <class F>
  static Series map(const Series& u, F f) {
    Series z = open();
    go([=] {
      for (int exponent = 0;; ++exponent) {
        z->requests->receive();
        const Rational coefficient = get(u);
        answer(coefficient == kEnd ? kEnd : f(coefficient, exponent), z);
      }
    });
    return z;
  }
  static Series scale(const Rational& c, const Series& u) {
    return map(u, [=](const Rational& coefficient, int) { return c * coefficient; });
  }
  static Series subtract(const Series& u, const Series& v) { return add(u, scale(kMinusOne, v)); }

  /// (u + xU')(v + xV') = uv + x(uV' + vU') + xx U'V'
  static Series multiply(const Series& u, const Series& v) {
    Series z = open();
    go([=] {
      z->requests->receive();
      const auto [a, b] = get_both(u, v);
      if (a == kEnd || b == kEnd) {
        answer(kEnd, z);
        for (;;) put(kEnd, z);
      }
      answer(a * b, z);
      const auto us = split(u), vs = split(v);
      const Series middle = add(scale(a, vs[0]), scale(b, us[0]));
      z->requests->receive();
      answer(get(middle), z);
      copy(add(middle, multiply(us[1], vs[1])), z);
    });
    return z;
  }

  static Series differentiate(const Series& u) {
    Series z = open();
    go([=] {
      z->requests->receive();
      get(u);
      answer(get(u), z);
      copy(map(u, [](const Rational& coefficient, int i) { return ratio(i + 2, 1) * coefficient; }), z);
    });
    return z;
  }
  static Series integrate(const Rational& c, const Series& u) {
    return shift(c, map(u, [](const Rational& coefficient, int i) { return ratio(1, i + 1) * coefficient; }));
  }

  /// 1/(u + xU') = z + xZ', where Z' = -U'(z + xZ')/u: the result is its own input.
  static Series reciprocal(const Series& u) {
    Series z = open();
    go([=] {
      z->requests->receive();
      const Rational constant = get(u), inverse = ratio(constant.denominator, constant.numerator);
      answer(inverse, z);
      const std::array<Series, 2> rest = {open(), open()};
      split_into(multiply(scale(-inverse, u), shift(inverse, rest[0])), rest[0], rest[1]);
      copy(rest[1], z);
    });
    return z;
  }

  /// Z = exp U has the derivative ZU', so it is the integral of that. U's constant term counts as 0.
  static Series exponential(const Series& u) {
    const std::array<Series, 2> z = {open(), open()};
    split_into(integrate(kOne, multiply(z[0], differentiate(u))), z[0], z[1]);
    return z[1];
  }

  /// U(c x^n)
  static Series substitute_monomial(const Series& u, const Rational& c, int n) {
    Series z = open();
    go([=] {
      for (Rational power = kOne;; power = power * c) {
        z->requests->receive();
        answer(power * get(u), z);
        for (int i = 1; i < n; ++i) put(kZero, z);
      }
    });
    return z;
  }

  /// (1 + x)^n, which ends.
  static Series binomial(int n) {
    Series z = open();
    go([=] {
      Rational coefficient = kOne;
      for (int i = 0; i <= n; ++i) {
        put(coefficient, z);
        coefficient = coefficient * ratio(n - i, i + 1);
      }
      for (;;) put(kEnd, z);
    });
    return z;
  }

  static void expect(const char* name, const Series& series, const std::function<Rational(int)>& coefficient) {
    for (int i = 0; i < 10; ++i) ASSERT_EQ(get(series), coefficient(i)) << name << ", coefficient " << i;
  }
};

/// n z(n) = sum of k u(k) z(n - k), which follows from Z' = ZU', for U = 1 + x + xx + ...
Rational coefficient_of_exponential(int n) {
  if (n == 0) return kOne;
  Rational sum = kZero;
  for (int k = 1; k <= n; ++k) sum = sum + ratio(k, 1) * coefficient_of_exponential(n - k);
  return ratio(1, n) * sum;
}

template <class Carrier>
void check_series() {
  using S = PowerSeries<Carrier>;
  const auto ones = [] { return S::repeat(kOne); };
  const auto twos = [] { return S::repeat({2, 1}); };
  const auto arc_tangent = [](int i) { return i % 2 == 0 ? kZero : ratio(i % 4 == 1 ? 1 : -1, i); };
  S::expect("ones", ones(), [](int) { return kOne; });
  S::expect("add", S::add(ones(), twos()), [](int) { return Rational{3, 1}; });
  S::expect("scale", S::scale(kMinusOne, twos()), [](int) { return Rational{-2, 1}; });
  S::expect("subtract", S::subtract(ones(), twos()), [](int) { return kMinusOne; });
  S::expect("differentiate", S::differentiate(ones()), [](int i) { return Rational{i + 1, 1}; });
  S::expect("integrate", S::integrate(kZero, ones()), [](int i) { return i == 0 ? kZero : ratio(1, i); });
  S::expect("multiply", S::multiply(ones(), ones()), [](int i) { return Rational{i + 1, 1}; });
  S::expect("exponential", S::exponential(ones()), coefficient_of_exponential);
  S::expect("arc tangent", S::integrate(kZero, S::substitute_monomial(ones(), kMinusOne, 2)), arc_tangent);
  S::expect("reciprocal", S::reciprocal(ones()), [](int i) { return i == 0 ? kOne : i == 1 ? kMinusOne : kZero; });
  S::expect("binomial", S::add(S::binomial(2), S::binomial(3)), [](int i) {
    constexpr Rational kSum[] = {{2, 1}, {5, 1}, {4, 1}, {1, 1}};
    return i < 4 ? kSum[i] : kEnd;
  });
}

class GoPowerSeries : public GoTest {};
TANDEM_ON_PROCESSORS(GoPowerSeries);

TEST_P(GoPowerSeries, CoefficientsTravelAsValues) { run_and_cancel(check_series<ByValue>); }

TEST_P(GoPowerSeries, CoefficientsTravelAsReferences) { run_and_cancel(check_series<ByReference>); }

}  // namespace
}  // namespace tandem
