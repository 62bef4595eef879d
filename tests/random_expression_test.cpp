// SPDX-License-Identifier: Apache-2.0
// Differential test: 10,000 random expressions, drawn from fixed seeds, agree as Var, in forward mode,
// as tensors of float64 and by central differences, in value and in gradient; their second derivatives
// in nested forward mode, forward over reverse, and as differences of first ones. A seed that fails
// becomes a case of its own. Ops join by a line in `apply_unary` or `apply_binary`; all are smooth where
// they are used.
#include <gtest/gtest.h>
#include <autograd/autograd.hpp>

#include <chrono>
#include <random>
#include <type_traits>

#include "check.hpp"

namespace autograd {
namespace {

constexpr int kInputs = 4;

// Arguments are brought into the domain first, so that every value stays moderate and smooth.
template <class T> T apply_unary(std::size_t which, const T& x) {
  switch (which) {
    case 0: return exp(sin(x));
    case 1: return log(1.5 + x * x);
    case 2: return sqrt(x * x + 0.5);
    case 3: return tanh(x);
    case 4: return sigmoid(x);
    case 5: return softplus(x);
    case 6: return sin(x);
    case 7: return cos(x);
    case 8: return atan(x);
    case 9: return asin(tanh(x) * 0.9);
    case 10: return acos(tanh(x) * 0.9);
    case 11: return sinh(sin(x));
    case 12: return cosh(sin(x));
    case 13: return tan(sin(x));
    case 14: return square(tanh(x));
    case 15: return log1p(square(x));
    case 16: return expm1(sin(x));
    case 17: return abs(x) * x;
    case 18: return relu(x) * x;
    case 19: return erf(x);
    case 20: return normal_cdf(x) + erfc(x);
    case 21: return lgamma(2.0 + square(tanh(x)));
    case 22: return digamma(1.5 + square(sin(x)));
    case 23: return asinh(x);
    case 24: return acosh(1.5 + square(sin(x)));
    case 25: return atanh(tanh(x) * 0.7);
    case 26: return exp2(sin(x));
    case 27: return log2(1.5 + x * x) + log10(2.0 + sin(x));
    case 28: return cbrt(2.0 + sin(x));
    case 29: return normal_icdf(0.2 + 0.6 * sigmoid(x));
    case 30: return logsigmoid(x);
    default: return -x;
  }
}
constexpr std::size_t kUnary = 32;

template <class T> T apply_binary(std::size_t which, const T& a, const T& b) {
  switch (which) {
    case 0: return a + b;
    case 1: return a - b;
    case 2: return sin(a) * b;
    case 3: return a / (1.0 + b * b);
    case 4: return pow(1.2 + sin(a), tanh(b));
    case 5: return pow(1.5 + cos(a), 2.5) - pow(2.0, tanh(b));
    case 6: return max(a, b) * (a - b);
    case 7: return min(a, b) * (a - b);
    case 8: return hypot(a, b + 3.0 * exp(sin(a)));
    case 9: return atan2(a, 1.5 + sin(b));
    case 10: return logaddexp(a, b);
    case 11: return beta(1.2 + sin(a), 1.5 + sin(b));
    case 12: return fdim(a, b) * (a - b);
    default: return 0.5 * a - b * 0.25 + 1.0;
  }
}
constexpr std::size_t kBinary = 14;

// A straight-line program over the inputs; every result may be used again.
template <class T> T expression(unsigned seed, const std::vector<T>& inputs) {
  std::mt19937 random(seed);
  std::vector<T> v = inputs;
  const std::size_t steps = 3 + random() % 12;
  for (std::size_t i = 0; i < steps; ++i) {
    const std::size_t kind = random(), which = random(), a = random() % v.size(),
                      b = random() % v.size();
    if (kind % 3 == 0) {
      v.push_back(apply_unary<T>(which % kUnary, v[a]));
    } else {
      v.push_back(apply_binary<T>(which % kBinary, v[a], v[b]));
    }
  }
  return v[v.size() - 1] + v[v.size() - 2] * 0.5;
}

// Where the expression of a seed is evaluated.
std::vector<double> point(unsigned seed) {
  std::mt19937 random(seed + 100000);
  std::vector<double> at;
  for (std::size_t i = 0; i < kInputs; ++i) at.push_back(random() * 0x1p-30 - 2);
  return at;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr unsigned kSeeds = 500;
#else
constexpr unsigned kSeeds = 10000;
#endif

using Forward = Dual<kInputs>;
std::vector<Forward> variables(const std::vector<double>& at) {
  std::vector<Forward> x;
  for (int i = 0; i < static_cast<int>(kInputs); ++i) {
    x.push_back(Forward::variable(at[static_cast<std::size_t>(i)], i));
  }
  return x;
}

template <class F> double short_difference(const F& f, std::vector<double> x, std::size_t i) {
  constexpr double kStep = 8e-7;
  const double at = x[i];
  x[i] = at + kStep;
  const double above = f(x);
  x[i] = at - kStep;
  return (above - f(x)) / (2 * kStep);
}

TEST(RandomExpressionTest, VarForwardTensorAndDifferencesAgree) {
  double largest = 0;
  for (unsigned seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const std::vector<double> at = point(seed);

    Tape tape;
    std::vector<Var> x;
    std::vector<Tensor> t;
    for (const double value : at) {
      x.push_back(tape.input(value));
      t.push_back(tape.input(full({}, value, float64)));
    }
    const Var y = expression(seed, x);
    const Tensor z = expression(seed, t);
    tape.backward(y, {.retain = true});
    tape.backward(z);

    const double value = expression(seed, at);
    const Forward forward = expression(seed, variables(at));
    ASSERT_TRUE(check::close(y.value(), value, 1e-12));
    ASSERT_TRUE(check::close(forward.value(), value, 1e-12));
    ASSERT_TRUE(check::close(z.item(), value, 1e-12));
    const auto f = [&](const std::vector<double>& v) { return expression(seed, v); };
    // Extrapolated to step 0: some of these compositions are steep.
    std::vector<double> want = check::differences(f, at, 0.5);
    const std::vector<double> coarse = check::differences(f, at);
    for (std::size_t i = 0; i < kInputs; ++i) want[i] += (want[i] - coarse[i]) / 3;
    for (std::size_t i = 0; i < kInputs; ++i) {
      const double by_tensor = t[i].has_grad() ? t[i].grad().item() : 0.0;
      ASSERT_TRUE(check::close(x[i].grad(), by_tensor, 1e-10)) << x[i].grad() << " " << by_tensor;
      const double by_forward = forward.tangent(static_cast<int>(i));
      ASSERT_TRUE(check::close(x[i].grad(), by_forward, 1e-10)) << x[i].grad() << " " << by_forward;
      // Of 40,000 derivatives a few are so steep that their differences need a shorter step.
      ASSERT_TRUE(check::close(x[i].grad(), want[i], 2e-6) ||
                  check::close(x[i].grad(), short_difference(f, at, i), 2e-6))
          << x[i].grad() << " " << want[i];
      largest = std::max(largest, std::abs(want[i]));
    }
  }
  EXPECT_GT(largest, 1);  // gradients of zero would prove nothing
}

TEST(RandomExpressionTest, SecondDerivativesAgree) {
  using Nested = Dual<kInputs, Forward>;
  constexpr int kN = kInputs;
  double largest = 0;
  int beside_kinks = 0;
  for (unsigned seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const std::vector<double> at = point(seed);
    const std::vector<Forward> inner = variables(at);
    std::vector<Nested> x;
    for (int i = 0; i < kN; ++i) {
      x.push_back(Nested::variable(inner[static_cast<std::size_t>(i)], i));
    }
    const Nested y = expression(seed, x);
    const Tensor reverse = hessian(
        [&](const auto& v) {
          using T = std::remove_cvref_t<decltype(v[0])>;
          return expression<T>(seed, std::vector<T>(v.begin(), v.end()));
        },
        at);
    const auto slopes = [&](int i, double h) {
      std::vector<double> moved = at;
      moved[static_cast<std::size_t>(i)] += h;
      return expression(seed, variables(moved));
    };
    for (int i = 0; i < kN; ++i) {
      const double h = 1e-5 * std::max(1.0, std::abs(at[static_cast<std::size_t>(i)]));
      const Forward above = slopes(i, h), below = slopes(i, -h), here = slopes(i, 0);
      const Forward nearer = slopes(i, h / 2), nearer_below = slopes(i, -h / 2);
      for (int j = 0; j < kN; ++j) {
        const double second = y.tangent(i).tangent(j);
        ASSERT_TRUE(check::close(second, y.tangent(j).tangent(i), 1e-10)) << i << " " << j;
        ASSERT_TRUE(check::close(second, reverse.at({i, j}), 1e-10)) << i << " " << j;
        const double up = (above.tangent(j) - here.tangent(j)) / h;
        const double down = (here.tangent(j) - below.tangent(j)) / h;
        // The second derivatives of abs(x) x, relu(x) x and max(a, b) (a - b) jump.
        if (std::abs(up - down) > 0.01 * (1 + std::abs(up))) {
          ++beside_kinks;
          continue;
        }
        // Extrapolated to step 0, as the first derivatives are.
        const double coarse = (up + down) / 2;
        const double fine = (nearer.tangent(j) - nearer_below.tangent(j)) / h;
        ASSERT_TRUE(check::close(second, fine + (fine - coarse) / 3, 1e-5))
            << second << " " << coarse << " " << fine;
        largest = std::max(largest, std::abs(second));
      }
    }
  }
  EXPECT_GT(largest, 1);
  EXPECT_LT(beside_kinks, static_cast<int>(kSeeds) * kN * kN / 1000);
}

// A sweep visits a value once, however often it is used: 2^30 paths lead from y to x.
TEST(RandomExpressionTest, SharedSubexpressionsCostNothing) {
  const auto doubled = [](auto x) {
    for (int i = 0; i < 30; ++i) x = x + x;
    return x;
  };
  Tape tape;
  const Var x = tape.input(1.0);
  const Tensor t = tape.input(ones({}, float64));
  tape.backward(doubled(Var(x)));
  tape.backward(doubled(t));
  double fastest = 1;
  for (int i = 0; i < 100; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    tape.backward(doubled(Var(x)));
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    fastest = std::min(fastest, seconds.count());
  }
  EXPECT_EQ(x.grad(), 101 * 0x1p30);
  EXPECT_EQ(t.grad().item(), 0x1p30);
  EXPECT_LT(fastest, 100e-6);
}

// The same expressions over vectors: each element is an evaluation of its own.
TEST(RandomExpressionTest, VectorsOfEveryLength) {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const std::size_t n = 1 + seed % 37;
    std::mt19937 random(seed);
    std::vector<std::vector<double>> at(kInputs);
    Tape tape;
    std::vector<Tensor> t;
    for (std::vector<double>& values : at) {
      for (std::size_t k = 0; k < n; ++k) values.push_back(random() * 0x1p-30 - 2);
      t.push_back(tape.input(tensor(values)));
    }
    const Tensor z = expression(seed, t);
    tape.backward(sum(z));
    for (std::size_t k = 0; k < n; ++k) {
      std::vector<Var> x;
      for (std::size_t i = 0; i < kInputs; ++i) x.push_back(tape.input(at[i][k]));
      const Var y = expression(seed, x);
      tape.backward(y);
      const auto position = static_cast<std::int64_t>(k);
      ASSERT_TRUE(check::close(z.at({position}), y.value(), 1e-12));
      for (std::size_t i = 0; i < kInputs; ++i) {
        const double by_tensor = t[i].has_grad() ? t[i].grad().at({position}) : 0.0;
        ASSERT_TRUE(check::close(by_tensor, x[i].grad(), 1e-10)) << by_tensor << " " << x[i].grad();
      }
    }
  }
}

}  // namespace
}  // namespace autograd
