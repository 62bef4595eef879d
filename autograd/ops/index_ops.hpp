// SPDX-License-Identifier: Apache-2.0
// Elements chosen by int64 tensors. The index is an attribute: contiguous, never differentiated,
// and checked before its first use: by check_index, or by Gather and ScatterAdd while they read it, who then
// throw their result away. Repeated indices add in the order of the index, so that a
// result depends on nothing else; where elements are replaced the last one wins, and only it gets a
// gradient.
#pragma once

#include "op.hpp"

namespace autograd::ops {

/// Throws in the name of `function` unless index is int64.
void check_index_dtype(const char* function, const Tensor& index);
/// The same, and unless its elements are in [0, extent).
void check_index(const char* function, const Tensor& index, std::int64_t extent);

/// Slices of x along an axis: y[..., i, ...] = x[..., index[i], ...].
struct IndexSelect {
  static constexpr OpInfo info{"index_select", "x[..., index[i], ...]", "index_add(0, index, dy)",
                               "repeated indices add up in order"};
  static std::vector<OpCase> cases();
  Attribute index;
  int axis = 0;
  Shape from;  // of x

  Saves saved() const { return Saves::nothing; }
  Tensor forward(const Tensor& x) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};
/// x with alpha source[..., i, ...] added to the slice index[i].
struct IndexAdd {
  static constexpr OpInfo info{"index_add", "x, source[i] added at index[i]",
                               "dy; index_select(dy)"};
  static std::vector<OpCase> cases();
  Attribute index;
  int axis = 0;
  double alpha = 1;

  Saves saved() const { return Saves::nothing; }
  Tensor forward(const Tensor& x, const Tensor& source) const;
  void backward(const Saved<2>& saved, const Tensor& dy, Gradients<2>& dx) const;
};
/// x with its slices index[i] replaced by source[..., i, ...].
struct IndexCopy {
  static constexpr OpInfo info{"index_copy", "x, source[i] at index[i]",
                               "dy, 0 there; index_select(dy)", "the last of repeated ones wins"};
  static std::vector<OpCase> cases();
  Attribute index;
  int axis = 0;

  Saves saved() const { return Saves::nothing; }
  Tensor forward(const Tensor& x, const Tensor& source) const;
  void backward(const Saved<2>& saved, const Tensor& dy, Gradients<2>& dx) const;
};
/// y[p] = x[p with the axis' place index[p]].
struct Gather {
  static constexpr OpInfo info{"gather", "x[..., index[p], ...]", "scatter_add(0, index, dy)",
                               "repeated indices add up in order"};
  static std::vector<OpCase> cases();
  Attribute index;
  int axis = 0;
  Shape from;  // of x

  Saves saved() const { return Saves::nothing; }
  Tensor forward(const Tensor& x) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};
/// x with source[p], of the index' shape, added at [p with the axis' place index[p]].
struct ScatterAdd {
  static constexpr OpInfo info{"scatter_add", "x, source[p] added at index[p]", "dy; gather(dy)"};
  static std::vector<OpCase> cases();
  Attribute index;
  int axis = 0;

  Saves saved() const { return Saves::nothing; }
  Tensor forward(const Tensor& x, const Tensor& source) const;
  void backward(const Saved<2>& saved, const Tensor& dy, Gradients<2>& dx) const;
};
/// The same, replacing.
struct Scatter {
  static constexpr OpInfo info{"scatter", "x, source[p] at index[p]", "dy, 0 there; gather(dy)",
                               "the last of repeated ones wins"};
  static std::vector<OpCase> cases();
  Attribute index;
  int axis = 0;

  Saves saved() const { return Saves::nothing; }
  Tensor forward(const Tensor& x, const Tensor& source) const;
  void backward(const Saved<2>& saved, const Tensor& dy, Gradients<2>& dx) const;
};

}  // namespace autograd::ops
