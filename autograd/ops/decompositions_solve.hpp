// SPDX-License-Identifier: Apache-2.0
// Determinants, inverses and linear systems. Adjoints are those of Giles, An extended collection of
// matrix derivative results for forward and reverse mode algorithmic differentiation (2008), section 2.
#pragma once

#include "op.hpp"

namespace autograd::ops {

struct Inverse {
  static constexpr OpInfo info{"inverse", "a^-1", "-y^T dy y^T", "throws where a is singular"};
  static std::vector<OpCase> cases();

  Saves saved() const { return Saves::output; }
  Tensor forward(const Tensor& a) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};
/// a [..., n, n], b [..., n, k] or, where `vector`, [..., n]; the axes in front broadcast.
struct Solve {
  static constexpr OpInfo info{"solve", "a^-1 b", "-db y^T, db = a^-T dy",
                               "throws where a is singular"};
  static constexpr unsigned kSavedInputs = 0b01;
  static std::vector<OpCase> cases();
  bool vector = false;
  Shape b_shape;

  Saves saved() const { return Saves::both; }
  Tensor forward(const Tensor& a, const Tensor& b) const;
  void backward(const Saved<2>& saved, const Tensor& dy, Gradients<2>& dx) const;
};
struct SolveTriangular {
  static constexpr OpInfo info{"solve_triangular", "a^-1 b for a triangle of a",
                               "-db y^T in the triangle, db = a^-T dy",
                               "infinite where the diagonal has a 0"};
  static constexpr unsigned kSavedInputs = 0b01;
  static std::vector<OpCase> cases();
  bool upper = false, unitriangular = false;
  Shape b_shape;

  Saves saved() const { return Saves::both; }
  Tensor forward(const Tensor& a, const Tensor& b) const;
  void backward(const Saved<2>& saved, const Tensor& dy, Gradients<2>& dx) const;
};
struct Det {
  static constexpr OpInfo info{"det", "det a", "dy cofactors(a)", "right for singular a, too"};
  static std::vector<OpCase> cases();

  Saves saved() const { return Saves::inputs; }
  Tensor forward(const Tensor& a) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};
/// The derivative of det. Its own is exact for singular matrices, but the derivative of that, the third
/// of det, divides by the determinant.
struct Cofactors {
  static constexpr OpInfo info{"cofactors", "d det a / d a", "(y <dy, y> - y dy^T y) / det a",
                               "internal; the derivative is right for singular a, too"};
  static std::vector<OpCase> cases();

  Saves saved() const { return Saves::both; }
  Tensor forward(const Tensor& a) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};
/// The value comes from slogdet, which computes the sign with it.
struct LogAbsDet {
  static constexpr OpInfo info{"slogdet", "ln |det a|", "dy a^-T",
                               "-inf and an infinite derivative where a is singular"};
  static std::vector<OpCase> cases();
  Tensor value;

  Saves saved() const { return Saves::both; }
  Tensor forward(const Tensor&) const { return value; }
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};

}  // namespace autograd::ops

namespace autograd::detail {

/// The recorded function; internal.
Tensor cofactors(const Tensor& a);

}  // namespace autograd::detail
