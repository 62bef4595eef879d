// SPDX-License-Identifier: Apache-2.0
#include "conv.hpp"

#include "check.hpp"

namespace nn {

namespace {

using autograd::Shape;
using autograd::ValueError;

constexpr const char* kConv[] = {"", "Conv1d", "Conv2d", "Conv3d"};
constexpr const char* kTransposed[] = {"", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"};

// What the shape of the weight is made of.
void check_sizes(const char* layer, std::int64_t in, std::int64_t out, const PerAxis& kernel,
                 std::int64_t groups, int axes) {
  detail::check_at_least(layer, "groups", groups, 1);
  detail::check_at_least(layer, "in", in, 1);
  detail::check_at_least(layer, "out", out, 1);
  if (in % groups != 0 || out % groups != 0) {
    throw ValueError(std::string(layer) + ": groups do not divide the channels: in is " +
                     std::to_string(in) + ", out is " + std::to_string(out) +
                     "; need multiples of groups (" + std::to_string(groups) + ")");
  }
  detail::check_per_axis(layer, "kernel_size", kernel, axes, 1);
}

template <class Options> void check_steps(const char* layer, const Options& options, int axes) {
  detail::check_per_axis(layer, "stride", options.stride, axes, 1);
  detail::check_per_axis(layer, "padding", options.padding, axes, 0);
  detail::check_per_axis(layer, "dilation", options.dilation, axes, 1);
}

Shape weight_shape(std::int64_t first, std::int64_t second, const PerAxis& kernel, int axes) {
  Shape shape = {first, second};
  for (int i = 0; i < axes; ++i) shape.push_back(kernel[i]);
  return shape;
}

// Of every weight [a, b, kernel...]: what one output sees in a convolution.
double bound_of_weight(const Shape& weight) { return detail::bound_of(weight.numel() / weight[0]); }

autograd::PadMode pad_mode(PaddingMode mode) {
  switch (mode) {
    case PaddingMode::reflect: return autograd::PadMode::reflect;
    case PaddingMode::replicate: return autograd::PadMode::replicate;
    case PaddingMode::circular: return autograd::PadMode::circular;
    default: return autograd::PadMode::constant;
  }
}

// {before, after} of the last axis, then of the one before it, ...
std::vector<std::int64_t> same_margins(const char* layer, const PerAxis& kernel,
                                       const ConvLayerOptions& options, int axes) {
  std::vector<std::int64_t> margins;
  for (int i = axes - 1; i >= 0; --i) {
    if (options.stride[i] != 1) {
      throw ValueError(std::string(layer) + ": same padding with a stride: stride is " +
                       std::to_string(options.stride[i]) + "; need 1");
    }
    const std::int64_t total = options.dilation[i] * (kernel[i] - 1);
    margins.push_back(total / 2);
    margins.push_back(total - total / 2);
  }
  return margins;
}

}  // namespace

template <int Axes>
ConvNd<Axes>::ConvNd(std::int64_t in, std::int64_t out, PerAxis kernel_size, Generator& generator,
                     const ConvLayerOptions& options)
    : options_{options.stride, options.padding, options.dilation, options.groups},
      mode_(pad_mode(options.padding_mode)) {
  check_sizes(kConv[Axes], in, out, kernel_size, options.groups, Axes);
  check_steps(kConv[Axes], options, Axes);
  if (options.same) {
    margins_ = same_margins(kConv[Axes], kernel_size, options, Axes);
  } else if (options.padding_mode != PaddingMode::zeros) {
    for (int i = Axes - 1; i >= 0; --i) margins_.insert(margins_.end(), 2, options.padding[i]);
  }
  if (!margins_.empty()) options_.padding = 0;
  const Shape shape = weight_shape(out, in / options.groups, kernel_size, Axes);
  const double bound = bound_of_weight(shape);
  weight = detail::uniform_parameter(*this, "weight", shape, bound, generator, options.dtype);
  if (!options.bias) return;
  bias = detail::uniform_parameter(*this, "bias", {out}, bound, generator, options.dtype);
}

template <int Axes>
ConvNd<Axes>::ConvNd(std::int64_t in, std::int64_t out, PerAxis kernel_size,
                     const ConvLayerOptions& options)
    : ConvNd(in, out, kernel_size, autograd::default_generator(), options) {}

template <int Axes> Tensor ConvNd<Axes>::operator()(const Tensor& x) const {
  return guard(kConv[Axes], [&] {
    const Tensor padded = margins_.empty() ? x : autograd::pad(x, margins_, {.mode = mode_});
    if constexpr (Axes == 1) return autograd::conv1d(padded, weight, bias, options_);
    if constexpr (Axes == 2) return autograd::conv2d(padded, weight, bias, options_);
    if constexpr (Axes == 3) return autograd::conv3d(padded, weight, bias, options_);
  });
}

template <int Axes>
ConvTransposeNd<Axes>::ConvTransposeNd(std::int64_t in, std::int64_t out, PerAxis kernel_size,
                                       Generator& generator,
                                       const ConvTransposeLayerOptions& options)
    : options_{options.stride, options.padding, options.output_padding, options.groups,
               options.dilation} {
  check_sizes(kTransposed[Axes], in, out, kernel_size, options.groups, Axes);
  check_steps(kTransposed[Axes], options, Axes);
  detail::check_per_axis(kTransposed[Axes], "output_padding", options.output_padding, Axes, 0);
  const Shape shape = weight_shape(in, out / options.groups, kernel_size, Axes);
  const double bound = bound_of_weight(shape);
  weight = detail::uniform_parameter(*this, "weight", shape, bound, generator, options.dtype);
  if (!options.bias) return;
  bias = detail::uniform_parameter(*this, "bias", {out}, bound, generator, options.dtype);
}

template <int Axes>
ConvTransposeNd<Axes>::ConvTransposeNd(std::int64_t in, std::int64_t out, PerAxis kernel_size,
                                       const ConvTransposeLayerOptions& options)
    : ConvTransposeNd(in, out, kernel_size, autograd::default_generator(), options) {}

template <int Axes> Tensor ConvTransposeNd<Axes>::operator()(const Tensor& x) const {
  return guard(kTransposed[Axes], [&] {
    if constexpr (Axes == 1) return autograd::conv_transpose1d(x, weight, bias, options_);
    if constexpr (Axes == 2) return autograd::conv_transpose2d(x, weight, bias, options_);
    if constexpr (Axes == 3) return autograd::conv_transpose3d(x, weight, bias, options_);
  });
}

template struct ConvNd<1>;
template struct ConvNd<2>;
template struct ConvNd<3>;
template struct ConvTransposeNd<1>;
template struct ConvTransposeNd<2>;
template struct ConvTransposeNd<3>;

}  // namespace nn
