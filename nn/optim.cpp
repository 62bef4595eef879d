// SPDX-License-Identifier: Apache-2.0
// The updates are single plain loops over raw arrays, which the compiler vectorizes; everything they
// need is contiguous and of one dtype, which constructors and gradient_of see to. For tiny parameters
// the cost is the loop around them: no allocation and no virtual call per parameter, elements and
// gradients read straight from the node (data<T>() and grad() together took longer than the update).
#include "optim.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

namespace nn {

using autograd::ValueError;

namespace {

using Node = autograd::detail::Node;

template <class T> T* elements(const Node* node) { return static_cast<T*>(node->data); }
template <class T> T* elements(const Tensor& x) { return elements<T>(x.node()); }

/// A strided gradient copied to `holder`; throws for one that is not like the parameter.
__attribute__((noinline, cold)) const Node* unusual_gradient(const char* name, const Tensor& p,
                                                             Tensor& holder) {
  const Tensor g = p.grad();
  if (g.dtype() != p.dtype() || !(g.shape() == p.shape())) {
    throw autograd::ShapeError(std::string(name) + ".step: the gradient does not fit: it is " +
                               autograd::name(g.dtype()) + " " + to_string(g.shape()) +
                               "; need that of the parameter (" + autograd::name(p.dtype()) + " " +
                               to_string(p.shape()) + ")");
  }
  holder = contiguous(detach(g));
  return holder.node();
}

/// The gradient of p, which has one, contiguous; `holder` keeps a copy alive where one is needed.
inline const Node* gradient_of(const char* name, const Tensor& p, Tensor& holder) {
  const Node *node = p.node(), *g = node->grad;
  const bool plain = g->contiguous && g->dtype == node->dtype && g->numel == node->numel;
  return plain ? g : unusual_gradient(name, p, holder);
}

/// Zeros like p at the first call.
inline void start(Tensor& state, const Tensor& p) {
  if (!state.defined()) [[unlikely]]
    state = zeros_like(p);
}

bool fraction(double x) { return x >= 0 && x < 1; }
bool amount(double x) { return std::isfinite(x) && x >= 0; }

}  // namespace

Optimizer::Optimizer(const char* name, std::vector<Tensor> parameters, double lr)
    : name_(name), parameters_(std::move(parameters)) {
  const std::string front = std::string(name) + ": ";
  if (parameters_.empty()) {
    throw ValueError(front + "no parameters: the list is empty; need at least one tensor");
  }
  std::vector<const void*> seen;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Tensor& p = parameters_[i];
    const std::string which = "parameter " + std::to_string(i);
    if (!p.requires_grad()) {
      throw ValueError(front + "not a parameter: " + which + " " + to_string(p.shape()) +
                       " does not require gradients; need set_requires_grad()");
    }
    autograd::dispatch_floating(name, p.dtype(), [](auto) {});
    if (!p.is_contiguous()) {
      throw ValueError(front + "not contiguous: " + which + " " + to_string(p.shape()) +
                       " is a strided view; need contiguous(...) of it as the parameter");
    }
    seen.push_back(p.node());
  }
  std::sort(seen.begin(), seen.end());
  if (std::adjacent_find(seen.begin(), seen.end()) != seen.end()) {
    throw ValueError(front +
                     "a parameter is given twice: it would be updated twice; need each once");
  }
  set_lr(lr);
}

void Optimizer::set_lr(double lr) {
  require(amount(lr), "lr", lr, "a finite lr >= 0");
  lr_ = lr;
}

void Optimizer::zero_grad() {
  for (const Tensor& p : parameters_) {
    if (Node* g = std::exchange(p.node()->grad, nullptr)) autograd::detail::release(g);
  }
}

void Optimizer::require(bool ok, const char* option, double value, const char* need) const {
  if (ok) return;
  throw ValueError(std::string(name_) + ": " + option + " out of range: " + option + " is " +
                   std::to_string(value) + "; need " + need);
}

// --- SGD.

SGD::SGD(std::vector<Tensor> parameters, SGDOptions options)
    : Optimizer("SGD", std::move(parameters), options.lr), options_(options) {
  require(amount(options.momentum), "momentum", options.momentum, "a finite momentum >= 0");
  require(std::isfinite(options.dampening), "dampening", options.dampening, "a finite dampening");
  require(amount(options.weight_decay), "weight_decay", options.weight_decay,
          "a finite weight_decay >= 0");
  if (options.nesterov && (options.momentum <= 0 || options.dampening != 0)) {
    throw ValueError("SGD: nesterov does not fit: momentum is " + std::to_string(options.momentum) +
                     ", dampening is " + std::to_string(options.dampening) +
                     "; need momentum > 0 and dampening == 0");
  }
  if (options.momentum > 0) momentum_.resize(parameters_.size());
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

// The same for tiny tensors of at most four elements, all four read and written: a fixed number is a
// few instructions where a loop would take three times as long.
constexpr std::size_t kFew = 4;
bool few(const Node* p, const Node* g) {
  using autograd::detail::Tiny;
  return (p->tiny == Tiny::four_floats || p->tiny == Tiny::four_doubles) && p->tiny == g->tiny &&
         p->base == p;
}
template <class T> inline void sgd_update_few(T* p, const T* g, T lr, T decay) {
  T result[kFew];
  if (decay == 0) {
    for (std::size_t i = 0; i < kFew; ++i) result[i] = p[i] - lr * g[i];
  } else {
    for (std::size_t i = 0; i < kFew; ++i) result[i] = p[i] - lr * (g[i] + decay * p[i]);
  }
  std::copy_n(result, kFew, p);
}

template <class T>
void sgd_update(T* __restrict p, const T* __restrict g, T* __restrict b, std::size_t n, T lr,
                T decay, T mu, T take, bool nesterov) {
  for (std::size_t i = 0; i < n; ++i) {
    const T slope = g[i] + decay * p[i];
    b[i] = mu * b[i] + take * slope;
    p[i] -= lr * (nesterov ? slope + mu * b[i] : b[i]);
  }
}

}  // namespace

template <class T> void SGD::update(const Tensor& p, const Node* g, Tensor& momentum) const {
  const std::size_t n = static_cast<std::size_t>(p.node()->numel);
  const T lr = T(lr_), decay = T(options_.weight_decay);
  if (momentum_.empty()) {
    if (few(p.node(), g)) return sgd_update_few(elements<T>(p), elements<T>(g), lr, decay);
    return sgd_update(elements<T>(p), elements<T>(g), n, lr, decay);
  }
  // The first time b = g, without dampening: b is 0 then and its factor does not matter.
  const T take = momentum.defined() ? T(1 - options_.dampening) : T(1);
  start(momentum, p);
  sgd_update(elements<T>(p), elements<T>(g), elements<T>(momentum), n, lr, decay,
             T(options_.momentum), take, options_.nesterov);
}

void SGD::step() {
  Tensor none;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    Tensor& p = parameters_[i];
    if (!p.node()->grad) continue;
    Tensor holder;
    const Node* g = gradient_of("SGD", p, holder);
    Tensor& momentum = momentum_.empty() ? none : momentum_[i];
    if (p.node()->dtype == autograd::float32) {
      update<float>(p, g, momentum);
    } else {
      update<double>(p, g, momentum);
    }
    note_change(p, "SGD.step");
  }
}

// --- Adam and AdamW.

namespace {

/// The numbers of one step that depend on t only. With r = sqrt(1 - b2^t):
///   lr m' / (sqrt(v') + eps) = (lr r / (1 - b1^t)) m / (sqrt(v) + eps r),
/// one division an element instead of three.
struct AdamFactors {
  std::int64_t t = 0;
  double step = 0, eps = 0;
};

AdamFactors factors_at(std::int64_t t, double lr, const AdamOptions& options) {
  const double count = static_cast<double>(t);
  const double r = std::sqrt(1 - std::pow(options.betas.second, count));
  return {t, lr * r / (1 - std::pow(options.betas.first, count)), options.eps * r};
}

/// `l2` is added to the gradient times p; `shrink` is what decoupled decay leaves of p.
template <class T>
void adam_update(T* __restrict p, const T* __restrict g, T* __restrict m, T* __restrict v,
                 std::size_t n, const AdamFactors& factors, const AdamOptions& options, T l2,
                 T shrink) {
  const T b1 = T(options.betas.first), c1 = T(1 - options.betas.first);
  const T b2 = T(options.betas.second), c2 = T(1 - options.betas.second);
  const T step = T(factors.step), eps = T(factors.eps);
  for (std::size_t i = 0; i < n; ++i) {
    const T slope = g[i] + l2 * p[i];
    m[i] = b1 * m[i] + c1 * slope;
    v[i] = b2 * v[i] + c2 * slope * slope;
    p[i] = shrink * p[i] - step * m[i] / (std::sqrt(v[i]) + eps);
  }
}

void adam_step(const char* name, const char* changed_by, std::vector<Tensor>& parameters,
               detail::Moments& moments, double lr, const AdamOptions& options, double l2,
               double shrink) {
  AdamFactors factors;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    Tensor& p = parameters[i];
    if (!p.has_grad()) continue;
    Tensor holder;
    const Node* g = gradient_of(name, p, holder);
    start(moments.first[i], p);
    start(moments.second[i], p);
    const std::int64_t t = ++moments.steps[i];
    if (t != factors.t) factors = factors_at(t, lr, options);  // the same for most parameters
    const std::size_t n = static_cast<std::size_t>(p.numel());
    const auto update = [&]<class T>(T) {
      adam_update(elements<T>(p), elements<T>(g), elements<T>(moments.first[i]),
                  elements<T>(moments.second[i]), n, factors, options, T(l2), T(shrink));
    };
    p.dtype() == autograd::float32 ? update(float{}) : update(double{});
    note_change(p, changed_by);
  }
}

detail::Moments moments_for(std::size_t count) {
  return {std::vector<Tensor>(count), std::vector<Tensor>(count), std::vector<std::int64_t>(count)};
}

}  // namespace

Adam::Adam(std::vector<Tensor> parameters, AdamOptions options)
    : Optimizer("Adam", std::move(parameters), options.lr),
      options_(options),
      moments_(moments_for(parameters_.size())) {
  require(fraction(options.betas.first), "betas.first", options.betas.first, "0 <= beta < 1");
  require(fraction(options.betas.second), "betas.second", options.betas.second, "0 <= beta < 1");
  require(amount(options.eps), "eps", options.eps, "a finite eps >= 0");
  require(amount(options.weight_decay), "weight_decay", options.weight_decay,
          "a finite weight_decay >= 0");
}

void Adam::step() {
  adam_step("Adam", "Adam.step", parameters_, moments_, lr_, options_, options_.weight_decay, 1.0);
}

AdamW::AdamW(std::vector<Tensor> parameters, AdamWOptions options)
    : Optimizer("AdamW", std::move(parameters), options.lr),
      options_{options.lr, options.betas, options.eps, options.weight_decay},
      moments_(moments_for(parameters_.size())) {
  require(fraction(options.betas.first), "betas.first", options.betas.first, "0 <= beta < 1");
  require(fraction(options.betas.second), "betas.second", options.betas.second, "0 <= beta < 1");
  require(amount(options.eps), "eps", options.eps, "a finite eps >= 0");
  require(amount(options.weight_decay), "weight_decay", options.weight_decay,
          "a finite weight_decay >= 0");
}

void AdamW::step() {
  adam_step("AdamW", "AdamW.step", parameters_, moments_, lr_, options_, 0.0,
            1.0 - lr_ * options_.weight_decay);
}

// --- RMSprop.

RMSprop::RMSprop(std::vector<Tensor> parameters, RMSpropOptions options)
    : Optimizer("RMSprop", std::move(parameters), options.lr),
      options_(options),
      square_(parameters_.size()) {
  require(options.alpha >= 0 && options.alpha <= 1, "alpha", options.alpha, "0 <= alpha <= 1");
  require(amount(options.eps), "eps", options.eps, "a finite eps >= 0");
  require(amount(options.weight_decay), "weight_decay", options.weight_decay,
          "a finite weight_decay >= 0");
  require(amount(options.momentum), "momentum", options.momentum, "a finite momentum >= 0");
  if (options.centered) mean_.resize(parameters_.size());
  if (options.momentum > 0) momentum_.resize(parameters_.size());
}

namespace {

/// a [n] is only used when centered, b [n] with momentum mu; known when compiled, or GCC does not
/// vectorize.
template <bool kCentered, bool kMomentum, class T>
void rmsprop_update(T* __restrict p, const T* __restrict g, T* __restrict v, T* __restrict a,
                    T* __restrict b, std::size_t n, T lr, const RMSpropOptions& options) {
  const T alpha = T(options.alpha), fresh = T(1 - options.alpha);
  const T decay = T(options.weight_decay), mu = T(options.momentum);
  const T inside = T(options.eps_inside_sqrt ? options.eps : 0), outside = T(options.eps) - inside;
  for (std::size_t i = 0; i < n; ++i) {
    const T slope = g[i] + decay * p[i];
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

template <class T> void RMSprop::update(const Tensor& p, const Node* g, std::size_t i) {
  const bool centered = !mean_.empty(), moves = !momentum_.empty();
  start(square_[i], p);
  if (centered) start(mean_[i], p);
  if (moves) start(momentum_[i], p);
  const auto run = [&]<bool kCentered, bool kMomentum>() {
    rmsprop_update<kCentered, kMomentum>(elements<T>(p), elements<T>(g), elements<T>(square_[i]),
                                         kCentered ? elements<T>(mean_[i]) : nullptr,
                                         kMomentum ? elements<T>(momentum_[i]) : nullptr,
                                         static_cast<std::size_t>(p.numel()), T(lr_), options_);
  };
  if (centered) {
    moves ? run.template operator()<true, true>() : run.template operator()<true, false>();
  } else {
    moves ? run.template operator()<false, true>() : run.template operator()<false, false>();
  }
}

void RMSprop::step() {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    Tensor& p = parameters_[i];
    if (!p.has_grad()) continue;
    Tensor holder;
    const Node* g = gradient_of("RMSprop", p, holder);
    if (p.dtype() == autograd::float32) {
      update<float>(p, g, i);
    } else {
      update<double>(p, g, i);
    }
    note_change(p, "RMSprop.step");
  }
}

}  // namespace nn
