// SPDX-License-Identifier: Apache-2.0
#include "integers.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <type_traits>

#include "axes.hpp"
#include "broadcast.hpp"

namespace autograd::ops {

namespace {

using Limits = std::numeric_limits<std::int64_t>;

std::int64_t start_of(Fold fold) {
  switch (fold) {
    case Fold::sum: return 0;
    case Fold::prod: return 1;
    case Fold::max: return Limits::min();
    default: return Limits::max();
  }
}

// Unsigned arithmetic wraps around where signed would be undefined.
template <Fold fold> std::int64_t combine(std::int64_t a, std::int64_t b) {
  const auto p = static_cast<std::uint64_t>(a), q = static_cast<std::uint64_t>(b);
  if constexpr (fold == Fold::sum) return static_cast<std::int64_t>(p + q);
  if constexpr (fold == Fold::prod) return static_cast<std::int64_t>(p * q);
  return fold == Fold::max ? std::max(a, b) : std::min(a, b);
}

// n, a multiple of 8, bytes of 0 or 1: eight counters in a word, emptied before one overflows.
std::int64_t count_true(const bool* row, std::int64_t n) {
  std::int64_t result = 0;
  for (std::int64_t i = 0; i < n;) {
    std::uint64_t counters = 0;
    for (const std::int64_t end = std::min(n, i + 8 * 255); i < end; i += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, row + i, sizeof word);
      counters += word;
    }
    for (; counters != 0; counters >>= 8) result += static_cast<std::int64_t>(counters & 255);
  }
  return result;
}

template <Fold fold, class T>
void fold_row(const T* row, std::int64_t* y, std::int64_t n, int step) {
  if (step == 0) {
    std::int64_t result = *y, i = 0;
    if constexpr (fold == Fold::sum && std::is_same_v<T, bool>) {
      i = n - n % 8;
      result += count_true(row, i);
    } else if constexpr (fold == Fold::sum) {
      std::int64_t part[8] = {};  // in chains: one addition waits for the one before
      for (; i + 8 <= n; i += 8) {
        for (int k = 0; k < 8; ++k) part[k] = combine<fold>(part[k], row[i + k]);
      }
      for (std::int64_t p : part) result = combine<fold>(result, p);
    }
    for (; i < n; ++i) result = combine<fold>(result, row[i]);
    *y = result;
  } else {
    for (std::int64_t i = 0; i < n; ++i) y[i] = combine<fold>(y[i], row[i]);
  }
}

template <class T> auto row_folder(Fold fold) {
  switch (fold) {
    case Fold::sum: return &fold_row<Fold::sum, T>;
    case Fold::prod: return &fold_row<Fold::prod, T>;
    case Fold::max: return &fold_row<Fold::max, T>;
    default: return &fold_row<Fold::min, T>;
  }
}

template <class T> void fold_rows(Fold fold, const Tensor& x, const Tensor& y, const Loops& loops) {
  const auto folder = row_folder<T>(fold);
  for_each_row(loops, [&](std::int64_t, std::int64_t to, std::int64_t from) {
    folder(data<T>(x) + from, data<std::int64_t>(y) + to, loops.inner, loops.inner_b);
  });
}

}  // namespace

Tensor fold_integers(Fold fold, const Tensor& x, std::uint32_t axes, bool keepdim) {
  const Tensor source = row_major(detach(x));
  Tensor y = make(reduced_shape(x.shape(), axes, keepdim), int64);
  std::fill_n(data<std::int64_t>(y), count(y), start_of(fold));
  // Rows along the last axis; b walks y, standing still along the axes that are folded.
  const int last = x.dim() - 1;
  Loops loops;
  loops.dim = std::max(last, 0);
  loops.inner = last < 0 ? 1 : x.shape()[last];
  std::int64_t stride = 1;
  for (int i = last; i >= 0; --i) {
    const bool folded = reduced(axes, i);
    const auto k = static_cast<std::size_t>(i);
    if (i < last) {
      loops.extent[k] = x.shape()[i];
      loops.b[k] = folded ? 0 : stride;
    } else {
      loops.inner_b = folded ? 0 : 1;
    }
    if (!folded) stride *= x.shape()[i];
  }
  if (source.numel() == 0) return y;
  x.dtype() == boolean ? fold_rows<bool>(fold, source, y, loops)
                       : fold_rows<std::int64_t>(fold, source, y, loops);
  return y;
}

}  // namespace autograd::ops
