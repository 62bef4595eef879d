// SPDX-License-Identifier: Apache-2.0
// One row per elementwise operation: its value and its slope (dy/dx), written once over a type T that
// may be double (Var), a SIMD vector (tensor kernels) or Tensor (recorded, for higher orders), and
// what documentation, tests and benchmarks need to know about it.
//
// To add one: write its row, name it in UnaryRows or BinaryRows below, and give it a public name in
// elementwise_functions.hpp. A row that is not in the list, or has no cases, does not compile.
// The file is included once normally and once per SIMD target by kernels/elementwise-inl.hpp, which
// is why it has no include guard of the usual kind.
//
// Slopes are multiplied by the arriving dy, and a zero dy gives zero whatever the slope is, so that
// the side of a where() that was not taken never leaks a NaN.
#if !defined(AUTOGRAD_ROWS_INCLUDED) || defined(AUTOGRAD_SIMD_ROWS)
#define AUTOGRAD_ROWS_INCLUDED

#include "../scalar_math.hpp"
#include "rows.hpp"

#ifdef AUTOGRAD_SIMD_ROWS
HWY_BEFORE_NAMESPACE();
namespace autograd::kernels::HWY_NAMESPACE {
#else
namespace autograd::ops {
using autograd::abs, autograd::acos, autograd::asin, autograd::atan, autograd::constant;
using autograd::cos, autograd::cosh, autograd::exp, autograd::expm1, autograd::log;
using autograd::log1p, autograd::max, autograd::min, autograd::pow, autograd::relu;
using autograd::sigmoid, autograd::sin, autograd::sinh, autograd::softplus, autograd::sqrt;
using autograd::square, autograd::tan, autograd::tanh, autograd::where;
#endif

// The two sides of a kink: `above` where the condition holds. Constants take the type of x.
template <class T, class C>
AUTOGRAD_INLINE T pick(const C& condition, const T& x, double yes, double no) {
  return where(condition, constant(x, yes), constant(x, no));
}

// clang-format off: one line for each of a row's parts reads better than what a formatter makes of it
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
struct Exp {
  static constexpr RowInfo info{
      .name = "exp", .value = "e^x", .slope = "y", .cases = {{-3, 3}}, .ulp = 2, .reads = Reads::y};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return exp(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T&, const T& y) { return y; }
};
struct Log {
  static constexpr RowInfo info{.name = "log",
                                .value = "ln x",
                                .slope = "1 / x",
                                .cases = {{0.1, 4}},
                                .ulp = 2,
                                .note = "x > 0; -inf at 0, NaN below"};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return log(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) { return 1.0 / x; }
};
struct Log1p {
  static constexpr RowInfo info{.name = "log1p",
                                .value = "ln(1 + x)",
                                .slope = "1 / (1 + x)",
                                .cases = {{-0.8, 3}},
                                .ulp = 3,
                                .note = "x > -1"};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return log1p(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) {
    return 1.0 / (1.0 + x);
  }
};
struct Expm1 {
  static constexpr RowInfo info{
      .name = "expm1", .value = "e^x - 1", .slope = "e^x", .cases = {{-3, 3}}, .ulp = 3};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return expm1(x); }
  // y + 1 would lose all digits below x = -37.
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) { return exp(x); }
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
struct Square {
  static constexpr RowInfo info{
      .name = "square", .value = "x^2", .slope = "2 x", .cases = {{-3, 3}}, .ulp = 0.5};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return x * x; }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) { return 2.0 * x; }
};
struct Abs {
  static constexpr RowInfo info{.name = "abs",
                                .value = "|x|",
                                .slope = "sign x",
                                .cases = {{-3, -0.1}, {0.1, 3}},
                                .ulp = 0,
                                .note = "slope 0 at 0"};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return abs(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) {
    return pick(x > 0.0, x, 1.0, 0.0) - pick(x < 0.0, x, 1.0, 0.0);
  }
};
struct Sin {
  static constexpr RowInfo info{
      .name = "sin", .value = "sin x", .slope = "cos x", .cases = {{-4, 4}}, .ulp = 1};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return sin(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) { return cos(x); }
};
struct Cos {
  static constexpr RowInfo info{
      .name = "cos", .value = "cos x", .slope = "-sin x", .cases = {{-4, 4}}, .ulp = 1};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return cos(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) { return -sin(x); }
};
struct Tan {
  static constexpr RowInfo info{.name = "tan",
                                .value = "tan x",
                                .slope = "1 + y^2",
                                .cases = {{-1.2, 1.2}},
                                .ulp = 1,
                                .reads = Reads::y};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return tan(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T&, const T& y) { return 1.0 + y * y; }
};
struct Asin {
  static constexpr RowInfo info{.name = "asin",
                                .value = "arcsin x",
                                .slope = "1 / sqrt(1 - x^2)",
                                .cases = {{-0.9, 0.9}},
                                .ulp = 1,
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
                                .ulp = 1,
                                .note = "slope -inf at -1 and 1"};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return acos(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) {
    return -1.0 / sqrt((1.0 - x) * (1.0 + x));
  }
};
struct Atan {
  static constexpr RowInfo info{
      .name = "atan", .value = "arctan x", .slope = "1 / (1 + x^2)", .cases = {{-3, 3}}, .ulp = 1};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return atan(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) {
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
                                .note = "slope to 1e-16 absolute in the tails"};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return tanh(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T&, const T& y) { return 1.0 - y * y; }
};
struct Sigmoid {
  static constexpr RowInfo info{.name = "sigmoid",
                                .value = "1 / (1 + e^-x)",
                                .slope = "y (1 - y)",
                                .cases = {{-4, 4}},
                                .ulp = 3,
                                .reads = Reads::y,
                                .note = "slope to 1e-16 absolute in the upper tail"};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return sigmoid(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T&, const T& y) { return y * (1.0 - y); }
};
struct Relu {
  static constexpr RowInfo info{.name = "relu",
                                .value = "max(x, 0)",
                                .slope = "1 if x > 0, else 0",
                                .cases = {{-3, -0.1}, {0.1, 3}},
                                .ulp = 0,
                                .reads = Reads::y,
                                .note = "slope 0 at 0"};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) {
    return where(x <= 0.0, constant(x, 0.0), x);
  }
  template <class T> static AUTOGRAD_INLINE T slope(const T&, const T& y) {
    return pick(y > 0.0, y, 1.0, 0.0);
  }
};
struct Softplus {
  static constexpr RowInfo info{.name = "softplus",
                                .value = "ln(1 + e^x)",
                                .slope = "sigmoid x",
                                .cases = {{-4, 4}},
                                .ulp = 4,
                                .note = "exact for large |x|"};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return softplus(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) { return sigmoid(x); }
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
      .note = "slope_a 0 where b = 0; slope_b 0 at a = 0 with b >= 0, NaN for a < 0"};
  template <class T> static AUTOGRAD_INLINE T value(const T& a, const T& b) { return pow(a, b); }
  template <class T> static AUTOGRAD_INLINE T slope_a(const T& a, const T& b, const T&) {
    return where(b == 0.0, constant(a, 0.0), b * pow(a, b - 1.0));
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
                                .note = "NaN propagates; min(a, b) for scalars"};
  template <class T> static AUTOGRAD_INLINE T value(const T& a, const T& b) { return min(a, b); }
  template <class T> static AUTOGRAD_INLINE T slope_a(const T& a, const T& b, const T&) {
    return 0.5 * (pick(a < b, a, 1.0, 0.0) + pick(a <= b, a, 1.0, 0.0));
  }
  template <class T> static AUTOGRAD_INLINE T slope_b(const T& a, const T& b, const T& y) {
    return slope_a(b, a, y);
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
// The losses that are elementwise; a is the prediction, b the target.
struct SquaredDifference {
  static constexpr RowInfo info{.name = "squared_difference",
                                .value = "(a - b)^2",
                                .slope = "2 (a - b), -2 (a - b)",
                                .cases = {{-3, 3}},
                                .ulp = 2};
  template <class T> static AUTOGRAD_INLINE T value(const T& a, const T& b) {
    return (a - b) * (a - b);
  }
  template <class T> static AUTOGRAD_INLINE T slope_a(const T& a, const T& b, const T&) {
    return 2.0 * (a - b);
  }
  template <class T> static AUTOGRAD_INLINE T slope_b(const T& a, const T& b, const T&) {
    return 2.0 * (b - a);
  }
};
struct BinaryCrossEntropy {
  static constexpr RowInfo info{
      .name = "binary_cross_entropy",
      .value = "-(b ln a + (1 - b) ln(1 - a))",
      .slope = "(a - b) / (a (1 - a)), ln(1 - a) - ln a",
      .cases = {{0.1, 0.9}},
      .ulp = 6,
      .note = "logarithms at least -100, divisor at least 1e-12, as PyTorch"};
  template <class T> static AUTOGRAD_INLINE T value(const T& a, const T& b) {
    return -(b * max(log(a), constant(a, -100.0)) +
             (1.0 - b) * max(log1p(-a), constant(a, -100.0)));
  }
  template <class T> static AUTOGRAD_INLINE T slope_a(const T& a, const T& b, const T&) {
    return (a - b) / max(a * (1.0 - a), constant(a, 1e-12));
  }
  template <class T> static AUTOGRAD_INLINE T slope_b(const T& a, const T&, const T&) {
    return max(log1p(-a), constant(a, -100.0)) - max(log(a), constant(a, -100.0));
  }
};
struct BinaryCrossEntropyWithLogits {
  static constexpr RowInfo info{.name = "binary_cross_entropy_with_logits",
                                .value = "max(a, 0) - a b + ln(1 + e^-|a|)",
                                .slope = "sigmoid(a) - b, -a",
                                .cases = {{-3, 3}},
                                .ulp = 6};
  template <class T> static AUTOGRAD_INLINE T value(const T& a, const T& b) {
    return where(a <= 0.0, constant(a, 0.0), a) - a * b + log1p(exp(-abs(a)));
  }
  template <class T> static AUTOGRAD_INLINE T slope_a(const T& a, const T& b, const T&) {
    return sigmoid(a) - b;
  }
  template <class T> static AUTOGRAD_INLINE T slope_b(const T& a, const T&, const T&) { return -a; }
};

using UnaryRows = RowList<Neg, Exp, Log, Log1p, Expm1, Sqrt, Square, Abs, Sin, Cos, Tan, Asin, Acos,
                          Atan, Sinh, Cosh, Tanh, Sigmoid, Relu, Softplus>;
using BinaryRows = RowList<Add, Sub, Mul, Div, Pow, Maximum, Minimum, Chain, SquaredDifference,
                           BinaryCrossEntropy, BinaryCrossEntropyWithLogits>;

// clang-format on

#ifdef AUTOGRAD_SIMD_ROWS
}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#else
}  // namespace autograd::ops
#endif
#endif
