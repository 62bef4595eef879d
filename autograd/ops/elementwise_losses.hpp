// SPDX-License-Identifier: Apache-2.0
// Rows: the losses that are elementwise; a is the prediction, b the target. See elementwise.hpp.
#if !defined(AUTOGRAD_ROWS_LOSSES) || defined(AUTOGRAD_SIMD_ROWS)
#define AUTOGRAD_ROWS_LOSSES

#include "row_words.hpp"

#ifdef AUTOGRAD_SIMD_ROWS
HWY_BEFORE_NAMESPACE();
namespace autograd::kernels::HWY_NAMESPACE {
#else
namespace autograd::ops {
#endif

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

#ifdef AUTOGRAD_SIMD_ROWS
}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#else
}  // namespace autograd::ops
#endif
#endif
