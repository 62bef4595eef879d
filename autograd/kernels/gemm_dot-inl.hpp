// SPDX-License-Identifier: Apache-2.0
// Products with few rows or columns whose operands are both contiguous along k: blocks of dot
// products, vectors running along k, summed across lanes at the end. The tiles of
// gemm_micro-inl.hpp would leave most lanes empty there (97 instead of 196 GF/s at 128 x 10 x 512).
#if defined(AUTOGRAD_GEMM_DOT_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef AUTOGRAD_GEMM_DOT_INL
#undef AUTOGRAD_GEMM_DOT_INL
#else
#define AUTOGRAD_GEMM_DOT_INL
#endif

#include <array>
#include <cstddef>
#include <utility>

#include "gemm.hpp"
#include "gemm_micro-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace autograd::kernels::HWY_NAMESPACE {

inline constexpr std::size_t kDotBlock = kMaxRows == 14 ? 5 : 3;  // 25 or 9 accumulators

// g.c: [R, C] (+)= bias + a b^T, a: [R, k] and b: [C, k] both contiguous along k.
template <class T, std::size_t R, std::size_t C>
HWY_NOINLINE void dot_block(const GemmCall<T>& g, std::size_t i0, std::size_t j0) {
  const Tag<T> d;
  constexpr std::size_t kL = kLanes<Tag<T>>;
  const T* a = g.a + i0 * g.lda;
  const T* b = g.b + j0 * g.ldb;
  hn::Vec<Tag<T>> sum[R][C], column[C];
  HWY_UNROLL(5)
  for (std::size_t i = 0; i < R; ++i) {
    HWY_UNROLL(5)
    for (std::size_t j = 0; j < C; ++j) sum[i][j] = hn::Zero(d);
  }
  HWY_UNROLL(1)
  for (std::size_t p = 0; p < g.k; p += kL) {
    const std::size_t count = g.k - p;
    const bool whole = count >= kL;
    HWY_UNROLL(5)
    for (std::size_t j = 0; j < C; ++j) {
      const T* from = b + j * g.ldb + p;
      column[j] = whole ? hn::LoadU(d, from) : load_raw(d, from, count);
    }
    HWY_UNROLL(5)
    for (std::size_t i = 0; i < R; ++i) {
      const T* from = a + i * g.lda + p;
      const auto x = whole ? hn::LoadU(d, from) : load_raw(d, from, count);
      HWY_UNROLL(5)
      for (std::size_t j = 0; j < C; ++j) sum[i][j] = hn::MulAdd(x, column[j], sum[i][j]);
    }
  }
  for (std::size_t i = 0; i < R; ++i) {
    for (std::size_t j = 0; j < C; ++j) {
      T& out = g.c[(i0 + i) * g.ldc + j0 + j];
      T total = hn::GetLane(hn::SumOfLanes(d, sum[i][j]));
      if (g.bias != nullptr) total += g.bias[j0 + j];
      out = g.accumulate ? out + total : total;
    }
  }
}

template <class T> using DotKernel = void (*)(const GemmCall<T>&, std::size_t, std::size_t);
template <class T, std::size_t R, std::size_t... C>
constexpr std::array<DotKernel<T>, kDotBlock> dots_of(std::index_sequence<C...>) {
  return {&dot_block<T, R, C + 1>...};
}
template <class T, std::size_t... R>
constexpr std::array<std::array<DotKernel<T>, kDotBlock>, kDotBlock> all_dots(
    std::index_sequence<R...> indices) {
  return {dots_of<T, R + 1>(indices)...};
}
// [rows - 1][columns - 1]
template <class T> inline constexpr auto kDots = all_dots<T>(std::make_index_sequence<kDotBlock>());

template <class T> HWY_NOINLINE void gemm_dots(const GemmCall<T>& g) {
  const Panels rows(g.m, kDotBlock), columns(g.n, kDotBlock);
  std::size_t i = 0;
  for (std::size_t r = 0; r < rows.count; ++r) {
    std::size_t j = 0;
    for (std::size_t c = 0; c < columns.count; ++c) {
      kDots<T>[rows.rows(r) - 1][columns.rows(c) - 1](g, i, j);
      j += columns.rows(c);
    }
    i += rows.rows(r);
  }
}

}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
