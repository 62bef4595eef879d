// SPDX-License-Identifier: Apache-2.0
// The rest of <cmath> for Var, Dual and expressions: functions that are made of others, that return
// plain values or take a number apart, and what the standard library asks of a number: streaming,
// std::numeric_limits, std::hash. Functions that are one row each are in scalar_functions.hpp.
#pragma once

#include <cmath>
#include <compare>
#include <concepts>
#include <functional>
#include <iosfwd>
#include <limits>

#include "dual.hpp"
#include "scalar_functions.hpp"
#include "scalar_math.hpp"
#include "var.hpp"

namespace autograd {

// --- Made of other functions.

/// softplus of a plain number, under Stan's name.
template <Arithmetic A> auto log1pexp(A x) { return softplus(x); }

/// a b + c, rounded once.
template <class A, class B, class C>
  requires(Scalar<A>&& Scalar<B>&& Scalar<C> &&
           (Differentiable<A> || Differentiable<B> || Differentiable<C>))
AUTOGRAD_INLINE auto fma(const A& a, const B& b, const C& c) {
  const double p = plain_value(a), q = plain_value(b), r = plain_value(c);
  const double rough = p * q + r, lost = std::fma(p, q, r) - rough;
  // A constant: what the two roundings lost. Their difference is exact where they are close.
  return a * b + c + (lost - lost == 0.0 ? lost : 0.0);
}

/// x held between two numbers; derivative 1 on the interval, its ends included, and 0 outside.
template <Differentiable A, Arithmetic L, Arithmetic H>
AUTOGRAD_INLINE auto clamp(const A& x, L low, H high) {
  return where(x < low, low, where(x > high, high, x));
}
template <Arithmetic A, Arithmetic L, Arithmetic H> constexpr auto clamp(A x, L low, H high) {
  return where(x < low, low, where(x > high, high, x));
}

/// sqrt(a^2 + b^2 + c^2) without overflow; slopes 0 at the origin.
template <class A, class B, class C>
  requires(Scalar<A>&& Scalar<B>&& Scalar<C> &&
           (Differentiable<A> || Differentiable<B> || Differentiable<C>))
AUTOGRAD_INLINE auto hypot(const A& a, const B& b, const C& c) { return hypot(hypot(a, b), c); }

// --- A number in parts.

/// x = y 2^exponent with |y| in [1/2, 1); the derivative of y is 2^-exponent, and 0 at 0.
template <Differentiable A> AUTOGRAD_INLINE auto frexp(const A& x, int* exponent) {
  const bool zero = std::frexp(plain_value(x), exponent) == 0.0;
  return where(zero, x * 0.0, ldexp(x, -*exponent));
}
/// The fraction, with derivative 1; the integer, which has none, goes to *whole.
template <Differentiable A, class P> AUTOGRAD_INLINE auto modf(const A& x, P* whole) {
  const double integer = std::trunc(plain_value(x));
  *whole = P(integer);
  return where(std::isinf(integer), std::copysign(0.0, integer), x - integer);
}
/// std::remainder; *quotient as std::remquo.
template <class A, class B>
requires DifferentiablePair<A, B> AUTOGRAD_INLINE auto remquo(const A& a, const B& b,
                                                              int* quotient) {
  std::remquo(plain_value(a), plain_value(b), quotient);
  return remainder(a, b);
}

// --- Plain values: the exponent, integers, classes, and order without exceptions.

#define AUTOGRAD_PLAIN(function)                                          \
  template <Differentiable A> AUTOGRAD_INLINE auto function(const A& x) { \
    return std::function(plain_value(x));                                 \
  }
#define AUTOGRAD_PLAIN_ORDER(function)                                                      \
  template <class A, class B>                                                               \
  requires DifferentiablePair<A, B> AUTOGRAD_INLINE bool function(const A& a, const B& b) { \
    return std::function(plain_value(a), plain_value(b));                                   \
  }
AUTOGRAD_PLAIN(ilogb)
AUTOGRAD_PLAIN(lround)
AUTOGRAD_PLAIN(llround)
AUTOGRAD_PLAIN(lrint)
AUTOGRAD_PLAIN(llrint)
AUTOGRAD_PLAIN(fpclassify)
AUTOGRAD_PLAIN(isfinite)
AUTOGRAD_PLAIN(isinf)
AUTOGRAD_PLAIN(isnan)
AUTOGRAD_PLAIN(isnormal)
AUTOGRAD_PLAIN(signbit)
AUTOGRAD_PLAIN_ORDER(isgreater)
AUTOGRAD_PLAIN_ORDER(isgreaterequal)
AUTOGRAD_PLAIN_ORDER(isless)
AUTOGRAD_PLAIN_ORDER(islessequal)
AUTOGRAD_PLAIN_ORDER(islessgreater)
AUTOGRAD_PLAIN_ORDER(isunordered)
#undef AUTOGRAD_PLAIN
#undef AUTOGRAD_PLAIN_ORDER

/// floor(log2 |x|): piecewise constant, derivative 0.
template <Differentiable A> AUTOGRAD_INLINE auto logb(const A& x) {
  return where(true, std::logb(plain_value(x)), x);
}

template <class A, class B>
requires DifferentiablePair<A, B> AUTOGRAD_INLINE std::partial_ordering operator<=>(const A& a,
                                                                                    const B& b) {
  return plain_value(a) <=> plain_value(b);
}

// --- Increments: a constant is added, so derivatives stay.

template <Differentiable X>
  requires requires(X& x) { x += 1.0; }
AUTOGRAD_INLINE X& operator++(X& x) { return x += 1.0; }
template <Differentiable X>
  requires requires(X& x) { x -= 1.0; }
AUTOGRAD_INLINE X& operator--(X& x) { return x -= 1.0; }
template <Differentiable X>
  requires requires(X& x) { x += 1.0; }
AUTOGRAD_INLINE X operator++(X& x, int) {
  const X old = x;
  x += 1.0;
  return old;
}
template <Differentiable X>
  requires requires(X& x) { x -= 1.0; }
AUTOGRAD_INLINE X operator--(X& x, int) {
  const X old = x;
  x -= 1.0;
  return old;
}

// --- Streams: the value alone.

template <class Char, class Traits, Differentiable A>
std::basic_ostream<Char, Traits>& operator<<(std::basic_ostream<Char, Traits>& out, const A& x) {
  return out << plain_value(x);
}
/// Reads a number; x becomes a constant, and is left alone where there is no number.
template <class Char, class Traits, Differentiable X>
  requires std::convertible_to<double, X> std::basic_istream<Char, Traits>
&operator>>(std::basic_istream<Char, Traits>& in, X& x) {
  double value;
  if (in >> value) x = X(value);
  return in;
}

namespace detail {

// numeric_limits of the number inside, as values of X.
template <class X, class Number> struct Limits : std::numeric_limits<Number> {
  using Plain = std::numeric_limits<Number>;
  static X min() noexcept { return Plain::min(); }
  static X max() noexcept { return Plain::max(); }
  static X lowest() noexcept { return Plain::lowest(); }
  static X epsilon() noexcept { return Plain::epsilon(); }
  static X round_error() noexcept { return Plain::round_error(); }
  static X infinity() noexcept { return Plain::infinity(); }
  static X quiet_NaN() noexcept { return Plain::quiet_NaN(); }
  static X signaling_NaN() noexcept { return Plain::signaling_NaN(); }
  static X denorm_min() noexcept { return Plain::denorm_min(); }
};

// Of the value alone, as == compares.
template <class X> struct Hash {
  std::size_t operator()(const X& x) const noexcept { return std::hash<double>()(plain_value(x)); }
};

}  // namespace detail
}  // namespace autograd

template <>
class std::numeric_limits<autograd::Var> : public autograd::detail::Limits<autograd::Var, double> {
};
template <int N, class T>
class std::numeric_limits<autograd::Dual<N, T>>
    : public autograd::detail::Limits<autograd::Dual<N, T>, T> {};
template <> struct std::hash<autograd::Var> : autograd::detail::Hash<autograd::Var> {};
template <int N, class T>
struct std::hash<autograd::Dual<N, T>> : autograd::detail::Hash<autograd::Dual<N, T>> {};
