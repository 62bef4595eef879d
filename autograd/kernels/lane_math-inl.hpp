// SPDX-License-Identifier: Apache-2.0
// The rest of the rows' vocabulary for Vec<D>: functions that are a few instructions on vectors
// (rounding, hypot, logaddexp), and those that call their scalar form for one lane after the other
// (circular, hyperbolic, error and gamma functions, pow).
#if defined(AUTOGRAD_LANE_MATH_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef AUTOGRAD_LANE_MATH_INL
#undef AUTOGRAD_LANE_MATH_INL
#else
#define AUTOGRAD_LANE_MATH_INL
#endif

#include <numbers>

#include "../scalar_math.hpp"
#include "vector_math-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace autograd::kernels::HWY_NAMESPACE {

// f of each lane. Lanes beyond the end of an array hold 0: f(0) is given, to not pay for them.
template <class D, class F> AUTOGRAD_INLINE Vec<D> each_lane(Vec<D> x, hn::TFromD<D> of_zero, F f) {
  const D d;
  alignas(64) hn::TFromD<D> lanes[kLanes<D>];
  hn::Store(x.raw, d, lanes);
  for (auto& lane : lanes) {
    if (lane != 0) {
      lane = f(lane);
    } else if (of_zero != 0) {
      lane = of_zero;  // an odd function keeps the sign of zero
    }
  }
  return {hn::Load(d, lanes)};
}
template <class D> AUTOGRAD_INLINE Vec<D> sin(Vec<D> x) {
  return each_lane(x, 0, [](auto v) { return std::sin(v); });
}
template <class D> AUTOGRAD_INLINE Vec<D> cos(Vec<D> x) {
  return each_lane(x, 1, [](auto v) { return std::cos(v); });
}
template <class D> AUTOGRAD_INLINE Vec<D> tan(Vec<D> x) {
  return each_lane(x, 0, [](auto v) { return std::tan(v); });
}
template <class D> AUTOGRAD_INLINE Vec<D> asin(Vec<D> x) {
  return each_lane(x, 0, [](auto v) { return std::asin(v); });
}
template <class D> AUTOGRAD_INLINE Vec<D> acos(Vec<D> x) {
  return each_lane(x, static_cast<hn::TFromD<D>>(1.57079632679489661923),
                   [](auto v) { return std::acos(v); });
}
template <class D> AUTOGRAD_INLINE Vec<D> atan(Vec<D> x) {
  return each_lane(x, 0, [](auto v) { return std::atan(v); });
}
template <class D> AUTOGRAD_INLINE Vec<D> sinh(Vec<D> x) {
  return each_lane(x, 0, [](auto v) { return std::sinh(v); });
}
template <class D> AUTOGRAD_INLINE Vec<D> cosh(Vec<D> x) {
  return each_lane(x, 1, [](auto v) { return std::cosh(v); });
}

// f of each lane, also of those beyond the end of an array.
template <class D, class F> AUTOGRAD_INLINE Vec<D> every_lane(Vec<D> x, F f) {
  const D d;
  alignas(64) hn::TFromD<D> lanes[kLanes<D>];
  hn::Store(x.raw, d, lanes);
  for (auto& lane : lanes) lane = f(lane);
  return {hn::Load(d, lanes)};
}
template <class D, class F> AUTOGRAD_INLINE Vec<D> every_pair(Vec<D> a, Vec<D> b, F f) {
  const D d;
  alignas(64) hn::TFromD<D> left[kLanes<D>], right[kLanes<D>];
  hn::Store(a.raw, d, left);
  hn::Store(b.raw, d, right);
  for (std::size_t i = 0; i < kLanes<D>; ++i) left[i] = f(left[i], right[i]);
  return {hn::Load(d, left)};
}
template <class D> AUTOGRAD_INLINE Vec<D> cbrt(Vec<D> x) {
  return each_lane(x, 0, [](auto v) { return std::cbrt(v); });
}
template <class D> AUTOGRAD_INLINE Vec<D> asinh(Vec<D> x) {
  return each_lane(x, 0, [](auto v) { return std::asinh(v); });
}
template <class D> AUTOGRAD_INLINE Vec<D> atanh(Vec<D> x) {
  return each_lane(x, 0, [](auto v) { return std::atanh(v); });
}
template <class D> AUTOGRAD_INLINE Vec<D> erf(Vec<D> x) {
  return each_lane(x, 0, [](auto v) { return std::erf(v); });
}
template <class D> AUTOGRAD_INLINE Vec<D> exp2(Vec<D> x) {
  return each_lane(x, 1, [](auto v) { return std::exp2(v); });
}
template <class D> AUTOGRAD_INLINE Vec<D> erfc(Vec<D> x) {
  return each_lane(x, 1, [](auto v) { return std::erfc(v); });
}
template <class D> AUTOGRAD_INLINE Vec<D> log2(Vec<D> x) {
  return every_lane(x, [](auto v) { return std::log2(v); });
}
template <class D> AUTOGRAD_INLINE Vec<D> log10(Vec<D> x) {
  return every_lane(x, [](auto v) { return std::log10(v); });
}
template <class D> AUTOGRAD_INLINE Vec<D> acosh(Vec<D> x) {
  return every_lane(x, [](auto v) { return std::acosh(v); });
}
template <class D> AUTOGRAD_INLINE Vec<D> tgamma(Vec<D> x) {
  return every_lane(x, [](auto v) { return std::tgamma(v); });
}
template <class D> AUTOGRAD_INLINE Vec<D> lgamma(Vec<D> x) {
  return every_lane(x, [](auto v) { return autograd::lgamma(v); });
}
template <class D> AUTOGRAD_INLINE Vec<D> digamma(Vec<D> x) {
  return every_lane(x, [](auto v) { return autograd::digamma(v); });
}
template <class D> AUTOGRAD_INLINE Vec<D> normal_cdf(Vec<D> x) {
  return every_lane(x, [](auto v) { return autograd::normal_cdf(v); });
}
template <class D> AUTOGRAD_INLINE Vec<D> normal_icdf(Vec<D> x) {
  return every_lane(x, [](auto v) { return autograd::normal_icdf(v); });
}
template <class D> AUTOGRAD_INLINE Vec<D> atan2(Vec<D> a, Vec<D> b) {
  return every_pair(a, b, [](auto p, auto q) { return std::atan2(p, q); });
}
template <class D> AUTOGRAD_INLINE Vec<D> fmod(Vec<D> a, Vec<D> b) {
  return every_pair(a, b, [](auto p, auto q) { return std::fmod(p, q); });
}
template <class D> AUTOGRAD_INLINE Vec<D> nextafter(Vec<D> a, Vec<D> b) {
  return every_pair(a, b, [](auto p, auto q) { return std::nextafter(p, q); });
}
template <class D> AUTOGRAD_INLINE Vec<D> ieee_remainder(Vec<D> a, Vec<D> b) {
  return every_pair(a, b, [](auto p, auto q) { return autograd::ieee_remainder(p, q); });
}
template <class D> AUTOGRAD_INLINE Vec<D> polygamma(Vec<D> a, Vec<D> b) {
  return every_pair(a, b, [](auto p, auto q) { return autograd::polygamma(p, q); });
}
template <class D> AUTOGRAD_INLINE Vec<D> beta(Vec<D> a, Vec<D> b) {
  return every_pair(a, b, [](auto p, auto q) { return autograd::beta(p, q); });
}
template <class D> AUTOGRAD_INLINE Vec<D> digamma_step(Vec<D> a, Vec<D> b) {
  return every_pair(a, b, [](auto p, auto q) { return autograd::digamma_step(p, q); });
}
template <class D> AUTOGRAD_INLINE Vec<D> trigamma_step(Vec<D> a, Vec<D> b) {
  return every_pair(a, b, [](auto p, auto q) { return autograd::trigamma_step(p, q); });
}
template <class D> AUTOGRAD_INLINE Vec<D> times_power_of_two(Vec<D> a, Vec<D> b) {
  return every_pair(a, b, [](auto p, auto q) { return autograd::times_power_of_two(p, q); });
}

template <class D> AUTOGRAD_INLINE Vec<D> floor(Vec<D> x) { return {hn::Floor(x.raw)}; }
template <class D> AUTOGRAD_INLINE Vec<D> ceil(Vec<D> x) { return {hn::Ceil(x.raw)}; }
template <class D> AUTOGRAD_INLINE Vec<D> trunc(Vec<D> x) { return {hn::Trunc(x.raw)}; }
template <class D> AUTOGRAD_INLINE Vec<D> rint(Vec<D> x) { return {hn::Round(x.raw)}; }
template <class D> AUTOGRAD_INLINE Vec<D> round(Vec<D> x) {
  const Vec<D> whole = trunc(x);
  return where(abs(x - whole) >= 0.5, whole + copy_sign(Vec<D>::of(1), x), whole);
}
template <class D> AUTOGRAD_INLINE Vec<D> copysign(Vec<D> a, Vec<D> b) { return copy_sign(a, b); }

/// The larger times sqrt(1 + q^2), q the quotient: no overflow. inf beats NaN, as std::hypot.
template <class D> AUTOGRAD_INLINE Vec<D> hypot(Vec<D> a, Vec<D> b) {
  const Vec<D> p = abs(a), q = abs(b), inf = infinity(D());
  const Vec<D> large = max(p, q), small = min(p, q);
  const Vec<D> ratio = where(large == 0.0, large, small / large);
  const Vec<D> y = large * sqrt(1.0 + ratio * ratio);
  return where(p == inf || q == inf, inf, y);
}
template <class D> AUTOGRAD_INLINE Vec<D> direction_of(Vec<D> a, Vec<D> h) {
  return where(abs(a) == h, sign(a), a / h);
}
template <class D> AUTOGRAD_INLINE Vec<D> direction(Vec<D> a, Vec<D> b) {
  return direction_of(a, hypot(a, b));
}
template <class D> AUTOGRAD_INLINE Vec<D> logaddexp(Vec<D> a, Vec<D> b) {
  const Vec<D> m = max(a, b);
  const Vec<D> y = m + log1p(exp(-abs(a - b)));
  return where(a == b, m + std::numbers::ln2, y);
}

template <class D> AUTOGRAD_INLINE Vec<D> pow(Vec<D> a, Vec<D> b) {
  // x^2 and its slope 2 x^1 are by far the most frequent powers.
  if (all_true(b == 2.0)) return a * a;
  if (all_true(b == 1.0)) return a;
  const D d;
  alignas(64) hn::TFromD<D> base[kLanes<D>], exponent[kLanes<D>];
  hn::Store(a.raw, d, base);
  hn::Store(b.raw, d, exponent);
  for (std::size_t i = 0; i < kLanes<D>; ++i) {
    const bool unused = base[i] == 0 && exponent[i] == 0;
    base[i] = unused ? 1 : std::pow(base[i], exponent[i]);
  }
  return {hn::Load(d, base)};
}

}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
