// SPDX-License-Identifier: Apache-2.0
#include "normalize.hpp"

#include <cmath>

#include "../create.hpp"
#include "../network.hpp"

namespace autograd::ops {

namespace {

using kernels::NormKind;
using Inputs = std::vector<Tensor>;

std::int64_t extent(std::size_t n) { return static_cast<std::int64_t>(n); }

const double* values(const Tensor& x) { return data<double>(x); }

}  // namespace

void set_scale(Statistics& statistics, double eps) {
  statistics.scale = make(statistics.variance.shape(), float64);
  for (std::size_t i = 0; i < count(statistics.scale); ++i) {
    data<double>(statistics.scale)[i] = 1.0 / std::sqrt(values(statistics.variance)[i] + eps);
  }
}

Statistics make_statistics(const kernels::NormShape& s) {
  const std::int64_t n = extent(s.rows());
  return {make_vector(n, float64), make_vector(n, float64), make_vector(n, float64)};
}

Tensor Normalize::forward(const Tensor& x, const Tensor& weight, const Tensor& bias) const {
  Tensor y = make(x.shape(), x.dtype());
  const Dense source(x), w(weight), b(bias);
  const auto numbers = [](const Tensor& t) { return static_cast<double*>(t.node()->data); };
  dispatch_floating(info.name, x.dtype(), [&]<class T>(T) {
    if (kind == NormKind::fixed) {
      kernels::norm_forward<T>(s, source.data<T>(), values(statistics.mean),
                               values(statistics.scale), w.data<T>(), b.data<T>(), data<T>(y));
    } else {
      kernels::norm_standardize<T>(
          s, kind == NormKind::centered, eps, source.data<T>(), w.data<T>(), b.data<T>(),
          {numbers(statistics.mean), numbers(statistics.variance), numbers(statistics.scale)},
          data<T>(y));
    }
  });
  return y;
}

Shape Normalize::split() const {
  return {extent(s.outer), extent(s.samples), extent(s.groups), extent(s.features),
          extent(s.inner)};
}

void Normalize::backward_kernels(const Saved<3>& saved, const Tensor& dy, Gradients<3>& dx) const {
  const Dense x(saved.in[0]), weight(saved.in[1]), g(dy);
  const DType dtype = dy.dtype();
  Tensor to_x = dx.wants(0) ? make(dy.shape(), dtype) : Tensor();
  Tensor to_weight = dx.wants(1) ? make(weight_shape, dtype) : Tensor();
  Tensor to_bias = dx.wants(2) ? make(weight_shape, dtype) : Tensor();
  dispatch_floating(info.name, dtype, [&]<class T>(T) {
    const kernels::NormGradients<T> gradients = {
        to_x.defined() ? data<T>(to_x) : nullptr,
        to_weight.defined() ? data<T>(to_weight) : nullptr,
        to_bias.defined() ? data<T>(to_bias) : nullptr,
    };
    kernels::norm_backward<T>(s, kind, x.data<T>(), values(statistics.mean),
                              values(statistics.scale), weight.data<T>(), g.data<T>(), gradients);
  });
  if (to_x.defined()) dx.set(0, std::move(to_x));
  if (to_weight.defined()) dx.set(1, std::move(to_weight));
  if (to_bias.defined()) dx.set(2, std::move(to_bias));
}

void Normalize::backward(const Saved<3>& saved, const Tensor& dy, Gradients<3>& dx) const {
  if (!dx.recorded()) return backward_kernels(saved, dy, dx);
  // The statistics once more, as recorded functions of x. Axes: outer, samples, groups, features, inner.
  const Tensor x = reshape(saved.in[0], split()), g = reshape(dy, split());
  const Shape row = {1, extent(s.samples), extent(s.groups), 1, 1};
  const auto mean_of = [](const Tensor& t) { return mean(t, {0, 3, 4}, {.keepdim = true}); };
  Tensor centered = x, scale;
  if (kind == NormKind::fixed) {
    centered = x - reshape(to(statistics.mean, x.dtype()), row);
    scale = reshape(to(statistics.scale, x.dtype()), row);
  } else {
    if (kind == NormKind::centered) centered = x - mean_of(x);
    scale = 1.0 / sqrt(mean_of(square(centered)) + eps);
  }
  const Tensor u = centered * scale;
  if (dx.wants(0)) {
    const Shape weights = {extent(s.groups), extent(s.features), 1};
    const Tensor slope = g * reshape(saved.in[1], weights);
    Tensor rest = slope;
    if (kind != NormKind::fixed) rest = rest - u * mean_of(slope * u);
    if (kind == NormKind::centered) rest = rest - mean_of(slope);
    dx.set(0, reshape(scale * rest, dy.shape()));
  }
  if (dx.wants(1)) dx.set(1, reshape(sum(g * u, {0, 1, 4}), weight_shape));
  if (dx.wants(2)) dx.set(2, reshape(sum(g, {0, 1, 4}), weight_shape));
}

std::vector<OpCase> Normalize::cases() {
  return {
      {"batch in training",
       {{3, 2, 4}, {2}, {2}},
       [](const Inputs& in) {
         return batch_norm(in[0], {}, {}, in[1], in[2], {.training = true});
       }},
      {"batch, running statistics",
       {{4, 2}, {2}, {2}},
       [](const Inputs& in) {
         return batch_norm(in[0], tensor({0.5, -1}, in[0].dtype()),
                           tensor({2.0, 0.25}, in[0].dtype()), in[1], in[2]);
       }},
      {"layer",
       {{2, 3, 2, 3}, {2, 3}, {2, 3}},
       [](const Inputs& in) {
         return layer_norm(in[0], {2, 3}, in[1], in[2]);
       }},
      {"layer, strided operand, no weight",
       {{5, 3}},
       [](const Inputs& in) { return layer_norm(transpose(in[0]), {5}, {}, {}, {.eps = 0.1}); }},
      {"groups",
       {{2, 4, 2, 2}, {4}, {4}},
       [](const Inputs& in) { return group_norm(in[0], 2, in[1], in[2]); }},
      {"instances",
       {{2, 3, 5}, {3}},
       [](const Inputs& in) { return instance_norm(in[0], {}, {}, in[1], {}); }},
      {"root mean square", {{4, 5}, {5}}, [](const Inputs& in) {
         return rms_norm(in[0], {5}, in[1], {.eps = 1e-3});
       }}};
}

}  // namespace autograd::ops
