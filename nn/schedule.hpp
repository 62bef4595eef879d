// SPDX-License-Identifier: Apache-2.0
// Learning-rate schedules, under PyTorch's names. A schedule is made of an optimizer, sets the rate of
// its step 0 at once, and moves on with every step(), called after optimizer.step() or after an epoch.
// Below, t counts these calls, and base is a group's rate when the first schedule was made.
//
// Rates are functions of t and base alone, not of the rate before, as in PyTorch: rounding does not add
// up, a resumed run gets the same bits, and set_lr in between lasts until the next step(). The optimizer
// must outlive its schedules and not be moved. To add one: options, class, its curve in schedule.cpp, a
// golden trace. One thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

#include "optim.hpp"

namespace nn {

/// What a schedule does, copied freely: SequentialLR and ChainedScheduler are made of copies.
class LRScheduler {
 public:
  /// The rate at step t; the momentum too, if the schedule cycles it.
  struct Curve {
    std::function<double(std::int64_t t, double base)> lr;
    std::function<double(std::int64_t t)> momentum = {};
    std::int64_t last = std::numeric_limits<std::int64_t>::max();  // no step beyond
  };

  /// Sets the rates of the next step. Throws ValueError beyond the end of a one-cycle schedule.
  void step();
  /// Calls of step() so far.
  std::int64_t steps() const { return t_; }
  /// The rate that the optimizer has after `t` steps in all: to print or to plot a schedule.
  double lr_at(std::int64_t t, std::size_t group = 0) const;

  /// The count and the base rates. The curve is not saved: build the schedule alike before loading.
  StateDict state_dict() const;
  /// Sets the optimizer's rates too. Throws ValueError for a state that does not fit, and then changes
  /// nothing.
  void load_state_dict(const StateDict& state);

 protected:
  LRScheduler(const char* name, Optimizer& optimizer, Curve curve);
  static Curve in_sequence(const Optimizer& optimizer, const std::vector<LRScheduler>& parts,
                           const std::vector<std::int64_t>& milestones);
  static Curve in_chain(const Optimizer& optimizer, const std::vector<LRScheduler>& parts);

 private:
  void apply();
  static void check_parts(const char* name, const Optimizer& optimizer,
                          const std::vector<LRScheduler>& parts);

  const char* name_;
  Optimizer* optimizer_;
  Curve curve_;
  std::vector<double> base_;  // of each group
  std::int64_t t_ = 0;
};

struct StepLROptions {
  std::int64_t step_size = 1;
  double gamma = 0.1;
};
/// base gamma^floor(t / step_size).
struct StepLR : LRScheduler {
  StepLR(Optimizer& optimizer, StepLROptions options);
};

struct MultiStepLROptions {
  std::vector<std::int64_t> milestones = {};
  double gamma = 0.1;
};
/// base gamma^(how many milestones are <= t).
struct MultiStepLR : LRScheduler {
  MultiStepLR(Optimizer& optimizer, MultiStepLROptions options);
};

struct ConstantLROptions {
  double factor = 1.0 / 3;
  std::int64_t total_iters = 5;
};
/// base factor before step total_iters, then base.
struct ConstantLR : LRScheduler {
  explicit ConstantLR(Optimizer& optimizer, ConstantLROptions options = {});
};

struct LinearLROptions {
  double start_factor = 1.0 / 3;
  double end_factor = 1.0;
  std::int64_t total_iters = 5;
};
/// base times a factor on the line from start_factor to end_factor, where it stays: a warm-up.
struct LinearLR : LRScheduler {
  explicit LinearLR(Optimizer& optimizer, LinearLROptions options = {});
};

struct ExponentialLROptions {
  double gamma = 0.9;
};
/// base gamma^t.
struct ExponentialLR : LRScheduler {
  ExponentialLR(Optimizer& optimizer, ExponentialLROptions options);
};

struct PolynomialLROptions {
  std::int64_t total_iters = 5;
  double power = 1.0;
};
/// base (1 - min(t / total_iters, 1))^power.
struct PolynomialLR : LRScheduler {
  explicit PolynomialLR(Optimizer& optimizer, PolynomialLROptions options = {});
};

struct CosineAnnealingLROptions {
  std::int64_t t_max = 1;  ///< steps of half a period: from base to eta_min
  double eta_min = 0.0;
};
/// eta_min + (base - eta_min) (1 + cos(pi t / t_max)) / 2; beyond t_max it rises again.
/// Loshchilov, Hutter: SGDR, ICLR 2017, without restarts.
struct CosineAnnealingLR : LRScheduler {
  CosineAnnealingLR(Optimizer& optimizer, CosineAnnealingLROptions options);
};

struct CosineAnnealingWarmRestartsOptions {
  std::int64_t t_0 = 1;     ///< steps until the first restart
  std::int64_t t_mult = 1;  ///< each further stretch is so many times longer
  double eta_min = 0.0;
};
/// The same from base to eta_min, over and over.
struct CosineAnnealingWarmRestarts : LRScheduler {
  CosineAnnealingWarmRestarts(Optimizer& optimizer, CosineAnnealingWarmRestartsOptions options);
};

struct WarmupCosineLROptions {
  std::int64_t warmup_steps = 0;
  std::int64_t total_steps = 1;  ///< warm-up included
  double start_factor = 0.01;    ///< of base, at step 0
  double eta_min = 0.0;
};
/// A line from base start_factor to base, then half a cosine down to eta_min, where it stays. The same
/// as SequentialLR of LinearLR and CosineAnnealingLR.
struct WarmupCosineLR : LRScheduler {
  WarmupCosineLR(Optimizer& optimizer, WarmupCosineLROptions options);
};

enum class Anneal : std::uint8_t { cosine, linear };
struct OneCycleLROptions {
  double max_lr = 0.1;           ///< of every group; their own rates do not count
  std::int64_t total_steps = 1;  ///< epochs times batches
  double pct_start = 0.3;        ///< share of the steps in which the rate rises
  Anneal anneal_strategy = Anneal::cosine;
  bool cycle_momentum = true;  ///< momentum falls while the rate rises, and back
  double base_momentum = 0.85;
  double max_momentum = 0.95;
  double div_factor = 25.0;       ///< starts at max_lr / div_factor
  double final_div_factor = 1e4;  ///< ends at max_lr / div_factor / final_div_factor
  bool three_phase = false;       ///< fall to the start first, then to the end
};
/// Up to max_lr and far down, within total_steps steps. Throws ValueError for an optimizer without
/// momentum unless cycle_momentum is false. Smith, Topin: Super-convergence, arXiv 1708.07120.
struct OneCycleLR : LRScheduler {
  OneCycleLR(Optimizer& optimizer, OneCycleLROptions options);
};

/// base factor(t). The function is not part of the saved state.
struct LambdaLR : LRScheduler {
  LambdaLR(Optimizer& optimizer, std::function<double(std::int64_t t)> factor);
};

/// One schedule after the other: part k + 1 starts, with a step 0 of its own, at step milestones[k].
/// Throws ValueError unless all parts have this optimizer and milestones rise, one less than parts.
///   SequentialLR(sgd, {LinearLR(sgd, {.total_iters = 5}), ExponentialLR(sgd, {.gamma = 0.9})}, {5})
struct SequentialLR : LRScheduler {
  SequentialLR(Optimizer& optimizer, const std::vector<LRScheduler>& parts,
               const std::vector<std::int64_t>& milestones);
};

/// All at once: each part takes for its base what the one before gives, so that factors multiply.
struct ChainedScheduler : LRScheduler {
  ChainedScheduler(Optimizer& optimizer, const std::vector<LRScheduler>& parts);
};

enum class PlateauMode : std::uint8_t { min, max };
enum class PlateauThreshold : std::uint8_t { relative, absolute };
struct ReduceLROnPlateauOptions {
  PlateauMode mode = PlateauMode::min;  ///< whether a metric is better when smaller, or larger
  double factor = 0.1;
  std::int64_t patience = 10;  ///< steps without progress that are let pass
  double threshold = 1e-4;     ///< by how much a metric must be better than the best
  PlateauThreshold threshold_mode = PlateauThreshold::relative;
  std::int64_t cooldown = 0;  ///< steps after a reduction in which none counts
  double min_lr = 0.0;
  double eps = 1e-8;  ///< smaller reductions are left out
};

/// Multiplies the rates by `factor` when a metric has stopped getting better. A NaN is not better.
class ReduceLROnPlateau {
 public:
  explicit ReduceLROnPlateau(Optimizer& optimizer, ReduceLROnPlateauOptions options = {});
  void step(double metric);
  double best() const { return best_; }

  StateDict state_dict() const;  ///< the best metric and the counters; the optimizer has the rates
  void load_state_dict(const StateDict& state);

 private:
  bool is_better(double metric) const;

  Optimizer* optimizer_;
  ReduceLROnPlateauOptions options_;
  double best_;
  std::int64_t bad_ = 0, cooldown_ = 0;
};

}  // namespace nn
