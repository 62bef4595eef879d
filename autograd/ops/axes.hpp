// SPDX-License-Identifier: Apache-2.0
// Axes as bits, the shapes that reductions leave behind, and the lines along one axis: what reductions,
// scans and orders share. Nothing here is an operation.
#pragma once

#include "op.hpp"

namespace autograd::ops {

inline bool reduced(std::uint32_t axes, int axis) { return axes >> axis & 1; }

/// x's shape without the axes, or with extent 1 in their place.
Shape reduced_shape(const Shape& x, std::uint32_t axes, bool keepdim);
/// How many elements of x make one of the result.
std::int64_t reduced_count(const Shape& x, std::uint32_t axes);
/// The axes as the public functions take them.
Axes axis_list(std::uint32_t axes, int dim);
/// The reverse: bits, all of them when none is given; throws ValueError in the name of `function`.
std::uint32_t axis_mask(const char* function, const Tensor& x, const Axes& axes);
/// The axis of a scan or an order; a scalar counts as one line of one element, as in PyTorch.
int line_axis(const char* function, const Tensor& x, std::int64_t axis);
/// Throws ValueError unless every element of the result has at least one to be chosen from.
void require_elements(const char* function, const Tensor& x, std::uint32_t axes);

/// dy with the reduced axes back as 1, repeated along them. Recorded.
Tensor spread(const Tensor& dy, const Shape& shape, std::uint32_t axes);
/// dy shared evenly by the elements of x that equal the result y, 0 elsewhere; where y is NaN, by the
/// NaNs of the line. Recorded as a function of dy.
Tensor share_evenly(const Tensor& dy, const Tensor& x, const Tensor& y, std::uint32_t axes);

/// x as [outer, extent, inner], extent along the axis; a scalar is [1, 1, 1].
struct AxisLayout {
  std::size_t outer = 1, extent = 1, inner = 1;
  AxisLayout(const Shape& shape, int axis) {
    for (int i = 0; i < shape.dim(); ++i) {
      (i < axis ? outer : i == axis ? extent : inner) *= static_cast<std::size_t>(shape[i]);
    }
  }
};

}  // namespace autograd::ops
