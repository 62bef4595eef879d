// SPDX-License-Identifier: Apache-2.0
#include "norm.hpp"

#include "check.hpp"

namespace nn {

namespace {

using autograd::Shape;
using autograd::ShapeError;
using autograd::ValueError;

constexpr const char* kBatch[] = {"", "BatchNorm1d", "BatchNorm2d", "BatchNorm3d"};
constexpr const char* kInstance[] = {"", "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"};

void check_eps(const char* layer, double eps) {
  if (eps >= 0 && std::isfinite(eps)) return;
  throw ValueError(std::string(layer) + ": eps out of range: " + autograd::detail::text(eps) +
                   "; need a finite number of at least 0");
}

const Shape& checked_shape(const char* layer, const Shape& normalized_shape) {
  if (normalized_shape.dim() > 0) return normalized_shape;
  throw ValueError(std::string(layer) +
                   ": nothing to normalize over: normalized_shape is []; need one extent or more");
}

void check_momentum(const char* layer, double momentum) {
  if (momentum >= 0 && momentum <= 1) return;
  throw ValueError(std::string(layer) + ": momentum out of range: " +
                   autograd::detail::text(momentum) + "; need 0 to 1");
}

// x: between `low` and `high` axes, with the channels where they belong.
void check_input(const Tensor& x, int low, int high, int channel_axis, std::int64_t channels) {
  if (x.dim() >= low && x.dim() <= high && x.shape()[channel_axis] == channels) return;
  const std::string axes =
      low == high ? std::to_string(low) : std::to_string(low) + " or " + std::to_string(high);
  throw ShapeError("input has the wrong shape: input is " + to_string(x.shape()) + "; need " +
                   axes + " axes and input.shape[" + std::to_string(channel_axis) +
                   "] == " + std::to_string(channels));
}

// weight and bias where they are learned, running statistics where they are kept.
template <class Layer>
void make_channels(Layer& layer, std::int64_t channels, bool affine, bool tracked,
                   autograd::DType dtype) {
  if (affine) {
    layer.weight = detail::constant_parameter(layer, "weight", {channels}, 1, dtype);
    layer.bias = detail::constant_parameter(layer, "bias", {channels}, 0, dtype);
  }
  if (!tracked) return;
  layer.running_mean = autograd::zeros({channels}, dtype);
  layer.running_var = autograd::ones({channels}, dtype);
  layer.num_batches_tracked = autograd::zeros({}, autograd::int64);
  layer.register_buffer("running_mean", layer.running_mean);
  layer.register_buffer("running_var", layer.running_var);
  layer.register_buffer("num_batches_tracked", layer.num_batches_tracked);
}

}  // namespace

template <int Axes>
BatchNormNd<Axes>::BatchNormNd(std::int64_t channels, const BatchNormLayerOptions& options)
    : channels_(channels), eps_(options.eps), momentum_(options.momentum) {
  detail::check_at_least(kBatch[Axes], "channels", channels, 1);
  check_eps(kBatch[Axes], eps_);
  if (momentum_) check_momentum(kBatch[Axes], *momentum_);
  make_channels(*this, channels, options.affine, options.track_running_stats, options.dtype);
}

template <int Axes> Tensor BatchNormNd<Axes>::operator()(const Tensor& x) const {
  return guard(kBatch[Axes], [&] { return normalized(x); });
}

template <int Axes> Tensor BatchNormNd<Axes>::normalized(const Tensor& x) const {
  check_input(x, Axes == 1 ? 2 : Axes + 2, Axes + 2, 1, channels_);
  const bool learn = is_training() && running_mean.defined();
  autograd::BatchNormOptions options{.training = learn || !running_mean.defined(), .eps = eps_};
  const std::int64_t seen = learn ? num_batches_tracked.data<std::int64_t>()[0] + 1 : 0;
  if (learn) options.momentum = momentum_ ? *momentum_ : 1.0 / static_cast<double>(seen);
  Tensor y = autograd::batch_norm(x, running_mean, running_var, weight, bias, options);
  if (learn) {
    Tensor count = num_batches_tracked;
    count.mutable_data<std::int64_t>()[0] = seen;
    autograd::note_change(count, "BatchNorm");
  }
  return y;
}

template <int Axes>
InstanceNormNd<Axes>::InstanceNormNd(std::int64_t channels, const InstanceNormLayerOptions& options)
    : channels_(channels), eps_(options.eps), momentum_(options.momentum) {
  detail::check_at_least(kInstance[Axes], "channels", channels, 1);
  check_eps(kInstance[Axes], eps_);
  check_momentum(kInstance[Axes], momentum_);
  make_channels(*this, channels, options.affine, options.track_running_stats, options.dtype);
}

template <int Axes> Tensor InstanceNormNd<Axes>::operator()(const Tensor& x) const {
  return guard(kInstance[Axes], [&] {
    const bool batched = x.dim() != Axes + 1;
    check_input(x, Axes + 1, Axes + 2, batched ? 1 : 0, channels_);
    const autograd::InstanceNormOptions options{
        .use_input_stats = is_training() || !running_mean.defined(),
        .momentum = momentum_,
        .eps = eps_};
    const Tensor y = autograd::instance_norm(batched ? x : autograd::unsqueeze(x, 0), running_mean,
                                             running_var, weight, bias, options);
    return batched ? y : autograd::squeeze(y, 0);
  });
}

template struct BatchNormNd<1>;
template struct BatchNormNd<2>;
template struct BatchNormNd<3>;
template struct InstanceNormNd<1>;
template struct InstanceNormNd<2>;
template struct InstanceNormNd<3>;

LayerNorm::LayerNorm(const Shape& normalized_shape, const LayerNormOptions& options)
    : normalized_shape_(checked_shape("LayerNorm", normalized_shape)), eps_(options.eps) {
  check_eps("LayerNorm", eps_);
  if (!options.elementwise_affine) return;
  weight = detail::constant_parameter(*this, "weight", normalized_shape, 1, options.dtype);
  if (!options.bias) return;
  bias = detail::constant_parameter(*this, "bias", normalized_shape, 0, options.dtype);
}

Tensor LayerNorm::operator()(const Tensor& x) const {
  return guard("LayerNorm", [&] {
    return autograd::layer_norm(x, normalized_shape_, weight, bias, {.eps = eps_});
  });
}

RMSNorm::RMSNorm(const Shape& normalized_shape, const RMSNormOptions& options)
    : normalized_shape_(checked_shape("RMSNorm", normalized_shape)), eps_(options.eps) {
  if (eps_ >= 0) check_eps("RMSNorm", eps_);
  if (!options.elementwise_affine) return;
  weight = detail::constant_parameter(*this, "weight", normalized_shape, 1, options.dtype);
}

Tensor RMSNorm::operator()(const Tensor& x) const {
  return guard("RMSNorm",
               [&] { return autograd::rms_norm(x, normalized_shape_, weight, {.eps = eps_}); });
}

GroupNorm::GroupNorm(std::int64_t num_groups, std::int64_t channels,
                     const GroupNormOptions& options)
    : num_groups_(num_groups), channels_(channels), eps_(options.eps) {
  detail::check_at_least("GroupNorm", "num_groups", num_groups, 1);
  detail::check_at_least("GroupNorm", "channels", channels, 1);
  check_eps("GroupNorm", eps_);
  if (channels % num_groups != 0) {
    throw ValueError("GroupNorm: num_groups does not divide the channels: num_groups is " +
                     std::to_string(num_groups) + ", channels is " + std::to_string(channels) +
                     "; need a divisor");
  }
  if (!options.affine) return;
  weight = detail::constant_parameter(*this, "weight", {channels}, 1, options.dtype);
  bias = detail::constant_parameter(*this, "bias", {channels}, 0, options.dtype);
}

Tensor GroupNorm::operator()(const Tensor& x) const {
  return guard("GroupNorm", [&] {
    check_input(x, 2, autograd::kMaxDim, 1, channels_);
    return autograd::group_norm(x, num_groups_, weight, bias, {.eps = eps_});
  });
}

}  // namespace nn
