// SPDX-License-Identifier: Apache-2.0
// Gradient descent with momentum.
#include <algorithm>
#include <string>
#include <type_traits>

#include "optim_loop.hpp"

namespace nn {

using detail::amount;
using detail::elements;

SGD::SGD(std::vector<Tensor> parameters, SGDOptions options)
    : Optimizer("SGD", std::move(parameters), options.lr, options.weight_decay), options_(options) {
  require(amount(options.momentum), "momentum", options.momentum, "a finite momentum >= 0");
  require(std::isfinite(options.dampening), "dampening", options.dampening, "a finite dampening");
  if (options.nesterov && (options.momentum <= 0 || options.dampening != 0)) {
    throw autograd::ValueError("SGD: nesterov does not fit: momentum is " +
                               autograd::detail::text(options.momentum) + ", dampening is " +
                               autograd::detail::text(options.dampening) +
                               "; need momentum > 0 and dampening == 0");
  }
  if (options.momentum > 0) {
    use_momentum(options.momentum);
    add_slot("momentum_buffer");
  }
}

namespace {

// The arrays are arguments, because GCC honors __restrict only there.
template <class T>
void sgd_update(T* __restrict p, const T* __restrict g, std::size_t n, T lr, T decay) {
  if (decay == 0) {  // not 0 times p, which would be NaN for an infinite p
    for (std::size_t i = 0; i < n; ++i) p[i] -= lr * g[i];
  } else {
    for (std::size_t i = 0; i < n; ++i) p[i] -= lr * (g[i] + decay * p[i]);
  }
}

constexpr const char* kName = "SGD.step";

// The same for tiny tensors of at most four elements, all four read and written: a fixed number is a
// few instructions where a loop would take three times as long.
constexpr std::size_t kFew = 4;
bool few(const detail::Node* p) {
  using autograd::detail::Tiny;
  return (p->tiny == Tiny::four_floats || p->tiny == Tiny::four_doubles) && p->base == p;
}
template <bool kDecays, class T> inline void sgd_update_few(T* p, const T* g, T lr, T decay) {
  T result[kFew];
  for (std::size_t i = 0; i < kFew; ++i) {
    result[i] = p[i] - lr * (kDecays ? g[i] + decay * p[i] : g[i]);
  }
  std::copy_n(result, kFew, p);
}

template <class T>
void sgd_update(T* __restrict p, const T* __restrict g, T* __restrict b, std::size_t n, T lr,
                T decay, T mu, T take, T sign, bool nesterov) {
  for (std::size_t i = 0; i < n; ++i) {
    const T slope = sign * g[i] + decay * p[i];
    b[i] = mu * b[i] + take * slope;
    p[i] -= lr * (nesterov ? slope + mu * b[i] : b[i]);
  }
}

}  // namespace

template <class T>
void SGD::update(const Group& group, std::size_t i, T* p, const T* g, std::size_t n) {
  T lr = T(group.lr), decay = T(group.weight_decay);
  if (slots_.empty()) {
    // Up the gradient is -lr g; what decays still does: p - lr (decay p - g) = p + lr (g - decay p).
    if (options_.maximize) lr = -lr, decay = -decay;
    const detail::Node* node = parameters_[i].node();
    if (decay != 0) return sgd_update(p, g, n, lr, decay);
    return detail::for_used_rows(node->grad, n, [=](std::size_t begin, std::size_t count) {
      sgd_update(p + begin, g + begin, count, lr, T(0));
    });
  }
  // The first time b = g, without dampening: b is 0 then and its factor does not matter.
  const T take = slots_[0].tensors[i].defined() ? T(1 - options_.dampening) : T(1);
  sgd_update(p, g, state<T>(0, i), n, lr, decay, T(momentum_), take, T(options_.maximize ? -1 : 1),
             options_.nesterov);
}

// Plain descent on tiny parameters alone, where all else takes longer than the update; false when there are
// others.
bool SGD::step_few() {
  for (; known_few_ < parameters_.size(); ++known_few_) {
    if (!few(parameters_[known_few_].node())) return false;
  }
  for (const Tensor& each : parameters_) {
    const detail::Node *p = each.node(), *g = p->grad;
    if (g && !(g->tiny == p->tiny && g->numel == p->numel)) return false;
  }
  for (const Group& each : groups_) {
    double lr = each.lr, decay = each.weight_decay;
    if (options_.maximize) lr = -lr, decay = -decay;  // as in update
    const auto lr32 = static_cast<float>(lr), decay32 = static_cast<float>(decay);
    const Tensor *first = parameters_.data() + each.begin, *end = parameters_.data() + each.end;
    const auto update_all = [&]<bool kDecays>(std::bool_constant<kDecays>) {
      for (const Tensor* at = first; at != end; ++at) {
        detail::Node* p = at->node();
        const detail::Node* g = p->grad;
        if (!g) continue;
        if (p->dtype == autograd::float32) {
          sgd_update_few<kDecays>(elements<float>(p), elements<const float>(g), lr32, decay32);
        } else {
          sgd_update_few<kDecays>(elements<double>(p), elements<const double>(g), lr, decay);
        }
        autograd::detail::note_change(p, kName);
      }
    };
    decay == 0 ? update_all(std::false_type()) : update_all(std::true_type());
  }
  return true;
}

void SGD::step() {
  if (!slots_.empty() || !step_few()) step_many();
}

void SGD::step_many() {
  for_gradients(kName, [this]<class T>(const Group& group, std::size_t i, T* p, const T* g,
                                       std::size_t n) { update(group, i, p, g, n); });
}

}  // namespace nn
