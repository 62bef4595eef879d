// SPDX-License-Identifier: Apache-2.0
// The mathematical vocabulary for plain numbers, so that one generic function serves double, float,
// Var, Dual and every other argument type: <cmath> plus what it lacks. The same for scalars that carry
// derivatives is in scalar_functions.hpp and scalar_cmath.hpp. Integers are taken as double; a float
// gives a float.
#pragma once

#include <cmath>
#include <concepts>
#include <limits>
#include <type_traits>

#include "inline.hpp"
#include "special_functions.hpp"

namespace autograd {

template <class T>
concept Arithmetic = std::is_arithmetic_v<T>;

/// Base of all differentiable scalars; being here it lets their operators and functions be found.
struct DifferentiableBase {};

/// A Var, an expression of Vars, or another scalar that carries derivatives.
template <class T>
concept Differentiable = std::derived_from<std::remove_cvref_t<T>, DifferentiableBase>;

/// A single number, with or without derivatives.
template <class T>
concept Scalar = Arithmetic<T> || Differentiable<T>;

/// The number itself, without whatever derivatives it carries at any level.
template <Scalar T> AUTOGRAD_INLINE double plain_value(const T& x) {
  if constexpr (Arithmetic<T>) {
    return static_cast<double>(x);
  } else {
    return plain_value(x.value());
  }
}

using std::abs, std::acos, std::acosh, std::asin, std::asinh, std::atan, std::atan2, std::atanh;
using std::cbrt, std::ceil, std::copysign, std::cos, std::cosh, std::erf, std::erfc, std::exp;
using std::exp2, std::expm1, std::fabs, std::fdim, std::floor, std::fma, std::fmax, std::fmin;
using std::fmod, std::fpclassify, std::frexp, std::hypot, std::ilogb, std::isfinite, std::isgreater;
using std::isgreaterequal, std::isinf, std::isless, std::islessequal, std::islessgreater,
    std::isnan;
using std::isnormal, std::isunordered, std::ldexp, std::llrint, std::llround, std::log, std::log10;
using std::log1p, std::log2, std::logb, std::lrint, std::lround, std::modf, std::nearbyint;
using std::nextafter, std::nexttoward, std::pow, std::remainder, std::remquo, std::rint, std::round;
using std::scalbln, std::scalbn, std::signbit, std::sin, std::sinh, std::sqrt, std::tan, std::tanh;
using std::tgamma, std::trunc;

namespace detail {
template <Arithmetic... T>
using Promoted = std::common_type_t<std::conditional_t<std::is_integral_v<T>, double, T>...>;
}  // namespace detail

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
/// -1, 0 or 1; NaN stays NaN.
template <Arithmetic T> constexpr T sign(T x) {
  return x > T(0) ? T(1) : x < T(0) ? T(-1) : x == T(0) ? T(0) : x;
}
/// 1 / (1 + exp(-x)), to full relative accuracy in the lower tail too.
template <Arithmetic T> detail::Promoted<T> sigmoid(T x) {
  using P = detail::Promoted<T>;
  const P e = std::exp(-std::abs(P(x)));
  return (x < T(0) ? e : P(1)) / (P(1) + e);
}
/// log(1 + exp(x)), exact for large |x|.
template <Arithmetic T> detail::Promoted<T> softplus(T x) {
  using P = detail::Promoted<T>;
  return relu(P(x)) + std::log1p(std::exp(-std::abs(P(x))));
}
/// log(exp(a) + exp(b)) without overflow; -inf for two -inf.
template <Arithmetic A, Arithmetic B> detail::Promoted<A, B> logaddexp(A a, B b) {
  using P = detail::Promoted<A, B>;
  const P p = static_cast<P>(a), q = static_cast<P>(b), m = max(p, q);
  if (p == q) return m + static_cast<P>(0.693147180559945309417);  // also for equal infinities
  const P y = m + std::log1p(std::exp(-std::abs(p - q)));
  if (std::abs(y) < P(0.25) * std::abs(m)) [[unlikely]] {
    return static_cast<P>(
        detail::logaddexp_near_zero(static_cast<double>(p), static_cast<double>(q)));
  }
  return y;
}

/// ln |Gamma(x)|; unlike std::lgamma it writes no global variable.
template <Arithmetic T> detail::Promoted<T> lgamma(T x) {
  return static_cast<detail::Promoted<T>>(detail::log_gamma(static_cast<double>(x)));
}
/// Gamma'(x) / Gamma(x).
template <Arithmetic T> detail::Promoted<T> digamma(T x) {
  return static_cast<detail::Promoted<T>>(detail::polygamma(0, static_cast<double>(x)));
}
/// The n-th derivative of digamma; n is rounded to an integer, NaN unless that is in 0 to 100.
template <Arithmetic N, Arithmetic T> detail::Promoted<T> polygamma(N n, T x) {
  const double order = std::rint(static_cast<double>(n));
  const int k = order >= 0 && order <= 100 ? static_cast<int>(order) : -1;
  return static_cast<detail::Promoted<T>>(detail::polygamma(k, static_cast<double>(x)));
}
/// Gamma(a) Gamma(b) / Gamma(a + b).
template <Arithmetic A, Arithmetic B> detail::Promoted<A, B> beta(A a, B b) {
  return static_cast<detail::Promoted<A, B>>(
      detail::beta(static_cast<double>(a), static_cast<double>(b)));
}
/// The standard normal distribution function, erfc(-x / sqrt(2)) / 2.
template <Arithmetic T> detail::Promoted<T> normal_cdf(T x) {
  return static_cast<detail::Promoted<T>>(detail::normal_cdf(static_cast<double>(x)));
}
/// The inverse of normal_cdf; NaN outside of [0, 1].
template <Arithmetic T> detail::Promoted<T> normal_icdf(T p) {
  return static_cast<detail::Promoted<T>>(detail::normal_icdf(static_cast<double>(p)));
}
/// The inverse of erf; NaN outside of [-1, 1].
template <Arithmetic T> detail::Promoted<T> erfinv(T x) {
  return static_cast<detail::Promoted<T>>(detail::erfinv(static_cast<double>(x)));
}

// What only slopes and the tensors' names need.

/// std::remainder; `remainder` of tensors is Python's.
template <std::floating_point T> T ieee_remainder(T a, T b) { return std::remainder(a, b); }
/// a 2^b, exactly for an integer b.
template <std::floating_point T> T times_power_of_two(T a, T b) {
  if (b == std::rint(b) && std::abs(b) < T(100000)) return std::scalbn(a, static_cast<int>(b));
  return a * std::exp2(b);
}
/// a / h where h = hypot(a, b): 0 where that is 0, and the sign of a where a is infinite.
template <std::floating_point T> T direction_of(T a, T h) {
  return std::abs(a) == h ? sign(a) : a / h;
}
/// a / hypot(a, b); scaled where that is subnormal, and so lacks digits.
template <std::floating_point T> T direction(T a, T b) {
  const T h = std::hypot(a, b);
  constexpr T scale = 2 / std::numeric_limits<T>::epsilon();
  if (h < std::numeric_limits<T>::min() && h > 0) [[unlikely]]
    return direction_of(a * scale, std::hypot(a * scale, b * scale));
  return direction_of(a, h);
}
/// digamma(a + b) - digamma(a) and trigamma(a + b) - trigamma(a), to relative accuracy.
template <std::floating_point T> T digamma_step(T a, T b) {
  return static_cast<T>(detail::polygamma_step(0, static_cast<double>(a), static_cast<double>(b)));
}
template <std::floating_point T> T trigamma_step(T a, T b) {
  return static_cast<T>(detail::polygamma_step(1, static_cast<double>(a), static_cast<double>(b)));
}

}  // namespace autograd
