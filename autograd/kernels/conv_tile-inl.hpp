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
    HWY_UNROLL(2)
    for (std::size_t j = 0; j < V; ++j) {
      sum[i][j] = t.accumulate ? hn::LoadU(d, c + i * kTileWidth<T> + j * kL)
                               : hn::Set(d, t.bias != nullptr ? t.bias[i] : T(0));
    }
  }
  HWY_UNROLL(1)
  for (std::size_t p = t.k; p != 0; --p, a += R) {
    const T* b = x + *offset++;
    HWY_UNROLL(2)
    for (std::size_t j = 0; j < V; ++j) {
      row[j] = hn::LoadU(d, b + j * kL);
      keep_for<R>(row[j]);
    }
    HWY_UNROLL(16)
    for (std::size_t i = 0; i < R; ++i) {
      const auto factor = hn::Set(d, a[i]);
      HWY_UNROLL(2)
      for (std::size_t j = 0; j < V; ++j) sum[i][j] = hn::MulAdd(factor, row[j], sum[i][j]);
    }
  }
  HWY_UNROLL(16)
  for (std::size_t i = 0; i < R; ++i) {
    HWY_UNROLL(2)
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

// count rows of n elements (0 < n <= 2 vectors).
template <class T>
void copy_stretches(const T* from, std::size_t n, std::size_t count, T* to, Offset step) {
  const Tag<T> d;
  constexpr std::size_t kL = kLanes<Tag<T>>;
  const std::size_t whole = n >= kL ? kL : 0, edge = n - whole;
  const auto mask = hn::FirstN(d, edge);
  for (std::size_t i = 0; i < count; ++i, from += kTileWidth<T>, to += step) {
    if (whole != 0) hn::StoreU(hn::LoadU(d, from), d, to);
    if (edge != 0) store_edge(d, mask, load_edge(d, mask, from + whole, edge), to + whole, edge);
  }
}

// The results of pixels [first, first + count), [m, 2 vectors], to where they belong. Pixels beyond the
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
  T* results = scratch<T>(Scratch::conv_y, g.m * kTileWidth<T>);
  constexpr auto kWidth = static_cast<Offset>(kTileWidth<T>);
  for (Offset p = first; p < first + count; p += kWidth) {
    const Offset n = std::min(kWidth, first + count - p);
    const auto& kernels = kOffsetTiles<T>[n > kWidth / 2];
    fetch.piece();
    fetch_results(g, p);
    std::size_t k = 0;
    do {
      const std::size_t depth = std::min(kOffsetBlock, g.k - k);
      for (std::size_t q = 0, i = 0; q < panels.count; i += panels.rows(q++)) {
        const std::size_t rows = panels.rows(q);
        kernels[rows]({depth, g.a + i * g.k + k * rows, g.x + p, g.offset + k,
                       results + i * kTileWidth<T>, g.bias != nullptr ? g.bias + i : nullptr,
                       k > 0});
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
  if (g.pitch <= by_row * kWidth) {
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

template <class T>
inline constexpr ConvTable<T> kConvTable = {kLanes<Tag<T>>,  &pack_offset_product<T>,
                                            &copy_rows<T>,   &offset_product<T>,
                                            &offset_sums<T>, &add_stretches<T>};

}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
