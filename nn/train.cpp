// SPDX-License-Identifier: Apache-2.0
// The order within an update: clip by value, clip by norm, optimizer, schedule, average, gradients gone.
#include "train.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "clip.hpp"
#include "utf8.hpp"

namespace nn {

using autograd::ValueError;

Trainer::Trainer(Optimizer& optimizer, TrainerOptions options)
    : optimizer_(&optimizer), options_(std::move(options)) {
  if (options_.accumulate < 1 || !(options_.clip_norm >= 0) || !(options_.clip_value >= 0)) {
    throw ValueError("Trainer: options out of range: accumulate is " +
                     std::to_string(options_.accumulate) + ", clip_norm is " +
                     autograd::detail::text(options_.clip_norm) + ", clip_value is " +
                     autograd::detail::text(options_.clip_value) +
                     "; need accumulate >= 1, clip_norm >= 0, clip_value >= 0");
  }
}

void Trainer::begin_epoch(std::int64_t batches) {
  start_ = steady_seconds();
  if (!options_.progress) return;
  bar_.reset();  // the old one ends its line first
  bar_ =
      std::make_unique<ProgressBar>("epoch " + std::to_string(epoch_ + 1), batches, options_.write);
}

double Trainer::step(autograd::Tape& tape, const Tensor& loss, double weight) {
  const double value = loss.item();
  if (!std::isfinite(value)) {
    throw ValueError("Trainer.step: the loss is not finite: it is " +
                     autograd::detail::text(value) + " at batch " + std::to_string(batch_) +
                     " of epoch " + std::to_string(epoch_ + 1) +
                     "; need a smaller lr, clip_norm, or cleaner data");
  }
  if (pending_ == 0) optimizer_->zero_grad();
  if (options_.accumulate == 1) {
    tape.backward(loss);
  } else {
    tape.backward(loss / static_cast<double>(options_.accumulate));
  }
  mean_loss_.update(value, weight);
  ++batch_;
  if (++pending_ == options_.accumulate) update();
  if (bar_ && bar_->due()) {
    Scalars values = {{"loss", mean_loss_.value()}};
    values.insert(values.end(), shown_.begin(), shown_.end());
    bar_->update(batch_, values);
  }
  return value;
}

void Trainer::update() {
  pending_ = 0;
  const std::vector<Tensor>& parameters = optimizer_->parameters();
  if (std::isfinite(options_.clip_value)) clip_grad_value_(parameters, options_.clip_value);
  if (std::isfinite(options_.clip_norm)) clip_grad_norm_(parameters, options_.clip_norm);
  optimizer_->step();
  ++updates_;
  if (options_.schedule) options_.schedule->step();
  if (options_.average) options_.average->update();
  optimizer_->zero_grad();
}

namespace {

/// A metric that took the place of another column would be watched, or hidden, in its stead.
void check_metrics(const Scalars& metrics) {
  std::vector<std::string> taken = {"epoch", "loss", "lr", "seconds"};
  for (const auto& [name, value] : metrics) {
    if (std::find(taken.begin(), taken.end(), name) != taken.end()) {
      throw ValueError("Trainer.end_epoch: a second column of one name: a metric is named " +
                       detail::quote(name) +
                       "; need names of their own, and not \"epoch\", \"loss\" (of the training), "
                       "\"lr\", \"seconds\"");
    }
    taken.push_back(name);
  }
}

}  // namespace

Scalars Trainer::end_epoch(const Scalars& metrics) {
  check_metrics(metrics);
  if (pending_ > 0) update();
  Scalars row = {{"epoch", static_cast<double>(++epoch_)}, {"loss", mean_loss_.value()}};
  row.insert(row.end(), metrics.begin(), metrics.end());
  if (bar_) bar_->update(batch_, {row.begin() + 1, row.end()});
  bar_.reset();
  row.emplace_back("lr", optimizer_->lr());
  row.emplace_back("seconds", steady_seconds() - start_);
  history_.add(row);
  if (options_.epoch_schedule) options_.epoch_schedule->step();
  batch_ = 0;
  mean_loss_.reset();
  return row;
}

namespace {

Tensor counters(std::initializer_list<std::int64_t> numbers) {
  return autograd::tensor(std::vector<std::int64_t>(numbers));
}

/// The entries whose names begin with `front`, without it.
StateDict below(const StateDict& state, const std::string& front) {
  StateDict part;
  for (const auto& [name, tensor] : state) {
    if (name.compare(0, front.size(), front) == 0) part.insert(name.substr(front.size()), tensor);
  }
  return part;
}

}  // namespace

StateDict Trainer::state_dict() const {
  if (pending_ > 0) {
    throw ValueError("Trainer.state_dict: in the middle of an update: " + std::to_string(pending_) +
                     " of " + std::to_string(options_.accumulate) +
                     " batches are accumulated; need updates() to have changed just now");
  }
  StateDict state;
  state.insert("counters", counters({epoch_, batch_, updates_}));
  for (const auto& [name, tensor] : mean_loss_.state_dict()) state.insert("loss." + name, tensor);
  for (const auto& [name, tensor] : history_.state_dict()) state.insert("history." + name, tensor);
  return state;
}

void Trainer::load_state_dict(const StateDict& state) {
  RunningMean mean_loss;
  History history;
  mean_loss.load_state_dict(below(state, "loss."));
  history.load_state_dict(below(state, "history."));
  const Tensor x = state.contains("counters") ? state.at("counters") : Tensor();
  const bool known = state.size() == 2 + history.columns().size();
  if (!known || !x.defined() || x.dtype() != autograd::int64 ||
      !(x.shape() == autograd::Shape{3})) {
    throw ValueError("Trainer.load_state_dict: the state does not fit: counters are missing, or " +
                     std::string("there are other names; need counters, loss and history"));
  }
  const std::vector<std::int64_t> numbers =
      autograd::to_vector<std::int64_t>(contiguous(detach(x)));
  const auto [least, most] = std::minmax_element(numbers.begin(), numbers.end());
  if (*least < 0 || *most > detail::kMostCounted) {
    throw ValueError("Trainer.load_state_dict: a counter out of range: " + to_string(x) +
                     "; need numbers from 0 to 2^53");
  }
  epoch_ = numbers[0];
  batch_ = numbers[1];
  updates_ = numbers[2];
  pending_ = 0;
  mean_loss_ = mean_loss;
  history_ = std::move(history);
}

// --- Early stopping.

namespace {

double worst(PlateauMode mode) {
  const double infinity = std::numeric_limits<double>::infinity();
  return mode == PlateauMode::min ? infinity : -infinity;
}

}  // namespace

EarlyStopping::EarlyStopping(EarlyStoppingOptions options)
    : options_(options), best_(worst(options.mode)) {
  if (options.patience >= 1 && options.min_delta >= 0) return;
  throw ValueError("EarlyStopping: options out of range: patience is " +
                   std::to_string(options.patience) + ", min_delta is " +
                   autograd::detail::text(options.min_delta) +
                   "; need patience >= 1, min_delta >= 0");
}

bool EarlyStopping::update(double value) {
  const bool better = options_.mode == PlateauMode::min ? value < best_ - options_.min_delta
                                                        : value > best_ + options_.min_delta;
  if (better) best_ = value;
  bad_ = better ? 0 : bad_ + 1;
  return better;
}

StateDict EarlyStopping::state_dict() const {
  StateDict state;
  state.insert("best", autograd::full({}, best_, autograd::float64));
  state.insert("bad", autograd::tensor(std::vector<std::int64_t>{bad_}, {}));
  return state;
}

void EarlyStopping::load_state_dict(const StateDict& state) {
  const auto fits = [&](const char* name, autograd::DType dtype) {
    return state.contains(name) && state.at(name).defined() && state.at(name).dtype() == dtype &&
           state.at(name).numel() == 1;
  };
  if (state.size() != 2 || !fits("best", autograd::float64) || !fits("bad", autograd::int64)) {
    throw ValueError("EarlyStopping.load_state_dict: the state does not fit: it has " +
                     std::to_string(state.size()) + " entries; need best and bad");
  }
  const double best = state.at("best").item();
  const std::int64_t bad = contiguous(detach(state.at("bad"))).data<std::int64_t>()[0];
  if (std::isnan(best) || bad < 0) {
    throw ValueError("EarlyStopping.load_state_dict: out of range: best is " +
                     std::to_string(best) + ", bad is " + std::to_string(bad) +
                     "; need a best that is not NaN, bad >= 0");
  }
  best_ = best;
  bad_ = bad;
}

// --- fit.

void detail::check_fit(const FitOptions& options) {
  if (options.epochs >= 0) return;
  throw ValueError("fit: epochs out of range: epochs is " + std::to_string(options.epochs) +
                   "; need epochs >= 0");
}

bool detail::goes_on(const Trainer& trainer, const FitOptions& options) {
  return trainer.epoch() < options.epochs &&
         !(options.early_stopping && options.early_stopping->should_stop());
}

bool detail::finish_epoch(Trainer& trainer, const FitOptions& options) {
  if (trainer.batch() == 0) {
    throw ValueError("fit: no batches: epoch " + std::to_string(trainer.epoch() + 1) +
                     " had none to learn from; need a loader of at least one: batch_size <= its "
                     "samples, or drop_last = false");
  }
  const Scalars row = trainer.end_epoch(options.validate ? options.validate() : Scalars());
  bool best = false, stop = false;
  if (options.early_stopping) {
    const auto found = std::find_if(
        row.begin(), row.end(), [&](const auto& entry) { return entry.first == options.monitor; });
    if (found == row.end()) {
      throw ValueError("fit: nothing to monitor: there is no " + detail::quote(options.monitor) +
                       "; need \"loss\" or the name of a metric of validate()");
    }
    best = options.early_stopping->update(found->second);
    stop = options.early_stopping->should_stop();
  }
  if (!options.csv.empty()) trainer.history().write_csv(options.csv);
  if (options.save) options.save(best);
  return !stop;
}

}  // namespace nn
