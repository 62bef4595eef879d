// SPDX-License-Identifier: Apache-2.0
#include "pool.hpp"

namespace nn {

template <int Axes> Tensor MaxPoolNd<Axes>::operator()(const Tensor& x) const {
  constexpr const char* kNames[] = {"", "MaxPool1d", "MaxPool2d", "MaxPool3d"};
  return guard(kNames[Axes], [&] {
    if constexpr (Axes == 1) return autograd::max_pool1d(x, kernel_size_, options_);
    if constexpr (Axes == 2) return autograd::max_pool2d(x, kernel_size_, options_);
    if constexpr (Axes == 3) return autograd::max_pool3d(x, kernel_size_, options_);
  });
}

template <int Axes> Tensor AvgPoolNd<Axes>::operator()(const Tensor& x) const {
  constexpr const char* kNames[] = {"", "AvgPool1d", "AvgPool2d", "AvgPool3d"};
  return guard(kNames[Axes], [&] {
    if constexpr (Axes == 1) return autograd::avg_pool1d(x, kernel_size_, options_);
    if constexpr (Axes == 2) return autograd::avg_pool2d(x, kernel_size_, options_);
    if constexpr (Axes == 3) return autograd::avg_pool3d(x, kernel_size_, options_);
  });
}

template <int Axes> Tensor AdaptiveAvgPoolNd<Axes>::operator()(const Tensor& x) const {
  constexpr const char* kNames[] = {"", "AdaptiveAvgPool1d", "AdaptiveAvgPool2d",
                                    "AdaptiveAvgPool3d"};
  return guard(kNames[Axes], [&] {
    if constexpr (Axes == 1) return autograd::adaptive_avg_pool1d(x, output_size_);
    if constexpr (Axes == 2) return autograd::adaptive_avg_pool2d(x, output_size_);
    if constexpr (Axes == 3) return autograd::adaptive_avg_pool3d(x, output_size_);
  });
}

template <int Axes> Tensor AdaptiveMaxPoolNd<Axes>::operator()(const Tensor& x) const {
  constexpr const char* kNames[] = {"", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d",
                                    "AdaptiveMaxPool3d"};
  return guard(kNames[Axes], [&] {
    if constexpr (Axes == 1) return autograd::adaptive_max_pool1d(x, output_size_);
    if constexpr (Axes == 2) return autograd::adaptive_max_pool2d(x, output_size_);
    if constexpr (Axes == 3) return autograd::adaptive_max_pool3d(x, output_size_);
  });
}

template struct MaxPoolNd<1>;
template struct MaxPoolNd<2>;
template struct MaxPoolNd<3>;

template struct AvgPoolNd<1>;
template struct AvgPoolNd<2>;
template struct AvgPoolNd<3>;

template struct AdaptiveAvgPoolNd<1>;
template struct AdaptiveAvgPoolNd<2>;
template struct AdaptiveAvgPoolNd<3>;

template struct AdaptiveMaxPoolNd<1>;
template struct AdaptiveMaxPoolNd<2>;
template struct AdaptiveMaxPoolNd<3>;

}  // namespace nn
