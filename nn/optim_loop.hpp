// SPDX-License-Identifier: Apache-2.0
// For the .cpp files of optimizers: the loop over parameters, and their state. Updates are single plain
// loops over raw arrays, which the compiler vectorizes; everything they need is contiguous and of one
// dtype, which constructors and gradient_of see to. For tiny parameters the cost is the loop around
// them: no allocation and no virtual call per parameter, elements and gradients read straight from the
// node (data<T>() and grad() together took longer than the update).
#pragma once

#include <cmath>
#include <utility>

#include "optim.hpp"

namespace nn {

namespace detail {

using Node = autograd::detail::Node;

template <class T> T* elements(const Node* node) { return static_cast<T*>(node->data); }
template <class T> T* elements(const Tensor& x) { return elements<T>(x.node()); }

/// A strided gradient copied to `holder`; throws for one that is not like the parameter.
const Node* unusual_gradient(const char* name, const Tensor& p, Tensor& holder);

/// Whether p's gradient can be read as it lies.
inline bool plain_gradient(const Tensor& p) {
  const Node *node = p.node(), *g = node->grad;
  return g->contiguous && g->dtype == node->dtype && g->numel == node->numel;
}

/// The gradient of p, which has one, contiguous; `holder` keeps a copy alive where one is needed.
inline const Node* gradient_of(const char* name, const Tensor& p, Tensor& holder) {
  return plain_gradient(p) ? p.node()->grad : unusual_gradient(name, p, holder);
}

/// f(begin, count) for the elements whose gradient may be other than zero: few rows of a large table,
/// or all n at once.
template <class F> void for_used_rows(const Node* g, std::size_t n, F&& f) {
  const std::vector<std::int64_t>* rows = autograd::detail::nonzero_rows(g);
  if (!rows) return f(std::size_t{0}, n);
  const auto width = static_cast<std::size_t>(g->shape[1]);
  for (const std::int64_t row : *rows) f(static_cast<std::size_t>(row) * width, width);
}

inline bool fraction(double x) { return x >= 0 && x < 1; }
inline bool amount(double x) { return std::isfinite(x) && x >= 0; }

}  // namespace detail

template <class T> T* Optimizer::state(std::size_t slot, std::size_t i) {
  Tensor& tensor = slots_[slot].tensors[i];
  if (!tensor.defined()) [[unlikely]]
    tensor = std::move(slots_[slot].fresh[i]);
  return detail::elements<T>(tensor);
}

template <class F> void Optimizer::for_gradients(const char* changed_by, F&& update) {
  using detail::elements;
  bool ready = started_;
  for (const Tensor& p : parameters_)
    ready = ready && (!p.node()->grad || detail::plain_gradient(p));
  std::vector<Tensor> copies;  // of each gradient that is strided; or nothing
  if (!ready) [[unlikely]]
    prepare(copies);
  const bool copied = !copies.empty();
  for (const Group& each : groups_) {
    for (std::size_t i = each.begin; i < each.end; ++i) {
      detail::Node* p = parameters_[i].node();
      const detail::Node* g = p->grad;
      if (!g) continue;
      if (copied && copies[i].defined()) [[unlikely]]
        g = copies[i].node();
      const std::size_t n = static_cast<std::size_t>(p->numel);
      if (p->dtype == autograd::float32) {
        update(each, i, elements<float>(p), elements<const float>(g), n);
      } else {
        update(each, i, elements<double>(p), elements<const double>(g), n);
      }
      autograd::detail::note_change(p, changed_by);
    }
  }
}

}  // namespace nn
