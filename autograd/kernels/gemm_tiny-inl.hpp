// SPDX-License-Identifier: Apache-2.0
// Products whose three extents are at most kTinyExtent: plain loops over small blocks, no tables,
// no scratch, no divisions. Columns go in steps of 16, 8, 4, 2, 1 with vectors of that many lanes,
// so that small matrices are stored in the pieces in which the next operation loads them.
#if defined(AUTOGRAD_GEMM_TINY_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef AUTOGRAD_GEMM_TINY_INL
#undef AUTOGRAD_GEMM_TINY_INL
#else
#define AUTOGRAD_GEMM_TINY_INL
#endif

#include <cstddef>

#include "gemm.hpp"
#include "simd-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace autograd::kernels::HWY_NAMESPACE {

inline constexpr std::size_t kTinyExtent = 16;

/// Whether vectors of op(B) are rows of B as stored, or gathered from its columns.
enum class BAccess { rows, transposed };

// Lane i is p[i step], put together in registers: memory would cost a store-to-load stall.
template <BAccess kAccess, class D>
AUTOGRAD_INLINE hn::Vec<D> load_b(D d, const hn::TFromD<D>* p, [[maybe_unused]] std::size_t step) {
  if constexpr (kAccess == BAccess::rows || kLanes<D> == 1) {
    return hn::LoadU(d, p);
  } else {
    const hn::Half<D> half;
    constexpr std::size_t kHalf = kLanes<hn::Half<D>>;
    return Combine(d, load_b<kAccess>(half, p + kHalf * step, step),
                   load_b<kAccess>(half, p, step));
  }
}

// Local copies of what the loops use: stores to c may alias the call as far as the compiler knows.
template <class T, BAccess kAccess> struct TinyOperands {
  std::size_t k, a_row, a_k, b_k, b_column, ldc;
  const T *a, *b, *bias;
  T* c;
  bool accumulate;
  AUTOGRAD_INLINE explicit TinyOperands(const GemmCall<T>& g)
      : k(g.k),
        a_row(g.transpose_a ? 1 : g.lda),
        a_k(g.transpose_a ? g.lda : 1),
        b_k(kAccess == BAccess::rows ? g.ldb : 1),
        b_column(kAccess == BAccess::rows ? 1 : g.ldb),
        ldc(g.ldc),
        a(g.a),
        b(g.b),
        bias(g.bias),
        c(g.c),
        accumulate(g.accumulate) {}
};

// R rows from row i on and the columns of one vector from column j on.
template <std::size_t R, class D, class T, BAccess kAccess>
AUTOGRAD_INLINE void tiny_block(D d, const TinyOperands<T, kAccess>& g, std::size_t i,
                                std::size_t j) {
  hn::Vec<D> sum[R];
  const auto start = g.bias != nullptr ? hn::LoadU(d, g.bias + j) : hn::Zero(d);
  HWY_UNROLL(4)
  for (std::size_t r = 0; r < R; ++r) sum[r] = start;
  const auto* a = g.a + i * g.a_row;
  const auto* b = g.b + j * g.b_column;
  HWY_UNROLL(1)
  for (std::size_t p = g.k; p != 0; --p) {
    const auto row = load_b<kAccess>(d, b, g.b_column);
    HWY_UNROLL(4)
    for (std::size_t r = 0; r < R; ++r) {
      sum[r] = hn::MulAdd(hn::Set(d, a[r * g.a_row]), row, sum[r]);
    }
    a += g.a_k;
    b += g.b_k;
  }
  auto* c = g.c + i * g.ldc + j;
  if (g.accumulate) {
    HWY_UNROLL(4)
    for (std::size_t r = 0; r < R; ++r) sum[r] = hn::Add(sum[r], hn::LoadU(d, c + r * g.ldc));
  }
  HWY_UNROLL(4)
  for (std::size_t r = 0; r < R; ++r) hn::StoreU(sum[r], d, c + r * g.ldc);
}

// All rows of one vector of columns. One function per width: inlined together they would spill.
template <std::size_t kWidth, BAccess kAccess, class T>
HWY_NOINLINE void tiny_column(const GemmCall<T>& call, std::size_t j) {
  const hn::CappedTag<T, kWidth> d;
  const std::size_t m = call.m;
  const TinyOperands<T, kAccess> g(call);
  std::size_t i = 0;
  HWY_UNROLL(1)
  for (; i + 4 <= m; i += 4) tiny_block<4>(d, g, i, j);
  if (i + 2 <= m) {
    tiny_block<2>(d, g, i, j);
    i += 2;
  }
  if (i < m) tiny_block<1>(d, g, i, j);
}

// Columns from j on in vectors of kWidth lanes, the rest in narrower ones.
template <std::size_t kWidth, BAccess kAccess, class T>
AUTOGRAD_INLINE void tiny_columns(const GemmCall<T>& g, std::size_t j) {
  if constexpr (kWidth > kLanes<Tag<T>>) {
    tiny_columns<kWidth / 2, kAccess>(g, j);
  } else {
    for (; j + kWidth <= g.n; j += kWidth) tiny_column<kWidth, kAccess>(g, j);
    if constexpr (kWidth > 1) {
      if (j < g.n) tiny_columns<kWidth / 2, kAccess>(g, j);
    }
  }
}

template <class T> HWY_NOINLINE void gemm_tiny_turning_b(const GemmCall<T>& g) {
  T turned[kTinyExtent * kTinyExtent];
  for (std::size_t j = 0; j < g.n; ++j) {
    const T* from = g.b + j * g.ldb;
    HWY_UNROLL(1)
    for (std::size_t p = 0; p < g.k; ++p) turned[p * kTinyExtent + j] = from[p];
  }
  GemmCall<T> call = g;
  call.b = turned;
  call.ldb = kTinyExtent;
  tiny_columns<kTinyExtent, BAccess::rows>(call, 0);
}

template <class T> AUTOGRAD_INLINE void gemm_tiny(const GemmCall<T>& g) {
  if (g.transpose_b) {
    // Gathering is repeated for every four rows, turning B is not, but stalls once.
    if (g.n >= 8) return gemm_tiny_turning_b(g);
    return tiny_columns<4, BAccess::transposed>(g, 0);
  }
  constexpr std::size_t kL = kLanes<Tag<T>>;
  if (g.n == 2 && kL >= 2) return tiny_column<2, BAccess::rows>(g, 0);
  if (g.n == 4 && kL >= 4) return tiny_column<4, BAccess::rows>(g, 0);
  if (g.n == 1) return tiny_column<1, BAccess::rows>(g, 0);
  tiny_columns<kTinyExtent, BAccess::rows>(g, 0);
}

}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
