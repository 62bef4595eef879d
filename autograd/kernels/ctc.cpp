// SPDX-License-Identifier: Apache-2.0
#include "ctc.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace autograd::kernels {

namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();

double log_sum(double a, double b, double c) {
  const double top = std::max({a, b, c});
  if (top == kNever) return kNever;
  return top + std::log(std::exp(a - top) + std::exp(b - top) + std::exp(c - top));
}

// alpha[t][s]: ln of the probability of all ways to be in state s at step t, that step included.
template <class T>
std::vector<double> forward(const CtcSample& sample, const T* log_probs, std::size_t stride) {
  const std::size_t n = sample.states.size();
  std::vector<double> alpha(sample.steps * n, kNever);
  for (std::size_t t = 0; t < sample.steps; ++t) {
    double* now = alpha.data() + t * n;
    const double* before = now - n;
    for (std::size_t s = 0; s < n; ++s) {
      double from = s < 2 ? 0.0 : kNever;  // the first step: in one of the first two states
      if (t > 0) {
        from = log_sum(before[s], s > 0 ? before[s - 1] : kNever,
                       sample.may_skip(s) ? before[s - 2] : kNever);
      }
      now[s] = from + static_cast<double>(
                          log_probs[t * stride + static_cast<std::size_t>(sample.states[s])]);
    }
  }
  return alpha;
}

double total(const CtcSample& sample, const std::vector<double>& alpha) {
  const std::size_t n = sample.states.size();
  if (sample.steps == 0) return n == 1 ? 0.0 : kNever;
  const double* last = alpha.data() + (sample.steps - 1) * n;
  return log_sum(last[n - 1], n > 1 ? last[n - 2] : kNever, kNever);
}

}  // namespace

template <class T>
double ctc_loss(const CtcSample& sample, const T* log_probs, std::size_t stride) {
  return -total(sample, forward(sample, log_probs, stride));
}

template <class T>
void ctc_gradient(const CtcSample& sample, const T* log_probs, std::size_t stride, double dy,
                  T* dx) {
  const std::size_t n = sample.states.size();
  const std::vector<double> alpha = forward(sample, log_probs, stride);
  const double all = total(sample, alpha);
  if (all == kNever || dy == 0) return;
  // beta[s]: ln of the probability of finishing from state s, step t excluded; next adds step t + 1.
  std::vector<double> beta(n, kNever), next(n);
  beta[n - 1] = 0;
  if (n > 1) beta[n - 2] = 0;
  for (std::size_t t = sample.steps; t-- > 0;) {
    const T* probs = log_probs + t * stride;
    for (std::size_t s = 0; s < n; ++s) {
      const auto c = static_cast<std::size_t>(sample.states[s]);
      dx[t * stride + c] -= static_cast<T>(dy * std::exp(alpha[t * n + s] + beta[s] - all));
      next[s] = beta[s] + static_cast<double>(probs[c]);
    }
    for (std::size_t s = 0; s < n; ++s) {
      beta[s] = log_sum(next[s], s + 1 < n ? next[s + 1] : kNever,
                        s + 2 < n && sample.may_skip(s + 2) ? next[s + 2] : kNever);
    }
  }
}

template double ctc_loss(const CtcSample&, const float*, std::size_t);
template double ctc_loss(const CtcSample&, const double*, std::size_t);
template void ctc_gradient(const CtcSample&, const float*, std::size_t, double, float*);
template void ctc_gradient(const CtcSample&, const double*, std::size_t, double, double*);

}  // namespace autograd::kernels
