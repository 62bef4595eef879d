// SPDX-License-Identifier: Apache-2.0
// The matrix exponential, the pseudoinverse and least squares.
#pragma once

#include "op.hpp"

namespace autograd::ops {

struct MatrixExp {
  static constexpr OpInfo info{"matrix_exp", "e^a",
                               "upper right block of exp [[a^T, dy], [0, a^T]]"};
  static std::vector<OpCase> cases();

  Saves saved() const { return Saves::inputs; }
  Tensor forward(const Tensor& a) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};
struct Pinv {
  static constexpr OpInfo info{"pinv", "a^+",
                               "-y^T dy y^T + (1 - a y) dy^T y y^T + y^T y dy^T (1 - y a)",
                               "among matrices of one rank"};
  static std::vector<OpCase> cases();
  double rtol = -1;

  Saves saved() const { return Saves::both; }
  Tensor forward(const Tensor& a) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};
/// The value comes from lstsq, which knows the rank with it.
struct Lstsq {
  static constexpr OpInfo info{"lstsq", "a^+ b", "that of pinv(a) b"};
  static std::vector<OpCase> cases();
  double rtol = -1;
  bool vector = false;
  Tensor value;

  Saves saved() const { return Saves::both; }
  Tensor forward(const Tensor&, const Tensor&) const { return value; }
  void backward(const Saved<2>& saved, const Tensor& dy, Gradients<2>& dx) const;
};

/// 1 / s for the singular values that count by rtol, 0 for the others.
Tensor inverted(const Tensor& s, double rtol, std::int64_t m, std::int64_t n);

}  // namespace autograd::ops
