// SPDX-License-Identifier: Apache-2.0
// Random tensors beyond rand, randn and randint (create.hpp): all draw from a Generator, and without one
// from the thread's default, so that manual_seed repeats them. Draws are numbers of a counter-based stream
// and depend on no thread. What is drawn is not differentiable, except where said.
#pragma once

#include <cstdint>

#include "create.hpp"
#include "generator.hpp"
#include "tensor.hpp"

namespace autograd {

Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape);
/// Of x's shape and dtype.
Tensor rand_like(const Tensor& x, Generator& generator = default_generator());
Tensor randn_like(const Tensor& x, Generator& generator = default_generator());
Tensor randint_like(const Tensor& x, std::int64_t low, std::int64_t high,
                    Generator& generator = default_generator());
/// 0, ..., n - 1 in random order; int64.
Tensor randperm(std::int64_t n, Generator& generator = default_generator());

/// 1 with probability p, else 0, each element by itself; p's shape and dtype. p gets no gradient.
/// Throws ValueError for a p outside [0, 1].
Tensor bernoulli(const Tensor& p, Generator& generator = default_generator());
Tensor bernoulli(double p, const Shape& shape, Generator& generator = default_generator());
/// Normal with these means and standard deviations, broadcast: mean + std * randn. Unlike PyTorch's it is
/// differentiable in both. Throws ValueError for a negative deviation.
Tensor normal(const Tensor& mean, const Tensor& std, Generator& generator = default_generator());
Tensor normal(double mean, double std, const Shape& shape,
              Generator& generator = default_generator());

struct MultinomialOptions {
  bool replacement = false;  ///< may draw a place more than once
};
/// `count` places drawn with probabilities proportional to the weights [n], or to each row of [m, n];
/// int64. Throws ValueError for weights that are negative, not finite or all 0, and, without replacement,
/// for fewer positive ones than `count`.
Tensor multinomial(const Tensor& weights, std::int64_t count, MultinomialOptions options = {},
                   Generator& generator = default_generator());

}  // namespace autograd
