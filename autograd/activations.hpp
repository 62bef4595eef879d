// SPDX-License-Identifier: Apache-2.0
// The activations of networks that functions.hpp does not have (sigmoid, tanh, relu, softplus and
// logsigmoid are there). Names, arguments and kinks are PyTorch's; the README's op table has value,
// slope and accuracy of each. One pass over the elements forward, one backward. Integer tensors are
// taken as float32. The same for scalars: scalar_activations.hpp.
#pragma once

#include <cstdint>

#include "tensor.hpp"

namespace autograd {

struct SoftplusOptions {
  double beta = 1;
  double threshold = 20;  ///< where beta x is larger the result is x
};
enum class GeluApproximation : std::uint8_t { none, tanh };
struct GeluOptions {
  GeluApproximation approximate = GeluApproximation::none;
};

Tensor softsign(const Tensor& x);  ///< x / (1 + |x|)
Tensor relu6(const Tensor& x);     ///< min(max(x, 0), 6); slope 0 at 0 and 6
/// x where x > 0, else negative_slope x; slope negative_slope at 0.
Tensor leaky_relu(const Tensor& x, double negative_slope = 0.01);
/// x where x > 0, else alpha (e^x - 1); slope alpha at 0.
Tensor elu(const Tensor& x, double alpha = 1);
/// 1.0507 x where x > 0, else 1.0507 1.6733 (e^x - 1).
Tensor selu(const Tensor& x);
/// x where x > 0, else alpha (e^(x / alpha) - 1). Throws ValueError for alpha = 0.
Tensor celu(const Tensor& x, double alpha = 1);
/// x times the normal distribution function at x; or approximately, as gelu_tanh.
Tensor gelu(const Tensor& x, GeluOptions options = {});
/// x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))).
Tensor gelu_tanh(const Tensor& x);
Tensor silu(const Tensor& x);  ///< x sigmoid(x); 0 at -inf
Tensor mish(const Tensor& x);  ///< x tanh(softplus(x)); 0 at -inf
/// min(max(x, low), high); slope 0 at the bounds (clamp has 1 there). Throws ValueError unless
/// low <= high.
Tensor hardtanh(const Tensor& x, double low = -1, double high = 1);
Tensor hardsigmoid(const Tensor& x);  ///< min(max(x + 3, 0), 6) / 6; slope 0 at -3 and 3
Tensor hardswish(const Tensor& x);    ///< x hardsigmoid(x); slope -1/2 at -3 and 1 at 3
/// ln(1 + e^(beta x)) / beta; x itself beyond the threshold, as PyTorch (softplus(x) needs none: it is
/// exact for every x). Throws ValueError for beta = 0.
Tensor softplus(const Tensor& x, SoftplusOptions options);

}  // namespace autograd
