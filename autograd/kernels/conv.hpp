// SPDX-License-Identifier: Apache-2.0
// Convolution over up to three spatial axes and its two adjoints, on row-major arrays
//   x: [images, channels, in...]  w: [filters, channels / groups, kernel...]  y: [images, filters, out...]
// All three are the partial derivatives of one trilinear form in x, w and y.
//
// Inside, pixels are rows of channels, so that a row of outputs is a matrix product: where the taps of a
// kernel row are neighbors (no dilation) one product runs over all of them, in place over an image that
// is padded sideways; else there is one for each tap over the outputs for which it falls inside of the
// image. Where channels or filters are few, blocks of the image are unfolded instead
// (conv_columns.cpp), and groups of a few channels by a few filters add rows to rows. Images and groups
// go to different threads; sums over images are cut into pieces that depend on the shape alone. The
// plain-loop twins are in naive_conv.hpp.
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
