// SPDX-License-Identifier: Apache-2.0
// Rows: error function, gamma function and the normal distribution. See elementwise.hpp. Values are in
// special_functions.hpp.
#if !defined(AUTOGRAD_ROWS_SPECIAL) || defined(AUTOGRAD_SIMD_ROWS)
#define AUTOGRAD_ROWS_SPECIAL

#include "row_words.hpp"

#ifdef AUTOGRAD_SIMD_ROWS
HWY_BEFORE_NAMESPACE();
namespace autograd::kernels::HWY_NAMESPACE {
#else
namespace autograd::ops {
#endif

struct Erf {
  static constexpr RowInfo info{.name = "erf",
                                .value = "2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x",
                                .slope = "2 / sqrt(pi) e^(-x^2)",
                                .cases = {{-3, 3}},
                                .ulp = 2};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return erf(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) {
    return (2.0 * std::numbers::inv_sqrtpi) * exp(-(x * x));
  }
};
struct Erfc {
  static constexpr RowInfo info{.name = "erfc",
                                .value = "1 - erf x",
                                .slope = "-2 / sqrt(pi) e^(-x^2)",
                                .cases = {{-3, 3}},
                                .ulp = 3,
                                .lanes = true,
                                .note = "exact in the upper tail"};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return erfc(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) {
    return (-2.0 * std::numbers::inv_sqrtpi) * exp(-(x * x));
  }
};
struct NormalCdf {
  static constexpr RowInfo info{.name = "normal_cdf",
                                .value = "erfc(-x / sqrt(2)) / 2",
                                .slope = "e^(-x^2 / 2) / sqrt(2 pi)",
                                .cases = {{-3, 3}},
                                .ulp = 3,
                                .lanes = true,
                                .note = "exact in the lower tail"};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return normal_cdf(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) {
    return (0.5 * std::numbers::inv_sqrtpi * std::numbers::sqrt2) * exp(-0.5 * (x * x));
  }
};
struct NormalIcdf {
  static constexpr RowInfo info{.name = "normal_icdf",
                                .value = "the inverse of normal_cdf",
                                .slope = "sqrt(2 pi) e^(y^2 / 2)",
                                .cases = {{0.05, 0.95}},
                                .ulp = 2,
                                .lanes = true,
                                .reads = Reads::y,
                                .note = "x in [0, 1]; -inf at 0, inf at 1"};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return normal_icdf(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T&, const T& y) {
    return (std::numbers::sqrt2 / std::numbers::inv_sqrtpi) * exp(0.5 * (y * y));
  }
};
struct Erfinv {
  static constexpr RowInfo info{.name = "erfinv",
                                .value = "the inverse of erf",
                                .slope = "sqrt(pi) / 2 e^(y^2)",
                                .cases = {{-0.9, 0.9}},
                                .ulp = 2,
                                .lanes = true,
                                .reads = Reads::y,
                                .note = "-inf at -1, inf at 1, there with slope inf; NaN beyond"};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return erfinv(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T&, const T& y) {
    return (0.5 / std::numbers::inv_sqrtpi) * exp(y * y);
  }
};
struct Tgamma {
  static constexpr RowInfo info{.name = "tgamma",
                                .value = "Gamma(x)",
                                .slope = "y digamma(x)",
                                .cases = {{0.3, 4}},
                                .ulp = 5,
                                .lanes = true,
                                .reads = Reads::both};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return tgamma(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T& y) {
    return y * digamma(x);
  }
};
struct Lgamma {
  static constexpr RowInfo info{.name = "lgamma",
                                .value = "ln |Gamma(x)|",
                                .slope = "digamma(x)",
                                .cases = {{0.3, 4}},
                                .ulp = 4,
                                .lanes = true,
                                .note = "inf at 0, -1, ..."};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return lgamma(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) { return digamma(x); }
};
struct Digamma {
  static constexpr RowInfo info{.name = "digamma",
                                .value = "Gamma'(x) / Gamma(x)",
                                .slope = "polygamma(1, x)",
                                .cases = {{0.3, 4}},
                                .ulp = 1,
                                .lanes = true,
                                .note = "-inf at 0, NaN at -1, -2, ..."};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return digamma(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) {
    return polygamma(constant(x, 1.0), x);
  }
};
struct Polygamma {
  static constexpr RowInfo info{
      .name = "polygamma",
      .value = "d^a/db^a digamma(b)",
      .slope = "0, polygamma(a + 1, b)",
      .cases = {{0.3, 3}},
      .ulp = 1,
      .lanes = true,
      .note = "a is an order, rounded to an integer in 0 to 100, else NaN"};
  template <class T> static AUTOGRAD_INLINE T value(const T& a, const T& b) {
    return polygamma(a, b);
  }
  template <class T> static AUTOGRAD_INLINE T slope_a(const T& a, const T&, const T&) {
    return constant(a, 0.0);
  }
  template <class T> static AUTOGRAD_INLINE T slope_b(const T& a, const T& b, const T&) {
    return polygamma(a + 1.0, b);
  }
};
// digamma(a + b) - digamma(a) and trigamma's: in the slopes of beta they keep the digits that a plain
// difference loses where b is far below a.
struct TrigammaStep {
  static constexpr RowInfo info{
      .name = "trigamma_step",
      .value = "polygamma(1, a + b) - polygamma(1, a)",
      .slope = "polygamma(2, a + b) - polygamma(2, a), polygamma(2, a + b)",
      .cases = {{0.3, 3}},
      .ulp = 2,
      .lanes = true};
  template <class T> static AUTOGRAD_INLINE T value(const T& a, const T& b) {
    return trigamma_step(a, b);
  }
  template <class T> static AUTOGRAD_INLINE T slope_a(const T& a, const T& b, const T&) {
    const T two = constant(a, 2.0);
    return polygamma(two, a + b) - polygamma(two, a);
  }
  template <class T> static AUTOGRAD_INLINE T slope_b(const T& a, const T& b, const T&) {
    return polygamma(constant(a, 2.0), a + b);
  }
};
struct DigammaStep {
  static constexpr RowInfo info{.name = "digamma_step",
                                .value = "digamma(a + b) - digamma(a)",
                                .slope = "trigamma_step(a, b), polygamma(1, a + b)",
                                .cases = {{0.3, 3}},
                                .ulp = 2,
                                .lanes = true};
  template <class T> static AUTOGRAD_INLINE T value(const T& a, const T& b) {
    return digamma_step(a, b);
  }
  template <class T> static AUTOGRAD_INLINE T slope_a(const T& a, const T& b, const T&) {
    return trigamma_step(a, b);
  }
  template <class T> static AUTOGRAD_INLINE T slope_b(const T& a, const T& b, const T&) {
    return polygamma(constant(a, 1.0), a + b);
  }
};
struct Beta {
  static constexpr RowInfo info{.name = "beta",
                                .value = "Gamma(a) Gamma(b) / Gamma(a + b)",
                                .slope = "-y digamma_step(a, b), -y digamma_step(b, a)",
                                .cases = {{0.3, 3}},
                                .ulp = 2,
                                .lanes = true,
                                .reads = Reads::both,
                                .note = "mixed second derivative to 1e-16 / min(a, b)"};
  template <class T> static AUTOGRAD_INLINE T value(const T& a, const T& b) { return beta(a, b); }
  template <class T> static AUTOGRAD_INLINE T slope_a(const T& a, const T& b, const T& y) {
    return -y * digamma_step(a, b);
  }
  template <class T> static AUTOGRAD_INLINE T slope_b(const T& a, const T& b, const T& y) {
    return -y * digamma_step(b, a);
  }
};

#ifdef AUTOGRAD_SIMD_ROWS
}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#else
}  // namespace autograd::ops
#endif
#endif
