// SPDX-License-Identifier: Apache-2.0
// Dropout: a mask that a counter decides, so that it is drawn again rather than kept.
#pragma once

#include "op.hpp"

namespace autograd::ops {

/// Recorded: the elements of x that word i of the stream keeps, times 1 / (1 - p).
Tensor drop(const Tensor& x, double p, std::uint64_t seed, std::uint64_t first_block);

struct Dropout {
  static constexpr OpInfo info{"dropout", "x / (1 - p) or, with probability p, 0",
                               "the same mask on dy", "p = 1: zeros, gradient 0"};
  static std::vector<OpCase> cases();
  double p = 0.5;
  std::uint64_t seed = 0, first_block = 0;

  static constexpr Saves saved() { return Saves::nothing; }
  Tensor forward(const Tensor& x) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};

}  // namespace autograd::ops
