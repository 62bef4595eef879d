// SPDX-License-Identifier: Apache-2.0
#include "order.hpp"

#include "../kernels/order.hpp"
#include "../reductions.hpp"
#include "axes.hpp"
#include "index_ops.hpp"

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

Tensor Median::forward(const Tensor& x) const {
  const Tensor line = reshape(detach(x), Shape{x.numel()});
  const Tensor index = rank_positions(line, 0, (x.numel() - 1) / 2, true);
  return reshape(Gather{index, 0, line.shape()}.forward(line), Shape{});
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
