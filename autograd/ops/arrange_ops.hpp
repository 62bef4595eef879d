// SPDX-License-Identifier: Apache-2.0
// Tensors put together, and parts of matrices. Cat takes any number of operands: apply_list.hpp records
// it, and asks it for the adjoint of one operand after the other.
#pragma once

#include "op.hpp"

namespace autograd::ops {

/// Operands one after the other along an axis. Those of shape [0] among others of more axes count for
/// nothing, as in PyTorch.
struct Cat {
  static constexpr OpInfo info{"cat", "tensors one after the other", "each its part of dy",
                               "the same tensor may appear twice"};
  static std::vector<OpCase> cases();
  int axis = 0;
  std::vector<std::int64_t>
      starts;  // of each operand along the axis, and the end; -1: of shape [0]

  /// Checks the shapes; the operands have one dtype.
  Cat(const std::vector<Tensor>& in, std::int64_t axis);
  Tensor forward(const std::vector<Tensor>& in) const;
  Tensor backward(std::size_t k, const Tensor& dy) const;

 private:
  Shape shape_;
};

/// The elements of matrices on, and below or above, a diagonal; 0 elsewhere.
struct Triangle {
  static constexpr OpInfo info{"tril, triu", "the triangle of x, else 0", "the triangle of dy",
                               "what is outside is not read: its NaN goes nowhere"};
  static std::vector<OpCase> cases();
  std::int64_t diagonal = 0;
  bool upper = false;

  static constexpr Saves saved() { return Saves::nothing; }
  Tensor forward(const Tensor& x) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};

}  // namespace autograd::ops
