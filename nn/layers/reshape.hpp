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

 private:
  std::int64_t first_, last_;
};

/// One axis as several of these extents, one of which may be -1.
struct Unflatten : Module {
  Unflatten(std::int64_t axis, std::vector<std::int64_t> extents)
      : axis_(axis), extents_(std::move(extents)) {}
  Tensor operator()(const Tensor& x) const;

 private:
  std::int64_t axis_;
  std::vector<std::int64_t> extents_;
};

/// Resampling to .size or by .scale_factor; see autograd::interpolate for modes and corners.
struct Upsample : Module {
  explicit Upsample(autograd::InterpolateOptions options) : options_(std::move(options)) {}
  Tensor operator()(const Tensor& x) const;

 private:
  autograd::InterpolateOptions options_;
};

}  // namespace nn
