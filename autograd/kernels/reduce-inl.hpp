// SPDX-License-Identifier: Apache-2.0
// Sums and extrema along one axis of [outer, extent, inner], once per instruction set.
// The tree: leaves of kLeaf vectors (contiguous) or kLeafRows rows (inner > 1) are added in order
// and combined in pairs, so that the error grows with the logarithm of the extent; it depends on
// the shape alone. Threads share out outer lines, columns, and the leaves of long contiguous lines.
#if defined(AUTOGRAD_REDUCE_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef AUTOGRAD_REDUCE_INL
#undef AUTOGRAD_REDUCE_INL
#else
#define AUTOGRAD_REDUCE_INL
#endif

#include <algorithm>
#include <cstddef>
#include <limits>

#include "parallel.hpp"
#include "scratch.hpp"
#include "vector_math-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace autograd::kernels::HWY_NAMESPACE {

inline constexpr std::size_t kLeaf = 4096;             // elements of a contiguous leaf
inline constexpr std::size_t kLeafRows = 128;          // rows of a leaf when inner > 1
inline constexpr std::size_t kTaskElements = 1 << 15;  // what a task should at least read

struct SumOf {
  static constexpr double identity = 0;
  template <class V> static AUTOGRAD_INLINE V combine(V a, V b) { return a + b; }
};
// NaN where a or b is, else `top`. Where the second operand is given for NaN only b has to be looked at,
// and that no chain of results waits for.
template <class V> AUTOGRAD_INLINE V keep_nan([[maybe_unused]] V a, V b, V top) {
  if constexpr (kSecondForNan) return where(b != b, b, top);
  return where(a != a, a, where(b != b, b, top));
}
struct MaxOf {
  static constexpr double identity = -std::numeric_limits<double>::infinity();
  template <class V> static AUTOGRAD_INLINE V combine(V a, V b) {
    return keep_nan(a, b, V{hn::Max(b.raw, a.raw)});
  }
};
struct MinOf {
  static constexpr double identity = std::numeric_limits<double>::infinity();
  template <class V> static AUTOGRAD_INLINE V combine(V a, V b) {
    return keep_nan(a, b, V{hn::Min(b.raw, a.raw)});
  }
};

// 0 < n <= a vector; lanes beyond n hold the identity.
template <class Op, class D>
AUTOGRAD_INLINE Vec<D> load_or_identity(D d, const hn::TFromD<D>* p, std::size_t n) {
  if (n == kLanes<D>) return load(d, p);
  const Vec<D> v = load_first(d, p, n);
  if constexpr (Op::identity == 0) return v;
  return where(Mask<D>{hn::FirstN(d, n)}, v, Vec<D>::of(Op::identity));
}

// All lanes combined, in halves: the same tree for every number of lanes.
template <class Op, class D> AUTOGRAD_INLINE hn::TFromD<D> combine_lanes(Vec<D> v) {
  if constexpr (kLanes<D> == 1) {
    return hn::GetLane(v.raw);
  } else {
    const hn::Half<D> half;
    using H = Vec<hn::Half<D>>;
    return combine_lanes<Op>(Op::combine(H{LowerHalf(half, v.raw)}, H{UpperHalf(half, v.raw)}));
  }
}

// One leaf, in four interleaved chains to hide the latency of an addition.
template <class Op, class T> HWY_NOINLINE T reduce_leaf(const T* x, std::size_t n) {
  const Tag<T> d;
  constexpr std::size_t kL = kLanes<Tag<T>>;
  using V = Vec<Tag<T>>;
  if (n <= kL)
    return n == 0 ? static_cast<T>(Op::identity) : combine_lanes<Op>(load_or_identity<Op>(d, x, n));
  V s0 = V::of(Op::identity), s1 = s0, s2 = s0, s3 = s0;
  std::size_t i = 0;
  for (; i + 4 * kL <= n; i += 4 * kL) {
    s0 = Op::combine(s0, load(d, x + i));
    s1 = Op::combine(s1, load(d, x + i + kL));
    s2 = Op::combine(s2, load(d, x + i + 2 * kL));
    s3 = Op::combine(s3, load(d, x + i + 3 * kL));
  }
  for (; i + kL <= n; i += kL) s0 = Op::combine(s0, load(d, x + i));
  if (i < n) s1 = Op::combine(s1, load_or_identity<Op>(d, x + i, n - i));
  return combine_lanes<Op>(Op::combine(Op::combine(s0, s1), Op::combine(s2, s3)));
}

template <class Op, class T> T combine_pairs(const T* leaves, std::size_t n) {
  if (n == 1) return leaves[0];
  const hn::CappedTag<T, 1> d;
  using V = Vec<hn::CappedTag<T, 1>>;
  const T low = combine_pairs<Op>(leaves, n / 2),
          high = combine_pairs<Op>(leaves + n / 2, n - n / 2);
  return hn::GetLane(Op::combine(V{hn::Set(d, low)}, V{hn::Set(d, high)}).raw);
}

template <class Op, class T> T reduce_line(const T* x, std::size_t n, bool threads) {
  if (n <= kLeaf) return reduce_leaf<Op>(x, n);
  const std::size_t leaves = (n + kLeaf - 1) / kLeaf;
  T* partial = scratch<T>(Scratch::reduce, leaves);
  const auto some = [&](std::size_t begin, std::size_t end) {
    for (std::size_t leaf = begin; leaf < end; ++leaf) {
      partial[leaf] = reduce_leaf<Op>(x + leaf * kLeaf, std::min(kLeaf, n - leaf * kLeaf));
    }
  };
  if (threads) {
    parallel_for(leaves, kTaskElements / kLeaf, some);
  } else {
    some(0, leaves);
  }
  return combine_pairs<Op>(partial, leaves);
}

// `rows` rows of up to four vectors of columns, `width` in all.
template <class D> struct Columns { Vec<D> v[4]; };
template <class Op, class T>
Columns<Tag<T>> reduce_columns(const T* x, std::size_t rows, std::size_t stride,
                               std::size_t width) {
  const Tag<T> d;
  constexpr std::size_t kL = kLanes<Tag<T>>;
  if (rows > kLeafRows) {
    const std::size_t half = (rows / kLeafRows + 1) / 2 * kLeafRows;
    Columns<Tag<T>> low = reduce_columns<Op>(x, half, stride, width);
    const Columns<Tag<T>> high = reduce_columns<Op>(x + half * stride, rows - half, stride, width);
    for (int j = 0; j < 4; ++j) low.v[j] = Op::combine(low.v[j], high.v[j]);
    return low;
  }
  using V = Vec<Tag<T>>;
  V s0 = V::of(Op::identity), s1 = s0, s2 = s0, s3 = s0;
  if (width == 4 * kL) {
    for (std::size_t r = 0; r < rows; ++r, x += stride) {
      s0 = Op::combine(s0, load(d, x));
      s1 = Op::combine(s1, load(d, x + kL));
      s2 = Op::combine(s2, load(d, x + 2 * kL));
      s3 = Op::combine(s3, load(d, x + 3 * kL));
    }
    return {{s0, s1, s2, s3}};
  }
  for (std::size_t r = 0; r < rows; ++r, x += stride) {
    s0 = Op::combine(s0, load_or_identity<Op>(d, x, std::min(width, kL)));
    if (width > kL) s1 = Op::combine(s1, load_or_identity<Op>(d, x + kL, std::min(width - kL, kL)));
    if (width > 2 * kL) {
      s2 = Op::combine(s2, load_or_identity<Op>(d, x + 2 * kL, std::min(width - 2 * kL, kL)));
    }
    if (width > 3 * kL) s3 = Op::combine(s3, load_or_identity<Op>(d, x + 3 * kL, width - 3 * kL));
  }
  return {{s0, s1, s2, s3}};
}

template <class Op, class T>
HWY_NOINLINE void reduce_columns_to(const T* x, T* y, std::size_t rows, std::size_t stride,
                                    std::size_t width) {
  constexpr std::size_t kL = kLanes<Tag<T>>;
  const Columns<Tag<T>> sums = reduce_columns<Op>(x, rows, stride, width);
  for (std::size_t j = 0; j * kL < width; ++j) {
    const std::size_t left = width - j * kL;
    left >= kL ? store(sums.v[j], y + j * kL) : store_first(sums.v[j], y + j * kL, left);
  }
}

template <class Op, class T>
void reduce(const T* x, T* y, std::size_t outer, std::size_t extent, std::size_t inner) {
  const std::size_t line = std::max<std::size_t>(1, extent);
  if (inner == 1) {
    if (outer == 1) {
      *y = reduce_line<Op>(x, extent, true);
      return;
    }
    parallel_for(outer, kTaskElements / line + 1, [&](std::size_t begin, std::size_t end) {
      for (std::size_t o = begin; o < end; ++o)
        y[o] = reduce_line<Op>(x + o * extent, extent, false);
    });
    return;
  }
  constexpr std::size_t kWidth = 4 * kLanes<Tag<T>>;
  const std::size_t blocks = (inner + kWidth - 1) / kWidth;
  const std::size_t block_elements = line * std::min(kWidth, inner);
  parallel_for(outer * blocks, kTaskElements / std::max<std::size_t>(1, block_elements) + 1,
               [&](std::size_t begin, std::size_t end) {
                 for (std::size_t task = begin; task < end; ++task) {
                   const std::size_t o = task / blocks, i = task % blocks * kWidth;
                   reduce_columns_to<Op>(x + o * extent * inner + i, y + o * inner + i, extent,
                                         inner, std::min(kWidth, inner - i));
                 }
               });
}

}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
