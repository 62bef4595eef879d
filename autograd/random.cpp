// SPDX-License-Identifier: Apache-2.0
#include "random.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "functions.hpp"
#include "text.hpp"

namespace autograd {

namespace {

template <class T> T* elements(const Tensor& x) {
  if (detail::is_batched(x.node())) detail::throw_batched();
  return static_cast<T*>(x.node()->data);
}

// Uniform below `range`: off by at most range / 2^64 of a value's share.
std::uint64_t below(std::uint64_t range, Generator& generator) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>((Wide{generator.next64()} * range) >> 64);
}

void check_weights(const double* weights, std::int64_t n, std::int64_t needed) {
  std::int64_t positive = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    if (!(weights[i] >= 0) || std::isinf(weights[i])) {
      throw ValueError("multinomial: weight out of range: " + detail::text(weights[i]) +
                       "; need at least 0 and finite");
    }
    positive += weights[i] > 0;
  }
  if (positive < needed) {
    throw ValueError("multinomial: too few places to draw: " + std::to_string(positive) +
                     " of positive weight; need at least " + std::to_string(needed));
  }
}

void draw_replacing(const double* weights, std::int64_t n, std::int64_t count, std::int64_t* to,
                    Generator& generator) {
  std::vector<double> sums(static_cast<std::size_t>(n));
  std::partial_sum(weights, weights + n, sums.begin());
  for (std::int64_t k = 0; k < count; ++k) {
    // upper_bound: a place of weight 0 has the sum of the one before it and is never met.
    const double u = generator.uniform() * sums.back();
    to[k] = std::min(std::upper_bound(sums.begin(), sums.end(), u) - sums.begin(),
                     std::lower_bound(sums.begin(), sums.end(), sums.back()) - sums.begin());
  }
}

// The count smallest of -ln(u) / weight (Efraimidis and Spirakis: Weighted random sampling with a
// reservoir, IPL 2006), in that order: the same as drawing one after the other.
void draw_distinct(const double* weights, std::int64_t n, std::int64_t count, std::int64_t* to,
                   Generator& generator) {
  std::vector<std::pair<double, std::int64_t>> keys;
  for (std::int64_t i = 0; i < n; ++i) {
    const double u = 1.0 - generator.uniform();  // in (0, 1]
    if (weights[i] > 0) keys.emplace_back(-std::log(u) / weights[i], i);
  }
  std::partial_sort(keys.begin(), keys.begin() + count, keys.end());
  for (std::int64_t k = 0; k < count; ++k) to[k] = keys[static_cast<std::size_t>(k)].second;
}

}  // namespace

Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape) {
  return randint(low, high, shape, default_generator());
}
Tensor rand_like(const Tensor& x, Generator& generator) {
  return rand(x.shape(), generator, x.dtype());
}
Tensor randn_like(const Tensor& x, Generator& generator) {
  return randn(x.shape(), generator, x.dtype());
}
Tensor randint_like(const Tensor& x, std::int64_t low, std::int64_t high, Generator& generator) {
  return to(randint(low, high, x.shape(), generator), x.dtype());
}

Tensor randperm(std::int64_t n, Generator& generator) {
  Tensor y = arange(n, int64);
  std::int64_t* places = elements<std::int64_t>(y);
  for (std::int64_t i = n - 1; i > 0; --i) {  // Fisher and Yates
    std::swap(places[i], places[below(static_cast<std::uint64_t>(i) + 1, generator)]);
  }
  return y;
}

Tensor bernoulli(const Tensor& p, Generator& generator) {
  const Tensor chances = contiguous(detach(p));
  dispatch_floating("bernoulli", p.dtype(), [&]<class T>(T) {
    for (const T chance : chances.data<T>()) {
      if (chance >= 0 && chance <= 1) continue;
      throw ValueError("bernoulli: probability out of range: " + detail::text(chance) +
                       "; need at least 0 and at most 1");
    }
  });
  return to(rand(p.shape(), generator, float64) < to(chances, float64), p.dtype());
}
Tensor bernoulli(double p, const Shape& shape, Generator& generator) {
  return to(bernoulli(full(shape, p, float64), generator), float32);
}

Tensor normal(const Tensor& mean, const Tensor& std, Generator& generator) {
  const Shape shape = broadcast_shapes("normal", mean.shape(), std.shape());
  const DType dtype = promote(mean.dtype(), std.dtype());
  for (const double deviation : to_vector<double>(contiguous(to(detach(std), float64)))) {
    if (deviation >= 0) continue;
    throw ValueError("normal: standard deviation out of range: " + detail::text(deviation) +
                     "; need at least 0");
  }
  return mean + std * randn(shape, generator, dtype);
}
Tensor normal(double mean, double std, const Shape& shape, Generator& generator) {
  return normal(full({}, mean), full(shape, std), generator);
}

Tensor multinomial(const Tensor& weights, std::int64_t count, MultinomialOptions options,
                   Generator& generator) {
  if (weights.dim() != 1 && weights.dim() != 2) {
    throw ShapeError("multinomial: wrong number of axes: weights are " +
                     to_string(weights.shape()) + "; need [n] or [m, n]");
  }
  if (count < 1) {
    throw ValueError("multinomial: number of draws out of range: " + std::to_string(count) +
                     "; need at least 1");
  }
  const Tensor source = contiguous(to(detach(weights), float64));
  const std::int64_t n = weights.shape().back();
  const std::int64_t rows = weights.dim() == 2 ? weights.shape()[0] : 1;
  for (std::int64_t i = 0; i < rows; ++i) {
    check_weights(elements<double>(source) + i * n, n, options.replacement ? 1 : count);
  }
  Tensor y = empty(weights.dim() == 2 ? Shape{rows, count} : Shape{count}, int64);
  for (std::int64_t i = 0; i < rows; ++i) {
    const auto draw = options.replacement ? draw_replacing : draw_distinct;
    draw(elements<double>(source) + i * n, n, count, elements<std::int64_t>(y) + i * count,
         generator);
  }
  return y;
}

}  // namespace autograd
