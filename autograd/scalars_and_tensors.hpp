// SPDX-License-Identifier: Apache-2.0
// Between the two worlds of a tape: scalars stack into a tensor, a tensor comes apart into scalars.
#pragma once

#include <initializer_list>
#include <span>
#include <vector>

#include "tensor.hpp"
#include "var.hpp"

namespace autograd {

/// A float64 tensor of shape [n] of the values; differentiable. Throws TapeError for a value of
/// another tape.
Tensor stack(std::span<const Var> values);
Tensor stack(std::initializer_list<Var> values);
/// The elements of a tensor of shape [n] as scalars; differentiable. Scalars belong to the innermost
/// tape alone, so it throws TapeError for a tensor that an outer tape tracks.
std::vector<Var> unstack(const Tensor& x);

}  // namespace autograd
