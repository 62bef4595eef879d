// SPDX-License-Identifier: Apache-2.0
// Pooling and resampling as linear maps. Max pooling finds its winners first, unrecorded, and then
// picks them; averages and interpolation are a sparse matrix along one axis after the other. All of
// them are their own kind of adjoint, so that derivatives of every order come out of three ops.
#pragma once

#include <memory>

#include "../kernels/pool.hpp"
#include "op.hpp"

namespace autograd::ops {

// Recorded. x: [rows..., space...] whose last axes have `plane` elements together; index: int64 of the
// result's shape, positions within a plane or -1.
Tensor pick_each(const Tensor& x, const Tensor& index, double fill);
Tensor unpick_each(const Tensor& y, const Tensor& index, const Shape& shape);
/// The map along one axis of x.
Tensor resample(const Tensor& x, std::shared_ptr<const kernels::AxisMap> map, int axis);

/// y[r, j] = x[r, index[r, j]], or `fill` where the index is -1; r runs over the first two axes.
struct PickEach {
  static constexpr OpInfo info{"pool_pick", "x at one place for each result: max pooling",
                               "pool_unpick(dy)", "the first of equals; NaN wins"};
  static std::vector<OpCase> cases();
  Tensor index;
  Shape from;  // of x
  double fill = 0;

  Saves saved() const { return Saves::nothing; }
  Tensor forward(const Tensor& x) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};
/// Zeros of `to` with y[r, j] added at [r, index[r, j]].
struct UnpickEach {
  static constexpr OpInfo info{"pool_unpick", "zeros with y added at one place each",
                               "pool_pick(dy)"};
  static std::vector<OpCase> cases();
  Tensor index;
  Shape to;

  Saves saved() const { return Saves::nothing; }
  Tensor forward(const Tensor& y) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};
struct Resample {
  static constexpr OpInfo info{"resample", "a sparse matrix along one axis", "its transpose on dy",
                               "average pooling, interpolation"};
  static std::vector<OpCase> cases();
  std::shared_ptr<const kernels::AxisMap> map;
  int axis = 0;

  Saves saved() const { return Saves::nothing; }
  Tensor forward(const Tensor& x) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};

}  // namespace autograd::ops
