// SPDX-License-Identifier: Apache-2.0
// Trigonometric and hyperbolic functions, logarithms to other bases and 2^x for Vec<D>: within 2 ulp
// and right at every special value, which tests/kernels/vector_math_test.cpp measures. The polynomials
// are Chebyshev fits over the reduced ranges; no step relies on fused multiply-add.
#if defined(AUTOGRAD_TRIGONOMETRY_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef AUTOGRAD_TRIGONOMETRY_INL
#undef AUTOGRAD_TRIGONOMETRY_INL
#else
#define AUTOGRAD_TRIGONOMETRY_INL
#endif

#include <cmath>
#include <numbers>

#include "math_constants.hpp"
#include "vector_math-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace autograd::kernels::HWY_NAMESPACE {

template <class D> using UintTag = hn::RebindToUnsigned<D>;

// The upper half of the digits, so that a product of two such numbers is exact.
template <class D> AUTOGRAD_INLINE Vec<D> upper_digits(Vec<D> x) {
  using T = hn::TFromD<D>;
  const UintTag<D> du;
  using U = hn::TFromD<UintTag<D>>;
  constexpr U kMask = ~U{0} << ((Constants<D>::kMantissaBits + 1 + sizeof(T) / 8) / 2);
  return {hn::BitCast(D(), hn::And(hn::BitCast(du, x.raw), hn::Set(du, kMask)))};
}

// --- Angles.

// Beyond this many quarter turns the reduction below would lose digits; f then works number by number.
inline constexpr double kLargestAngle = 4e5;

template <class D, class F> HWY_NOINLINE Vec<D> large_angles(Vec<D> x, Vec<D> y, const F& f) {
  const D d;
  alignas(64) hn::TFromD<D> angles[kLanes<D>], results[kLanes<D>];
  hn::Store(x.raw, d, angles);
  hn::Store(y.raw, d, results);
  for (std::size_t i = 0; i < kLanes<D>; ++i) {
    if (!(std::abs(angles[i]) <= kLargestAngle)) results[i] = f(angles[i]);
  }
  return {hn::Load(d, results)};
}

// x = n pi / 2 + angle + low, |angle| at most pi / 4 and a little; the low bits of `quarter` are n's.
template <class D> struct Reduced {
  Vec<D> angle, low;
  hn::Vec<UintTag<D>> quarter;
};

// In double pi / 2 is split into three parts whose products with n < 2^20 are exact, but for the last's
// (fdlibm's e_rem_pio2.c); the roundings of the differences are kept in `low`.
template <class D> AUTOGRAD_INLINE Reduced<D> reduced_double(Vec<D> x) {
  using C = MathConstants<double>;
  const Vec<D> shifted = mul_add(x, Vec<D>::of(C::kTwoOverPi), C::kMagic);
  const Vec<D> n = shifted - C::kMagic;
  const Vec<D> first = x - n * C::kHalfPi1, product = n * C::kHalfPi2;
  const Vec<D> second = first - product;
  const Vec<D> rest = n * C::kHalfPi3 - ((first - second) - product);
  const Vec<D> angle = second - rest;
  return {angle, (second - angle) - rest, hn::BitCast(UintTag<D>(), shifted.raw)};
}

// The same for half a vector of float, worked on in double, where two parts are enough.
template <class H> struct ReducedHalf {
  hn::Vec<H> angle, low, n;

  explicit AUTOGRAD_INLINE ReducedHalf(hn::Vec<H> half) {
    using C = MathConstants<double>;
    const H h;
    const hn::Rebind<double, H> d;
    using Wide = Vec<hn::Rebind<double, H>>;
    const Wide x = {PromoteTo(d, half)};
    const Wide turns = mul_add(x, Wide::of(C::kTwoOverPi), C::kMagic) - C::kMagic;
    const Wide r = (x - turns * C::kHalfPi1) - turns * C::kHalfPi2Rounded;
    angle = DemoteTo(h, r.raw);
    low = DemoteTo(h, (r - Wide{PromoteTo(d, angle)}).raw);
    n = DemoteTo(h, turns.raw);
  }
};

template <class D> AUTOGRAD_INLINE Reduced<D> reduced_float(Vec<D> x) {
  const D d;
  Vec<D> angle, low, n;
  if constexpr (kLanes<D> == 1) {
    const ReducedHalf<D> one(x.raw);
    angle.raw = one.angle;
    low.raw = one.low;
    n.raw = one.n;
  } else {
    using Half = hn::Half<D>;
    const ReducedHalf<Half> first(LowerHalf(Half(), x.raw)), second(UpperHalf(Half(), x.raw));
    angle.raw = Combine(d, second.angle, first.angle);
    low.raw = Combine(d, second.low, first.low);
    n.raw = Combine(d, second.n, first.n);
  }
  return {angle, low, hn::BitCast(UintTag<D>(), (n + Constants<D>::kMagic).raw)};
}

template <class D> AUTOGRAD_INLINE Reduced<D> reduced_angle(Vec<D> x) {
  if constexpr (sizeof(hn::TFromD<D>) == 4) {
    return reduced_float(x);
  } else {
    return reduced_double(x);
  }
}

// What a float loses below its angle matters to the tangent alone: the others leave it out.
template <class D> AUTOGRAD_INLINE Vec<D> reduced_sin(const Reduced<D>& x, Vec<D> square) {
  const Vec<D> sum = square * x.angle * polynomial(square, Constants<D>::kSin);
  if constexpr (sizeof(hn::TFromD<D>) == 4) return x.angle + sum;
  return x.angle + (sum + (x.low - 0.5 * square * x.low));
}
template <class D> AUTOGRAD_INLINE Vec<D> reduced_cos(const Reduced<D>& x, Vec<D> square) {
  const Vec<D> half = 0.5 * square, one = 1.0 - half;
  const Vec<D> sum = square * square * polynomial(square, Constants<D>::kCos);
  if constexpr (sizeof(hn::TFromD<D>) == 4) return one + (((1.0 - one) - half) + sum);
  return one + (((1.0 - one) - half) + (sum - x.angle * x.low));
}

// True where n is odd: sine and cosine change places.
template <class D> AUTOGRAD_INLINE Mask<D> odd_quarter(const Reduced<D>& x) {
  const UintTag<D> du;
  return {RebindMask(D(), hn::TestBit(x.quarter, hn::Set(du, 1)))};
}
// y, negated where n + shift has bit 1.
template <class D>
AUTOGRAD_INLINE Vec<D> turned(Vec<D> y, const Reduced<D>& x, hn::TFromD<UintTag<D>> shift) {
  const UintTag<D> du;
  constexpr int kToSign = sizeof(hn::TFromD<D>) * 8 - 2;
  const auto bit = hn::And(hn::Add(x.quarter, hn::Set(du, shift)), hn::Set(du, 2));
  const auto sign = hn::ShiftLeft<kToSign>(bit);
  return {hn::BitCast(D(), hn::Xor(hn::BitCast(du, y.raw), sign))};
}

template <class D> AUTOGRAD_OUTLINE Vec<D> sin(Vec<D> x) {
  const Reduced<D> r = reduced_angle(x);
  const Vec<D> square = r.angle * r.angle;
  const Vec<D> y = where(odd_quarter(r), reduced_cos(r, square), reduced_sin(r, square));
  const Vec<D> result = where(x == 0.0, x, turned(y, r, 0));
  if (all_true(abs(x) <= kLargestAngle)) [[likely]]
    return result;
  return large_angles(x, result, [](hn::TFromD<D> a) { return std::sin(a); });
}
template <class D> AUTOGRAD_OUTLINE Vec<D> cos(Vec<D> x) {
  const Reduced<D> r = reduced_angle(x);
  const Vec<D> square = r.angle * r.angle;
  const Vec<D> y = where(odd_quarter(r), reduced_sin(r, square), reduced_cos(r, square));
  const Vec<D> result = turned(y, r, 1);
  if (all_true(abs(x) <= kLargestAngle)) [[likely]]
    return result;
  return large_angles(x, result, [](hn::TFromD<D> a) { return std::cos(a); });
}

// An odd polynomial, turned into -1 / t in every other quarter.
template <class D> AUTOGRAD_OUTLINE Vec<D> tan(Vec<D> x) {
  const Reduced<D> r = reduced_angle(x);
  const Vec<D> square = r.angle * r.angle;
  const Vec<D> sum = r.angle * square * polynomial(square, Constants<D>::kTan);
  const Vec<D> t = r.angle + (sum + mul_add(r.low, square, r.low));
  const Vec<D> y = where(odd_quarter(r), -1.0 / t, t);
  const Vec<D> result = where(x == 0.0, x, y);
  if (all_true(abs(x) <= kLargestAngle)) [[likely]]
    return result;
  return large_angles(x, result, [](hn::TFromD<D> a) { return std::tan(a); });
}

// --- Their inverses.

// Up to 1/2 the series itself; beyond it arcsin x = pi / 2 - 2 arcsin sqrt((1 - x) / 2), the root as
// the sum of a short number and a correction, so that its rounding does not count twice (e_asin.c).
template <class D> struct ArcSine {
  Mask<D> beyond;
  Vec<D> size, series, root, short_root, correction;  // of |x|; the last three of sqrt((1 - x) / 2)

  explicit AUTOGRAD_INLINE ArcSine(Vec<D> x) : beyond(abs(x) > 0.5), size(abs(x)) {
    const Vec<D> z = where(beyond, 0.5 * (1.0 - size), size * size);
    series = z * polynomial(z, Constants<D>::kAsin);
    root = sqrt(z);
    short_root = upper_digits(root);
    correction = where(z == 0.0, z, (z - short_root * short_root) / (root + short_root));
  }
};

template <class D> AUTOGRAD_OUTLINE Vec<D> asin(Vec<D> x) {
  using C = Constants<D>;
  const ArcSine<D> s(x);
  const Vec<D> low = 2.0 * s.root * s.series - (C::kHalfPiLow - 2.0 * s.correction);
  const Vec<D> far = 0.5 * C::kHalfPi - (low - (0.5 * C::kHalfPi - 2.0 * s.short_root));
  const Vec<D> near = mul_add(s.size, s.series, s.size);
  return copy_sign(where(s.beyond, far, near), x);
}
template <class D> AUTOGRAD_OUTLINE Vec<D> acos(Vec<D> x) {
  using C = Constants<D>;
  const ArcSine<D> s(x);
  const Vec<D> near = C::kHalfPi - (x - (C::kHalfPiLow - x * s.series));
  const Vec<D> above = 2.0 * (s.short_root + (s.root * s.series + s.correction));
  const Vec<D> below = 2.0 * C::kHalfPi - 2.0 * (s.root + (s.root * s.series - C::kHalfPiLow));
  return where(s.beyond, where(x < 0.0, below, above), near);
}

// arctan(a / b) of numbers >= 0: the quotient itself up to tan(pi / 8), from pi / 4 up to its
// inverse, from pi / 2 beyond.
template <class D> AUTOGRAD_INLINE Vec<D> arc_tangent(Vec<D> a, Vec<D> b) {
  using C = Constants<D>;
  constexpr double kLow = 0.41421356237309504880, kHigh = 2.41421356237309504880;
  const Mask<D> small = a <= kLow * b, large = a >= kHigh * b;
  const Vec<D> above = where(small, a, where(large, -b, a - b));
  const Vec<D> below = where(small, b, where(large, a, a + b));
  const Vec<D> zero = Vec<D>::of(0);
  const Vec<D> high =
      where(small, zero, where(large, Vec<D>::of(C::kHalfPi), Vec<D>::of(0.5 * C::kHalfPi)));
  const Vec<D> low =
      where(small, zero, where(large, Vec<D>::of(C::kHalfPiLow), Vec<D>::of(0.5 * C::kHalfPiLow)));
  const Vec<D> t = above / below, square = t * t;
  return high + (t + (low + t * square * polynomial(square, C::kAtan)));
}
template <class D> AUTOGRAD_OUTLINE Vec<D> atan(Vec<D> x) {
  return copy_sign(arc_tangent(abs(x), Vec<D>::of(1)), x);
}

// --- Of two numbers.

// sqrt(a^2 + b^2) = root back, of a and b scaled by a power of two where squares could overflow or lose
// digits below the normal numbers.
template <class D> struct Hypotenuse {
  Vec<D> scale, back, root;

  AUTOGRAD_INLINE Hypotenuse(Vec<D> a, Vec<D> b) {
    using C = Constants<D>;
    const Vec<D> m = max(abs(a), abs(b)), one = Vec<D>::of(1);
    const Mask<D> large = m > C::kLargeSquare, small = m < 1 / C::kLargeSquare;
    const Vec<D> up = Vec<D>::of(C::kSquareScale), down = Vec<D>::of(1 / C::kSquareScale);
    scale = where(large, down, where(small, up, one));
    back = where(large, up, where(small, down, one));
    const Vec<D> p = a * scale, q = b * scale;
    const Mask<D> infinite = abs(a) == infinity(D()) || abs(b) == infinity(D());
    root = where(infinite, infinity(D()), sqrt(mul_add(p, p, q * q)));
  }
};
template <class D> AUTOGRAD_OUTLINE Vec<D> hypot(Vec<D> a, Vec<D> b) {
  const Hypotenuse<D> h(a, b);
  return h.root * h.back;
}
/// a / h where h = hypot(a, b): 0 where that is 0, and the sign of a where a is infinite.
template <class D> AUTOGRAD_INLINE Vec<D> direction_of(Vec<D> a, Vec<D> h) {
  return where(abs(a) == h, sign(a), a / h);
}
/// a / hypot(a, b).
template <class D> AUTOGRAD_OUTLINE Vec<D> direction(Vec<D> a, Vec<D> b) {
  const Hypotenuse<D> h(a, b);
  // Scaled before the division or after it, whichever keeps the digits of a small a.
  const Vec<D> one = Vec<D>::of(1), up = max(h.scale, one), down = min(h.scale, one);
  return where(abs(a) * h.scale == h.root, sign(a), (a * up / h.root) * down);
}

template <class D> AUTOGRAD_OUTLINE Vec<D> atan2(Vec<D> a, Vec<D> b) {
  using C = Constants<D>;
  const Vec<D> p = abs(a), q = abs(b), m = max(p, q), one = Vec<D>::of(1);
  const Mask<D> infinite = p == infinity(D()) && q == infinity(D());
  // p + q is finite, and no product is subnormal that matters.
  const Vec<D> scale = where(m > C::kLargeSquare, Vec<D>::of(0.25),
                             where(m < 1 / C::kLargeSquare, Vec<D>::of(C::kSquareScale), one));
  const Vec<D> above = where(infinite, one, p * scale);
  const Vec<D> below = where(infinite || m == 0.0, one, q * scale);
  const Vec<D> r = arc_tangent(above, below);
  const Vec<D> opposite = 2.0 * C::kHalfPi - (r - 2.0 * C::kHalfPiLow);
  return copy_sign(where(copy_sign(one, b) < 0.0, opposite, r), a);
}

// --- Hyperbolic functions.

// e^x / 2 for x >= 0, without overflow where the half is finite.
template <class D> AUTOGRAD_INLINE Vec<D> half_exp(Vec<D> x) {
  using C = Constants<D>;
  Vec<D> k;
  const Vec<D> p = reduced_expm1(clamp_keeping_nan(x, 0.0, C::kExpHigh + 1), k) + 1.0;
  const Vec<D> half = mul_add(k, Vec<D>::of(0.5), C::kMagic);
  const Vec<D> rest = (k - (half - C::kMagic)) + (C::kMagic - 1.0);
  return p * power_of_two(half) * power_of_two(rest);
}
template <class D> AUTOGRAD_OUTLINE Vec<D> sinh(Vec<D> x) {
  const Vec<D> a = abs(x), square = a * a, half = half_exp(a);
  const Vec<D> near = mul_add(a * square, polynomial(square, Constants<D>::kSinh), a);
  return copy_sign(where(a < 1.0, near, half - 0.25 / half), x);
}
template <class D> AUTOGRAD_OUTLINE Vec<D> cosh(Vec<D> x) {
  const Vec<D> half = half_exp(abs(x));
  return half + 0.25 / half;
}

// --- Base 2 and 10.

template <class D> AUTOGRAD_OUTLINE Vec<D> exp2(Vec<D> x) {
  using C = Constants<D>;
  const Vec<D> bounded = clamp_keeping_nan(x, C::kExp2Low, C::kExp2High);
  const Vec<D> k = (bounded + C::kMagic) - C::kMagic;
  const Vec<D> r = (bounded - k) * std::numbers::ln2;
  const Vec<D> p = mul_add(r * r, polynomial(r, C::kExpm1), r) + 1.0;
  return scaled_by_power(p, k);
}

// log(x) = k ln 2 + high + low; the product of high and a short 1 / ln(base) is exact, and so is that of
// k and a short log(2) (after FreeBSD's e_log2.c and e_log10.c).
template <class D>
AUTOGRAD_INLINE Vec<D> log_to_base(Vec<D> x, double factor, double rest, double log2,
                                   double log2_rest) {
  const LogParts<D> l = log_parts(x);
  const Vec<D> high = upper_digits(l.f - l.half_square);
  const Vec<D> low = ((l.f - high) - l.half_square) + l.s * l.tail;
  const Vec<D> a = l.k * log2, b = high * factor, sum = a + b;
  const Vec<D> lost = (a - sum) + b;  // exact for |a| >= |b|; a is 0 otherwise
  return special_logs(x, sum + (l.k * log2_rest + ((low + high) * rest + low * factor) + lost));
}
template <class D> AUTOGRAD_OUTLINE Vec<D> log2(Vec<D> x) {
  using C = Constants<D>;
  return log_to_base(x, C::kLog2EShort, C::kLog2ERest, 1, 0);
}
template <class D> AUTOGRAD_OUTLINE Vec<D> log10(Vec<D> x) {
  using C = Constants<D>;
  return log_to_base(x, C::kLog10EShort, C::kLog10ERest, C::kLog10Of2Short, C::kLog10Of2Rest);
}

}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
