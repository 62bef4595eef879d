// SPDX-License-Identifier: Apache-2.0
// Reductions over axes, and the softmax family along one axis.
#pragma once

#include "op.hpp"

namespace autograd::ops {

/// Sum or mean of x over the axes whose bit is set.
struct Sum {
  static constexpr OpInfo info{"sum", "sum of x over axes", "dy, broadcast"};
  static std::vector<OpCase> cases();
  std::uint32_t axes = 0;
  bool keepdim = false;
  Shape from = {};  // of x

  Saves saved() const { return Saves::nothing; }
  Tensor forward(const Tensor& x) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};
struct Mean {
  static constexpr OpInfo info{"mean", "mean of x over axes", "dy / n, broadcast",
                               "NaN for no elements"};
  static std::vector<OpCase> cases();
  std::uint32_t axes = 0;
  bool keepdim = false;
  Shape from = {};  // of x

  Saves saved() const { return Saves::nothing; }
  Tensor forward(const Tensor& x) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};
/// The largest element over the axes; ties share the gradient evenly.
struct Max {
  static constexpr OpInfo info{"max", "max of x over axes", "dy at the largest, evenly among ties",
                               "NaN propagates"};
  static std::vector<OpCase> cases();
  std::uint32_t axes = 0;
  bool keepdim = false;

  Saves saved() const { return Saves::both; }
  Tensor forward(const Tensor& x) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};
/// The smallest element over the axes; ties share the gradient evenly.
struct Min {
  static constexpr OpInfo info{"min", "min of x over axes", "dy at the smallest, evenly among ties",
                               "NaN propagates"};
  static std::vector<OpCase> cases();
  std::uint32_t axes = 0;
  bool keepdim = false;

  Saves saved() const { return Saves::both; }
  Tensor forward(const Tensor& x) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};
struct LogSumExp {
  static constexpr OpInfo info{
      "logsumexp", "ln sum e^x along an axis", "dy softmax(x)",
      "all -inf: -inf, gradient 0; +inf: gradient shared by the infinities"};
  static std::vector<OpCase> cases();
  int axis = 0;
  bool keepdim = false;

  Saves saved() const { return Saves::both; }
  Tensor forward(const Tensor& x) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};
struct Softmax {
  static constexpr OpInfo info{"softmax", "e^x / sum e^x along an axis", "y (dy - sum(dy y))",
                               "a row of -inf gives zeros"};
  static std::vector<OpCase> cases();
  int axis = 0;

  Saves saved() const { return Saves::output; }
  Tensor forward(const Tensor& x) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};
struct LogSoftmax {
  static constexpr OpInfo info{"log_softmax", "x - logsumexp(x) along an axis", "dy - e^y sum(dy)"};
  static std::vector<OpCase> cases();
  int axis = 0;

  Saves saved() const { return Saves::output; }
  Tensor forward(const Tensor& x) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};
/// x summed down to a shape that broadcasts to x's.
struct SumTo {
  static constexpr OpInfo info{"sum_to", "x summed to a shape", "dy, broadcast"};
  static std::vector<OpCase> cases();
  Shape shape;
  Shape from = {};  // of x

  Saves saved() const { return Saves::nothing; }
  Tensor forward(const Tensor& x) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};

}  // namespace autograd::ops
