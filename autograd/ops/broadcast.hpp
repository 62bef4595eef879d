// SPDX-License-Identifier: Apache-2.0
// Walking two strided operands and a contiguous result in rows: what elementwise ops are looped with.
#pragma once

#include <array>
#include <cstdint>

#include "../tensor.hpp"

namespace autograd::ops {

/// The loops that remain after neighboring axes are merged. Strides are in elements; those of the
/// innermost axis are 0 or 1 (operands are made contiguous before otherwise).
struct Loops {
  int dim = 0;  // outer axes
  std::array<std::int64_t, kMaxDim> extent{}, a{}, b{};
  std::int64_t inner = 1;
  int inner_a = 1, inner_b = 1;
};

/// Loops over `shape` for operands that broadcast to it. False when an operand's innermost stride is
/// neither 0 nor 1, or when rows would be shorter than the operand deserves: copy it first.
bool plan_loops(const Shape& shape, const Tensor& a, const Tensor& b, Loops& loops);

/// Calls f(offset_a, offset_b, offset_y) for each row of loops.inner elements.
template <class F> void for_each_row(const Loops& loops, F&& f) {
  std::array<std::int64_t, kMaxDim> index{};
  std::int64_t a = 0, b = 0, y = 0, rows = 1;
  for (int i = 0; i < loops.dim; ++i) rows *= loops.extent[static_cast<std::size_t>(i)];
  for (std::int64_t row = 0; row < rows; ++row) {
    f(a, b, y);
    y += loops.inner;
    for (int i = loops.dim - 1; i >= 0; --i) {
      const auto k = static_cast<std::size_t>(i);
      a += loops.a[k];
      b += loops.b[k];
      if (++index[k] < loops.extent[k]) break;
      a -= loops.a[k] * loops.extent[k];
      b -= loops.b[k] * loops.extent[k];
      index[k] = 0;
    }
  }
}

}  // namespace autograd::ops
