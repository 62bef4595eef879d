// SPDX-License-Identifier: Apache-2.0
// Losses: a prediction against a target, reduced to one number. Defaults and reductions are PyTorch's,
// names those of its classes: BCELoss is bce_loss, not binary_cross_entropy, which is the elementwise
// function. Shapes must agree, nothing broadcasts. Every loss is a composition of recorded functions
// and so has derivatives of every order. Prefer the ones that take logits: they are exact in the tails.
// All throw ShapeError for shapes that differ. The mean over no samples is NaN. Losses with margins are
// in margin_loss.hpp. To add one: its function, a case in tests/golden/loss_reference.py.
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

/// |prediction - target|, with slope 0 where they are equal.
Tensor l1_loss(const Tensor& prediction, const Tensor& target, LossOptions options = {});

struct SmoothL1Options {
  Reduction reduction = Reduction::mean;
  double beta = 1.0;  ///< >= 0; 0 is l1_loss
};
/// With d the difference: d^2 / (2 beta) for |d| < beta, else |d| - beta / 2.
Tensor smooth_l1_loss(const Tensor& prediction, const Tensor& target, SmoothL1Options options = {});

struct HuberOptions {
  Reduction reduction = Reduction::mean;
  double delta = 1.0;  ///< > 0
};
/// d^2 / 2 for |d| < delta, else delta (|d| - delta / 2).
Tensor huber_loss(const Tensor& prediction, const Tensor& target, HuberOptions options = {});

struct BceOptions {
  Reduction reduction = Reduction::mean;
  Tensor weight = {};  ///< of the losses, broadcasts to them; undefined: all 1
};

/// -(t ln p + (1 - t) ln(1 - p)) of probabilities p, each logarithm at least -100, so that 0 and 1 give
/// finite losses (torch.nn.BCELoss). After a sigmoid use bce_with_logits_loss, whose gradient does not
/// vanish where p rounds to 0 or 1. Throws ValueError for p outside [0, 1]; NaN passes through.
Tensor bce_loss(const Tensor& probability, const Tensor& target, const BceOptions& options = {});

struct BceWithLogitsOptions {
  Reduction reduction = Reduction::mean;
  Tensor weight = {};      ///< of the losses, broadcasts to them
  Tensor pos_weight = {};  ///< of the part with target 1, broadcasts: > 1 raises recall
};

/// The same of p = sigmoid(logit): max(x, 0) - x t + ln(1 + exp(-|x|)), with gradient sigmoid(x) - t,
/// exact for every x. With pos_weight w: (1 - t) x + (1 + (w - 1) t) ln(1 + exp(-x)).
Tensor bce_with_logits_loss(const Tensor& logits, const Tensor& target,
                            const BceWithLogitsOptions& options = {});

struct CrossEntropyOptions {
  Reduction reduction = Reduction::mean;
  std::int64_t ignore_index = -100;  ///< samples with this label count for nothing
  double label_smoothing = 0.0;      ///< e in [0, 1]: targets (1 - e) onehot + e / c
  Tensor weight = {};                ///< [c], of the classes; undefined: all 1. Not differentiated.
};

/// Cross-entropy of softmax(logits) with the target. logits: [n, c], [n, c, places...], or [c] for one
/// sample. target: int64 labels of that shape without c, or probabilities t of the logits' shape and a
/// floating dtype. Every place is a sample.
/// Loss of a sample: -sum_k w_k q_k log_softmax(x)_k, q being the smoothed onehot or t. With labels the
/// mean divides by the sum of w_label over the samples that are not ignored: NaN, with gradient 0, when
/// all are (0 under sum); with probabilities it divides by n (torch.nn.CrossEntropyLoss).
/// Throws ValueError for a label outside [0, c), TypeError for labels that are not int64.
Tensor cross_entropy_loss(const Tensor& logits, const Tensor& target,
                          const CrossEntropyOptions& options = {});

struct NllOptions {
  Reduction reduction = Reduction::mean;
  std::int64_t ignore_index = -100;
  Tensor weight = {};  ///< [c], of the classes
};

/// cross_entropy_loss with labels of what is log_softmax already: -w_label logp[label].
/// Throws ValueError for a log-probability above 0 in builds with AUTOGRAD_CHECKED: given probabilities
/// this loss falls forever.
Tensor nll_loss(const Tensor& log_probs, const Tensor& target, const NllOptions& options = {});

/// `element_mean` is PyTorch's 'mean': it divides by all elements, which is not the divergence.
/// `batch_mean` divides by the first extent, which is.
enum class KlDivReduction : std::uint8_t { element_mean, batch_mean, sum, none };
struct KlDivOptions {
  KlDivReduction reduction = KlDivReduction::element_mean;
  bool log_target = false;  ///< target holds logarithms of probabilities
};
/// t (ln t - x) of log-probabilities x; 0 where t is 0, also for x = -inf. The sum is KL(t || e^x).
Tensor kl_div_loss(const Tensor& log_probs, const Tensor& target, KlDivOptions options = {});

struct GaussianNllOptions {
  Reduction reduction = Reduction::mean;
  bool full = false;  ///< add ln(2 pi) / 2
  double eps = 1e-6;  ///< smaller variances count as this one; their gradient is taken there
};
/// (ln var + (prediction - target)^2 / var) / 2. var: the prediction's shape, or with last extent 1, or
/// without the last axis. Throws ValueError for a negative variance.
Tensor gaussian_nll_loss(const Tensor& prediction, const Tensor& target, const Tensor& var,
                         GaussianNllOptions options = {});

struct PoissonNllOptions {
  Reduction reduction = Reduction::mean;
  bool log_input = true;  ///< x is the logarithm of the rate
  bool full = false;      ///< add Stirling's t ln t - t + ln(2 pi t) / 2 where t > 1
  double eps = 1e-8;      ///< added to the rate under the logarithm
};
/// e^x - t x, or without log_input x - t ln(x + eps).
Tensor poisson_nll_loss(const Tensor& x, const Tensor& target, PoissonNllOptions options = {});

using autograd::ctc_loss;
using autograd::CtcOptions;
using autograd::CtcReduction;

}  // namespace nn
