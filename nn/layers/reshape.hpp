// SPDX-License-Identifier: Apache-2.0
// Layers without parameters that arrange or resample: modules, so that messages name their path.
#pragma once

#include <cstdint>
#include <vector>

#include "../module.hpp"

namespace nn {

/// Axes first to last as one; by default all but the batch.
struct Flatten : Module {
  explicit Flatten(std::int64_t first = 1, std::int64_t last = -1) : first_(first), last_(last) {}
  Tensor operator()(const Tensor& x) const;
  std::int64_t first() const { return first_; }

 private:
  std::int64_t first_, last_;
};

/// One axis as several of these extents, one of which may be -1.
struct Unflatten : Module {
  Unflatten(std::int64_t axis, std::vector<std::int64_t> extents)
      : axis_(axis), extents_(std::move(extents)) {}
  Tensor operator()(const Tensor& x) const;
  std::int64_t axis() const { return axis_; }

 private:
  std::int64_t axis_;
  std::vector<std::int64_t> extents_;
};

/// Resampling to .size or by .scale_factor; see autograd::interpolate for modes and corners.
struct Upsample : Module {
  /// Throws ValueError unless there is one of the two, of one to three numbers > 0.
  explicit Upsample(autograd::InterpolateOptions options);
  Tensor operator()(const Tensor& x) const;
  const autograd::InterpolateOptions& options() const { return options_; }

 private:
  autograd::InterpolateOptions options_;
};

/// Margins around the last axes of x, as many as Axes: {before, after} of the last one, then of the one
/// in front of it (in PyTorch's words left, right, top, bottom, ...); negative ones cut.
template <int Axes, autograd::PadMode Mode> struct PadNd : Module {
  /// The same on all sides; `value` is what ConstantPad puts there.
  explicit PadNd(std::int64_t all, double value = 0.0)
      : PadNd(std::vector<std::int64_t>(2 * Axes, all), value) {}
  /// Throws ValueError unless there are two amounts for each axis.
  explicit PadNd(std::vector<std::int64_t> amounts, double value = 0.0);
  Tensor operator()(const Tensor& x) const;
  const std::vector<std::int64_t>& amounts() const { return amounts_; }
  double value() const { return value_; }

 private:
  std::vector<std::int64_t> amounts_;
  double value_;
};
using ConstantPad1d = PadNd<1, autograd::PadMode::constant>;
using ConstantPad2d = PadNd<2, autograd::PadMode::constant>;
using ConstantPad3d = PadNd<3, autograd::PadMode::constant>;
using ZeroPad2d = ConstantPad2d;
using ReflectionPad1d = PadNd<1, autograd::PadMode::reflect>;
using ReflectionPad2d = PadNd<2, autograd::PadMode::reflect>;
using ReflectionPad3d = PadNd<3, autograd::PadMode::reflect>;
using ReplicationPad1d = PadNd<1, autograd::PadMode::replicate>;
using ReplicationPad2d = PadNd<2, autograd::PadMode::replicate>;
using ReplicationPad3d = PadNd<3, autograd::PadMode::replicate>;

/// [..., c r^2, h, w] as [..., c, h r, w r]: channel c r^2 + i r + j gives row i, column j of each block
/// (Shi et al. 2016). Throws ShapeError unless r^2 divides the channels.
struct PixelShuffle : Module {
  explicit PixelShuffle(std::int64_t upscale_factor);
  Tensor operator()(const Tensor& x) const;
  std::int64_t factor() const { return factor_; }

 private:
  std::int64_t factor_;
};

/// The reverse.
struct PixelUnshuffle : Module {
  explicit PixelUnshuffle(std::int64_t downscale_factor);
  Tensor operator()(const Tensor& x) const;
  std::int64_t factor() const { return factor_; }

 private:
  std::int64_t factor_;
};

}  // namespace nn
