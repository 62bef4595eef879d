// SPDX-License-Identifier: Apache-2.0
// Two passes over the gradients, largest magnitude and sum of powers, both in float64.
#include "clip.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

namespace nn {

using autograd::ValueError;

namespace {

/// The largest magnitude; NaN when there is one.
template <class T> double largest(std::span<const T> g, double so_far) {
  for (const T value : g) {
    const double magnitude = std::abs(static_cast<double>(value));
    if (!(magnitude <= so_far)) so_far = magnitude;  // takes NaN, and ...
    if (std::isnan(so_far)) return so_far;           // ... keeps it
  }
  return so_far;
}

/// sum(|g / unit|^p)
template <class T> double power_sum(std::span<const T> g, double unit, double p) {
  double total = 0;
  for (const T value : g) {
    const double ratio = static_cast<double>(value) / unit;
    total += p == 2.0 ? ratio * ratio : std::pow(std::abs(ratio), p);
  }
  return total;
}

// In units of the largest magnitude neither the powers nor their sum overflow or vanish.
double norm_of(const std::vector<Tensor>& gradients, double p) {
  double unit = 0, total = 0;
  for (const Tensor& g : gradients) {
    autograd::dispatch_floating("clip_grad_norm_", g.dtype(),
                                [&]<class T>(T) { unit = largest(g.data<T>(), unit); });
    if (std::isnan(unit)) return unit;
  }
  if (unit == 0 || std::isinf(unit) || std::isinf(p)) return unit;
  for (const Tensor& g : gradients) {
    autograd::dispatch_floating("clip_grad_norm_", g.dtype(),
                                [&]<class T>(T) { total += power_sum(g.data<T>(), unit, p); });
  }
  return unit * (p == 2.0 ? std::sqrt(total) : std::pow(total, 1.0 / p));
}

}  // namespace

double clip_grad_norm_(const std::vector<Tensor>& parameters, double max_norm,
                       ClipOptions options) {
  if (!(max_norm >= 0) || !(options.norm_type > 0)) {
    throw ValueError("clip_grad_norm_: invalid option: max_norm is " + std::to_string(max_norm) +
                     ", norm_type is " + std::to_string(options.norm_type) +
                     "; need max_norm >= 0 and norm_type > 0");
  }
  std::vector<Tensor> owners, gradients;
  for (const Tensor& parameter : parameters) {
    if (!parameter.has_grad()) continue;
    owners.push_back(parameter);
    gradients.push_back(contiguous(detach(parameter.grad())));
  }
  const double norm = norm_of(gradients, options.norm_type);
  if (!std::isfinite(norm)) {
    if (!options.skip_nonfinite) {
      throw ValueError("clip_grad_norm_: gradients are not finite: their norm is " +
                       std::to_string(norm) +
                       "; need a finite norm (or {.skip_nonfinite = true} to skip the step)");
    }
    for (Tensor& parameter : owners) parameter.zero_grad();
    return norm;
  }
  const double scale = max_norm / (norm + 1e-6);
  if (scale >= 1) return norm;
  // New tensors and not in place: two parameters may share one gradient, and would be scaled twice.
  for (std::size_t i = 0; i < owners.size(); ++i) owners[i].set_grad(gradients[i] * scale);
  return norm;
}

void clip_grad_value_(const std::vector<Tensor>& parameters, double value) {
  if (!(value >= 0)) {
    throw ValueError("clip_grad_value_: invalid option: value is " + std::to_string(value) +
                     "; need value >= 0");
  }
  for (Tensor parameter : parameters) {
    // A new tensor, as above.
    if (parameter.has_grad()) parameter.set_grad(clamp(detach(parameter.grad()), -value, value));
  }
}

}  // namespace nn
