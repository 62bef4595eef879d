// SPDX-License-Identifier: Apache-2.0
// Optimizers: they hold handles of parameters and change the elements in place, after PyTorch's update
// formulas, in the parameters' dtype. A parameter without a gradient is skipped entirely: none is not
// zero, and its state does not advance. Below, p is an element, g its gradient; all state starts at 0.
//
// Steps are never recorded, but raise the version of what they change: a tape that had saved the old
// elements throws in backward. To add one: options, class, its loop in optim.cpp, a golden trace.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include <autograd/autograd.hpp>

namespace nn {

using autograd::Tensor;

/// Base of the optimizers. Not copied: two optimizers that share their state make no sense.
/// Constructors throw ValueError for no parameters, one that does not require gradients or is given
/// twice, and for options out of range; TypeError unless float32 or float64.
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(Optimizer&&) = default;
  Optimizer& operator=(Optimizer&&) = default;

  /// One update of every parameter that has a gradient.
  virtual void step() = 0;
  /// Removes the gradients.
  void zero_grad();

  double lr() const { return lr_; }
  /// The learning rate of the next steps. Throws ValueError unless it is finite and >= 0.
  void set_lr(double lr);
  const std::vector<Tensor>& parameters() const { return parameters_; }

 protected:
  Optimizer(const char* name, std::vector<Tensor> parameters, double lr);
  /// Throws ValueError "<name>: <option> out of range: ..." unless ok.
  void require(bool ok, const char* option, double value, const char* need) const;

  const char* name_;
  std::vector<Tensor> parameters_;
  double lr_ = 0;
};

struct SGDOptions {
  double lr = 1e-3;
  double momentum = 0.0;
  double dampening = 0.0;
  double weight_decay = 0.0;
  bool nesterov = false;
};

/// g += weight_decay p; then without momentum p -= lr g, and with momentum mu
/// b = mu b + (1 - dampening) g (the first time b = g), p -= lr b, or with nesterov
/// p -= lr (g + mu b). Nesterov needs momentum and no dampening.
class SGD : public Optimizer {
 public:
  explicit SGD(std::vector<Tensor> parameters, SGDOptions options = {});
  void step() override;

 private:
  template <class T>
  void update(const Tensor& p, const autograd::detail::Node* g, Tensor& momentum) const;

  SGDOptions options_;
  std::vector<Tensor> momentum_;  // undefined until the first gradient; empty without momentum
};

struct AdamOptions {
  double lr = 1e-3;
  std::pair<double, double> betas = {0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 0.0;  ///< added to the gradient: g += weight_decay p
};

struct AdamWOptions {
  double lr = 1e-3;
  std::pair<double, double> betas = {0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 1e-2;  ///< decoupled: p -= lr weight_decay p
};

namespace detail {

/// Adam's state, one entry per parameter.
struct Moments {
  std::vector<Tensor> first, second;  // undefined until the first gradient
  std::vector<std::int64_t> steps;
};

}  // namespace detail

/// m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2, p -= lr m' / (sqrt(v') + eps) with
/// m' = m / (1 - b1^t), v' = v / (1 - b2^t), t counting the parameter's own steps.
/// Kingma, Ba: Adam, ICLR 2015.
class Adam : public Optimizer {
 public:
  explicit Adam(std::vector<Tensor> parameters, AdamOptions options = {});
  void step() override;

 private:
  AdamOptions options_;
  detail::Moments moments_;
};

/// Adam whose weight decay does not pass through the moments: p -= lr weight_decay p comes first.
/// Loshchilov, Hutter: Decoupled weight decay regularization, ICLR 2019.
class AdamW : public Optimizer {
 public:
  explicit AdamW(std::vector<Tensor> parameters, AdamWOptions options = {});
  void step() override;

 private:
  AdamOptions options_;
  detail::Moments moments_;
};

struct RMSpropOptions {
  double lr = 1e-2;
  double alpha = 0.99;
  double eps = 1e-8;
  double weight_decay = 0.0;
  double momentum = 0.0;
  bool centered = false;
  bool eps_inside_sqrt = false;  ///< sqrt(v + eps), as TensorFlow
};

/// g += weight_decay p; v = alpha v + (1 - alpha) g^2; s = sqrt(v) + eps, where centered takes
/// v - a^2 for v, with a = alpha a + (1 - alpha) g; p -= lr g / s, or with momentum mu
/// b = mu b + g / s, p -= lr b. Tieleman, Hinton: Lecture 6.5, 2012; centered: Graves, 2013.
class RMSprop : public Optimizer {
 public:
  explicit RMSprop(std::vector<Tensor> parameters, RMSpropOptions options = {});
  void step() override;

 private:
  template <class T> void update(const Tensor& p, const autograd::detail::Node* g, std::size_t i);

  RMSpropOptions options_;
  std::vector<Tensor> square_, mean_, momentum_;  // the last two empty when not in use
};

}  // namespace nn
