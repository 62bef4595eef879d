// SPDX-License-Identifier: Apache-2.0
#include "spatial.hpp"

#include "apply.hpp"
#include "functions.hpp"

namespace autograd::detail {

void check_defined(const char* function, const char* operand, const Tensor& x) {
  if (!x.defined()) {
    throw ValueError(std::string(function) + ": " + operand +
                     " is undefined: no tensor was assigned; need one (make it with tensor(...))");
  }
}

Shape batched_shape(const char* function, const Tensor& x, int axes) {
  check_defined(function, "x", x);
  if (x.dim() != axes + 1 && x.dim() != axes + 2) {
    throw ShapeError(std::string(function) + ": x has the wrong number of axes: x is " +
                     to_string(x.shape()) + "; need " + std::to_string(axes + 2) + " or, without " +
                     "a batch, " + std::to_string(axes + 1));
  }
  Shape shape;
  if (x.dim() == axes + 1) shape.push_back(1);
  for (std::int64_t extent : x.shape()) shape.push_back(extent);
  for (int i = 1; i < shape.dim(); ++i) {
    if (shape[i] < 1 || shape[i] > kMaxSpatial) {
      throw ShapeError(std::string(function) + ": x has an empty or too long axis: x is " +
                       to_string(x.shape()) + "; need extents from 1 to 2^30 behind the batch");
    }
  }
  return shape;
}

void check_option(const char* function, const char* option, const PerAxis& value, int axes,
                  std::int64_t low) {
  if (value.count() != 1 && value.count() != axes) {
    throw ValueError(std::string(function) + ": wrong number of values: " + option + " has " +
                     std::to_string(value.count()) + "; need 1 or " + std::to_string(axes));
  }
  for (int i = 0; i < value.count(); ++i) {
    if (value[i] < low || value[i] > kMaxSpatial) {
      throw ValueError(std::string(function) + ": option out of range: " + option + " is " +
                       std::to_string(value[i]) + "; need " + std::to_string(low) + " to 2^30");
    }
  }
}

void check_floating(const char* function, const Tensor& x) {
  if (!is_floating(x.dtype())) throw_not_floating(function, x.dtype());
}

void check_same_dtype(const char* function, const Tensor& x, const char* name_of_b,
                      const Tensor& b) {
  if (b.defined() && b.dtype() != x.dtype()) {
    throw TypeError(std::string(function) + ": dtypes differ: x is " + name(x.dtype()) + ", " +
                    name_of_b + " is " + name(b.dtype()) + "; need one dtype (convert with to)");
  }
}

Tensor with_batch(const Tensor& x, const Shape& batched) {
  return x.dim() == batched.dim() ? x : reshape(x, batched);
}

Tensor like_input(const Tensor& y, const Tensor& x) {
  if (y.dim() == x.dim()) return y;
  Shape shape;
  for (int i = 1; i < y.dim(); ++i) shape.push_back(y.shape()[i]);
  return reshape(y, shape);
}

Tensor resampled(const char* function, const Tensor& x, const Shape& batched,
                 std::vector<kernels::AxisMap> maps) {
  check_floating(function, x);
  Tensor y = with_batch(x, batched);
  for (std::size_t i = maps.size(); i-- > 0;) {
    y = ops::resample(y, std::make_shared<const kernels::AxisMap>(std::move(maps[i])),
                      2 + static_cast<int>(i));
  }
  return like_input(y, x);
}

}  // namespace autograd::detail

namespace autograd {

Tensor ops::resample(const Tensor& x, std::shared_ptr<const kernels::AxisMap> map, int axis) {
  return apply(Resample{std::move(map), axis}, x);
}

}  // namespace autograd
