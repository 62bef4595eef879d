// SPDX-License-Identifier: Apache-2.0
// a^e of arrays for one exponent e that needs no logarithm: a few products, one division, one root.
// std::pow for one element after the other takes fifty times as long. Special values are those of
// std::pow.
#if defined(AUTOGRAD_POWER_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef AUTOGRAD_POWER_INL
#undef AUTOGRAD_POWER_INL
#else
#define AUTOGRAD_POWER_INL
#endif

#include <cstddef>
#include <cstring>
#include <limits>

#include "constant_power.hpp"
#include "vector_math-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace autograd::kernels::HWY_NAMESPACE {

template <class T, class F>
AUTOGRAD_INLINE void for_vectors(const T* a, T* y, std::size_t n, const F& f) {
  const Tag<T> d;
  for (std::size_t i = 0; i < n; i += kLanes<Tag<T>>) {
    store(f(load(d, a + i)), y + i);
    // No vectors out of single lanes, in loops three times as long: the other targets have vectors.
    if constexpr (kLanes<Tag<T>> == 1) asm volatile("" ::: "memory");
  }
}

// A PowerBlock. 1 / a comes before its powers: a^2 may overflow or be subnormal where a^-2 is
// neither. The root of -0 and of -inf is that of their size, as std::pow has it, and so is the base
// beside a root.
template <class T> void power_block(const ConstantPower& p, const T* a, T* y, std::size_t n) {
  using V = Vec<Tag<T>>;
  const auto invert = [&] {
    for_vectors(a, y, n, [](V x) AUTOGRAD_ALWAYS_INLINE { return 1.0 / x; });
    a = y;
  };
  const auto root = [](V x) AUTOGRAD_ALWAYS_INLINE { return sqrt(where(x + x == x, abs(x), x)); };
  if (p.inverse && p.root && p.whole > 0) {
    // 1 / a of a negative subnormal number is -inf, of which the sign would not be looked at.
    return for_vectors(a, y, n, [root](V x) AUTOGRAD_ALWAYS_INLINE {
      const V inverse = 1.0 / x;
      const auto undefined = x < 0.0 && x + x != x;
      return where(undefined, V::of(std::numeric_limits<double>::quiet_NaN()),
                   root(inverse) * abs(inverse));
    });
  }
  if (p.inverse && p.whole > 0) invert();
  if (p.root && p.whole == 0) {
    for_vectors(a, y, n, root);
    a = y;
    if (p.inverse) invert();
  } else if (p.root) {
    for_vectors(a, y, n, [root](V x) AUTOGRAD_ALWAYS_INLINE { return root(x) * abs(x); });
  } else if (p.whole == 0) {
    for_vectors(a, y, n, [](V) AUTOGRAD_ALWAYS_INLINE { return V::of(1); });
  } else if (p.whole == 1) {
    if (a != y) std::memcpy(y, a, n * sizeof(T));
  } else if (p.whole == 2) {
    for_vectors(a, y, n, [](V x) AUTOGRAD_ALWAYS_INLINE { return x * x; });
  } else if (p.whole == 3) {
    for_vectors(a, y, n, [](V x) AUTOGRAD_ALWAYS_INLINE { return x * x * x; });
  } else {
    for_vectors(a, y, n, [](V x) AUTOGRAD_ALWAYS_INLINE { return (x * x) * (x * x); });
  }
}

}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
