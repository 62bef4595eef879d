// SPDX-License-Identifier: Apache-2.0
// Vec<D> and Mask<D>: one Highway vector with the operators of a number, so that the rows of
// ops/elementwise.hpp compile for it unchanged. Included once per instruction set.
// Loads and stores of less than a vector touch nothing beyond the given count. Counts that are a
// power of two use a plain access of that size: a masked store cannot forward to the next load,
// which stalls chains of operations on tiny tensors.
#if defined(AUTOGRAD_SIMD_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef AUTOGRAD_SIMD_INL
#undef AUTOGRAD_SIMD_INL
#else
#define AUTOGRAD_SIMD_INL
#endif

#include <hwy/highway.h>

#include <cstddef>

#include "../inline.hpp"

HWY_BEFORE_NAMESPACE();
namespace autograd::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class T> using Tag = hn::ScalableTag<T>;  // the widest vector of the target
template <class D> inline constexpr std::size_t kLanes = hn::MaxLanes(D());
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
inline constexpr bool kHasMaskedAccess = true;
#else
inline constexpr bool kHasMaskedAccess = false;
#endif

/// A truth value per lane.
template <class D> struct Mask {
  hn::Mask<D> raw;
  friend AUTOGRAD_INLINE Mask operator||(Mask a, Mask b) { return {hn::Or(a.raw, b.raw)}; }
  friend AUTOGRAD_INLINE Mask operator&&(Mask a, Mask b) { return {hn::And(a.raw, b.raw)}; }
};

/// A number per lane.
template <class D> struct Vec {
  using T = hn::TFromD<D>;
  hn::Vec<D> raw;

  static AUTOGRAD_INLINE Vec of(double c) { return {hn::Set(D(), static_cast<T>(c))}; }

  friend AUTOGRAD_INLINE Vec operator-(Vec a) { return {hn::Neg(a.raw)}; }
  friend AUTOGRAD_INLINE Vec operator+(Vec a, Vec b) { return {hn::Add(a.raw, b.raw)}; }
  friend AUTOGRAD_INLINE Vec operator-(Vec a, Vec b) { return {hn::Sub(a.raw, b.raw)}; }
  friend AUTOGRAD_INLINE Vec operator*(Vec a, Vec b) { return {hn::Mul(a.raw, b.raw)}; }
  friend AUTOGRAD_INLINE Vec operator/(Vec a, Vec b) { return {hn::Div(a.raw, b.raw)}; }
  friend AUTOGRAD_INLINE Vec operator+(Vec a, double b) { return a + of(b); }
  friend AUTOGRAD_INLINE Vec operator-(Vec a, double b) { return a - of(b); }
  friend AUTOGRAD_INLINE Vec operator*(Vec a, double b) { return a * of(b); }
  friend AUTOGRAD_INLINE Vec operator/(Vec a, double b) { return a / of(b); }
  friend AUTOGRAD_INLINE Vec operator+(double a, Vec b) { return of(a) + b; }
  friend AUTOGRAD_INLINE Vec operator-(double a, Vec b) { return of(a) - b; }
  friend AUTOGRAD_INLINE Vec operator*(double a, Vec b) { return of(a) * b; }
  friend AUTOGRAD_INLINE Vec operator/(double a, Vec b) { return of(a) / b; }

  friend AUTOGRAD_INLINE Mask<D> operator==(Vec a, Vec b) { return {hn::Eq(a.raw, b.raw)}; }
  // Not hn::Ne, which Highway 1.0.3 makes false for NaN on AVX2 and AVX3.
  friend AUTOGRAD_INLINE Mask<D> operator!=(Vec a, Vec b) {
    return {hn::Not(hn::Eq(a.raw, b.raw))};
  }
  friend AUTOGRAD_INLINE Mask<D> operator<(Vec a, Vec b) { return {hn::Lt(a.raw, b.raw)}; }
  friend AUTOGRAD_INLINE Mask<D> operator<=(Vec a, Vec b) { return {hn::Le(a.raw, b.raw)}; }
  friend AUTOGRAD_INLINE Mask<D> operator>(Vec a, Vec b) { return {hn::Gt(a.raw, b.raw)}; }
  friend AUTOGRAD_INLINE Mask<D> operator>=(Vec a, Vec b) { return {hn::Ge(a.raw, b.raw)}; }
  friend AUTOGRAD_INLINE Mask<D> operator==(Vec a, double b) { return a == of(b); }
  friend AUTOGRAD_INLINE Mask<D> operator!=(Vec a, double b) { return a != of(b); }
  friend AUTOGRAD_INLINE Mask<D> operator<(Vec a, double b) { return a < of(b); }
  friend AUTOGRAD_INLINE Mask<D> operator<=(Vec a, double b) { return a <= of(b); }
  friend AUTOGRAD_INLINE Mask<D> operator>(Vec a, double b) { return a > of(b); }
  friend AUTOGRAD_INLINE Mask<D> operator>=(Vec a, double b) { return a >= of(b); }
};

template <class D> AUTOGRAD_INLINE Vec<D> where(Mask<D> c, Vec<D> a, Vec<D> b) {
  return {hn::IfThenElse(c.raw, a.raw, b.raw)};
}
template <class D> AUTOGRAD_INLINE Vec<D> constant(Vec<D>, double c) { return Vec<D>::of(c); }
/// a b + c, in one rounding where the target has it.
template <class D> AUTOGRAD_INLINE Vec<D> mul_add(Vec<D> a, Vec<D> b, Vec<D> c) {
  return {hn::MulAdd(a.raw, b.raw, c.raw)};
}
template <class D> AUTOGRAD_INLINE Vec<D> mul_add(Vec<D> a, Vec<D> b, double c) {
  return mul_add(a, b, Vec<D>::of(c));
}
template <class D> AUTOGRAD_INLINE bool all_true(Mask<D> m) { return hn::AllTrue(D(), m.raw); }

template <class D> AUTOGRAD_INLINE Vec<D> load(D d, const hn::TFromD<D>* p) {
  return {hn::LoadU(d, p)};
}
template <class D> AUTOGRAD_INLINE void store(Vec<D> v, hn::TFromD<D>* p) {
  hn::StoreU(v.raw, D(), p);
}

// Requires 0 < n < kLanes<D>. Calls without hn:: are to functions that the one-lane target lacks.
template <class D> AUTOGRAD_INLINE hn::Vec<D> load_raw(D d, const hn::TFromD<D>* p, std::size_t n) {
  if constexpr (kLanes<D> == 1) {
    return hn::LoadU(d, p);
  } else {
    const hn::Half<D> half;
    constexpr std::size_t kHalf = kLanes<hn::Half<D>>;
    if (n == kHalf) return ZeroExtendVector(d, hn::LoadU(half, p));
    if (n < kHalf) return ZeroExtendVector(d, load_raw(half, p, n));
    if constexpr (kHasMaskedAccess && sizeof(hn::TFromD<D>) * kLanes<D> >= 16) {
      return hn::MaskedLoad(hn::FirstN(d, n), d, p);
    } else {
      return Combine(d, load_raw(half, p + kHalf, n - kHalf), hn::LoadU(half, p));
    }
  }
}
template <class D>
AUTOGRAD_INLINE void store_raw(D d, hn::Vec<D> v, hn::TFromD<D>* p, std::size_t n) {
  if constexpr (kLanes<D> == 1) {
    hn::StoreU(v, d, p);
  } else {
    const hn::Half<D> half;
    constexpr std::size_t kHalf = kLanes<hn::Half<D>>;
    if (n == kHalf) return hn::StoreU(LowerHalf(half, v), half, p);
    if (n < kHalf) return store_raw(half, LowerHalf(half, v), p, n);
    if constexpr (kHasMaskedAccess && sizeof(hn::TFromD<D>) * kLanes<D> >= 16) {
      hn::BlendedStore(v, hn::FirstN(d, n), d, p);
    } else {
      hn::StoreU(LowerHalf(half, v), half, p);
      store_raw(half, UpperHalf(half, v), p + kHalf, n - kHalf);
    }
  }
}
/// The first n lanes (0 < n < kLanes<D>), zero elsewhere.
template <class D> AUTOGRAD_INLINE Vec<D> load_first(D d, const hn::TFromD<D>* p, std::size_t n) {
  return {load_raw(d, p, n)};
}
template <class D> AUTOGRAD_INLINE void store_first(Vec<D> v, hn::TFromD<D>* p, std::size_t n) {
  store_raw(D(), v.raw, p, n);
}

}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
