// SPDX-License-Identifier: Apache-2.0
#include "conv.hpp"

#include "../create.hpp"
#include "../network.hpp"

namespace autograd::ops {

namespace {

using Inputs = std::vector<Tensor>;

Tensor no_bias(const Tensor& x, const ConvGeometry& geometry) {
  return zeros({geometry.s.filters}, x.dtype());
}

// All axes but that of the channels.
Tensor bias_gradient(const Tensor& dy) {
  Axes axes = {0};
  for (int i = 2; i < dy.dim(); ++i) axes.push_back(i);
  return sum(dy, axes);
}

}  // namespace

Shape ConvGeometry::shape(std::int64_t first, std::int64_t second,
                          const kernels::ConvShape::Axes& space) const {
  Shape result{first, second};
  for (int i = 3 - axes; i < 3; ++i) result.push_back(space[static_cast<std::size_t>(i)]);
  return result;
}

Tensor Conv::forward(const Tensor& x, const Tensor& w, const Tensor& bias) const {
  Tensor y = make(geometry.y(), x.dtype());
  const Dense image(x), weight(w), added(bias);
  dispatch_floating(info.name, x.dtype(), [&]<class T>(T) {
    kernels::conv_forward<T>(geometry.s, image.data<T>(), weight.data<T>(), added.data<T>(),
                             data<T>(y));
  });
  return y;
}
void Conv::backward(const Saved<3>& saved, const Tensor& dy, Gradients<3>& dx) const {
  if (dx.wants(0)) dx.set(0, convolve_data(dy, saved.in[1], geometry));
  if (dx.wants(1)) dx.set(1, convolve_weight(saved.in[0], dy, geometry));
  if (dx.wants(2)) dx.set(2, bias_gradient(dy));
}
std::vector<OpCase> Conv::cases() {
  return {{"plane",
           {{2, 3, 4, 5}, {4, 3, 3, 2}, {4}},
           [](const Inputs& in) { return conv2d(in[0], in[1], in[2]); }},
          {"stride and padding, no bias",
           {{2, 2, 6, 5}, {3, 2, 3, 3}},
           [](const Inputs& in) {
             return conv2d(in[0], in[1], {}, {.stride = {2, 1}, .padding = {1, 2}});
           }},
          {"dilation and groups",
           {{1, 4, 6, 5}, {6, 2, 2, 3}, {6}},
           [](const Inputs& in) {
             return conv2d(in[0], in[1], in[2], {.padding = 1, .dilation = {3, 2}, .groups = 2});
           }},
          {"each channel by itself",
           {{2, 3, 4, 4}, {3, 1, 2, 2}, {3}},
           [](const Inputs& in) { return conv2d(in[0], in[1], in[2], {.groups = 3}); }},
          {"line, strided operands",
           {{2, 6, 3}, {3, 3, 4}, {4}},
           [](const Inputs& in) {
             return conv1d(transpose(in[0]), transpose(in[1], 0, 2), in[2], {.stride = 2});
           }},
          {"volume without a batch",
           {{2, 3, 4, 3}, {2, 2, 2, 3, 2}, {2}},
           [](const Inputs& in) {
             return conv3d(in[0], in[1], in[2], {.stride = {1, 2, 1}, .padding = {1, 0, 1}});
           }},
          {"with itself", {{2, 2, 3, 3}}, [](const Inputs& in) {
             return conv2d(in[0], in[0], {}, {.padding = 1});
           }}};
}

Tensor ConvData::forward(const Tensor& y, const Tensor& w) const {
  Tensor x = make(geometry.x(), y.dtype());
  const Dense from(y), weight(w);
  dispatch_floating(info.name, y.dtype(), [&]<class T>(T) {
    kernels::conv_data<T>(geometry.s, from.data<T>(), weight.data<T>(), data<T>(x));
  });
  return x;
}
void ConvData::backward(const Saved<2>& saved, const Tensor& dy, Gradients<2>& dx) const {
  if (dx.wants(0)) dx.set(0, convolve(dy, saved.in[1], no_bias(dy, geometry), geometry));
  if (dx.wants(1)) dx.set(1, convolve_weight(dy, saved.in[0], geometry));
}
std::vector<OpCase> ConvData::cases() {
  return {{"plane with bias",
           {{2, 3, 3, 4}, {3, 2, 3, 2}, {2}},
           [](const Inputs& in) { return conv_transpose2d(in[0], in[1], in[2]); }},
          {"everything",
           {{1, 4, 3, 2}, {4, 1, 3, 2}},
           [](const Inputs& in) {
             return conv_transpose2d(in[0], in[1], {},
                                     {.stride = {2, 3},
                                      .padding = {1, 0},
                                      .output_padding = {1, 2},
                                      .groups = 2,
                                      .dilation = {2, 1}});
           }},
          {"line, strided operand",
           {{2, 4, 2}, {2, 3, 3}},
           [](const Inputs& in) {
             return conv_transpose1d(transpose(in[0]), in[1], {}, {.stride = 2, .padding = 1});
           }},
          {"volume", {{1, 2, 2, 2, 2}, {2, 1, 2, 2, 2}}, [](const Inputs& in) {
             return conv_transpose3d(in[0], in[1], {}, {.stride = {1, 2, 1}});
           }}};
}

Tensor ConvWeight::forward(const Tensor& x, const Tensor& y) const {
  Tensor w = make(geometry.w(), x.dtype());
  const Dense image(x), from(y);
  dispatch_floating(info.name, x.dtype(), [&]<class T>(T) {
    kernels::conv_weight<T>(geometry.s, image.data<T>(), from.data<T>(), data<T>(w));
  });
  return w;
}
void ConvWeight::backward(const Saved<2>& saved, const Tensor& dy, Gradients<2>& dx) const {
  if (dx.wants(0)) dx.set(0, convolve_data(saved.in[1], dy, geometry));
  if (dx.wants(1)) dx.set(1, convolve(saved.in[0], dy, no_bias(dy, geometry), geometry));
}
std::vector<OpCase> ConvWeight::cases() {
  const auto of = [](Shape x, Shape w, const ConvOptions& options) {
    return [g = conv_geometry("conv", x, w, options)](const Inputs& in) {
      return convolve_weight(in[0], in[1], g);
    };
  };
  const Shape x = {3, 2, 4, 5};
  return {{"plane", {x, {3, 4, 3, 3}}, of(x, {4, 2, 2, 3}, {})},
          {"strided, padded, dilated, grouped",
           {x, {3, 2, 2, 3}},
           of(x, {2, 1, 3, 2}, {.stride = 2, .padding = {1, 1}, .dilation = {1, 2}, .groups = 2})}};
}

}  // namespace autograd::ops
