// SPDX-License-Identifier: Apache-2.0
// The register kernels of gemm: R rows by one or two vectors of C as a chain of multiply-adds over
// k, A read by broadcast, B by vector loads, either packed or in place. The last vector may be
// partial, so that no shape needs a padded tile. Every kernel here adds in the same order (bias or
// 0, then k ascending, then C): which one computes an element does not change its bits.
#if defined(AUTOGRAD_GEMM_MICRO_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef AUTOGRAD_GEMM_MICRO_INL
#undef AUTOGRAD_GEMM_MICRO_INL
#else
#define AUTOGRAD_GEMM_MICRO_INL
#endif

#include <hwy/cache_control.h>

#include <array>
#include <cstddef>
#include <utility>

#include "simd-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace autograd::kernels::HWY_NAMESPACE {

// 14 x 2 accumulators, two vectors of B and a broadcast fill 32 registers; 6 x 2 fill 16.
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
inline constexpr std::size_t kMaxRows = 14;
#else
inline constexpr std::size_t kMaxRows = 6;
#endif
inline constexpr std::size_t kVectors = 2;
template <class T> inline constexpr std::size_t kTileWidth = kVectors* kLanes<Tag<T>>;

/// What tiles of one block have in common. a_stride is the distance of rows of op(A) that are not
/// adjacent in memory, or else of its columns.
struct TileCall {
  std::size_t k, a_stride, ldb, ldc;
  bool accumulate, prefetch_c;
};
/// Which elements of op(A) are neighbors in memory: those of a row (A as given), or of a column.
enum class ALayout { row_contiguous, column_contiguous };

// A vector of which only the first n lanes (0 < n <= all) are in memory; the mask says the same.
template <class D>
AUTOGRAD_INLINE hn::Vec<D> load_edge(D d, hn::Mask<D> mask, const hn::TFromD<D>* p, std::size_t n) {
  if constexpr (kHasMaskedAccess) {
    return hn::MaskedLoad(mask, d, p);
  } else {
    return n == kLanes<D> ? hn::LoadU(d, p) : load_raw(d, p, n);
  }
}
template <class D>
AUTOGRAD_INLINE void store_edge(D d, hn::Mask<D> mask, hn::Vec<D> v, hn::TFromD<D>* p,
                                std::size_t n) {
  if (n == kLanes<D>) {
    hn::StoreU(v, d, p);
  } else if constexpr (kHasMaskedAccess) {
    hn::BlendedStore(v, mask, d, p);
  } else {
    store_raw(d, v, p, n);
  }
}

/// A vector for R products stays in its register. For two or three GCC would read it from memory each time,
/// and loads would bound the loop (6x704x394: 55 instead of 99 GF/s).
template <std::size_t R, class V> AUTOGRAD_INLINE void keep_for([[maybe_unused]] V& v) {
#if HWY_ARCH_X86 && HWY_COMPILER_GCC_ACTUAL
  if constexpr (R == 2 || R == 3) asm("" : "+v"(v.raw));
#endif
}

/// The vectors of a tile's row, and whether all lanes of the last are in memory. If so no mask is
/// needed: a masked load also takes one of the two ports of the multiply-adds (7 % of a product).
enum class Width { one_partial, two_partial, two_whole };

// c: [R, width] (+)= bias + a: [R, k] b: [k, width], with (V - 1) lanes < width <= V lanes.
template <class T, std::size_t R, Width kWidth, ALayout kLayout>
HWY_NOINLINE void tile(const TileCall& u, const T* HWY_RESTRICT a, const T* HWY_RESTRICT b,
                       T* HWY_RESTRICT c, std::size_t width, const T* HWY_RESTRICT bias) {
  const Tag<T> d;
  constexpr std::size_t V = kWidth == Width::one_partial ? 1 : 2;
  constexpr std::size_t kL = kLanes<Tag<T>>, kLast = V - 1;
  constexpr std::size_t kWhole = kWidth == Width::two_whole ? V : kLast;  // vectors without a mask
  const std::size_t edge = kWhole == V ? kL : width - kLast * kL;
  const auto mask = hn::FirstN(d, edge);
  const std::size_t a_stride = u.a_stride, ldb = u.ldb, ldc = u.ldc;
  if (u.prefetch_c) {
    HWY_UNROLL(16)
    for (std::size_t i = 0; i < R; ++i) {
      hwy::Prefetch(c + i * ldc);
      if (V > 1) hwy::Prefetch(c + i * ldc + kL);
    }
  }
  hn::Vec<Tag<T>> sum[R][V], row[V];
  HWY_UNROLL(2)
  for (std::size_t j = 0; j < V; ++j) {
    row[j] = hn::Zero(d);
    if (bias != nullptr) {
      row[j] = j < kWhole ? hn::LoadU(d, bias + j * kL) : load_edge(d, mask, bias + j * kL, edge);
    }
    HWY_UNROLL(16)
    for (std::size_t i = 0; i < R; ++i) sum[i][j] = row[j];
  }
  HWY_UNROLL(1)
  for (std::size_t p = u.k; p != 0; --p) {
    HWY_UNROLL(2)
    for (std::size_t j = 0; j < V; ++j) {
      row[j] = j < kWhole ? hn::LoadU(d, b + j * kL) : load_edge(d, mask, b + j * kL, edge);
      keep_for<R>(row[j]);
    }
    HWY_UNROLL(16)
    for (std::size_t i = 0; i < R; ++i) {
      const auto x = hn::Set(d, kLayout == ALayout::column_contiguous ? a[i] : a[i * a_stride]);
      HWY_UNROLL(2)
      for (std::size_t j = 0; j < V; ++j) sum[i][j] = hn::MulAdd(x, row[j], sum[i][j]);
    }
    b += ldb;
    a += kLayout == ALayout::column_contiguous ? a_stride : 1;
  }
  if (u.accumulate) {
    const T* old = c;
    HWY_UNROLL(16)
    for (std::size_t i = 0; i < R; ++i, old += ldc) {
      HWY_UNROLL(2)
      for (std::size_t j = 0; j < V; ++j) {
        const T* p = old + j * kL;
        sum[i][j] = hn::Add(sum[i][j], j < kWhole ? hn::LoadU(d, p) : load_edge(d, mask, p, edge));
      }
    }
  }
  HWY_UNROLL(16)
  for (std::size_t i = 0; i < R; ++i, c += ldc) {
    HWY_UNROLL(2)
    for (std::size_t j = 0; j < V; ++j) {
      if (j < kWhole) {
        hn::StoreU(sum[i][j], d, c + j * kL);
      } else {
        store_edge(d, mask, sum[i][j], c + j * kL, edge);
      }
    }
  }
}

template <class T>
using TileKernel = void (*)(const TileCall&, const T*, const T*, T*, std::size_t, const T*);
template <class T>
using TileKernels = std::array<TileKernel<T>, kMaxRows + 1>;  // by rows; [0] is unused

template <class T, Width kWidth, ALayout kLayout, std::size_t... R>
constexpr TileKernels<T> tiles_of(std::index_sequence<R...>) {
  return {nullptr, &tile<T, R + 1, kWidth, kLayout>...};
}
template <class T, ALayout kLayout, Width... kWidth>
constexpr std::array<TileKernels<T>, sizeof...(kWidth)> tiles_in() {
  return {tiles_of<T, kWidth, kLayout>(std::make_index_sequence<kMaxRows>())...};
}
// [layout][width][rows]
template <class T>
inline constexpr std::array<TileKernels<T>, 3> kTiles[2] = {
    tiles_in<T, ALayout::row_contiguous, Width::one_partial, Width::two_partial,
             Width::two_whole>(),
    tiles_in<T, ALayout::column_contiguous, Width::one_partial, Width::two_partial,
             Width::two_whole>()};

template <class T> AUTOGRAD_INLINE const TileKernels<T>& tiles(ALayout layout, std::size_t width) {
  const Width kind = width <= kLanes<Tag<T>>  ? Width::one_partial
                     : width == kTileWidth<T> ? Width::two_whole
                                              : Width::two_partial;
  return kTiles<T>[layout == ALayout::column_contiguous][static_cast<std::size_t>(kind)];
}

/// m rows cut into panels of nearly equal height, at most `most` (no thin remainder): the first
/// `taller` ones have height + 1 rows. A division, paid only when there is more than one panel.
struct Panels {
  std::size_t count, height, taller;
  Panels(std::size_t m, std::size_t most)
      : count(m <= most ? 1 : (m + most - 1) / most),
        height(count == 1 ? m : m / count),
        taller(m - height * count) {}
  std::size_t rows(std::size_t panel) const { return height + (panel < taller ? 1 : 0); }
};

}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
