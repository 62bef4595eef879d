// SPDX-License-Identifier: Apache-2.0
// Attention as one operation: the weights, [..., queries, keys], are never kept (Rabe, Staats 2021, with
// whole rows at a time; Dao et al. 2022).
#pragma once

#include <optional>

#include "op.hpp"

namespace autograd::ops {

struct Attention {
  static constexpr OpInfo info{
      "scaled_dot_product_attention", "p v, p = softmax(q k^T scale) over unmasked keys",
      "dp = dy v^T, ds = p (dp - sum(p dp)): ds k scale; ds^T q scale; p^T dy",
      "a query that attends to nothing: 0, gradient 0"};
  static std::vector<OpCase> cases();
  double scale = 1;
  bool causal = false;
  std::optional<Attribute> attend;  // bool, broadcasts to [..., queries, keys]
  // Dropout of the weights: words of this stream.
  double p = 0;
  std::uint64_t seed = 0, first_block = 0;

  static constexpr Saves saved() { return Saves::inputs; }
  /// Leading axes are equal.
  Tensor forward(const Tensor& q, const Tensor& k, const Tensor& v) const;
  void backward(const Saved<3>& saved, const Tensor& dy, Gradients<3>& dx) const;

 private:
  void backward_kernels(const Saved<3>& saved, const Tensor& dy, Gradients<3>& dx) const;
  /// Bool [queries, keys] or more axes: who attends to whom; undefined: all to all.
  Tensor mask(const Shape& scores) const;
};

}  // namespace autograd::ops
