// SPDX-License-Identifier: Apache-2.0
// What <cmath> has besides smooth functions, for Var and Dual: functions of three arguments, a number
// in parts, classification, integers, floats beside Var, and what the standard library asks of a
// number. Accuracy is in cmath_test.cpp, kinks are in hard_cases_scalar_test.cpp.
#include <gtest/gtest.h>
#include <autograd/autograd.hpp>

#include <sstream>
#include <unordered_set>

#include "check.hpp"

namespace autograd {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

template <class T> class ScalarCmath : public testing::Test {
 protected:
  // A variable, and the derivative of y by it.
  T variable(double x) {
    if constexpr (std::is_same_v<T, Var>) {
      return in_ = tape_.input(x);
    } else {
      return T::variable(x);
    }
  }
  double derivative(const T& y) {
    if constexpr (std::is_same_v<T, Var>) {
      tape_.zero_grad();
      tape_.backward(y, {.retain = true});
      return in_.grad();
    } else {
      return y.tangent();
    }
  }

 private:
  Tape tape_;
  Var in_;
};
using Types = testing::Types<Var, Dual<1>>;
TYPED_TEST_SUITE(ScalarCmath, Types);

TYPED_TEST(ScalarCmath, ThreeArguments) {
  const TypeParam x = this->variable(3);
  const TypeParam y = fma(x, x, 1.0f) + fma(2, x, x) + fma(2.0, 3, x);
  EXPECT_EQ(y.value(), 10 + 9 + 9);
  EXPECT_EQ(this->derivative(y), 6 + 3 + 1);
  // One rounding: x x - x^2 rounded is what the rounding lost.
  const TypeParam u = this->variable(1 + 0x1p-30);
  const TypeParam lost = fma(u, u, -(1 + 0x1p-29));
  EXPECT_EQ(lost.value(), 0x1p-60);
  EXPECT_EQ(this->derivative(lost), 2 + 0x1p-29);
  EXPECT_EQ(TypeParam(fma(u, kInf, 1.0)).value(), kInf);
  const TypeParam z = this->variable(2), h = hypot(z, 3, 6.0);
  EXPECT_EQ(h.value(), 7);
  EXPECT_DOUBLE_EQ(this->derivative(h), 2. / 7);
  EXPECT_EQ(TypeParam(hypot(1e200, z, z)).value(), 1e200);
}

TYPED_TEST(ScalarCmath, PartsOfANumber) {
  const TypeParam x = this->variable(-12.75);
  int exponent = 0, quotient = 0;
  const TypeParam mantissa = frexp(x, &exponent);
  EXPECT_EQ(mantissa.value(), -12.75 / 16);
  EXPECT_EQ(this->derivative(mantissa), 1. / 16);
  EXPECT_EQ(exponent, 4);
  TypeParam whole;
  double number = 0;
  const TypeParam fraction = modf(x, &whole);
  EXPECT_EQ(fraction.value(), -0.75);
  EXPECT_EQ(this->derivative(fraction), 1);
  EXPECT_EQ(whole.value(), -12);
  EXPECT_EQ(TypeParam(modf(x, &number)).value(), -0.75);
  EXPECT_EQ(number, -12);
  EXPECT_EQ(TypeParam(modf(TypeParam(kInf), &number)).value(), std::modf(kInf, &number));
  const TypeParam r = remquo(x, 5.0, &quotient);
  EXPECT_EQ(r.value(), 2.25);
  EXPECT_EQ(quotient, -3);
  EXPECT_EQ(this->derivative(r), 1);
  const TypeParam scaled = ldexp(x, 3) + scalbn(x, 1) + scalbln(x, 2L);
  EXPECT_EQ(scaled.value(), -12.75 * 14);
  EXPECT_EQ(this->derivative(scaled), 14);
  EXPECT_EQ(TypeParam(ldexp(TypeParam(0x1p-1000), 1100)).value(), 0x1p100);
  EXPECT_EQ(TypeParam(nextafter(x, 0)).value(), std::nextafter(-12.75, 0));
  EXPECT_EQ(TypeParam(nexttoward(x, 0)).value(), std::nextafter(-12.75, 0));
  EXPECT_EQ(TypeParam(logb(x)).value(), 3);
  EXPECT_EQ(ilogb(x), 3);
}

TYPED_TEST(ScalarCmath, PlainResults) {
  const TypeParam x = this->variable(2.5), bad = kNan, tiny = 5e-324;
  EXPECT_EQ(lround(x), 3);
  EXPECT_EQ(llround(x * 3), 8);
  EXPECT_EQ(lrint(x), 2);
  EXPECT_EQ(llrint(x), 2);
  EXPECT_TRUE(isfinite(x) && !isfinite(bad) && isnan(bad) && isinf(x / 0.0) && isnormal(x));
  EXPECT_TRUE(!isnormal(tiny) && signbit(-x) && !signbit(x));
  EXPECT_EQ(fpclassify(tiny), FP_SUBNORMAL);
  EXPECT_TRUE(isgreater(x, 2) && isgreaterequal(x, x) && isless(2.0f, x) && islessequal(x, 3));
  EXPECT_TRUE(islessgreater(x, 2) && isunordered(x, bad) && !isgreater(bad, x));
  EXPECT_EQ(x <=> 2, std::partial_ordering::greater);
  EXPECT_EQ(2.5 <=> x, std::partial_ordering::equivalent);
  EXPECT_EQ(x <=> bad, std::partial_ordering::unordered);
}

TYPED_TEST(ScalarCmath, Increments) {
  TypeParam x = this->variable(1), y = x * x;
  EXPECT_EQ((++y).value(), 2);
  EXPECT_EQ((y++).value(), 2);
  EXPECT_EQ((--y).value(), 2);
  EXPECT_EQ((y--).value(), 2);
  EXPECT_EQ(y.value(), 1);
  EXPECT_EQ(this->derivative(y), 2);
}

TYPED_TEST(ScalarCmath, Streams) {
  std::ostringstream out;
  TypeParam x = this->variable(2.5);
  out << x << " " << x * 2.0;
  EXPECT_EQ(out.str(), "2.5 5");
  std::istringstream in("7.25 word");
  in >> x;
  EXPECT_EQ(x.value(), 7.25);
  in >> x;
  EXPECT_TRUE(in.fail());
  EXPECT_EQ(x.value(), 7.25);
}

TYPED_TEST(ScalarCmath, LimitsAndHash) {
  using Limits = std::numeric_limits<TypeParam>;
  static_assert(Limits::is_specialized && Limits::is_iec559 && Limits::digits == 53);
  EXPECT_EQ(Limits::max().value(), std::numeric_limits<double>::max());
  EXPECT_EQ(Limits::epsilon().value(), 0x1p-52);
  EXPECT_EQ(Limits::infinity().value(), kInf);
  EXPECT_TRUE(isnan(Limits::quiet_NaN()));
  const std::unordered_set<TypeParam> set = {TypeParam(1.0), TypeParam(2.0), TypeParam(1.0)};
  EXPECT_EQ(set.size(), 2u);
}

// A float or an integer beside a Var is the double of that value.
TYPED_TEST(ScalarCmath, MixedWithFloatsAndIntegers) {
  const TypeParam x = this->variable(1.5);
  const auto both = [&](auto f) {
    for (const TypeParam& y : {TypeParam(f(x, 2.0f)), TypeParam(f(x, 2))}) {
      const TypeParam want = f(x, 2.0);
      EXPECT_EQ(y.value(), want.value());
      EXPECT_EQ(this->derivative(y), this->derivative(want));
    }
    for (const TypeParam& y : {TypeParam(f(2.0f, x)), TypeParam(f(2, x))}) {
      const TypeParam want = f(2.0, x);
      EXPECT_EQ(y.value(), want.value());
      EXPECT_EQ(this->derivative(y), this->derivative(want));
    }
  };
  both([](const auto& a, const auto& b) { return pow(a, b) + fmod(a, b); });
  both([](const auto& a, const auto& b) { return atan2(a, b) * hypot(a, b); });
  both([](const auto& a, const auto& b) { return fmax(a, b) - fmin(a, b) * fdim(a, b); });
  both([](const auto& a, const auto& b) { return copysign(a, b) + remainder(a, b); });
  both([](const auto& a, const auto& b) { return logaddexp(a, b) + beta(a, b); });
  const TypeParam y = polygamma(1, x) * 2.0f;
  EXPECT_DOUBLE_EQ(y.value(), 2 * polygamma(1, 1.5));
}

TEST(ScalarMathTest, FloatsGiveFloatsAndIntegersDoubles) {
  static_assert(std::is_same_v<decltype(sigmoid(1.0f)), float>);
  static_assert(std::is_same_v<decltype(softplus(1)), double>);
  static_assert(std::is_same_v<decltype(erf(1.0f)), float>);
  static_assert(std::is_same_v<decltype(lgamma(1.0f)), float>);
  static_assert(std::is_same_v<decltype(beta(1.0f, 2)), double>);
  static_assert(std::is_same_v<decltype(logaddexp(1.0f, 2.0f)), float>);
  EXPECT_FLOAT_EQ(sigmoid(0.5f), 0.62245935f);
  EXPECT_FLOAT_EQ(digamma(0.5f), -1.9635100f);
  EXPECT_FLOAT_EQ(normal_icdf(0.975f), 1.9599640f);
  EXPECT_DOUBLE_EQ(lgamma(5), std::log(24.0));
  EXPECT_DOUBLE_EQ(digamma(1), -0.57721566490153286);
  EXPECT_EQ(logsigmoid(-1000), -1000);
  EXPECT_EQ(sign(-3), -1);
  EXPECT_EQ(remainder(7.5, 2.0), -0.5);
}

TEST(ScalarMathTest, SpecialFunctionsAtTheirPolesAndEnds) {
  EXPECT_EQ(lgamma(-2.0), kInf);
  EXPECT_EQ(digamma(0.0), -kInf);
  EXPECT_EQ(digamma(-0.0), kInf);
  EXPECT_TRUE(std::isnan(digamma(-1.0)) && std::isnan(digamma(-kInf)) && std::isnan(digamma(kNan)));
  EXPECT_EQ(digamma(kInf), kInf);
  EXPECT_EQ(polygamma(1, kInf), 0);
  EXPECT_EQ(polygamma(1, -3.0), kInf);
  EXPECT_TRUE(std::isnan(polygamma(-1, 1.0)) && std::isnan(polygamma(kNan, 1.0)));
  EXPECT_TRUE(std::isnan(polygamma(1000, 1.0)));
  EXPECT_EQ(normal_icdf(0.0), -kInf);
  EXPECT_EQ(normal_icdf(1.0), kInf);
  EXPECT_TRUE(std::isnan(normal_icdf(-0.1)) && std::isnan(normal_icdf(kNan)));
  EXPECT_EQ(normal_cdf(-kInf), 0);
  EXPECT_EQ(normal_cdf(kInf), 1);
  EXPECT_EQ(beta(kInf, 20.0), 0);
  EXPECT_EQ(beta(0.0, 2.0), kInf);
  EXPECT_TRUE(std::isnan(beta(-1.0, 2.0)) && std::isnan(beta(kNan, 2.0)));
  EXPECT_DOUBLE_EQ(beta(-0.5, 2.0), -4);
}

}  // namespace
}  // namespace autograd
