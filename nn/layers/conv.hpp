// SPDX-License-Identifier: Apache-2.0
// Convolution and its transpose, with weights, for one to three spatial axes. The arithmetic, shapes
// and extents are those of autograd::conv2d and its kin; here are construction, padding and names.
#pragma once

#include <cstdint>

#include "../module.hpp"

namespace nn {

using autograd::PerAxis;

/// What surrounds the input: zeros, or its own elements (see autograd::PadMode).
enum class PaddingMode : std::uint8_t { zeros, reflect, replicate, circular };

struct ConvLayerOptions {
  PerAxis stride = 1;
  PerAxis padding = 0;  ///< on both sides
  PerAxis dilation = 1;
  std::int64_t groups = 1;
  bool bias = true;
  PaddingMode padding_mode = PaddingMode::zeros;
  bool same = false;  ///< pads to the input's extents (PyTorch's padding='same'); needs stride 1
  autograd::DType dtype = autograd::float32;
};

/// y = conv(x, weight) + bias: x [n, in, space...] or [in, space...], y [n, out, space...].
/// Both start uniform on (-1/sqrt(f), 1/sqrt(f)), f = in / groups times the kernel's elements, weight
/// drawn first, as torch.nn.Conv2d (Kaiming's rule with a = sqrt(5)). The constructor throws
/// ValueError for sizes and groups out of range, a call ShapeError when x does not fit.
template <int Axes> struct ConvNd : Module {
  Parameter weight;  ///< [out, in / groups, kernel...]
  Parameter bias;    ///< [out]; undefined without bias

  ConvNd(std::int64_t in, std::int64_t out, PerAxis kernel_size, Generator& generator,
         const ConvLayerOptions& options = {});
  /// Draws from the default generator of this thread.
  ConvNd(std::int64_t in, std::int64_t out, PerAxis kernel_size,
         const ConvLayerOptions& options = {});
  Tensor operator()(const Tensor& x) const;
  /// Of the convolution itself, which pads nothing where margins() does.
  const autograd::ConvOptions& options() const { return options_; }
  /// {before, after} of the last axis, then of the one before it, ...; none where options() pads.
  const std::vector<std::int64_t>& margins() const { return margins_; }
  autograd::PadMode margin_mode() const { return mode_; }

 private:
  autograd::ConvOptions options_;
  autograd::PadMode mode_ = autograd::PadMode::constant;
  std::vector<std::int64_t> margins_;  // for pad(), where the convolution cannot pad by itself
};
using Conv1d = ConvNd<1>;
using Conv2d = ConvNd<2>;
using Conv3d = ConvNd<3>;

struct ConvTransposeLayerOptions {
  PerAxis stride = 1;
  PerAxis padding = 0;
  PerAxis output_padding = 0;  ///< further elements at the end; less than stride or dilation
  std::int64_t groups = 1;
  bool bias = true;
  PerAxis dilation = 1;
  autograd::DType dtype = autograd::float32;
};

/// The adjoint of a convolution from `out` to `in` channels: x [n, in, space...], y [n, out, space...].
/// Starts as ConvNd with f = out / groups times the kernel's elements (torch.nn.ConvTranspose2d).
template <int Axes> struct ConvTransposeNd : Module {
  Parameter weight;  ///< [in, out / groups, kernel...]
  Parameter bias;    ///< [out]; undefined without bias

  ConvTransposeNd(std::int64_t in, std::int64_t out, PerAxis kernel_size, Generator& generator,
                  const ConvTransposeLayerOptions& options = {});
  /// Draws from the default generator of this thread.
  ConvTransposeNd(std::int64_t in, std::int64_t out, PerAxis kernel_size,
                  const ConvTransposeLayerOptions& options = {});
  Tensor operator()(const Tensor& x) const;
  const autograd::ConvTransposeOptions& options() const { return options_; }

 private:
  autograd::ConvTransposeOptions options_;
};
using ConvTranspose1d = ConvTransposeNd<1>;
using ConvTranspose2d = ConvTransposeNd<2>;
using ConvTranspose3d = ConvTransposeNd<3>;

}  // namespace nn
