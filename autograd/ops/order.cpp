// SPDX-License-Identifier: Apache-2.0
#include "order.hpp"

#include "../create.hpp"
#include "../kernels/order.hpp"
#include "../reductions.hpp"
#include "axes.hpp"

namespace autograd::ops {

namespace {

using Inputs = std::vector<Tensor>;

kernels::Lines lines_of(const Shape& shape, int axis) {
  const AxisLayout layout(shape, axis);
  return {layout.outer, layout.extent, layout.inner};
}

// The shape with another extent along the axis; a scalar stays one.
Shape with_extent(Shape shape, int axis, std::int64_t extent) {
  if (shape.dim() > 0) shape[axis] = extent;
  return shape;
}

// int64 positions of that shape, written by kernel(elements, positions, lines).
template <class Kernel>
Tensor positions(const Tensor& x, int axis, std::int64_t extent, Kernel&& kernel) {
  const Dense source(x);
  Tensor index = make(with_extent(x.shape(), axis, extent), int64);
  if (index.numel() == 0) return index;
  dispatch(x.dtype(), [&]<class T>(T) {
    kernel(source.data<T>(), data<std::int64_t>(index), lines_of(x.shape(), axis));
  });
  return index;
}

std::size_t extent_of(const Tensor& index, int axis) {
  return AxisLayout(index.shape(), axis).extent;
}

}  // namespace

Tensor top_positions(const Tensor& x, int axis, std::int64_t k, bool descending) {
  return positions(x, axis, k, [&](auto* from, auto* to, const kernels::Lines& lines) {
    kernels::top_positions(from, to, lines, static_cast<std::size_t>(k), descending);
  });
}
Tensor rank_positions(const Tensor& x, int axis, std::int64_t rank, bool nan_first) {
  return positions(x, axis, 1, [&](auto* from, auto* to, const kernels::Lines& lines) {
    kernels::rank_positions(from, to, lines, static_cast<std::size_t>(rank), nan_first);
  });
}
Tensor extreme_positions(const Tensor& x, int axis, bool largest) {
  const Tensor top = make(with_extent(x.shape(), axis, 1), x.dtype());
  return positions(x, axis, 1,
                   [&]<class T>(const T* from, std::int64_t* to, const kernels::Lines& lines) {
                     kernels::extreme_positions(from, to, data<T>(top), lines, largest);
                   });
}

Tensor TakeAlong::forward(const Tensor& x) const {
  const Dense source(x), at(index.tensor());
  Tensor y = make(index.tensor().shape(), x.dtype());
  if (y.numel() == 0) return y;
  dispatch(x.dtype(), [&]<class T>(T) {
    kernels::take_along(source.data<T>(), at.data<std::int64_t>(), data<T>(y),
                        lines_of(x.shape(), axis), extent_of(y, axis));
  });
  return y;
}
void TakeAlong::backward(const Saved<1>&, const Tensor& dy, Gradients<1>& dx) const {
  dx.set(0, add_along(dy, index.unchanged(info.name), axis, extent));
}
std::vector<OpCase> TakeAlong::cases() {
  return {{"rows",
           {{3, 4}},
           [](const Inputs& in) {
             return take_along(in[0], tensor({{2, 0, 1, 1}}, int64), 0);
           }},
          {"last axis, repeated",
           {{2, 3}},
           [](const Inputs& in) {
             return take_along(in[0], tensor({{2, 0, 2, 2}, {1, 1, 0, 2}}, int64), 1);
           }},
          {"strided",
           {{2, 3}},
           [](const Inputs& in) {
             return take_along(transpose(in[0]), transpose(tensor({{2, 0}, {1, 1}}, int64)), 0);
           }},
          {"scalar", {Shape{}}, [](const Inputs& in) {
             return take_along(in[0], tensor(0, int64), 0);
           }}};
}

Tensor AddAlong::forward(const Tensor& x) const {
  const Dense source(x), at(index.tensor());
  Tensor y = zeros(with_extent(x.shape(), axis, extent), x.dtype());
  if (x.numel() == 0) return y;
  dispatch_floating(info.name, x.dtype(), [&]<class T>(T) {
    kernels::add_along(source.data<T>(), at.data<std::int64_t>(), data<T>(y),
                       lines_of(y.shape(), axis), extent_of(x, axis));
  });
  return y;
}
void AddAlong::backward(const Saved<1>&, const Tensor& dy, Gradients<1>& dx) const {
  dx.set(0, take_along(dy, index.unchanged(info.name), axis));
}
std::vector<OpCase> AddAlong::cases() {
  return {{"rows",
           {{1, 4}},
           [](const Inputs& in) {
             return add_along(in[0], tensor({{2, 0, 1, 1}}, int64), 0, 3);
           }},
          {"last axis, repeated",
           {{2, 4}},
           [](const Inputs& in) {
             return add_along(in[0], tensor({{2, 0, 2, 2}, {1, 1, 0, 2}}, int64), 1, 3);
           }},
          {"strided",
           {{2, 2}},
           [](const Inputs& in) {
             return add_along(transpose(in[0]), tensor({{2, 0}, {1, 1}}, int64), 0, 3);
           }},
          {"scalar", {Shape{}}, [](const Inputs& in) {
             return add_along(in[0], tensor(0, int64), 0, 1);
           }}};
}

Tensor Median::forward(const Tensor& x) const {
  const Tensor line = reshape(detach(x), Shape{x.numel()});
  const Tensor index = rank_positions(line, 0, (x.numel() - 1) / 2, true);
  return reshape(take_along(line, index, 0), Shape{});
}
void Median::backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const {
  const Tensor& x = saved.in[0];
  dx.set(0, share_evenly(dy, x, saved.y, (1u << x.dim()) - 1));
}
std::vector<OpCase> Median::cases() {
  return {{"odd", {{7}}, [](const Inputs& in) { return median(in[0]); }},
          {"even, strided", {{3, 4}}, [](const Inputs& in) { return median(transpose(in[0])); }},
          {"three axes", {{2, 3, 2}}, [](const Inputs& in) { return median(in[0]); }},
          {"scalar", {Shape{}}, [](const Inputs& in) { return median(in[0]); }}};
}

}  // namespace autograd::ops
