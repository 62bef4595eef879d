// SPDX-License-Identifier: Apache-2.0
// Pooling as layers, for one to three spatial axes: modules without parameters, so that messages name
// their path. Values, extents and ties are those of autograd::max_pool2d and its kin.
#pragma once

#include "../module.hpp"

namespace nn {

using autograd::PerAxis;

/// The largest element of each window; the stride is the kernel size unless one is given.
template <int Axes> struct MaxPoolNd : Module {
  explicit MaxPoolNd(PerAxis kernel_size, const autograd::MaxPoolOptions& options = {})
      : kernel_size_(kernel_size), options_(options) {}
  Tensor operator()(const Tensor& x) const;
  const PerAxis& kernel_size() const { return kernel_size_; }
  const autograd::MaxPoolOptions& options() const { return options_; }

 private:
  PerAxis kernel_size_;
  autograd::MaxPoolOptions options_;
};
using MaxPool1d = MaxPoolNd<1>;
using MaxPool2d = MaxPoolNd<2>;
using MaxPool3d = MaxPoolNd<3>;

/// The mean of each window; the stride is the kernel size unless one is given.
template <int Axes> struct AvgPoolNd : Module {
  explicit AvgPoolNd(PerAxis kernel_size, const autograd::AvgPoolOptions& options = {})
      : kernel_size_(kernel_size), options_(options) {}
  Tensor operator()(const Tensor& x) const;
  const PerAxis& kernel_size() const { return kernel_size_; }
  const autograd::AvgPoolOptions& options() const { return options_; }

 private:
  PerAxis kernel_size_;
  autograd::AvgPoolOptions options_;
};
using AvgPool1d = AvgPoolNd<1>;
using AvgPool2d = AvgPoolNd<2>;
using AvgPool3d = AvgPoolNd<3>;

/// The mean, or the largest element, of as many windows as given, whatever the input's extents.
template <int Axes> struct AdaptiveAvgPoolNd : Module {
  explicit AdaptiveAvgPoolNd(PerAxis output_size) : output_size_(output_size) {}
  Tensor operator()(const Tensor& x) const;

 private:
  PerAxis output_size_;
};
using AdaptiveAvgPool1d = AdaptiveAvgPoolNd<1>;
using AdaptiveAvgPool2d = AdaptiveAvgPoolNd<2>;
using AdaptiveAvgPool3d = AdaptiveAvgPoolNd<3>;

template <int Axes> struct AdaptiveMaxPoolNd : Module {
  explicit AdaptiveMaxPoolNd(PerAxis output_size) : output_size_(output_size) {}
  Tensor operator()(const Tensor& x) const;

 private:
  PerAxis output_size_;
};
using AdaptiveMaxPool1d = AdaptiveMaxPoolNd<1>;
using AdaptiveMaxPool2d = AdaptiveMaxPoolNd<2>;
using AdaptiveMaxPool3d = AdaptiveMaxPoolNd<3>;

}  // namespace nn
