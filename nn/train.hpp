// SPDX-License-Identifier: Apache-2.0
// Training loops. The parts are meant for loops that you write yourself; fit() is the usual one:
//
//   nn::Trainer trainer(optimizer, {.clip_norm = 1.0, .schedule = &schedule});
//   nn::fit(trainer, loader, [&](const auto& batch) { return loss_of(batch); },
//           {.epochs = 10, .validate = [&] { return nn::Scalars{{"accuracy", evaluate()}}; }});
//
// By hand the same is
//
//   while (trainer.epoch() < 10) {
//     trainer.begin_epoch(batches);
//     for (const auto& batch : loader) {
//       ag::Tape tape;
//       trainer.step(tape, loss_of(batch));
//     }
//     trainer.end_epoch({{"accuracy", evaluate()}});
//   }
//
// and nothing that a Trainer does needs one: tape.backward(loss) adds to the gradients until zero_grad(),
// so that gradients are accumulated by leaving that out, with losses divided by the number of batches.
// One thread at a time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>

#include <autograd/autograd.hpp>

#include "ema.hpp"
#include "metrics.hpp"
#include "optim.hpp"
#include "progress.hpp"
#include "schedule.hpp"

namespace nn {

struct TrainerOptions {
  std::int64_t accumulate = 1;  ///< batches whose gradients, divided by it, make one update
  double clip_norm = std::numeric_limits<double>::infinity();   ///< clip_grad_norm_
  double clip_value = std::numeric_limits<double>::infinity();  ///< clip_grad_value_
  LRScheduler* schedule = nullptr;                              ///< stepped after every update
  LRScheduler* epoch_schedule = nullptr;                        ///< stepped after every epoch
  ExponentialMovingAverage* average = nullptr;                  ///< updated after every update
  bool progress = true;           ///< a bar, where standard error is a terminal
  ProgressBar::Write write = {};  ///< takes the bar's text instead
};

/// From losses to updates, with what usually surrounds them. Holds references to the optimizer, the
/// schedules and the average. Its state_dict() is a part of a TrainingState: epoch, updates, the running
/// loss, the history; optimizer, schedules and average are parts of their own.
class Trainer {
 public:
  explicit Trainer(Optimizer& optimizer, TrainerOptions options = {});

  /// Starts an epoch of so many batches (0: not known), or, after a resume in the middle of one, goes on
  /// with it.
  void begin_epoch(std::int64_t batches = 0);
  /// Sweeps the loss; after every `accumulate`-th call clips, updates the parameters, steps the
  /// schedule, and removes the gradients. `weight` is what the loss counts in the epoch's mean: the
  /// number of samples. Returns the loss. Throws ValueError for a loss that is not finite, before
  /// anything is changed.
  double step(autograd::Tape& tape, const Tensor& loss, double weight = 1.0);
  /// Ends it: updates with what is left of accumulated gradients (divided by `accumulate`, too), ends the
  /// bar, adds a row "epoch, loss, <metrics>, lr, seconds" to the history and returns it. Throws
  /// ValueError for a metric of one of these names, or two of one name.
  Scalars end_epoch(const Scalars& metrics = {});

  std::int64_t epoch() const { return epoch_; }      ///< epochs completed
  std::int64_t batch() const { return batch_; }      ///< batches of this epoch behind us
  std::int64_t updates() const { return updates_; }  ///< of the parameters
  /// True after some of the batches whose gradients make one update: no time for a state_dict().
  bool accumulating() const { return pending_ > 0; }
  double loss() const { return mean_loss_.value(); }  ///< mean so far of this epoch
  /// Further numbers for the bar, until they are set again.
  void show(Scalars values) { shown_ = std::move(values); }
  const History& history() const { return history_; }

  /// Throws ValueError between the batches of one update: their gradients are not part of it.
  StateDict state_dict() const;
  void load_state_dict(const StateDict& state);

 private:
  void update();

  Optimizer* optimizer_;
  TrainerOptions options_;
  std::unique_ptr<ProgressBar> bar_;
  double start_ = 0;  // steady_seconds()
  std::int64_t epoch_ = 0, batch_ = 0, updates_ = 0, pending_ = 0;
  RunningMean mean_loss_;
  Scalars shown_;
  History history_;
};

struct EarlyStoppingOptions {
  PlateauMode mode = PlateauMode::min;
  std::int64_t patience = 10;  ///< calls without progress after which to stop
  double min_delta = 0.0;      ///< by how much a value must be better than the best
};

/// Tells when a metric has stopped getting better. A NaN is not better.
class EarlyStopping {
 public:
  explicit EarlyStopping(EarlyStoppingOptions options = {});
  /// Returns whether this is the best value so far: the time to save the weights.
  bool update(double value);
  bool should_stop() const { return bad_ >= options_.patience; }
  double best() const { return best_; }

  StateDict state_dict() const;
  void load_state_dict(const StateDict& state);

 private:
  EarlyStoppingOptions options_;
  double best_;
  std::int64_t bad_ = 0;
};

struct FitOptions {
  std::int64_t epochs = 1;  ///< in all, those before a resume included
  /// Called after each epoch; its metrics join the history. fit() knows no model: where this calls
  /// model.eval(), it calls model.train() before it returns.
  std::function<Scalars()> validate = {};
  std::string monitor = "loss";              ///< the column that early_stopping watches
  EarlyStopping* early_stopping = nullptr;   ///< ends the training; ended, it lets no epoch begin
  std::function<void(bool best)> save = {};  ///< called after each epoch: write a checkpoint
  std::string csv = "";                      ///< where the history goes after each epoch
  std::function<bool()> interrupted = {};  ///< asked after each update, or epoch: true stops there
};

namespace detail {
/// Throws ValueError for epochs < 0.
void check_fit(const FitOptions& options);
/// Whether another epoch is to be trained.
bool goes_on(const Trainer& trainer, const FitOptions& options);
/// What a batch counts in the mean of an epoch: the rows of its last tensor, the targets; else 1.
template <class Batch> double samples_of(const Batch& batch) {
  if constexpr (requires { batch.back().shape()[0]; }) {
    if (!batch.empty() && batch.back().dim() > 0) {
      return static_cast<double>(std::max<std::int64_t>(1, batch.back().shape()[0]));
    }
  }
  return 1;
}
/// After the batches of an epoch; false ends the training. Throws ValueError where there were none.
bool finish_epoch(Trainer& trainer, const FitOptions& options);
}  // namespace detail

/// Epochs from trainer.epoch() on over `batches`, any range that may be gone through again (size() makes
/// the bar one, and an interrupt at the last batch wait for the end of the epoch); loss(batch)
/// gives the loss on the tape in scope, which counts in the epoch's mean by the rows of the batch's last
/// tensor where it is an nn::Batch, else once. Calls neither train() nor eval() of a model. Returns false when
/// options.interrupted ended it. Throws ValueError for epochs < 0 and for an epoch without batches.
template <class Batches, class Loss>
bool fit(Trainer& trainer, Batches&& batches, Loss&& loss, const FitOptions& options = {}) {
  detail::check_fit(options);
  while (detail::goes_on(trainer, options)) {
    std::int64_t count = 0;
    if constexpr (requires { batches.size(); }) count = static_cast<std::int64_t>(batches.size());
    trainer.begin_epoch(count);
    for (auto&& batch : batches) {
      {
        autograd::Tape tape;
        trainer.step(tape, loss(batch), detail::samples_of(batch));
      }
      // Behind the last batch the loader is at the next epoch, and the trainer has to get there first.
      if (trainer.batch() == count || trainer.accumulating()) continue;
      if (options.interrupted && options.interrupted()) return false;
    }
    if (!detail::finish_epoch(trainer, options)) break;
    if (detail::goes_on(trainer, options) && options.interrupted && options.interrupted())
      return false;
  }
  return true;
}

}  // namespace nn
