// SPDX-License-Identifier: Apache-2.0
// The rest of the rows' vocabulary for Vec<D>: rounding, logaddexp, and functions that call their
// scalar form for one lane after the other because their slope is worth a vector kernel (pow).
// Rows without that (`lanes` in their RowInfo) need nothing here: see number_loops.hpp.
#if defined(AUTOGRAD_LANE_MATH_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef AUTOGRAD_LANE_MATH_INL
#undef AUTOGRAD_LANE_MATH_INL
#else
#define AUTOGRAD_LANE_MATH_INL
#endif

#include <numbers>

#include "vector_math-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace autograd::kernels::HWY_NAMESPACE {

// What lies beyond x >= 0 under the standard normal distribution: e^(-x^2 / 2) times a polynomial over
// x + 4. x is split, so that the rounding of its square is known and made good: e^-(s + lost) = e^-s
// (1 - lost).
template <class D> AUTOGRAD_INLINE Vec<D> normal_tail(Vec<D> x) {
  using C = Constants<D>;
  const Vec<D> z = where(x > 1000.0, Vec<D>::of(1000.0), x);
  const Vec<D> high = (z + C::kMagic / 16) - C::kMagic / 16, square = 0.5 * (high * high);
  const Vec<D> rest = 0.5 * ((z - high) * (z + high)), sum = square + rest;
  const Vec<D> e = exp(-sum), lost = rest - (sum - square);
  const Vec<D> inverse = 1.0 / (z + 4.0);
  return (e - e * lost) * (inverse * polynomial((z - 4.0) * inverse, C::kNormalTail));
}

/// The standard normal distribution function, to relative accuracy in the lower tail: 7 ulp.
template <class D> AUTOGRAD_INLINE Vec<D> normal_cdf(Vec<D> x) {
  const Vec<D> tail = normal_tail(abs(x));
  return where(x < 0.0, tail, 1.0 - tail);
}

template <class D> AUTOGRAD_OUTLINE Vec<D> erf(Vec<D> x) {
  const Vec<D> a = abs(x), square = where(a < 1.0, a * a, a - a);
  const Vec<D> near = mul_add(a, polynomial(square, Constants<D>::kErf), a);
  const Vec<D> far = 1.0 - 2.0 * normal_tail(a * std::numbers::sqrt2);
  return copy_sign(where(a < 1.0, near, far), x);
}

template <class D> AUTOGRAD_INLINE Vec<D> floor(Vec<D> x) { return {hn::Floor(x.raw)}; }
template <class D> AUTOGRAD_INLINE Vec<D> ceil(Vec<D> x) { return {hn::Ceil(x.raw)}; }
template <class D> AUTOGRAD_INLINE Vec<D> rint(Vec<D> x) { return {hn::Round(x.raw)}; }

template <class D> AUTOGRAD_OUTLINE Vec<D> logaddexp(Vec<D> a, Vec<D> b) {
  const Vec<D> m = max(a, b);
  const Vec<D> y = m + log1p(exp_of_negative(-abs(a - b)));
  return where(a == b, m + std::numbers::ln2, y);
}

template <class D> AUTOGRAD_OUTLINE Vec<D> pow(Vec<D> a, Vec<D> b) {
  const D d;
  alignas(64) hn::TFromD<D> base[kLanes<D>], exponent[kLanes<D>];
  hn::Store(a.raw, d, base);
  hn::Store(b.raw, d, exponent);
  HWY_UNROLL(1)  // GCC would write down sixteen calls
  for (std::size_t i = 0; i < kLanes<D>; ++i) {
    const bool unused = base[i] == 0 && exponent[i] == 0;
    base[i] = unused ? 1 : std::pow(base[i], exponent[i]);
  }
  return {hn::Load(d, base)};
}

}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
