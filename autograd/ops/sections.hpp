// SPDX-License-Identifier: Apache-2.0
// Two internal ops that take a section of a tensor (a block, a diagonal, one of several results that an
// op packed into one tensor) and put it back.
#pragma once

#include "op.hpp"

namespace autograd::ops {

using Strides = std::array<std::int64_t, kMaxDim>;

/// Which elements of a row-major tensor of shape `from` make one of shape `shape`.
struct Section {
  Shape from, shape;
  Strides strides{};
  std::int64_t offset = 0;

  /// A run of elements from `offset` on.
  static Section run(const Shape& from, std::int64_t offset, const Shape& shape);
  /// Rows and columns of each matrix.
  static Section block(const Shape& from, std::int64_t row, std::int64_t rows, std::int64_t column,
                       std::int64_t columns);
  /// x[..., i, ..., i, ...] of two axes of equal extent; the diagonal is where the first one was.
  static Section diagonal(const Shape& from, int axis0, int axis1);
};

struct Part {
  static constexpr OpInfo info{"part", "a block, a diagonal or a run of x", "dy there, else 0",
                               "internal; a view"};
  static std::vector<OpCase> cases();
  Section at;

  static constexpr Saves saved() { return Saves::nothing; }
  Tensor forward(const Tensor& x) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};
struct Unpart {
  static constexpr OpInfo info{"unpart", "zeros with y as a block, a diagonal or a run", "part(dy)",
                               "internal"};
  static std::vector<OpCase> cases();
  Section at;

  static constexpr Saves saved() { return Saves::nothing; }
  Tensor forward(const Tensor& y) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};

}  // namespace autograd::ops

namespace autograd::detail {

/// The recorded functions; internal.
Tensor part(const Tensor& x, const ops::Section& at);
Tensor unpart(const Tensor& y, const ops::Section& at);

}  // namespace autograd::detail
