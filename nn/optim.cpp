// SPDX-License-Identifier: Apache-2.0
// What optimizers share: parameters, groups, momentum. Their state as a map is in optim_state.cpp.
#include "optim.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "optim_loop.hpp"

namespace nn {

using autograd::ValueError;
using detail::amount;
using detail::fraction;

__attribute__((noinline, cold)) const detail::Node* detail::unusual_gradient(const char* name,
                                                                             const Tensor& p,
                                                                             Tensor& holder) {
  const Tensor g = p.grad();
  if (g.dtype() != p.dtype() || !(g.shape() == p.shape())) {
    throw autograd::ShapeError(std::string(name) + ".step: the gradient does not fit: it is " +
                               autograd::name(g.dtype()) + " " + to_string(g.shape()) +
                               "; need that of the parameter (" + autograd::name(p.dtype()) + " " +
                               to_string(p.shape()) + ")");
  }
  holder = contiguous(detach(g));
  return holder.node();
}

Optimizer::Optimizer(const char* name, std::vector<Tensor> parameters, double lr,
                     double weight_decay)
    : name_(name), lr_option_(lr), weight_decay_option_(weight_decay) {
  require(amount(lr), "lr", lr, "a finite lr >= 0");
  require(amount(weight_decay), "weight_decay", weight_decay, "a finite weight_decay >= 0");
  check_parameters(parameters);
  parameters_ = std::move(parameters);
  groups_.push_back({0, parameters_.size(), lr, weight_decay});
}

void Optimizer::check_parameters(const std::vector<Tensor>& fresh) const {
  const std::string front = std::string(name_) + ": ";
  if (fresh.empty()) {
    throw ValueError(front + "no parameters: the list is empty; need at least one tensor");
  }
  std::vector<const void*> seen;
  for (const Tensor& p : parameters_) seen.push_back(p.node());
  for (std::size_t i = 0; i < fresh.size(); ++i) {
    const Tensor& p = fresh[i];
    const std::string which = "parameter " + std::to_string(parameters_.size() + i);
    if (!p.requires_grad()) {
      throw ValueError(front + "not a parameter: " + which + " " + to_string(p.shape()) +
                       " does not require gradients; need set_requires_grad(), or a list without "
                       "it where it is to stay as it is");
    }
    autograd::dispatch_floating(name_, p.dtype(), [](auto) {});
    if (!p.is_contiguous()) {
      throw ValueError(front + "not contiguous: " + which + " " + to_string(p.shape()) +
                       " is a strided view; need contiguous(...) of it as the parameter");
    }
    seen.push_back(p.node());
  }
  std::sort(seen.begin(), seen.end());
  if (std::adjacent_find(seen.begin(), seen.end()) != seen.end()) {
    throw ValueError(front +
                     "a parameter is given twice: it would be updated twice; need each once");
  }
}

void Optimizer::add_group(ParameterGroup group) {
  const double rate = group.lr.value_or(lr_option_);
  const double decay = group.weight_decay.value_or(weight_decay_option_);
  require(amount(rate), "lr", rate, "a finite lr >= 0");
  require(amount(decay), "weight_decay", decay, "a finite weight_decay >= 0");
  check_parameters(group.parameters);
  const std::size_t begin = parameters_.size(), end = begin + group.parameters.size();
  parameters_.reserve(end);
  groups_.reserve(groups_.size() + 1);
  for (Slot& slot : slots_) {
    slot.tensors.resize(end);
    slot.fresh.resize(end);
  }
  started_ = false;
  if (!steps_.empty()) steps_.resize(end);
  for (Tensor& p : group.parameters) parameters_.push_back(std::move(p));
  groups_.push_back({begin, end, rate, decay});
}

Optimizer::Group& Optimizer::group(std::size_t index, const char* function) {
  if (index < groups_.size()) return groups_[index];
  throw ValueError(std::string(name_) + "." + function + ": no such group: group is " +
                   std::to_string(index) + "; need group < " + std::to_string(groups_.size()));
}

double Optimizer::lr(std::size_t index) const {
  return const_cast<Optimizer*>(this)->group(index, "lr").lr;
}

void Optimizer::set_lr(double lr) {
  require(amount(lr), "lr", lr, "a finite lr >= 0");
  for (Group& each : groups_) each.lr = lr;
}

void Optimizer::set_lr(double lr, std::size_t index) {
  require(amount(lr), "lr", lr, "a finite lr >= 0");
  group(index, "set_lr").lr = lr;
}

double Optimizer::base_lr(std::size_t index) {
  Group& g = group(index, "base_lr");
  if (!g.base_lr) g.base_lr = g.lr;
  return *g.base_lr;
}

void Optimizer::set_momentum(double momentum) {
  if (!has_momentum()) {
    throw ValueError(std::string(name_) +
                     ".set_momentum: no momentum: it was built without; need " +
                     "SGD or RMSprop with momentum > 0, or one of the Adam family");
  }
  require(amount(momentum) && momentum < momentum_limit_, "momentum", momentum,
          momentum_limit_ == 1 ? "0 <= momentum < 1" : "a finite momentum >= 0");
  momentum_ = momentum;
}

void Optimizer::zero_grad() {
  for (const Tensor& p : parameters_) {
    detail::Node* g = std::exchange(p.node()->grad, nullptr);
    if (g) autograd::detail::release_slow(g);  // mostly the last reference
  }
}

void Optimizer::require(bool ok, const char* option, double value, const char* need) const {
  if (ok) return;
  throw ValueError(std::string(name_) + ": " + option + " out of range: " + option + " is " +
                   autograd::detail::text(value) + "; need " + need);
}

void Optimizer::require_betas(const std::pair<double, double>& betas, double eps) const {
  require(fraction(betas.first), "betas.first", betas.first, "0 <= beta < 1");
  require(fraction(betas.second), "betas.second", betas.second, "0 <= beta < 1");
  require(amount(eps), "eps", eps, "a finite eps >= 0");
}

void Optimizer::add_slot(const char* name, SlotKind kind) {
  const std::vector<Tensor> none(parameters_.size());
  slots_.push_back({name, kind, none, none});
}

__attribute__((noinline, cold)) void Optimizer::prepare(std::vector<Tensor>& copies) {
  bool all = true;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Tensor& p = parameters_[i];
    const bool moves = p.node()->grad;
    if (moves && !detail::plain_gradient(p)) {
      copies.resize(parameters_.size());
      detail::unusual_gradient(name_, p, copies[i]);
    }
    for (Slot& slot : slots_) {
      if (slot.tensors[i].defined()) continue;
      all = all && moves;
      if (!moves || slot.fresh[i].defined()) continue;
      slot.fresh[i] =
          slot.kind == SlotKind::scalar ? autograd::zeros({}, autograd::float64) : zeros_like(p);
    }
  }
  started_ = all;
}

void Optimizer::use_momentum(double value, double limit) {
  momentum_ = value;
  momentum_limit_ = limit;
}

}  // namespace nn
