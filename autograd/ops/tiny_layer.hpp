// SPDX-License-Identifier: Apache-2.0
// The layers of kernels/tiny_layer.hpp between tensors, inlined into the record of the operation: at this
// size every call is a part of the time.
#pragma once

#include <cstdint>
#include <type_traits>
#include <utility>

#include "../kernels/tiny_layer.hpp"
#include "op.hpp"

namespace autograd::ops {

/// True for two matrices of a few elements whose product x w^T has no more.
AUTOGRAD_INLINE bool tiny_layer(const detail::Node* x, const detail::Node* w) {
  using detail::Tiny;
  const auto fits = [&] {  // the extents of tiny tensors are small, unless they have no elements
    return x->shape[0] * w->shape[0] <= static_cast<std::int64_t>(kernels::kTinyLayer);
  };
  return AUTOGRAD_EXPECT(x->tiny != Tiny::no) && AUTOGRAD_EXPECT(w->tiny != Tiny::no) &&
         AUTOGRAD_EXPECT(x->shape.dim() == 2) && AUTOGRAD_EXPECT(w->shape.dim() == 2) &&
         AUTOGRAD_EXPECT(x->numel > 0) && AUTOGRAD_EXPECT(w->numel > 0) && AUTOGRAD_EXPECT(fits());
}
/// The same with its bias.
AUTOGRAD_INLINE bool tiny_layer(const detail::Node* x, const detail::Node* w,
                                const detail::Node* b) {
  return tiny_layer(x, w) && AUTOGRAD_EXPECT(b->tiny != detail::Tiny::no) &&
         AUTOGRAD_EXPECT(x->dtype == w->dtype) && AUTOGRAD_EXPECT(x->dtype == b->dtype) &&
         AUTOGRAD_EXPECT(w->shape[1] == x->shape[1]) && AUTOGRAD_EXPECT(b->shape.dim() == 1) &&
         AUTOGRAD_EXPECT(b->shape[0] == w->shape[0]);
}
/// The same for the gradients of a layer whose forward pass found its shapes to fit: dy is of its result's.
AUTOGRAD_INLINE bool tiny_layer_gradients(const detail::Node* x, const detail::Node* w,
                                          const detail::Node* dy) {
  using detail::Tiny;
  return AUTOGRAD_EXPECT(dy->tiny != Tiny::no) && AUTOGRAD_EXPECT(x->tiny != Tiny::no) &&
         AUTOGRAD_EXPECT(w->tiny != Tiny::no) && AUTOGRAD_EXPECT(x->shape.dim() == 2) &&
         AUTOGRAD_EXPECT(dy->numel > 0) && AUTOGRAD_EXPECT(x->numel > 0);
}
AUTOGRAD_INLINE std::uint32_t extent(const detail::Node* x, int axis) {
  return static_cast<std::uint32_t>(x->shape[axis]);
}
template <class T> AUTOGRAD_INLINE T* elements_of(const detail::Node* x) {
  return static_cast<T*>(x->data);
}

/// Row(x W^T + b) in one call; undefined where the layer does not fit, or is wrong.
template <class Row, class T>
AUTOGRAD_INLINE Tensor tiny_layer_forward(const detail::Node* x, const detail::Node* w,
                                          const detail::Node* b) {
  const auto kernel = kernels::TinyLayerTable<T>::best->forward[kernels::tiny_layer_row<Row>()];
  if (!AUTOGRAD_EXPECT(kernel)) return {};
  Tensor y = make_matrix(x->shape[0], w->shape[0], dtype_of<T>);
  kernel(elements_of<T>(x), elements_of<T>(w), elements_of<T>(b), elements_of<T>(y.node()),
         extent(x, 1), extent(w, 0));
  return y;
}

/// The gradients of the same from its value and dy; false where it does not fit.
template <class Row, class T, class Dx>
AUTOGRAD_INLINE bool tiny_layer_backward(const Saved<3>& saved, const detail::Node* dy, Dx& dx) {
  const detail::Node *x = saved.in[0].node(), *w = saved.in[1].node();
  const auto kernel = kernels::TinyLayerTable<T>::best->backward[kernels::tiny_layer_row<Row>()];
  if (!AUTOGRAD_EXPECT(kernel)) return false;
  kernels::TinyLayerGradients<T> arrays;
  arrays.x = elements_of<T>(x);
  arrays.w = elements_of<T>(w);
  arrays.y = std::is_void_v<Row> ? nullptr : elements_of<T>(saved.y.node());
  arrays.dy = elements_of<T>(dy);
  detail::ThreadState* state = detail::ready_thread();
  const auto like = [state](const detail::Node* of) AUTOGRAD_ALWAYS_INLINE {
    return Tensor::adopt(detail::make_tiny_like(state, of));
  };
  Tensor by_x = dx.wants(0) ? like(x) : Tensor();
  Tensor by_w = dx.wants(1) ? like(w) : Tensor();
  Tensor by_b = dx.wants(2) ? make_vector(w->shape[0], dtype_of<T>) : Tensor();
  arrays.dx = by_x.defined() ? elements_of<T>(by_x.node()) : nullptr;
  arrays.dw = by_w.defined() ? elements_of<T>(by_w.node()) : nullptr;
  arrays.db = by_b.defined() ? elements_of<T>(by_b.node()) : nullptr;
  kernel(arrays, extent(x, 0), extent(x, 1), extent(w, 0));
  if (by_x.defined()) dx.set(0, std::move(by_x));
  if (by_w.defined()) dx.set(1, std::move(by_w));
  if (by_b.defined()) dx.set(2, std::move(by_b));
  return true;
}

template <class Row>
AUTOGRAD_INLINE Tensor tiny_layer_forward(const Tensor& x, const Tensor& weight,
                                          const Tensor& bias) {
  const detail::Node *a = x.node(), *w = weight.node(), *b = bias.node();
  if (!(AUTOGRAD_EXPECT(a) && AUTOGRAD_EXPECT(w) && AUTOGRAD_EXPECT(b) && tiny_layer(a, w, b))) {
    return {};
  }
  return a->dtype == DType::float32 ? tiny_layer_forward<Row, float>(a, w, b)
                                    : tiny_layer_forward<Row, double>(a, w, b);
}
template <class Row, class Dx>
AUTOGRAD_INLINE bool tiny_layer_backward(const Saved<3>& saved, const Tensor& dy, Dx& dx) {
  const detail::Node* g = dy.node();
  if (!(AUTOGRAD_EXPECT(!dx.recorded()) &&
        tiny_layer_gradients(saved.in[0].node(), saved.in[1].node(), g))) {
    return false;
  }
  return g->dtype == DType::float32 ? tiny_layer_backward<Row, float>(saved, g, dx)
                                    : tiny_layer_backward<Row, double>(saved, g, dx);
}

}  // namespace autograd::ops
