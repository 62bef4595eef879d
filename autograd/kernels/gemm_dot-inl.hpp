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

/// The sums of the lanes of up to four vectors. Each is added in the same order wherever it stands.
template <class D>
AUTOGRAD_INLINE void sum_lanes(D d, const hn::Vec<D>* v, std::size_t n, hn::TFromD<D>* sums) {
  if constexpr (sizeof(hn::TFromD<D>) == 4 && kLanes<D> >= 8) {
    const hn::Half<D> half;
    const hn::Repartition<double, D> pairs;
    const hn::Vec<D> zero = hn::Zero(d), second = n > 1 ? v[1] : zero;
    const hn::Vec<D> third = n > 2 ? v[2] : zero, fourth = n > 3 ? v[3] : zero;
    const auto low = hn::BitCast(
        pairs, hn::Add(InterleaveLower(d, v[0], second), InterleaveUpper(d, v[0], second)));
    const auto high = hn::BitCast(
        pairs, hn::Add(InterleaveLower(d, third, fourth), InterleaveUpper(d, third, fourth)));
    // In every 128 bits the sums of these bits of the four vectors.
    const auto each = hn::Add(hn::BitCast(d, InterleaveLower(pairs, low, high)),
                              hn::BitCast(d, InterleaveUpper(pairs, low, high)));
    const auto folded = hn::Add(LowerHalf(half, each), UpperHalf(half, each));
    if constexpr (kLanes<D> == 8) {
      hn::StoreU(folded, half, sums);
    } else {
      const hn::Half<hn::Half<D>> four;
      hn::StoreU(hn::Add(LowerHalf(four, folded), UpperHalf(four, folded)), four, sums);
    }
  } else {
    for (std::size_t i = 0; i < n; ++i) sums[i] = hn::GetLane(hn::SumOfLanes(d, v[i]));
  }
}

// g.c: [R, C] (+)= bias + a b^T, a: [R, k] and b: [C, k] both contiguous along k.
template <class T, std::size_t R, std::size_t C>
HWY_NOINLINE void dot_block(const GemmCall<T>& g, std::size_t i0, std::size_t j0) {
  const Tag<T> d;
  constexpr std::size_t kL = kLanes<Tag<T>>;
  const T* a = g.a + i0 * g.lda;
  const T* b = g.b + j0 * g.ldb;
  const std::size_t lda = g.lda, ldb = g.ldb;
  hn::Vec<Tag<T>> sum[R][C], column[C];
  HWY_UNROLL(5)
  for (std::size_t i = 0; i < R; ++i) {
    HWY_UNROLL(5)
    for (std::size_t j = 0; j < C; ++j) sum[i][j] = hn::Zero(d);
  }
  const auto add = [&](auto load_at) AUTOGRAD_ALWAYS_INLINE {
    HWY_UNROLL(5)
    for (std::size_t j = 0; j < C; ++j) {
      column[j] = load_at(b + j * ldb);
      keep_for<R>(column[j]);
    }
    HWY_UNROLL(5)
    for (std::size_t i = 0; i < R; ++i) {
      const auto x = load_at(a + i * lda);
      HWY_UNROLL(5)
      for (std::size_t j = 0; j < C; ++j) sum[i][j] = hn::MulAdd(x, column[j], sum[i][j]);
    }
  };
  HWY_UNROLL(1)
  for (std::size_t p = g.k / kL; p != 0; --p, a += kL, b += kL) {
    add([d](const T* from) AUTOGRAD_ALWAYS_INLINE { return hn::LoadU(d, from); });
  }
  if (const std::size_t rest = g.k % kL; rest != 0) {
    add([d, rest](const T* from) AUTOGRAD_ALWAYS_INLINE { return load_raw(d, from, rest); });
  }
  HWY_UNROLL(5)
  for (std::size_t i = 0; i < R; ++i) {
    HWY_UNROLL(2)
    for (std::size_t j = 0; j < C; j += 4) {
      const std::size_t n = j + 4 <= C ? 4 : C - j;
      T totals[4];
      sum_lanes(d, sum[i] + j, n, totals);
      for (std::size_t x = 0; x < n; ++x) {
        T& out = g.c[(i0 + i) * g.ldc + j0 + j + x];
        if (g.bias != nullptr) totals[x] += g.bias[j0 + j + x];
        out = g.accumulate ? out + totals[x] : totals[x];
      }
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

// The operand of more rows is read once, the other stays in L1.
template <class T> HWY_NOINLINE void gemm_dots(const GemmCall<T>& g) {
  const Panels rows(g.m, kDotBlock), columns(g.n, kDotBlock);
  const bool wide = g.n > g.m;
  const Panels &outer = wide ? columns : rows, &inner = wide ? rows : columns;
  for (std::size_t u = 0, p = 0; u < outer.count; p += outer.rows(u++)) {
    for (std::size_t v = 0, q = 0; v < inner.count; q += inner.rows(v++)) {
      const std::size_t m = wide ? inner.rows(v) : outer.rows(u);
      const std::size_t n = wide ? outer.rows(u) : inner.rows(v);
      kDots<T>[m - 1][n - 1](g, wide ? q : p, wide ? p : q);
    }
  }
}

// One dot product of contiguous vectors as two of their halves, for the additions of one chain would wait
// for each other. The block's other two products cost nothing: memory is slower.
template <class T> HWY_NOINLINE void one_dot(const GemmCall<T>& g) {
  const std::size_t half = g.k / 2;
  T c[4];
  gemm_dots(GemmCall<T>{false, true, 2, 2, half, g.a, half, g.b, half, c, 2});
  T total = c[0] + c[3];
  if (g.k % 2 != 0) total += g.a[g.k - 1] * g.b[g.k - 1];
  if (g.bias != nullptr) total += *g.bias;
  *g.c = g.accumulate ? *g.c + total : total;
}

}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
