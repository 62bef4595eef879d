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

/// Cross-entropy of the rows of x [n, c], as softmax has them, with targets q: 1 - smoothing at the row's
/// label, and smoothing / c everywhere: [n], in nats. One pass forward and one backward; the
/// composition of log_softmax and pick goes over an array of x's size six times.
struct CrossEntropy {
  static constexpr OpInfo info{"cross_entropy", "-sum(q log_softmax(x)) of each row",
                               "dy (softmax(x) - q)", "label -1: 0, no gradient"};
  static std::vector<OpCase> cases();
  Attribute label;  ///< int64 [n]: below c, -1 for rows that do not count
  double smoothing = 0;
  Tensor subtracted;  ///< [2, n]: what log_softmax subtracts from a row; filled in by forward

  static constexpr Saves saved() { return Saves::inputs; }
  Tensor forward(const Tensor& x) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};

}  // namespace autograd::ops
