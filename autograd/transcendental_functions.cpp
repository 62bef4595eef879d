// SPDX-License-Identifier: Apache-2.0
// Public names of the unary rows of trigonometry and of special functions.
#include "elementwise_apply.hpp"

namespace autograd {

using detail::unary;

Tensor sin(const Tensor& x) { return unary<ops::Sin>(x); }
Tensor cos(const Tensor& x) { return unary<ops::Cos>(x); }
Tensor tan(const Tensor& x) { return unary<ops::Tan>(x); }
Tensor asin(const Tensor& x) { return unary<ops::Asin>(x); }
Tensor acos(const Tensor& x) { return unary<ops::Acos>(x); }
Tensor atan(const Tensor& x) { return unary<ops::Atan>(x); }
Tensor sinh(const Tensor& x) { return unary<ops::Sinh>(x); }
Tensor cosh(const Tensor& x) { return unary<ops::Cosh>(x); }
Tensor asinh(const Tensor& x) { return unary<ops::Asinh>(x); }
Tensor acosh(const Tensor& x) { return unary<ops::Acosh>(x); }
Tensor atanh(const Tensor& x) { return unary<ops::Atanh>(x); }
Tensor erf(const Tensor& x) { return unary<ops::Erf>(x); }
Tensor erfc(const Tensor& x) { return unary<ops::Erfc>(x); }
Tensor normal_cdf(const Tensor& x) { return unary<ops::NormalCdf>(x); }
Tensor normal_icdf(const Tensor& x) { return unary<ops::NormalIcdf>(x); }
Tensor tgamma(const Tensor& x) { return unary<ops::Tgamma>(x); }
Tensor lgamma(const Tensor& x) { return unary<ops::Lgamma>(x); }
Tensor digamma(const Tensor& x) { return unary<ops::Digamma>(x); }

}  // namespace autograd
