// SPDX-License-Identifier: Apache-2.0
// The activations and the rest of the elementwise vocabulary for scalars: plain numbers, Var, Dual and
// expressions. Each is a row of ops/elementwise.hpp; activations.hpp and elementwise.hpp have the same
// names for tensors and say more.
#pragma once

#include <cmath>
#include <concepts>

#include "activations.hpp"
#include "scalar_functions.hpp"

namespace autograd {

namespace detail {

// row(x) for a scalar of any kind.
template <class Row, Scalar A> AUTOGRAD_INLINE auto of_row(const A& x, const Row& row) {
  if constexpr (Arithmetic<A>) {
    return row.value(static_cast<Promoted<A>>(x));
  } else {
    return A::Family::apply_with(row, x);
  }
}

}  // namespace detail

#define AUTOGRAD_UNARY(function, Row)                              \
  template <Scalar A> AUTOGRAD_INLINE auto function(const A& x) {  \
    if constexpr (Arithmetic<A>) {                                 \
      return ops::Row::value(static_cast<detail::Promoted<A>>(x)); \
    } else {                                                       \
      return A::Family::template apply<ops::Row>(x);               \
    }                                                              \
  }
AUTOGRAD_UNARY(reciprocal, Reciprocal)
AUTOGRAD_UNARY(rsqrt, Rsqrt)
AUTOGRAD_UNARY(frac, Frac)
AUTOGRAD_UNARY(logsigmoid, LogSigmoid)
AUTOGRAD_UNARY(softsign, Softsign)
AUTOGRAD_UNARY(relu6, Relu6)
AUTOGRAD_UNARY(selu, Selu)
AUTOGRAD_UNARY(gelu, Gelu)
AUTOGRAD_UNARY(gelu_tanh, GeluTanh)
AUTOGRAD_UNARY(silu, Silu)
AUTOGRAD_UNARY(mish, Mish)
AUTOGRAD_UNARY(hardsigmoid, Hardsigmoid)
AUTOGRAD_UNARY(hardswish, Hardswish)
#undef AUTOGRAD_UNARY

template <Differentiable A> AUTOGRAD_INLINE auto erfinv(const A& x) {
  return A::Family::template apply<ops::Erfinv>(x);
}
template <Scalar A> AUTOGRAD_INLINE auto leaky_relu(const A& x, double negative_slope = 0.01) {
  return detail::of_row(x, ops::LeakyRelu{negative_slope});
}
template <Scalar A> AUTOGRAD_INLINE auto elu(const A& x, double alpha = 1) {
  return detail::of_row(x, ops::Elu{alpha});
}
template <Scalar A> AUTOGRAD_INLINE auto celu(const A& x, double alpha = 1) {
  return detail::of_row(x, ops::Celu{alpha});
}
template <Scalar A> AUTOGRAD_INLINE auto hardtanh(const A& x, double low = -1, double high = 1) {
  return detail::of_row(x, ops::Hardtanh{low, high});
}
template <Scalar A> AUTOGRAD_INLINE auto softplus(const A& x, SoftplusOptions options) {
  return detail::of_row(x, ops::ScaledSoftplus{options.beta, options.threshold});
}
template <Scalar A> AUTOGRAD_INLINE auto logit(const A& x) {
  return detail::of_row(x, ops::Logit{});
}
template <Scalar A> AUTOGRAD_INLINE auto logit(const A& x, double eps) {
  return detail::of_row(x, ops::Logit{eps});
}

template <class A, class B>
requires DifferentiablePair<A, B> AUTOGRAD_INLINE auto xlogy(const A& a, const B& b) {
  return detail::Family<A, B>::template apply<ops::Xlogy>(a, b);
}
template <Arithmetic A, Arithmetic B> auto xlogy(A a, B b) {
  using P = detail::Promoted<A, B>;
  return ops::Xlogy::value(static_cast<P>(a), static_cast<P>(b));
}

}  // namespace autograd
