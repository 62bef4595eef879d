// SPDX-License-Identifier: Apache-2.0
// Where the elements of a tensor lie, as a value that can be computed with, and walking two of them
// side by side: what views and index operations are looped with. Offsets and strides are in elements.
#pragma once

#include <array>
#include <cstdint>

#include "../tensor.hpp"

namespace autograd::ops {

using Strides = std::array<std::int64_t, kMaxDim>;

struct Layout {
  Shape shape;
  Strides strides{};
  std::int64_t offset = 0;

  std::int64_t stride(int axis) const { return strides[static_cast<std::size_t>(axis)]; }
  /// One more axis, innermost.
  void add_axis(std::int64_t extent, std::int64_t stride) {
    shape.push_back(extent);
    strides[static_cast<std::size_t>(shape.dim() - 1)] = stride;
  }
};

inline Layout layout_of(const Tensor& x) { return {x.shape(), x.node()->strides, 0}; }

/// That of a fresh tensor.
inline Layout row_major_layout(const Shape& shape) {
  Layout layout{shape, {}, 0};
  std::uint64_t stride = 1;  // wraps around for a shape that is too large, which making it refuses
  for (int i = shape.dim() - 1; i >= 0; --i) {
    layout.strides[static_cast<std::size_t>(i)] = static_cast<std::int64_t>(stride);
    stride *= static_cast<std::uint64_t>(shape[i]);
  }
  return layout;
}

/// Calls f(offset_a, offset_b, n, step_a, step_b) for each innermost row of two tensors of one shape,
/// in row-major order; nothing for no elements.
template <class F> void for_each_row_pair(const Layout& a, const Strides& b, F&& f) {
  const int outer = a.shape.dim() - 1;
  if (outer < 0) return f(a.offset, std::int64_t{0}, std::int64_t{1}, 1, 1);
  std::int64_t rows = 1;
  for (int i = 0; i < outer; ++i) rows *= a.shape[i];
  const std::int64_t n = a.shape[outer];
  if (n == 0) return;
  const auto last = static_cast<std::size_t>(outer);
  std::array<std::int64_t, kMaxDim> index{};
  std::int64_t at_a = a.offset, at_b = 0;
  for (std::int64_t row = 0; row < rows; ++row) {
    f(at_a, at_b, n, a.strides[last], b[last]);
    for (int i = outer - 1; i >= 0; --i) {  // the next index, as an odometer counts
      const auto k = static_cast<std::size_t>(i);
      at_a += a.strides[k];
      at_b += b[k];
      if (++index[k] < a.shape[i]) break;
      at_a -= a.strides[k] * a.shape[i];
      at_b -= b[k] * a.shape[i];
      index[k] = 0;
    }
  }
}

}  // namespace autograd::ops
