// SPDX-License-Identifier: Apache-2.0
// Losses that are operations of their own, because a small network's step is mostly overhead.
#pragma once

#include "op.hpp"

namespace autograd::ops {

/// The mean of (a - b)^2 over all elements of two tensors of one shape.
struct MeanSquaredError {
  static constexpr OpInfo info{"mean_squared_error", "mean of (a - b)^2",
                               "2 dy (a - b) / n, negated", "NaN for no elements"};
  static std::vector<OpCase> cases();

  Saves saved() const { return Saves::inputs; }
  Tensor forward(const Tensor& a, const Tensor& b) const;
  void backward(const Saved<2>& saved, const Tensor& dy, Gradients<2>& dx) const;
};

}  // namespace autograd::ops
