// SPDX-License-Identifier: Apache-2.0
// Every function of scalars against 50-digit references (tests/golden/cmath_reference.py): values to
// 4 ulp (gamma functions to 16), first derivatives of Var and Dual and second ones of nested Duals to
// 1e-12, or to 1e-13 absolute near a zero of the derivative. With AUTOGRAD_PRINT_ACCURACY set in the
// environment it prints the largest errors seen.
#include <gtest/gtest.h>
#include <autograd/autograd.hpp>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>

#include "check.hpp"

namespace autograd {
namespace {

using Doubles = std::vector<double>;

// What one function gives at one point.
struct Outcome {
  Doubles values;  // of double, Var, Dual: all the same
  Doubles by_var, by_dual, second;
};
using Function = std::function<Outcome(const Doubles&)>;

template <class F> Function unary(F f) {
  return [f](const Doubles& at) {
    Outcome y;
    Tape tape;
    const Var x = tape.input(at[0]);
    const Var v = f(x);
    tape.backward(v);
    const auto d = f(Dual<1, Dual<1>>::variable(Dual<1>::variable(at[0])));
    y.values = {f(at[0]), v.value(), plain_value(d)};
    y.by_var = {x.grad()};
    y.by_dual = {d.tangent().value()};
    y.second = {d.tangent().tangent()};
    EXPECT_EQ(d.value().tangent(), d.tangent().value());
    return y;
  };
}

template <class F> Function binary(F f) {
  return [f](const Doubles& at) {
    Outcome y;
    Tape tape;
    const Var a = tape.input(at[0]), b = tape.input(at[1]);
    const Var v = f(a, b);
    tape.backward(v, {.retain = true});
    y.by_var = {a.grad(), b.grad()};
    using D = Dual<2, Dual<2>>;
    const D p = D::variable(Dual<2>::variable(at[0], 0), 0);
    const D q = D::variable(Dual<2>::variable(at[1], 1), 1), d = f(p, q);
    y.values = {f(at[0], at[1]), v.value(), plain_value(d)};
    y.by_dual = {d.tangent(0).value(), d.tangent(1).value()};
    y.second = {d.tangent(0).tangent(0), d.tangent(0).tangent(1), d.tangent(1).tangent(1)};
    // A number on either side changes nothing for the other operand.
    tape.zero_grad();
    const Var left = f(at[0], b), right = f(a, at[1]);
    tape.backward(left + 0.0, {.retain = true});
    tape.backward(right + 0.0);
    EXPECT_EQ(a.grad(), y.by_var[0]);
    EXPECT_EQ(b.grad(), y.by_var[1]);
    EXPECT_EQ(f(at[0], q).tangent(1).value(), y.by_dual[1]);
    EXPECT_EQ(f(p, at[1]).tangent(0).value(), y.by_dual[0]);
    EXPECT_EQ(f(p, at[1]).tangent(0).tangent(0), y.second[0]);
    return y;
  };
}

#define UNARY(function)                                         \
  {                                                             \
#function, unary([](const auto& x) { return function(x); }) \
  }
#define BINARY(function)                                                           \
  {                                                                                \
#function, binary([](const auto& a, const auto& b) { return function(a, b); }) \
  }
const std::map<std::string, Function>& functions() {
  static const std::map<std::string, Function> table = {
      UNARY(exp),
      UNARY(exp2),
      UNARY(expm1),
      UNARY(log),
      UNARY(log2),
      UNARY(log10),
      UNARY(log1p),
      UNARY(sqrt),
      UNARY(cbrt),
      UNARY(square),
      UNARY(sin),
      UNARY(cos),
      UNARY(tan),
      UNARY(asin),
      UNARY(acos),
      UNARY(atan),
      UNARY(sinh),
      UNARY(cosh),
      UNARY(tanh),
      UNARY(asinh),
      UNARY(acosh),
      UNARY(atanh),
      UNARY(sigmoid),
      UNARY(softplus),
      UNARY(logsigmoid),
      UNARY(erf),
      UNARY(erfc),
      UNARY(tgamma),
      UNARY(lgamma),
      UNARY(digamma),
      UNARY(normal_cdf),
      UNARY(normal_icdf),
      UNARY(abs),
      UNARY(relu),
      UNARY(floor),
      UNARY(ceil),
      UNARY(trunc),
      UNARY(round),
      UNARY(rint),
      UNARY(nearbyint),
      UNARY(sign),
      BINARY(pow),
      BINARY(hypot),
      BINARY(atan2),
      BINARY(logaddexp),
      BINARY(fmod),
      BINARY(fdim),
      BINARY(fmax),
      BINARY(fmin),
      BINARY(copysign),
      BINARY(beta),
      {"ieee_remainder", binary([](const auto& a, const auto& b) { return remainder(a, b); })},
      {"add", binary([](const auto& a, const auto& b) { return a + b; })},
      {"sub", binary([](const auto& a, const auto& b) { return a - b; })},
      {"mul", binary([](const auto& a, const auto& b) { return a * b; })},
      {"div", binary([](const auto& a, const auto& b) { return a / b; })}};
  return table;
}
#undef UNARY
#undef BINARY

double ulps(double got, long double want) {
  const double rounded = static_cast<double>(want);
  if (got == rounded) return 0;
  if (!std::isfinite(got) || !std::isfinite(rounded)) return HUGE_VAL;
  const double unit = std::nextafter(std::abs(rounded), HUGE_VAL) - std::abs(rounded);
  return static_cast<double>(std::abs(got - want) / unit);
}

// Relative to `want`; near a zero of the derivative in units of 0.1, so that 1e-12 is the bound for
// both. Where the exponent of a double ends there is nothing to hold it to.
double error(double got, long double want, bool near_zero) {
  const double rounded = static_cast<double>(want);
  if (got == rounded) return 0;
  if (!std::isfinite(got) || !std::isfinite(rounded)) return HUGE_VAL;
  const double difference = static_cast<double>(std::abs(got - want));
  if (std::abs(rounded) < 1e-290 && difference < 1e-290) return 0;
  const double relative = difference / std::abs(rounded);
  return near_zero ? std::min(relative, 10 * difference) : relative;
}

struct Line {
  std::string name;
  Doubles at;
  std::vector<long double> wants;  // value, first and second derivatives
  unsigned near = 0;
};

std::vector<Line> reference() {
  std::ifstream file(AUTOGRAD_TESTS_DIR "/golden/cmath_reference.csv");
  std::vector<Line> lines;
  for (std::string text; std::getline(file, text);) {
    if (text.empty() || text[0] == '#') continue;
    std::vector<std::string> cells;
    std::istringstream row(text);
    for (std::string cell; std::getline(row, cell, ',');) cells.push_back(cell);
    Line line;
    line.name = cells[0];
    const std::size_t arity = cells.size() == 6 ? 1 : 2;
    for (std::size_t i = 1; i <= arity; ++i)
      line.at.push_back(std::strtod(cells[i].c_str(), nullptr));
    for (std::size_t i = 1 + arity; i + 1 < cells.size(); ++i)
      line.wants.push_back(std::strtold(cells[i].c_str(), nullptr));
    line.near = static_cast<unsigned>(std::stoul(cells.back()));
    lines.push_back(line);
  }
  return lines;
}

struct Worst {
  double value = 0, first = 0, second = 0;
};

TEST(CmathTest, AgreesWithFiftyDigits) {
  std::map<std::string, Worst> worst;
  for (const Line& line : reference()) {
    std::ostringstream where;
    where.precision(17);
    where << line.name << " at " << line.at[0];
    if (line.at.size() > 1) where << ", " << line.at[1];
    SCOPED_TRACE(where.str());
    ASSERT_TRUE(functions().contains(line.name));
    const Outcome y = functions().at(line.name)(line.at);
    const bool gamma = line.name == "tgamma" || line.name == "lgamma" || line.name == "beta";
    Worst& w = worst[line.name];
    for (const double value : y.values) {
      const double u = ulps(value, line.wants[0]);
      EXPECT_LE(u, gamma ? 16 : 4) << value;
      w.value = std::max(w.value, u);
    }
    for (std::size_t i = 0; i + 1 < line.wants.size(); ++i) {
      const long double want = line.wants[i + 1];
      const bool near = line.near >> i & 1;
      const std::size_t n = line.at.size();
      if (i < n) {
        const double e = std::max(error(y.by_var[i], want, near), error(y.by_dual[i], want, near));
        EXPECT_LE(e, 1e-12) << "derivative " << i << ": " << y.by_var[i] << ", " << y.by_dual[i]
                            << ", want " << want;
        w.first = std::max(w.first, e);
      } else {
        const double e = error(y.second[i - n], want, near);
        EXPECT_LE(e, 1e-12) << "second derivative " << i - n << ": " << y.second[i - n] << ", want "
                            << want;
        w.second = std::max(w.second, e);
      }
    }
  }
  EXPECT_EQ(worst.size(), functions().size()) << "a function without references";
  if (!std::getenv("AUTOGRAD_PRINT_ACCURACY")) return;
  for (const auto& [name, w] : worst) {
    std::printf("%-16s value %5.2f ulp, first %.1e, second %.1e\n", name.c_str(), w.value, w.first,
                w.second);
  }
}

}  // namespace
}  // namespace autograd
