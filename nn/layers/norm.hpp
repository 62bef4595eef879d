// SPDX-License-Identifier: Apache-2.0
// Normalization with its parameters and running statistics. Values, accuracy and what is learned in
// training are those of autograd::batch_norm and its kin; weights start at 1, biases at 0.
// In training, calls of layers with running statistics are for one thread at a time.
#pragma once

#include <cstdint>
#include <optional>

#include "../module.hpp"

namespace nn {

struct BatchNormLayerOptions {
  double eps = 1e-5;
  std::optional<double> momentum =
      0.1;                          ///< weight of the newest batch; none: the mean of all so far
  bool affine = true;               ///< weight and bias are learned
  bool track_running_stats = true;  ///< without, batches are normalized by themselves in eval, too
  autograd::DType dtype = autograd::float32;
};

/// (x - mean) / sqrt(var + eps) weight + bias by channel, with the batch's mean and biased variance in
/// training and the running ones in evaluation. BatchNorm1d: x [n, c] or [n, c, l], 2d [n, c, h, w],
/// 3d [n, c, d, h, w]. Throws ShapeError for other shapes, ValueError for options out of range, and in
/// training for one element per channel. Ioffe, Szegedy 2015; torch.nn.BatchNorm2d.
template <int Axes> struct BatchNormNd : Module {
  Parameter weight, bias;            ///< [c]; undefined unless affine
  Tensor running_mean, running_var;  ///< [c], from 0 and 1; undefined unless tracked
  Tensor num_batches_tracked;        ///< int64, []

  explicit BatchNormNd(std::int64_t channels, const BatchNormLayerOptions& options = {});
  Tensor operator()(const Tensor& x) const;
  double eps() const { return eps_; }

 private:
  Tensor normalized(const Tensor& x) const;

  std::int64_t channels_;
  double eps_;
  std::optional<double> momentum_;
};
using BatchNorm1d = BatchNormNd<1>;
using BatchNorm2d = BatchNormNd<2>;
using BatchNorm3d = BatchNormNd<3>;

struct InstanceNormLayerOptions {
  double eps = 1e-5;
  double momentum = 0.1;
  bool affine = false;
  bool track_running_stats = false;  ///< then evaluation uses the running statistics
  autograd::DType dtype = autograd::float32;
};

/// As BatchNorm, over the space of each sample and channel; x: [n, c, space...] or [c, space...].
/// As in PyTorch num_batches_tracked is saved but not counted. Ulyanov et al. 2016.
template <int Axes> struct InstanceNormNd : Module {
  Parameter weight, bias;            ///< [c]; undefined unless affine
  Tensor running_mean, running_var;  ///< [c]; undefined unless tracked
  Tensor num_batches_tracked;        ///< int64, []

  explicit InstanceNormNd(std::int64_t channels, const InstanceNormLayerOptions& options = {});
  Tensor operator()(const Tensor& x) const;
  double eps() const { return eps_; }

 private:
  std::int64_t channels_;
  double eps_, momentum_;
};
using InstanceNorm1d = InstanceNormNd<1>;
using InstanceNorm2d = InstanceNormNd<2>;
using InstanceNorm3d = InstanceNormNd<3>;

struct LayerNormOptions {
  double eps = 1e-5;
  bool elementwise_affine = true;  ///< weight and bias are learned
  bool bias = true;                ///< of an affine layer
  autograd::DType dtype = autograd::float32;
};

/// Over the last axes, whose extents are normalized_shape. Ba et al. 2016; torch.nn.LayerNorm.
struct LayerNorm : Module {
  Parameter weight, bias;  ///< of normalized_shape; undefined unless learned

  explicit LayerNorm(const autograd::Shape& normalized_shape, const LayerNormOptions& options = {});
  /// Over the last axis.
  explicit LayerNorm(std::int64_t size, const LayerNormOptions& options = {})
      : LayerNorm(autograd::Shape{size}, options) {}
  Tensor operator()(const Tensor& x) const;
  const autograd::Shape& normalized_shape() const { return normalized_shape_; }
  double eps() const { return eps_; }

 private:
  autograd::Shape normalized_shape_;
  double eps_;
};

struct RMSNormOptions {
  double eps = -1;                 ///< negative: the machine epsilon of x's dtype
  bool elementwise_affine = true;  ///< weight is learned
  autograd::DType dtype = autograd::float32;
};

/// x / sqrt(mean(x^2) + eps) weight over the last axes. Zhang, Sennrich 2019; torch.nn.RMSNorm.
struct RMSNorm : Module {
  Parameter weight;  ///< of normalized_shape; undefined unless learned

  explicit RMSNorm(const autograd::Shape& normalized_shape, const RMSNormOptions& options = {});
  /// Over the last axis.
  explicit RMSNorm(std::int64_t size, const RMSNormOptions& options = {})
      : RMSNorm(autograd::Shape{size}, options) {}
  Tensor operator()(const Tensor& x) const;
  const autograd::Shape& normalized_shape() const { return normalized_shape_; }
  double eps() const { return eps_; }

 private:
  autograd::Shape normalized_shape_;
  double eps_;
};

struct GroupNormOptions {
  double eps = 1e-5;
  bool affine = true;
  autograd::DType dtype = autograd::float32;
};

/// Over each of num_groups groups of channels and all of space; x: [n, c, ...]. Wu, He 2018.
struct GroupNorm : Module {
  Parameter weight, bias;  ///< [c]; undefined unless affine

  GroupNorm(std::int64_t num_groups, std::int64_t channels, const GroupNormOptions& options = {});
  Tensor operator()(const Tensor& x) const;
  std::int64_t num_groups() const { return num_groups_; }
  double eps() const { return eps_; }

 private:
  std::int64_t num_groups_, channels_;
  double eps_;
};

}  // namespace nn
