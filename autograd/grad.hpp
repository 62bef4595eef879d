// SPDX-License-Identifier: Apache-2.0
// Functional derivatives: they return results and deposit nothing in any .grad. Called while a tape
// records, their results are recorded by it, so that derivatives of derivatives come out right.
#pragma once

#include <utility>
#include <vector>

#include "functions.hpp"
#include "tensor.hpp"

namespace autograd {

struct GradOptions {
  bool allow_unused = false;  ///< zeros for an input that f does not use, instead of throwing
};

/// The gradients of f, which returns one element, with respect to each input.
/// Throws TapeError for an input that f does not use, unless allow_unused.
std::vector<Tensor> grad(const TensorFunction& f, const std::vector<Tensor>& inputs,
                         GradOptions options = {});
/// f(inputs) and the gradients.
std::pair<Tensor, std::vector<Tensor>> value_and_grad(const TensorFunction& f,
                                                      const std::vector<Tensor>& inputs,
                                                      GradOptions options = {});
/// f(inputs), of any shape, and the vector-Jacobian products with `cotangent`, of that shape.
std::pair<Tensor, std::vector<Tensor>> vjp(const TensorFunction& f,
                                           const std::vector<Tensor>& inputs,
                                           const Tensor& cotangent, GradOptions options = {});

}  // namespace autograd
