// SPDX-License-Identifier: Apache-2.0
// Public names of convolution: checks, and the geometry that the kernels are given.
#include "apply.hpp"
#include "create.hpp"
#include "network.hpp"
#include "spatial.hpp"

namespace autograd {

namespace {

using ops::ConvGeometry;

std::size_t slot(int axes, int axis) { return static_cast<std::size_t>(3 - axes + axis); }

void check_weight(const char* function, const Shape& x, const Shape& weight) {
  bool fits = weight.dim() == x.dim();
  for (int i = 0; fits && i < weight.dim(); ++i) {
    fits = weight[i] >= 1 && weight[i] <= detail::kMaxSpatial;
  }
  if (!fits) {
    throw ShapeError(std::string(function) + ": the weight does not fit: weight is " +
                     to_string(weight) + ", x is " + to_string(x) + "; need " +
                     std::to_string(x.dim()) + " axes of extents from 1 to 2^30");
  }
}

void check_groups(const char* function, std::int64_t channels, std::int64_t filters,
                  std::int64_t groups) {
  if (groups < 1 || channels % groups != 0 || filters % groups != 0) {
    throw ValueError(std::string(function) + ": groups do not divide the channels: groups is " +
                     std::to_string(groups) + "; need at least 1 and a divisor of " +
                     std::to_string(channels) + " and of " + std::to_string(filters));
  }
}

void check_channels(const char* function, const Shape& x, const Shape& weight, std::int64_t have,
                    std::int64_t need) {
  if (have == need) return;
  throw ShapeError(std::string(function) + ": channels differ: x is " + to_string(x) +
                   ", weight is " + to_string(weight) +
                   "; need x.shape[1] == " + std::to_string(need) + " (" + std::to_string(have) +
                   " != " + std::to_string(need) + ")");
}

void check_bias(const char* function, const Tensor& x, const Tensor& bias, std::int64_t filters) {
  detail::check_same_dtype(function, x, "bias", bias);
  if (bias.defined() && !(bias.shape() == Shape{filters})) {
    throw ShapeError(std::string(function) + ": the bias does not fit: bias is " +
                     to_string(bias.shape()) + "; need shape [" + std::to_string(filters) + "]");
  }
}

[[noreturn]] void throw_no_output(const char* function, const Shape& x, const Shape& weight,
                                  std::int64_t extent) {
  throw ShapeError(std::string(function) + ": nothing is left of an axis: x is " + to_string(x) +
                   ", weight is " + to_string(weight) +
                   "; need a kernel no larger than the padded "
                   "image (an output extent is " +
                   std::to_string(extent) + ")");
}

template <class Options>
ConvGeometry geometry_of(const char* function, const Shape& image, const Shape& weight,
                         const Options& options) {
  ConvGeometry g;
  g.axes = image.dim() - 2;
  detail::check_option(function, "stride", options.stride, g.axes, 1);
  detail::check_option(function, "padding", options.padding, g.axes, 0);
  detail::check_option(function, "dilation", options.dilation, g.axes, 1);
  check_weight(function, image, weight);
  g.s.images = image[0];
  g.s.groups = options.groups;
  for (int i = 0; i < g.axes; ++i) {
    const std::size_t k = slot(g.axes, i);
    g.s.kernel[k] = weight[2 + i];
    g.s.stride[k] = options.stride[i];
    g.s.padding[k] = options.padding[i];
    g.s.dilation[k] = options.dilation[i];
  }
  return g;
}

Tensor convolution(const char* function, int axes, const Tensor& x, const Tensor& weight,
                   const Tensor& bias, const ConvOptions& options) {
  const Shape shape = detail::batched_shape(function, x, axes);
  detail::check_defined(function, "weight", weight);
  const ConvGeometry g = ops::conv_geometry(function, shape, weight.shape(), options);
  detail::check_floating(function, x);
  detail::check_same_dtype(function, x, "weight", weight);
  check_bias(function, x, bias, g.s.filters);
  (void)g.y().numel();  // throws when it is too large
  const Tensor added = bias.defined() ? bias : zeros({g.s.filters}, x.dtype());
  return detail::like_input(ops::convolve(detail::with_batch(x, shape), weight, added, g), x);
}

Tensor transposed(const char* function, int axes, const Tensor& x, const Tensor& weight,
                  const Tensor& bias, const ConvTransposeOptions& options) {
  const Shape shape = detail::batched_shape(function, x, axes);
  detail::check_defined(function, "weight", weight);
  const ConvGeometry g = ops::conv_transpose_geometry(function, shape, weight.shape(), options);
  detail::check_floating(function, x);
  detail::check_same_dtype(function, x, "weight", weight);
  check_bias(function, x, bias, g.s.channels);
  (void)g.x().numel();
  Tensor y = ops::convolve_data(detail::with_batch(x, shape), weight, g);
  if (bias.defined()) {
    Shape column{g.s.channels};
    for (int i = 0; i < axes; ++i) column.push_back(1);
    y = y + reshape(bias, column);
  }
  return detail::like_input(y, x);
}

}  // namespace

ConvGeometry ops::conv_geometry(const char* function, const Shape& x, const Shape& weight,
                                const ConvOptions& options) {
  ConvGeometry g = geometry_of(function, x, weight, options);
  g.s.channels = x[1];
  g.s.filters = weight[0];
  check_groups(function, x[1], weight[0], options.groups);
  check_channels(function, x, weight, x[1], weight[1] * options.groups);
  for (int i = 0; i < g.axes; ++i) {
    const std::size_t k = slot(g.axes, i);
    g.s.in[k] = x[2 + i];
    const std::int64_t room =
        x[2 + i] + 2 * g.s.padding[k] - g.s.dilation[k] * (g.s.kernel[k] - 1) - 1;
    g.s.out[k] = room < 0 ? 0 : room / g.s.stride[k] + 1;
    if (room < 0) throw_no_output(function, x, weight, 0);
  }
  return g;
}

ConvGeometry ops::conv_transpose_geometry(const char* function, const Shape& y, const Shape& weight,
                                          const ConvTransposeOptions& options) {
  ConvGeometry g = geometry_of(function, y, weight, options);
  detail::check_option(function, "output_padding", options.output_padding, g.axes, 0);
  check_channels(function, y, weight, y[1], weight[0]);
  if (options.groups < 1 || y[1] % options.groups != 0) {
    check_groups(function, y[1], y[1], options.groups);
  }
  g.s.filters = y[1];
  g.s.channels = weight[1] * options.groups;
  for (int i = 0; i < g.axes; ++i) {
    const std::size_t k = slot(g.axes, i);
    const std::int64_t extra = options.output_padding[i];
    if (extra >= std::max(g.s.stride[k], g.s.dilation[k])) {
      throw ValueError(std::string(function) + ": output_padding is too large: it is " +
                       std::to_string(extra) + "; need less than stride or dilation (" +
                       std::to_string(g.s.stride[k]) + " and " + std::to_string(g.s.dilation[k]) +
                       ")");
    }
    g.s.out[k] = y[2 + i];
    g.s.in[k] = (y[2 + i] - 1) * g.s.stride[k] - 2 * g.s.padding[k] +
                g.s.dilation[k] * (g.s.kernel[k] - 1) + extra + 1;
    if (g.s.in[k] < 1) throw_no_output(function, y, weight, g.s.in[k]);
  }
  return g;
}

Tensor ops::convolve(const Tensor& x, const Tensor& w, const Tensor& bias,
                     const ConvGeometry& geometry) {
  return apply(Conv{geometry}, x, w, bias);
}
Tensor ops::convolve_data(const Tensor& y, const Tensor& w, const ConvGeometry& geometry) {
  return apply(ConvData{geometry}, y, w);
}
Tensor ops::convolve_weight(const Tensor& x, const Tensor& y, const ConvGeometry& geometry) {
  return apply(ConvWeight{geometry}, x, y);
}

Tensor conv1d(const Tensor& x, const Tensor& weight, const Tensor& bias,
              const ConvOptions& options) {
  return convolution("conv1d", 1, x, weight, bias, options);
}
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias,
              const ConvOptions& options) {
  return convolution("conv2d", 2, x, weight, bias, options);
}
Tensor conv3d(const Tensor& x, const Tensor& weight, const Tensor& bias,
              const ConvOptions& options) {
  return convolution("conv3d", 3, x, weight, bias, options);
}
Tensor conv_transpose1d(const Tensor& x, const Tensor& weight, const Tensor& bias,
                        const ConvTransposeOptions& options) {
  return transposed("conv_transpose1d", 1, x, weight, bias, options);
}
Tensor conv_transpose2d(const Tensor& x, const Tensor& weight, const Tensor& bias,
                        const ConvTransposeOptions& options) {
  return transposed("conv_transpose2d", 2, x, weight, bias, options);
}
Tensor conv_transpose3d(const Tensor& x, const Tensor& weight, const Tensor& bias,
                        const ConvTransposeOptions& options) {
  return transposed("conv_transpose3d", 3, x, weight, bias, options);
}

}  // namespace autograd
