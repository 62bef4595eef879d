// SPDX-License-Identifier: Apache-2.0
// The hard cases of scalars, each under its number in the list that the design keeps: kinks, ties,
// singularities and saturation. Every derivative is taken by Var and by Dual; where forward mode
// differs it is said.
#include <gtest/gtest.h>
#include <autograd/autograd.hpp>

#include <limits>

namespace autograd {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

template <class F> double by_var(F f, double x) {
  Tape tape;
  const Var in = tape.input(x), unused = tape.input(0.0);
  const Var y = f(in);
  tape.backward(y + unused);  // also where y is a constant
  return in.grad();
}
template <class F> double by_dual(F f, double x) {
  return Dual<1>(f(Dual<1>::variable(x))).tangent();
}
// df/dx, the same by both.
template <class F> double slope(F f, double x) {
  const double reverse = by_var(f, x), forward = by_dual(f, x);
  EXPECT_TRUE(same(reverse, forward)) << reverse << " by Var, " << forward << " by Dual";
  return reverse;
}
// The derivatives by both arguments.
using Pair = std::pair<double, double>;
template <class F> Pair slopes(F f, double a, double b) {
  Tape tape;
  const Var p = tape.input(a), q = tape.input(b);
  const Var y = f(p, q);
  tape.backward(y);
  const auto d = f(Dual<2>::variable(a, 0), Dual<2>::variable(b, 1));
  EXPECT_TRUE(same(p.grad(), d.tangent(0))) << p.grad() << " " << d.tangent(0);
  EXPECT_TRUE(same(q.grad(), d.tangent(1))) << q.grad() << " " << d.tangent(1);
  return {p.grad(), q.grad()};
}
template <class F> double second(F f, double x) {
  return f(Dual<1, Dual<1>>::variable(Dual<1>::variable(x))).tangent().tangent();
}

TEST(HardCases, 1_where_the_other_side_is_not_finite) {
  EXPECT_EQ(slope([](const auto& x) { return where(x > 0.0, log(x) / x, 2.0 * x); }, 0), 2);
  EXPECT_EQ(slope([](const auto& x) { return where(x < 0.0, x * x, sqrt(x)); }, -1), -2);
  EXPECT_EQ(slope([](const auto& x) { return where(x < 0.0, x * kNan, x / 4.0); }, 2), 0.25);
  EXPECT_EQ(where(false, kNan, 1.0), 1);
}

TEST(HardCases, 2_a_mask_selects) {
  // The derivative of sqrt at 0 arrives, infinite, at the side that was not taken.
  EXPECT_EQ(slope([](const auto& x) { return sqrt(relu(x)); }, -1), 0);
  EXPECT_EQ(slope([](const auto& x) { return sqrt(max(x, 1.0) - 1.0); }, 0), 0);
  EXPECT_EQ(slope([](const auto& x) { return sqrt(fdim(x, 1.0)); }, 0), 0);
  EXPECT_EQ(slope([](const auto& x) { return sqrt(floor(x)); }, 0.5), 0);
  const auto in_two = [](const Var& x) {
    const Var y = relu(x);
    return Var(sqrt(y));
  };
  EXPECT_EQ(by_var(in_two, -1), 0);
  const Dual<1> infinite(Dual<1>(-1.0).value(), [] {
    Dual<1>::Tangents t;
    t.set(0, kInf);
    return t;
  }());
  EXPECT_EQ(relu(infinite).tangent(), 0);
  EXPECT_EQ(max(infinite, 0.0).tangent(), 0);
  EXPECT_EQ(floor(infinite).tangent(), 0);
  Tape tape;
  const Tensor x = tape.input(tensor({-1.0, 4.0}, float64));
  tape.backward(sum(sqrt(relu(x))));
  EXPECT_TRUE(equal(x.grad(), tensor({0.0, 0.25}, float64)));
}

TEST(HardCases, 3_sqrt_at_zero) {
  EXPECT_EQ(slope([](const auto& x) { return sqrt(x); }, 0), kInf);
  // A zero factor: no derivative arrives, in one statement or in two.
  const auto in_two = [](const Var& x) {
    const Var y = sqrt(x);
    return Var(0.0 * y);
  };
  EXPECT_EQ(by_var([](const Var& x) { return 0.0 * sqrt(x); }, 0), 0);
  EXPECT_EQ(by_var([](const Var& x) { return 0.0 * (sqrt(x) + sqrt(x) / 2.0); }, 0), 0);
  EXPECT_EQ(by_var(in_two, 0), 0);
  // In forward mode the infinite tangent is there before the zero arrives.
  EXPECT_TRUE(std::isnan(by_dual([](const Dual<1>& x) { return 0.0 * sqrt(x); }, 0)));
}

TEST(HardCases, 4_sqrt_of_a_square_at_zero) {
  const auto f = [](const auto& x) { return sqrt(x * x); };
  EXPECT_TRUE(std::isnan(by_var(f, 0)));
  EXPECT_EQ(by_dual(f, 0), 0);  // the square's tangent is zero, and stays zero
  EXPECT_EQ(slope([](const auto& x) { return hypot(x, 0.0); }, 0), 0);
}

TEST(HardCases, 7_abs_at_zero) {
  EXPECT_EQ(slope([](const auto& x) { return abs(x); }, 0), 0);
  EXPECT_EQ(slope([](const auto& x) { return fabs(x); }, -0.0), 0);
}

TEST(HardCases, 8_relu_at_zero) {
  EXPECT_EQ(slope([](const auto& x) { return relu(x); }, 0), 0);
  EXPECT_EQ(slope([](const auto& x) { return relu(x); }, -0.0), 0);
}

TEST(HardCases, 9_clamp_at_its_ends) {
  const auto f = [](const auto& x) { return clamp(x, -1.0, 2); };
  EXPECT_EQ(slope(f, -1), 1);
  EXPECT_EQ(slope(f, 2), 1);
  EXPECT_EQ(slope(f, 2.5), 0);
  EXPECT_EQ(slope(f, -1.5), 0);
  EXPECT_EQ(clamp(3.0, 0, 1), 1);
}

TEST(HardCases, 10_ties_of_max_and_min) {
  EXPECT_EQ(slopes([](const auto& a, const auto& b) { return max(a, b); }, 1, 1), Pair(0.5, 0.5));
  EXPECT_EQ(slopes([](const auto& a, const auto& b) { return min(a, b); }, 1, 1), Pair(0.5, 0.5));
  EXPECT_EQ(slopes([](const auto& a, const auto& b) { return fmax(a, b); }, 1, 1), Pair(0.5, 0.5));
  EXPECT_EQ(slopes([](const auto& a, const auto& b) { return fmin(a, b); }, 1, 1), Pair(0.5, 0.5));
  EXPECT_EQ(slopes([](const auto& a, const auto& b) { return fmax(a, b); }, 1, kNan), Pair(1, 0));
  EXPECT_EQ(slopes([](const auto& a, const auto& b) { return fmin(a, b); }, kNan, 1), Pair(0, 1));
}

TEST(HardCases, 12_power_zero_of_zero) {
  EXPECT_EQ(slope([](const auto& x) { return pow(x, 0.0); }, 0), 0);
  EXPECT_EQ(slope([](const auto& x) { return pow(x, 0); }, 0), 0);
  for (const double tiny : {1e-310, -5e-324}) {  // 1 / x is infinite
    EXPECT_EQ(slope([](const auto& x) { return pow(x, 0.0); }, tiny), 0) << tiny;
  }
  EXPECT_EQ(slopes([](const auto& a, const auto& b) { return pow(a, b); }, 0, 0), Pair(0, 0));
}

TEST(HardCases, 13_power_of_zero_by_the_exponent) {
  EXPECT_EQ(slope([](const auto& y) { return pow(0.0, y); }, 2), 0);
  EXPECT_EQ(slope([](const auto& y) { return pow(0.0, y); }, 0), 0);
  EXPECT_EQ(slope([](const auto& y) { return pow(0.0, y); }, -1), -kInf);
  EXPECT_EQ(slopes([](const auto& a, const auto& b) { return pow(a, b); }, 0, 2), Pair(0, 0));
}

TEST(HardCases, 14_power_of_a_negative_number) {
  EXPECT_EQ(slope([](const auto& x) { return pow(x, 3.0); }, -2), 12);
  EXPECT_TRUE(std::isnan(slope([](const auto& y) { return pow(-2.0, y); }, 3)));
  const Pair both = slopes([](const auto& a, const auto& b) { return pow(a, b); }, -2, 3);
  EXPECT_EQ(both.first, 12);
  EXPECT_TRUE(std::isnan(both.second));
}

TEST(HardCases, 15_second_derivative_of_powers_at_zero) {
  EXPECT_EQ(second([](const auto& x) { return pow(x, 2); }, 0), 2);
  EXPECT_EQ(second([](const auto& x) { return pow(x, 2.0); }, 0), 2);
  EXPECT_EQ(second([](const auto& x) { return pow(x, 1.0); }, 0), 0);
  EXPECT_EQ(second([](const auto& x) { return pow(x, 0.0); }, 0), 0);
  EXPECT_EQ(second([](const auto& x) { return pow(x, 3.0); }, 0), 0);
  EXPECT_EQ(second([](const auto& x) { return square(x); }, 0), 2);
}

TEST(HardCases, 16_log_at_zero_and_below) {
  EXPECT_EQ(slope([](const auto& x) { return log(x); }, 0), kInf);
  EXPECT_EQ(slope([](const auto& x) { return log(x); }, -1), -1);
  EXPECT_TRUE(std::isnan(log(Dual<1>(-1.0)).value()));
  EXPECT_EQ(slope([](const auto& x) { return log1p(x); }, -1), kInf);
}

TEST(HardCases, 17_atan2_at_the_origin) {
  const auto f = [](const auto& a, const auto& b) { return atan2(a, b); };
  EXPECT_EQ(Var(f(Var(0.0), Var(0.0))).value(), 0);
  EXPECT_EQ(slopes(f, 0, 0), Pair(0, 0));
  EXPECT_EQ(slopes(f, kInf, 1), Pair(0, 0));
  EXPECT_DOUBLE_EQ(slopes(f, 1e-300, 0).second, -1e300);
}

TEST(HardCases, 18_inverse_functions_at_the_ends) {
  EXPECT_EQ(slope([](const auto& x) { return asin(x); }, 1), kInf);
  EXPECT_EQ(slope([](const auto& x) { return asin(x); }, -1), kInf);
  EXPECT_EQ(slope([](const auto& x) { return acos(x); }, 1), -kInf);
  EXPECT_EQ(slope([](const auto& x) { return acos(x); }, -1), -kInf);
  EXPECT_EQ(slope([](const auto& x) { return atanh(x); }, 1), kInf);
  EXPECT_EQ(slope([](const auto& x) { return atanh(x); }, -1), kInf);
  EXPECT_EQ(slope([](const auto& x) { return acosh(x); }, 1), kInf);
}

TEST(HardCases, 19_exponentials_that_do_not_overflow) {
  for (const double x : {-1000.0, 1000.0}) {
    const bool up = x > 0;
    EXPECT_EQ(softplus(Dual<1>(x)).value(), up ? x : 0);
    EXPECT_EQ(log1pexp(Dual<1>(x)).value(), up ? x : 0);
    EXPECT_EQ(logsigmoid(Dual<1>(x)).value(), up ? 0 : x);
    EXPECT_EQ(sigmoid(Dual<1>(x)).value(), up ? 1 : 0);
    EXPECT_EQ(logaddexp(Dual<1>(x), 0.0).value(), up ? x : 0);
    EXPECT_EQ(slope([](const auto& t) { return softplus(t); }, x), up ? 1 : 0);
    EXPECT_EQ(slope([](const auto& t) { return logsigmoid(t); }, x), up ? 0 : 1);
    EXPECT_EQ(slope([](const auto& t) { return sigmoid(t); }, x), 0);
    EXPECT_EQ(slope([](const auto& t) { return logaddexp(t, 0.0); }, x), up ? 1 : 0);
  }
  const auto f = [](const auto& a, const auto& b) { return logaddexp(a, b); };
  EXPECT_EQ(f(-kInf, -kInf), -kInf);
  EXPECT_EQ(slopes(f, -kInf, -kInf), Pair(0, 0));
  EXPECT_EQ(slopes(f, kInf, kInf), Pair(0.5, 0.5));
  EXPECT_EQ(slopes(f, 1, -kInf), Pair(1, 0));
  EXPECT_EQ(slopes(f, kInf, 1), Pair(1, 0));
}

TEST(HardCases, 20_small_arguments_and_tails) {
  EXPECT_EQ(log1p(Dual<1>(1e-20)).value(), 1e-20);
  EXPECT_EQ(expm1(Dual<1>(1e-20)).value(), 1e-20);
  EXPECT_EQ(slope([](const auto& x) { return expm1(x); }, -700), std::exp(-700.0));
  EXPECT_DOUBLE_EQ(slope([](const auto& x) { return erf(x); }, 0), 1.1283791670955126);
  EXPECT_GT(-slope([](const auto& x) { return erfc(x); }, 26), 1e-294);
  EXPECT_GT(slope([](const auto& x) { return tanh(x); }, 300), 1e-261);
  EXPECT_GT(slope([](const auto& x) { return sigmoid(x); }, 700), 1e-305);
}

TEST(HardCases, 21_rounding_has_derivative_zero) {
  for (const double x : {0.5, 2.0, -1.5}) {
    EXPECT_EQ(slope([](const auto& t) { return floor(t); }, x), 0);
    EXPECT_EQ(slope([](const auto& t) { return ceil(t); }, x), 0);
    EXPECT_EQ(slope([](const auto& t) { return trunc(t); }, x), 0);
    EXPECT_EQ(slope([](const auto& t) { return round(t); }, x), 0);
    EXPECT_EQ(slope([](const auto& t) { return rint(t) + nearbyint(t); }, x), 0);
    EXPECT_EQ(slope([](const auto& t) { return sign(t); }, x), 0);
    EXPECT_EQ(slope([](const auto& t) { return logb(t); }, x), 0);
    EXPECT_EQ(slope([](const auto& t) { return t - floor(t); }, x), 1);
  }
}

TEST(HardCases, 22_remainders_by_the_divisor) {
  const auto c_style = [](const auto& p, const auto& q) { return fmod(p, q); };
  for (const double a : {7.5, -7.5}) {
    for (const double b : {2.0, -2.0}) {
      EXPECT_EQ(slopes(c_style, a, b), Pair(1, -std::trunc(a / b)));
      EXPECT_EQ(slopes([](const auto& p, const auto& q) { return remainder(p, q); }, a, b),
                Pair(1, -std::rint(a / b)));
      Tape tape;  // remainder of tensors is Python's
      const Tensor p = tape.input(full({}, a, float64)), q = tape.input(full({}, b, float64));
      const Tensor y = remainder(p, q);
      EXPECT_EQ(y.item(), a - b * std::floor(a / b));
      tape.backward(y);
      EXPECT_EQ(q.grad().item(), -std::floor(a / b));
    }
  }
  // The quotient is below 5, and a / b rounds to 5.
  const double a = 0.5, b = 0.1;
  EXPECT_EQ(a / b, 5);
  EXPECT_EQ(slopes(c_style, a, b).second, -4);
}

TEST(HardCases, 23_functions_of_the_representation) {
  EXPECT_EQ(slope([](const auto& x) { return copysign(x, -1.0); }, 0), 0);
  EXPECT_EQ(slope([](const auto& x) { return copysign(x, -1.0); }, 2), -1);
  EXPECT_EQ(slope([](const auto& x) { return copysign(2.0, x); }, 0), 0);
  EXPECT_EQ(slope([](const auto& x) { return nextafter(x, 9.0); }, 1), 1);
  EXPECT_EQ(slope([](const auto& x) { return nextafter(1.0, x); }, 1), 0);
  int exponent = -1;
  const auto mantissa = [&](const auto& x) { return frexp(x, &exponent); };
  EXPECT_EQ(slope(mantissa, 0), 0);
  EXPECT_EQ(exponent, 0);
  EXPECT_EQ(slope(mantissa, 12), 1.0 / 16);
  EXPECT_EQ(exponent, 4);
  EXPECT_EQ(slopes([](const auto& a, const auto& b) { return hypot(a, b); }, 0, 0), Pair(0, 0));
  EXPECT_EQ(slopes([](const auto& a, const auto& b) { return hypot(a, b, 0); }, 0, 0), Pair(0, 0));
  EXPECT_EQ(slopes([](const auto& a, const auto& b) { return hypot(a, b); }, kInf, 1), Pair(1, 0));
  EXPECT_EQ(second([](const auto& x) { return hypot(x, 0.0); }, 0), 0);
}

TEST(HardCases, 24_division_by_zero) {
  const auto f = [](const auto& a, const auto& b) { return a / b; };
  EXPECT_EQ(f(Dual<1>(1.0), 0.0).value(), kInf);
  EXPECT_EQ(slopes(f, 1, 0), Pair(kInf, -kInf));
  EXPECT_TRUE(std::isnan(slopes(f, 0, 0).second));
}

}  // namespace
}  // namespace autograd
