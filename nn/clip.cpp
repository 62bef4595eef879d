// SPDX-License-Identifier: Apache-2.0
// Two passes over the gradients, largest magnitude and sum of powers, both in float64; one pass for the
// usual case, the 2-norm of float32.
#include "clip.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <string>

namespace nn {

using autograd::ValueError;

namespace {

/// sum(g^2) of float32, whose squares float64 holds without overflow or underflow. Pieces have partial sums
/// of their own, so that threads change no bit.
double square_sum(std::span<const float> g) {
  constexpr std::size_t kPiece = 1 << 15;
  std::vector<double> parts((g.size() + kPiece - 1) / kPiece);
  autograd::parallel_for(parts.size(), 2, [&](std::size_t begin, std::size_t end) {
    for (std::size_t part = begin; part < end; ++part) {
      const std::span<const float> piece =
          g.subspan(part * kPiece, std::min(kPiece, g.size() - part * kPiece));
      std::array<double, 8> sums{};  // a vector's worth, or each addition waits for the last
      std::size_t i = 0;
      for (; i + 8 <= piece.size(); i += 8) {
        for (std::size_t j = 0; j < 8; ++j) sums[j] += double{piece[i + j]} * piece[i + j];
      }
      for (; i < piece.size(); ++i) sums[0] += double{piece[i]} * piece[i];
      parts[part] = std::accumulate(sums.begin(), sums.end(), 0.0);
    }
  });
  return std::accumulate(parts.begin(), parts.end(), 0.0);
}

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

bool all_float32(const std::vector<Tensor>& tensors) {
  return std::all_of(tensors.begin(), tensors.end(),
                     [](const Tensor& t) { return t.dtype() == autograd::float32; });
}

// In units of the largest magnitude neither the powers nor their sum overflow or vanish.
double norm_of(const std::vector<Tensor>& gradients, double p) {
  double unit = 0, total = 0;
  if (p == 2.0 && all_float32(gradients)) {
    for (const Tensor& g : gradients) total += square_sum(g.data<float>());
    return std::sqrt(total);
  }
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
    throw ValueError("clip_grad_norm_: invalid option: max_norm is " +
                     autograd::detail::text(max_norm) + ", norm_type is " +
                     autograd::detail::text(options.norm_type) +
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
                       autograd::detail::text(norm) +
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
    throw ValueError("clip_grad_value_: invalid option: value is " + autograd::detail::text(value) +
                     "; need value >= 0");
  }
  for (Tensor parameter : parameters) {
    // A new tensor, as above.
    if (parameter.has_grad()) parameter.set_grad(clamp(detach(parameter.grad()), -value, value));
  }
}

}  // namespace nn
