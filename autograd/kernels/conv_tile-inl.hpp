// SPDX-License-Identifier: Apache-2.0
// The register kernels of convolution, compiled once per instruction set: tiles as in
// gemm_micro-inl.hpp, but of rows that a table of offsets finds in an image.
#if defined(AUTOGRAD_CONV_TILE_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef AUTOGRAD_CONV_TILE_INL
#undef AUTOGRAD_CONV_TILE_INL
#else
#define AUTOGRAD_CONV_TILE_INL
#endif

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "conv_tile.hpp"
#include "gemm_micro-inl.hpp"
#include "scratch.hpp"

HWY_BEFORE_NAMESPACE();
namespace autograd::kernels::HWY_NAMESPACE {

using Offset = std::int64_t;
inline constexpr std::size_t kOffsetBlock = 512;  // of k: then the stretches of a tile stay in L1
inline constexpr std::size_t kPixelBlock = 256;   // of pixels, for the same reason

template <class T>
void copy_rows(const T* from, Offset from_step, Offset n, Offset rows, T* to, Offset pitch) {
  const Tag<T> d;
  constexpr auto kL = static_cast<Offset>(kLanes<Tag<T>>);
  const auto edge = static_cast<std::size_t>(n % kL);
  const auto mask = hn::FirstN(d, edge);
  for (; rows > 0; --rows, from += from_step, to += pitch) {
    Offset j = 0;
    for (; j + kL <= n; j += kL) hn::StoreU(hn::LoadU(d, from + j), d, to + j);
    if (edge != 0) {
      hn::StoreU(load_edge(d, mask, from + j, edge), d, to + j);
      j += kL;
    }
    for (; j < pitch; j += kL) hn::StoreU(hn::Zero(d), d, to + j);
  }
}

// Of 2 L - 1 elements the first and the last L, so that nothing beyond the last one is touched: those wanted
// are the even ones of the first vector and the odd ones of the second.
template <class T> void copy_second(const T* from, Offset n, T* to) {
  constexpr auto kL = static_cast<Offset>(kLanes<Tag<T>>);
  Offset i = 0;
  if constexpr (kL > 1) {
    const Tag<T> d;
    for (; i + kL <= n; i += kL) {
      const auto first = hn::LoadU(d, from + 2 * i), last = hn::LoadU(d, from + 2 * i + kL - 1);
      hn::StoreU(ConcatUpperLower(d, ConcatOdd(d, last, last), ConcatEven(d, first, first)), d,
                 to + i);
    }
  }
  for (; i < n; ++i) to[i] = from[2 * i];
}
template <class T> void add_second(const T* from, Offset n, T* to) {
  constexpr auto kL = static_cast<Offset>(kLanes<Tag<T>>);
  Offset i = 0;
  if constexpr (kL > 1) {
    const Tag<T> d;
    using Index = hwy::MakeSigned<T>;
    alignas(64) Index low[kL], high[kL];
    for (Offset j = 0; j < kL; ++j) {
      low[j] = static_cast<Index>(j / 2);
      high[j] = static_cast<Index>((j + kL - 1) / 2);
    }
    const auto first = hn::SetTableIndices(d, low), last = hn::SetTableIndices(d, high);
    for (; i + kL <= n; i += kL) {
      const auto v = hn::LoadU(d, from + i);
      T* at = to + 2 * i;
      const auto even = OddEven(hn::Zero(d), TableLookupLanes(v, first));
      hn::StoreU(hn::Add(hn::LoadU(d, at), even), d, at);
      at += kL - 1;
      const auto odd = OddEven(TableLookupLanes(v, last), hn::Zero(d));
      hn::StoreU(hn::Add(hn::LoadU(d, at), odd), d, at);
    }
  }
  for (; i < n; ++i) to[2 * i] += from[i];
}

// --- Products: a tile is R rows of results by V vectors of neighboring pixels.

template <class T> struct OffsetTile {
  std::size_t k;
  const T* a;  // [k, R]
  const T* x;
  const Offset* offset;
  T* c;           // [R, 2 vectors]
  const T* bias;  // [R]; null: none
  bool accumulate;
};

// A single row waits for its own sums unless there are many.
inline constexpr std::size_t kSingleVectors = 8;

template <class T, std::size_t R, std::size_t V>
HWY_NOINLINE void offset_tile(const OffsetTile<T>& t) {
  const Tag<T> d;
  constexpr std::size_t kL = kLanes<Tag<T>>;
  const T* HWY_RESTRICT a = t.a;
  const T* HWY_RESTRICT x = t.x;
  const Offset* HWY_RESTRICT offset = t.offset;
  T* HWY_RESTRICT c = t.c;
  hn::Vec<Tag<T>> sum[R][V], row[V];
  HWY_UNROLL(16)
  for (std::size_t i = 0; i < R; ++i) {
    HWY_UNROLL(8)
    for (std::size_t j = 0; j < V; ++j) {
      sum[i][j] = t.accumulate ? hn::LoadU(d, c + i * kTileWidth<T> + j * kL)
                               : hn::Set(d, t.bias != nullptr ? t.bias[i] : T(0));
    }
  }
  HWY_UNROLL(1)
  for (std::size_t p = t.k; p != 0; --p, a += R) {
    const T* b = x + *offset++;
    HWY_UNROLL(8)
    for (std::size_t j = 0; j < V; ++j) {
      row[j] = hn::LoadU(d, b + j * kL);
      keep_for<R>(row[j]);
    }
    HWY_UNROLL(16)
    for (std::size_t i = 0; i < R; ++i) {
      const auto factor = hn::Set(d, a[i]);
      HWY_UNROLL(8)
      for (std::size_t j = 0; j < V; ++j) sum[i][j] = hn::MulAdd(factor, row[j], sum[i][j]);
    }
  }
  HWY_UNROLL(16)
  for (std::size_t i = 0; i < R; ++i) {
    HWY_UNROLL(8)
    for (std::size_t j = 0; j < V; ++j) hn::StoreU(sum[i][j], d, c + i * kTileWidth<T> + j * kL);
  }
}

template <class T> using OffsetKernels = std::array<void (*)(const OffsetTile<T>&), kMaxRows + 1>;
template <class T, std::size_t V, std::size_t... R>
constexpr OffsetKernels<T> offset_tiles(std::index_sequence<R...>) {
  return {nullptr, &offset_tile<T, R + 1, V>...};
}
template <class T>
inline constexpr OffsetKernels<T> kOffsetTiles[2] = {
    offset_tiles<T, 1>(std::make_index_sequence<kMaxRows>()),
    offset_tiles<T, 2>(std::make_index_sequence<kMaxRows>())};

template <class T>
void pack_offset_product(std::size_t m, std::size_t k, const T* a, std::size_t row,
                         std::size_t column, T* packed) {
  const Panels panels(m, kMaxRows);
  for (std::size_t p = 0; p < panels.count; a += panels.rows(p++) * row) {
    for (std::size_t j = 0; j < k; ++j) {
      for (std::size_t i = 0; i < panels.rows(p); ++i) *packed++ = a[i * row + j * column];
    }
  }
}

// count rows of n elements.
template <class T>
void copy_stretches(const T* from, std::size_t n, std::size_t count, T* to, Offset step) {
  const Tag<T> d;
  constexpr std::size_t kL = kLanes<Tag<T>>;
  const std::size_t whole = n / kL * kL, edge = n - whole;
  const auto mask = hn::FirstN(d, edge);
  for (std::size_t i = 0; i < count; ++i, from += kTileWidth<T>, to += step) {
    for (std::size_t j = 0; j != whole; j += kL) hn::StoreU(hn::LoadU(d, from + j), d, to + j);
    if (edge != 0) store_edge(d, mask, load_edge(d, mask, from + whole, edge), to + whole, edge);
  }
}

// The results of pixels [first, first + count), [m, a tile's width], to where they belong. Pixels beyond the
// width of a row are none.
template <class T>
void place_results(const OffsetProduct<T>& g, const T* from, Offset first, Offset count) {
  for (Offset p = first, row = first / g.pitch; p < first + count; ++row) {
    const Offset column = p - row * g.pitch;
    const Offset end = std::min(first + count, (row + 1) * g.pitch);
    const Offset n = std::min(end, row * g.pitch + g.width) - p;
    const T* source = from + (p - first);
    T* to = g.y + row * g.width + column;
    p = end;
    if (n > 0) copy_stretches(source, static_cast<std::size_t>(n), g.m, to, g.y_plane);
  }
}

// Fetches where the results of the tile at pixel `first` go, all but what runs on into the next row.
template <class T> void fetch_results(const OffsetProduct<T>& g, Offset first) {
  const Offset row = first / g.pitch;
  const T* to = g.y + row * g.width + std::min(first - row * g.pitch, g.width - 1);
  for (std::size_t i = 0; i < g.m; ++i, to += g.y_plane) {
    hwy::Prefetch(to);
    hwy::Prefetch(to + kLanes<Tag<T>>);
  }
}

// Neighboring pixels, a tile's width at a time; several rows of the image in one go, as far as they
// follow each other closely.
template <class T>
void product_stretch(const OffsetProduct<T>& g, Offset first, Offset count, Fetch& fetch) {
  const Panels panels(g.m, kMaxRows);
  constexpr auto kWidth = static_cast<Offset>(kTileWidth<T>);
  constexpr auto kSingle = static_cast<Offset>(kSingleVectors * kLanes<Tag<T>>);
  T* results = scratch<T>(Scratch::conv_y, g.m == 1 ? kSingle : g.m * kTileWidth<T>);
  for (Offset p = first, n = 0; p < first + count; p += n) {
    const bool single = g.m == 1 && first + count - p >= kSingle;
    n = single ? kSingle : std::min(kWidth, first + count - p);
    const auto& kernels = kOffsetTiles<T>[n > kWidth / 2];
    fetch.piece();
    fetch_results(g, p);
    std::size_t k = 0;
    do {
      const std::size_t depth = std::min(kOffsetBlock, g.k - k);
      for (std::size_t q = 0, i = 0; q < panels.count; i += panels.rows(q++)) {
        const std::size_t rows = panels.rows(q);
        (single ? &offset_tile<T, 1, kSingleVectors> : kernels[rows])(
            {depth, g.a + i * g.k + k * rows, g.x + p, g.offset + k, results + i * kTileWidth<T>,
             g.bias != nullptr ? g.bias + i : nullptr, k > 0});
      }
      k += depth;
    } while (k < g.k);
    place_results(g, results, p, n);
  }
}

template <class T> void offset_product(const OffsetProduct<T>& call) {
  constexpr auto kWidth = static_cast<Offset>(kTileWidth<T>);
  OffsetProduct<T> g = call;
  if (g.pitch == g.width) {  // all rows are one
    g.pitch = g.width *= g.rows;
    g.rows = 1;
  }
  const Offset by_row = (g.width + kWidth - 1) / kWidth;
  Fetch fetch(g.ahead, static_cast<std::size_t>(g.rows * by_row));
  if (g.pitch <= by_row * kWidth || (g.m == 1 && g.pitch <= 2 * g.width)) {
    return product_stretch(g, 0, (g.rows - 1) * g.pitch + g.width, fetch);
  }
  for (Offset row = 0; row < g.rows; ++row) product_stretch(g, row * g.pitch, g.width, fetch);
}

// to[i, :] += from[i, :], rows of n elements. Without masks where n allows: what overlapping taps add to
// is stored and loaded again at once.
template <class T>
void add_stretches(const T* from, Offset from_step, std::size_t n, Offset count, T* to,
                   Offset to_step) {
  const Tag<T> d;
  constexpr std::size_t kL = kLanes<Tag<T>>;
  const std::size_t edge = n % kL;
  for (Offset i = 0; i < count; ++i, from += from_step, to += to_step) {
    std::size_t j = 0;
    for (; j + kL <= n; j += kL) store(load(d, to + j) + load(d, from + j), to + j);
    if (edge != 0) {
      store_first(load_first(d, to + j, edge) + load_first(d, from + j, edge), to + j, edge);
    }
  }
}

// --- Sums over pixels: a tile is R offsets by V vectors of channels of y.

template <class T> struct SumTile {
  const T* x;
  const Offset* offset;  // [R]
  Offset rows, width, pitch;
  const T* y;
  std::size_t ld;
  T* sum;
};

template <class T, std::size_t R, std::size_t V> HWY_NOINLINE void sum_tile(const SumTile<T>& t) {
  const Tag<T> d;
  constexpr std::size_t kL = kLanes<Tag<T>>;
  const T* HWY_RESTRICT y = t.y;
  T* HWY_RESTRICT out = t.sum;
  const std::size_t ld = t.ld;
  const Offset width = t.width, pitch = t.pitch;
  const T* x[R];
  hn::Vec<Tag<T>> sum[R][V], row[V];
  HWY_UNROLL(16)
  for (std::size_t i = 0; i < R; ++i) {
    x[i] = t.x + t.offset[i];
    HWY_UNROLL(2)
    for (std::size_t j = 0; j < V; ++j) sum[i][j] = hn::LoadU(d, out + i * ld + j * kL);
  }
  for (Offset r = t.rows; r != 0; --r) {
    HWY_UNROLL(1)
    for (Offset q = 0; q < width; ++q, y += ld) {
      HWY_UNROLL(2)
      for (std::size_t j = 0; j < V; ++j) {
        row[j] = hn::LoadU(d, y + j * kL);
        keep_for<R>(row[j]);
      }
      HWY_UNROLL(16)
      for (std::size_t i = 0; i < R; ++i) {
        const auto factor = hn::Set(d, x[i][q]);
        HWY_UNROLL(2)
        for (std::size_t j = 0; j < V; ++j) sum[i][j] = hn::MulAdd(factor, row[j], sum[i][j]);
      }
    }
    HWY_UNROLL(16)
    for (std::size_t i = 0; i < R; ++i) x[i] += pitch;
  }
  HWY_UNROLL(16)
  for (std::size_t i = 0; i < R; ++i) {
    HWY_UNROLL(2)
    for (std::size_t j = 0; j < V; ++j) hn::StoreU(sum[i][j], d, out + i * ld + j * kL);
  }
}

template <class T> using SumKernels = std::array<void (*)(const SumTile<T>&), kMaxRows + 1>;
template <class T, std::size_t V, std::size_t... R>
constexpr SumKernels<T> sum_tiles(std::index_sequence<R...>) {
  return {nullptr, &sum_tile<T, R + 1, V>...};
}
template <class T>
inline constexpr SumKernels<T> kSumTiles[2] = {
    sum_tiles<T, 1>(std::make_index_sequence<kMaxRows>()),
    sum_tiles<T, 2>(std::make_index_sequence<kMaxRows>())};

template <class T> void offset_sums(const OffsetSums<T>& g) {
  constexpr std::size_t kL = kLanes<Tag<T>>;
  const Panels panels(g.k, kMaxRows);
  const Offset block = std::max<Offset>(1, static_cast<Offset>(kPixelBlock) / g.width);
  const std::size_t blocks = static_cast<std::size_t>((g.rows + block - 1) / block);
  Fetch fetch[] = {{g.ahead[0], blocks * panels.count}, {g.ahead[1], blocks * panels.count}};
  for (Offset row = 0; row < g.rows; row += block) {
    const Offset rows = std::min(block, g.rows - row);
    for (std::size_t o = 0; o < g.ld; o += 2 * kL) {
      const auto& kernels = kSumTiles<T>[g.ld - o > kL];
      for (std::size_t p = 0, k = 0; p < panels.count; k += panels.rows(p++)) {
        for (Fetch& f : fetch) f.piece();
        kernels[panels.rows(p)]({g.x + row * g.pitch, g.offset + k, rows, g.width, g.pitch,
                                 g.y + static_cast<std::size_t>(row * g.width) * g.ld + o, g.ld,
                                 g.sum + k * g.ld + o});
      }
    }
  }
}

// --- The same sums for few filters: a tile is R offsets by O filters, its vectors run along the pixels.

inline constexpr std::size_t kDotOffsets = kMaxRows > 6 ? 9 : 5;

template <class T> struct DotTile {
  const T* x;
  const Offset* offset;  // [R]
  Offset rows, width, pitch;
  const T* y;
  Offset y_plane;
  T* sum;
  std::size_t sum_step;  // distance of the sums of two filters
};

template <class T, std::size_t R, std::size_t O> HWY_NOINLINE void dot_tile(const DotTile<T>& t) {
  const Tag<T> d;
  constexpr auto kL = static_cast<Offset>(kLanes<Tag<T>>);
  const Offset width = t.width, edge = width % kL;
  const auto mask = hn::FirstN(d, static_cast<std::size_t>(edge));
  const T* x[R];
  const T* y[O];
  hn::Vec<Tag<T>> sum[R][O], column[O];
  HWY_UNROLL(9)
  for (std::size_t i = 0; i < R; ++i) {
    x[i] = t.x + t.offset[i];
    for (std::size_t o = 0; o < O; ++o) sum[i][o] = hn::Zero(d);
  }
  for (std::size_t o = 0; o < O; ++o) y[o] = t.y + static_cast<Offset>(o) * t.y_plane;
  for (Offset r = t.rows; r != 0; --r) {
    Offset q = 0;
    HWY_UNROLL(1)
    for (; q + kL <= width; q += kL) {
      HWY_UNROLL(2)
      for (std::size_t o = 0; o < O; ++o) column[o] = hn::LoadU(d, y[o] + q);
      HWY_UNROLL(9)
      for (std::size_t i = 0; i < R; ++i) {
        const auto row = hn::LoadU(d, x[i] + q);
        HWY_UNROLL(2)
        for (std::size_t o = 0; o < O; ++o) sum[i][o] = hn::MulAdd(row, column[o], sum[i][o]);
      }
    }
    if (edge != 0) {  // beyond a row x may be anything, as infinite
      const auto n = static_cast<std::size_t>(edge);
      HWY_UNROLL(2)
      for (std::size_t o = 0; o < O; ++o) column[o] = load_edge(d, mask, y[o] + q, n);
      HWY_UNROLL(9)
      for (std::size_t i = 0; i < R; ++i) {
        const auto row = load_edge(d, mask, x[i] + q, n);
        HWY_UNROLL(2)
        for (std::size_t o = 0; o < O; ++o) sum[i][o] = hn::MulAdd(row, column[o], sum[i][o]);
      }
    }
    HWY_UNROLL(9)
    for (std::size_t i = 0; i < R; ++i) x[i] += t.pitch;
    HWY_UNROLL(2)
    for (std::size_t o = 0; o < O; ++o) y[o] += width;
  }
  for (std::size_t o = 0; o < O; ++o) {
    for (std::size_t i = 0; i < R; ++i) {
      t.sum[o * t.sum_step + i] += hn::GetLane(hn::SumOfLanes(d, sum[i][o]));
    }
  }
}

template <class T> using DotKernels = std::array<void (*)(const DotTile<T>&), kDotOffsets + 1>;
template <class T, std::size_t O, std::size_t... R>
constexpr DotKernels<T> dot_tiles(std::index_sequence<R...>) {
  return {nullptr, &dot_tile<T, R + 1, O>...};
}
template <class T>
inline constexpr DotKernels<T> kDotTiles[2] = {
    dot_tiles<T, 1>(std::make_index_sequence<kDotOffsets>()),
    dot_tiles<T, 2>(std::make_index_sequence<kDotOffsets>())};

template <class T> void offset_dots(const OffsetDots<T>& g) {
  const Panels panels(g.k, kDotOffsets);
  for (std::size_t o = 0; o < g.filters; o += 2) {
    const auto& kernels = kDotTiles<T>[g.filters - o > 1];
    for (std::size_t p = 0, k = 0; p < panels.count; k += panels.rows(p++)) {
      kernels[panels.rows(p)]({g.x, g.offset + k, g.rows, g.width, g.pitch,
                               g.y + static_cast<Offset>(o) * g.y_plane, g.y_plane,
                               g.sum + o * g.k + k, g.k});
    }
  }
}

template <class T>
inline constexpr ConvTable<T> kConvTable = {
    kLanes<Tag<T>>,     &pack_offset_product<T>, &copy_rows<T>,
    &offset_product<T>, &offset_sums<T>,         &offset_dots<T>,
    &copy_second<T>,    &add_stretches<T>,       &add_second<T>};

}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
