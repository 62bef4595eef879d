// SPDX-License-Identifier: Apache-2.0
// Matrix products.
#pragma once

#include "op.hpp"

namespace autograd::ops {

/// a [..., m, k] by b [..., k, n]; leading axes broadcast.
struct Matmul {
  static constexpr OpInfo info{"matmul", "a b", "dy b^T, a^T dy"};
  static std::vector<OpCase> cases();

  Saves saved() const { return Saves::inputs; }
  Tensor forward(const Tensor& a, const Tensor& b) const;
  void backward(const Saved<2>& saved, const Tensor& dy, Gradients<2>& dx) const;
};

/// x [..., k], W [n, k], b [n]: x W^T + b.
struct Linear {
  static constexpr OpInfo info{"linear", "x W^T + b", "dy W, dy^T x, sum of dy"};
  static constexpr unsigned kSavedInputs = 0b011;
  static std::vector<OpCase> cases();

  Saves saved() const { return Saves::inputs; }
  Tensor forward(const Tensor& x, const Tensor& weight, const Tensor& bias) const;
  void backward(const Saved<3>& saved, const Tensor& dy, Gradients<3>& dx) const;
};
/// The same without b.
struct LinearNoBias {
  static constexpr OpInfo info{"linear, no bias", "x W^T", "dy W, dy^T x"};
  static std::vector<OpCase> cases();

  Saves saved() const { return Saves::inputs; }
  Tensor forward(const Tensor& x, const Tensor& weight) const;
  void backward(const Saved<2>& saved, const Tensor& dy, Gradients<2>& dx) const;
};

}  // namespace autograd::ops
