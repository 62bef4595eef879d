// SPDX-License-Identifier: Apache-2.0
// Starting values for parameters. Each function fills the elements that x shares, so a handle by value
// is enough; nothing is recorded. All throw TypeError unless x is float32 or float64, and TapeError
// while a tape records x. Draws come from the generator given, else from this thread's default one.
// Sources: torch.nn.init; Glorot, Bengio 2010; He, Zhang, Ren, Sun 2015.
#pragma once

#include <cstdint>

#include <autograd/autograd.hpp>

namespace nn {

using autograd::Generator;
using autograd::Tensor;

void constant_(Tensor x, double value);
/// Uniform on [low, high). Throws ValueError unless both are finite and low <= high.
void uniform_(Tensor x, double low = 0.0, double high = 1.0,
              Generator& generator = autograd::default_generator());
/// Normal. Throws ValueError unless both are finite and stddev >= 0.
void normal_(Tensor x, double mean = 0.0, double stddev = 1.0,
             Generator& generator = autograd::default_generator());

struct XavierOptions {
  double gain = 1.0;
};
/// Uniform on (-a, a), a = gain sqrt(6 / (fan_in + fan_out)). x is [out, in, ...]: fan_in is in times
/// the extents that follow, fan_out is out times them. Throws ShapeError for fewer than two axes.
void xavier_uniform_(Tensor x, XavierOptions options = {},
                     Generator& generator = autograd::default_generator());
/// Normal with standard deviation gain sqrt(2 / (fan_in + fan_out)).
void xavier_normal_(Tensor x, XavierOptions options = {},
                    Generator& generator = autograd::default_generator());

/// Keeps the variance in the forward pass (fan_in) or in the backward pass (fan_out).
enum class FanMode : std::uint8_t { fan_in, fan_out };
/// What follows the layer; see gain().
enum class Nonlinearity : std::uint8_t { linear, sigmoid, tanh, relu, leaky_relu, selu };

/// 1 for linear and sigmoid, 5/3 for tanh, sqrt(2) for relu, sqrt(2 / (1 + a^2)) for leaky_relu with
/// negative slope a, 3/4 for selu.
double gain(Nonlinearity nonlinearity, double a = 0.0);

struct KaimingOptions {
  double a = 0.0;  ///< negative slope of leaky_relu
  FanMode mode = FanMode::fan_in;
  Nonlinearity nonlinearity = Nonlinearity::leaky_relu;
};
/// Uniform on (-b, b), b = gain sqrt(3 / fan).
void kaiming_uniform_(Tensor x, KaimingOptions options = {},
                      Generator& generator = autograd::default_generator());
/// Normal with standard deviation gain / sqrt(fan).
void kaiming_normal_(Tensor x, KaimingOptions options = {},
                     Generator& generator = autograd::default_generator());

}  // namespace nn
