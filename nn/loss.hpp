// SPDX-License-Identifier: Apache-2.0
// Losses: a prediction against a target, reduced to one number. Names, defaults and reductions are
// PyTorch's; shapes must agree, nothing broadcasts. Every loss is a composition of recorded functions
// and so has derivatives of every order. Prefer the ones that take logits: they are exact in the tails.
// All throw ShapeError for shapes that differ. The mean over no samples is NaN.
#pragma once

#include <cstdint>

#include <autograd/autograd.hpp>

namespace nn {

using autograd::Tensor;

/// The mean of the losses, their sum, or the losses themselves.
enum class Reduction : std::uint8_t { mean, sum, none };

struct LossOptions {
  Reduction reduction = Reduction::mean;
};

/// (prediction - target)^2; the mean is over all elements.
Tensor mse_loss(const Tensor& prediction, const Tensor& target, LossOptions options = {});

/// -(t ln p + (1 - t) ln(1 - p)) of probabilities p, each logarithm at least -100, so that 0 and 1 give
/// finite losses (torch.nn.BCELoss). After a sigmoid use bce_with_logits_loss, whose gradient does not
/// vanish where p rounds to 0 or 1. Throws ValueError for p outside [0, 1]; NaN passes through.
Tensor bce_loss(const Tensor& probability, const Tensor& target, LossOptions options = {});

/// The same of p = sigmoid(logit): max(x, 0) - x t + ln(1 + exp(-|x|)), with gradient sigmoid(x) - t,
/// exact for every x.
Tensor bce_with_logits_loss(const Tensor& logits, const Tensor& target, LossOptions options = {});

struct CrossEntropyOptions {
  Reduction reduction = Reduction::mean;
  std::int64_t ignore_index = -100;  ///< samples with this label count for nothing
  double label_smoothing = 0.0;      ///< e in [0, 1]: targets (1 - e) onehot + e / c
  Tensor weight = {};                ///< [c], of the classes; undefined: all 1. Not differentiated.
};

/// Cross-entropy of softmax(logits) with the target. logits: [n, c], or [c] for one sample.
/// target: int64 labels [n] (or []), or probabilities t of the logits' shape and a floating dtype.
/// Loss of a sample: -sum_k w_k q_k log_softmax(x)_k, q being the smoothed onehot or t. With labels the
/// mean divides by the sum of w_label over the samples that are not ignored: NaN, with gradient 0, when
/// all are (0 under sum); with probabilities it divides by n (torch.nn.CrossEntropyLoss).
/// Throws ValueError for a label outside [0, c), TypeError for labels that are not int64.
Tensor cross_entropy_loss(const Tensor& logits, const Tensor& target,
                          const CrossEntropyOptions& options = {});

}  // namespace nn
