// SPDX-License-Identifier: Apache-2.0
// Adam and AdamW: one loop, whose decay is either part of the gradient or not.
#include <algorithm>

#include "optim_loop.hpp"

namespace nn {

namespace {

/// The numbers of one step that depend on t only. With r = sqrt(1 - b2^t):
///   lr m' / (sqrt(v') + eps) = (lr r / (1 - b1^t)) m / (sqrt(v) + eps r),
/// one division an element instead of three.
struct AdamFactors {
  std::int64_t t = 0;
  double lr = 0, step = 0, eps = 0;

  void move_to(std::int64_t count, double rate, double beta1, const AdamOptions& options) {
    if (count == t && rate == lr) return;  // the same for most parameters
    const double r = std::sqrt(1 - std::pow(options.betas.second, static_cast<double>(count)));
    t = count;
    lr = rate;
    step = rate * r / (1 - std::pow(beta1, static_cast<double>(count)));
    eps = options.eps * r;
  }
};

struct AdamNumbers {
  double beta1, beta2, step, eps;
  double l2;      // added to the gradient times p
  double shrink;  // what decoupled decay leaves of p
  double sign;
};

/// top [n] is only used with amsgrad; known when compiled, or GCC does not vectorize.
template <bool kAmsgrad, class T>
void adam_update(T* __restrict p, const T* __restrict g, T* __restrict m, T* __restrict v,
                 T* __restrict top, std::size_t n, const AdamNumbers& numbers) {
  const T b1 = T(numbers.beta1), c1 = T(1 - numbers.beta1);
  const T b2 = T(numbers.beta2), c2 = T(1 - numbers.beta2);
  const T step = T(numbers.step), eps = T(numbers.eps);
  const T l2 = T(numbers.l2), shrink = T(numbers.shrink), sign = T(numbers.sign);
  for (std::size_t i = 0; i < n; ++i) {
    const T slope = sign * g[i] + l2 * p[i];
    m[i] = b1 * m[i] + c1 * slope;
    T spread = v[i] = b2 * v[i] + c2 * slope * slope;
    // A NaN stays one: nothing compares with it.
    if constexpr (kAmsgrad) spread = top[i] = spread < top[i] ? top[i] : spread;
    p[i] = shrink * p[i] - step * m[i] / (std::sqrt(spread) + eps);
  }
}

constexpr std::size_t kGrain = 1 << 15;  // elements that a thread is worth waking for
constexpr std::size_t kFirst = 0, kSecond = 1, kLargest = 2;

}  // namespace

/// What both classes do; a struct, so that neither derives from the other.
struct detail::AdamRule {
  static void start(Optimizer& self, const AdamOptions& options) {
    self.require_betas(options.betas, options.eps);
    self.use_momentum(options.betas.first, 1);
    self.count_steps();
    self.add_slot("exp_avg");
    self.add_slot("exp_avg_sq", Optimizer::SlotKind::squares);
    if (options.amsgrad) self.add_slot("max_exp_avg_sq", Optimizer::SlotKind::squares);
  }

  static void step(Optimizer& self, const AdamOptions& options, const char* changed_by,
                   bool decoupled) {
    AdamFactors factors;
    const double beta1 = self.momentum_;
    self.for_gradients(changed_by, [&]<class T>(const Optimizer::Group& group, std::size_t i, T* p,
                                                const T* g, std::size_t n) {
      T *m = self.state<T>(kFirst, i), *v = self.state<T>(kSecond, i);
      factors.move_to(++self.steps_[i], group.lr, beta1, options);
      const double decay = group.weight_decay;
      const AdamNumbers numbers{beta1,
                                options.betas.second,
                                factors.step,
                                factors.eps,
                                decoupled ? 0 : decay,
                                decoupled ? 1 - group.lr * decay : 1,
                                options.maximize ? -1.0 : 1.0};
      T* top = options.amsgrad ? self.state<T>(kLargest, i) : nullptr;
      autograd::parallel_for(n, kGrain, [&](std::size_t begin, std::size_t end) {
        if (top) {
          adam_update<true>(p + begin, g + begin, m + begin, v + begin, top + begin, end - begin,
                            numbers);
        } else {
          adam_update<false, T>(p + begin, g + begin, m + begin, v + begin, nullptr, end - begin,
                                numbers);
        }
      });
    });
  }
};

Adam::Adam(std::vector<Tensor> parameters, AdamOptions options)
    : Optimizer("Adam", std::move(parameters), options.lr, options.weight_decay),
      options_(options) {
  detail::AdamRule::start(*this, options_);
}

void Adam::step() { detail::AdamRule::step(*this, options_, "Adam.step", false); }

AdamW::AdamW(std::vector<Tensor> parameters, AdamWOptions o)
    : Optimizer("AdamW", std::move(parameters), o.lr, o.weight_decay),
      options_{o.lr, o.betas, o.eps, o.weight_decay, o.amsgrad, o.maximize} {
  detail::AdamRule::start(*this, options_);
}

void AdamW::step() { detail::AdamRule::step(*this, options_, "AdamW.step", true); }

}  // namespace nn
