// SPDX-License-Identifier: Apache-2.0
#include "integers.hpp"

#include <limits>

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

std::int64_t combine(Fold fold, std::int64_t a, std::int64_t b) {
  // Unsigned arithmetic wraps around where signed would be undefined.
  const auto p = static_cast<std::uint64_t>(a), q = static_cast<std::uint64_t>(b);
  switch (fold) {
    case Fold::sum: return static_cast<std::int64_t>(p + q);
    case Fold::prod: return static_cast<std::int64_t>(p * q);
    case Fold::max: return std::max(a, b);
    default: return std::min(a, b);
  }
}

}  // namespace

Tensor fold_integers(Fold fold, const Tensor& x, std::uint32_t axes, bool keepdim) {
  const Tensor source = row_major(to(detach(x), int64));
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
  for_each_row(loops, [&](std::int64_t, std::int64_t to, std::int64_t from) {
    const std::int64_t* row = data<std::int64_t>(source) + from;
    std::int64_t* target = data<std::int64_t>(y) + to;
    for (std::int64_t i = 0; i < loops.inner; ++i) {
      std::int64_t& result = target[i * loops.inner_b];
      result = combine(fold, result, row[i]);
    }
  });
  return y;
}

}  // namespace autograd::ops
