// SPDX-License-Identifier: Apache-2.0
// The strategy of gemm: which kernel, which copies, which blocks, which threads.
//   all extents at most 16 and little work      gemm_tiny-inl.hpp
//   few rows or columns, contiguous along k     gemm_dot-inl.hpp, and a single dot product
//   one to four rows, B's rows contiguous       gemm_rows-inl.hpp
//   otherwise                                   tiles, operands in place unless copying pays
// k is cut at multiples that depend on k alone, threads get blocks of C, and dot products are
// chosen by the whole shape: an element's bits do not depend on the number of threads.
#if defined(AUTOGRAD_GEMM_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef AUTOGRAD_GEMM_INL
#undef AUTOGRAD_GEMM_INL
#else
#define AUTOGRAD_GEMM_INL
#endif

#include <algorithm>
#include <cstddef>

#include "gemm.hpp"
#include "gemm_dot-inl.hpp"
#include "gemm_micro-inl.hpp"
#include "gemm_pack-inl.hpp"
#include "gemm_rows-inl.hpp"
#include "gemm_tiny-inl.hpp"
#include "parallel.hpp"
#include "scratch.hpp"

HWY_BEFORE_NAMESPACE();
namespace autograd::kernels::HWY_NAMESPACE {

inline constexpr std::size_t kDepthBlock = 256;  // of k: a panel of B is then 32 KiB, most of L1
// Of n: packed B is then 1 MiB for float. For few rows a quarter of it, as copying is then much of the
// work, and goes twice as fast where what it writes stays in L2.
inline constexpr std::size_t kColumnBlock = 1024;
inline constexpr std::size_t kFewColumns = 12;
// Offset between packed panels and rows, so that their starts do not share cache sets.
inline constexpr std::size_t kStagger = 16;

/// A row block of op(A) against all panels of a column block of B.
template <class T> struct Sweep {
  ALayout layout;
  std::size_t m, max_rows;
  const T* a;
  std::size_t a_row;    // distance of rows of op(A), or
  std::size_t a_panel;  // that of its panels, where these are packed
  const T* b;
  std::size_t panel_step;
  T* c;
  std::size_t n;
  const T* bias;
};

template <class T> HWY_NOINLINE void sweep(const TileCall& u, const Sweep<T>& s) {
  constexpr std::size_t kWidth = kTileWidth<T>;
  const std::size_t last = (s.n - 1) / kWidth;  // index of the last panel, the only narrow one
  const std::size_t last_width = s.n - last * kWidth;
  const TileKernels<T>& full = tiles<T>(s.layout, kWidth);
  const TileKernels<T>& narrow = tiles<T>(s.layout, last_width);
  const Panels panels(s.m, s.max_rows);
  for (std::size_t p = 0, i = 0; p < panels.count; i += panels.rows(p++)) {
    const T* a = s.a + (s.a_panel != 0 ? p * s.a_panel : i * s.a_row);
    T* c = s.c + i * u.ldc;
    for (std::size_t j = 0; j <= last; ++j) {
      (j == last ? narrow : full)[panels.rows(p)](
          u, a, s.b + j * s.panel_step, c + j * kWidth, j == last ? last_width : kWidth,
          s.bias != nullptr ? s.bias + j * kWidth : nullptr);
    }
  }
}

// Rows a multiple of 4 KiB apart share one set of L1: reading 14 of them in place thrashes it (137
// instead of 225 GF/s), 10 fit.
template <class T> std::size_t rows_in_place(const GemmCall<T>& g) {
  const bool conflict = !g.transpose_a && g.lda * sizeof(T) % 4096 == 0;
  return conflict ? std::min<std::size_t>(kMaxRows, 10) : kMaxRows;
}

template <class T> void gemm_in_place(const GemmCall<T>& g) {
  const bool ta = g.transpose_a;
  const TileCall u = {g.k, g.lda, g.ldb, g.ldc, g.accumulate, false};
  sweep(u,
        Sweep<T>{ta ? ALayout::column_contiguous : ALayout::row_contiguous, g.m, rows_in_place(g),
                 g.a, ta ? 1 : g.lda, 0, g.b, kTileWidth<T>, g.c, g.n, g.bias});
}

/// What is copied before it is used: operands too large to be read again and again where they are, or
/// whose rows fall on few sets of L1, and where the copy is read often enough to pay.
template <class T> struct Copies {
  bool a, b;
  explicit Copies(const GemmCall<T>& g) {
    constexpr std::size_t kWidth = kTileWidth<T>, kLarge = std::size_t{1} << 20;
    const std::size_t a_bytes = g.m * g.k * sizeof(T), b_bytes = g.k * g.n * sizeof(T);
    const bool a_conflicts = g.lda * sizeof(T) % 4096 == 0;
    const bool b_conflicts = g.ldb * sizeof(T) % 2048 == 0;
    b = g.transpose_b || (g.cold_b && b_bytes > kLarge / 4) || (g.m > 128 && b_bytes > kLarge) ||
        (g.m >= kMaxRows && b_bytes > 4 * kLarge) || (g.n < kWidth && g.m >= 32) ||
        (g.m >= 64 && g.k > 32 && b_conflicts);
    if (g.transpose_a) {
      a = g.m >= 32 && g.n >= 3 * kWidth && g.k >= 32 && (a_conflicts || a_bytes > kLarge / 4);
    } else {
      a = g.k > 128 &&
          ((g.n >= 512 && a_bytes > kLarge) || (g.n >= 256 && g.m >= 32 && a_conflicts));
    }
  }
};

// One depth block (k elements from p0 on) of one column block: [m, k] by [k, n] into C.
template <class T>
void gemm_block(const GemmCall<T>& g, const Copies<T>& copies, std::size_t p0, std::size_t k,
                std::size_t j0, std::size_t n) {
  const bool ta = g.transpose_a, tb = g.transpose_b;
  const T* a = g.a + (ta ? p0 * g.lda : p0);
  const T* b = g.b + (tb ? j0 * g.ldb + p0 : p0 * g.ldb + j0);
  TileCall u = {k,
                g.lda,
                g.ldb,
                g.ldc,
                g.accumulate || p0 > 0,
                g.m * g.n * sizeof(T) > (std::size_t{256} << 10)};
  Sweep<T> s = {ta ? ALayout::column_contiguous : ALayout::row_contiguous,
                g.m,
                rows_in_place(g),
                a,
                ta ? 1 : g.lda,
                0,
                b,
                kTileWidth<T>,
                g.c + j0,
                n,
                g.bias != nullptr && p0 == 0 ? g.bias + j0 : nullptr};
  if (copies.b) {
    s.panel_step = k * kTileWidth<T> + kStagger;
    const std::size_t panels = (n + kTileWidth<T> - 1) / kTileWidth<T>;
    T* packed = scratch<T>(Scratch::gemm_b, panels * s.panel_step);
    (tb ? &pack_columns<T> : &pack_rows<T>)(b, g.ldb, k, n, packed, s.panel_step);
    s.b = packed;
    u.ldb = kTileWidth<T>;
  }
  if (!copies.a) return sweep(u, s);

  // A few panels of A at a time, copied just before use. Transposed ones panel by panel in the order
  // of use, in larger groups, for whole cache lines of their columns to be used at once.
  const std::size_t stride = k + kStagger, group = ta ? 8 * kMaxRows : kMaxRows;
  T* packed = scratch<T>(Scratch::gemm_a, group * stride);
  s.max_rows = kMaxRows;
  s.a = packed;
  s.a_row = stride;
  u.a_stride = ta ? kMaxRows : stride;
  if (ta) s.a_panel = kMaxRows * stride;
  const Panels groups(g.m, group);
  for (std::size_t i = 0; i < groups.count; ++i) {
    s.m = groups.rows(i);
    if (ta) {
      pack_a(a, g.lda, k, Panels(s.m, kMaxRows), packed, kMaxRows, s.a_panel);
    } else {
      copy_rows(a, g.lda, s.m, k, packed, stride);
    }
    sweep(u, s);
    a += s.m * (ta ? 1 : g.lda);
    s.c += s.m * g.ldc;
  }
}

// The same sums as by other tiles, to the bit.
template <class T> void gemm_few_rows(const GemmCall<T>& g) {
  constexpr std::size_t kWidth = kTileWidth<T>;
  const bool ta = g.transpose_a;
  const Panels depths(g.k, kDepthBlock);
  for (std::size_t pb = 0, p = 0; pb < depths.count; p += depths.rows(pb++)) {
    const FewRows<T> all = {g.a + p * (ta ? g.lda : 1),
                            ta ? 1 : g.lda,
                            ta ? g.lda : 1,
                            g.b + p * g.ldb,
                            depths.rows(pb),
                            g.ldb,
                            g.c,
                            g.ldc,
                            p == 0 ? g.bias : nullptr,
                            g.accumulate || p > 0};
    const std::size_t done = g.m == 1   ? row_tiles<T, 1>(all, g.n)
                             : g.m == 2 ? row_tiles<T, 2>(all, g.n)
                             : g.m == 3 ? row_tiles<T, 3>(all, g.n)
                                        : row_tiles<T, 4>(all, g.n);
    if (done == g.n) continue;
    const FewRows<T> rest = all.from(done);
    sweep(TileCall{rest.k, g.lda, g.ldb, g.ldc, rest.accumulate, false},
          Sweep<T>{ta ? ALayout::column_contiguous : ALayout::row_contiguous, g.m, kMaxRows, rest.a,
                   g.lda, 0, rest.b, kWidth, rest.c, g.n - done, rest.bias});
  }
}

/// All of one call on this thread, by tiles.
template <class T> void gemm_serial(const GemmCall<T>& g) {
  if (g.m <= kFewRows && !g.transpose_b && g.n >= 3 * kLanes<Tag<T>>) return gemm_few_rows(g);
  const bool small = g.k <= kDepthBlock && g.k * g.n * sizeof(T) <= (std::size_t{256} << 10);
  const Copies<T> copies(g);
  if (small && g.m <= 512 && !copies.a && !copies.b) return gemm_in_place(g);
  const std::size_t most = copies.b && g.m <= 256 ? kColumnBlock / 4 : kColumnBlock;
  const Panels columns((g.n + kTileWidth<T> - 1) / kTileWidth<T>, most / kTileWidth<T>);
  const Panels depths(g.k, kDepthBlock);
  for (std::size_t jb = 0, j = 0; jb < columns.count; ++jb) {
    const std::size_t n = std::min(columns.rows(jb) * kTileWidth<T>, g.n - j);
    for (std::size_t pb = 0, p = 0; pb < depths.count; p += depths.rows(pb++)) {
      gemm_block(g, copies, p, depths.rows(pb), j, n);
    }
    j += n;
  }
}

template <class T>
GemmCall<T> block_of(const GemmCall<T>& g, std::size_t i, std::size_t m, std::size_t j,
                     std::size_t n) {
  GemmCall<T> block = g;
  block.m = m;
  block.n = n;
  block.a += g.transpose_a ? i : i * g.lda;
  block.b += g.transpose_b ? j * g.ldb : j;
  block.c += i * g.ldc + j;
  if (g.bias != nullptr) block.bias += j;
  return block;
}

/// How many blocks C is cut into each way.
struct Cuts {
  std::size_t down = 1, across = 1;
};

/// `tasks` blocks, or fewer where there are not so many units: all threads are done at the same time
/// only if their number divides that of the blocks. Of these ways the one whose largest block takes
/// least: its products, and reading a row and a column of operands for each row and column of it.
inline Cuts cuts(std::size_t tasks, std::size_t m, std::size_t n, std::size_t row_unit,
                 std::size_t column_unit) {
  constexpr std::size_t kReading = 8;  // in products
  const std::size_t row_units = (m + row_unit - 1) / row_unit;
  const std::size_t column_units = (n + column_unit - 1) / column_unit;
  Cuts best;
  std::size_t least = ~std::size_t{0};
  for (std::size_t down = 1; down <= std::min(tasks, row_units); ++down) {
    const std::size_t across = std::min((tasks + down - 1) / down, column_units);
    const std::size_t height = (row_units + down - 1) / down * row_unit;
    const std::size_t width = (column_units + across - 1) / across * column_unit;
    const std::size_t rounds = (down * across + tasks - 1) / tasks;
    const std::size_t time = rounds * (height * width + kReading * (height + width));
    if (time < least) {
      least = time;
      best = {down, across};
    }
  }
  return best;
}

// A task should carry 2^19 multiplications (about 10 us) to outweigh its start.
template <class T>
HWY_NOINLINE void gemm_threads(const GemmCall<T>& g, std::size_t tasks, bool dots) {
  const std::size_t row_unit = dots ? kDotBlock : kMaxRows;
  const std::size_t column_unit = dots ? kDotBlock : kTileWidth<T>;
  const std::size_t row_units = (g.m + row_unit - 1) / row_unit;
  const std::size_t column_units = (g.n + column_unit - 1) / column_unit;
  const auto [down, across] = cuts(tasks, g.m, g.n, row_unit, column_unit);
  const Panels rows(row_units, (row_units + down - 1) / down);
  const Panels columns(column_units, (column_units + across - 1) / across);
  parallel_for(rows.count * columns.count, 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t task = begin; task < end; ++task) {
      const std::size_t r = task / columns.count, c = task % columns.count;
      const std::size_t i = (r * rows.height + std::min(r, rows.taller)) * row_unit;
      const std::size_t j = (c * columns.height + std::min(c, columns.taller)) * column_unit;
      const std::size_t m = std::min(rows.rows(r) * row_unit, g.m - i);
      const std::size_t n = std::min(columns.rows(c) * column_unit, g.n - j);
      const GemmCall<T> block = block_of(g, i, m, j, n);
      dots ? gemm_dots(block) : gemm_serial(block);
    }
  });
}

// Few columns of a B that is not contiguous along k: turned once, then dot products.
template <class T> HWY_NOINLINE GemmCall<T> turn_b(GemmCall<T> g) {
  constexpr std::size_t kL = kLanes<Tag<T>>;
  const std::size_t stride = (g.k + kL - 1) / kL * kL + kL;
  T* turned = scratch<T>(Scratch::gemm_b, g.n * stride);
  for (std::size_t p = 0; p < g.k; ++p) {
    for (std::size_t j = 0; j < g.n; ++j) turned[j * stride + p] = g.b[p * g.ldb + j];
  }
  g.transpose_b = true;
  g.b = turned;
  g.ldb = stride;
  return g;
}

// One column of a product by a turned A is one row of a product by A as it is stored.
template <class T> GemmCall<T> column_as_row(const GemmCall<T>& g) {
  GemmCall<T> row = {};
  row.transpose_a = !g.transpose_b;
  row.m = 1;
  row.n = g.m;
  row.k = g.k;
  row.a = g.b;
  row.lda = g.ldb;
  row.b = g.a;
  row.ldb = g.lda;
  row.c = g.c;
  row.ldc = g.m;
  row.accumulate = g.accumulate;
  return row;
}

// A contiguous column is a contiguous row of the transpose.
template <class T> bool one_dot_of(const GemmCall<T>& g) {
  return kHasMaskedAccess && g.m == 1 && g.n == 1 && g.k >= 8 * kLanes<Tag<T>> &&
         (!g.transpose_a || g.lda == 1) && (g.transpose_b || g.ldb == 1);
}

template <class T> void gemm_any(const GemmCall<T>& g) {
  if (std::max({g.m, g.n, g.k}) <= kTinyExtent && g.m * g.n * g.k <= 512) return gemm_tiny(g);
  if (g.m == 0 || g.n == 0) return;
  if (one_dot_of(g)) return one_dot(g);
  if (g.n == 1 && g.transpose_a && g.ldc == 1 && g.bias == nullptr && g.m > 1) {
    return gemm_any(column_as_row(g));
  }
  const bool few_columns = g.n <= kFewColumns;
  const bool dots = kHasMaskedAccess && !g.transpose_a && g.k >= 8 * kLanes<Tag<T>> &&
                    (g.transpose_b ? few_columns || g.m <= kFewColumns : few_columns && g.m >= 32);
  const std::size_t work = g.m * g.n * g.k;
  const std::size_t threads =
      work < (std::size_t{1} << 20) ? 1 : static_cast<std::size_t>(num_threads());
  const std::size_t tasks = std::min(threads == 1 ? 1 : 2 * threads, work >> 19);
  if (dots) {
    const GemmCall<T> call = g.transpose_b ? g : turn_b(g);
    return tasks > 1 ? gemm_threads(call, tasks, true) : gemm_dots(call);
  }
  tasks > 1 ? gemm_threads(g, tasks, false) : gemm_serial(g);
}

}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
