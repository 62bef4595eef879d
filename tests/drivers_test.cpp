// SPDX-License-Identifier: Apache-2.0
// The drivers over generic callables: values against closed forms and central differences, what f may
// return, nesting, bad input, and that a tape in scope is left alone.
#include <gtest/gtest.h>
#include <autograd/autograd.hpp>

#include <array>
#include <cmath>
#include <span>

#include "check.hpp"

namespace ag = autograd;

namespace autograd {
namespace {

using Doubles = std::vector<double>;

const auto rosenbrock = [](const auto& x) {
  auto a = 1.0 - x[0];
  auto b = x[1] - x[0] * x[0];
  return a * a + 100.0 * b * b;
};
// Every kind of statement: products, quotients, functions, accumulation, branches, where.
const auto mixed = [](const auto& x) {
  using T = std::decay_t<decltype(x[0])>;
  T sum = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    T term = sin(x[i]) * exp(0.3 * x[(i + 1) % x.size()]);
    if (term > 0.0) {
      sum += term * term - 0.5 * x[i];
    } else {
      sum -= pow(1.5 + x[i] * x[i], 1.3) / (2.0 + cos(x[0]));
    }
    sum += ag::where(x[i] > 0.2, tanh(x[i]), sqrt(x[i] * x[i] + 1.0)) * 2.0;
  }
  sum *= 1.0 + log(1.0 + square(x[0]));
  return sum / (1.0 + 0.1 * abs(sum));
};
const auto polar = [](const auto& p) {
  using T = std::decay_t<decltype(p[0])>;
  return std::vector<T>{p[0] * cos(p[1]), p[0] * sin(p[1])};
};

Doubles point(std::size_t n) {
  Doubles x;
  for (std::size_t i = 0; i < n; ++i) x.push_back(std::sin(1.7 * static_cast<double>(i) + 0.4));
  return x;
}
Doubles to_doubles(const Tensor& t) { return to_vector<double>(t); }
void expect_close(const Doubles& got, const Doubles& want, double tolerance = 1e-6) {
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_TRUE(check::close(got[i], want[i], tolerance)) << i << ": " << got[i] << " " << want[i];
  }
}

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

// --- Nesting.

// d/dx [x d/dy (x + y)] = 1: an inner derivative that took x's tangent for y's would give 2.
TEST(DriversTest, HardCases79_PerturbationsAreNotConfused) {
  const auto by_grad = [](const auto& x) {
    using T = std::decay_t<decltype(x[0])>;
    return x[0] * grad([&](const auto& y) { return x[0] + y[0]; }, std::vector<T>{T(1.0)})[0];
  };
  const auto by_jvp = [](const auto& x) {
    using T = std::decay_t<decltype(x[0])>;
    return x[0] *
           jvp([&](const auto& y) { return x[0] + y[0]; }, std::vector<T>{T(1.0)}, Doubles{1.0})
               .second;
  };
  const Doubles at{5};
  EXPECT_EQ(grad(by_grad, at)[0], 1);
  EXPECT_EQ(grad(by_jvp, at)[0], 1);
  EXPECT_EQ(jvp(by_grad, at, Doubles{1.0}).second, 1);
  EXPECT_EQ(jvp(by_jvp, at, Doubles{1.0}).second, 1);
  EXPECT_EQ(hvp(by_jvp, at, Doubles{1.0})[0], 0);
}

// x^2 d/dy (x y^3) at y = x is 3 x^5, by every pair of drivers.
TEST(DriversTest, DriversInsideDrivers) {
  const auto g = [](const auto& x) {
    return grad([&](const auto& y) { return x[0] * y[0] * y[0] * y[0]; }, x)[0] * x[0] * x[0];
  };
  const auto j = [](const auto& x) {
    using T = std::decay_t<decltype(x[0])>;
    const auto cubic = [&](const auto& y) { return x[0] * y[0] * y[0] * y[0]; };
    return jvp(cubic, x, std::vector<T>{T(1.0)}).second * x[0] * x[0];
  };
  const Doubles at{1.3}, one{1.0};
  const double d1 = 15 * std::pow(1.3, 4), d2 = 60 * std::pow(1.3, 3);
  const auto expect_all = [&](const auto& f) {
    EXPECT_NEAR(grad(f, at)[0], d1, 1e-12);
    EXPECT_NEAR(jvp(f, at, one).second, d1, 1e-12);
    EXPECT_NEAR(hvp(f, at, one)[0], d2, 1e-11);
    EXPECT_NEAR(hessian(f, at).item(), d2, 1e-11);
    EXPECT_NEAR(jacobian(f, at).item(), d1, 1e-12);
  };
  expect_all(g);
  expect_all(j);
}

// The n-th derivative of sin(x) x^2 by n drivers, reverse and forward in turns.
template <int N> struct Nth {
  template <class X> auto operator()(const X& x) const {
    using T = std::decay_t<decltype(x[0])>;
    if constexpr (N == 0) {
      return T(sin(x[0]) * x[0] * x[0]);
    } else if constexpr (N % 2 == 0) {
      return T(grad(Nth<N - 1>(), x)[0]);
    } else {
      return T(jvp(Nth<N - 1>(), x, std::vector<T>{T(1.0)}).second);
    }
  }
};

TEST(DriversTest, DerivativesOfAnyOrder) {
  const double x = 0.7, s = std::sin(x), c = std::cos(x);
  const Doubles at{x};
  EXPECT_NEAR(Nth<1>()(at), c * x * x + 2 * x * s, 1e-14);
  EXPECT_NEAR(Nth<2>()(at), -s * x * x + 4 * x * c + 2 * s, 1e-14);
  EXPECT_NEAR(Nth<3>()(at), -c * x * x - 6 * x * s + 6 * c, 1e-13);
  EXPECT_NEAR(Nth<4>()(at), s * x * x - 8 * x * c - 12 * s, 1e-13);
  EXPECT_NEAR(Nth<5>()(at), c * x * x + 10 * x * s - 20 * c, 1e-12);
}

TEST(DriversTest, ReverseOverReverse) {
  const Doubles at{-1.2, 1.0};
  for (std::size_t i = 0; i < 2; ++i) {
    const auto slope = [i](const auto& x) { return grad(rosenbrock, x)[i]; };
    expect_close(grad(slope, at), i ? Doubles{480, 200} : Doubles{1330, 480}, 1e-12);
    expect_close(vjp(slope, at, 2.0).second, i ? Doubles{960, 400} : Doubles{2660, 960}, 1e-12);
  }
  const auto x = point(5);
  const auto bend = [](const auto& p) { return hvp(mixed, p, point(5))[2]; };  // third order
  expect_close(grad(bend, x), check::differences(bend, x), 1e-5);
}

// Variables of one driver in the function of another that does not know them.
TEST(DriversTest, ForeignVariablesThrow) {
  const auto outer = [](const auto& x) {
    return x[0] * grad([&](const auto& y) { return x[0] * y[0]; }, Doubles{1.0})[0];
  };
  const std::string message =
      check::message_of<TapeError>([&] { (void)grad(outer, Doubles{2.0}); });
  EXPECT_NE(message.find("belongs to another tape"), std::string::npos) << message;
  Tape tape;
  const Var kept = tape.input(2.0);
  EXPECT_THROW((void)grad([&](const auto& y) { return kept * y[0]; }, Doubles{1.0}), TapeError);
}

BasicVar<Var> leaked;

TEST(DriversTest, ValuesKeptBeyondTheirDriverThrow) {
  const auto leak = [](const auto& x) {
    return grad(
        [](const auto& y) {
          leaked = y[0] * 2.0;
          return y[0] * y[0];
        },
        x)[0];
  };
  EXPECT_EQ(grad(leak, Doubles{3.0})[0], 2);
  const auto use = [](const auto& x) {
    return grad([](const auto& y) { return y[0] * leaked; }, x)[0];
  };
  EXPECT_NE(check::message_of<TapeError>([&] { (void)grad(use, Doubles{3.0}); }).find("has ended"),
            std::string::npos);
  leaked = 0.0;
}

// --- Scalars that pass through tensors, parameters that must not be touched.

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
