// SPDX-License-Identifier: Apache-2.0
// What sorting and selection are made of: positions, which have no derivative; gather (index_ops.hpp)
// takes the elements. A scalar is a line of one element.
#pragma once

#include "op.hpp"

namespace autograd::ops {

/// The lower median of all elements.
struct Median {
  static constexpr OpInfo info{"median", "lower median of all elements",
                               "dy at the median, evenly among ties", "NaN propagates"};
  static std::vector<OpCase> cases();

  Saves saved() const { return Saves::both; }
  Tensor forward(const Tensor& x) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};

// Positions along the axis, int64; every value of x is in range. Nothing is recorded.
/// Of the k first in ascending or descending order: x's shape with extent k.
Tensor top_positions(const Tensor& x, int axis, std::int64_t k, bool descending);
/// Of the element of that rank, extent 1.
Tensor rank_positions(const Tensor& x, int axis, std::int64_t rank, bool nan_first);
/// Of the first largest or smallest element, extent 1.
Tensor extreme_positions(const Tensor& x, int axis, bool largest);

}  // namespace autograd::ops
