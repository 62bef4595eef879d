// SPDX-License-Identifier: Apache-2.0
// Activations as objects, for Sequential. They hold nothing that is saved or switched, so they are not
// modules and are not registered; values, slopes and kinks are those of the functions they call.
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
/// log(1 + exp(x)).
struct Softplus {
  Tensor operator()(const Tensor& x) const { return autograd::softplus(x); }
};
/// exp(x) / sum(exp(x)) along an axis; negative axes count from the end.
struct Softmax {
  explicit Softmax(std::int64_t axis = -1) : axis_(axis) {}
  Tensor operator()(const Tensor& x) const { return autograd::softmax(x, axis_); }

 private:
  std::int64_t axis_;
};
/// log(softmax(x)), exact where softmax underflows.
struct LogSoftmax {
  explicit LogSoftmax(std::int64_t axis = -1) : axis_(axis) {}
  Tensor operator()(const Tensor& x) const { return autograd::log_softmax(x, axis_); }

 private:
  std::int64_t axis_;
};

}  // namespace nn
