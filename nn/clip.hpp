// SPDX-License-Identifier: Apache-2.0
// Gradient clipping: between backward and optimizer.step().
#pragma once

#include <vector>

#include <autograd/autograd.hpp>

namespace nn {

using autograd::Tensor;

struct ClipOptions {
  double norm_type = 2.0;  ///< p of the p-norm, > 0; infinity: the largest magnitude
  bool skip_nonfinite =
      false;  ///< drop all gradients, so that the step is skipped, and do not throw
};

/// Scales all gradients by min(1, max_norm / (norm + 1e-6)), norm being that of all of them taken as
/// one vector, and returns the norm before. Computed in float64 and without overflow. Parameters
/// without a gradient are left out. Throws ValueError for a norm that is NaN or infinite, because
/// scaling by it would destroy every gradient, unless skip_nonfinite; and for max_norm < 0 or NaN.
double clip_grad_norm_(const std::vector<Tensor>& parameters, double max_norm,
                       ClipOptions options = {});

/// Every element of every gradient into [-value, value]. A NaN stays one. Throws ValueError unless
/// value >= 0.
void clip_grad_value_(const std::vector<Tensor>& parameters, double value);

}  // namespace nn
