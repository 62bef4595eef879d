// SPDX-License-Identifier: Apache-2.0
// What sorting and selection are made of: positions, which have no derivative, and elements moved by
// positions, which do. A scalar is a line of one element.
#pragma once

#include "op.hpp"

namespace autograd::ops {

/// y[.., r, ..] = x[.., index[.., r, ..], ..]: the index has the shape of y, and x that of y but for
/// the axis.
struct TakeAlong {
  static constexpr OpInfo info{"take_along", "x[index] along an axis", "add_along(dy)"};
  static std::vector<OpCase> cases();
  Attribute index;
  int axis = 0;
  std::int64_t extent = 1;  // of x along the axis

  Saves saved() const { return Saves::nothing; }
  Tensor forward(const Tensor& x) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};
/// Zeros with x added at the index: the reverse.
struct AddAlong {
  static constexpr OpInfo info{"add_along", "zeros with x added at index along an axis",
                               "take_along(dy)"};
  static std::vector<OpCase> cases();
  Attribute index;
  int axis = 0;
  std::int64_t extent = 1;  // of the result along the axis

  Saves saved() const { return Saves::nothing; }
  Tensor forward(const Tensor& x) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};
/// The lower median of all elements.
struct Median {
  static constexpr OpInfo info{"median", "lower median of all elements",
                               "dy at the median, evenly among ties", "NaN propagates"};
  static std::vector<OpCase> cases();

  Saves saved() const { return Saves::both; }
  Tensor forward(const Tensor& x) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};

// Positions along the axis, int64; every value of x is in range. Nothing is recorded.
/// Of the k first in ascending or descending order: x's shape with extent k.
Tensor top_positions(const Tensor& x, int axis, std::int64_t k, bool descending);
/// Of the element of that rank, extent 1.
Tensor rank_positions(const Tensor& x, int axis, std::int64_t rank, bool nan_first);
/// Of the first largest or smallest element, extent 1.
Tensor extreme_positions(const Tensor& x, int axis, bool largest);

// Recorded where x is floating-point. The index comes from the functions above: it is not checked.
Tensor take_along(const Tensor& x, const Tensor& index, int axis);
Tensor add_along(const Tensor& x, const Tensor& index, int axis, std::int64_t extent);

}  // namespace autograd::ops
