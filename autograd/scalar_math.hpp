// SPDX-License-Identifier: Apache-2.0
// The mathematical vocabulary for plain numbers, so that one generic function serves double, Var
// and every other argument type: <cmath> plus what it lacks. Var's versions are in var.hpp.
#pragma once

#include <cmath>
#include <concepts>
#include <type_traits>

namespace autograd {

template <class T>
concept Arithmetic = std::is_arithmetic_v<T>;

using std::abs;
using std::acos;
using std::asin;
using std::atan;
using std::cos;
using std::cosh;
using std::exp;
using std::expm1;
using std::log;
using std::log1p;
using std::pow;
using std::sin;
using std::sinh;
using std::sqrt;
using std::tan;
using std::tanh;

/// c ? a : b. Never lets a NaN of the side not taken into the result or its derivative.
template <Arithmetic A, Arithmetic B> constexpr std::common_type_t<A, B> where(bool c, A a, B b) {
  return c ? a : b;
}
/// c in the type of its first argument; rows use it for constants.
template <Arithmetic T> constexpr T constant(T, double c) { return static_cast<T>(c); }
/// The larger of a and b; NaN when either is NaN (unlike std::fmax).
template <Arithmetic A, Arithmetic B> constexpr std::common_type_t<A, B> max(A a, B b) {
  using T = std::common_type_t<A, B>;
  return T(a) > T(b) || a != a ? T(a) : T(b);
}
/// The smaller of a and b; NaN when either is NaN (unlike std::fmin).
template <Arithmetic A, Arithmetic B> constexpr std::common_type_t<A, B> min(A a, B b) {
  using T = std::common_type_t<A, B>;
  return T(a) < T(b) || a != a ? T(a) : T(b);
}
/// x x.
template <Arithmetic T> constexpr T square(T x) { return x * x; }
/// max(x, 0); NaN stays NaN.
template <Arithmetic T> constexpr T relu(T x) { return x <= T(0) ? T(0) : x; }
/// 1 / (1 + exp(-x)).
template <std::floating_point T> T sigmoid(T x) { return T(1) / (T(1) + std::exp(-x)); }
/// log(1 + exp(x)), exact for large |x|.
template <std::floating_point T> T softplus(T x) {
  return relu(x) + std::log1p(std::exp(-std::abs(x)));
}

}  // namespace autograd
