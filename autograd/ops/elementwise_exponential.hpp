// SPDX-License-Identifier: Apache-2.0
// Rows: exponentials, logarithms, and what is made of them. See elementwise.hpp.
#if !defined(AUTOGRAD_ROWS_EXPONENTIAL) || defined(AUTOGRAD_SIMD_ROWS)
#define AUTOGRAD_ROWS_EXPONENTIAL

#include <limits>

#include "row_words.hpp"

#ifdef AUTOGRAD_SIMD_ROWS
HWY_BEFORE_NAMESPACE();
namespace autograd::kernels::HWY_NAMESPACE {
#else
namespace autograd::ops {
#endif

struct Exp {
  static constexpr RowInfo info{
      .name = "exp", .value = "e^x", .slope = "y", .cases = {{-3, 3}}, .ulp = 2, .reads = Reads::y};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return exp(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T&, const T& y) { return y; }
};
struct Exp2 {
  static constexpr RowInfo info{.name = "exp2",
                                .value = "2^x",
                                .slope = "y ln 2",
                                .cases = {{-3, 3}},
                                .ulp = 2,
                                .reads = Reads::y};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return exp2(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T&, const T& y) {
    return std::numbers::ln2 * y;
  }
};
struct Expm1 {
  static constexpr RowInfo info{
      .name = "expm1", .value = "e^x - 1", .slope = "e^x", .cases = {{-3, 3}}, .ulp = 3};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return expm1(x); }
  // y + 1 would lose all digits below x = -37.
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) { return exp(x); }
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
struct Log2 {
  static constexpr RowInfo info{.name = "log2",
                                .value = "log2 x",
                                .slope = "1 / (x ln 2)",
                                .cases = {{0.1, 4}},
                                .ulp = 2,
                                .note = "x > 0"};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return log2(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) {
    return std::numbers::log2e / x;
  }
};
struct Log10 {
  static constexpr RowInfo info{.name = "log10",
                                .value = "log10 x",
                                .slope = "1 / (x ln 10)",
                                .cases = {{0.1, 4}},
                                .ulp = 2,
                                .note = "x > 0"};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return log10(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) {
    return std::numbers::log10e / x;
  }
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
struct Sigmoid {
  static constexpr RowInfo info{.name = "sigmoid",
                                .value = "1 / (1 + e^-x)",
                                .slope = "y (1 - y)",
                                .cases = {{-4, 4}},
                                .ulp = 3,
                                .reads = Reads::y,
                                .note = "slope of tensors to 1e-16 absolute in the upper tail"};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return sigmoid(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T& y) {
    if constexpr (Scalar<T>) {
      if (plain_value(y) > 0.999) [[unlikely]]
        return upper_tail(T(x), T(y));
    }
    return y * (1.0 - y);
  }
  // 1 - y has lost its digits.
  template <class T> static AUTOGRAD_COLD T upper_tail(T x, T y) { return y * sigmoid(-x); }
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
// softplus as PyTorch scales it, and cuts it off: x itself beyond the threshold.
struct ScaledSoftplus {
  double beta = 2, threshold = 20;  // of tests; the function's beta is 1 by default
  static constexpr RowInfo info{.name = "scaled_softplus",
                                .value = "ln(1 + e^(beta x)) / beta; x where beta x > threshold",
                                .slope = "sigmoid(beta x); 1 where beta x > threshold",
                                .cases = {{-4, 4}},
                                .ulp = 4,
                                .note = "softplus(x, {.beta = 2, .threshold = 20})"};
  template <class T> AUTOGRAD_INLINE T value(const T& x) const {
    const T t = beta * x;
    return where(t > threshold, x, softplus(t) / beta);
  }
  template <class T> AUTOGRAD_INLINE T slope(const T& x, const T&) const {
    const T t = beta * x;
    return where(t > threshold, constant(x, 1.0), sigmoid(t));
  }
};
struct LogSigmoid {
  static constexpr RowInfo info{.name = "logsigmoid",
                                .value = "-ln(1 + e^-x)",
                                .slope = "sigmoid(-x)",
                                .cases = {{-4, 4}},
                                .ulp = 4,
                                .note = "exact for large |x|"};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return -softplus(-x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) { return sigmoid(-x); }
};
// From x = 1/4 on by log1p of x / (1 - x) - 1, which keeps the digits around the zero at 1/2.
struct Logit {
  double eps = -1;  // at least 0: x is held between eps and 1 - eps
  static constexpr RowInfo info{.name = "logit",
                                .value = "ln(x / (1 - x))",
                                .slope = "1 / (x (1 - x))",
                                .cases = {{0.05, 0.95}},
                                .ulp = 6,
                                .note =
                                    "slope inf at 0 and 1, NaN beyond; with eps 0 beyond eps "
                                    "and 1 - eps"};
  template <class T> AUTOGRAD_INLINE T value(const T& x) const {
    const T t = eps < 0 ? x : clamp_keeping_nan(x, eps, 1.0 - eps);
    return where(t < 0.25, log(t / (1.0 - t)), log1p((2.0 * t - 1.0) / (1.0 - t)));
  }
  template <class T> AUTOGRAD_INLINE T slope(const T& x, const T&) const {
    const double low = eps < 0 ? 0.0 : eps, high = 1.0 - low;
    const T beyond = constant(x, eps < 0 ? std::numeric_limits<double>::quiet_NaN() : 0.0);
    return where(x < low, beyond, where(x > high, beyond, 1.0 / (x * (1.0 - x))));
  }
};
struct Xlogy {
  static constexpr RowInfo info{.name = "xlogy",
                                .value = "a ln b; 0 where a = 0",
                                .slope = "ln b, a / b",
                                .cases = {{0.3, 3}},
                                .ulp = 3,
                                .note =
                                    "at a = 0 slope_a is 0 for b <= 0, slope_b 0 for b = 0; "
                                    "NaN where b is"};
  template <class T> static AUTOGRAD_INLINE T value(const T& a, const T& b) {
    const T y = a * log(b);
    return where(a == 0.0, where(b == b, constant(a, 0.0), b), y);
  }
  template <class T> static AUTOGRAD_INLINE T slope_a(const T& a, const T& b, const T&) {
    const T slope = log(b);
    return where(a == 0.0, where(b <= 0.0, constant(a, 0.0), slope), slope);
  }
  template <class T> static AUTOGRAD_INLINE T slope_b(const T& a, const T& b, const T&) {
    const T slope = a / b;
    return where(a == 0.0, where(b == 0.0, constant(a, 0.0), slope), slope);
  }
};
struct LogAddExp {
  static constexpr RowInfo info{.name = "logaddexp",
                                .value = "ln(e^a + e^b)",
                                .slope = "sigmoid(a - b), sigmoid(b - a)",
                                .cases = {{-3, 3}},
                                .ulp = 6,
                                .reads = Reads::both,
                                .note = "slopes 0 where both are -inf; shared where both are inf"};
  template <class T> static AUTOGRAD_INLINE T value(const T& a, const T& b) {
    return logaddexp(a, b);
  }
  // a - b is NaN for equal infinities.
  template <class T> static AUTOGRAD_INLINE T slope_a(const T& a, const T& b, const T& y) {
    const T share = 0.5 * (pick(a > b, a, 1.0, 0.0) + pick(a >= b, a, 1.0, 0.0));
    const T limit = where(y < 0.0, constant(a, 0.0), where(y != y, y, share));
    return where(y - y == 0.0, sigmoid(a - b), limit);
  }
  template <class T> static AUTOGRAD_INLINE T slope_b(const T& a, const T& b, const T& y) {
    return slope_a(b, a, y);
  }
};
struct Ldexp {
  static constexpr RowInfo info{.name = "ldexp",
                                .value = "a 2^b",
                                .slope = "2^b, y ln 2",
                                .cases = {{-3, 3}},
                                .ulp = 3,
                                .lanes = true,
                                .reads = Reads::both,
                                .note = "exact for integers b"};
  template <class T> static AUTOGRAD_INLINE T value(const T& a, const T& b) {
    return times_power_of_two(a, b);
  }
  template <class T> static AUTOGRAD_INLINE T slope_a(const T&, const T& b, const T&) {
    return exp2(b);
  }
  template <class T> static AUTOGRAD_INLINE T slope_b(const T&, const T&, const T& y) {
    return std::numbers::ln2 * y;
  }
};

#ifdef AUTOGRAD_SIMD_ROWS
}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#else
}  // namespace autograd::ops
#endif
#endif
