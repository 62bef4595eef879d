// SPDX-License-Identifier: Apache-2.0
// Activations that hold something, or can be given a tensor that does not fit, and so are modules; and
// those that are no function of autograd's. All others are in activation.hpp.
#pragma once

#include <cstdint>
#include <memory>

#include "../module.hpp"

namespace nn {

struct PReLUOptions {
  std::int64_t num_parameters = 1;  ///< 1, or one for each channel (axis 1)
  double init = 0.25;
  autograd::DType dtype = autograd::float32;
};
/// x where x > 0, else weight x, with a learned weight. He et al. 2015; torch.nn.PReLU.
struct PReLU : Module {
  Parameter weight;  ///< [num_parameters]

  explicit PReLU(PReLUOptions options = {});
  Tensor operator()(const Tensor& x) const;
};

/// a sigmoid(b) of the halves of x along an axis, whose extent must be even. Dauphin et al. 2017.
struct GLU : Module {
  explicit GLU(std::int64_t axis = -1) : axis_(axis) {}
  Tensor operator()(const Tensor& x) const;
  std::int64_t axis() const { return axis_; }

 private:
  std::int64_t axis_;
};

struct RReLUOptions {
  double lower = 1.0 / 8, upper = 1.0 / 3;
};
/// x where x >= 0, else a x: in training a is uniform on [lower, upper) for each element, in evaluation
/// their mean. Streams as those of Dropout. Xu et al. 2015.
struct RReLU : Module {
  explicit RReLU(RReLUOptions options = {});
  explicit RReLU(Generator& generator, RReLUOptions options = {});
  Tensor operator()(const Tensor& x) const;
  const RReLUOptions& options() const { return options_; }

 private:
  RReLUOptions options_;
  std::shared_ptr<RandomStream> stream_;
};

/// exp(-x) / sum(exp(-x)) along an axis.
struct Softmin {
  explicit Softmin(std::int64_t axis = -1) : axis_(axis) {}
  Tensor operator()(const Tensor& x) const { return autograd::softmax(-x, axis_); }
  std::int64_t axis() const { return axis_; }

 private:
  std::int64_t axis_;
};
/// Softmax over the channels of [n, c, h, w] or [c, h, w].
struct Softmax2d {
  Tensor operator()(const Tensor& x) const { return autograd::softmax(x, -3); }
};
/// x - tanh(x).
struct Tanhshrink {
  Tensor operator()(const Tensor& x) const { return x - autograd::tanh(x); }
};
/// x where |x| > lambda, else 0.
struct Hardshrink {
  explicit Hardshrink(double lambda = 0.5) : lambda_(lambda) {}
  Tensor operator()(const Tensor& x) const {
    return autograd::where(autograd::abs(x) <= lambda_, 0.0, x);
  }
  double lambda() const { return lambda_; }

 private:
  double lambda_;
};
/// x moved by lambda towards 0, which it does not pass; slope 0 there.
struct Softshrink {
  explicit Softshrink(double lambda = 0.5) : lambda_(lambda) {}
  Tensor operator()(const Tensor& x) const { return x - autograd::hardtanh(x, -lambda_, lambda_); }
  double lambda() const { return lambda_; }

 private:
  double lambda_;
};
/// x where x > threshold, else value.
struct Threshold {
  Threshold(double threshold, double value) : threshold_(threshold), value_(value) {}
  Tensor operator()(const Tensor& x) const { return autograd::where(x <= threshold_, value_, x); }
  double threshold() const { return threshold_; }
  double value() const { return value_; }

 private:
  double threshold_, value_;
};

}  // namespace nn
