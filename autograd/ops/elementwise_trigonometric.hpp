// SPDX-License-Identifier: Apache-2.0
// Rows: circular and hyperbolic functions, their inverses, and polar coordinates. See elementwise.hpp.
// Slopes of scalars stay accurate where the square of x would overflow; tensors take the short formula.
#if !defined(AUTOGRAD_ROWS_TRIGONOMETRIC) || defined(AUTOGRAD_SIMD_ROWS)
#define AUTOGRAD_ROWS_TRIGONOMETRIC

#include "row_words.hpp"

#ifdef AUTOGRAD_SIMD_ROWS
HWY_BEFORE_NAMESPACE();
namespace autograd::kernels::HWY_NAMESPACE {
#else
namespace autograd::ops {
#endif

struct Sin {
  static constexpr RowInfo info{
      .name = "sin", .value = "sin x", .slope = "cos x", .cases = {{-4, 4}}, .ulp = 2};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return sin(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) { return cos(x); }
};
struct Cos {
  static constexpr RowInfo info{
      .name = "cos", .value = "cos x", .slope = "-sin x", .cases = {{-4, 4}}, .ulp = 2};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return cos(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) { return -sin(x); }
};
struct Tan {
  static constexpr RowInfo info{.name = "tan",
                                .value = "tan x",
                                .slope = "1 + y^2",
                                .cases = {{-1.2, 1.2}},
                                .ulp = 2,
                                .reads = Reads::y};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return tan(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T&, const T& y) { return 1.0 + y * y; }
};
struct Asin {
  static constexpr RowInfo info{.name = "asin",
                                .value = "arcsin x",
                                .slope = "1 / sqrt(1 - x^2)",
                                .cases = {{-0.9, 0.9}},
                                .ulp = 2,
                                .note = "slope inf at -1 and 1"};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return asin(x); }
  // (1 - x)(1 + x) keeps the digits that 1 - x^2 loses near 1.
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) {
    return 1.0 / sqrt((1.0 - x) * (1.0 + x));
  }
};
struct Acos {
  static constexpr RowInfo info{.name = "acos",
                                .value = "arccos x",
                                .slope = "-1 / sqrt(1 - x^2)",
                                .cases = {{-0.9, 0.9}},
                                .ulp = 2,
                                .note = "slope -inf at -1 and 1"};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return acos(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) {
    return -1.0 / sqrt((1.0 - x) * (1.0 + x));
  }
};
struct Atan {
  static constexpr RowInfo info{
      .name = "atan", .value = "arctan x", .slope = "1 / (1 + x^2)", .cases = {{-3, 3}}, .ulp = 2};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return atan(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) {
    if constexpr (Scalar<T>) {
      if (std::abs(plain_value(x)) > 1e8) [[unlikely]]
        return square(1.0 / x);
    }
    return 1.0 / (1.0 + x * x);
  }
};
struct Sinh {
  static constexpr RowInfo info{
      .name = "sinh", .value = "sinh x", .slope = "cosh x", .cases = {{-3, 3}}, .ulp = 2};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return sinh(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) { return cosh(x); }
};
struct Cosh {
  static constexpr RowInfo info{
      .name = "cosh", .value = "cosh x", .slope = "sinh x", .cases = {{-3, 3}}, .ulp = 2};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return cosh(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) { return sinh(x); }
};
struct Tanh {
  static constexpr RowInfo info{.name = "tanh",
                                .value = "tanh x",
                                .slope = "1 - y^2",
                                .cases = {{-3, 3}},
                                .ulp = 2,
                                .reads = Reads::y,
                                .note = "slope of tensors to 1e-16 absolute in the tails"};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return tanh(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T& y) {
    if constexpr (Scalar<T>) {
      if (std::abs(plain_value(y)) > 0.999) [[unlikely]]
        return tail(T(x));
    }
    return 1.0 - y * y;
  }
  // 1 - y^2 has lost its digits: 1 / cosh^2 x without overflow.
  template <class T> static AUTOGRAD_COLD T tail(T x) {
    const T u = exp(-2.0 * abs(x));
    return 4.0 * u / square(1.0 + u);
  }
};
struct Asinh {
  static constexpr RowInfo info{.name = "asinh",
                                .value = "arsinh x",
                                .slope = "1 / sqrt(1 + x^2)",
                                .cases = {{-3, 3}},
                                .ulp = 3,
                                .lanes = true};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return asinh(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) {
    if constexpr (Scalar<T>) {
      if (std::abs(plain_value(x)) > 1e8) [[unlikely]]
        return 1.0 / abs(x);
    }
    return 1.0 / sqrt(1.0 + x * x);
  }
};
struct Acosh {
  static constexpr RowInfo info{.name = "acosh",
                                .value = "arcosh x",
                                .slope = "1 / sqrt(x^2 - 1)",
                                .cases = {{1.1, 4}},
                                .ulp = 3,
                                .lanes = true,
                                .note = "x >= 1; slope inf at 1"};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return acosh(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) {
    if constexpr (Scalar<T>) {
      if (plain_value(x) > 1e8) [[unlikely]]
        return 1.0 / x;
    }
    return 1.0 / sqrt((x - 1.0) * (x + 1.0));
  }
};
struct Atanh {
  static constexpr RowInfo info{.name = "atanh",
                                .value = "artanh x",
                                .slope = "1 / (1 - x^2)",
                                .cases = {{-0.9, 0.9}},
                                .ulp = 3,
                                .lanes = true,
                                .note = "slope inf at -1 and 1"};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return atanh(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) {
    return 1.0 / ((1.0 - x) * (1.0 + x));
  }
};
// a / hypot(a, b): what the slopes of hypot and atan2 are made of. As an operation of its own it has
// slopes without the cancellation of 1 / h - a^2 / h^3.
struct Direction {
  static constexpr RowInfo info{.name = "direction",
                                .value = "a / hypot(a, b)",
                                .slope = "b^2 / hypot(a, b)^3, -a b / hypot(a, b)^3",
                                .cases = {{0.3, 3}},
                                .ulp = 3,
                                .note = "0 at a = b = 0; sign a for infinite a"};
  template <class T> static AUTOGRAD_INLINE T value(const T& a, const T& b) {
    return direction(a, b);
  }
  template <class T> static AUTOGRAD_INLINE T slope_a(const T& a, const T& b, const T&) {
    const T h = hypot(a, b), s = direction(b, a);
    return where(h == 0.0, constant(a, 0.0), s * s / h);
  }
  template <class T> static AUTOGRAD_INLINE T slope_b(const T& a, const T& b, const T&) {
    const T h = hypot(a, b);
    return where(h == 0.0, constant(a, 0.0), -(direction(a, b) * direction(b, a)) / h);
  }
};
struct Hypot {
  static constexpr RowInfo info{.name = "hypot",
                                .value = "sqrt(a^2 + b^2)",
                                .slope = "a / y, b / y",
                                .cases = {{0.3, 3}},
                                .ulp = 2,
                                .reads = Reads::both,
                                .note = "no overflow; slopes 0 at a = b = 0"};
  template <class T> static AUTOGRAD_INLINE T value(const T& a, const T& b) { return hypot(a, b); }
  template <class T> static AUTOGRAD_INLINE T slope_a(const T& a, const T& b, const T& y) {
    if constexpr (Plain<T>) {
      return direction_of(a, y);
    } else {
      return direction(a, b);
    }
  }
  template <class T> static AUTOGRAD_INLINE T slope_b(const T& a, const T& b, const T& y) {
    return slope_a(b, a, y);
  }
};
struct Atan2 {
  static constexpr RowInfo info{.name = "atan2",
                                .value = "the angle of (b, a)",
                                .slope = "b / (a^2 + b^2), -a / (a^2 + b^2)",
                                .cases = {{0.3, 3}},
                                .ulp = 2,
                                .note = "slopes 0 at a = b = 0"};
  template <class T> static AUTOGRAD_INLINE T value(const T& a, const T& b) { return atan2(a, b); }
  template <class T> static AUTOGRAD_INLINE T slope_a(const T& a, const T& b, const T&) {
    const T h = hypot(a, b);
    return where(h == 0.0, constant(a, 0.0), direction(b, a) / h);
  }
  template <class T> static AUTOGRAD_INLINE T slope_b(const T& a, const T& b, const T& y) {
    return -slope_a(b, a, y);
  }
};

#ifdef AUTOGRAD_SIMD_ROWS
}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#else
}  // namespace autograd::ops
#endif
#endif
