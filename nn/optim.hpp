// SPDX-License-Identifier: Apache-2.0
// Optimizers: they hold handles of parameters and change the elements in place, after PyTorch's update
// formulas, in the parameters' dtype. A parameter without a gradient is skipped entirely: none is not
// zero, and its state does not advance. Below, p is an element, g its gradient (-g with maximize); all
// state starts at 0. More of them in optim_adaptive.hpp and lbfgs.hpp.
//
// Steps are never recorded, but raise the version of what they change: a tape that had saved the old
// elements throws in backward. To add one: options, class, its loop in a .cpp after optim_adaptive.cpp,
// a golden trace. One thread at a time.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include <autograd/autograd.hpp>

#include "state_dict.hpp"

namespace nn {

using autograd::Tensor;

namespace detail {
struct AdamRule;
}

/// Parameters with a learning rate or weight decay of their own.
struct ParameterGroup {
  std::vector<Tensor> parameters;
  std::optional<double> lr = {};            ///< not given: the optimizer's option
  std::optional<double> weight_decay = {};  ///< not given: the optimizer's option
};

/// Base of the optimizers. Not copied: two optimizers that share their state make no sense.
/// Constructors throw ValueError for no parameters, one that does not require gradients (leave frozen
/// ones out of the list) or is given twice, and for options out of range; TypeError unless float32 or
/// float64.
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(Optimizer&&) = default;
  Optimizer& operator=(Optimizer&&) = default;

  /// One update of every parameter that has a gradient.
  virtual void step() = 0;
  /// Removes the gradients.
  void zero_grad();

  /// Adds a further group; the constructor's parameters are group 0. Throws as constructors do, and
  /// then adds nothing.
  virtual void add_group(ParameterGroup group);
  std::size_t group_count() const { return groups_.size(); }
  /// Of all groups, in order.
  const std::vector<Tensor>& parameters() const { return parameters_; }

  /// The learning rate of the next steps. Throws ValueError for a group that there is not.
  double lr(std::size_t group = 0) const;
  /// Of all groups, or of one. Throws ValueError unless it is finite and >= 0.
  void set_lr(double lr);
  void set_lr(double lr, std::size_t group);
  /// The learning rate that schedules scale: that of the first call, when the first one was made.
  double base_lr(std::size_t group);

  /// Momentum, or the first of the betas: what one-cycle schedules change.
  bool has_momentum() const { return momentum_limit_ > 0; }
  double momentum() const { return momentum_; }
  /// Throws ValueError where there is none, or out of range.
  void set_momentum(double momentum);

  /// Everything that steps have left behind, as flat names: groups.0.lr, groups.0.weight_decay,
  /// momentum, state.3.step, state.3.exp_avg, ... A snapshot, whose elements are copies.
  virtual StateDict state_dict() const;
  /// Continues where that state was taken, to the same bits; the optimizer must have been built with
  /// the same options and like parameters. Throws one ValueError that lists all that is missing,
  /// unexpected or does not fit, and then changes nothing.
  virtual void load_state_dict(const StateDict& state);

 protected:
  struct Group {
    std::size_t begin, end;  // of parameters_
    double lr, weight_decay;
    std::optional<double> base_lr = {};
  };
  enum class SlotKind : std::uint8_t {
    elements,
    squares,  // elements >= 0
    scalar,   // one float64 number
  };
  /// One kind of state of each parameter: undefined before its first gradient.
  struct Slot {
    const char* name;
    SlotKind kind;
    std::vector<Tensor> tensors;
    std::vector<Tensor> fresh;  // zeros that state() takes at the first gradient
  };

  Optimizer(const char* name, std::vector<Tensor> parameters, double lr, double weight_decay);
  /// Throws ValueError "<name>: <option> out of range: ..." unless ok.
  void require(bool ok, const char* option, double value, const char* need) const;
  void require_betas(const std::pair<double, double>& betas, double eps) const;
  void add_slot(const char* name, SlotKind kind = SlotKind::elements);
  void count_steps() { steps_.resize(parameters_.size()); }
  /// Declares that there is a momentum, below `limit`.
  void use_momentum(double value, double limit = std::numeric_limits<double>::infinity());
  /// The elements of a slot of parameter i; zeros at the first call. In optim_loop.hpp, as the next.
  template <class T> T* state(std::size_t slot, std::size_t i);
  /// update(group, i, p, g, n) for every parameter i that has a gradient: n elements p and g, float
  /// or double. What can fail, memory for the state among it, fails before the first update.
  template <class F> void for_gradients(const char* changed_by, F&& update);

  const char* name_;
  std::vector<Tensor> parameters_;
  std::vector<Group> groups_;
  std::vector<Slot> slots_;
  std::vector<std::int64_t> steps_;  // of each parameter; empty unless counted
  double momentum_ = 0;

 private:
  friend struct detail::AdamRule;
  void check_parameters(const std::vector<Tensor>& fresh) const;
  void prepare(std::vector<Tensor>& copies);
  Group& group(std::size_t index, const char* function);

  double lr_option_, weight_decay_option_;
  double momentum_limit_ = 0;  // 0: there is no momentum
  bool started_ = false;       // every parameter has every state
};

struct SGDOptions {
  double lr = 1e-3;
  double momentum = 0.0;
  double dampening = 0.0;
  double weight_decay = 0.0;
  bool nesterov = false;
  bool maximize = false;
};

/// g += weight_decay p; then without momentum p -= lr g, and with momentum mu
/// b = mu b + (1 - dampening) g (the first time b = g), p -= lr b, or with nesterov
/// p -= lr (g + mu b). Nesterov needs momentum and no dampening.
class SGD : public Optimizer {
 public:
  explicit SGD(std::vector<Tensor> parameters, SGDOptions options = {});
  void step() override;

 private:
  bool step_few();
  void step_many();
  template <class T>
  void update(const Group& group, std::size_t i, T* p, const T* g, std::size_t n);

  SGDOptions options_;
  std::size_t known_few_ = 0;  // parameters, from the first one on, that are known to be tiny
};

struct AdamOptions {
  double lr = 1e-3;
  std::pair<double, double> betas = {0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 0.0;  ///< added to the gradient: g += weight_decay p
  bool amsgrad = false;       ///< the largest v so far in place of v (Reddi et al., ICLR 2018)
  bool maximize = false;
};

struct AdamWOptions {
  double lr = 1e-3;
  std::pair<double, double> betas = {0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 1e-2;  ///< decoupled: p -= lr weight_decay p
  bool amsgrad = false;
  bool maximize = false;
};

/// m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2, p -= lr m' / (sqrt(v') + eps) with
/// m' = m / (1 - b1^t), v' = v / (1 - b2^t), t counting the parameter's own steps.
/// Kingma, Ba: Adam, ICLR 2015.
class Adam : public Optimizer {
 public:
  explicit Adam(std::vector<Tensor> parameters, AdamOptions options = {});
  void step() override;

 private:
  AdamOptions options_;
};

/// Adam whose weight decay does not pass through the moments: p -= lr weight_decay p comes first.
/// Loshchilov, Hutter: Decoupled weight decay regularization, ICLR 2019.
class AdamW : public Optimizer {
 public:
  explicit AdamW(std::vector<Tensor> parameters, AdamWOptions options = {});
  void step() override;

 private:
  AdamOptions options_;
};

struct RMSpropOptions {
  double lr = 1e-2;
  double alpha = 0.99;
  double eps = 1e-8;
  double weight_decay = 0.0;
  double momentum = 0.0;
  bool centered = false;
  bool eps_inside_sqrt = false;  ///< sqrt(v + eps), as TensorFlow
  bool maximize = false;
};

/// g += weight_decay p; v = alpha v + (1 - alpha) g^2; s = sqrt(v) + eps, where centered takes
/// v - a^2 for v, with a = alpha a + (1 - alpha) g; p -= lr g / s, or with momentum mu
/// b = mu b + g / s, p -= lr b. Tieleman, Hinton: Lecture 6.5, 2012; centered: Graves, 2013.
class RMSprop : public Optimizer {
 public:
  explicit RMSprop(std::vector<Tensor> parameters, RMSpropOptions options = {});
  void step() override;

 private:
  RMSpropOptions options_;
};

}  // namespace nn
