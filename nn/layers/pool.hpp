// SPDX-License-Identifier: Apache-2.0
// Pooling as layers, for one to three spatial axes: modules without parameters, so that messages name
// their path. Values, extents and ties are those of autograd::max_pool2d and its kin. A further function
// is one line here.
#pragma once

#include <algorithm>
#include <cstddef>

#include "../module.hpp"
#include "check.hpp"

namespace nn {

using autograd::PerAxis;

namespace detail {
/// The name of a layer as a template argument.
template <std::size_t N> struct Name {
  char text[N];
  constexpr Name(const char (&characters)[N]) { std::copy_n(characters, N, text); }
  /// Of space: the 2 of "MaxPool2d".
  constexpr int axes() const { return text[N - 3] - '0'; }
};

/// Throws ValueError for options out of range.
template <class Options>
void check_windows(const char* layer, const PerAxis& kernel, const Options& options, int axes) {
  check_per_axis(layer, "kernel_size", kernel, axes, 1);
  if (options.stride.count() > 0) check_per_axis(layer, "stride", options.stride, axes, 1);
  check_per_axis(layer, "padding", options.padding, axes, 0);
  if constexpr (requires { options.dilation; }) {
    check_per_axis(layer, "dilation", options.dilation, axes, 1);
  }
  for (int i = 0; i < axes; ++i) {
    if (options.padding[i] <= kernel[i] / 2) continue;
    throw autograd::ValueError(std::string(layer) + ": padding is too large: it is " +
                               std::to_string(options.padding[i]) + ", kernel_size is " +
                               std::to_string(kernel[i]) + "; need at most half of the kernel");
  }
}
}  // namespace detail

/// pool() of windows of kernel_size; the stride is the kernel size unless one is given. Throws
/// ValueError for options out of range.
template <detail::Name name, auto pool, class Options> struct WindowPool : Module {
  explicit WindowPool(PerAxis kernel_size, const Options& options = {})
      : kernel_size_(kernel_size), options_(options) {
    detail::check_windows(name.text, kernel_size, options, name.axes());
  }
  Tensor operator()(const Tensor& x) const {
    return guard(name.text, [&] { return pool(x, kernel_size_, options_); });
  }
  const PerAxis& kernel_size() const { return kernel_size_; }
  const Options& options() const { return options_; }

 private:
  PerAxis kernel_size_;
  Options options_;
};

/// The largest element of each window.
using MaxPool1d = WindowPool<"MaxPool1d", autograd::max_pool1d, autograd::MaxPoolOptions>;
using MaxPool2d = WindowPool<"MaxPool2d", autograd::max_pool2d, autograd::MaxPoolOptions>;
using MaxPool3d = WindowPool<"MaxPool3d", autograd::max_pool3d, autograd::MaxPoolOptions>;
/// The mean of each window.
using AvgPool1d = WindowPool<"AvgPool1d", autograd::avg_pool1d, autograd::AvgPoolOptions>;
using AvgPool2d = WindowPool<"AvgPool2d", autograd::avg_pool2d, autograd::AvgPoolOptions>;
using AvgPool3d = WindowPool<"AvgPool3d", autograd::avg_pool3d, autograd::AvgPoolOptions>;

/// pool() of as many windows as given, whatever the input's extents. Throws ValueError for sizes < 1.
template <detail::Name name, auto pool> struct AdaptivePool : Module {
  explicit AdaptivePool(PerAxis output_size) : output_size_(output_size) {
    detail::check_per_axis(name.text, "output_size", output_size, name.axes(), 1);
  }
  Tensor operator()(const Tensor& x) const {
    return guard(name.text, [&] { return pool(x, output_size_); });
  }

 private:
  PerAxis output_size_;
};

/// The mean of each window.
using AdaptiveAvgPool1d = AdaptivePool<"AdaptiveAvgPool1d", autograd::adaptive_avg_pool1d>;
using AdaptiveAvgPool2d = AdaptivePool<"AdaptiveAvgPool2d", autograd::adaptive_avg_pool2d>;
using AdaptiveAvgPool3d = AdaptivePool<"AdaptiveAvgPool3d", autograd::adaptive_avg_pool3d>;
/// The largest element of each window.
using AdaptiveMaxPool1d = AdaptivePool<"AdaptiveMaxPool1d", autograd::adaptive_max_pool1d>;
using AdaptiveMaxPool2d = AdaptivePool<"AdaptiveMaxPool2d", autograd::adaptive_max_pool2d>;
using AdaptiveMaxPool3d = AdaptivePool<"AdaptiveMaxPool3d", autograd::adaptive_max_pool3d>;

}  // namespace nn
