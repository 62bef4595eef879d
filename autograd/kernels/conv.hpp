// SPDX-License-Identifier: Apache-2.0
// Convolution over up to three spatial axes and its two adjoints, on row-major arrays
//   x: [images, channels, in...]  w: [filters, channels / groups, kernel...]  y: [images, filters, out...]
// All three are the partial derivatives of one trilinear form in x, w and y.
//
// Inside, an output channel is a weighted sum of stretches of the padded image (conv_direct.cpp); nothing
// is unfolded. Where dilation or padding is out of proportion to the image, rows are added to rows instead.
// Images and groups go to different threads; sums over images are cut into pieces that depend on the shape
// alone. The plain-loop twins are in naive_conv.hpp.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace autograd::kernels {

/// The extents of one convolution; missing spatial axes come first, with extent 1.
struct ConvShape {
  using Axes = std::array<std::int64_t, 3>;
  std::int64_t images = 0, channels = 0, filters = 0, groups = 1;
  Axes in{1, 1, 1}, out{1, 1, 1}, kernel{1, 1, 1};
  Axes stride{1, 1, 1}, padding{0, 0, 0}, dilation{1, 1, 1};
};

/// y = bias + x * w; T is float or double.
template <class T>
void conv_forward(const ConvShape& s, const T* x, const T* w, const T* bias, T* y);
/// x = what dy gives back through w.
template <class T> void conv_data(const ConvShape& s, const T* y, const T* w, T* x);
/// w = what y gives back through x.
template <class T> void conv_weight(const ConvShape& s, const T* x, const T* y, T* w);

}  // namespace autograd::kernels
