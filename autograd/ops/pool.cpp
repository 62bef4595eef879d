// SPDX-License-Identifier: Apache-2.0
#include "pool.hpp"

#include <algorithm>

#include "../create.hpp"
#include "../kernels/parallel.hpp"
#include "../network.hpp"

namespace autograd::ops {

namespace {

using Inputs = std::vector<Tensor>;

// Calls f(first element of the plane of x, element of the result, index) over all of the index.
template <class F> void for_each_pick(const Tensor& index, const Shape& shape, F&& f) {
  const std::int64_t rows = shape[0] * shape[1];
  if (rows == 0 || index.numel() == 0) return;
  const std::int64_t in = shape.numel() / rows, out = index.numel() / rows;
  const std::int64_t* from = data<std::int64_t>(index);
  const auto grain = static_cast<std::size_t>(20000 / (in + out) + 1);
  kernels::parallel_for(static_cast<std::size_t>(rows), grain, [&](std::size_t b, std::size_t e) {
    const auto end = static_cast<std::int64_t>(e);
    for (auto row = static_cast<std::int64_t>(b); row < end; ++row) {
      for (std::int64_t j = row * out; j < (row + 1) * out; ++j) f(row * in, j, from[j]);
    }
  });
}

}  // namespace

Tensor PickEach::forward(const Tensor& x) const {
  const Dense source(x);
  Tensor y = make(index.shape(), x.dtype());
  dispatch_floating(info.name, x.dtype(), [&]<class T>(T) {
    const T* elements = source.data<T>();
    T* to = data<T>(y);
    const T nothing = static_cast<T>(fill);
    for_each_pick(index, from, [&](std::int64_t plane, std::int64_t j, std::int64_t at) {
      to[j] = at < 0 ? nothing : elements[plane + at];
    });
  });
  return y;
}
void PickEach::backward(const Saved<1>&, const Tensor& dy, Gradients<1>& dx) const {
  dx.set(0, unpick_each(dy, index, from));
}
std::vector<OpCase> PickEach::cases() {
  return {{"planes",
           {{2, 2, 4, 5}},
           [](const Inputs& in) {
             return max_pool2d(in[0], {2, 3}, {.stride = 1});
           }},
          {"padded line without a batch",
           {{3, 5}},
           [](const Inputs& in) { return max_pool1d(in[0], 3, {.padding = 1}); }},
          {"strided operand, dilated",
           {{5, 2, 5}},
           [](const Inputs& in) {
             return max_pool2d(reshape(transpose(in[0], 0, 1), {1, 2, 5, 5}), 2,
                               {.dilation = 2, .ceil_mode = true});
           }},
          {"adaptive volume", {{1, 1, 3, 2, 4}}, [](const Inputs& in) {
             return adaptive_max_pool3d(in[0], {2, 1, 3});
           }}};
}

Tensor UnpickEach::forward(const Tensor& y) const {
  const Dense source(y);
  Tensor x = zeros(to, y.dtype());
  dispatch_floating(info.name, y.dtype(), [&]<class T>(T) {
    const T* elements = source.data<T>();
    T* sums = data<T>(x);
    for_each_pick(index, to, [&](std::int64_t plane, std::int64_t j, std::int64_t at) {
      if (at >= 0) sums[plane + at] += elements[j];
    });
  });
  return x;
}
void UnpickEach::backward(const Saved<1>&, const Tensor& dy, Gradients<1>& dx) const {
  dx.set(0, pick_each(dy, index, 0));
}
std::vector<OpCase> UnpickEach::cases() {
  return {{"twice the same place", {{1, 2, 3}}, [](const Inputs& in) {
             return unpick_each(in[0],
                                tensor(std::vector<std::int64_t>{0, 3, 0, 1, -1, 2}, {1, 2, 3}),
                                {1, 2, 2, 2});
           }}};
}

Tensor Resample::forward(const Tensor& x) const {
  const Dense source(x);
  Shape shape = x.shape();
  shape[axis] = map->out();
  Tensor y = make(shape, x.dtype());
  if (y.numel() == 0) return y;
  std::size_t outer = 1, inner = 1;
  for (int i = 0; i < shape.dim(); ++i) {
    if (i != axis) (i < axis ? outer : inner) *= static_cast<std::size_t>(shape[i]);
  }
  dispatch_floating(info.name, x.dtype(), [&]<class T>(T) {
    kernels::resample<T>(*map, source.data<T>(), data<T>(y), outer, inner);
  });
  return y;
}
void Resample::backward(const Saved<1>&, const Tensor& dy, Gradients<1>& dx) const {
  dx.set(0, resample(dy, std::make_shared<const kernels::AxisMap>(transposed(*map)), axis));
}
std::vector<OpCase> Resample::cases() {
  return {{"average of planes",
           {{2, 2, 4, 5}},
           [](const Inputs& in) {
             return avg_pool2d(in[0], {2, 3}, {.stride = 1, .padding = {1, 0}});
           }},
          {"average, padding not counted",
           {{1, 2, 5}},
           [](const Inputs& in) {
             return avg_pool1d(in[0], 2,
                               {.padding = 1, .ceil_mode = true, .count_include_pad = false});
           }},
          {"adaptive volume without a batch",
           {{2, 3, 2, 4}},
           [](const Inputs& in) {
             return adaptive_avg_pool3d(in[0], {2, 1, 3});
           }},
          {"bilinear, strided operand",
           {{2, 3, 2}},
           [](const Inputs& in) {
             return interpolate(reshape(transpose(in[0]), {1, 2, 2, 3}),
                                {.size = {3, 5}, .mode = Interpolation::linear});
           }},
          {"nearest by a factor",
           {{1, 1, 3}},
           [](const Inputs& in) { return interpolate(in[0], {.scale_factor = {1.7}}); }},
          {"bicubic, corners aligned", {{1, 1, 3, 4}}, [](const Inputs& in) {
             return interpolate(
                 in[0], {.size = {5, 3}, .mode = Interpolation::cubic, .align_corners = true});
           }}};
}

}  // namespace autograd::ops
