// SPDX-License-Identifier: Apache-2.0
// Public names of the unary rows of algebra, exponentials and rounding.
#include "elementwise_apply.hpp"

namespace autograd {

using detail::unary;

Tensor operator-(const Tensor& x) { return unary<ops::Neg>(x); }
Tensor exp(const Tensor& x) { return unary<ops::Exp>(x); }
Tensor log(const Tensor& x) { return unary<ops::Log>(x); }
Tensor log1p(const Tensor& x) { return unary<ops::Log1p>(x); }
Tensor expm1(const Tensor& x) { return unary<ops::Expm1>(x); }
Tensor sqrt(const Tensor& x) { return unary<ops::Sqrt>(x); }
Tensor square(const Tensor& x) { return unary<ops::Square>(x); }
Tensor abs(const Tensor& x) { return unary<ops::Abs>(x); }
Tensor tanh(const Tensor& x) { return unary<ops::Tanh>(x); }
Tensor sigmoid(const Tensor& x) { return unary<ops::Sigmoid>(x); }
Tensor relu(const Tensor& x) { return unary<ops::Relu>(x); }
Tensor softplus(const Tensor& x) { return unary<ops::Softplus>(x); }
Tensor exp2(const Tensor& x) { return unary<ops::Exp2>(x); }
Tensor log2(const Tensor& x) { return unary<ops::Log2>(x); }
Tensor log10(const Tensor& x) { return unary<ops::Log10>(x); }
Tensor cbrt(const Tensor& x) { return unary<ops::Cbrt>(x); }
Tensor sign(const Tensor& x) { return unary<ops::Sign>(x); }
Tensor floor(const Tensor& x) { return unary<ops::Floor>(x); }
Tensor ceil(const Tensor& x) { return unary<ops::Ceil>(x); }
Tensor trunc(const Tensor& x) { return unary<ops::Trunc>(x); }
Tensor round(const Tensor& x) { return unary<ops::Rint>(x); }
Tensor rint(const Tensor& x) { return unary<ops::Rint>(x); }

}  // namespace autograd
