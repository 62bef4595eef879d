// SPDX-License-Identifier: Apache-2.0
// Losses that are operations of their own, because a small network's step is mostly overhead.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "op.hpp"
#include "tiny.hpp"

namespace autograd::ops {

/// The mean of (a - b)^2 over n elements, summed in their order.
template <class T> AUTOGRAD_INLINE T mean_of_few_squares(const T* a, const T* b, std::int64_t n) {
  T sum = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const T difference = a[i] - b[i];
    sum += difference * difference;
  }
  return sum / static_cast<T>(n);
}

/// y = factor (a - b) for tiny operands of N elements of type T, and an owner like them.
template <std::size_t N, class T>
AUTOGRAD_INLINE void scaled_difference(T factor, const detail::Node* a, const detail::Node* b,
                                       detail::Node* y) {
  const auto *p = static_cast<const T*>(a->data), *q = static_cast<const T*>(b->data);
  T result[N];
  for (std::size_t i = 0; i < N; ++i) result[i] = factor * (p[i] - q[i]);
  std::copy_n(result, N, reinterpret_cast<T*>(y->small));
}
/// factor (a - b) for tiny operands of at most two axes and one shape.
template <class T>
AUTOGRAD_INLINE Tensor tiny_difference(T factor, const detail::Node* a, const detail::Node* b) {
  Tensor y = Tensor::adopt(detail::make_tiny_like(detail::ready_thread(), a));
  if (a->tiny == (sizeof(T) == 4 ? detail::Tiny::four_floats : detail::Tiny::four_doubles)) {
    scaled_difference<4>(factor, a, b, y.node());
  } else {
    scaled_difference<8>(factor, a, b, y.node());
  }
  return y;
}

/// The mean of (a - b)^2 over all elements of two tensors of one shape.
struct MeanSquaredError {
  static constexpr OpInfo info{"mean_squared_error", "mean of (a - b)^2",
                               "2 dy (a - b) / n, negated", "NaN for no elements"};
  static std::vector<OpCase> cases();

  static constexpr Saves saved() { return Saves::inputs; }
  AUTOGRAD_INLINE Tensor forward(const Tensor& a, const Tensor& b) const {
    const detail::Node *p = a.node(), *q = b.node();
    if (!(AUTOGRAD_EXPECT(p) && AUTOGRAD_EXPECT(q) && AUTOGRAD_EXPECT(both_tiny(p, q)) &&
          AUTOGRAD_EXPECT(p->shape == q->shape))) {
      return any_size(a, b);
    }
    Tensor y = make_scalar(p->dtype);
    p->dtype == DType::float32 ? tiny_mean<float>(p, q, y.node())
                               : tiny_mean<double>(p, q, y.node());
    return y;
  }
  template <class Dx>
  AUTOGRAD_INLINE void backward(const Saved<2>& saved, const Tensor& dy, Dx& dx) const {
    const detail::Node *a = saved.in[0].node(), *b = saved.in[1].node();
    if (!(AUTOGRAD_EXPECT(!dx.recorded()) && AUTOGRAD_EXPECT(both_tiny(a, b)) &&
          AUTOGRAD_EXPECT(a->shape.dim() <= 2))) {
      return any_backward(saved, dy, dx);
    }
    a->dtype == DType::float32 ? tiny_backward<float>(a, b, dy, dx)
                               : tiny_backward<double>(a, b, dy, dx);
  }

 private:
  template <class T>
  static AUTOGRAD_INLINE void tiny_mean(const detail::Node* a, const detail::Node* b,
                                        detail::Node* y) {
    *static_cast<T*>(y->data) = mean_of_few_squares(static_cast<const T*>(a->data),
                                                    static_cast<const T*>(b->data), a->numel);
  }
  template <class T, class Dx>
  static AUTOGRAD_INLINE void tiny_backward(const detail::Node* a, const detail::Node* b,
                                            const Tensor& dy, Dx& dx) {
    const T factor = *data<T>(dy) * static_cast<T>(2.0 / static_cast<double>(a->numel));
    if (dx.wants(0)) dx.set(0, tiny_difference(factor, a, b));
    if (dx.wants(1)) dx.set(1, tiny_difference(-factor, a, b));
  }
  static Tensor any_size(const Tensor& a, const Tensor& b);
  static void any_backward(const Saved<2>& saved, const Tensor& dy, Gradients<2>& dx);
};

/// Cross-entropy of the rows of x [n, c], as softmax has them, with targets q: 1 - smoothing at the row's
/// label, and smoothing / c everywhere: [n], in nats. One pass forward and one backward; the
/// composition of log_softmax and pick goes over an array of x's size six times.
struct CrossEntropy {
  static constexpr OpInfo info{"cross_entropy", "-sum(q log_softmax(x)) of each row",
                               "dy (softmax(x) - q)", "label -1: 0, no gradient"};
  static std::vector<OpCase> cases();
  Attribute label;  ///< int64 [n]: below c, -1 for rows that do not count
  double smoothing = 0;
  Tensor subtracted;  ///< [2, n]: what log_softmax subtracts from a row; filled in by forward

  static constexpr Saves saved() { return Saves::inputs; }
  Tensor forward(const Tensor& x) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};

}  // namespace autograd::ops
