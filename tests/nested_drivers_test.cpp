// SPDX-License-Identifier: Apache-2.0
// Drivers inside drivers: perturbations are kept apart, any order is reached, and variables that a driver
// does not know are refused.
#include <gtest/gtest.h>
#include <autograd/autograd.hpp>

#include <cmath>
#include <string>

#include "drivers_check.hpp"

namespace autograd {
namespace {

using check::Doubles;
using check::expect_close;
using check::mixed;
using check::point;
using check::rosenbrock;

// d/dx [x d/dy (x + y)] = 1: an inner derivative that took x's tangent for y's would give 2.
TEST(NestedDriversTest, HardCases79_PerturbationsAreNotConfused) {
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
TEST(NestedDriversTest, DriversInsideDrivers) {
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

TEST(NestedDriversTest, DerivativesOfAnyOrder) {
  const double x = 0.7, s = std::sin(x), c = std::cos(x);
  const Doubles at{x};
  EXPECT_NEAR(Nth<1>()(at), c * x * x + 2 * x * s, 1e-14);
  EXPECT_NEAR(Nth<2>()(at), -s * x * x + 4 * x * c + 2 * s, 1e-14);
  EXPECT_NEAR(Nth<3>()(at), -c * x * x - 6 * x * s + 6 * c, 1e-13);
  EXPECT_NEAR(Nth<4>()(at), s * x * x - 8 * x * c - 12 * s, 1e-13);
  EXPECT_NEAR(Nth<5>()(at), c * x * x + 10 * x * s - 20 * c, 1e-12);
}

TEST(NestedDriversTest, ReverseOverReverse) {
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
TEST(NestedDriversTest, ForeignVariablesThrow) {
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

TEST(NestedDriversTest, ValuesKeptBeyondTheirDriverThrow) {
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

}  // namespace
}  // namespace autograd
