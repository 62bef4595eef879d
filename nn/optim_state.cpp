// SPDX-License-Identifier: Apache-2.0
// The state of optimizers as a map of named tensors, and back: everything is checked before anything
// is changed.
#include <cmath>
#include <string>

#include "optim_loop.hpp"
#include "utf8.hpp"

namespace nn {

namespace {

Tensor number(double value) { return autograd::full({}, value, autograd::float64); }
Tensor copy_of(const Tensor& x) {
  Tensor copy = empty_like(x);
  copy_(copy, detach(x));
  return copy;
}

bool any_negative(const Tensor& x) { return any(detach(x) < 0.0).item() != 0; }

/// Reads a state and gathers what is wrong with it.
class Reader {
 public:
  explicit Reader(const StateDict& state) : state_(state) {}

  /// The entry of that name, or undefined and a complaint unless it is there and fits.
  Tensor take(const std::string& name, const autograd::Shape& shape, autograd::DType dtype) {
    if (!state_.contains(name)) {
      complain("missing " + detail::escaped(name, 100));
      return {};
    }
    ++taken_;
    const Tensor& x = state_.at(name);
    if (!x.defined() || x.dtype() != dtype || !(x.shape() == shape)) {
      const std::string is =
          x.defined() ? std::string(autograd::name(x.dtype())) + " " + to_string(x.shape())
                      : std::string("undefined");
      complain(name + " is " + is + ", not " + autograd::name(dtype) + " " + to_string(shape));
      return {};
    }
    return x;
  }
  /// A finite number >= 0 and below `limit`.
  double amount(const std::string& name, double limit) {
    const Tensor x = take(name, {}, autograd::float64);
    const double value = x.defined() ? x.item() : 0;
    if (!detail::amount(value) || value >= limit)
      complain(name + " is " + autograd::detail::text(value));
    return value;
  }
  void complain(const std::string& what) {
    if (++complaints_ <= 20) text_ += (text_.empty() ? "" : ", ") + what;
  }
  /// Throws unless everything was there and nothing else.
  void finish(const char* optimizer, const std::vector<std::string>& known) {
    if (taken_ != state_.size()) {
      const std::map<std::string, int> names = [&] {
        std::map<std::string, int> set;
        for (const std::string& name : known) set[name] = 1;
        return set;
      }();
      for (const auto& entry : state_) {
        if (!names.count(entry.first)) complain("unexpected " + detail::escaped(entry.first, 100));
      }
    }
    if (complaints_ == 0) return;
    if (complaints_ > 20) text_ += ", and " + std::to_string(complaints_ - 20) + " more";
    throw autograd::ValueError(std::string(optimizer) +
                               ".load_state_dict: the state does not fit: " + text_ +
                               "; need the state of an optimizer built alike");
  }

 private:
  const StateDict& state_;
  std::size_t taken_ = 0, complaints_ = 0;
  std::string text_;
};

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::string group_key(std::size_t i, const char* what) {
  return "groups." + std::to_string(i) + "." + what;
}
std::string state_key(std::size_t i, const char* what) {
  return "state." + std::to_string(i) + "." + what;
}

}  // namespace

StateDict Optimizer::state_dict() const {
  StateDict state;
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    state.insert(group_key(i, "lr"), number(groups_[i].lr));
    state.insert(group_key(i, "weight_decay"), number(groups_[i].weight_decay));
  }
  if (has_momentum()) state.insert("momentum", number(momentum_));
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (!steps_.empty() && steps_[i] > 0) {
      state.insert(state_key(i, "step"),
                   autograd::tensor(std::vector<std::int64_t>{steps_[i]}, {}));
    }
    for (const Slot& slot : slots_) {
      const Tensor& x = slot.tensors[i];
      if (x.defined()) state.insert(state_key(i, slot.name), copy_of(x));
    }
  }
  return state;
}

void Optimizer::load_state_dict(const StateDict& state) {
  Reader reader(state);
  std::vector<std::string> known;
  const auto key = [&](std::string name) -> const std::string& {
    return known.emplace_back(std::move(name));
  };
  std::vector<Group> groups = groups_;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    groups[i].lr = reader.amount(key(group_key(i, "lr")), kInfinity);
    groups[i].weight_decay = reader.amount(key(group_key(i, "weight_decay")), kInfinity);
  }
  const double momentum = has_momentum() ? reader.amount(key("momentum"), momentum_limit_) : 0;

  std::vector<Slot> slots = slots_;
  std::vector<std::int64_t> steps(steps_.size());
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    // A parameter that had no gradient yet has no state at all; any part asks for every part.
    bool some = state.contains(state_key(i, "step"));
    for (const Slot& slot : slots) some = some || state.contains(state_key(i, slot.name));
    for (Slot& slot : slots) slot.tensors[i] = slot.fresh[i] = Tensor();
    if (!some) continue;
    if (!steps.empty()) {
      const Tensor x = reader.take(key(state_key(i, "step")), {}, autograd::int64);
      steps[i] = x.defined() ? x.data<std::int64_t>()[0] : 1;
      if (steps[i] < 1) reader.complain(known.back() + " is " + std::to_string(steps[i]));
    }
    const Tensor& p = parameters_[i];
    for (Slot& slot : slots) {
      const Tensor x = slot.kind == SlotKind::scalar
                           ? reader.take(key(state_key(i, slot.name)), {}, autograd::float64)
                           : reader.take(key(state_key(i, slot.name)), p.shape(), p.dtype());
      if (!x.defined()) continue;
      slot.tensors[i] = copy_of(x);
      if (slot.kind == SlotKind::squares && any_negative(x)) {
        reader.complain(known.back() + " has elements below 0");
      }
    }
  }
  reader.finish(name_, known);
  groups_ = std::move(groups);
  slots_ = std::move(slots);
  steps_ = std::move(steps);
  started_ = false;
  if (has_momentum()) momentum_ = momentum;
}

}  // namespace nn
