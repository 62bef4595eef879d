// SPDX-License-Identifier: Apache-2.0
// Var: every operator and function against central differences, mixed operands, comparisons, passive
// values, and what happens without a tape, at NaN and at infinity. Each function of ops/elementwise.hpp
// that scalars have is one line in a table here; the same name must work on double.
#include <gtest/gtest.h>
#include <autograd/autograd.hpp>

#include <limits>
#include <type_traits>

#include "check.hpp"

namespace ag = autograd;

namespace autograd {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// f(x) and df/dx at each point; f is generic over Var and double.
template <class F> void check_unary(const char* name, F f, std::initializer_list<double> points) {
  for (const double at : points) {
    SCOPED_TRACE(std::string(name) + " at " + std::to_string(at));
    Tape tape;
    const Var x = tape.input(at);
    const Var y = f(x);
    EXPECT_DOUBLE_EQ(y.value(), f(at));
    tape.backward(y);
    const double want =
        check::differences([&](const std::vector<double>& v) { return f(v[0]); }, {at})[0];
    EXPECT_TRUE(check::close(x.grad(), want)) << x.grad() << " " << want;
    EXPECT_FALSE(check::close(x.grad() * 1.001, want) && std::abs(want) > 0.01);
  }
}

template <class F>
void check_binary(const char* name, F f, std::initializer_list<std::array<double, 2>> points) {
  for (const auto& point : points) {
    const double p = point[0], q = point[1];
    SCOPED_TRACE(std::string(name) + " at " + std::to_string(p) + ", " + std::to_string(q));
    const auto want =
        check::differences([&](const std::vector<double>& v) { return f(v[0], v[1]); }, {p, q});
    const auto expect = [&](const Var& a, const Var& b, const Var& y, Tape& tape) {
      EXPECT_DOUBLE_EQ(y.value(), f(p, q));
      tape.backward(y);
      EXPECT_TRUE(check::close(a.grad(), want[0])) << a.grad() << " " << want[0];
      EXPECT_TRUE(check::close(b.grad(), want[1])) << b.grad() << " " << want[1];
    };
    {
      Tape tape;
      const Var a = tape.input(p), b = tape.input(q);
      expect(a, b, f(a, b), tape);
    }
    {  // of expressions
      Tape tape;
      const Var a = tape.input(p), b = tape.input(q);
      expect(a, b, f(a * 1.0, b + 0.0), tape);
    }
    {  // numbers and passive values on either side
      Tape tape;
      const Var a = tape.input(p), b = tape.input(q), y = f(a, q), z = f(p, b);
      const Var u = f(a, Var(q)), w = f(Var(p), b);
      tape.backward(y + z * 2.0 + u * 4.0 + w * 8.0);
      EXPECT_TRUE(check::close(a.grad(), 5 * want[0]));
      EXPECT_TRUE(check::close(b.grad(), 10 * want[1]));
    }
  }
}

TEST(VarTest, UnaryFunctions) {
  check_unary("neg", [](const auto& x) { return -x; }, {-1.5, 0.0, 2.0});
  check_unary("plus", [](const auto& x) { return +x; }, {-1.5, 2.0});
  check_unary("exp", [](const auto& x) { return exp(x); }, {-2.0, 0.0, 1.5});
  check_unary("log", [](const auto& x) { return log(x); }, {0.3, 1.0, 7.0});
  check_unary("log1p", [](const auto& x) { return log1p(x); }, {-0.5, 1e-3, 2.0});
  check_unary("expm1", [](const auto& x) { return expm1(x); }, {-1.0, 1e-3, 2.0});
  check_unary("sqrt", [](const auto& x) { return sqrt(x); }, {0.2, 1.0, 9.0});
  check_unary("square", [](const auto& x) { return square(x); }, {-3.0, 0.0, 2.0});
  check_unary("abs", [](const auto& x) { return abs(x); }, {-3.0, 2.0});
  check_unary("sin", [](const auto& x) { return sin(x); }, {-3.0, 0.0, 2.0});
  check_unary("cos", [](const auto& x) { return cos(x); }, {-3.0, 0.0, 2.0});
  check_unary("tan", [](const auto& x) { return tan(x); }, {-1.0, 0.0, 0.9});
  check_unary("asin", [](const auto& x) { return asin(x); }, {-0.9, 0.0, 0.5});
  check_unary("acos", [](const auto& x) { return acos(x); }, {-0.9, 0.0, 0.5});
  check_unary("atan", [](const auto& x) { return atan(x); }, {-3.0, 0.0, 2.0});
  check_unary("sinh", [](const auto& x) { return sinh(x); }, {-2.0, 0.0, 1.0});
  check_unary("cosh", [](const auto& x) { return cosh(x); }, {-2.0, 0.0, 1.0});
  check_unary("tanh", [](const auto& x) { return tanh(x); }, {-2.0, 0.0, 1.0});
  check_unary("sigmoid", [](const auto& x) { return sigmoid(x); }, {-5.0, 0.0, 3.0});
  check_unary("relu", [](const auto& x) { return relu(x); }, {-2.0, 3.0});
  check_unary("softplus", [](const auto& x) { return softplus(x); }, {-5.0, 0.0, 30.0});
  check_unary("nested",
              [](const auto& x) { return exp(sin(x) * log(x + 2.0)) / sqrt(1.0 + x * x); },
              {-0.5, 0.7, 3.0});
}

TEST(VarTest, BinaryFunctions) {
  check_binary("add", [](const auto& a, const auto& b) { return a + b; },
               {{1.5, -2.0}, {0.0, 3.0}});
  check_binary("sub", [](const auto& a, const auto& b) { return a - b; },
               {{1.5, -2.0}, {0.0, 3.0}});
  check_binary("mul", [](const auto& a, const auto& b) { return a * b; },
               {{1.5, -2.0}, {0.0, 3.0}});
  check_binary("div", [](const auto& a, const auto& b) { return a / b; },
               {{1.5, -2.0}, {0.0, 3.0}});
  check_binary("pow", [](const auto& a, const auto& b) { return pow(a, b); },
               {{1.5, -2.0}, {0.5, 0.3}, {2.0, 3.0}});
  check_binary("max", [](const auto& a, const auto& b) { return ag::max(a, b); },
               {{1.5, -2.0}, {0.0, 3.0}});
  check_binary("min", [](const auto& a, const auto& b) { return ag::min(a, b); },
               {{1.5, -2.0}, {0.0, 3.0}});
  check_binary("where", [](const auto& a, const auto& b) { return ag::where(true, a * b, b); },
               {{1.5, -2.0}});
  check_binary("where not", [](const auto& a, const auto& b) { return ag::where(false, a, a * b); },
               {{1.5, -2.0}});
}

TEST(VarTest, NumbersOfEveryType) {
  Tape tape;
  const Var x = tape.input(3.0);
  const Var y = x + 1 + 2.0f - 1L + 2u * x / 4 - (5 - x) * 0.5f + pow(x, 2) + pow(2, x) +
                ag::max(x, 1) + ag::min(1, x) + ag::where(true, x, 1) + ag::where(false, 2.0f, x);
  EXPECT_DOUBLE_EQ(y.value(), 3 + 1 + 2 - 1 + 1.5 - 1 + 9 + 8 + 3 + 1 + 3 + 3);
  tape.backward(y);
  EXPECT_DOUBLE_EQ(x.grad(), 1 + 0.5 + 0.5 + 6 + 8 * std::log(2.0) + 1 + 0 + 1 + 1);
}

TEST(VarTest, CompoundAssignment) {
  Tape tape;
  const Var x = tape.input(3.0);
  Var y = x;
  y += 2;
  y -= 1.0f;
  y *= 3;
  y /= 2.0;
  y *= x;
  y /= x + 1.0;
  y -= x;
  y += x * x;
  const auto f = [](const std::vector<double>& v) {
    const double a = v[0];
    return (a + 1) * 1.5 * a / (a + 1) - a + a * a;
  };
  EXPECT_DOUBLE_EQ(y.value(), f({3}));
  tape.backward(y);
  EXPECT_TRUE(check::close(x.grad(), check::differences(f, {3})[0]));
}

TEST(VarTest, Comparisons) {
  Tape tape;
  const Var a = tape.input(1.0), b = tape.input(2.0);
  const std::size_t size = tape.size();
  EXPECT_TRUE(a < b && a <= b && b > a && b >= a && a != b && !(a == b));
  EXPECT_TRUE(a < 2 && 2 > a && a == 1.0f && 1 == a && a != 0 && a <= 1 && a >= 1u);
  EXPECT_TRUE(a * 2.0 == b && a + b > b && 4.0 > b + a);
  EXPECT_FALSE(Var(kNan) == Var(kNan));
  EXPECT_TRUE(Var(kNan) != Var(kNan));
  EXPECT_EQ(tape.size(), size);  // nothing is recorded
}

TEST(VarTest, TiesAndKinks) {
  Tape tape;
  const Var a = tape.input(0.0), b = tape.input(0.0), c = tape.input(0.0);
  tape.backward(abs(a) + relu(b) + ag::max(c, a * 1.0) * 8.0 + ag::min(c, 0.0) * 2.0);
  EXPECT_EQ(b.grad(), 0);
  EXPECT_EQ(a.grad(), 4);      // abs: 0; half of max's
  EXPECT_EQ(c.grad(), 4 + 1);  // half of max's, half of min's
}

TEST(VarTest, Layout) {
  static_assert(sizeof(Var) == 16);
  static_assert(std::is_convertible_v<double, Var> && std::is_convertible_v<int, Var>);
  static_assert(!std::is_convertible_v<Var, double> && !std::is_convertible_v<Var, bool>);
  EXPECT_EQ(Var().value(), 0);
  EXPECT_EQ(Var(2.5).value(), 2.5);
  const std::vector<Var> many(10, Var(1.0));
  EXPECT_EQ(many[9].value(), 1);
}

TEST(VarTest, PassiveValues) {
  const std::string constant = "Var::grad: this value is a constant";
  Tape tape;
  const std::size_t size = tape.size();
  const Var k = 3.0, m = k * k + 1.0;
  EXPECT_EQ(m.value(), 10);
  EXPECT_EQ(tape.size(), size);
  EXPECT_FALSE(k.has_grad());
  EXPECT_EQ(check::message_of<TapeError>([&] { k.grad(); }).substr(0, constant.size()), constant);
  EXPECT_NE(check::message_of<TapeError>([&] { tape.backward(m); }).find("no input reaches"),
            std::string::npos);
}

// The slope by the exponent is log(-2), NaN, which must not reach anything.
TEST(VarTest, ConstantsAmongTheOperands) {
  const Var k = 3.0, one = 1.0;
  Tape tape;
  const Var x = tape.input(-2.0);
  const std::size_t size = tape.size();
  const Var y = pow(x, k) * one + k * k;
  EXPECT_EQ(tape.size(), size + 1);
  Var sum = k;
  sum += y * one;
  const Var last = one * sum;
  EXPECT_EQ(last.value(), 4);
  tape.backward(last, {.retain = true});
  EXPECT_EQ(x.grad(), 12);
  EXPECT_EQ(y.grad(), 1);
  tape.zero_grad();
  tape.backward(last + y);
  EXPECT_EQ(x.grad(), 24);
}

TEST(VarTest, WithoutATapeNothingIsRecorded) {
  Var x = 2.0;
  for (int i = 0; i < 1000; ++i) x = x * 0.5 + sin(x);
  x += x;
  EXPECT_FALSE(x.has_grad());
  Var kept;
  {
    Tape tape;
    kept = tape.input(4.0) * 2.0;
  }
  const Var y = kept * 3.0;  // no tape records: the value serves
  EXPECT_EQ(y.value(), 24);
  Tape tape;
  const Var z = tape.input(1.0) * y;  // and what came of it is a constant
  EXPECT_EQ(z.value(), 24);
}

TEST(VarTest, NanAndInfinityPropagate) {
  Tape tape;
  const Var x = tape.input(0.0), y = tape.input(kNan), z = tape.input(-1.0);
  EXPECT_TRUE(std::isnan(ag::max(y, x).value()) && std::isnan(ag::max(x, y).value()));
  EXPECT_TRUE(std::isnan(ag::min(y, x).value()) && std::isnan(ag::min(x, y).value()));
  EXPECT_TRUE(std::isnan(relu(y).value()));
  EXPECT_TRUE(std::isnan(Var(sqrt(z)).value()));
  tape.backward(log(x) + sqrt(x));
  EXPECT_EQ(x.grad(), kInf);
  tape.zero_grad();
  tape.backward(x * y);
  EXPECT_TRUE(std::isnan(x.grad()));
}

TEST(VarTest, TheSideNotTakenLeaksNothing) {
  Tape tape;
  const Var x = tape.input(0.0), z = tape.input(-1.0), n = tape.input(kNan);
  const Var y = ag::where(x > 0.0, log(x) / x, x * 2.0) + ag::where(z < 0.0, z * z, sqrt(z)) +
                ag::where(false, n * x, z);
  tape.backward(y);
  EXPECT_EQ(x.grad(), 2);
  EXPECT_EQ(z.grad(), -1);
  EXPECT_EQ(n.grad(), 0);
}

// The exponent is a number: its slope, log of a negative base, is not even computed.
TEST(VarTest, PowersOfNegativeNumbersAndZero) {
  Tape tape;
  const Var x = tape.input(-2.0), o = tape.input(0.0);
  tape.backward(pow(x, 3.0) + pow(o, 2.0) + pow(o, 1.0) + pow(o, 0.0));
  EXPECT_DOUBLE_EQ(x.grad(), 12);
  EXPECT_EQ(o.grad(), 1);
}

TEST(VarTest, TheVocabularyOnDouble) {
  EXPECT_EQ(ag::max(1.0, 2), 2);
  EXPECT_EQ(ag::min(1, 2.5), 1);
  EXPECT_TRUE(std::isnan(ag::max(kNan, 1.0)) && std::isnan(ag::min(1.0, kNan)));
  EXPECT_EQ(ag::where(true, 1.0, kNan), 1);
  EXPECT_EQ(ag::square(3.0), 9);
  EXPECT_EQ(ag::relu(-1.0), 0);
  EXPECT_EQ(ag::sigmoid(0.0), 0.5);
  EXPECT_EQ(ag::sigmoid(-1000.0), 0);
  EXPECT_EQ(ag::softplus(1000.0), 1000);
  EXPECT_DOUBLE_EQ(ag::exp(1.0) + ag::tanh(0.5) + ag::pow(2.0, 3.0) + ag::abs(-1.0),
                   std::exp(1.0) + std::tanh(0.5) + 9);
}

}  // namespace
}  // namespace autograd
