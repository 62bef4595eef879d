// SPDX-License-Identifier: Apache-2.0
// The mathematical vocabulary of the rows for Vec<D>, right at every special value (NaN,
// infinities, signed zeros, subnormals, overflow). exp, log and tanh stay within 2 ulp, expm1,
// log1p, sigmoid and softplus within 4; measured by tests/kernels/vector_math_test.cpp. All others
// are in lane_math-inl.hpp and trigonometry-inl.hpp. Polynomials are minimax fits over the reduced
// range; no step relies on fused multiply-add.
#if defined(AUTOGRAD_VECTOR_MATH_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef AUTOGRAD_VECTOR_MATH_INL
#undef AUTOGRAD_VECTOR_MATH_INL
#else
#define AUTOGRAD_VECTOR_MATH_INL
#endif

#include <cmath>
#include <limits>

#include "math_constants.hpp"
#include "simd-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace autograd::kernels::HWY_NAMESPACE {

template <class D> using Constants = MathConstants<hn::TFromD<D>>;
template <class D> using IntTag = hn::RebindToSigned<D>;

template <class D> AUTOGRAD_INLINE Vec<D> abs(Vec<D> x) { return {hn::Abs(x.raw)}; }
template <class D> AUTOGRAD_INLINE Vec<D> sqrt(Vec<D> x) { return {hn::Sqrt(x.raw)}; }
/// NaN when either is NaN, as in scalar_math.hpp.
template <class D> AUTOGRAD_INLINE Vec<D> max(Vec<D> a, Vec<D> b) {
  return where(a > b || a != a, a, b);
}
template <class D> AUTOGRAD_INLINE Vec<D> min(Vec<D> a, Vec<D> b) {
  return where(a < b || a != a, a, b);
}
template <class D> AUTOGRAD_INLINE Vec<D> pick(Mask<D> condition, Vec<D>, double yes, double no) {
  return where(condition, Vec<D>::of(yes), Vec<D>::of(no));
}
template <class D> AUTOGRAD_INLINE Vec<D> sign(Vec<D> x) {
  return where(x > 0.0, Vec<D>::of(1), where(x < 0.0, Vec<D>::of(-1), x - x));
}
template <class D> AUTOGRAD_INLINE Vec<D> copy_sign(Vec<D> magnitude, Vec<D> sign) {
  return {hn::CopySign(magnitude.raw, sign.raw)};
}
template <class D> AUTOGRAD_INLINE Vec<D> infinity(D d) {
  return {hn::Set(d, std::numeric_limits<hn::TFromD<D>>::infinity())};
}

// c[0] + c[1] x + c[2] x^2 + ...: even and odd powers as two chains, half the latency of one.
template <class D, class T, std::size_t N>
AUTOGRAD_INLINE Vec<D> polynomial(Vec<D> x, const T (&c)[N]) {
  constexpr std::size_t kEven = (N - 1) / 2 * 2, kOdd = N / 2 * 2 - 1;
  const Vec<D> x2 = x * x;
  Vec<D> even = Vec<D>::of(c[kEven]), odd = Vec<D>::of(c[kOdd]);
  HWY_UNROLL(16)
  for (std::size_t i = kEven; i >= 2; i -= 2) even = mul_add(even, x2, c[i - 2]);
  HWY_UNROLL(16)
  for (std::size_t i = kOdd; i >= 3; i -= 2) odd = mul_add(odd, x2, c[i - 2]);
  return mul_add(odd, x, even);
}

// Adding kMagic (1.5 2^mantissa) rounds to an integer and leaves it in the low bits of the sum.
template <class D> AUTOGRAD_INLINE Vec<D> power_of_two(Vec<D> integer_plus_magic) {
  const IntTag<D> di;
  const auto biased =
      hn::Add(hn::BitCast(di, integer_plus_magic.raw), hn::Set(di, Constants<D>::kExponentBias));
  return {hn::BitCast(D(), hn::ShiftLeft<Constants<D>::kMantissaBits>(biased))};
}

// x = k ln 2 + r with |r| <= ln(2) / 2; returns e^r - 1.
template <class D> AUTOGRAD_INLINE Vec<D> reduced_expm1(Vec<D> x, Vec<D>& k) {
  using C = Constants<D>;
  k = mul_add(x, Vec<D>::of(C::kLog2E), C::kMagic) - C::kMagic;
  const Vec<D> high = mul_add(k, Vec<D>::of(-C::kLn2High), x);  // exact: kLn2High has few bits
  const Vec<D> r = mul_add(k, Vec<D>::of(-C::kLn2Low), high);
  return mul_add(r * r, polynomial(r, C::kExpm1), r);
}

// The instructions of x86 give their second operand where either is NaN, or both are zero.
inline constexpr bool kSecondForNan =
    HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128;
template <class D> AUTOGRAD_INLINE Vec<D> at_least(Vec<D> x, double low) {
  if constexpr (kSecondForNan) return {hn::Max(Vec<D>::of(low).raw, x.raw)};
  return where(x < low, Vec<D>::of(low), x);
}
template <class D> AUTOGRAD_INLINE Vec<D> at_most(Vec<D> x, double high) {
  if constexpr (kSecondForNan) return {hn::Min(Vec<D>::of(high).raw, x.raw)};
  return where(x > high, Vec<D>::of(high), x);
}
template <class D> AUTOGRAD_INLINE Vec<D> clamp_keeping_nan(Vec<D> x, double low, double high) {
  return at_least(at_most(x, high), low);
}

// 2^k, in two factors, because k may exceed the exponents of normal numbers on either side.
template <class D> struct TwoPowers { Vec<D> a, b; };
template <class D> AUTOGRAD_INLINE TwoPowers<D> powers_of_two(Vec<D> k) {
  using C = Constants<D>;
  const Vec<D> half = mul_add(k, Vec<D>::of(0.5), C::kMagic);
  const Vec<D> rest = (k - (half - C::kMagic)) + C::kMagic;
  return {power_of_two(half), power_of_two(rest)};
}
template <class D> AUTOGRAD_INLINE Vec<D> scaled_by_power(Vec<D> p, Vec<D> k) {
  const TwoPowers<D> s = powers_of_two(k);
  return p * s.a * s.b;
}

template <class D> AUTOGRAD_INLINE Vec<D> exp(Vec<D> x) {
  using C = Constants<D>;
  Vec<D> k;
  const Vec<D> p = reduced_expm1(clamp_keeping_nan(x, C::kExpLow, C::kExpHigh), k) + 1.0;
  return scaled_by_power(p, k);
}

// The same for x <= 0 in three quarters of the time from x to the result, which is what a chain of small
// operations waits for: one bound, and 2^k as one number, subnormal at the end.
template <class D> AUTOGRAD_INLINE Vec<D> exp_of_negative(Vec<D> x) {
  using C = Constants<D>;
  Vec<D> k;
  const Vec<D> p = reduced_expm1(at_least(x, C::kExpLow), k);
  const TwoPowers<D> halves = powers_of_two(k);
  const Vec<D> s = halves.a * halves.b;
  return mul_add(p, s, s);
}

template <class D> AUTOGRAD_INLINE Vec<D> expm1(Vec<D> x) {
  using C = Constants<D>;
  Vec<D> k;
  const Vec<D> p = reduced_expm1(clamp_keeping_nan(x, -50.0, C::kExpHigh), k);
  // 2^k p + 2^k - 1 over half the scale, so that 2^k does not overflow where the result does not.
  const Vec<D> s = power_of_two(k + (C::kMagic - 1.0));
  const Vec<D> scaled = mul_add(s, p, s - 0.5);
  return copy_sign(where(k == 0.0, p, scaled + scaled), x);
}

// log(x) = k ln 2 + log(1 + f), 1 + f in [sqrt(1/2), sqrt(2)), and log(1 + f) = f - half_square +
// s tail; after fdlibm's e_log.c. For finite x > 0.
template <class D> struct LogParts { Vec<D> k, f, half_square, s, tail; };
template <class D> AUTOGRAD_INLINE LogParts<D> log_parts(Vec<D> x) {
  using C = Constants<D>;
  using T = hn::TFromD<D>;
  const D d;
  const hn::RebindToUnsigned<D> du;
  const Mask<D> subnormal = x < static_cast<double>(std::numeric_limits<T>::min());
  const Vec<D> normal = where(subnormal, x * C::kSubnormalScale, x);
  // Relative to sqrt(1/2), whole steps of the exponent field; the bias keeps them positive.
  const auto bits = hn::BitCast(du, normal.raw);
  const auto base = hn::BitCast(du, hn::Set(d, static_cast<T>(C::kSqrtHalf)));
  const auto bias = hn::Set(du, C::kExponentBias);
  const auto steps = hn::ShiftRight<C::kMantissaBits>(
      hn::Add(hn::Sub(bits, base), hn::ShiftLeft<C::kMantissaBits>(bias)));
  const auto shift = hn::ShiftLeft<C::kMantissaBits>(hn::Sub(steps, bias));
  const Vec<D> m = {hn::BitCast(d, hn::Sub(bits, shift))};
  const auto magic = hn::BitCast(du, hn::Set(d, static_cast<T>(C::kMagic)));
  const Vec<D> exponent = {hn::BitCast(d, hn::Add(steps, magic))};
  const Vec<D> offset =
      where(subnormal, Vec<D>::of(C::kMagic + C::kExponentBias + C::kSubnormalBits),
            Vec<D>::of(C::kMagic + C::kExponentBias));
  const Vec<D> k = exponent - offset;

  const Vec<D> f = m - 1.0;
  const Vec<D> s = f / (f + 2.0);
  const Vec<D> s2 = s * s;
  const Vec<D> half_square = 0.5 * f * f;
  const Vec<D> tail = s2 * polynomial(s2, C::kLog) + half_square;
  return {k, f, half_square, s, tail};
}

// y where it is the logarithm of x: not at 0, infinity, NaN and below 0.
template <class D> AUTOGRAD_INLINE Vec<D> special_logs(Vec<D> x, Vec<D> y) {
  y = where(x == infinity(D()), x, y);
  y = where(x == 0.0, -infinity(D()), y);
  return where(x >= 0.0, y, Vec<D>::of(std::numeric_limits<double>::quiet_NaN()));
}

template <class D> AUTOGRAD_INLINE Vec<D> log(Vec<D> x) {
  using C = Constants<D>;
  const LogParts<D> l = log_parts(x);
  const Vec<D> low = mul_add(l.s, l.tail, l.k * C::kLn2Low);
  return special_logs(x, mul_add(l.k, Vec<D>::of(C::kLn2High), l.f - (l.half_square - low)));
}

// With u = 1 + x rounded, log(1 + x) = log(u) + (what the rounding lost) / u.
template <class D> AUTOGRAD_INLINE Vec<D> log1p(Vec<D> x) {
  const Vec<D> u = 1.0 + x;
  const Vec<D> lost = where(x > 1.0, 1.0 - (u - x), x - (u - 1.0));
  const Mask<D> finite = u > 0.0 && u < infinity(D());
  return copy_sign(log(u) + where(finite, lost / u, Vec<D>::of(0.0)), x);
}

// Below 0.625 an odd polynomial, beyond it 1 - 2 / (e^2|x| + 1), which loses nothing there.
template <class D> AUTOGRAD_INLINE Vec<D> tanh(Vec<D> x) {
  using C = Constants<D>;
  const Vec<D> a = clamp_keeping_nan(abs(x), 0.0, C::kTanhOne);
  const Vec<D> a2 = a * a;
  const Vec<D> near = mul_add(a * a2, polynomial(a2, C::kTanh), a);
  Vec<D> k;
  const Vec<D> p = reduced_expm1(a + a, k);
  const Vec<D> s = power_of_two(k + C::kMagic);
  const Vec<D> far = 1.0 - 2.0 / (mul_add(p, s, s) + 1.0);
  return copy_sign(where(a < 0.625, near, far), x);
}

/// 1 / (1 + e^-x), to full relative accuracy in the lower tail too.
template <class D> AUTOGRAD_INLINE Vec<D> sigmoid(Vec<D> x) {
  const Vec<D> e = exp_of_negative(-abs(x));
  return where(x < 0.0, e, Vec<D>::of(1.0)) / (1.0 + e);
}
template <class D> AUTOGRAD_INLINE Vec<D> softplus(Vec<D> x) {
  return where(x <= 0.0, Vec<D>::of(0.0), x) + log1p(exp_of_negative(-abs(x)));
}

}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
