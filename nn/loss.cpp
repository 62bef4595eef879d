// SPDX-License-Identifier: Apache-2.0
// Losses are compositions of recorded functions. Checks of values (probabilities, labels) are plain
// loops over the elements that run before anything is recorded.
#include "loss.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "loss_reduce.hpp"

namespace nn {

using autograd::Shape;
using autograd::ShapeError;
using autograd::TypeError;
using autograd::ValueError;
using detail::check_shapes;
using detail::reduce;

namespace {

void check_probabilities(const Tensor& p) {
  if (!is_floating(p.dtype())) return;
  const Tensor flat = contiguous(detach(p));
  autograd::dispatch_floating("bce_loss", flat.dtype(), [&]<class T>(T) {
    const std::span<const T> values = flat.data<T>();
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!(values[i] < T(0) || values[i] > T(1))) [[likely]]
        continue;
      throw ValueError("bce_loss: not a probability: element " + std::to_string(i) + " is " +
                       autograd::detail::text(static_cast<double>(values[i])) +
                       "; need 0 <= p <= 1 (for logits use bce_with_logits_loss)");
    }
  });
}

}  // namespace

Tensor mse_loss(const Tensor& prediction, const Tensor& target, LossOptions options) {
  if (options.reduction == Reduction::mean && prediction.dtype() == target.dtype()) {
    try {
      return autograd::mean_squared_error(prediction, target);
    } catch (const autograd::ShapeError&) {
      check_shapes("mse_loss", "prediction", prediction, "target", target);
      throw;
    }
  }
  check_shapes("mse_loss", "prediction", prediction, "target", target);
  return reduce(squared_difference(prediction, target), options.reduction);
}

namespace {

/// losses times the option `name`, or without it.
Tensor weighted(const char* function, const char* name, const Tensor& losses,
                const Tensor& weight) {
  if (!weight.defined()) return losses;
  if (autograd::broadcasts_to(weight.shape(), losses.shape())) return losses * weight;
  throw ShapeError(std::string(function) + ": " + name + " does not fit: " + name + " is " +
                   to_string(weight.shape()) + ", the losses are " + to_string(losses.shape()) +
                   "; need a shape that broadcasts to theirs");
}

}  // namespace

Tensor bce_loss(const Tensor& probability, const Tensor& target, const BceOptions& options) {
  check_shapes("bce_loss", "probability", probability, "target", target);
  check_probabilities(probability);
  const Tensor losses = binary_cross_entropy(probability, target);
  return reduce(weighted("bce_loss", "weight", losses, options.weight), options.reduction);
}

Tensor bce_with_logits_loss(const Tensor& logits, const Tensor& target,
                            const BceWithLogitsOptions& options) {
  constexpr const char* kName = "bce_with_logits_loss";
  check_shapes(kName, "logits", logits, "target", target);
  Tensor losses;
  if (options.pos_weight.defined()) {
    const Tensor extra = weighted(kName, "pos_weight", target, options.pos_weight - 1.0);
    // ln(1 + exp(-x)) is the loss of target 1; logsigmoid would link the kernels of all activations.
    const Tensor missed = binary_cross_entropy_with_logits(logits, constant(logits, 1.0));
    losses = (1.0 - target) * logits + (1.0 + extra) * missed;
  } else {
    losses = binary_cross_entropy_with_logits(logits, target);
  }
  return reduce(weighted(kName, "weight", losses, options.weight), options.reduction);
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

[[noreturn]] void throw_label(const char* function, std::int64_t label, std::size_t i,
                              std::int64_t c, std::int64_t ignore_index) {
  throw ValueError(std::string(function) + ": label out of range: target[" + std::to_string(i) +
                   "] is " + std::to_string(label) + "; need 0 <= label < " + std::to_string(c) +
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
Labels read_labels(const char* function, const Tensor& target, std::int64_t c,
                   std::int64_t ignore_index, const Tensor& class_weight) {
  Labels labels;
  labels.safe = contiguous(target);
  const std::span<const std::int64_t> label = labels.safe.data<std::int64_t>();
  std::size_t ignored = 0;
  for (std::size_t i = 0; i < label.size(); ++i) {
    if (label[i] == ignore_index) {
      ++ignored;
    } else if (label[i] < 0 || label[i] >= c) [[unlikely]] {
      throw_label(function, label[i], i, c, ignore_index);
    }
  }
  labels.total = static_cast<double>(label.size() - ignored);
  if (ignored > 0) replace_ignored(labels, ignore_index);
  if (class_weight.defined()) gather_weights(labels, class_weight);
  return labels;
}

/// y, one for each sample: summed, over `total` for the mean, or as it is.
Tensor reduce_labeled(const Tensor& y, Reduction reduction, double total) {
  switch (reduction) {
    case Reduction::mean: return sum(y) / total;
    case Reduction::sum: return sum(y);
    default: return y;
  }
}

// rows: [n, c]  target: [n] int64
Tensor with_plain_labels(const char* function, const Tensor& rows, const Tensor& target,
                         const CrossEntropyOptions& options) {
  const Labels labels = read_labels(function, target, rows.shape()[1], options.ignore_index, {});
  Tensor label = labels.safe;
  if (labels.kept.defined()) {
    label = where(labels.kept, labels.safe, autograd::constant(labels.safe, -1));
  }
  return reduce_labeled(cross_entropy(rows, label, options.label_smoothing), options.reduction,
                        labels.total);
}

// logp: [n, c]. The sign comes last.
Tensor with_labels(const Tensor& logp, const Labels& labels, const CrossEntropyOptions& options,
                   const Tensor& class_weight) {
  const std::int64_t c = logp.shape()[1];
  Tensor y = pick(logp, labels.safe);
  if (labels.weight.defined()) y = y * labels.weight;
  if (options.label_smoothing > 0) {
    const Tensor all = class_weight.defined() ? logp * class_weight : logp;
    y = y * (1.0 - options.label_smoothing) +
        sum(all, {1}) * (options.label_smoothing / static_cast<double>(c));
  }
  // A select and not a product: an ignored row may hold anything.
  if (labels.kept.defined()) y = where(labels.kept, y, 0.0);
  return reduce_labeled(-y, options.reduction, labels.total);
}

// rows: [n, c]  target: [n] int64
Tensor with_weighted_labels(const char* function, const Tensor& rows, const Tensor& target,
                            const CrossEntropyOptions& options, const Tensor& class_weight) {
  const Labels labels =
      read_labels(function, target, rows.shape()[1], options.ignore_index, class_weight);
  Tensor counted = rows;
  // The derivative of a row of NaN is NaN, even for a loss that does not depend on it.
  if (labels.kept.defined()) counted = where(unsqueeze(labels.kept, 1), rows, 0.0);
  return with_labels(log_softmax(counted, 1), labels, options, class_weight);
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

[[noreturn]] void throw_target(const char* function, const Tensor& logits, const Tensor& target,
                               const char* expected) {
  throw ShapeError(std::string(function) + ": shapes do not fit: logits is " +
                   to_string(logits.shape()) + ", target is " + to_string(target.shape()) + " " +
                   name(target.dtype()) + "; need " + expected);
}

/// The shape of one number per sample: x's without its classes.
Shape without_classes(const Shape& x) {
  std::vector<std::int64_t> extents;
  for (int i = 0; i < x.dim(); ++i) {
    if (i != (x.dim() == 1 ? 0 : 1)) extents.push_back(x[i]);
  }
  return Shape(extents);
}

/// Whether target holds labels; throws unless shapes and dtypes fit.
bool check_target(const char* function, const Tensor& logits, const Tensor& target) {
  const Shape &x = logits.shape(), &t = target.shape();
  if (x.dim() < 1) {
    throw_target(function, logits, target, "logits [n, c], [n, c, places...] or [c]");
  }
  const bool one_per_sample = t == without_classes(x);
  if (target.dtype() == autograd::int64) {
    if (!one_per_sample) throw_target(function, logits, target, "one int64 label per sample");
    return true;
  }
  if (!is_floating(target.dtype()) || one_per_sample) {
    throw TypeError(std::string(function) + ": not labels: target is " + name(target.dtype()) +
                    " " + to_string(t) +
                    "; need int64 (convert with to(target, autograd::int64)), or probabilities of "
                    "the logits' shape");
  }
  if (!(x == t)) throw_target(function, logits, target, "probabilities of the logits' shape");
  return false;
}

/// The class weights in the logits' dtype, or undefined.
Tensor checked_weight(const char* function, const Tensor& weight, const Tensor& logits) {
  if (!weight.defined()) return {};
  const Shape& shape = logits.shape();
  const std::int64_t c = shape[shape.dim() == 1 ? 0 : 1];
  if (!(weight.shape() == Shape{c})) {
    throw ShapeError(std::string(function) + ": weight does not fit: weight is " +
                     to_string(weight.shape()) + ", logits is " + to_string(shape) +
                     "; need weight.shape == [" + std::to_string(c) + "]");
  }
  const bool floating = is_floating(logits.dtype());
  return detach(to(weight, floating ? logits.dtype() : autograd::float32));
}

/// [n, c, places...] or [c] as rows: [n places, c].
Tensor as_rows(const Tensor& x) {
  const Shape& shape = x.shape();
  if (shape.dim() == 2) return x;
  if (shape.dim() == 1) return reshape(x, Shape{1, shape[0]});
  return reshape(movedim(x, 1, -1),
                 Shape{x.numel() / std::max<std::int64_t>(shape[1], 1), shape[1]});
}

Tensor as_list(const Tensor& labels) {
  return labels.dim() == 1 ? labels : reshape(labels, Shape{labels.numel()});
}

/// NLL's usual mistake; a rounding above 0 is none.
void check_log_probabilities([[maybe_unused]] const Tensor& x) {
#ifdef AUTOGRAD_CHECKED
  const double largest = x.numel() > 0 ? max(detach(x)).item() : 0;
  if (!(largest > 1e-4)) return;
  throw ValueError("nll_loss: not log-probabilities: the largest is " +
                   autograd::detail::text(largest) +
                   "; need numbers <= 0 (take log_softmax, or cross_entropy_loss of logits)");
#endif
}

}  // namespace

Tensor cross_entropy_loss(const Tensor& logits, const Tensor& target,
                          const CrossEntropyOptions& options) {
  constexpr const char* kName = "cross_entropy_loss";
  const bool labels = check_target(kName, logits, target);
  const double e = options.label_smoothing;
  detail::check_option(e >= 0 && e <= 1, kName, "label_smoothing", e, "0 <= label_smoothing <= 1");
  const Tensor class_weight = checked_weight(kName, options.weight, logits);
  const Tensor rows = as_rows(logits);
  Tensor loss;
  if (!labels) {
    loss = with_probabilities(rows, as_rows(target), options, class_weight);
  } else if (class_weight.defined()) {
    loss = with_weighted_labels(kName, rows, as_list(target), options, class_weight);
  } else {
    loss = with_plain_labels(kName, rows, as_list(target), options);
  }
  const bool shaped = options.reduction == Reduction::none && logits.dim() != 2;
  return shaped ? reshape(loss, without_classes(logits.shape())) : loss;
}

Tensor nll_loss(const Tensor& log_probs, const Tensor& target, const NllOptions& options) {
  constexpr const char* kName = "nll_loss";
  if (!check_target(kName, log_probs, target)) {
    throw TypeError("nll_loss: not labels: target is " + std::string(name(target.dtype())) +
                    "; need int64");
  }
  check_log_probabilities(log_probs);
  const Tensor class_weight = checked_weight(kName, options.weight, log_probs);
  const Tensor rows = as_rows(log_probs);
  const Labels labels =
      read_labels(kName, as_list(target), rows.shape()[1], options.ignore_index, class_weight);
  const Tensor loss = with_labels(rows, labels, {.reduction = options.reduction}, class_weight);
  const bool shaped = options.reduction == Reduction::none && log_probs.dim() != 2;
  return shaped ? reshape(loss, without_classes(log_probs.shape())) : loss;
}

}  // namespace nn
