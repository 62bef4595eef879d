// SPDX-License-Identifier: Apache-2.0
// Implicit functions and linear systems: against closed forms, differences, and differentiating through
// the elimination itself.
#include <gtest/gtest.h>
#include <autograd/autograd.hpp>

#include <cmath>
#include <random>

#include "check.hpp"

namespace autograd {
namespace {

using check::message_of;

// x with x^3 + p0 x = p1, by bisection: nothing of the solver could be differentiated.
std::vector<double> solve_cubic(std::span<const double> p) {
  double low = -100, high = 100;
  for (int i = 0; i < 200; ++i) {
    const double middle = (low + high) / 2;
    (middle * middle * middle + p[0] * middle < p[1] ? low : high) = middle;
  }
  return {low};
}
const Residual kCubic = [](std::span<const Var> x, std::span<const Var> p) {
  return std::vector<Var>{x[0] * x[0] * x[0] + p[0] * x[0] - p[1]};
};

TEST(ImplicitTest, RootOfACubic) {
  Tape tape;
  const std::vector<Var> p{tape.input(2.0), tape.input(12.0)};
  const Var x = implicit_function(solve_cubic, kCubic, p)[0];
  EXPECT_NEAR(x.value(), 2, 1e-12);
  tape.backward(exp(x));
  const double slope = 1 / (3 * 4 + 2.0);  // dx/dp1
  EXPECT_NEAR(p[0].grad(), -2 * slope * std::exp(2.0), 1e-9);
  EXPECT_NEAR(p[1].grad(), slope * std::exp(2.0), 1e-9);
}

// A circle and a line meet; the parameters come through other statements, one equation has a constant.
TEST(ImplicitTest, SeveralEquationsAgreeWithDifferences) {
  const Solver solve = [](std::span<const double> p) {
    std::vector<double> x{1.0, 0.5};
    for (int i = 0; i < 50; ++i) {
      const double f = x[0] * x[0] + x[1] * x[1] - p[0], g = x[1] - p[1] * x[0] - p[2];
      const std::vector<double> step =
          linear_solve(std::vector{2 * x[0], 2 * x[1], -p[1], 1.0}, std::vector{f, g});
      x[0] -= step[0];
      x[1] -= step[1];
    }
    return x;
  };
  const Residual residual = [](std::span<const Var> x, std::span<const Var> p) {
    return std::vector<Var>{square(x[0]) + square(x[1]) - p[0], x[1] - p[1] * x[0] - p[2]};
  };
  const std::vector<double> at{1.4, 0.6, -0.2};
  Tape tape;
  std::vector<Var> in;
  for (const double v : at) in.push_back(tape.input(v));
  const std::vector<Var> x =
      implicit_function(solve, residual, std::vector<Var>{in[0] * in[0], in[1], in[2] * 2.0});
  tape.backward(x[0] * sin(x[1]));
  const auto f = [&](const std::vector<double>& v) {
    const auto y = solve(std::vector{v[0] * v[0], v[1], v[2] * 2});
    return y[0] * std::sin(y[1]);
  };
  const std::vector<double> want = check::differences(f, at);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(check::close(in[i].grad(), want[i]));
}

TEST(ImplicitTest, Errors) {
  Tape tape;
  const std::vector<Var> p{tape.input(2.0), tape.input(12.0)};
  const std::size_t size = tape.size();
  const Solver wrong = [](auto) { return std::vector{1.9}; };
  EXPECT_NE(message_of<ValueError>([&] {
              implicit_function(wrong, kCubic, p);
            }).find("the solver returned no solution"),
            std::string::npos);
  const Residual two = [](std::span<const Var> x, std::span<const Var>) {
    return std::vector<Var>{x[0], x[0]};
  };
  EXPECT_EQ(message_of<ShapeError>([&] { implicit_function(solve_cubic, two, p); }),
            "implicit_function: F has 2 elements and x has 1; need as many equations as unknowns");
  const Residual flat = [](std::span<const Var>, std::span<const Var> q) {
    return std::vector<Var>{q[0] - 2.0};
  };
  EXPECT_NE(message_of<ValueError>([&] {
              implicit_function(solve_cubic, flat, p);
            }).find("implicit_function: dF/dx is singular: pivot 0 of 1"),
            std::string::npos);
  const Residual captures = [&](std::span<const Var> x, std::span<const Var>) {
    return std::vector<Var>{x[0] - p[0]};
  };
  EXPECT_NE(message_of<TapeError>([&] {
              implicit_function(solve_cubic, captures, p);
            }).find("another tape"),
            std::string::npos);
  EXPECT_THROW(implicit_function({}, kCubic, p), ValueError);
  EXPECT_EQ(tape.size(), size);
  tape.backward(p[0] * p[1]);
  EXPECT_EQ(p[0].grad(), 12);
}

// --- Linear systems.

// Gauss without pivoting, for any scalar.
template <class T> std::vector<T> eliminate(std::vector<T> a, std::vector<T> b) {
  const std::size_t n = b.size();
  for (std::size_t k = 0; k < n; ++k) {
    for (std::size_t i = k + 1; i < n; ++i) {
      const T factor = a[i * n + k] / a[k * n + k];
      for (std::size_t j = k; j < n; ++j) a[i * n + j] -= factor * a[k * n + j];
      b[i] -= factor * b[k];
    }
  }
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t j = i + 1; j < n; ++j) b[i] -= a[i * n + j] * b[j];
    b[i] /= a[i * n + i];
  }
  return b;
}

TEST(LinearSolveTest, AgreesWithDifferentiatingTheElimination) {
  std::mt19937 random(7);
  const auto draw = [&] { return random() * 0x1p-31 - 1; };
  for (const std::size_t n : {1u, 2u, 3u, 8u, 20u}) {
    Tape tape;
    std::vector<Var> a, b;
    for (std::size_t i = 0; i < n * n; ++i)
      a.push_back(tape.input(draw() + 3.0 * (i % (n + 1) == 0)));
    for (std::size_t i = 0; i < n; ++i) b.push_back(tape.input(draw()));
    const auto loss = [&](const std::vector<Var>& x) {
      Var sum = 0.0;
      for (std::size_t i = 0; i < n; ++i) sum += sin(x[i]) * static_cast<double>(i + 1);
      return sum;
    };
    const std::vector<Var> x = linear_solve(a, b), want = eliminate(a, b);
    for (std::size_t i = 0; i < n; ++i)
      ASSERT_TRUE(check::close(x[i].value(), want[i].value(), 1e-12));
    tape.backward(loss(want), {.retain = true});
    std::vector<double> gradient;
    for (const Var& v : a) gradient.push_back(v.grad());
    for (const Var& v : b) gradient.push_back(v.grad());
    tape.zero_grad();
    tape.backward(loss(x));
    for (std::size_t i = 0; i < n * n; ++i)
      ASSERT_TRUE(check::close(a[i].grad(), gradient[i], 1e-11));
    for (std::size_t i = 0; i < n; ++i) {
      ASSERT_TRUE(check::close(b[i].grad(), gradient[n * n + i], 1e-11));
    }
  }
}

// Zeros on the diagonal: rows are exchanged.
TEST(LinearSolveTest, Pivots) {
  Tape tape;
  std::vector<Var> a, b;
  for (const double v : {0.0, 2.0, 1.0, 1.0, 0.0, 0.0, 3.0, 0.0, 1.0}) a.push_back(tape.input(v));
  for (const double v : {5.0, 1.0, 6.0}) b.push_back(tape.input(v));
  const std::vector<Var> x = linear_solve(a, b);  // x0 = 1, x2 = 3, x1 = 1
  EXPECT_NEAR(x[0].value(), 1, 1e-15);
  EXPECT_NEAR(x[1].value(), 1, 1e-15);
  EXPECT_NEAR(x[2].value(), 3, 1e-15);
  tape.backward(x[1]);
  // x1 = (b0 - x2) / 2, x2 = b2 - 3 x0, x0 = b1.
  const double db[] = {0.5, 1.5, -0.5};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(b[i].grad(), db[i], 1e-15);
    for (std::size_t j = 0; j < 3; ++j) {
      EXPECT_NEAR(a[3 * i + j].grad(), -db[i] * x[j].value(), 1e-15);
    }
  }
}

TEST(LinearSolveTest, Errors) {
  EXPECT_EQ(linear_solve(std::vector<double>{}, std::vector<double>{}).size(), 0u);
  Tape tape;
  const std::vector<Var> b{tape.input(1.0), 2.0}, a{tape.input(1.0), 2.0, 2.0, 4.0};
  const std::size_t size = tape.size();
  EXPECT_NE(message_of<ValueError>([&] {
              linear_solve(a, b);
            }).find("linear_solve: A is singular: pivot 1 of 2 is 0"),
            std::string::npos);
  EXPECT_EQ(message_of<ShapeError>([&] { linear_solve(b, b); }),
            "linear_solve: A has 2 elements and b has 2; need A of shape [n, n] for b of shape [n] "
            "(4)");
  EXPECT_NE(message_of<ValueError>([&] {
              linear_solve(std::vector<Var>{1.0, 0.0, 0.0, std::nan("")}, b);
            }).find("not finite"),
            std::string::npos);
  EXPECT_EQ(tape.size(), size);
}

}  // namespace
}  // namespace autograd
