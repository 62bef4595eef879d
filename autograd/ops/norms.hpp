// SPDX-License-Identifier: Apache-2.0
// Norms, variance and standard deviation over axes.
#pragma once

#include "op.hpp"

namespace autograd::ops {

/// (sum |x|^p)^(1/p); p = 0 counts, p = inf and -inf are the largest and the smallest |x|.
struct Norm {
  static constexpr OpInfo info{"norm", "(sum abs(x)^p)^(1/p) over axes",
                               "dy sign(x) (abs(x) / y)^(p - 1)",
                               "gradient 0 where y is 0; p = inf, -inf: evenly among ties"};
  static std::vector<OpCase> cases();
  double p = 2;
  std::uint32_t axes = 0;
  bool keepdim = false;

  Saves saved() const { return Saves::both; }
  Tensor forward(const Tensor& x) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};
/// sum (x - mean)^2 / (n - correction).
struct Variance {
  static constexpr OpInfo info{"var", "sum (x - mean)^2 / (n - correction) over axes",
                               "dy 2 (x - mean) / (n - correction)", "NaN for n <= correction"};
  static std::vector<OpCase> cases();
  std::uint32_t axes = 0;
  bool keepdim = false;
  std::int64_t correction = 1;

  Saves saved() const { return Saves::inputs; }
  Tensor forward(const Tensor& x) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};
/// The square root of the variance.
struct StandardDeviation {
  static constexpr OpInfo info{"std", "sqrt(var(x)) over axes",
                               "dy (x - mean) / ((n - correction) y)",
                               "constant x: 0, gradient 0; NaN for n <= correction"};
  static std::vector<OpCase> cases();
  std::uint32_t axes = 0;
  bool keepdim = false;
  std::int64_t correction = 1;

  Saves saved() const { return Saves::both; }
  Tensor forward(const Tensor& x) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};

}  // namespace autograd::ops
