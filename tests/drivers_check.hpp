// SPDX-License-Identifier: Apache-2.0
// Functions of scalars and comparisons that the tests of the drivers share.
#pragma once

#include <gtest/gtest.h>
#include <autograd/autograd.hpp>

#include <cmath>
#include <cstddef>
#include <vector>

#include "check.hpp"

namespace autograd::check {

using Doubles = std::vector<double>;

inline const auto rosenbrock = [](const auto& x) {
  auto a = 1.0 - x[0];
  auto b = x[1] - x[0] * x[0];
  return a * a + 100.0 * b * b;
};
// Every kind of statement: products, quotients, functions, accumulation, branches, where.
inline const auto mixed = [](const auto& x) {
  using T = std::decay_t<decltype(x[0])>;
  T sum = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    T term = sin(x[i]) * exp(0.3 * x[(i + 1) % x.size()]);
    if (term > 0.0) {
      sum += term * term - 0.5 * x[i];
    } else {
      sum -= pow(1.5 + x[i] * x[i], 1.3) / (2.0 + cos(x[0]));
    }
    sum += autograd::where(x[i] > 0.2, tanh(x[i]), sqrt(x[i] * x[i] + 1.0)) * 2.0;
  }
  sum *= 1.0 + log(1.0 + square(x[0]));
  return sum / (1.0 + 0.1 * abs(sum));
};
inline Doubles point(std::size_t n) {
  Doubles x;
  for (std::size_t i = 0; i < n; ++i) x.push_back(std::sin(1.7 * static_cast<double>(i) + 0.4));
  return x;
}
inline void expect_close(const Doubles& got, const Doubles& want, double tolerance = 1e-6) {
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_TRUE(close(got[i], want[i], tolerance)) << i << ": " << got[i] << " " << want[i];
  }
}

}  // namespace autograd::check
