// SPDX-License-Identifier: Apache-2.0
// Activations as objects, for Sequential, under PyTorch's names. They hold nothing that is saved or
// switched, so they are not modules and are not registered; values, slopes and kinks are those of the
// functions they call.
#pragma once

#include <cstdint>

#include <autograd/autograd.hpp>

namespace nn {

using autograd::Tensor;

/// x.
struct Identity {
  Tensor operator()(const Tensor& x) const { return x; }
};
/// 1 / (1 + exp(-x)).
struct Sigmoid {
  static constexpr auto kActivation = autograd::Activation::sigmoid;
  Tensor operator()(const Tensor& x) const { return autograd::sigmoid(x); }
};
struct Tanh {
  static constexpr auto kActivation = autograd::Activation::tanh;
  Tensor operator()(const Tensor& x) const { return autograd::tanh(x); }
};
/// max(x, 0); slope 0 at 0.
struct ReLU {
  static constexpr auto kActivation = autograd::Activation::relu;
  Tensor operator()(const Tensor& x) const { return autograd::relu(x); }
};
/// min(max(x, 0), 6).
struct ReLU6 {
  Tensor operator()(const Tensor& x) const { return autograd::relu6(x); }
};
/// x where x > 0, else negative_slope x.
struct LeakyReLU {
  explicit LeakyReLU(double negative_slope = 0.01) : negative_slope_(negative_slope) {}
  Tensor operator()(const Tensor& x) const { return autograd::leaky_relu(x, negative_slope_); }
  double negative_slope() const { return negative_slope_; }

 private:
  double negative_slope_;
};
/// x where x > 0, else alpha (exp(x) - 1).
struct ELU {
  explicit ELU(double alpha = 1) : alpha_(alpha) {}
  Tensor operator()(const Tensor& x) const { return autograd::elu(x, alpha_); }
  double alpha() const { return alpha_; }

 private:
  double alpha_;
};
/// ELU with the two constants that keep mean 0 and variance 1 (Klambauer et al. 2017).
struct SELU {
  Tensor operator()(const Tensor& x) const { return autograd::selu(x); }
};
/// x where x > 0, else alpha (exp(x / alpha) - 1).
struct CELU {
  explicit CELU(double alpha = 1) : alpha_(alpha) {}
  Tensor operator()(const Tensor& x) const { return autograd::celu(x, alpha_); }
  double alpha() const { return alpha_; }

 private:
  double alpha_;
};
/// x normal_cdf(x), or its approximation by tanh: {.approximate = GeluApproximation::tanh}.
struct GELU {
  explicit GELU(autograd::GeluOptions options = {}) : options_(options) {}
  Tensor operator()(const Tensor& x) const { return autograd::gelu(x, options_); }
  const autograd::GeluOptions& options() const { return options_; }

 private:
  autograd::GeluOptions options_;
};
/// x sigmoid(x).
struct SiLU {
  Tensor operator()(const Tensor& x) const { return autograd::silu(x); }
};
/// x tanh(softplus(x)).
struct Mish {
  Tensor operator()(const Tensor& x) const { return autograd::mish(x); }
};
/// x held between two numbers.
struct Hardtanh {
  explicit Hardtanh(double low = -1, double high = 1) : low_(low), high_(high) {}
  Tensor operator()(const Tensor& x) const { return autograd::hardtanh(x, low_, high_); }
  double low() const { return low_; }
  double high() const { return high_; }

 private:
  double low_, high_;
};
/// min(max(x + 3, 0), 6) / 6.
struct Hardsigmoid {
  Tensor operator()(const Tensor& x) const { return autograd::hardsigmoid(x); }
};
/// x hardsigmoid(x).
struct Hardswish {
  Tensor operator()(const Tensor& x) const { return autograd::hardswish(x); }
};
/// x / (1 + |x|).
struct Softsign {
  Tensor operator()(const Tensor& x) const { return autograd::softsign(x); }
};
/// log(1 + exp(beta x)) / beta, and x where beta x exceeds the threshold. Without options exact for
/// every x, which PyTorch's threshold misses by up to 2e-9.
struct Softplus {
  Softplus() = default;
  explicit Softplus(autograd::SoftplusOptions options) : options_(options), exact_(false) {}
  Tensor operator()(const Tensor& x) const {
    return exact_ ? autograd::softplus(x) : autograd::softplus(x, options_);
  }
  const autograd::SoftplusOptions& options() const { return options_; }
  bool exact() const { return exact_; }

 private:
  autograd::SoftplusOptions options_;
  bool exact_ = true;
};
/// log(sigmoid(x)), exact where sigmoid underflows.
struct LogSigmoid {
  Tensor operator()(const Tensor& x) const { return autograd::logsigmoid(x); }
};
/// exp(x) / sum(exp(x)) along an axis; negative axes count from the end.
struct Softmax {
  explicit Softmax(std::int64_t axis = -1) : axis_(axis) {}
  Tensor operator()(const Tensor& x) const { return autograd::softmax(x, axis_); }
  std::int64_t axis() const { return axis_; }

 private:
  std::int64_t axis_;
};
/// log(softmax(x)), exact where softmax underflows.
struct LogSoftmax {
  explicit LogSoftmax(std::int64_t axis = -1) : axis_(axis) {}
  Tensor operator()(const Tensor& x) const { return autograd::log_softmax(x, axis_); }
  std::int64_t axis() const { return axis_; }

 private:
  std::int64_t axis_;
};

}  // namespace nn
