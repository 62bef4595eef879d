// SPDX-License-Identifier: Apache-2.0
// An element becomes an integer that sorts like it, with its position behind: one comparison of plain
// integers settles size and stability, and no order of the comparisons can change the result.
#include "order.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "parallel.hpp"
#include "reduce.hpp"
#include "scratch.hpp"

namespace autograd::kernels {

namespace {

constexpr std::size_t kTaskElements = 1 << 12;  // what a task should at least order

__extension__ typedef unsigned __int128 Wide;

// Unsigned integers in the order of the elements: floats have theirs but for the sign.
template <class T> auto key_of(T x) {
  if constexpr (std::is_same_v<T, bool>) {
    return std::uint32_t{x};
  } else if constexpr (std::is_same_v<T, std::int64_t>) {
    return static_cast<std::uint64_t>(x) ^ (std::uint64_t{1} << 63);
  } else {
    using U = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
    constexpr U kSign = U{1} << (8 * sizeof(T) - 1);
    if (std::isnan(x)) return static_cast<U>(~U{0});
    const U bits = std::bit_cast<U>(x == 0 ? T(0) : x);
    return static_cast<U>(bits & kSign ? ~bits : bits | kSign);
  }
}

// Entry: std::uint64_t for keys and positions of 32 bits each, else Wide.
template <class Entry> constexpr int kHalf = static_cast<int>(4 * sizeof(Entry));
template <class Entry, class T> Entry entry_of(T x, std::size_t position, bool descending) {
  const auto key = key_of(x);
  using Key = std::remove_const_t<decltype(key)>;
  return static_cast<Entry>(descending ? static_cast<Key>(~key) : key) << kHalf<Entry> |
         static_cast<Entry>(position);
}
template <class Entry> std::int64_t position_of(Entry entry) {
  constexpr Entry kLow = (Entry{1} << kHalf<Entry>)-1;
  return static_cast<std::int64_t>(entry & kLow);
}

template <class T> bool is_nan(T x) {
  if constexpr (std::is_floating_point_v<T>) return std::isnan(x);
  return false;
}

// f(line, first, o, i) with the entries of every line, in scratch memory.
template <class Entry, class T, class F>
void for_each_line(const T* x, const Lines& lines, bool descending, F&& f) {
  const std::size_t grain = kTaskElements / std::max<std::size_t>(1, lines.extent) + 1;
  parallel_for(lines.outer * lines.inner, grain, [&](std::size_t begin, std::size_t end) {
    Entry* line = scratch<Entry>(Scratch::order, lines.extent);
    for (std::size_t task = begin; task < end; ++task) {
      const std::size_t o = task / lines.inner, i = task % lines.inner;
      const T* first = x + o * lines.extent * lines.inner + i;
      for (std::size_t e = 0; e < lines.extent; ++e) {
        line[e] = entry_of<Entry>(first[e * lines.inner], e, descending);
      }
      f(line, first, o, i);
    }
  });
}

// f.template operator()<Entry>() with the narrowest entry.
template <class T, class F> void with_entry(std::size_t extent, F&& f) {
  if constexpr (sizeof(T) <= 4) {
    if (extent >> 32 == 0) return f.template operator()<std::uint64_t>();
  }
  f.template operator()<Wide>();
}

}  // namespace

namespace {

// The k smallest entries of a line of neighbors, in order. Most elements are turned away 16 at a time by one
// comparison with the worst of the best so far: 8,000 elements cost 1 us, where selecting costs 40.
template <bool kDescending, class Entry, class T>
void few_best(const T* x, std::size_t n, std::size_t k, Entry* best) {
  constexpr std::size_t kBlock = 16;
  for (std::size_t e = 0; e < k; ++e) best[e] = entry_of<Entry>(x[e], e, kDescending);
  std::sort(best, best + k);
  T worst = x[position_of(best[k - 1])];
  // NaN is never turned away here; nor is anything while the worst is NaN.
  const auto enters = [&](T value) { return kDescending ? !(value <= worst) : !(value >= worst); };
  const auto consider = [&](std::size_t e) {
    if (!enters(x[e])) return;
    const Entry entry = entry_of<Entry>(x[e], e, kDescending);
    if (entry >= best[k - 1]) return;
    std::size_t at = k - 1;
    for (; at > 0 && best[at - 1] > entry; --at) best[at] = best[at - 1];
    best[at] = entry;
    worst = x[position_of(best[k - 1])];
  };
  std::size_t e = k;
  for (; e + kBlock <= n; e += kBlock) {
    int some = 0;
    for (std::size_t j = 0; j < kBlock; ++j) some |= static_cast<int>(enters(x[e + j]));
    if (some == 0) continue;
    for (std::size_t j = 0; j < kBlock; ++j) consider(e + j);
  }
  for (; e < n; ++e) consider(e);
}

// Where k is so small that inserting beats selecting.
template <class Entry, class T>
void few_positions(const T* x, std::int64_t* index, const Lines& lines, std::size_t k,
                   bool descending) {
  const std::size_t grain = 8 * kTaskElements / lines.extent + 1;
  parallel_for(lines.outer, grain, [&](std::size_t begin, std::size_t end) {
    Entry* best = scratch<Entry>(Scratch::order, k);
    for (std::size_t o = begin; o < end; ++o) {
      const T* line = x + o * lines.extent;
      if (descending) {
        few_best<true>(line, lines.extent, k, best);
      } else {
        few_best<false>(line, lines.extent, k, best);
      }
      for (std::size_t r = 0; r < k; ++r) index[o * k + r] = position_of(best[r]);
    }
  });
}

}  // namespace

template <class T>
void top_positions(const T* x, std::int64_t* index, Lines lines, std::size_t k, bool descending) {
  with_entry<T>(lines.extent, [&]<class Entry>() {
    if (lines.inner == 1 && k > 0 && k <= 64 && 16 * k <= lines.extent) {
      few_positions<Entry>(x, index, lines, k, descending);
      return;
    }
    for_each_line<Entry>(x, lines, descending,
                         [&](Entry* line, const T*, std::size_t o, std::size_t i) {
                           Entry* end = line + lines.extent;
                           if (k < lines.extent) std::nth_element(line, line + k, end);
                           std::sort(line, line + k);
                           std::int64_t* to = index + o * k * lines.inner + i;
                           for (std::size_t r = 0; r < k; ++r)
                             to[r * lines.inner] = position_of(line[r]);
                         });
  });
}

template <class T>
void rank_positions(const T* x, std::int64_t* index, Lines lines, std::size_t rank,
                    bool nan_first) {
  with_entry<T>(lines.extent, [&]<class Entry>() {
    for_each_line<Entry>(x, lines, false,
                         [&](Entry* line, const T* first, std::size_t o, std::size_t i) {
                           std::int64_t& to = index[o * lines.inner + i];
                           for (std::size_t e = 0; nan_first && e < lines.extent; ++e) {
                             if (!is_nan(first[e * lines.inner])) continue;
                             to = static_cast<std::int64_t>(e);
                             return;
                           }
                           std::nth_element(line, line + rank, line + lines.extent);
                           to = position_of(line[rank]);
                         });
  });
}

namespace {

// The first element that is the line's extreme, which is NaN where there is one.
template <class T> std::size_t first_extreme(const T* x, std::size_t extent, T top) {
  std::size_t e = 0;
  if (is_nan(top)) {
    while (e + 1 < extent && !is_nan(x[e])) ++e;
  } else {
    while (e + 1 < extent && x[e] != top) ++e;
  }
  return e;
}

template <class T> void extremes(const T* x, T* top, const Lines& lines, bool largest) {
  if constexpr (std::is_floating_point_v<T>) {
    (largest ? &max<T> : &min<T>)(x, top, lines.outer, lines.extent, lines.inner);
  } else {
    for (std::size_t o = 0; o < lines.outer; ++o, top += lines.inner) {
      const T* row = x + o * lines.extent * lines.inner;
      std::copy_n(row, lines.inner, top);
      for (std::size_t e = 1; e < lines.extent; ++e) {
        row += lines.inner;
        for (std::size_t i = 0; i < lines.inner; ++i) {
          top[i] = largest ? std::max(top[i], row[i]) : std::min(top[i], row[i]);
        }
      }
    }
  }
}

}  // namespace

template <class T>
void extreme_positions(const T* x, std::int64_t* index, T* top, Lines lines, bool largest) {
  extremes(x, top, lines, largest);
  const std::size_t block = std::max<std::size_t>(1, lines.extent * lines.inner);
  parallel_for(lines.outer, 8 * kTaskElements / block + 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t o = begin; o < end; ++o) {
      const T *first = x + o * block, *tops = top + o * lines.inner;
      std::int64_t* to = index + o * lines.inner;
      if (lines.inner == 1) {
        *to = static_cast<std::int64_t>(first_extreme(first, lines.extent, *tops));
        continue;
      }
      for (std::size_t e = lines.extent; e-- > 0;) {  // what is found last comes first
        const T* row = first + e * lines.inner;
        for (std::size_t i = 0; i < lines.inner; ++i) {
          to[i] = row[i] == tops[i] || is_nan(row[i]) ? static_cast<std::int64_t>(e) : to[i];
        }
      }
    }
  });
}

namespace {

// f(line, e, n) for runs of entries [outer, k, inner] from e on, whose elements are in the line of
// [outer, extent, inner] that starts at `line`: all of a line for inner == 1, else `inner` neighbors.
// Stops and returns false where f does.
template <class F> bool for_each_run(const Lines& lines, std::size_t k, const F& f) {
  const std::size_t row = k * lines.inner, n = lines.inner == 1 ? k : lines.inner;
  std::atomic<bool> good = true;
  parallel_for(lines.outer, 8 * kTaskElements / std::max<std::size_t>(1, row) + 1,
               [&](std::size_t begin, std::size_t end) {
                 for (std::size_t o = begin; o < end; ++o) {
                   const std::size_t line = o * lines.extent * lines.inner;
                   for (std::size_t e = o * row; e < (o + 1) * row; e += n) {
                     if (f(line, e, n)) continue;
                     good.store(false, std::memory_order_relaxed);
                     return;
                   }
                 }
               });
  return good.load(std::memory_order_relaxed);
}

// f(i, index[i]) for i < n, up to an index that is not below the extent. Four at a time: the comparisons
// then cost nothing next to the loads.
template <class F>
bool for_each_checked(const std::int64_t* index, std::size_t n, std::size_t extent, F f) {
  const auto at = [=](std::size_t i) { return static_cast<std::size_t>(index[i]); };
  std::size_t i = 0;
  for (; i + 4 <= n; i += 4) {
    const std::size_t p = at(i), q = at(i + 1), r = at(i + 2), s = at(i + 3);
    if (p >= extent || q >= extent || r >= extent || s >= extent) return false;
    f(i, p), f(i + 1, q), f(i + 2, r), f(i + 3, s);
  }
  for (; i < n; ++i) {
    if (at(i) >= extent) return false;
    f(i, at(i));
  }
  return true;
}

}  // namespace

template <class T>
bool take_along(const T* x, const std::int64_t* index, T* y, Lines lines, std::size_t k) {
  const std::size_t inner = lines.inner, extent = lines.extent;
  return for_each_run(lines, k, [=](std::size_t line, std::size_t e, std::size_t n) {
    const T* from = x + line;
    T* to = y + e;
    if (inner == 1) {
      return for_each_checked(index + e, n, extent,
                              [=](std::size_t i, std::size_t at) { to[i] = from[at]; });
    }
    return for_each_checked(index + e, n, extent,
                            [=](std::size_t i, std::size_t at) { to[i] = from[at * inner + i]; });
  });
}
template <class T>
bool add_along(const T* y, const std::int64_t* index, T* x, Lines lines, std::size_t k) {
  const std::size_t inner = lines.inner, extent = lines.extent;
  return for_each_run(lines, k, [=](std::size_t line, std::size_t e, std::size_t n) {
    const T* from = y + e;
    T* to = x + line;
    if (inner == 1) {
      return for_each_checked(index + e, n, extent,
                              [=](std::size_t i, std::size_t at) { to[at] += from[i]; });
    }
    return for_each_checked(index + e, n, extent,
                            [=](std::size_t i, std::size_t at) { to[at * inner + i] += from[i]; });
  });
}
namespace {

// R neighboring rows, so that an index is read once for all of them; a store of 16 bytes for four floats.
template <std::size_t R, class T>
void take_rows(const T* x, const std::int64_t* index, T* y, std::size_t extent, std::size_t n) {
  std::size_t i = 0;
  for (; i + 4 <= n; i += 4) {
    const std::int64_t p = index[i], q = index[i + 1], r = index[i + 2], s = index[i + 3];
    for (std::size_t row = 0; row < R; ++row) {
      const T* from = x + row * extent;
      const T four[4] = {from[p], from[q], from[r], from[s]};
      std::memcpy(y + row * n + i, four, sizeof four);
    }
  }
  for (; i < n; ++i) {
    const auto at = static_cast<std::size_t>(index[i]);
    for (std::size_t row = 0; row < R; ++row) y[row * n + i] = x[row * extent + at];
  }
}

}  // namespace

template <class T>
void take_columns(const T* x, const std::int64_t* index, T* y, std::size_t rows, std::size_t extent,
                  std::size_t n) {
  parallel_for(rows, 8 * kTaskElements / std::max<std::size_t>(1, n) + 1,
               [=](std::size_t begin, std::size_t end) {
                 std::size_t o = begin;
                 for (; o + 2 <= end; o += 2) {
                   take_rows<2>(x + o * extent, index, y + o * n, extent, n);
                 }
                 if (o < end) take_rows<1>(x + o * extent, index, y + o * n, extent, n);
               });
}

#define AUTOGRAD_INSTANTIATE(T)                                                           \
  template void top_positions(const T*, std::int64_t*, Lines, std::size_t, bool);         \
  template void rank_positions(const T*, std::int64_t*, Lines, std::size_t, bool);        \
  template void extreme_positions(const T*, std::int64_t*, T*, Lines, bool);              \
  template bool take_along(const T*, const std::int64_t*, T*, Lines, std::size_t);        \
  template void take_columns(const T*, const std::int64_t*, T*, std::size_t, std::size_t, \
                             std::size_t)
AUTOGRAD_INSTANTIATE(float);
AUTOGRAD_INSTANTIATE(double);
AUTOGRAD_INSTANTIATE(std::int64_t);
AUTOGRAD_INSTANTIATE(bool);
template bool add_along(const float*, const std::int64_t*, float*, Lines, std::size_t);
template bool add_along(const double*, const std::int64_t*, double*, Lines, std::size_t);

}  // namespace autograd::kernels
