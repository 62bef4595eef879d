// SPDX-License-Identifier: Apache-2.0
// The losses of connectionist temporal classification, one for each sample.
#pragma once

#include <memory>

#include "../kernels/ctc.hpp"
#include "op.hpp"

namespace autograd::ops {

using CtcSamples = std::vector<kernels::CtcSample>;

struct CtcLoss {
  static constexpr OpInfo info{"ctc_loss", "-ln of the probability of the labels",
                               "-dy times the posterior of each class and step",
                               "no alignment: inf, gradient 0"};
  static std::vector<OpCase> cases();
  std::shared_ptr<const CtcSamples> samples;

  Saves saved() const { return Saves::inputs; }
  Tensor forward(const Tensor& log_probs) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};

}  // namespace autograd::ops
