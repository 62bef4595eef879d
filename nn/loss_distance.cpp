// SPDX-License-Identifier: Apache-2.0
// Losses of numbers and of distributions: l1, smooth l1, Huber, Kullback-Leibler, Gaussian, Poisson.
#include <cmath>
#include <numbers>
#include <vector>

#include "loss_reduce.hpp"

namespace nn {

using autograd::Shape;
using detail::check_option;
using detail::check_shapes;
using detail::reduce;

Tensor l1_loss(const Tensor& prediction, const Tensor& target, LossOptions options) {
  check_shapes("l1_loss", "prediction", prediction, "target", target);
  return reduce(abs(prediction - target), options.reduction);
}

namespace {

/// d^2 / 2 near 0, and from |d| = bend on the tangent there. Of the side not taken where() lets nothing
/// through, so that an infinite d is fine.
Tensor bent(const Tensor& d, double bend) {
  const Tensor size = abs(d);
  return where(detach(size) < bend, 0.5 * square(d), bend * (size - 0.5 * bend));
}

}  // namespace

Tensor smooth_l1_loss(const Tensor& prediction, const Tensor& target, SmoothL1Options options) {
  check_shapes("smooth_l1_loss", "prediction", prediction, "target", target);
  const double beta = options.beta;
  check_option(beta >= 0, "smooth_l1_loss", "beta", beta, "beta >= 0");
  const Tensor d = prediction - target;
  return reduce(beta == 0 ? abs(d) : bent(d, beta) / beta, options.reduction);
}

Tensor huber_loss(const Tensor& prediction, const Tensor& target, HuberOptions options) {
  check_shapes("huber_loss", "prediction", prediction, "target", target);
  check_option(options.delta > 0, "huber_loss", "delta", options.delta, "delta > 0");
  return reduce(bent(prediction - target, options.delta), options.reduction);
}

Tensor kl_div_loss(const Tensor& log_probs, const Tensor& target, KlDivOptions options) {
  check_shapes("kl_div_loss", "log_probs", log_probs, "target", target);
  // chain(t, x) is t x, and 0 where t is 0 also for x = -inf.
  const Tensor losses = options.log_target ? chain(exp(target), target - log_probs)
                                           : xlogy(target, target) - chain(target, log_probs);
  switch (options.reduction) {
    case KlDivReduction::element_mean: return mean(losses);
    case KlDivReduction::sum: return sum(losses);
    case KlDivReduction::batch_mean:
      check_option(log_probs.dim() > 0, "kl_div_loss", "batch_mean", 0, "an axis of samples");
      return sum(losses) / static_cast<double>(log_probs.shape()[0]);
    default: return losses;
  }
}

namespace {

/// var with the prediction's number of axes, and not below eps; the gradient passes as if it were not.
Tensor usable_variance(const Tensor& prediction, const Tensor& var, double eps) {
  const Shape &x = prediction.shape(), &v = var.shape();
  Tensor y = var;
  if (v.dim() == x.dim() - 1) y = unsqueeze(var, -1);
  bool fits = y.dim() == x.dim();
  for (int i = 0; fits && i < x.dim(); ++i) {
    fits = y.shape()[i] == x[i] || (i == x.dim() - 1 && y.shape()[i] == 1);
  }
  if (!fits) {
    throw autograd::ShapeError("gaussian_nll_loss: var does not fit: prediction is " +
                               to_string(x) + ", var is " + to_string(v) +
                               "; need the same shape, or with last extent 1 or without it");
  }
  const Tensor plain = detach(y);
  const double least = plain.numel() > 0 ? min(plain).item() : 0;
  check_option(!(least < 0), "gaussian_nll_loss", "var", least, "var >= 0");
  if (!(least < eps)) return y;
  // Instead of y + (eps - y), which rounds: the value of the one, the gradient of the other.
  const Tensor low = plain < eps;
  return where(low, eps + (y - plain), y);
}

}  // namespace

Tensor gaussian_nll_loss(const Tensor& prediction, const Tensor& target, const Tensor& var,
                         GaussianNllOptions options) {
  check_shapes("gaussian_nll_loss", "prediction", prediction, "target", target);
  check_option(options.eps > 0, "gaussian_nll_loss", "eps", options.eps, "eps > 0");
  const Tensor variance = usable_variance(prediction, var, options.eps);
  Tensor losses = 0.5 * (log(variance) + squared_difference(prediction, target) / variance);
  if (options.full) losses = losses + 0.5 * std::log(2 * std::numbers::pi);
  return reduce(losses, options.reduction);
}

Tensor poisson_nll_loss(const Tensor& x, const Tensor& target, PoissonNllOptions options) {
  check_shapes("poisson_nll_loss", "x", x, "target", target);
  check_option(options.eps >= 0, "poisson_nll_loss", "eps", options.eps, "eps >= 0");
  Tensor losses = options.log_input ? exp(x) - target * x : x - xlogy(target, x + options.eps);
  if (options.full) {
    const Tensor stirling =
        target * log(target) - target + 0.5 * log(2 * std::numbers::pi * target);
    losses = losses + where(detach(target) > 1.0, stirling, 0.0);
  }
  return reduce(losses, options.reduction);
}

}  // namespace nn
