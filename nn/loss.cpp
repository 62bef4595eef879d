// SPDX-License-Identifier: Apache-2.0
// Losses are compositions of recorded functions. Checks of values (probabilities, labels) are plain
// loops over the elements that run before anything is recorded.
#include "loss.hpp"

#include <string>

namespace nn {

using autograd::Shape;
using autograd::ShapeError;
using autograd::TypeError;
using autograd::ValueError;

namespace {

void check_shapes(const char* function, const char* first, const Tensor& x, const Tensor& target) {
  if (x.shape() == target.shape()) [[likely]]
    return;
  throw ShapeError(std::string(function) + ": shapes differ: " + first + " is " +
                   to_string(x.shape()) + ", target is " + to_string(target.shape()) + "; need " +
                   first + ".shape == target.shape (losses do not broadcast: reshape one of them)");
}

Tensor reduce(const Tensor& losses, Reduction reduction) {
  switch (reduction) {
    case Reduction::mean: return mean(losses);
    case Reduction::sum: return sum(losses);
    default: return losses;
  }
}

void check_probabilities(const Tensor& p) {
  if (!is_floating(p.dtype())) return;
  const Tensor flat = contiguous(detach(p));
  autograd::dispatch_floating("bce_loss", flat.dtype(), [&]<class T>(T) {
    const std::span<const T> values = flat.data<T>();
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!(values[i] < T(0) || values[i] > T(1))) [[likely]]
        continue;
      throw ValueError("bce_loss: not a probability: element " + std::to_string(i) + " is " +
                       std::to_string(values[i]) +
                       "; need 0 <= p <= 1 (for logits use bce_with_logits_loss)");
    }
  });
}

}  // namespace

Tensor mse_loss(const Tensor& prediction, const Tensor& target, LossOptions options) {
  check_shapes("mse_loss", "prediction", prediction, target);
  if (options.reduction == Reduction::mean && prediction.dtype() == target.dtype()) {
    return autograd::mean_squared_error(prediction, target);
  }
  return reduce(squared_difference(prediction, target), options.reduction);
}

Tensor bce_loss(const Tensor& probability, const Tensor& target, LossOptions options) {
  check_shapes("bce_loss", "probability", probability, target);
  check_probabilities(probability);
  return reduce(binary_cross_entropy(probability, target), options.reduction);
}

Tensor bce_with_logits_loss(const Tensor& logits, const Tensor& target, LossOptions options) {
  check_shapes("bce_with_logits_loss", "logits", logits, target);
  return reduce(binary_cross_entropy_with_logits(logits, target), options.reduction);
}

// --- Cross-entropy.

namespace {

/// What one pass over the labels finds.
struct Labels {
  Tensor safe;       // [n] int64: the labels, 0 for those ignored
  Tensor kept;       // [n] bool: not ignored; undefined when all are kept
  Tensor weight;     // [n]: of each label's class; undefined without class weights
  double total = 0;  // what the mean divides by
};

[[noreturn]] void throw_label(std::int64_t label, std::size_t i, std::int64_t c,
                              std::int64_t ignore_index) {
  throw ValueError("cross_entropy_loss: label out of range: target[" + std::to_string(i) + "] is " +
                   std::to_string(label) + "; need 0 <= label < " + std::to_string(c) +
                   ", the number of classes, or ignore_index (" + std::to_string(ignore_index) +
                   ")");
}

// target: [n]  kept, safe: [n]
void replace_ignored(Labels& labels, std::int64_t ignore_index) {
  const Tensor target = labels.safe;
  labels.safe = autograd::empty(target.shape(), autograd::int64);
  labels.kept = autograd::empty(target.shape(), autograd::boolean);
  const std::span<const std::int64_t> from = target.data<std::int64_t>();
  const std::span<std::int64_t> safe = labels.safe.mutable_data<std::int64_t>();
  const std::span<bool> kept = labels.kept.mutable_data<bool>();
  for (std::size_t i = 0; i < from.size(); ++i) {
    kept[i] = from[i] != ignore_index;
    safe[i] = kept[i] ? from[i] : 0;
  }
}

/// Sets labels.weight to class_weight [c] at each label, and the total of those that are kept.
void gather_weights(Labels& labels, const Tensor& class_weight) {
  const Tensor source = contiguous(class_weight);
  labels.weight = autograd::empty(labels.safe.shape(), source.dtype());
  labels.total = 0;
  const std::span<const std::int64_t> index = labels.safe.data<std::int64_t>();
  autograd::dispatch_floating("cross_entropy_loss", source.dtype(), [&]<class T>(T) {
    const std::span<const T> from = source.data<T>();
    const std::span<T> to = labels.weight.mutable_data<T>();
    for (std::size_t i = 0; i < index.size(); ++i) {
      to[i] = from[static_cast<std::size_t>(index[i])];
      const bool counts = !labels.kept.defined() || labels.kept.data<bool>()[i];
      if (counts) labels.total += static_cast<double>(to[i]);
    }
  });
}

// target: [n] int64, labels below c
Labels read_labels(const Tensor& target, std::int64_t c, const CrossEntropyOptions& options,
                   const Tensor& class_weight) {
  Labels labels;
  labels.safe = contiguous(target);
  const std::span<const std::int64_t> label = labels.safe.data<std::int64_t>();
  std::size_t ignored = 0;
  for (std::size_t i = 0; i < label.size(); ++i) {
    if (label[i] == options.ignore_index) {
      ++ignored;
    } else if (label[i] < 0 || label[i] >= c) [[unlikely]] {
      throw_label(label[i], i, c, options.ignore_index);
    }
  }
  labels.total = static_cast<double>(label.size() - ignored);
  if (ignored > 0) replace_ignored(labels, options.ignore_index);
  if (class_weight.defined()) gather_weights(labels, class_weight);
  return labels;
}

// logits: [n, c]  target: [n] int64. Works with log-probabilities; the sign comes last.
Tensor with_labels(const Tensor& logits, const Tensor& target, const CrossEntropyOptions& options,
                   const Tensor& class_weight) {
  const std::int64_t c = logits.shape()[1];
  const Labels labels = read_labels(target, c, options, class_weight);
  const Tensor logp = log_softmax(logits, 1);
  Tensor y = pick(logp, labels.safe);
  if (labels.weight.defined()) y = y * labels.weight;
  if (options.label_smoothing > 0) {
    const Tensor all = class_weight.defined() ? logp * class_weight : logp;
    y = y * (1.0 - options.label_smoothing) +
        sum(all, {1}) * (options.label_smoothing / static_cast<double>(c));
  }
  // A select and not a product: an ignored row may hold anything.
  if (labels.kept.defined()) y = where(labels.kept, y, 0.0);
  switch (options.reduction) {
    case Reduction::mean: return sum(y) / -labels.total;
    case Reduction::sum: return -sum(y);
    default: return -y;
  }
}

// logits, target: [n, c]
Tensor with_probabilities(const Tensor& logits, const Tensor& target,
                          const CrossEntropyOptions& options, const Tensor& class_weight) {
  const double e = options.label_smoothing;
  const Shape& shape = logits.shape();
  const Tensor q = e > 0 ? target * (1.0 - e) + e / static_cast<double>(shape[1]) : target;
  // chain(q, logp) is q logp, and 0 where q is 0 also for a logit of -inf.
  Tensor y = chain(q, log_softmax(logits, 1));
  if (class_weight.defined()) y = y * class_weight;
  switch (options.reduction) {
    case Reduction::mean: return sum(y) / -static_cast<double>(shape[0]);
    case Reduction::sum: return -sum(y);
    default: return -sum(y, {1});
  }
}

[[noreturn]] void throw_target(const Tensor& logits, const Tensor& target, const char* expected) {
  throw ShapeError("cross_entropy_loss: shapes do not fit: logits is " + to_string(logits.shape()) +
                   ", target is " + to_string(target.shape()) + " " + name(target.dtype()) +
                   "; need " + expected);
}

/// Whether target holds labels; throws unless shapes and dtypes fit.
bool check_target(const Tensor& logits, const Tensor& target) {
  const Shape &x = logits.shape(), &t = target.shape();
  if (x.dim() != 1 && x.dim() != 2) throw_target(logits, target, "logits [n, c] or [c]");
  const bool one_per_sample = x.dim() == 1 ? t.dim() == 0 : t.dim() == 1 && t[0] == x[0];
  if (target.dtype() == autograd::int64) {
    if (!one_per_sample) throw_target(logits, target, "one int64 label per sample");
    return true;
  }
  if (!is_floating(target.dtype()) || one_per_sample) {
    throw TypeError(std::string("cross_entropy_loss: not labels: target is ") +
                    name(target.dtype()) + " " + to_string(t) +
                    "; need int64 (convert with to(target, autograd::int64)), or probabilities of "
                    "the logits' shape");
  }
  if (!(x == t)) throw_target(logits, target, "probabilities of the logits' shape");
  return false;
}

}  // namespace

Tensor cross_entropy_loss(const Tensor& logits, const Tensor& target,
                          const CrossEntropyOptions& options) {
  const bool labels = check_target(logits, target);
  const Shape& shape = logits.shape();
  const double e = options.label_smoothing;
  if (!(e >= 0 && e <= 1)) {
    throw ValueError("cross_entropy_loss: label_smoothing out of range: " + std::to_string(e) +
                     "; need 0 <= label_smoothing <= 1");
  }
  Tensor class_weight;
  if (options.weight.defined()) {
    if (!(options.weight.shape() == Shape{shape.back()})) {
      throw ShapeError("cross_entropy_loss: weight does not fit: weight is " +
                       to_string(options.weight.shape()) + ", logits is " + to_string(shape) +
                       "; need weight.shape == [" + std::to_string(shape.back()) + "]");
    }
    const bool floating = is_floating(logits.dtype());
    class_weight = detach(to(options.weight, floating ? logits.dtype() : autograd::float32));
  }
  if (shape.dim() == 2) {
    return labels ? with_labels(logits, target, options, class_weight)
                  : with_probabilities(logits, target, options, class_weight);
  }
  const Tensor row = reshape(logits, Shape{1, shape[0]});
  const Tensor loss =
      labels ? with_labels(row, reshape(target, Shape{1}), options, class_weight)
             : with_probabilities(row, reshape(target, Shape{1, shape[0]}), options, class_weight);
  return options.reduction == Reduction::none ? reshape(loss, Shape{}) : loss;
}

}  // namespace nn
