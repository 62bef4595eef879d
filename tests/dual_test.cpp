// SPDX-License-Identifier: Apache-2.0
// Dual: every row in forward mode against its own slope and central differences, second derivatives
// by nesting, levels that do not mix, mixed operands, comparisons, and what is masked.
#include <gtest/gtest.h>
#include <autograd/autograd.hpp>

#include <limits>
#include <random>
#include <type_traits>

#include "check.hpp"

namespace autograd {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

using Dual1 = Dual<1>;
using Second = Dual<1, Dual<1>>;

Second second(double x) { return Second::variable(Dual1::variable(x)); }

// Points from the intervals of a row.
std::vector<double> points(const RowInfo& info, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<double> x;
  for (int i = 0; i < 8; ++i) {
    const bool other = i % 2 && info.cases[1].low < info.cases[1].high;
    const Interval range = info.cases[other];
    x.push_back(range.low + (range.high - range.low) * random() * 0x1p-32);
  }
  return x;
}

template <class Row, class T> T apply_row(const T& x) {
  if constexpr (std::is_empty_v<Row>) {
    return T::Family::template apply<Row>(x);
  } else {
    return T::Family::apply_with(Row(), x);
  }
}
template <class Row, class T> T apply_row(const T& a, const T& b) {
  return T::Family::template apply<Row>(a, b);
}

TEST(DualTest, EveryUnaryRow) {
  ops::UnaryRows::for_each([]<class Row>() {
    for (const double at : points(Row::info, 1)) {
      SCOPED_TRACE(std::string(Row::info.name) + " at " + std::to_string(at));
      const auto value = [](const std::vector<double>& v) { return Row().value(v[0]); };
      const auto slope = [](const std::vector<double>& v) {
        return Row().slope(v[0], Row().value(v[0]));
      };
      const Second y = apply_row<Row>(second(at));
      EXPECT_EQ(y.value().value(), Row().value(at));
      EXPECT_EQ(y.tangent().value(), slope({at}));
      EXPECT_EQ(y.value().tangent(), slope({at}));
      EXPECT_TRUE(check::close(y.tangent().value(), check::differences(value, {at})[0]));
      const double want = check::differences(slope, {at})[0];
      EXPECT_TRUE(check::close(y.tangent().tangent(), want)) << y.tangent().tangent() << want;
      const Dual<5> many = apply_row<Row>(Dual<5>::variable(at, 3));
      for (int i = 0; i < 5; ++i) EXPECT_EQ(many.tangent(i), i == 3 ? slope({at}) : 0);
    }
  });
}

TEST(DualTest, EveryBinaryRow) {
  ops::BinaryRows::for_each([]<class Row>() {
    const std::vector<double> as = points(Row::info, 2), bs = points(Row::info, 3);
    for (std::size_t k = 0; k < as.size(); ++k) {
      const double p = as[k], q = bs[k], v = Row::value(p, q);
      SCOPED_TRACE(std::string(Row::info.name) + " at " + std::to_string(p) + ", " +
                   std::to_string(q));
      const auto value = [](const std::vector<double>& x) { return Row::value(x[0], x[1]); };
      const auto slope_a = [](const std::vector<double>& x) {
        return Row::slope_a(x[0], x[1], Row::value(x[0], x[1]));
      };
      const auto slope_b = [](const std::vector<double>& x) {
        return Row::slope_b(x[0], x[1], Row::value(x[0], x[1]));
      };
      using D = Dual<2, Dual<2>>;
      const D y = apply_row<Row>(D::variable(Dual<2>::variable(p, 0), 0),
                                 D::variable(Dual<2>::variable(q, 1), 1));
      EXPECT_EQ(y.value().value(), v);
      EXPECT_EQ(y.tangent(0).value(), slope_a({p, q}));
      EXPECT_EQ(y.tangent(1).value(), slope_b({p, q}));
      const auto first = check::differences(value, {p, q});
      const auto of_a = check::differences(slope_a, {p, q});
      const auto of_b = check::differences(slope_b, {p, q});
      for (int i = 0; i < 2; ++i) {
        const auto j = static_cast<std::size_t>(i);
        EXPECT_TRUE(check::close(y.tangent(i).value(), first[j]));
        EXPECT_TRUE(check::close(y.tangent(0).tangent(i), of_a[j]));
        EXPECT_TRUE(check::close(y.tangent(1).tangent(i), of_b[j]));
      }
      // Numbers and values of the inner type on either side.
      const auto left = D::Family::apply<Row>(D::variable(Dual<2>::variable(p, 0), 0), q);
      const auto right = D::Family::apply<Row>(Dual<2>::variable(p, 0), D::variable(q, 1));
      EXPECT_EQ(left.tangent(0).value(), slope_a({p, q}));
      EXPECT_EQ(left.tangent(1).value(), 0);
      EXPECT_EQ(right.tangent(0).value(), 0);
      EXPECT_EQ(right.tangent(1).value(), slope_b({p, q}));
      EXPECT_EQ(right.tangent(1).tangent(0), y.tangent(1).tangent(0));
    }
  });
}

TEST(DualTest, ClosedForms) {
  const auto f = [](const auto& x) { return exp(sin(x) * 2.0) / (1.0 + x * x) + pow(x, 3); };
  const double x = 0.7, e = std::exp(2 * std::sin(x)), q = 1 + x * x, s = 2 * std::cos(x);
  const Second y = f(second(x));
  EXPECT_DOUBLE_EQ(y.value().value(), e / q + x * x * x);
  EXPECT_DOUBLE_EQ(y.tangent().value(), e * s / q - 2 * x * e / (q * q) + 3 * x * x);
  const double want = e * (s * s - 2 * std::sin(x)) / q - 4 * x * e * s / (q * q) -
                      2 * e / (q * q) + 8 * x * x * e / (q * q * q) + 6 * x;
  EXPECT_NEAR(y.tangent().tangent(), want, 1e-13 * std::abs(want));
  using Third = Dual<1, Second>;
  const Third z = sin(Third::variable(second(x)) * 2);
  EXPECT_DOUBLE_EQ(z.tangent().tangent().tangent(), -8 * std::cos(2 * x));
}

// d/dx (x d/dy (x + y)) = 1 and d/dx (x d/dy (x y)) = 2 x: the tangents of two levels never mix.
TEST(DualTest, NestedDerivativesDoNotConfusePerturbations) {
  const auto derivative = [](auto f, const auto& at) {
    using T = std::remove_cvref_t<decltype(at)>;
    return f(Dual<1, T>::variable(at)).tangent();
  };
  const double one = derivative(
      [&](const Dual1& x) { return x * derivative([&](const auto& y) { return x + y; }, x); }, 3.0);
  EXPECT_EQ(one, 1);
  const double six = derivative(
      [&](const Dual1& x) { return x * derivative([&](const auto& y) { return x * y; }, x); }, 3.0);
  EXPECT_EQ(six, 6);
  const double product = derivative(
      [&](const Dual1& x) {
        return derivative([&](const auto& y) { return y * y * x; }, Dual1(5.0));
      },
      3.0);
  EXPECT_EQ(product, 10);
}

TEST(DualTest, NumbersOfEveryType) {
  const Dual1 x = Dual1::variable(3.0);
  const Dual1 y = x + 1 + 2.0f - 1L + 2u * x / 4 - (5 - x) * 0.5f + pow(x, 2) + pow(2, x) +
                  max(x, 1) + min(1, x) + where(true, x, 1) + where(false, 2.0f, x) + +x - -x;
  EXPECT_DOUBLE_EQ(y.value(), 3 + 1 + 2 - 1 + 1.5 - 1 + 9 + 8 + 3 + 1 + 3 + 3 + 6);
  EXPECT_DOUBLE_EQ(y.tangent(), 1 + 0.5 + 0.5 + 6 + 8 * std::log(2.0) + 1 + 0 + 1 + 1 + 2);
  const Second z = x * second(2) + second(2) / x - 1 + where(true, x, second(2));
  EXPECT_DOUBLE_EQ(z.value().value(), 6 + 2. / 3 - 1 + 3);
  EXPECT_DOUBLE_EQ(z.tangent().value(), 3 + 1. / 3);
  EXPECT_DOUBLE_EQ(z.tangent().tangent(), 1 - 1. / 9);
}

TEST(DualTest, CompoundAssignment) {
  Dual<3> y = Dual<3>::variable(3.0, 1);
  const Dual<3> x = y;
  y += 2;
  y -= 1.0f;
  y *= 3;
  y /= 2.0;
  y *= x;
  y /= x + 1.0;
  y -= x;
  y += x * x;
  EXPECT_DOUBLE_EQ(y.value(), 4 * 1.5 * 3 / 4 - 3 + 9);
  EXPECT_DOUBLE_EQ(y.tangent(1), 6.5);
  EXPECT_EQ(y.tangent(0), 0);
  EXPECT_EQ(y.tangent(2), 0);
  y *= y;
  EXPECT_DOUBLE_EQ(y.tangent(1), 2 * 10.5 * 6.5);
}

TEST(DualTest, Comparisons) {
  const Dual1 a = Dual1::variable(1), b = 2.0;
  EXPECT_TRUE(a < b && a <= b && b > a && b >= a && a != b && !(a == b));
  EXPECT_TRUE(a < 2 && 2 > a && a == 1.0f && 1 == a && a != 0 && a <= 1 && a >= 1u);
  EXPECT_TRUE(second(1) == a && second(1) < b && b > second(1));
  EXPECT_TRUE(Dual1(kNan) != Dual1(kNan));
}

TEST(DualTest, ZeroTangentsStayZero) {
  const Dual<2> x = Dual<2>::variable(0.0, 0);
  EXPECT_EQ(sqrt(x).tangent(0), kInf);
  EXPECT_EQ(sqrt(x).tangent(1), 0);
  EXPECT_EQ((sqrt(x * 0.0) + log(x * 0.0)).tangent(0), 0);
  EXPECT_EQ(where(x > 0.0, log(x) / x, x * 2.0).tangent(0), 2);
  EXPECT_EQ((Dual<2>(kNan) * x).tangent(1), 0);
  EXPECT_TRUE(std::isnan((x * kNan).tangent(0)));
  EXPECT_EQ(pow(Dual1::variable(-2), 3).tangent(), 12);
  EXPECT_EQ(pow(second(-2), 3).tangent().tangent(), -12);
  EXPECT_EQ(pow(second(0), 2).tangent().tangent(), 2);
  const Second root = sqrt(Second::variable(Dual1(0.0)));  // the inner level has no tangent
  EXPECT_EQ(root.tangent().value(), kInf);
  EXPECT_EQ(root.tangent().tangent(), 0);
}

TEST(DualTest, Layout) {
  static_assert(std::is_trivially_destructible_v<Dual<4>>);  // copies go part by part
  static_assert(sizeof(Dual<1>) == 16 && sizeof(Dual<2>) == 24 && sizeof(Dual<4>) == 40);
  static_assert(std::is_convertible_v<double, Dual1> && std::is_convertible_v<int, Dual1>);
  static_assert(std::is_convertible_v<Dual1, Second> && std::is_convertible_v<double, Second>);
  static_assert(!std::is_convertible_v<Dual1, double> && !std::is_convertible_v<Second, Dual1>);
  static_assert(!std::is_convertible_v<Dual<2>, Second> && !std::is_convertible_v<Dual1, Dual<2>>);
  EXPECT_EQ(Dual1().value(), 0);
  EXPECT_EQ(Dual1().tangent(), 0);
  std::vector<Dual<3>> many(10, Dual<3>(1.5));
  many[9] = many[9] * Dual<3>::variable(2.0, 2);
  EXPECT_EQ(many[9].value(), 3);
  EXPECT_EQ(many[9].tangent(2), 1.5);
  using Narrow = Dual<6, float>;
  const Narrow y = exp(Narrow::variable(0.5f, 5)) * 2.0;
  EXPECT_FLOAT_EQ(y.tangent(5), 2 * std::exp(0.5f));
  EXPECT_EQ(y.tangent(4), 0);
}

}  // namespace
}  // namespace autograd
