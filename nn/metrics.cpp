// SPDX-License-Identifier: Apache-2.0
// Metrics of classifiers; those of text are in text_metrics.cpp.
#include "metrics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>

namespace nn {

using autograd::ShapeError;
using autograd::TypeError;
using autograd::ValueError;

namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

double share(std::int64_t part, std::int64_t all) {
  return all == 0 ? kNothing : static_cast<double>(part) / static_cast<double>(all);
}

[[noreturn]] void throw_shapes(const char* function, const Tensor& a, const Tensor& b,
                               const char* need) {
  throw ShapeError(std::string(function) + ": shapes do not fit: " + to_string(a.shape()) +
                   " and " + to_string(b.shape()) + "; need " + need);
}

std::span<const std::int64_t> integers(const char* function, const Tensor& x, Tensor& holder) {
  if (x.dtype() != autograd::int64) {
    throw TypeError(std::string(function) + ": not labels: dtype is " + name(x.dtype()) +
                    "; need int64");
  }
  holder = contiguous(detach(x));
  return holder.data<std::int64_t>();
}

void check_label(const char* function, std::int64_t label, std::size_t i, std::int64_t classes) {
  if (label >= 0 && label < classes) return;
  throw ValueError(std::string(function) + ": label out of range: element " + std::to_string(i) +
                   " is " + std::to_string(label) + "; need 0 <= label < " +
                   std::to_string(classes));
}

/// Scores [n, c] as doubles.
Tensor as_scores(const char* function, const Tensor& scores, const Tensor& labels) {
  if (!is_floating(scores.dtype())) {
    throw TypeError(std::string(function) + ": not scores: dtype is " + name(scores.dtype()) +
                    "; need float32 or float64");
  }
  if (scores.dim() != 2 || labels.dim() != 1 || labels.shape()[0] != scores.shape()[0]) {
    throw_shapes(function, scores, labels, "scores [n, c] and labels [n]");
  }
  return contiguous(to(detach(scores), autograd::float64));
}

/// How many classes come before `label`; NaN is the smallest score.
std::int64_t rank_of(std::span<const double> row, std::size_t label) {
  const auto less = [](double a, double b) { return std::isnan(a) ? !std::isnan(b) : a < b; };
  std::int64_t before = 0;
  for (std::size_t k = 0; k < row.size(); ++k) {
    if (less(row[label], row[k]) || (k < label && !less(row[k], row[label]))) ++before;
  }
  return before;
}

}  // namespace

void RunningMean::update(double value, double weight) {
  const double add = value * weight - lost_, next = sum_ + add;
  // With an infinity there is nothing to correct, and the difference would be NaN.
  lost_ = std::isfinite(next) ? (next - sum_) - add : 0;
  sum_ = next;
  weight_ += weight;
}
double RunningMean::value() const { return weight_ > 0 ? sum_ / weight_ : kNothing; }

StateDict RunningMean::state_dict() const {
  StateDict state;
  state.insert("mean", autograd::tensor(std::vector<double>{sum_, lost_, weight_}));
  return state;
}
void RunningMean::load_state_dict(const StateDict& state) {
  const Tensor x = state.size() == 1 && state.contains("mean") ? state.at("mean") : Tensor();
  if (!x.defined() || x.dtype() != autograd::float64 || !(x.shape() == autograd::Shape{3})) {
    throw ValueError(
        "RunningMean.load_state_dict: the state does not fit: mean is missing or of "
        "another shape; need float64 [3]");
  }
  const std::vector<double> numbers = autograd::to_vector<double>(contiguous(detach(x)));
  sum_ = numbers[0];
  lost_ = numbers[1];
  weight_ = numbers[2];
}

// --- Accuracy.

Accuracy::Accuracy(std::int64_t k, std::int64_t ignore_index) : k_(k), ignore_(ignore_index) {
  if (k < 1) {
    throw ValueError("Accuracy: k out of range: k is " + std::to_string(k) + "; need k >= 1");
  }
}

void Accuracy::update(const Tensor& scores, const Tensor& labels) {
  constexpr const char* kName = "Accuracy.update";
  const Tensor x = as_scores(kName, scores, labels);
  Tensor holder;
  const std::span<const std::int64_t> label = integers(kName, labels, holder);
  const std::span<const double> all = x.data<double>();
  const std::int64_t c = x.shape()[1];
  if (k_ > c) {
    throw ValueError("Accuracy.update: k out of range: k is " + std::to_string(k_) +
                     ", the scores are " + to_string(scores.shape()) +
                     "; need k at most the number of classes, " + std::to_string(c));
  }
  const std::size_t width = static_cast<std::size_t>(c);
  std::int64_t correct = 0, total = 0;
  for (std::size_t i = 0; i < label.size(); ++i) {
    if (label[i] == ignore_) continue;
    check_label(kName, label[i], i, c);
    ++total;
    correct += rank_of(all.subspan(i * width, width), static_cast<std::size_t>(label[i])) < k_;
  }
  correct_ += correct;
  total_ += total;
}

void Accuracy::update_binary(const Tensor& probability, const Tensor& target) {
  if (!(probability.shape() == target.shape())) {
    throw_shapes("Accuracy.update_binary", probability, target, "the same shape");
  }
  const auto doubles = [](const Tensor& x) {
    return autograd::to_vector<double>(contiguous(to(detach(x), autograd::float64)));
  };
  const std::vector<double> p = doubles(probability), t = doubles(target);
  for (std::size_t i = 0; i < p.size(); ++i) correct_ += (p[i] > 0.5) == (t[i] > 0.5);
  total_ += static_cast<std::int64_t>(p.size());
}

double Accuracy::value() const { return share(correct_, total_); }

// --- Confusion matrix.

ConfusionMatrix::ConfusionMatrix(std::int64_t classes, std::int64_t ignore_index)
    : classes_(classes), ignore_(ignore_index) {
  if (classes < 1 || classes > 10000) {
    throw ValueError("ConfusionMatrix: classes out of range: classes is " +
                     std::to_string(classes) + "; need 1 <= classes <= 10000");
  }
  counts_.resize(static_cast<std::size_t>(classes * classes));
}

void ConfusionMatrix::update(const Tensor& predictions, const Tensor& labels) {
  constexpr const char* kName = "ConfusionMatrix.update";
  const bool scores = predictions.dim() == 2;
  if (scores && predictions.shape()[1] != classes_) {
    throw_shapes(kName, predictions, labels, "as many scores as classes");
  }
  const Tensor chosen =
      scores ? argmax(as_scores(kName, predictions, labels), 1) : detach(predictions);
  if (!(chosen.shape() == labels.shape()) || labels.dim() != 1) {
    throw_shapes(kName, predictions, labels, "predictions [n] or [n, c] and labels [n]");
  }
  Tensor first, second;
  const std::span<const std::int64_t> guess = integers(kName, chosen, first);
  const std::span<const std::int64_t> label = integers(kName, labels, second);
  for (std::size_t i = 0; i < label.size(); ++i) {  // all before the first count
    if (label[i] == ignore_) continue;
    check_label(kName, label[i], i, classes_);
    check_label(kName, guess[i], i, classes_);
  }
  for (std::size_t i = 0; i < label.size(); ++i) {
    if (label[i] != ignore_) ++counts_[static_cast<std::size_t>(label[i] * classes_ + guess[i])];
  }
}

std::int64_t ConfusionMatrix::at(std::int64_t label, std::int64_t predicted) const {
  check_label("ConfusionMatrix.at", label, 0, classes_);
  check_label("ConfusionMatrix.at", predicted, 1, classes_);
  return counts_[static_cast<std::size_t>(label * classes_ + predicted)];
}

Tensor ConfusionMatrix::counts() const {
  return autograd::tensor(counts_, autograd::Shape{classes_, classes_});
}

void ConfusionMatrix::reset() { std::fill(counts_.begin(), counts_.end(), 0); }

ConfusionMatrix::Totals ConfusionMatrix::totals(std::int64_t label) const {
  Totals t{at(label, label), 0, 0};
  for (std::int64_t k = 0; k < classes_; ++k) {
    t.labelled += at(label, k);
    t.predicted += at(k, label);
  }
  return t;
}

double ConfusionMatrix::accuracy() const {
  std::int64_t hits = 0, all = 0;
  for (const std::int64_t count : counts_) all += count;
  for (std::int64_t k = 0; k < classes_; ++k) hits += at(k, k);
  return share(hits, all);
}

double ConfusionMatrix::precision(std::int64_t label) const {
  const Totals t = totals(label);
  return t.predicted == 0 ? 0 : share(t.hit, t.predicted);
}
double ConfusionMatrix::recall(std::int64_t label) const {
  const Totals t = totals(label);
  return t.labelled == 0 ? 0 : share(t.hit, t.labelled);
}
double ConfusionMatrix::f1(std::int64_t label) const {
  const Totals t = totals(label);
  // 2 p r / (p + r) = 2 hits / (labelled + predicted)
  return t.labelled + t.predicted == 0 ? 0 : share(2 * t.hit, t.labelled + t.predicted);
}

template <class F> double ConfusionMatrix::averaged(Average average, F&& of_class) const {
  // Every wrong decision is a false positive of one class and a false negative of another.
  if (average == Average::micro) return accuracy();
  RunningMean mean;
  for (std::int64_t k = 0; k < classes_; ++k) {
    const Totals t = totals(k);
    if (t.labelled + t.predicted == 0) continue;
    mean.update(of_class(k), average == Average::macro ? 1.0 : static_cast<double>(t.labelled));
  }
  return mean.value();
}

double ConfusionMatrix::precision(Average average) const {
  return averaged(average, [this](std::int64_t k) { return precision(k); });
}
double ConfusionMatrix::recall(Average average) const {
  return averaged(average, [this](std::int64_t k) { return recall(k); });
}
double ConfusionMatrix::f1(Average average) const {
  return averaged(average, [this](std::int64_t k) { return f1(k); });
}

std::string ConfusionMatrix::to_string(const std::vector<std::string>& names) const {
  const auto name_of = [&](std::int64_t k) {
    const auto i = static_cast<std::size_t>(k);
    return i < names.size() ? names[i] : std::to_string(k);
  };
  std::size_t width = 5;
  for (const std::int64_t count : counts_) {
    width = std::max(width, std::to_string(count).size());
  }
  for (std::int64_t k = 0; k < classes_; ++k) width = std::max(width, name_of(k).size());
  std::ostringstream out;
  const auto cell = [&](const std::string& text) {
    out << std::string(width + 1 - std::min(width, text.size()), ' ') << text;
  };
  cell("");
  for (std::int64_t k = 0; k < classes_; ++k) cell(name_of(k));
  cell("total");
  out << '\n';
  for (std::int64_t row = 0; row < classes_; ++row) {
    cell(name_of(row));
    for (std::int64_t k = 0; k < classes_; ++k) cell(std::to_string(at(row, k)));
    cell(std::to_string(totals(row).labelled));
    out << '\n';
  }
  return out.str();
}

double Perplexity::value() const { return std::exp(mean_.value()); }

}  // namespace nn
