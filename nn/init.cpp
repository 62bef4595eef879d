// SPDX-License-Identifier: Apache-2.0
// All draws are made in bulk and copied in, so that copy_ decides whether the parameter may change now.
// Rounding of low + (high - low) u may give high itself.
#include "init.hpp"

#include <cmath>
#include <string>

namespace nn {

using autograd::Shape;
using autograd::ValueError;

namespace {

struct Fans {
  double in, out;
};

// x: [out, in, ...]
Fans fans_of(const char* function, const Tensor& x) {
  const Shape& shape = x.shape();
  if (shape.dim() < 2) {
    throw autograd::ShapeError(std::string(function) + ": too few axes: x is " + to_string(shape) +
                               "; need at least [out, in] (" + std::to_string(shape.dim()) +
                               " < 2)");
  }
  double field = 1;
  for (int axis = 2; axis < shape.dim(); ++axis) field *= static_cast<double>(shape[axis]);
  return {static_cast<double>(shape[1]) * field, static_cast<double>(shape[0]) * field};
}

void check(const char* function, const Tensor& x) {
  autograd::dispatch_floating(function, x.dtype(), [](auto) {});
}

void check(const char* function, const Tensor& x, bool valid, const std::string& values,
           const char* need) {
  check(function, x);
  if (valid) return;
  throw ValueError(std::string(function) + ": not a distribution: " + values + "; need " + need);
}

std::string list(const char* a, double x, const char* b, double y) {
  return std::string(a) + " is " + autograd::detail::text(x) + ", " + b + " is " +
         autograd::detail::text(y);
}

// `function` is what a backward pass names that had saved the old elements.
void fill_uniform(const char* function, Tensor& x, double low, double high, Generator& generator) {
  autograd::copy_(x, autograd::rand(x.shape(), generator, x.dtype()) * (high - low) + low);
  autograd::note_change(x, function);
}

void fill_normal(const char* function, Tensor& x, double mean, double stddev,
                 Generator& generator) {
  autograd::copy_(x, autograd::randn(x.shape(), generator, x.dtype()) * stddev + mean);
  autograd::note_change(x, function);
}

/// gain / sqrt(fan), for both of Kaiming's rules. Without elements there is nothing to scale.
double kaiming_scale(const char* function, const Tensor& x, const KaimingOptions& options) {
  check(function, x);
  const Fans fans = fans_of(function, x);
  const double fan = options.mode == FanMode::fan_in ? fans.in : fans.out;
  return fan > 0 ? gain(options.nonlinearity, options.a) / std::sqrt(fan) : 0.0;
}

double xavier_scale(const char* function, const Tensor& x, const XavierOptions& options) {
  check(function, x);
  const Fans fans = fans_of(function, x);
  const double both = fans.in + fans.out;
  return both > 0 ? options.gain * std::sqrt(2.0 / both) : 0.0;
}

}  // namespace

void constant_(Tensor x, double value) {
  check("constant_", x);
  autograd::fill_(x, value);
  autograd::note_change(x, "constant_");
}

void uniform_(Tensor x, double low, double high, Generator& generator) {
  check("uniform_", x, std::isfinite(low) && std::isfinite(high) && low <= high,
        list("low", low, "high", high), "finite low <= high");
  fill_uniform("uniform_", x, low, high, generator);
}

void normal_(Tensor x, double mean, double stddev, Generator& generator) {
  check("normal_", x, std::isfinite(mean) && std::isfinite(stddev) && stddev >= 0,
        list("mean", mean, "stddev", stddev), "finite mean and stddev >= 0");
  fill_normal("normal_", x, mean, stddev, generator);
}

void xavier_uniform_(Tensor x, XavierOptions options, Generator& generator) {
  const double a = std::sqrt(3.0) * xavier_scale("xavier_uniform_", x, options);
  fill_uniform("xavier_uniform_", x, -a, a, generator);
}

void xavier_normal_(Tensor x, XavierOptions options, Generator& generator) {
  fill_normal("xavier_normal_", x, 0.0, xavier_scale("xavier_normal_", x, options), generator);
}

double gain(Nonlinearity nonlinearity, double a) {
  switch (nonlinearity) {
    case Nonlinearity::tanh: return 5.0 / 3.0;
    case Nonlinearity::relu: return std::sqrt(2.0);
    case Nonlinearity::leaky_relu: return std::sqrt(2.0 / (1.0 + a * a));
    case Nonlinearity::selu: return 0.75;
    default: return 1.0;
  }
}

void kaiming_uniform_(Tensor x, KaimingOptions options, Generator& generator) {
  const double b = std::sqrt(3.0) * kaiming_scale("kaiming_uniform_", x, options);
  fill_uniform("kaiming_uniform_", x, -b, b, generator);
}

void kaiming_normal_(Tensor x, KaimingOptions options, Generator& generator) {
  fill_normal("kaiming_normal_", x, 0.0, kaiming_scale("kaiming_normal_", x, options), generator);
}

}  // namespace nn
