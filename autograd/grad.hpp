// SPDX-License-Identifier: Apache-2.0
// Functional derivatives of functions of tensors (of scalars: drivers.hpp). They return results and deposit nothing in any .grad. Called while a tape
// records, their results are recorded by it, so that derivatives of derivatives come out right.
#pragma once

#include <concepts>
#include <utility>
#include <vector>

#include "functions.hpp"
#include "tensor.hpp"

namespace autograd {

struct GradOptions {
  bool allow_unused = false;  ///< zeros for an input that f does not use, instead of throwing
};

// f is not constrained: compilers look at constraints before they see that the inputs are no tensors,
// and would compile generic functions of scalars for tensors just to find out.
namespace detail {

std::pair<Tensor, std::vector<Tensor>> value_and_grad(const char* driver, const TensorFunction& f,
                                                      const std::vector<Tensor>& inputs,
                                                      const Tensor& cotangent, GradOptions options);
std::pair<Tensor, Tensor> jvp(const TensorFunction& f, const std::vector<Tensor>& inputs,
                              const std::vector<Tensor>& v, GradOptions options);
std::vector<Tensor> hvp(const TensorFunction& f, const std::vector<Tensor>& inputs,
                        const std::vector<Tensor>& v, GradOptions options);
std::vector<Tensor> jacobian(const TensorFunction& f, const std::vector<Tensor>& inputs,
                             GradOptions options);
std::vector<std::vector<Tensor>> hessian(const TensorFunction& f, const std::vector<Tensor>& inputs,
                                         GradOptions options);

/// f of one tensor, as a function of a list of one.
template <class F> auto of_list(const F& f) {
  return [&f](const std::vector<Tensor>& x) -> Tensor { return f(x[0]); };
}

}  // namespace detail

/// The gradients of f, which returns one element, with respect to each input.
/// Throws TapeError for an input that f does not use, unless allow_unused.
template <class F>
std::vector<Tensor> grad(const F& f, const std::vector<Tensor>& inputs, GradOptions options = {}) {
  return detail::value_and_grad("grad", f, inputs, Tensor(), options).second;
}
/// f(inputs) and the gradients.
template <class F>
std::pair<Tensor, std::vector<Tensor>> value_and_grad(const F& f, const std::vector<Tensor>& inputs,
                                                      GradOptions options = {}) {
  return detail::value_and_grad("value_and_grad", f, inputs, Tensor(), options);
}
/// f(inputs), of any shape, and the vector-Jacobian products with `cotangent`, of that shape.
template <class F>
std::pair<Tensor, std::vector<Tensor>> vjp(const F& f, const std::vector<Tensor>& inputs,
                                           const Tensor& cotangent, GradOptions options = {}) {
  return detail::value_and_grad("vjp", f, inputs, cotangent, options);
}
/// f(inputs), of any shape, and its derivative along v, one tensor per input of its shape and dtype.
/// Throws ShapeError for a direction that does not fit.
template <class F>
std::pair<Tensor, Tensor> jvp(const F& f, const std::vector<Tensor>& inputs,
                              const std::vector<Tensor>& v, GradOptions options = {}) {
  return detail::jvp(f, inputs, v, options);
}
/// The second derivatives of f, which returns one element, times v: one tensor per input.
template <class F>
std::vector<Tensor> hvp(const F& f, const std::vector<Tensor>& inputs, const std::vector<Tensor>& v,
                        GradOptions options = {}) {
  return detail::hvp(f, inputs, v, options);
}
/// The first derivatives of f, of any shape: for each input one tensor of shape [output..., input...].
template <class F>
std::vector<Tensor> jacobian(const F& f, const std::vector<Tensor>& inputs,
                             GradOptions options = {}) {
  return detail::jacobian(f, inputs, options);
}
/// The second derivatives of f, which returns one element: result[i][j] has the shape
/// [input i..., input j...].
template <class F>
std::vector<std::vector<Tensor>> hessian(const F& f, const std::vector<Tensor>& inputs,
                                         GradOptions options = {}) {
  return detail::hessian(f, inputs, options);
}

// --- The same of a function of one tensor, f(const Tensor&): each result is a tensor, not a list.

template <class F, std::derived_from<Tensor> X>
Tensor grad(const F& f, const X& x, GradOptions options = {}) {
  return grad(detail::of_list(f), std::vector<Tensor>{x}, options)[0];
}
template <class F, std::derived_from<Tensor> X>
std::pair<Tensor, Tensor> value_and_grad(const F& f, const X& x, GradOptions options = {}) {
  auto [y, dx] = value_and_grad(detail::of_list(f), std::vector<Tensor>{x}, options);
  return {std::move(y), std::move(dx[0])};
}
template <class F, std::derived_from<Tensor> X>
std::pair<Tensor, Tensor> vjp(const F& f, const X& x, const Tensor& cotangent,
                              GradOptions options = {}) {
  auto [y, dx] = vjp(detail::of_list(f), std::vector<Tensor>{x}, cotangent, options);
  return {std::move(y), std::move(dx[0])};
}
template <class F, std::derived_from<Tensor> X>
std::pair<Tensor, Tensor> jvp(const F& f, const X& x, const Tensor& v, GradOptions options = {}) {
  return jvp(detail::of_list(f), std::vector<Tensor>{x}, std::vector<Tensor>{v}, options);
}
template <class F, std::derived_from<Tensor> X>
Tensor hvp(const F& f, const X& x, const Tensor& v, GradOptions options = {}) {
  return hvp(detail::of_list(f), std::vector<Tensor>{x}, std::vector<Tensor>{v}, options)[0];
}
template <class F, std::derived_from<Tensor> X>
Tensor jacobian(const F& f, const X& x, GradOptions options = {}) {
  return jacobian(detail::of_list(f), std::vector<Tensor>{x}, options)[0];
}
template <class F, std::derived_from<Tensor> X>
Tensor hessian(const F& f, const X& x, GradOptions options = {}) {
  return hessian(detail::of_list(f), std::vector<Tensor>{x}, options)[0][0];
}

}  // namespace autograd
