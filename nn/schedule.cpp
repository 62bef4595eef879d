// SPDX-License-Identifier: Apache-2.0
// The curves, and what walks along them.
#include "schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

namespace nn {

using autograd::ValueError;
using Curve = LRScheduler::Curve;

namespace {

void require(bool ok, const char* name, const char* option, double value, const char* need) {
  if (ok) return;
  throw ValueError(std::string(name) + ": " + option + " out of range: " + option + " is " +
                   autograd::detail::text(value) + "; need " + need);
}
void require_positive(std::int64_t value, const char* name, const char* option) {
  require(value >= 1, name, option, static_cast<double>(value), "at least 1");
}
void require_finite(double value, const char* name, const char* option) {
  require(std::isfinite(value) && value >= 0, name, option, value, "a finite number >= 0");
}

double share(std::int64_t t, std::int64_t total) {
  return static_cast<double>(t) / static_cast<double>(total);
}
double cosine(double from, double to, double part) {
  return to + (from - to) / 2 * (1 + std::cos(std::numbers::pi * part));
}

/// An entry of a state, which must have that dtype and one axis of n elements (none for n = 0).
Tensor entry(const StateDict& state, const char* name, const char* key, autograd::DType dtype,
             std::int64_t n = 0) {
  const autograd::Shape shape = n > 0 ? autograd::Shape{n} : autograd::Shape{};
  if (state.contains(key)) {
    const Tensor x = state.at(key);
    if (x.defined() && x.dtype() == dtype && x.shape() == shape) return contiguous(detach(x));
  }
  throw ValueError(std::string(name) + ".load_state_dict: the state does not fit: " + key +
                   " is missing or of another shape; need " + autograd::name(dtype) + " " +
                   to_string(shape));
}

void check_count(const StateDict& state, const char* name, std::size_t count) {
  if (state.size() == count) return;
  throw ValueError(std::string(name) + ".load_state_dict: the state does not fit: it has " +
                   std::to_string(state.size()) + " entries; need " + std::to_string(count));
}

std::int64_t count_in(const StateDict& state, const char* name, const char* key) {
  const std::int64_t value = entry(state, name, key, autograd::int64).data<std::int64_t>()[0];
  require(value >= 0, name, key, static_cast<double>(value), "at least 0");
  return value;
}

Tensor count_tensor(std::int64_t value) {
  return autograd::tensor(std::vector<std::int64_t>{value}, autograd::Shape{});
}

}  // namespace

LRScheduler::LRScheduler(const char* name, Optimizer& optimizer, Curve curve)
    : name_(name), optimizer_(&optimizer), curve_(std::move(curve)) {
  if (curve_.momentum && !optimizer.has_momentum()) {
    throw ValueError(std::string(name) + ": no momentum to cycle: the optimizer has none; need " +
                     "momentum > 0, one of the Adam family, or {.cycle_momentum = false}");
  }
  for (std::size_t g = 0; g < optimizer.group_count(); ++g) base_.push_back(optimizer.base_lr(g));
  apply();
}

void LRScheduler::apply() {
  // A group that was added since then starts from its own rate.
  for (std::size_t g = base_.size(); g < optimizer_->group_count(); ++g) {
    base_.push_back(optimizer_->base_lr(g));
  }
  for (std::size_t g = 0; g < base_.size(); ++g) optimizer_->set_lr(curve_.lr(t_, base_[g]), g);
  if (curve_.momentum) optimizer_->set_momentum(curve_.momentum(t_));
}

void LRScheduler::step() {
  if (t_ >= curve_.last) {
    throw ValueError(std::string(name_) + ".step: the schedule is over: it was stepped " +
                     std::to_string(t_) + " times; need total_steps > " +
                     std::to_string(curve_.last));
  }
  ++t_;
  apply();
}

double LRScheduler::lr_at(std::int64_t t, std::size_t group) const {
  if (t < 0 || t > curve_.last || group >= base_.size()) {
    throw ValueError(std::string(name_) + ".lr_at: no such step or group: step " +
                     std::to_string(t) + ", group " + std::to_string(group) +
                     "; need a step >= 0 within the schedule and a group of the optimizer");
  }
  return curve_.lr(t, base_[group]);
}

StateDict LRScheduler::state_dict() const {
  StateDict state;
  state.insert("step", count_tensor(t_));
  state.insert("base_lrs", autograd::tensor(base_));
  return state;
}

void LRScheduler::load_state_dict(const StateDict& state) {
  check_count(state, name_, 2);
  const std::int64_t t = count_in(state, name_, "step");
  require(t <= curve_.last, name_, "step", static_cast<double>(t), "a step within the schedule");
  const auto groups = static_cast<std::int64_t>(optimizer_->group_count());
  std::vector<double> base =
      autograd::to_vector<double>(entry(state, name_, "base_lrs", autograd::float64, groups));
  for (const double rate : base) require_finite(rate, name_, "base_lrs");
  t_ = t;
  base_ = std::move(base);
  apply();
}

// --- Curves. Options are checked before anything is made of them.

namespace {

Curve curve_of(StepLROptions o) {
  require_positive(o.step_size, "StepLR", "step_size");
  require_finite(o.gamma, "StepLR", "gamma");
  return {[o](std::int64_t t, double base) {
    return base * std::pow(o.gamma, static_cast<double>(t / o.step_size));
  }};
}

Curve curve_of(MultiStepLROptions o) {
  require_finite(o.gamma, "MultiStepLR", "gamma");
  std::sort(o.milestones.begin(), o.milestones.end());
  return {[o](std::int64_t t, double base) {
    const auto passed = std::upper_bound(o.milestones.begin(), o.milestones.end(), t);
    return base * std::pow(o.gamma, static_cast<double>(passed - o.milestones.begin()));
  }};
}

Curve curve_of(ConstantLROptions o) {
  require_finite(o.factor, "ConstantLR", "factor");
  return {[o](std::int64_t t, double base) { return t < o.total_iters ? base * o.factor : base; }};
}

double on_line(double from, double to, double part) {
  return part < 1 ? from + (to - from) * part : to;
}

Curve curve_of(LinearLROptions o) {
  require_positive(o.total_iters, "LinearLR", "total_iters");
  require_finite(o.start_factor, "LinearLR", "start_factor");
  require_finite(o.end_factor, "LinearLR", "end_factor");
  return {[o](std::int64_t t, double base) {
    return base * on_line(o.start_factor, o.end_factor, share(t, o.total_iters));
  }};
}

Curve curve_of(ExponentialLROptions o) {
  require_finite(o.gamma, "ExponentialLR", "gamma");
  return {[o](std::int64_t t, double base) {
    return base * std::pow(o.gamma, static_cast<double>(t));
  }};
}

Curve curve_of(PolynomialLROptions o) {
  require_positive(o.total_iters, "PolynomialLR", "total_iters");
  require_finite(o.power, "PolynomialLR", "power");
  return {[o](std::int64_t t, double base) {
    return base * std::pow(1 - std::min(share(t, o.total_iters), 1.0), o.power);
  }};
}

Curve curve_of(CosineAnnealingLROptions o) {
  require_positive(o.t_max, "CosineAnnealingLR", "t_max");
  require_finite(o.eta_min, "CosineAnnealingLR", "eta_min");
  return {[o](std::int64_t t, double base) { return cosine(base, o.eta_min, share(t, o.t_max)); }};
}

Curve curve_of(CosineAnnealingWarmRestartsOptions o) {
  require_positive(o.t_0, "CosineAnnealingWarmRestarts", "t_0");
  require_positive(o.t_mult, "CosineAnnealingWarmRestarts", "t_mult");
  require_finite(o.eta_min, "CosineAnnealingWarmRestarts", "eta_min");
  return {[o](std::int64_t t, double base) {
    std::int64_t length = o.t_0;
    if (o.t_mult == 1) t %= length;
    while (t >= length) {
      t -= length;
      length *= o.t_mult;  // no overflow: it stays below t_mult times the first t
    }
    return cosine(base, o.eta_min, share(t, length));
  }};
}

Curve curve_of(WarmupCosineLROptions o) {
  constexpr const char* kName = "WarmupCosineLR";
  require(o.warmup_steps >= 0, kName, "warmup_steps", static_cast<double>(o.warmup_steps),
          "at least 0");
  require(o.total_steps > o.warmup_steps, kName, "total_steps", static_cast<double>(o.total_steps),
          "more than warmup_steps");
  require_finite(o.start_factor, kName, "start_factor");
  require_finite(o.eta_min, kName, "eta_min");
  return {[o](std::int64_t t, double base) {
    if (t < o.warmup_steps) return base * on_line(o.start_factor, 1, share(t, o.warmup_steps));
    const double part = share(t - o.warmup_steps, o.total_steps - o.warmup_steps);
    return cosine(base, o.eta_min, std::min(part, 1.0));
  }};
}

/// The ends of the phases of a one-cycle schedule, in steps, and the values there.
struct Phase {
  double end, lr, momentum;
};

std::vector<Phase> phases_of(const OneCycleLROptions& o) {
  const double steps = static_cast<double>(o.total_steps), rise = o.pct_start * steps - 1;
  const double start = o.max_lr / o.div_factor, least = start / o.final_div_factor;
  std::vector<Phase> phases = {{0, start, o.max_momentum}, {rise, o.max_lr, o.base_momentum}};
  if (o.three_phase) phases.push_back({2 * o.pct_start * steps - 2, start, o.max_momentum});
  phases.push_back({steps - 1, least, o.max_momentum});
  return phases;
}

double on_cycle(const std::vector<Phase>& phases, Anneal anneal, double Phase::*value,
                std::int64_t t) {
  const double at = static_cast<double>(t);
  std::size_t k = 1;
  while (k + 1 < phases.size() && at > phases[k].end) ++k;
  const Phase &from = phases[k - 1], &to = phases[k];
  // The last phase stays at its end; one without length is over at once.
  const double length = to.end - from.end;
  const double part = length > 0 ? std::min((at - from.end) / length, 1.0) : 1.0;
  return anneal == Anneal::cosine ? cosine(from.*value, to.*value, part)
                                  : from.*value + (to.*value - from.*value) * part;
}

Curve curve_of(const OneCycleLROptions& o) {
  require_finite(o.max_lr, "OneCycleLR", "max_lr");
  require_positive(o.total_steps, "OneCycleLR", "total_steps");
  require(o.pct_start >= 0 && o.pct_start <= 1, "OneCycleLR", "pct_start", o.pct_start,
          "0 <= pct_start <= 1");
  require(o.div_factor > 0, "OneCycleLR", "div_factor", o.div_factor, "a number > 0");
  require(o.final_div_factor > 0, "OneCycleLR", "final_div_factor", o.final_div_factor,
          "a number > 0");
  const std::vector<Phase> phases = phases_of(o);
  Curve curve;
  curve.last = o.total_steps;
  curve.lr = [phases, anneal = o.anneal_strategy](std::int64_t t, double) {
    return on_cycle(phases, anneal, &Phase::lr, t);
  };
  if (o.cycle_momentum) {
    curve.momentum = [phases, anneal = o.anneal_strategy](std::int64_t t) {
      return on_cycle(phases, anneal, &Phase::momentum, t);
    };
  }
  return curve;
}

Curve curve_of(std::function<double(std::int64_t)> factor) {
  if (!factor) throw ValueError("LambdaLR: no function: factor is empty; need a callable");
  return {[f = std::move(factor)](std::int64_t t, double base) { return base * f(t); }};
}

}  // namespace

StepLR::StepLR(Optimizer& optimizer, StepLROptions options)
    : LRScheduler("StepLR", optimizer, curve_of(options)) {}
MultiStepLR::MultiStepLR(Optimizer& optimizer, MultiStepLROptions options)
    : LRScheduler("MultiStepLR", optimizer, curve_of(std::move(options))) {}
ConstantLR::ConstantLR(Optimizer& optimizer, ConstantLROptions options)
    : LRScheduler("ConstantLR", optimizer, curve_of(options)) {}
LinearLR::LinearLR(Optimizer& optimizer, LinearLROptions options)
    : LRScheduler("LinearLR", optimizer, curve_of(options)) {}
ExponentialLR::ExponentialLR(Optimizer& optimizer, ExponentialLROptions options)
    : LRScheduler("ExponentialLR", optimizer, curve_of(options)) {}
PolynomialLR::PolynomialLR(Optimizer& optimizer, PolynomialLROptions options)
    : LRScheduler("PolynomialLR", optimizer, curve_of(options)) {}
CosineAnnealingLR::CosineAnnealingLR(Optimizer& optimizer, CosineAnnealingLROptions options)
    : LRScheduler("CosineAnnealingLR", optimizer, curve_of(options)) {}
CosineAnnealingWarmRestarts::CosineAnnealingWarmRestarts(Optimizer& optimizer,
                                                         CosineAnnealingWarmRestartsOptions options)
    : LRScheduler("CosineAnnealingWarmRestarts", optimizer, curve_of(options)) {}
WarmupCosineLR::WarmupCosineLR(Optimizer& optimizer, WarmupCosineLROptions options)
    : LRScheduler("WarmupCosineLR", optimizer, curve_of(options)) {}
OneCycleLR::OneCycleLR(Optimizer& optimizer, OneCycleLROptions options)
    : LRScheduler("OneCycleLR", optimizer, curve_of(options)) {}
LambdaLR::LambdaLR(Optimizer& optimizer, std::function<double(std::int64_t)> factor)
    : LRScheduler("LambdaLR", optimizer, curve_of(std::move(factor))) {}

// --- Schedules made of schedules.

void LRScheduler::check_parts(const char* name, const Optimizer& optimizer,
                              const std::vector<LRScheduler>& parts) {
  if (parts.empty()) {
    throw ValueError(std::string(name) + ": no parts: the list is empty; need at least one");
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].optimizer_ == &optimizer) continue;
    throw ValueError(std::string(name) + ": another optimizer: part " + std::to_string(i) + " (" +
                     parts[i].name_ + ") changes another one; need the same for all");
  }
}

LRScheduler::Curve LRScheduler::in_sequence(const Optimizer& optimizer,
                                            const std::vector<LRScheduler>& parts,
                                            const std::vector<std::int64_t>& milestones) {
  check_parts("SequentialLR", optimizer, parts);
  if (milestones.size() + 1 != parts.size()) {
    throw ValueError("SequentialLR: milestones do not fit: " + std::to_string(milestones.size()) +
                     " for " + std::to_string(parts.size()) +
                     " parts; need one less than there are parts");
  }
  for (std::size_t i = 0; i < milestones.size(); ++i) {
    if (milestones[i] > (i == 0 ? 0 : milestones[i - 1])) continue;
    throw ValueError("SequentialLR: milestones do not rise: milestones[" + std::to_string(i) +
                     "] is " + std::to_string(milestones[i]) + "; need each above the one before");
  }
  // The part in force at step t, and where it began.
  const auto at = [milestones](std::int64_t t) {
    const auto next = std::upper_bound(milestones.begin(), milestones.end(), t);
    const auto k = static_cast<std::size_t>(next - milestones.begin());
    return std::pair(k, k == 0 ? 0 : milestones[k - 1]);
  };
  Curve curve;
  curve.lr = [at, parts](std::int64_t t, double base) {
    const auto [k, begin] = at(t);
    const Curve& part = parts[k].curve_;
    return part.lr(std::min(t - begin, part.last), base);
  };
  const bool cycles = std::any_of(parts.begin(), parts.end(),
                                  [](const LRScheduler& p) { return bool(p.curve_.momentum); });
  if (cycles) {
    curve.momentum = [at, parts, usual = optimizer.momentum()](std::int64_t t) {
      const auto [k, begin] = at(t);
      const Curve& part = parts[k].curve_;
      return part.momentum ? part.momentum(std::min(t - begin, part.last)) : usual;
    };
  }
  return curve;
}

LRScheduler::Curve LRScheduler::in_chain(const Optimizer& optimizer,
                                         const std::vector<LRScheduler>& parts) {
  check_parts("ChainedScheduler", optimizer, parts);
  Curve curve;
  curve.lr = [parts](std::int64_t t, double base) {
    for (const LRScheduler& part : parts) base = part.curve_.lr(t, base);
    return base;
  };
  for (const LRScheduler& part : parts) {
    if (part.curve_.momentum) curve.momentum = part.curve_.momentum;
    curve.last = std::min(curve.last, part.curve_.last);
  }
  return curve;
}

SequentialLR::SequentialLR(Optimizer& optimizer, const std::vector<LRScheduler>& parts,
                           const std::vector<std::int64_t>& milestones)
    : LRScheduler("SequentialLR", optimizer, in_sequence(optimizer, parts, milestones)) {}
ChainedScheduler::ChainedScheduler(Optimizer& optimizer, const std::vector<LRScheduler>& parts)
    : LRScheduler("ChainedScheduler", optimizer, in_chain(optimizer, parts)) {}

// --- Reduce on plateau.

namespace {

constexpr const char* kPlateau = "ReduceLROnPlateau";

}  // namespace

ReduceLROnPlateau::ReduceLROnPlateau(Optimizer& optimizer, ReduceLROnPlateauOptions options)
    : optimizer_(&optimizer),
      options_(options),
      best_(options.mode == PlateauMode::min ? std::numeric_limits<double>::infinity()
                                             : -std::numeric_limits<double>::infinity()) {
  require(options.factor >= 0 && options.factor < 1, kPlateau, "factor", options.factor,
          "0 <= factor < 1");
  require(options.patience >= 0, kPlateau, "patience", static_cast<double>(options.patience),
          "at least 0");
  require(options.cooldown >= 0, kPlateau, "cooldown", static_cast<double>(options.cooldown),
          "at least 0");
  require_finite(options.threshold, kPlateau, "threshold");
  require_finite(options.min_lr, kPlateau, "min_lr");
}

bool ReduceLROnPlateau::is_better(double metric) const {
  const double sign = options_.mode == PlateauMode::min ? -1 : 1;
  if (options_.threshold_mode == PlateauThreshold::relative) {
    const double mark = best_ * (1 + sign * options_.threshold);
    return sign < 0 ? metric < mark : metric > mark;
  }
  return sign < 0 ? metric < best_ - options_.threshold : metric > best_ + options_.threshold;
}

void ReduceLROnPlateau::step(double metric) {
  if (is_better(metric)) {
    best_ = metric;
    bad_ = 0;
  } else {
    ++bad_;
  }
  if (cooldown_ > 0) {
    --cooldown_;
    bad_ = 0;
  }
  if (bad_ <= options_.patience) return;
  cooldown_ = options_.cooldown;
  bad_ = 0;
  for (std::size_t g = 0; g < optimizer_->group_count(); ++g) {
    const double before = optimizer_->lr(g);
    const double after = std::max(before * options_.factor, options_.min_lr);
    if (before - after > options_.eps) optimizer_->set_lr(after, g);
  }
}

StateDict ReduceLROnPlateau::state_dict() const {
  StateDict state;
  state.insert("best", autograd::full({}, best_, autograd::float64));
  state.insert("num_bad_epochs", count_tensor(bad_));
  state.insert("cooldown_counter", count_tensor(cooldown_));
  return state;
}

void ReduceLROnPlateau::load_state_dict(const StateDict& state) {
  check_count(state, kPlateau, 3);
  const double best = entry(state, kPlateau, "best", autograd::float64).item();
  require(!std::isnan(best), kPlateau, "best", best, "a number");
  const std::int64_t bad = count_in(state, kPlateau, "num_bad_epochs");
  require(bad <= options_.patience, kPlateau, "num_bad_epochs", static_cast<double>(bad),
          "at most patience");
  const std::int64_t cooldown = count_in(state, kPlateau, "cooldown_counter");
  require(cooldown <= options_.cooldown, kPlateau, "cooldown_counter",
          static_cast<double>(cooldown), "at most cooldown");
  best_ = best;
  bad_ = bad;
  cooldown_ = cooldown;
}

}  // namespace nn
