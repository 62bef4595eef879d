// SPDX-License-Identifier: Apache-2.0
// The loops of arrays.hpp, once per instruction set: plain ones, which the compiler turns into vectors.
#if defined(AUTOGRAD_ARRAYS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef AUTOGRAD_ARRAYS_INL
#undef AUTOGRAD_ARRAYS_INL
#else
#define AUTOGRAD_ARRAYS_INL
#endif

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "arrays.hpp"
#include "simd-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace autograd::kernels::HWY_NAMESPACE {

template <class T> void fill_loop(T* y, T value, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) y[i] = value;
}

template <Comparison kKind, class T> AUTOGRAD_INLINE bool holds(T a, T b) {
  if constexpr (kKind == Comparison::equal) return a == b;
  if constexpr (kKind == Comparison::not_equal) return a != b;
  if constexpr (kKind == Comparison::less) return a < b;
  if constexpr (kKind == Comparison::less_equal) return a <= b;
}

template <Comparison kKind, class T>
void compare_loop(const T* a, int sa, const T* b, int sb, bool* y, std::size_t n) {
  if (sa != 0 && sb != 0) {
    for (std::size_t i = 0; i < n; ++i) y[i] = holds<kKind>(a[i], b[i]);
  } else if (sa != 0) {
    const T q = n > 0 ? *b : T();
    for (std::size_t i = 0; i < n; ++i) y[i] = holds<kKind>(a[i], q);
  } else {
    const T p = n > 0 ? *a : T();
    for (std::size_t i = 0; i < n; ++i) y[i] = holds<kKind>(p, b[sb != 0 ? i : 0]);
  }
}

// a > b is b < a.
template <class T>
void compare_any(Comparison kind, const T* a, int sa, const T* b, int sb, bool* y, std::size_t n) {
  switch (kind) {
    case Comparison::equal: return compare_loop<Comparison::equal>(a, sa, b, sb, y, n);
    case Comparison::not_equal: return compare_loop<Comparison::not_equal>(a, sa, b, sb, y, n);
    case Comparison::less: return compare_loop<Comparison::less>(a, sa, b, sb, y, n);
    case Comparison::less_equal: return compare_loop<Comparison::less_equal>(a, sa, b, sb, y, n);
    case Comparison::greater: return compare_loop<Comparison::less>(b, sb, a, sa, y, n);
    case Comparison::greater_equal: return compare_loop<Comparison::less_equal>(b, sb, a, sa, y, n);
  }
}

template <class T>
void select_plain(const bool* c, int sc, const T* a, int sa, const T* b, int sb, T* y,
                  std::size_t n) {
  const std::size_t tc = sc != 0, ta = sa != 0, tb = sb != 0;
  for (std::size_t i = 0; i < n; ++i) {
    const T p = a[i * ta], q = b[i * tb];  // both read, so that the choice needs no branch
    y[i] = c[i * tc] ? p : q;
  }
}

// Lanes of T's width whose condition is false.
template <class T> AUTOGRAD_INLINE auto load_false(const bool* c) {
  const Tag<T> d;
  const hn::RebindToUnsigned<Tag<T>> wide;
  const hn::Rebind<std::uint8_t, Tag<T>> bytes;
  auto truth = PromoteTo(hn::Rebind<std::uint32_t, Tag<T>>(),
                         hn::LoadU(bytes, reinterpret_cast<const std::uint8_t*>(c)));
  if constexpr (sizeof(T) == 8) {
    return RebindMask(d, hn::Eq(PromoteTo(wide, truth), hn::Zero(wide)));
  } else {
    return RebindMask(d, hn::Eq(truth, hn::Zero(wide)));
  }
}

// By vectors, because the compiler makes a branch of every element.
template <class T>
void select_loop(const bool* c, int sc, const T* a, int sa, const T* b, int sb, T* y,
                 std::size_t n) {
  constexpr std::size_t kStep = kLanes<Tag<T>>;
  std::size_t i = 0;
  if constexpr (!std::is_same_v<T, bool> && kStep != 1) {
    const Tag<T> d;
    const std::size_t end = sc != 0 ? n - n % kStep : 0;
    if (end > 0) {
      const auto first_a = hn::Set(d, *a), first_b = hn::Set(d, *b);
      for (; i < end; i += kStep) {
        const auto p = sa != 0 ? hn::LoadU(d, a + i) : first_a;
        const auto q = sb != 0 ? hn::LoadU(d, b + i) : first_b;
        hn::StoreU(hn::IfThenElse(load_false<T>(c + i), q, p), d, y + i);
      }
    }
  }
  if (i == n) return;
  select_plain(c + (sc != 0 ? i : 0), sc, a + (sa != 0 ? i : 0), sa, b + (sb != 0 ? i : 0), sb,
               y + i, n - i);
}

template <class To, class From> AUTOGRAD_INLINE To converted(From x) {
  if constexpr (std::is_same_v<To, bool>) {
    return x != From(0);
  } else if constexpr (std::is_same_v<To, std::int64_t> && std::is_floating_point_v<From>) {
    constexpr From kEnd = From(9223372036854775808.0);  // 2^63, the first value too large
    using Limits = std::numeric_limits<std::int64_t>;
    if (!(x < kEnd)) return x == x ? Limits::max() : 0;
    return x < -kEnd ? Limits::min() : static_cast<std::int64_t>(x);
  } else {
    return static_cast<To>(x);
  }
}

template <class To, class From> void convert_loop(const From* x, To* y, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) y[i] = converted<To>(x[i]);
}

}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
