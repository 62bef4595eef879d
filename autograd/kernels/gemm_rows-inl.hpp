// SPDX-License-Identifier: Apache-2.0
// Products of one to four rows: B is read once and nothing is read again, so that a tile is as wide as
// registers allow, and follows the rows of B for longer than a product of many rows would.
#if defined(AUTOGRAD_GEMM_ROWS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef AUTOGRAD_GEMM_ROWS_INL
#undef AUTOGRAD_GEMM_ROWS_INL
#else
#define AUTOGRAD_GEMM_ROWS_INL
#endif

#include <cstddef>

#include "gemm_micro-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace autograd::kernels::HWY_NAMESPACE {

inline constexpr std::size_t kFewRows = 4;
// Vectors of a tile of so many rows: 24 accumulators of 32 registers, or 12 of 16.
template <std::size_t R>
inline constexpr std::size_t kRowVectors = (kMaxRows > 6 ? 24 : 12) / (R == 1 ? 2 : R);

/// A few rows of op(A): element [i, p] is at a[i * a_row + p * a_step].
template <class T> struct FewRows {
  const T* a;
  std::size_t a_row, a_step;
  const T* b;
  std::size_t k, ldb;
  T* c;
  std::size_t ldc;
  const T* bias;  // null: none
  bool accumulate;

  FewRows from(std::size_t column) const {
    FewRows rest = *this;
    rest.b += column;
    rest.c += column;
    if (bias != nullptr) rest.bias += column;
    return rest;
  }
};

// c: [R, V vectors], the sums in the order of tile().
template <class T, std::size_t R, std::size_t V> HWY_NOINLINE void row_tile(const FewRows<T>& g) {
  const Tag<T> d;
  constexpr std::size_t kL = kLanes<Tag<T>>, kAhead = 4;
  hn::Vec<Tag<T>> sum[R][V];
  HWY_UNROLL(16)
  for (std::size_t j = 0; j < V; ++j) {
    const auto start = g.bias != nullptr ? hn::LoadU(d, g.bias + j * kL) : hn::Zero(d);
    HWY_UNROLL(4)
    for (std::size_t i = 0; i < R; ++i) sum[i][j] = start;
  }
  const T* HWY_RESTRICT a = g.a;
  const T* HWY_RESTRICT b = g.b;
  HWY_UNROLL(1)
  for (std::size_t p = 0; p < g.k; ++p, a += g.a_step, b += g.ldb) {
    const T* ahead = p + kAhead < g.k ? b + kAhead * g.ldb : b;
    hn::Vec<Tag<T>> factor[R];
    HWY_UNROLL(4)
    for (std::size_t i = 0; i < R; ++i) factor[i] = hn::Set(d, a[i * g.a_row]);
    HWY_UNROLL(16)
    for (std::size_t j = 0; j < V; ++j) {
      hwy::Prefetch(ahead + j * kL);
      auto row = hn::LoadU(d, b + j * kL);
      keep_for<R>(row);
      HWY_UNROLL(4)
      for (std::size_t i = 0; i < R; ++i) sum[i][j] = hn::MulAdd(factor[i], row, sum[i][j]);
    }
  }
  HWY_UNROLL(4)
  for (std::size_t i = 0; i < R; ++i) {
    T* c = g.c + i * g.ldc;
    HWY_UNROLL(16)
    for (std::size_t j = 0; j < V; ++j) {
      const auto y = g.accumulate ? hn::Add(sum[i][j], hn::LoadU(d, c + j * kL)) : sum[i][j];
      hn::StoreU(y, d, c + j * kL);
    }
  }
}

/// n columns, but for a rest narrower than three vectors: how many were done.
template <class T, std::size_t R>
HWY_NOINLINE std::size_t row_tiles(const FewRows<T>& g, std::size_t n) {
  constexpr std::size_t kL = kLanes<Tag<T>>, kWide = kRowVectors<R> * kL;
  std::size_t j = 0;
  for (; j + kWide <= n; j += kWide) row_tile<T, R, kRowVectors<R>>(g.from(j));
  if constexpr (kRowVectors < R >> 3) {
    for (; j + 3 * kL <= n; j += 3 * kL) row_tile<T, R, 3>(g.from(j));
  }
  return j;
}

}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
