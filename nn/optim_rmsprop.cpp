// SPDX-License-Identifier: Apache-2.0
// RMSprop, plain, centered, with momentum.
#include <algorithm>

#include "optim_loop.hpp"

namespace nn {

using detail::amount;

RMSprop::RMSprop(std::vector<Tensor> parameters, RMSpropOptions options)
    : Optimizer("RMSprop", std::move(parameters), options.lr, options.weight_decay),
      options_(options) {
  require(options.alpha >= 0 && options.alpha <= 1, "alpha", options.alpha, "0 <= alpha <= 1");
  require(amount(options.eps), "eps", options.eps, "a finite eps >= 0");
  require(amount(options.momentum), "momentum", options.momentum, "a finite momentum >= 0");
  add_slot("square_avg", SlotKind::squares);
  if (options.centered) add_slot("grad_avg");
  if (options.momentum > 0) {
    use_momentum(options.momentum);
    add_slot("momentum_buffer");
  }
}

namespace {

struct RMSpropNumbers {
  double lr, decay, momentum;
};

/// a [n] is only used when centered, b [n] with momentum mu; known when compiled, or GCC does not
/// vectorize.
template <bool kCentered, bool kMomentum, class T>
void rmsprop_update(T* __restrict p, const T* __restrict g, T* __restrict v, T* __restrict a,
                    T* __restrict b, std::size_t n, const RMSpropNumbers& numbers,
                    const RMSpropOptions& options) {
  const T alpha = T(options.alpha), fresh = T(1 - options.alpha), lr = T(numbers.lr);
  const T decay = T(numbers.decay), mu = T(numbers.momentum), sign = T(options.maximize ? -1 : 1);
  const T inside = T(options.eps_inside_sqrt ? options.eps : 0), outside = T(options.eps) - inside;
  for (std::size_t i = 0; i < n; ++i) {
    const T slope = sign * g[i] + decay * p[i];
    v[i] = alpha * v[i] + fresh * slope * slope;
    T spread = v[i];
    if constexpr (kCentered) {
      a[i] = alpha * a[i] + fresh * slope;
      // Never negative but for rounding, which for a constant gradient would give NaN.
      spread = std::max(spread - a[i] * a[i], T(0));
    }
    T move = slope / (std::sqrt(spread + inside) + outside);
    if constexpr (kMomentum) move = b[i] = mu * b[i] + move;
    p[i] -= lr * move;
  }
}

}  // namespace

void RMSprop::step() {
  for_gradients("RMSprop.step", [this]<class T>(const Group& group, std::size_t i, T* p, const T* g,
                                                std::size_t n) {
    const bool centered = options_.centered, moves = has_momentum();
    T* v = state<T>(0, i);
    T* a = centered ? state<T>(1, i) : nullptr;
    T* b = moves ? state<T>(centered ? 2 : 1, i) : nullptr;
    const RMSpropNumbers numbers{group.lr, group.weight_decay, momentum_};
    if (centered) {
      moves ? rmsprop_update<true, true>(p, g, v, a, b, n, numbers, options_)
            : rmsprop_update<true, false>(p, g, v, a, b, n, numbers, options_);
    } else {
      moves ? rmsprop_update<false, true>(p, g, v, a, b, n, numbers, options_)
            : rmsprop_update<false, false>(p, g, v, a, b, n, numbers, options_);
    }
  });
}

}  // namespace nn
