// SPDX-License-Identifier: Apache-2.0
// Losses that are 0 once scores or distances are right by a margin: hinges, cosine, triplets. Names and
// formulas are PyTorch's; what loss.hpp says of all losses holds here.
#pragma once

#include "loss.hpp"

namespace nn {

struct MarginOptions {
  Reduction reduction = Reduction::mean;
  double margin = 1.0;
};

/// x where target is 1, max(0, margin - x) where it is -1: of distances x.
Tensor hinge_embedding_loss(const Tensor& x, const Tensor& target, MarginOptions options = {});

struct MarginRankingOptions {
  Reduction reduction = Reduction::mean;
  double margin = 0.0;
};
/// max(0, -target (a - b) + margin): target 1 wants a above b, -1 below.
Tensor margin_ranking_loss(const Tensor& a, const Tensor& b, const Tensor& target,
                           MarginRankingOptions options = {});

/// ln(1 + exp(-target x)), target 1 or -1; exact for every x.
Tensor soft_margin_loss(const Tensor& x, const Tensor& target, LossOptions options = {});

struct MultiMarginOptions {
  Reduction reduction = Reduction::mean;
  double margin = 1.0;
  int p = 1;           ///< 1 or 2
  Tensor weight = {};  ///< [c], of the labels' classes
};
/// The multi-class hinge: sum over k != label of max(0, margin - x_label + x_k)^p / c. x: [n, c] or [c],
/// target: int64 [n] or []. Throws ValueError for a label outside [0, c).
Tensor multi_margin_loss(const Tensor& x, const Tensor& target,
                         const MultiMarginOptions& options = {});

/// Hinge between every label of a sample and every other class: sum of max(0, 1 - x_j + x_k) / c.
/// x: [n, c] or [c]; target: int64 of that shape, a row's labels up to the first -1.
Tensor multilabel_margin_loss(const Tensor& x, const Tensor& target, LossOptions options = {});

struct MultilabelSoftMarginOptions {
  Reduction reduction = Reduction::mean;
  Tensor weight = {};  ///< [c], of the classes
};
/// The mean over the last axis of bce_with_logits_loss.
Tensor multilabel_soft_margin_loss(const Tensor& x, const Tensor& target,
                                   const MultilabelSoftMarginOptions& options = {});

struct CosineEmbeddingOptions {
  Reduction reduction = Reduction::mean;
  double margin = 0.0;  ///< between -1 and 1
};
/// 1 - cos(a, b) where target is 1, max(0, cos(a, b) - margin) where it is -1. a, b: [n, d] or [d],
/// target: [n] or []. 1e-12 is added to the squared lengths, so that 0 has a finite gradient.
Tensor cosine_embedding_loss(const Tensor& a, const Tensor& b, const Tensor& target,
                             CosineEmbeddingOptions options = {});

struct TripletMarginOptions {
  Reduction reduction = Reduction::mean;
  double margin = 1.0;
  double p = 2.0;     ///< of the norm
  double eps = 1e-6;  ///< added to every difference
  bool swap = false;  ///< the smaller of the negative's distances to anchor and positive counts
};
/// max(0, |anchor - positive| - |anchor - negative| + margin), norms over the last axis.
Tensor triplet_margin_loss(const Tensor& anchor, const Tensor& positive, const Tensor& negative,
                           TripletMarginOptions options = {});

}  // namespace nn
