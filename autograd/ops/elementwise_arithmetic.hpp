// SPDX-License-Identifier: Apache-2.0
// Rows: arithmetic, powers, and selections among operands. See elementwise.hpp.
#if !defined(AUTOGRAD_ROWS_ARITHMETIC) || defined(AUTOGRAD_SIMD_ROWS)
#define AUTOGRAD_ROWS_ARITHMETIC

#include "row_words.hpp"

#ifdef AUTOGRAD_SIMD_ROWS
HWY_BEFORE_NAMESPACE();
namespace autograd::kernels::HWY_NAMESPACE {
#else
namespace autograd::ops {
#endif

struct Neg {
  static constexpr RowInfo info{.name = "neg",
                                .value = "-x",
                                .slope = "-1",
                                .cases = {{-3, 3}},
                                .ulp = 0,
                                .reads = Reads::nothing};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return -x; }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) {
    return constant(x, -1.0);
  }
};
struct Square {
  static constexpr RowInfo info{
      .name = "square", .value = "x^2", .slope = "2 x", .cases = {{-3, 3}}, .ulp = 0.5};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return x * x; }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) { return 2.0 * x; }
};
struct Sqrt {
  static constexpr RowInfo info{.name = "sqrt",
                                .value = "x^(1/2)",
                                .slope = "1 / (2 y)",
                                .cases = {{0.1, 4}},
                                .ulp = 0.5,
                                .reads = Reads::y,
                                .note = "slope inf at 0"};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return sqrt(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T&, const T& y) { return 0.5 / y; }
};
struct Cbrt {
  static constexpr RowInfo info{.name = "cbrt",
                                .value = "x^(1/3)",
                                .slope = "1 / (3 y^2)",
                                .cases = {{0.1, 4}, {-4, -0.1}},
                                .ulp = 2,
                                .lanes = true,
                                .reads = Reads::y,
                                .note = "slope inf at 0"};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return cbrt(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T&, const T& y) {
    return (1.0 / 3.0) / (y * y);
  }
};
struct Rsqrt {
  static constexpr RowInfo info{.name = "rsqrt",
                                .value = "1 / sqrt(x)",
                                .slope = "-y^3 / 2",
                                .cases = {{0.1, 4}},
                                .ulp = 1,
                                .reads = Reads::y,
                                .note = "inf at 0, slope -inf"};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return 1.0 / sqrt(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T&, const T& y) {
    return -0.5 * (y * y * y);
  }
};
struct Reciprocal {
  static constexpr RowInfo info{.name = "reciprocal",
                                .value = "1 / x",
                                .slope = "-y^2",
                                .cases = {{0.3, 3}, {-3, -0.3}},
                                .ulp = 0.5,
                                .reads = Reads::y};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return 1.0 / x; }
  template <class T> static AUTOGRAD_INLINE T slope(const T&, const T& y) { return -(y * y); }
};
struct Abs {
  static constexpr RowInfo info{.name = "abs",
                                .value = "|x|",
                                .slope = "sign x",
                                .cases = {{-3, -0.1}, {0.1, 3}},
                                .ulp = 0,
                                .note = "slope 0 at 0"};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return abs(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) { return sign(x); }
};
struct Sign {
  static constexpr RowInfo info{.name = "sign",
                                .value = "-1, 0 or 1",
                                .slope = "0",
                                .cases = {{-3, -0.1}, {0.1, 3}},
                                .ulp = 0,
                                .reads = Reads::nothing,
                                .selects = true,
                                .note = "NaN stays NaN"};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return sign(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) {
    return constant(x, 0.0);
  }
};
struct Relu {
  static constexpr RowInfo info{.name = "relu",
                                .value = "max(x, 0)",
                                .slope = "1 if x > 0, else 0",
                                .cases = {{-3, -0.1}, {0.1, 3}},
                                .ulp = 0,
                                .reads = Reads::y,
                                .selects = true,
                                .note = "slope 0 at 0"};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) {
    return where(x <= 0.0, constant(x, 0.0), x);
  }
  template <class T> static AUTOGRAD_INLINE T slope(const T&, const T& y) {
    return pick(y > 0.0, y, 1.0, 0.0);
  }
};

// Binary rows: slope_a = dy/da, slope_b = dy/db.
struct Add {
  static constexpr RowInfo info{.name = "add",
                                .value = "a + b",
                                .slope = "1, 1",
                                .cases = {{-3, 3}},
                                .ulp = 0.5,
                                .reads = Reads::nothing};
  template <class T> static AUTOGRAD_INLINE T value(const T& a, const T& b) { return a + b; }
  template <class T> static AUTOGRAD_INLINE T slope_a(const T& a, const T&, const T&) {
    return constant(a, 1.0);
  }
  template <class T> static AUTOGRAD_INLINE T slope_b(const T& a, const T&, const T&) {
    return constant(a, 1.0);
  }
};
struct Sub {
  static constexpr RowInfo info{.name = "sub",
                                .value = "a - b",
                                .slope = "1, -1",
                                .cases = {{-3, 3}},
                                .ulp = 0.5,
                                .reads = Reads::nothing};
  template <class T> static AUTOGRAD_INLINE T value(const T& a, const T& b) { return a - b; }
  template <class T> static AUTOGRAD_INLINE T slope_a(const T& a, const T&, const T&) {
    return constant(a, 1.0);
  }
  template <class T> static AUTOGRAD_INLINE T slope_b(const T& a, const T&, const T&) {
    return constant(a, -1.0);
  }
};
struct Mul {
  static constexpr RowInfo info{
      .name = "mul", .value = "a b", .slope = "b, a", .cases = {{-3, 3}}, .ulp = 0.5};
  template <class T> static AUTOGRAD_INLINE T value(const T& a, const T& b) { return a * b; }
  template <class T> static AUTOGRAD_INLINE T slope_a(const T&, const T& b, const T&) { return b; }
  template <class T> static AUTOGRAD_INLINE T slope_b(const T& a, const T&, const T&) { return a; }
};
struct Div {
  static constexpr RowInfo info{.name = "div",
                                .value = "a / b",
                                .slope = "1 / b, -y / b",
                                .cases = {{0.3, 3}},
                                .ulp = 0.5,
                                .reads = Reads::both};
  template <class T> static AUTOGRAD_INLINE T value(const T& a, const T& b) { return a / b; }
  template <class T> static AUTOGRAD_INLINE T slope_a(const T&, const T& b, const T&) {
    return 1.0 / b;
  }
  template <class T> static AUTOGRAD_INLINE T slope_b(const T&, const T& b, const T& y) {
    return -y * (1.0 / b);
  }
};
struct Pow {
  static constexpr RowInfo info{
      .name = "pow",
      .value = "a^b",
      .slope = "b a^(b-1), y ln a",
      .cases = {{0.3, 3}},
      .ulp = 1,
      .reads = Reads::both,
      .note = "slope_a 0 at a = b = 0; slope_b 0 at a = 0 with b >= 0, NaN for a < 0"};
  template <class T> static AUTOGRAD_INLINE T value(const T& a, const T& b) { return pow(a, b); }
  // 0 inf at b = 0 where 1 / a is infinite: at 0 and next to it. The product at b = 0 and another a is 0 by
  // itself, and has a slope by b.
  template <class T> static AUTOGRAD_INLINE T slope_a(const T& a, const T& b, const T&) {
    const T slope = b * pow(a, b - 1.0);
    return where(b == 0.0, where(0.0 * (1.0 / a) == 0.0, slope, constant(a, 0.0)), slope);
  }
  // At a = 0 the limit of a^b ln a is 0 for b > 0, and 0^0 is taken as constant; -inf for b < 0.
  template <class T> static AUTOGRAD_INLINE T slope_b(const T& a, const T& b, const T& y) {
    return where(a == 0.0, where(b >= 0.0, constant(a, 0.0), y * log(a)), y * log(a));
  }
};
struct Maximum {
  static constexpr RowInfo info{.name = "maximum",
                                .value = "max(a, b)",
                                .slope = "1 to the larger, 1/2 each at a tie",
                                .cases = {{-3, 3}},
                                .ulp = 0,
                                .selects = true,
                                .note = "NaN propagates; max(a, b) for scalars"};
  template <class T> static AUTOGRAD_INLINE T value(const T& a, const T& b) { return max(a, b); }
  template <class T> static AUTOGRAD_INLINE T slope_a(const T& a, const T& b, const T&) {
    return 0.5 * (pick(a > b, a, 1.0, 0.0) + pick(a >= b, a, 1.0, 0.0));
  }
  template <class T> static AUTOGRAD_INLINE T slope_b(const T& a, const T& b, const T& y) {
    return slope_a(b, a, y);
  }
};
struct Minimum {
  static constexpr RowInfo info{.name = "minimum",
                                .value = "min(a, b)",
                                .slope = "1 to the smaller, 1/2 each at a tie",
                                .cases = {{-3, 3}},
                                .ulp = 0,
                                .selects = true,
                                .note = "NaN propagates; min(a, b) for scalars"};
  template <class T> static AUTOGRAD_INLINE T value(const T& a, const T& b) { return min(a, b); }
  template <class T> static AUTOGRAD_INLINE T slope_a(const T& a, const T& b, const T&) {
    return 0.5 * (pick(a < b, a, 1.0, 0.0) + pick(a <= b, a, 1.0, 0.0));
  }
  template <class T> static AUTOGRAD_INLINE T slope_b(const T& a, const T& b, const T& y) {
    return slope_a(b, a, y);
  }
};
struct Fmax {
  static constexpr RowInfo info{.name = "fmax",
                                .value = "max(a, b)",
                                .slope = "1 to the larger, 1/2 each at a tie",
                                .cases = {{-3, 3}},
                                .ulp = 0,
                                .lanes = true,
                                .selects = true,
                                .note = "a NaN loses against a number, as std::fmax"};
  template <class T> static AUTOGRAD_INLINE T value(const T& a, const T& b) {
    return where(b != b, a, where(a > b, a, b));
  }
  template <class T> static AUTOGRAD_INLINE T slope_a(const T& a, const T& b, const T&) {
    const T slope = 0.5 * (pick(a > b, a, 1.0, 0.0) + pick(a >= b, a, 1.0, 0.0));
    return where(b != b, constant(a, 1.0), slope);
  }
  template <class T> static AUTOGRAD_INLINE T slope_b(const T& a, const T& b, const T&) {
    const T slope = 0.5 * (pick(a < b, a, 1.0, 0.0) + pick(a <= b, a, 1.0, 0.0));
    return where(b != b, constant(a, 0.0), where(a != a, constant(a, 1.0), slope));
  }
};
struct Fmin {
  static constexpr RowInfo info{.name = "fmin",
                                .value = "min(a, b)",
                                .slope = "1 to the smaller, 1/2 each at a tie",
                                .cases = {{-3, 3}},
                                .ulp = 0,
                                .lanes = true,
                                .selects = true,
                                .note = "a NaN loses against a number, as std::fmin"};
  template <class T> static AUTOGRAD_INLINE T value(const T& a, const T& b) {
    return where(b != b, a, where(a < b, a, b));
  }
  template <class T> static AUTOGRAD_INLINE T slope_a(const T& a, const T& b, const T&) {
    const T slope = 0.5 * (pick(a < b, a, 1.0, 0.0) + pick(a <= b, a, 1.0, 0.0));
    return where(b != b, constant(a, 1.0), slope);
  }
  template <class T> static AUTOGRAD_INLINE T slope_b(const T& a, const T& b, const T&) {
    const T slope = 0.5 * (pick(a > b, a, 1.0, 0.0) + pick(a >= b, a, 1.0, 0.0));
    return where(b != b, constant(a, 0.0), where(a != a, constant(a, 1.0), slope));
  }
};
struct Fdim {
  static constexpr RowInfo info{.name = "fdim",
                                .value = "max(a - b, 0)",
                                .slope = "1, -1 if a > b, else 0",
                                .cases = {{-3, 3}},
                                .ulp = 0.5,
                                .lanes = true,
                                .selects = true,
                                .note = "NaN propagates"};
  template <class T> static AUTOGRAD_INLINE T value(const T& a, const T& b) {
    return where(a <= b, constant(a, 0.0), a - b);
  }
  template <class T> static AUTOGRAD_INLINE T slope_a(const T& a, const T& b, const T&) {
    return pick(a > b, a, 1.0, 0.0);
  }
  template <class T> static AUTOGRAD_INLINE T slope_b(const T& a, const T& b, const T&) {
    return pick(a > b, a, -1.0, 0.0);
  }
};
// dy times a slope: zero where dy is zero, even if the slope is infinite or NaN. What the backward
// rules of the rows are made of when they are themselves recorded.
struct Chain {
  static constexpr RowInfo info{.name = "chain",
                                .value = "a b, 0 where a = 0",
                                .slope = "b, a",
                                .cases = {{0.3, 3}},
                                .ulp = 0.5,
                                .note = "a is a cotangent"};
  template <class T> static AUTOGRAD_INLINE T value(const T& a, const T& b) {
    return where(a == 0.0, constant(a, 0.0), a * b);
  }
  template <class T> static AUTOGRAD_INLINE T slope_a(const T&, const T& b, const T&) { return b; }
  template <class T> static AUTOGRAD_INLINE T slope_b(const T& a, const T&, const T&) { return a; }
};

#ifdef AUTOGRAD_SIMD_ROWS
}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#else
}  // namespace autograd::ops
#endif
#endif
