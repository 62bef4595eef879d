// SPDX-License-Identifier: Apache-2.0
// Public names of the rows of ActivationRows: arguments are checked here.
#include "activations.hpp"

#include <limits>
#include <optional>

#include "apply.hpp"
#include "elementwise.hpp"
#include "functions.hpp"
#include "text.hpp"

namespace autograd {

namespace {

template <class Row> AUTOGRAD_INLINE Tensor unary(const Tensor& x, const Row& row = {}) {
  if (!is_floating(x.dtype())) [[unlikely]]
    return apply(ops::UnaryOp<Row>{row}, to(x, float32));
  return apply(ops::UnaryOp<Row>{row}, x);
}

[[noreturn]] AUTOGRAD_COLD void throw_number(const char* what, double value, const char* need) {
  throw ValueError(std::string(what) + " is " + detail::text(value) + "; need " + need);
}

void require_ordered(const char* function, double low, double high) {
  if (low <= high) return;
  throw ValueError(std::string(function) + ": the bounds are " + detail::text(low) + " and " +
                   detail::text(high) + "; need low <= high");
}

}  // namespace

Tensor logsigmoid(const Tensor& x) { return unary<ops::LogSigmoid>(x); }
Tensor softsign(const Tensor& x) { return unary<ops::Softsign>(x); }
Tensor relu6(const Tensor& x) { return unary<ops::Relu6>(x); }
Tensor selu(const Tensor& x) { return unary<ops::Selu>(x); }
Tensor gelu_tanh(const Tensor& x) { return unary<ops::GeluTanh>(x); }
Tensor silu(const Tensor& x) { return unary<ops::Silu>(x); }
Tensor mish(const Tensor& x) { return unary<ops::Mish>(x); }
Tensor hardsigmoid(const Tensor& x) { return unary<ops::Hardsigmoid>(x); }
Tensor hardswish(const Tensor& x) { return unary<ops::Hardswish>(x); }
Tensor gelu(const Tensor& x, GeluOptions options) {
  return options.approximate == GeluApproximation::tanh ? gelu_tanh(x) : unary<ops::Gelu>(x);
}
Tensor leaky_relu(const Tensor& x, double negative_slope) {
  return unary(x, ops::LeakyRelu{negative_slope});
}
Tensor elu(const Tensor& x, double alpha) { return unary(x, ops::Elu{alpha}); }
Tensor celu(const Tensor& x, double alpha) {
  if (alpha == 0) throw_number("celu: alpha", alpha, "another number");
  return unary(x, ops::Celu{alpha});
}
Tensor hardtanh(const Tensor& x, double low, double high) {
  require_ordered("hardtanh", low, high);
  return unary(x, ops::Hardtanh{low, high});
}
Tensor softplus(const Tensor& x, SoftplusOptions options) {
  if (options.beta == 0) throw_number("softplus: beta", options.beta, "another number");
  return unary(x, ops::ScaledSoftplus{options.beta, options.threshold});
}

// --- Of elementwise.hpp.

Tensor reciprocal(const Tensor& x) { return unary<ops::Reciprocal>(x); }
Tensor rsqrt(const Tensor& x) { return unary<ops::Rsqrt>(x); }
Tensor erfinv(const Tensor& x) { return unary<ops::Erfinv>(x); }
Tensor frac(const Tensor& x) { return unary<ops::Frac>(x); }
Tensor logit(const Tensor& x) { return unary<ops::Logit>(x); }
Tensor logit(const Tensor& x, double eps) {
  if (!(eps >= 0 && eps <= 0.5)) throw_number("logit: eps", eps, "0 <= eps <= 0.5");
  return unary(x, ops::Logit{eps});
}

Tensor nan_to_num(const Tensor& x, NanToNumOptions options) {
  if (!is_floating(x.dtype())) return x;
  const double largest = x.dtype() == float64 ? std::numeric_limits<double>::max()
                                              : double{std::numeric_limits<float>::max()};
  return unary(x, ops::NanToNum{options.nan, options.posinf.value_or(largest),
                                options.neginf.value_or(-largest)});
}

Tensor clamp(const Tensor& x, double min, double max) {
  if (std::isnan(min) || std::isnan(max)) {
    throw ValueError("clamp: a bound is NaN: min is " + detail::text(min) + ", max is " +
                     detail::text(max) + "; need numbers (infinities for no bound)");
  }
  const auto whole = [](double bound) { return std::isinf(bound) || bound == std::floor(bound); };
  if (!is_floating(x.dtype()) && whole(min) && whole(max)) {
    return detail::clamp_integers(x, min, max);
  }
  return unary(x, ops::Clamp{min, max});
}

}  // namespace autograd
