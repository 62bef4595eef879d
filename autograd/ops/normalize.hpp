// SPDX-License-Identifier: Apache-2.0
// Normalization with weight and bias: batch, layer, group, instance and root-mean-square norm are one
// op over different axes (kernels/norm.hpp). Its statistics are tensors of the caller's, whose running ones
// learn from them; backward knows that they depend on x.
#pragma once

#include "../kernels/norm.hpp"
#include "op.hpp"

namespace autograd::ops {

/// What a normalization standardizes with: float64 [rows] each; scale = 1 / sqrt(variance + eps).
struct Statistics {
  Tensor mean, variance, scale;
};
/// Of that many rows, for forward() to fill in.
Statistics make_statistics(const kernels::NormShape& s);
void set_scale(Statistics& statistics, double eps);

struct Normalize {
  static constexpr OpInfo info{
      "normalize", "(x - mean(x)) / sqrt(var(x) + eps) weight + bias",
      "s (g - mean(g) - u mean(g u)), g = dy weight, u = (x - mean) s; sum(dy u), sum(dy)",
      "statistics of x, or fixed ones; rms: no mean"};
  static std::vector<OpCase> cases();
  static constexpr unsigned kSavedInputs = 0b011;
  kernels::NormShape s;
  kernels::NormKind kind = kernels::NormKind::centered;
  double eps = 0;
  Statistics statistics;  ///< filled in by forward, unless kind is fixed
  Shape weight_shape;

  Saves saved() const { return Saves::inputs; }
  Tensor forward(const Tensor& x, const Tensor& weight, const Tensor& bias) const;
  void backward(const Saved<3>& saved, const Tensor& dy, Gradients<3>& dx) const;

 private:
  void backward_kernels(const Saved<3>& saved, const Tensor& dy, Gradients<3>& dx) const;
  Shape split() const;
};

}  // namespace autograd::ops
