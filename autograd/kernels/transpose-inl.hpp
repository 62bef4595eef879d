// SPDX-License-Identifier: Apache-2.0
// Transposing copies in registers, one square of vectors at a time; once per instruction set.
#if defined(AUTOGRAD_TRANSPOSE_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef AUTOGRAD_TRANSPOSE_INL
#undef AUTOGRAD_TRANSPOSE_INL
#else
#define AUTOGRAD_TRANSPOSE_INL
#endif

#include <cstddef>

#include "simd-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace autograd::kernels::HWY_NAMESPACE {

// 128-bit pieces of rows 0, step, 2 step, ... side by side in one vector.
template <class D>
AUTOGRAD_INLINE hn::Vec<D> load_pieces(D d, const hn::TFromD<D>* p, std::size_t step) {
  if constexpr (sizeof(hn::TFromD<D>) * kLanes<D> <= 16) {
    return hn::LoadU(d, p);
  } else {
    const hn::Half<D> half;
    constexpr std::size_t kRows = kLanes<D> * sizeof(hn::TFromD<D>) / 32;  // pieces in a half
    return Combine(d, load_pieces(half, p + kRows * step, step), load_pieces(half, p, step));
  }
}

// to[j][i] = from[i][j] for i < L and the columns j < kStrip of a 128-bit piece. The pieces are
// gathered by the loads, so that only exchanges within 128 bits remain, which are cheap everywhere.
template <class T> inline constexpr std::size_t kStrip = kLanes<Tag<T>> == 1 ? 1 : 16 / sizeof(T);

template <class T>
AUTOGRAD_INLINE void transpose_strip(const T* from, std::size_t ld_from, T* to, std::size_t ld_to) {
  const Tag<T> d;
  [[maybe_unused]] const std::size_t step = kStrip<T> * ld_from;
  if constexpr (kStrip<T> == 1) {
    *to = *from;
  } else if constexpr (kStrip<T> == 2) {
    const auto r0 = load_pieces(d, from, step), r1 = load_pieces(d, from + ld_from, step);
    hn::StoreU(InterleaveLower(d, r0, r1), d, to);
    hn::StoreU(InterleaveUpper(d, r0, r1), d, to + ld_to);
  } else {
    const auto r0 = load_pieces(d, from, step);
    const auto r1 = load_pieces(d, from + ld_from, step);
    const auto r2 = load_pieces(d, from + 2 * ld_from, step);
    const auto r3 = load_pieces(d, from + 3 * ld_from, step);
    const auto even01 = InterleaveLower(d, r0, r2), odd01 = InterleaveLower(d, r1, r3);
    const auto even23 = InterleaveUpper(d, r0, r2), odd23 = InterleaveUpper(d, r1, r3);
    hn::StoreU(InterleaveLower(d, even01, odd01), d, to);
    hn::StoreU(InterleaveUpper(d, even01, odd01), d, to + ld_to);
    hn::StoreU(InterleaveLower(d, even23, odd23), d, to + 2 * ld_to);
    hn::StoreU(InterleaveUpper(d, even23, odd23), d, to + 3 * ld_to);
  }
}

// to: [columns, rows] = transpose of from: [rows, columns].
template <class T>
HWY_NOINLINE void copy_transposed(const T* from, std::size_t ld_from, std::size_t rows,
                                  std::size_t columns, T* to, std::size_t ld_to) {
  constexpr std::size_t kL = kLanes<Tag<T>>;
  std::size_t i = 0;
  for (; i + kL <= rows; i += kL) {
    const T* source = from + i * ld_from;
    std::size_t j = 0;
    for (; j + kStrip<T> <= columns; j += kStrip<T>) {
      transpose_strip(source + j, ld_from, to + j * ld_to + i, ld_to);
    }
    for (; j < columns; ++j) {
      for (std::size_t r = 0; r < kL; ++r) to[j * ld_to + i + r] = source[r * ld_from + j];
    }
  }
  for (; i < rows; ++i) {
    for (std::size_t j = 0; j < columns; ++j) to[j * ld_to + i] = from[i * ld_from + j];
  }
}

}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
