// SPDX-License-Identifier: Apache-2.0
// The drivers over generic callables: values against closed forms and central differences, what f may
// return, bad input, and that a tape in scope is left alone.
#include <gtest/gtest.h>
#include <autograd/autograd.hpp>

#include <array>
#include <cmath>
#include <span>
#include <string>

#include "drivers_check.hpp"

namespace autograd {
namespace {

using check::Doubles;
using check::expect_close;
using check::mixed;
using check::point;
using check::rosenbrock;

const auto polar = [](const auto& p) {
  using T = std::decay_t<decltype(p[0])>;
  return std::vector<T>{p[0] * cos(p[1]), p[0] * sin(p[1])};
};

Doubles to_doubles(const Tensor& t) { return to_vector<double>(t); }

TEST(DriversTest, GradientOfRosenbrock) {
  const Doubles at{-1.2, 1.0};
  const auto [value, gradient] = value_and_grad(rosenbrock, at);
  EXPECT_NEAR(value, 24.2, 1e-12);
  expect_close(gradient, {-215.6, -88.0}, 1e-13);
  expect_close(grad(rosenbrock, at), gradient, 0);
}

TEST(DriversTest, AgreeWithDifferences) {
  for (const std::size_t n : {1u, 2u, 3u, 7u, 8u, 9u, 17u}) {
    SCOPED_TRACE(n);
    const Doubles x = point(n), v = point(n + 3);
    const Doubles direction(v.begin() + 3, v.end());
    const Doubles gradient = grad(mixed, x);
    expect_close(gradient, check::differences([](const Doubles& p) { return mixed(p); }, x));
    EXPECT_GT(std::abs(gradient[0]), 0.01);

    double along = 0;
    for (std::size_t i = 0; i < n; ++i) along += gradient[i] * direction[i];
    const auto [y, tangent] = jvp(mixed, x, direction);
    EXPECT_DOUBLE_EQ(y, mixed(x));
    EXPECT_TRUE(check::close(tangent, along, 1e-12));

    const Tensor second = hessian(mixed, x);
    ASSERT_EQ(second.shape(), (Shape{static_cast<std::int64_t>(n), static_cast<std::int64_t>(n)}));
    const Doubles product = hvp(mixed, x, direction), h = to_doubles(second);
    for (std::size_t i = 0; i < n; ++i) {
      const auto slope = [&](const Doubles& p) { return grad(mixed, p)[i]; };
      const Doubles row(h.begin() + static_cast<std::ptrdiff_t>(i * n),
                        h.begin() + static_cast<std::ptrdiff_t>((i + 1) * n));
      expect_close(row, check::differences(slope, x), 2e-6);
      double sum = 0;
      for (std::size_t j = 0; j < n; ++j) sum += row[j] * direction[j];
      EXPECT_TRUE(check::close(product[i], sum, 1e-11)) << product[i] << " " << sum;
    }
  }
}

TEST(DriversTest, VectorFunctions) {
  const Doubles at{2.0, 0.5};
  const double c = std::cos(0.5), s = std::sin(0.5);
  expect_close(to_doubles(jacobian(polar, at)), {c, -2 * s, s, 2 * c}, 1e-15);
  const auto [y, tangent] = jvp(polar, at, Doubles{1.0, 0.0});
  expect_close(y, {2 * c, 2 * s}, 1e-15);
  expect_close(tangent, {c, s}, 1e-15);
  const auto [z, cotangent] = vjp(polar, at, Doubles{3.0, 1.0});
  expect_close(z, y, 0);
  expect_close(cotangent, {3 * c + s, -6 * s + 2 * c}, 1e-14);
  const auto [value, slope] = vjp(rosenbrock, at, 2.0);  // a scalar f takes a number
  EXPECT_DOUBLE_EQ(value, rosenbrock(at));
  expect_close(slope, {2 * grad(rosenbrock, at)[0], 2 * grad(rosenbrock, at)[1]}, 1e-15);
}

// Few and many inputs and outputs: forward, reverse, and the last block that is not full.
TEST(DriversTest, JacobiansOfEveryShape) {
  for (const std::size_t n : {1u, 3u, 8u, 9u, 12u, 20u}) {
    for (const std::size_t m : {0u, 1u, 7u, 8u, 9u, 13u, 40u}) {
      SCOPED_TRACE(std::to_string(m) + " by " + std::to_string(n));
      const auto f = [m](const auto& x) {
        std::vector<std::decay_t<decltype(x[0])>> y;
        for (std::size_t i = 0; i < m; ++i) {
          y.push_back(sin(x[i % x.size()]) * x[(3 * i + 1) % x.size()] + x[0]);
        }
        return y;
      };
      const Doubles x = point(n);
      const Tensor j = jacobian(f, x);
      ASSERT_EQ(j.shape(), (Shape{static_cast<std::int64_t>(m), static_cast<std::int64_t>(n)}));
      for (std::size_t i = 0; i < m; ++i) {
        Doubles w(m, 0.0);
        w[i] = 1;
        const Doubles row = to_doubles(j);
        expect_close(Doubles(row.begin() + static_cast<std::ptrdiff_t>(i * n),
                             row.begin() + static_cast<std::ptrdiff_t>((i + 1) * n)),
                     vjp(f, x, w).second, 1e-14);
      }
    }
  }
}

TEST(DriversTest, WhatMayBePassedAndReturned) {
  const std::array<double, 2> array{-1.2, 1.0};
  const std::span<const double> span(array);
  expect_close(grad(rosenbrock, array), {-215.6, -88.0}, 1e-13);
  expect_close(grad(rosenbrock, span), {-215.6, -88.0}, 1e-13);
  // A plain number, a variable itself, an array, numbers among the results.
  expect_close(grad([](const auto&) { return 3.0; }, array), {0, 0}, 0);
  expect_close(grad([](const auto& x) { return x[1]; }, array), {0, 1}, 0);
  expect_close(hvp([](const auto& x) { return x[1]; }, array, array), {0, 0}, 0);
  expect_close(to_doubles(hessian([](const auto&) { return 3; }, array)), {0, 0, 0, 0}, 0);
  const auto pair = [](const auto& x) { return std::array{x[0], x[1]}; };
  expect_close(to_doubles(jacobian(pair, array)), {1, 0, 0, 1}, 0);
  const auto constants = [](const auto&) { return Doubles{1, 2, 3}; };
  expect_close(to_doubles(jacobian(constants, array)), {0, 0, 0, 0, 0, 0}, 0);
  EXPECT_EQ(jvp(constants, array, array).first, (Doubles{1, 2, 3}));
}

TEST(DriversTest, UnusedComponentsAndNoInputs) {
  const auto first = [](const auto& x) { return x[0] * x[0]; };
  expect_close(grad(first, Doubles{3, 4, 5}), {6, 0, 0}, 0);
  expect_close(hvp(first, Doubles{3, 4, 5}, Doubles{1, 1, 1}), {2, 0, 0}, 0);
  const auto seven = [](const auto&) { return 7.0; };
  const Doubles none;
  EXPECT_EQ(value_and_grad(seven, none).first, 7);
  EXPECT_TRUE(grad(seven, none).empty());
  EXPECT_TRUE(hvp(seven, none, none).empty());
  EXPECT_EQ(hessian(seven, none).shape(), (Shape{0, 0}));
  EXPECT_EQ(jacobian(seven, none).shape(), (Shape{1, 0}));
  EXPECT_EQ(jvp(seven, none, none).second, 0);
}

TEST(DriversTest, DirectionsOfTheWrongLength) {
  const Doubles x{1, 2}, three{1, 2, 3};
  EXPECT_EQ(check::message_of<ShapeError>([&] { hvp(rosenbrock, x, three); }),
            "hvp: lengths differ: the direction has 3 elements, x has 2; need equal lengths "
            "(3 != 2)");
  EXPECT_EQ(check::message_of<ShapeError>([&] { jvp(rosenbrock, x, three); }),
            "jvp: lengths differ: the direction has 3 elements, x has 2; need equal lengths "
            "(3 != 2)");
  EXPECT_EQ(check::message_of<ShapeError>([&] { vjp(polar, x, three); }),
            "vjp: lengths differ: the cotangent has 3 elements, the result of f has 2; need equal "
            "lengths (3 != 2)");
  EXPECT_EQ(check::message_of<ShapeError>([&] { vjp(polar, x, 1.0); }),
            "vjp: lengths differ: the cotangent has 1 elements, the result of f has 2; need equal "
            "lengths (1 != 2)");
}

TEST(DriversTest, ATapeInScopeIsLeftAlone) {
  Tape tape;
  const Var x = tape.input(3.0);
  Var y = x * x;
  const std::size_t size = tape.size();
  const Doubles at{-1.2, 1.0};
  (void)grad(rosenbrock, at);
  (void)hvp(rosenbrock, at, at);
  (void)hessian(rosenbrock, at);
  (void)jacobian(polar, at);
  (void)jvp(polar, at, at);
  EXPECT_EQ(tape.size(), size);
  y += x;
  tape.backward(y);
  EXPECT_EQ(x.grad(), 7);
}

struct Halfway {};

TEST(DriversTest, AFunctionThatThrowsHalfway) {
  Tape tape;
  const Var x = tape.input(2.0);
  const Var y = x * x;
  const auto broken = [](const auto& p) {
    auto q = p[0] * p[1];
    std::decay_t<decltype(p[0])> z = q * q;
    if (z > 0.0) throw Halfway();
    return z;
  };
  const Doubles at{1, 2};
  EXPECT_THROW(grad(broken, at), Halfway);
  EXPECT_THROW(hvp(broken, at, at), Halfway);
  EXPECT_THROW(hessian(broken, at), Halfway);
  EXPECT_THROW(jvp(broken, at, at), Halfway);
  EXPECT_THROW(jacobian(broken, at), Halfway);
  expect_close(hvp(rosenbrock, Doubles{-1.2, 1.0}, at), {2290, 880}, 1e-12);
  tape.backward(y);
  EXPECT_EQ(x.grad(), 4);
}

TEST(DriversTest, FunctionsWithState) {
  int calls = 0;
  auto f = [&calls](const auto& x) mutable {
    ++calls;
    return x[0] * 2.0;
  };
  expect_close(grad(f, Doubles{1}), {2}, 0);
  EXPECT_EQ(calls, 1);
}

// Parameters of a function must not be touched.
TEST(DriversTest, TensorsInsideAFunctionOfScalars) {
  Tensor w = tensor({{1, 2}, {3, 4}}, float64).set_requires_grad();
  const auto f = [&](const std::vector<Var>& x) {
    const std::vector<Var> y = unstack(matmul(w, stack(x)));
    return std::vector<Var>{y[0] * y[0], y[1] * x[0]};
  };
  const Doubles x{1, -1};
  expect_close(vjp(f, x, Doubles{1, 1}).second, {-2 - 1 + 3, -4 + 4}, 1e-14);
  EXPECT_FALSE(w.has_grad());  // nothing is deposited
  Doubles twelve(12, 0.5);
  const auto wide = [&](const std::vector<Var>& p) { return f({p[0], p[11]}); };
  const Tensor j = jacobian(wide, twelve);
  EXPECT_NEAR(j.at({0, 0}), 2 * 1.5 * 1, 1e-14);
  EXPECT_NEAR(j.at({0, 11}), 2 * 1.5 * 2, 1e-14);
  EXPECT_NEAR(j.at({1, 0}), 3.5 + 0.5 * 3, 1e-14);
  EXPECT_NEAR(j.at({1, 11}), 0.5 * 4, 1e-14);
  EXPECT_FALSE(w.has_grad());
}

}  // namespace
}  // namespace autograd
