// SPDX-License-Identifier: Apache-2.0
// Compositions of recorded functions. At the kink of a hinge the slope is 1, as PyTorch's clamp has it;
// where PyTorch has a kernel of its own (multi_margin, multilabel_margin) it is 0, as there.
#include "margin_loss.hpp"

#include <cmath>
#include <vector>

#include "loss_reduce.hpp"

namespace nn {

using autograd::Shape;
using autograd::ShapeError;
using autograd::ValueError;
using detail::check_option;
using detail::check_shapes;
using detail::reduce;

namespace {

Tensor hinge(const Tensor& x) { return clamp(x, {.min = 0.0}); }

}  // namespace

Tensor hinge_embedding_loss(const Tensor& x, const Tensor& target, MarginOptions options) {
  check_shapes("hinge_embedding_loss", "x", x, "target", target);
  const Tensor t = detach(target);
  return reduce(where(t != -1.0, x, 0.0) + where(t != 1.0, hinge(options.margin - x), 0.0),
                options.reduction);
}

Tensor margin_ranking_loss(const Tensor& a, const Tensor& b, const Tensor& target,
                           MarginRankingOptions options) {
  check_shapes("margin_ranking_loss", "a", a, "b", b);
  check_shapes("margin_ranking_loss", "a", a, "target", target);
  return reduce(hinge(options.margin - target * (a - b)), options.reduction);
}

Tensor soft_margin_loss(const Tensor& x, const Tensor& target, LossOptions options) {
  check_shapes("soft_margin_loss", "x", x, "target", target);
  return reduce(softplus(-(target * x)), options.reduction);
}

namespace {

/// x as [n, c]; throws unless it has one or two axes and labels of the given shape in int64.
Tensor scores(const char* function, const Tensor& x, const Tensor& target, const Shape& labels) {
  if (x.dim() != 1 && x.dim() != 2) {
    throw ShapeError(std::string(function) + ": not scores: x is " + to_string(x.shape()) +
                     "; need [n, c] or [c]");
  }
  if (target.dtype() != autograd::int64) {
    throw autograd::TypeError(std::string(function) + ": not labels: target is " +
                              name(target.dtype()) + "; need int64");
  }
  if (!(target.shape() == labels)) {
    throw ShapeError(std::string(function) + ": shapes do not fit: x is " + to_string(x.shape()) +
                     ", target is " + to_string(target.shape()) + "; need target of shape " +
                     to_string(labels));
  }
  return x.dim() == 2 ? x : unsqueeze(x, 0);
}

void check_label(const char* function, std::int64_t label, std::size_t i, std::int64_t c) {
  if (label >= 0 && label < c) return;
  throw ValueError(std::string(function) + ": label out of range: target[" + std::to_string(i) +
                   "] is " + std::to_string(label) + "; need 0 <= label < " + std::to_string(c) +
                   ", the number of classes");
}

}  // namespace

Tensor multi_margin_loss(const Tensor& x, const Tensor& target, const MultiMarginOptions& options) {
  constexpr const char* kName = "multi_margin_loss";
  const Shape wanted = x.dim() == 2 ? Shape{x.shape()[0]} : Shape{};
  const Tensor rows = scores(kName, x, target, wanted);
  check_option(options.p == 1 || options.p == 2, kName, "p", options.p, "1 or 2");
  const std::int64_t n = rows.shape()[0], c = rows.shape()[1];
  const Tensor labels = contiguous(reshape(target, Shape{n}));
  const std::span<const std::int64_t> label = labels.data<std::int64_t>();
  Tensor others = autograd::full(rows.shape(), 1, autograd::boolean);  // all classes but the label
  const std::span<bool> other = others.mutable_data<bool>();
  for (std::size_t i = 0; i < label.size(); ++i) {
    check_label(kName, label[i], i, c);
    other[i * static_cast<std::size_t>(c) + static_cast<std::size_t>(label[i])] = false;
  }
  Tensor gaps = relu(options.margin - unsqueeze(pick(rows, labels), -1) + rows);
  if (options.p == 2) gaps = square(gaps);
  Tensor losses = sum(where(others, gaps, 0.0), {1}) / static_cast<double>(c);
  if (options.weight.defined()) {
    check_shapes(kName, "weight", options.weight, "a row of x", select(rows, 0, 0));
    const Tensor table = broadcast_to(unsqueeze(options.weight, 0), rows.shape());
    losses = losses * pick(contiguous(to(table, rows.dtype())), labels);
  }
  const bool one = x.dim() == 1 && options.reduction == Reduction::none;
  return one ? reshape(losses, Shape{}) : reduce(losses, options.reduction);
}

Tensor multilabel_margin_loss(const Tensor& x, const Tensor& target, LossOptions options) {
  constexpr const char* kName = "multilabel_margin_loss";
  const Tensor rows = scores(kName, x, target, x.shape());
  const std::int64_t n = rows.shape()[0], c = rows.shape()[1];
  const Tensor labels = contiguous(target);
  const std::span<const std::int64_t> label = labels.data<std::int64_t>();
  const std::size_t width = static_cast<std::size_t>(c);
  std::vector<double> count(label.size());  // how often each class is among its row's labels
  for (std::size_t i = 0; i < label.size(); ++i) {
    if (label[i] == -1) {
      i += width - 1 - i % width;  // to the end of the row
      continue;
    }
    check_label(kName, label[i], i, c);
    count[i - i % width + static_cast<std::size_t>(label[i])] += 1;
  }
  const Tensor wanted = to(autograd::tensor(count, Shape{n, c}), rows.dtype());
  // [n, label, other class]
  const Tensor gaps = relu(1.0 - unsqueeze(rows, 2) + unsqueeze(rows, 1));
  const Tensor pairs = unsqueeze(wanted, 2) * to(unsqueeze(wanted == 0.0, 1), rows.dtype());
  const Tensor losses = sum(chain(pairs, gaps), {1, 2}) / static_cast<double>(c);
  const bool one = x.dim() == 1 && options.reduction == Reduction::none;
  return one ? reshape(losses, Shape{}) : reduce(losses, options.reduction);
}

Tensor multilabel_soft_margin_loss(const Tensor& x, const Tensor& target,
                                   const MultilabelSoftMarginOptions& options) {
  const Tensor losses =
      bce_with_logits_loss(x, target, {.reduction = Reduction::none, .weight = options.weight});
  return reduce(mean(losses, {-1}), options.reduction);
}

Tensor cosine_embedding_loss(const Tensor& a, const Tensor& b, const Tensor& target,
                             CosineEmbeddingOptions options) {
  constexpr const char* kName = "cosine_embedding_loss";
  check_shapes(kName, "a", a, "b", b);
  if (a.dim() != 1 && a.dim() != 2) {
    throw ShapeError("cosine_embedding_loss: not vectors: a is " + to_string(a.shape()) +
                     "; need [n, d] or [d]");
  }
  constexpr double kEps = 1e-12;
  const Tensor product = sum(a * b, {-1});
  check_shapes(kName, "a without its last axis", product, "target", target);
  const Tensor lengths = (sum(square(a), {-1}) + kEps) * (sum(square(b), {-1}) + kEps);
  const Tensor cosine = product / sqrt(lengths), t = detach(target);
  return reduce(
      where(t == 1.0, 1.0 - cosine, 0.0) + where(t == -1.0, hinge(cosine - options.margin), 0.0),
      options.reduction);
}

Tensor triplet_margin_loss(const Tensor& anchor, const Tensor& positive, const Tensor& negative,
                           TripletMarginOptions options) {
  constexpr const char* kName = "triplet_margin_loss";
  check_shapes(kName, "anchor", anchor, "positive", positive);
  check_shapes(kName, "anchor", anchor, "negative", negative);
  const auto distance = [&](const Tensor& from, const Tensor& to_point) {
    return norm(from - to_point + options.eps, options.p, {-1});
  };
  const Tensor near = distance(anchor, positive);
  Tensor far = distance(anchor, negative);
  if (options.swap) far = minimum(far, distance(positive, negative));
  return reduce(hinge(options.margin + near - far), options.reduction);
}

}  // namespace nn
