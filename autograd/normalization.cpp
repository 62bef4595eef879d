// SPDX-License-Identifier: Apache-2.0
// Public names of normalization: checks, layouts, running statistics.
#include <cmath>
#include <limits>

#include "apply.hpp"
#include "create.hpp"
#include "network.hpp"
#include "spatial.hpp"
#include "text.hpp"

namespace autograd {

namespace {

using kernels::NormKind;
using kernels::NormShape;

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

std::int64_t product(const Shape& shape, int from) {
  std::int64_t n = 1;
  for (int i = from; i < shape.dim(); ++i) n *= shape[i];
  return n;
}

void check_eps(const char* function, double eps) {
  if (!(eps >= 0) || std::isinf(eps)) {
    throw ValueError(std::string(function) + ": eps out of range: " + detail::text(eps) +
                     "; need a finite number of at least 0");
  }
}

void check_momentum(const char* function, double momentum) {
  if (!(momentum >= 0 && momentum <= 1)) {
    throw ValueError(std::string(function) + ": momentum out of range: " + detail::text(momentum) +
                     "; need 0 to 1");
  }
}

// An undefined tensor is none, which fits.
void check_parameter(const char* function, const char* what, const Tensor& x, const Tensor& p,
                     const Shape& need) {
  if (!p.defined()) return;
  detail::check_same_dtype(function, x, what, p);
  if (!(p.shape() == need)) {
    throw ShapeError(std::string(function) + ": " + what + " does not fit: it is " +
                     to_string(p.shape()) + ", x is " + to_string(x.shape()) + "; need shape " +
                     to_string(need));
  }
}

void check_channels(const char* function, const Tensor& x) {
  if (x.dim() < 2 || x.shape()[1] < 1) {
    throw ShapeError(std::string(function) + ": x has no channels: x is " + to_string(x.shape()) +
                     "; need [n, c, ...] with c >= 1");
  }
}

void check_running(const char* function, const Tensor& x, const Tensor& mean,
                   const Tensor& variance) {
  if (mean.defined() != variance.defined()) {
    throw ValueError(std::string(function) +
                     ": only one of running_mean and running_var given; need both or none");
  }
  check_parameter(function, "running_mean", x, mean, {x.shape()[1]});
  check_parameter(function, "running_var", x, variance, {x.shape()[1]});
  for (const Tensor* t : {&mean, &variance}) {
    if (t->defined() && !t->is_contiguous()) {
      throw ValueError(std::string(function) +
                       ": running statistics are not contiguous; need memory of their own");
    }
    if (t->defined() && (t->requires_grad() || t->node()->generation != 0)) {
      throw TapeError(std::string(function) +
                      ": running statistics are tracked by a tape, but take no gradient; need "
                      "constants (pass detach of them)");
    }
  }
}

// The rows' statistics from the running ones of the channels; copied, since training moves those in
// place while a backward pass still reads these.
ops::Statistics fixed_statistics(const Tensor& mean, const Tensor& variance, std::int64_t samples,
                                 double eps) {
  const auto repeated = [samples](const Tensor& t) {
    const Tensor wide = to(detach(t), float64);
    const std::int64_t n = wide.numel();
    return ops::Contiguous{}.forward(reshape(broadcast_to(wide, {samples, n}), Shape{samples * n}));
  };
  ops::Statistics result{repeated(mean), repeated(variance), {}};
  ops::set_scale(result, eps);
  return result;
}

void move_towards(const char* function, Tensor running, const Tensor& learned, double m) {
  dispatch_floating(function, running.dtype(), [&]<class T>(T) {
    for (std::size_t i = 0; i < ops::count(running); ++i) {
      T& element = ops::data<T>(running)[i];
      element = static_cast<T>((1 - m) * static_cast<double>(element) +
                               m * ops::data<double>(learned)[i]);
    }
  });
  note_change(running, function);
}

// running := (1 - momentum) running + momentum batch; means over the samples, variances unbiased.
void learn(const char* function, const Tensor& mean, const Tensor& variance,
           const ops::Statistics& batch, const NormShape& s, double momentum) {
  const double n = static_cast<double>(s.row_size());
  Tensor means = ops::make(mean.shape(), float64), variances = ops::make(mean.shape(), float64);
  const double rows = static_cast<double>(s.samples);
  for (std::size_t c = 0; c < s.groups; ++c) {
    double m = 0, v = 0;
    for (std::size_t i = 0; i < s.samples; ++i) {
      m += ops::data<double>(batch.mean)[i * s.groups + c];
      v += ops::data<double>(batch.variance)[i * s.groups + c] * (n / (n - 1));
    }
    ops::data<double>(means)[c] = m / rows;
    ops::data<double>(variances)[c] = v / rows;
  }
  move_towards(function, mean, means, momentum);
  move_towards(function, variance, variances, momentum);
}

Tensor normalized(const Tensor& x, const NormShape& s, NormKind kind, double eps,
                  ops::Statistics statistics, const Tensor& weight, const Tensor& bias,
                  const Shape& parameters) {
  // The statistics are of one x: vmap has to call the function for each example.
  if (detail::is_batched(x.node())) detail::throw_batched();
  const Tensor w = weight.defined() ? weight : ones(parameters, x.dtype());
  const Tensor b = bias.defined() ? bias : zeros(parameters, x.dtype());
  return apply(ops::Normalize{s, kind, eps, std::move(statistics), parameters}, x, w, b);
}

// Batch and instance norm: statistics of each channel, of the whole batch or of each sample.
struct ChannelNorm {
  const char *function, *fix;
  bool by_sample, use_input;
  double momentum, eps;

  Tensor run(const Tensor& x, const Tensor& running_mean, const Tensor& running_var,
             const Tensor& weight, const Tensor& bias) const {
    check(x, running_mean, running_var, weight, bias);
    const Shape channels = {x.shape()[1]};
    const std::size_t n = size(x.shape()[0]);
    const NormShape s = {.outer = by_sample ? 1 : n,
                         .samples = by_sample ? n : 1,
                         .groups = size(channels[0]),
                         .inner = size(product(x.shape(), 2))};
    if (!use_input) {
      const auto rows = static_cast<std::int64_t>(s.samples);
      return normalized(x, s, NormKind::fixed, eps,
                        fixed_statistics(running_mean, running_var, rows, eps), weight, bias,
                        channels);
    }
    if (s.row_size() < 2) {
      throw ValueError(std::string(function) + ": too few elements per channel: x is " +
                       to_string(x.shape()) + "; need at least 2 (" + std::to_string(s.row_size()) +
                       ")");
    }
    const ops::Statistics batch = ops::make_statistics(s);
    Tensor y = normalized(x, s, NormKind::centered, eps, batch, weight, bias, channels);
    if (running_mean.defined() && s.samples > 0) {
      learn(function, running_mean, running_var, batch, s, momentum);
    }
    return y;
  }

 private:
  void check(const Tensor& x, const Tensor& running_mean, const Tensor& running_var,
             const Tensor& weight, const Tensor& bias) const {
    detail::check_floating(function, x);
    check_channels(function, x);
    check_eps(function, eps);
    check_momentum(function, momentum);
    check_running(function, x, running_mean, running_var);
    check_parameter(function, "weight", x, weight, {x.shape()[1]});
    check_parameter(function, "bias", x, bias, {x.shape()[1]});
    if (!use_input && !running_mean.defined()) {
      throw ValueError(std::string(function) +
                       ": no statistics: running_mean and running_var are undefined; need them, "
                       "or " +
                       fix);
    }
  }
};

// The layout of norms over the last axes; throws unless x ends in them.
NormShape last_axes(const char* function, const Tensor& x, const Shape& last) {
  const int lead = x.dim() - last.dim();
  bool fits = lead >= 0 && last.dim() >= 1;
  for (int i = 0; fits && i < last.dim(); ++i) fits = x.shape()[lead + i] == last[i];
  if (!fits) {
    throw ShapeError(std::string(function) + ": x does not end in the normalized shape: x is " +
                     to_string(x.shape()) + ", normalized_shape is " + to_string(last) +
                     "; need at least one axis and equal extents");
  }
  std::int64_t rows = 1;
  for (int i = 0; i < lead; ++i) rows *= x.shape()[i];
  return {.samples = size(rows), .features = size(last.numel())};
}

}  // namespace

Tensor batch_norm(const Tensor& x, const Tensor& running_mean, const Tensor& running_var,
                  const Tensor& weight, const Tensor& bias, const BatchNormOptions& options) {
  const ChannelNorm norm = {.function = "batch_norm",
                            .fix = ".training = true",
                            .by_sample = false,
                            .use_input = options.training,
                            .momentum = options.momentum,
                            .eps = options.eps};
  return norm.run(x, running_mean, running_var, weight, bias);
}

Tensor layer_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight,
                  const Tensor& bias, NormOptions options) {
  detail::check_floating("layer_norm", x);
  const NormShape s = last_axes("layer_norm", x, normalized_shape);
  check_eps("layer_norm", options.eps);
  check_parameter("layer_norm", "weight", x, weight, normalized_shape);
  check_parameter("layer_norm", "bias", x, bias, normalized_shape);
  return normalized(x, s, NormKind::centered, options.eps, ops::make_statistics(s), weight, bias,
                    normalized_shape);
}

Tensor rms_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight,
                RmsNormOptions options) {
  detail::check_floating("rms_norm", x);
  const NormShape s = last_axes("rms_norm", x, normalized_shape);
  const double machine = x.dtype() == float32 ? std::numeric_limits<float>::epsilon()
                                              : std::numeric_limits<double>::epsilon();
  const double eps = options.eps < 0 ? machine : options.eps;
  check_eps("rms_norm", eps);
  check_parameter("rms_norm", "weight", x, weight, normalized_shape);
  return normalized(x, s, NormKind::uncentered, eps, ops::make_statistics(s), weight, {},
                    normalized_shape);
}

Tensor group_norm(const Tensor& x, std::int64_t num_groups, const Tensor& weight,
                  const Tensor& bias, NormOptions options) {
  detail::check_floating("group_norm", x);
  check_channels("group_norm", x);
  const std::int64_t channels = x.shape()[1];
  if (num_groups < 1 || channels % num_groups != 0) {
    throw ValueError("group_norm: num_groups does not divide the channels: num_groups is " +
                     std::to_string(num_groups) + "; need at least 1 and a divisor of " +
                     std::to_string(channels));
  }
  check_eps("group_norm", options.eps);
  check_parameter("group_norm", "weight", x, weight, {channels});
  check_parameter("group_norm", "bias", x, bias, {channels});
  const NormShape s = {.samples = size(x.shape()[0]),
                       .groups = size(num_groups),
                       .features = size(channels / num_groups),
                       .inner = size(product(x.shape(), 2))};
  return normalized(x, s, NormKind::centered, options.eps, ops::make_statistics(s), weight, bias,
                    {channels});
}

Tensor instance_norm(const Tensor& x, const Tensor& running_mean, const Tensor& running_var,
                     const Tensor& weight, const Tensor& bias, const InstanceNormOptions& options) {
  const ChannelNorm norm = {.function = "instance_norm",
                            .fix = ".use_input_stats = true",
                            .by_sample = true,
                            .use_input = options.use_input_stats,
                            .momentum = options.momentum,
                            .eps = options.eps};
  return norm.run(x, running_mean, running_var, weight, bias);
}

}  // namespace autograd
