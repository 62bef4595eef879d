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

// b: [k, n] as panels of kTileWidth columns, each [k, kTileWidth] and `panel_step` after the one before.
// Row by row, so that memory is read in order, and fetched some 8 KiB ahead.
template <class T>
HWY_NOINLINE void pack_rows(const T* b, std::size_t ldb, std::size_t k, std::size_t n, T* to,
                            std::size_t panel_step) {
  const Tag<T> d;
  constexpr std::size_t kL = kLanes<Tag<T>>, kWidth = kTileWidth<T>;
  const std::size_t rows_ahead = (std::size_t{8} << 10) / (n * sizeof(T)) + 1;
  for (std::size_t p = 0; p < k; ++p, b += ldb, to += kWidth) {
    const T* ahead = p + rows_ahead < k ? b + rows_ahead * ldb : b;
    T* panel = to;
    std::size_t j = 0;
    for (; j + kWidth <= n; j += kWidth, panel += panel_step) {
      for (std::size_t i = 0; i < kWidth; i += kL) {
        hwy::Prefetch(ahead + j + i);
        store(load(d, b + j + i), panel + i);
      }
    }
    for (; j < n; j += kL, panel += kL) {
      const std::size_t width = std::min(kL, n - j);
      store_first(load_first(d, b + j, width), panel, width);
    }
  }
}

// b: [n, k], to the same panels.
template <class T>
HWY_NOINLINE void pack_columns(const T* b, std::size_t ldb, std::size_t k, std::size_t n, T* to,
                               std::size_t panel_step) {
  constexpr std::size_t kWidth = kTileWidth<T>;
  for (std::size_t j = 0; j < n; j += kWidth, to += panel_step) {
    copy_transposed(b + j * ldb, ldb, std::min(kWidth, n - j), k, to, kWidth);
  }
}

}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
