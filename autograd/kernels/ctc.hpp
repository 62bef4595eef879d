// SPDX-License-Identifier: Apache-2.0
// Connectionist temporal classification of one sample (Graves, Fernandez, Gomez, Schmidhuber 2006) in
// log space and double. States s of the sample: blank, label 1, blank, label 2, ..., blank.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace autograd::kernels {

struct CtcSample {
  std::size_t steps = 0;
  std::vector<std::int64_t> states;  // classes: blank, label, blank, ...

  /// True when state s may follow state s - 2: it is a label, and not that one again.
  bool may_skip(std::size_t s) const { return s % 2 == 1 && s >= 3 && states[s] != states[s - 2]; }
};

/// -ln of the probability of the sample's labels; inf where there is no alignment. log_probs of step t
/// begin at t * stride.
template <class T> double ctc_loss(const CtcSample& sample, const T* log_probs, std::size_t stride);
/// dx -= dy times the probability of being in a state of that class at that step.
template <class T>
void ctc_gradient(const CtcSample& sample, const T* log_probs, std::size_t stride, double dy,
                  T* dx);

}  // namespace autograd::kernels
