// SPDX-License-Identifier: Apache-2.0
// Copies that put operands of large products into the order in which the tiles read them.
#if defined(AUTOGRAD_GEMM_PACK_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef AUTOGRAD_GEMM_PACK_INL
#undef AUTOGRAD_GEMM_PACK_INL
#else
#define AUTOGRAD_GEMM_PACK_INL
#endif

#include <algorithm>
#include <cstddef>

#include "gemm_micro-inl.hpp"
#include "transpose-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace autograd::kernels::HWY_NAMESPACE {

template <class T>
HWY_NOINLINE void copy_rows(const T* from, std::size_t ld_from, std::size_t rows,
                            std::size_t columns, T* to, std::size_t ld_to) {
  const Tag<T> d;
  constexpr std::size_t kL = kLanes<Tag<T>>;
  for (std::size_t i = 0; i < rows; ++i, from += ld_from, to += ld_to) {
    std::size_t j = 0;
    for (; j + kL <= columns; j += kL) store(load(d, from + j), to + j);
    if (j < columns) store_first(load_first(d, from + j, columns - j), to + j, columns - j);
  }
}

// a: [k, m] in rows of lda, as panels of columns, each [k, ld_panel] with the panel's height first in a row.
template <class T>
HWY_NOINLINE void pack_a(const T* a, std::size_t lda, std::size_t k, const Panels& panels, T* to,
                         std::size_t ld_panel, std::size_t panel_step) {
  const Tag<T> d;
  constexpr std::size_t kL = kLanes<Tag<T>>;
  for (std::size_t p = 0; p < k; ++p, a += lda, to += ld_panel) {
    const T* from = a;
    for (std::size_t i = 0; i < panels.count; from += panels.rows(i++)) {
      for (std::size_t j = 0; j < panels.rows(i); j += kL) {
        const std::size_t n = std::min(kL, panels.rows(i) - j);
        store_first(load_first(d, from + j, n), to + i * panel_step + j, n);
      }
    }
  }
}

// b: [k, n] (stored transposed if asked) as panels of kTileWidth columns, each [k, kTileWidth] and
// `panel_step` after the one before.
template <class T>
HWY_NOINLINE void pack_b(bool transposed, const T* b, std::size_t ldb, std::size_t k, std::size_t n,
                         T* to, std::size_t panel_step) {
  constexpr std::size_t kWidth = kTileWidth<T>;
  for (std::size_t j = 0; j < n; j += kWidth, to += panel_step) {
    const std::size_t width = std::min(kWidth, n - j);
    if (transposed) {
      copy_transposed(b + j * ldb, ldb, width, k, to, kWidth);
    } else {
      copy_rows(b + j, ldb, k, width, to, kWidth);
    }
  }
}

}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
