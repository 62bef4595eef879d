// SPDX-License-Identifier: Apache-2.0
// Rows: the activations of networks, and the functions that hold a number within bounds. See
// elementwise.hpp. Kinks as PyTorch: at the bounds of relu6, hardtanh and hardsigmoid the slope is 0,
// at those of clamp 1; at 0 leaky_relu, elu, selu and celu have the slope of the negative side. Where
// PyTorch multiplies an infinity by 0 (silu, gelu and mish at -inf, their slopes at both infinities)
// these rows give the limit.
#if !defined(AUTOGRAD_ROWS_ACTIVATION) || defined(AUTOGRAD_SIMD_ROWS)
#define AUTOGRAD_ROWS_ACTIVATION

#include "row_words.hpp"

#ifdef AUTOGRAD_SIMD_ROWS
HWY_BEFORE_NAMESPACE();
namespace autograd::kernels::HWY_NAMESPACE {
#else
namespace autograd::ops {
#endif

// What is multiplied by a factor that vanishes below: -inf must not become NaN.
template <class T> AUTOGRAD_INLINE T not_below(const T& x) {
  return where(x < -1000.0, constant(x, -1000.0), x);
}

struct Softsign {
  static constexpr RowInfo info{.name = "softsign",
                                .value = "x / (1 + |x|)",
                                .slope = "1 / (1 + |x|)^2",
                                .cases = {{-3, -0.1}, {0.1, 3}},
                                .ulp = 1};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return x / (1.0 + abs(x)); }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) {
    const T s = 1.0 / (1.0 + abs(x));
    return s * s;
  }
};
struct Relu6 {
  static constexpr RowInfo info{.name = "relu6",
                                .value = "min(max(x, 0), 6)",
                                .slope = "1 if 0 < x < 6, else 0",
                                .cases = {{-3, -0.1}, {0.1, 5.9}},
                                .ulp = 0,
                                .reads = Reads::y,
                                .selects = true,
                                .note = "slope 0 at 0 and 6"};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) {
    return where(x <= 0.0, constant(x, 0.0), where(x >= 6.0, constant(x, 6.0), x));
  }
  template <class T> static AUTOGRAD_INLINE T slope(const T&, const T& y) {
    return where(y > 0.0, pick(y < 6.0, y, 1.0, 0.0), constant(y, 0.0));
  }
};
struct LeakyRelu {
  double negative_slope = 0.01;
  static constexpr RowInfo info{.name = "leaky_relu",
                                .value = "x if x > 0, else s x",
                                .slope = "1 if x > 0, else s",
                                .cases = {{-3, -0.1}, {0.1, 3}},
                                .ulp = 0.5,
                                .selects = true,
                                .note = "s = 0.01 by default; slope s at 0"};
  template <class T> AUTOGRAD_INLINE T value(const T& x) const {
    return where(x > 0.0, x, negative_slope * x);
  }
  template <class T> AUTOGRAD_INLINE T slope(const T& x, const T&) const {
    return pick(x > 0.0, x, 1.0, negative_slope);
  }
};
struct Elu {
  double alpha = 1;
  static constexpr RowInfo info{.name = "elu",
                                .value = "x if x > 0, else alpha (e^x - 1)",
                                .slope = "1 if x > 0, else alpha e^x",
                                .cases = {{-3, -0.1}, {0.1, 3}},
                                .ulp = 4,
                                .note = "alpha = 1 by default; slope alpha at 0"};
  template <class T> AUTOGRAD_INLINE T value(const T& x) const {
    return where(x > 0.0, x, alpha * expm1(x));
  }
  template <class T> AUTOGRAD_INLINE T slope(const T& x, const T&) const {
    return where(x > 0.0, constant(x, 1.0), alpha * exp(x));
  }
};
struct Selu {
  static constexpr double kScale = 1.0507009873554804934193349852946;
  static constexpr double kNegative = kScale * 1.6732632423543772848170429916717;
  static constexpr RowInfo info{.name = "selu",
                                .value = "1.0507 x if x > 0, else 1.0507 1.6733 (e^x - 1)",
                                .slope = "1.0507 if x > 0, else 1.0507 1.6733 e^x",
                                .cases = {{-3, -0.1}, {0.1, 3}},
                                .ulp = 4};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) {
    return where(x > 0.0, kScale * x, kNegative * expm1(x));
  }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) {
    return where(x > 0.0, constant(x, kScale), kNegative * exp(x));
  }
};
struct Celu {
  double alpha = 1.5;  // of tests; the function's default is 1
  static constexpr RowInfo info{.name = "celu",
                                .value = "x if x > 0, else alpha (e^(x / alpha) - 1)",
                                .slope = "1 if x > 0, else e^(x / alpha)",
                                .cases = {{-3, -0.1}, {0.1, 3}},
                                .ulp = 4,
                                .note = "alpha = 1 by default"};
  template <class T> AUTOGRAD_INLINE T value(const T& x) const {
    return where(x > 0.0, x, alpha * expm1(x / alpha));
  }
  template <class T> AUTOGRAD_INLINE T slope(const T& x, const T&) const {
    return where(x > 0.0, constant(x, 1.0), exp(x / alpha));
  }
};
struct Gelu {
  static constexpr RowInfo info{.name = "gelu",
                                .value = "x normal_cdf(x)",
                                .slope = "normal_cdf(x) + x e^(-x^2 / 2) / sqrt(2 pi)",
                                .cases = {{-4, 4}},
                                .ulp = 8,
                                .note = "0 at -inf"};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) {
    const T t = not_below(x);
    return t * normal_cdf(t);
  }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) {
    const T t = clamp_keeping_nan(x, -1000.0, 1000.0);
    constexpr double kDensity = 0.5 * std::numbers::inv_sqrtpi * std::numbers::sqrt2;
    return normal_cdf(t) + t * (kDensity * exp(-0.5 * (t * t)));
  }
};
// (1 + tanh(u / 2)) / 2 = sigmoid(u).
struct GeluTanh {
  static constexpr double kLinear = 1.5957691216057307117597842397375;  // sqrt(8 / pi)
  static constexpr double kCubic = 0.044715 * kLinear;
  static constexpr RowInfo info{.name = "gelu_tanh",
                                .value = "x sigmoid(u), u = sqrt(8 / pi) (x + 0.044715 x^3)",
                                .slope = "sigmoid(u) + x u' sigmoid(u) sigmoid(-u)",
                                .cases = {{-4, 4}},
                                .ulp = 6,
                                .note = "gelu(x, {.approximate = GeluApproximation::tanh})"};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) {
    const T t = not_below(x);
    return t * sigmoid(t * (kLinear + kCubic * (t * t)));
  }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) {
    const T t = clamp_keeping_nan(x, -1000.0, 1000.0), t2 = t * t;
    const T s = sigmoid(t * (kLinear + kCubic * t2));
    return s + t * (kLinear + 3.0 * kCubic * t2) * (s * (1.0 - s));
  }
};
struct Silu {
  static constexpr RowInfo info{.name = "silu",
                                .value = "x sigmoid(x)",
                                .slope = "s (1 + x (1 - s)), s = sigmoid(x)",
                                .cases = {{-4, 4}},
                                .ulp = 4,
                                .note = "0 at -inf"};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) {
    const T t = not_below(x);
    return t * sigmoid(t);
  }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) {
    const T t = clamp_keeping_nan(x, -1000.0, 1000.0), s = sigmoid(t);
    return s * (1.0 + t * (1.0 - s));
  }
};
// With e = e^x and n = e (e + 2) = (1 + e)^2 - 1: tanh(ln(1 + e)) = n / (n + 2), one exponential for
// all. Beyond x = 22 the quotient and the slope are 1.
struct Mish {
  static constexpr RowInfo info{.name = "mish",
                                .value = "x n / m, n = e^x (e^x + 2), m = n + 2",
                                .slope = "n / m + 4 x e^x (1 + e^x) / m^2",
                                .cases = {{-4, 4}},
                                .ulp = 6,
                                .note = "x tanh(ln(1 + e^x)); 0 at -inf"};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) {
    const T t = not_below(x);
    const T e = exp(clamp_keeping_nan(t, -1000.0, 22.0)), n = e * (e + 2.0);
    return t * (n / (n + 2.0));
  }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) {
    const T t = clamp_keeping_nan(x, -1000.0, 22.0);
    const T e = exp(t), n = e * (e + 2.0), inverse = 1.0 / (n + 2.0);
    return n * inverse + 4.0 * t * (e * inverse) * ((1.0 + e) * inverse);
  }
};
struct Hardtanh {
  double low = -1, high = 1;
  static constexpr RowInfo info{.name = "hardtanh",
                                .value = "min(max(x, low), high)",
                                .slope = "1 if low < x < high, else 0",
                                .cases = {{-0.9, 0.9}, {1.1, 3}},
                                .ulp = 0,
                                .reads = Reads::y,
                                .selects = true,
                                .note = "low = -1, high = 1 by default; slope 0 at the bounds"};
  template <class T> AUTOGRAD_INLINE T value(const T& x) const {
    return clamp_keeping_nan(x, low, high);
  }
  template <class T> AUTOGRAD_INLINE T slope(const T&, const T& y) const {
    return where(y > low, pick(y < high, y, 1.0, 0.0), constant(y, 0.0));
  }
};
struct Hardsigmoid {
  static constexpr RowInfo info{.name = "hardsigmoid",
                                .value = "min(max(x + 3, 0), 6) / 6",
                                .slope = "1/6 if -3 < x < 3, else 0",
                                .cases = {{-2.9, 2.9}, {3.1, 5}},
                                .ulp = 1,
                                .selects = true,
                                .note = "slope 0 at -3 and 3"};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) {
    const T t = x + 3.0;
    return clamp_keeping_nan(t, 0.0, 6.0) / 6.0;
  }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) {
    return where(x > -3.0, pick(x < 3.0, x, 1.0 / 6.0, 0.0), constant(x, 0.0));
  }
};
struct Hardswish {
  static constexpr RowInfo info{.name = "hardswish",
                                .value = "x min(max(x + 3, 0), 6) / 6",
                                .slope = "0 below -3, 1 from 3 on, x / 3 + 1/2 between",
                                .cases = {{-2.9, 2.9}, {3.1, 5}},
                                .ulp = 2,
                                .selects = true,
                                .note = "slope -1/2 at -3"};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) {
    return where(x < -3.0, constant(x, 0.0), where(x >= 3.0, x, x * (x + 3.0) / 6.0));
  }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) {
    return where(x >= 3.0, constant(x, 1.0), where(x >= -3.0, x / 3.0 + 0.5, constant(x, 0.0)));
  }
};
struct Clamp {
  double low = -1, high = 1;  // of tests
  static constexpr RowInfo info{.name = "clamp",
                                .value = "min(max(x, low), high)",
                                .slope = "1 if low <= x <= high, else 0",
                                .cases = {{-0.9, 0.9}, {1.1, 3}},
                                .ulp = 0,
                                .selects = true,
                                .note = "slope 1 at the bounds; all high where low > high"};
  template <class T> AUTOGRAD_INLINE T value(const T& x) const {
    const T y = where(x < low, constant(x, low), x);
    return where(y > high, constant(x, high), y);
  }
  template <class T> AUTOGRAD_INLINE T slope(const T& x, const T&) const {
    return where(x >= low, pick(x <= high, x, 1.0, 0.0), constant(x, 0.0));
  }
};
struct NanToNum {
  double nan = 0, positive = 3.4028234663852886e38, negative = -3.4028234663852886e38;
  static constexpr RowInfo info{.name = "nan_to_num",
                                .value = "x, or numbers in place of NaN, inf and -inf",
                                .slope = "1 if x is finite, else 0",
                                .cases = {{-3, 3}},
                                .ulp = 0,
                                .selects = true};
  template <class T> AUTOGRAD_INLINE T value(const T& x) const {
    const T infinite = where(x > 0.0, constant(x, positive), constant(x, negative));
    return where(x - x == 0.0, x, where(x != x, constant(x, nan), infinite));
  }
  template <class T> AUTOGRAD_INLINE T slope(const T& x, const T&) const {
    return pick(x - x == 0.0, x, 1.0, 0.0);
  }
};

#ifdef AUTOGRAD_SIMD_ROWS
}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#else
}  // namespace autograd::ops
#endif
#endif
