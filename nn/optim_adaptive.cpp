// SPDX-License-Identifier: Apache-2.0
// The loops of optim_adaptive.hpp. What depends on the step's number alone is computed in float64 before
// each loop and folded into as few factors as it takes.
#include "optim_adaptive.hpp"

#include <algorithm>

#include "optim_loop.hpp"

namespace nn {

using detail::amount;

namespace {

constexpr std::size_t kFirst = 0, kSecond = 1, kProduct = 2;

struct Betas {
  double b1, b2;
};

}  // namespace

// --- NAdam.

NAdam::NAdam(std::vector<Tensor> parameters, NAdamOptions options)
    : Optimizer("NAdam", std::move(parameters), options.lr, options.weight_decay),
      options_(options) {
  require_betas(options.betas, options.eps);
  require(amount(options.momentum_decay), "momentum_decay", options.momentum_decay,
          "a finite momentum_decay >= 0");
  use_momentum(options.betas.first, 1);
  count_steps();
  add_slot("exp_avg");
  add_slot("exp_avg_sq", SlotKind::squares);
  add_slot("mu_product", SlotKind::scalar);
}

namespace {

/// p -= (take g + keep m) / (sqrt(v) + eps), the bias correction of v being part of all three.
template <class T>
void nadam_update(T* __restrict p, const T* __restrict g, T* __restrict m, T* __restrict v,
                  std::size_t n, Betas betas, T take, T keep, T eps, T decay) {
  const T b1 = T(betas.b1), c1 = T(1 - betas.b1), b2 = T(betas.b2), c2 = T(1 - betas.b2);
  for (std::size_t i = 0; i < n; ++i) {
    const T slope = g[i] + decay * p[i];
    m[i] = b1 * m[i] + c1 * slope;
    v[i] = b2 * v[i] + c2 * slope * slope;
    p[i] -= (take * slope + keep * m[i]) / (std::sqrt(v[i]) + eps);
  }
}

}  // namespace

void NAdam::step() {
  const Betas betas{momentum_, options_.betas.second};
  for_gradients("NAdam.step",
                [&]<class T>(const Group& group, std::size_t i, T* p, const T* g, std::size_t n) {
                  T *m = state<T>(kFirst, i), *v = state<T>(kSecond, i);
                  const bool first = !slots_[kProduct].tensors[i].defined();
                  double& product = *state<double>(kProduct, i);
                  if (first) product = 1;
                  const double t = static_cast<double>(++steps_[i]);
                  const auto mu_at = [&](double count) {
                    return betas.b1 * (1 - 0.5 * std::pow(0.96, count * options_.momentum_decay));
                  };
                  const double mu = mu_at(t), next = mu_at(t + 1);
                  product *= mu;
                  // m / (sqrt(v / c) + eps) = sqrt(c) m / (sqrt(v) + sqrt(c) eps)
                  const double root = std::sqrt(1 - std::pow(betas.b2, t));
                  const double take = root * group.lr * (1 - mu) / (1 - product);
                  const double keep = root * group.lr * next / (1 - product * mu * next);
                  nadam_update(p, g, m, v, n, betas, T(take), T(keep), T(root * options_.eps),
                               T(group.weight_decay));
                });
}

// --- RAdam.

RAdam::RAdam(std::vector<Tensor> parameters, RAdamOptions options)
    : Optimizer("RAdam", std::move(parameters), options.lr, options.weight_decay),
      options_(options) {
  require_betas(options.betas, options.eps);
  use_momentum(options.betas.first, 1);
  count_steps();
  add_slot("exp_avg");
  add_slot("exp_avg_sq", SlotKind::squares);
}

namespace {

/// p -= step m, over (sqrt(v) + eps) where v is known well enough.
template <bool kRectified, class T>
void radam_update(T* __restrict p, const T* __restrict g, T* __restrict m, T* __restrict v,
                  std::size_t n, Betas betas, T step, T eps, T decay) {
  const T b1 = T(betas.b1), c1 = T(1 - betas.b1), b2 = T(betas.b2), c2 = T(1 - betas.b2);
  for (std::size_t i = 0; i < n; ++i) {
    const T slope = g[i] + decay * p[i];
    m[i] = b1 * m[i] + c1 * slope;
    v[i] = b2 * v[i] + c2 * slope * slope;
    if constexpr (kRectified) {
      p[i] -= step * m[i] / (std::sqrt(v[i]) + eps);
    } else {
      p[i] -= step * m[i];
    }
  }
}

}  // namespace

void RAdam::step() {
  const Betas betas{momentum_, options_.betas.second};
  const double limit = 2 / (1 - betas.b2) - 1;  // of rho
  for_gradients("RAdam.step", [&]<class T>(const Group& group, std::size_t i, T* p, const T* g,
                                           std::size_t n) {
    T *m = state<T>(kFirst, i), *v = state<T>(kSecond, i);
    const double t = static_cast<double>(++steps_[i]), power = std::pow(betas.b2, t);
    const double rho = limit - 2 * t * power / (1 - power);
    const double step = group.lr / (1 - std::pow(betas.b1, t));
    const T eps = T(options_.eps), decay = T(group.weight_decay);
    if (rho > 5) {
      const double rectification =
          std::sqrt((rho - 4) * (rho - 2) * limit / ((limit - 4) * (limit - 2) * rho));
      radam_update<true>(p, g, m, v, n, betas, T(step * rectification * std::sqrt(1 - power)), eps,
                         decay);
    } else {
      radam_update<false>(p, g, m, v, n, betas, T(step), eps, decay);
    }
  });
}

// --- Adagrad.

Adagrad::Adagrad(std::vector<Tensor> parameters, AdagradOptions options)
    : Optimizer("Adagrad", std::move(parameters), options.lr, options.weight_decay),
      options_(options) {
  require(amount(options.lr_decay), "lr_decay", options.lr_decay, "a finite lr_decay >= 0");
  require(amount(options.initial_accumulator_value), "initial_accumulator_value",
          options.initial_accumulator_value, "a finite value >= 0");
  require(amount(options.eps), "eps", options.eps, "a finite eps >= 0");
  count_steps();
  add_slot("sum", SlotKind::squares);
}

namespace {

template <class T>
void adagrad_update(T* __restrict p, const T* __restrict g, T* __restrict s, std::size_t n, T lr,
                    T eps, T decay, T sign) {
  for (std::size_t i = 0; i < n; ++i) {
    const T slope = sign * g[i] + decay * p[i];
    s[i] += slope * slope;
    p[i] -= lr * slope / (std::sqrt(s[i]) + eps);
  }
}

}  // namespace

void Adagrad::step() {
  for_gradients("Adagrad.step", [&]<class T>(const Group& group, std::size_t i, T* p, const T* g,
                                             std::size_t n) {
    const bool first = !slots_[0].tensors[i].defined();
    T* s = state<T>(0, i);
    if (first) std::fill_n(s, n, T(options_.initial_accumulator_value));
    const double before = static_cast<double>(steps_[i]++);
    const T lr = T(group.lr / (1 + before * options_.lr_decay)), eps = T(options_.eps);
    const T decay = T(group.weight_decay), sign = T(options_.maximize ? -1 : 1);
    // Where the gradient is zero nothing moves then.
    if (decay != 0 || eps == 0) return adagrad_update(p, g, s, n, lr, eps, decay, sign);
    detail::for_used_rows(
        parameters_[i].node()->grad, n, [=](std::size_t begin, std::size_t count) {
          adagrad_update(p + begin, g + begin, s + begin, count, lr, eps, decay, sign);
        });
  });
}

// --- Adadelta.

Adadelta::Adadelta(std::vector<Tensor> parameters, AdadeltaOptions options)
    : Optimizer("Adadelta", std::move(parameters), options.lr, options.weight_decay),
      options_(options) {
  require(options.rho >= 0 && options.rho <= 1, "rho", options.rho, "0 <= rho <= 1");
  require(amount(options.eps), "eps", options.eps, "a finite eps >= 0");
  add_slot("square_avg", SlotKind::squares);
  add_slot("acc_delta", SlotKind::squares);
}

namespace {

template <class T>
void adadelta_update(T* __restrict p, const T* __restrict g, T* __restrict v, T* __restrict u,
                     std::size_t n, T lr, T rho, T fresh, T eps, T decay, T sign) {
  for (std::size_t i = 0; i < n; ++i) {
    const T slope = sign * g[i] + decay * p[i];
    v[i] = rho * v[i] + fresh * slope * slope;
    const T move = std::sqrt(u[i] + eps) / std::sqrt(v[i] + eps) * slope;
    u[i] = rho * u[i] + fresh * move * move;
    p[i] -= lr * move;
  }
}

}  // namespace

void Adadelta::step() {
  for_gradients("Adadelta.step",
                [&]<class T>(const Group& group, std::size_t i, T* p, const T* g, std::size_t n) {
                  adadelta_update(p, g, state<T>(kFirst, i), state<T>(kSecond, i), n, T(group.lr),
                                  T(options_.rho), T(1 - options_.rho), T(options_.eps),
                                  T(group.weight_decay), T(options_.maximize ? -1 : 1));
                });
}

// --- Lion.

Lion::Lion(std::vector<Tensor> parameters, LionOptions options)
    : Optimizer("Lion", std::move(parameters), options.lr, options.weight_decay),
      options_(options) {
  require_betas(options.betas, 0);
  use_momentum(options.betas.first, 1);
  add_slot("exp_avg");
}

namespace {

template <class T>
void lion_update(T* __restrict p, const T* __restrict g, T* __restrict m, std::size_t n,
                 Betas betas, T lr, T shrink, T sign) {
  const T b1 = T(betas.b1), c1 = T(1 - betas.b1), b2 = T(betas.b2), c2 = T(1 - betas.b2);
  for (std::size_t i = 0; i < n; ++i) {
    const T slope = sign * g[i], c = b1 * m[i] + c1 * slope;
    // Zero and NaN are their own signs.
    const T direction = c > 0 ? T(1) : c < 0 ? T(-1) : c;
    p[i] = shrink * p[i] - lr * direction;
    m[i] = b2 * m[i] + c2 * slope;
  }
}

}  // namespace

void Lion::step() {
  const Betas betas{momentum_, options_.betas.second};
  for_gradients("Lion.step",
                [&]<class T>(const Group& group, std::size_t i, T* p, const T* g, std::size_t n) {
                  lion_update(p, g, state<T>(0, i), n, betas, T(group.lr),
                              T(1 - group.lr * group.weight_decay), T(options_.maximize ? -1 : 1));
                });
}

}  // namespace nn
