// SPDX-License-Identifier: Apache-2.0
// One row per elementwise operation: its value and its slope (dy/dx), written once over a type T that
// may be double (Var), Dual, a SIMD vector (tensor kernels) or Tensor (recorded, for higher orders),
// and what documentation, tests and benchmarks need to know about it. The rows are in the files
// included here, by family; this one lists them.
//
// To add one: write its row, name it in a list below, and give it its public names in
// scalar_functions.hpp and functions.hpp (or scalar_activations.hpp, activations.hpp, elementwise.hpp). A row that is not in the list, or has no cases, does not
// compile. These files are included once normally and once per SIMD target by
// kernels/elementwise-inl.hpp, which is why they have no include guards of the usual kind.
//
// A row's members are static functions, unless the row has parameters: then it is a struct of doubles,
// whose default values tests use, and its functions are those of an object.
//
// Slopes are multiplied by the arriving dy, and a zero dy gives zero whatever the slope is, so that
// the side of a where() that was not taken never leaks a NaN. Where the row `selects`, a zero slope
// stops an infinite dy as well. Slopes of scalars (`if constexpr (Scalar<T>)`) may cost a comparison
// to stay accurate in the tails; vectors and tensors take the short formula.
#if !defined(AUTOGRAD_ROWS_INCLUDED) || defined(AUTOGRAD_SIMD_ROWS)
#define AUTOGRAD_ROWS_INCLUDED

#include "elementwise_activation.hpp"
#include "elementwise_arithmetic.hpp"
#include "elementwise_exponential.hpp"
#include "elementwise_losses.hpp"
#include "elementwise_rounding.hpp"
#include "elementwise_special.hpp"
#include "elementwise_trigonometric.hpp"

#ifdef AUTOGRAD_SIMD_ROWS
HWY_BEFORE_NAMESPACE();
namespace autograd::kernels::HWY_NAMESPACE {
#else
namespace autograd::ops {
#endif

// The unary rows are three lists, each with kernel tables of its own: a program that calls no row of
// the second or third one leaves its kernels out.
using BasicRows = RowList<Neg, Exp, Log, Log1p, Expm1, Sqrt, Square, Abs, Tanh, Sigmoid, Relu,
                          Softplus, Cbrt, Sign, Asinh, Acosh, Atanh, NormalCdf, NormalIcdf, Tgamma,
                          Lgamma, Digamma, Floor, Ceil, Trunc, Rint, Round>;
using TranscendentalRows =
    RowList<Sin, Cos, Tan, Asin, Acos, Atan, Sinh, Cosh, Exp2, Log2, Log10, Erf, Erfc>;
using ActivationRows = RowList<Reciprocal, Rsqrt, Erfinv, Logit, LogSigmoid, ScaledSoftplus,
                               Softsign, Relu6, LeakyRelu, Elu, Selu, Celu, Gelu, GeluTanh, Silu,
                               Mish, Hardtanh, Hardsigmoid, Hardswish, Clamp, NanToNum, Frac>;
using UnaryRows = JoinedRows<JoinedRows<BasicRows, TranscendentalRows>, ActivationRows>;
// The binary ones likewise: most programs call none of the second list.
using BasicBinaryRows = RowList<Add, Sub, Mul, Div, Pow, Maximum, Minimum, Chain, SquaredDifference,
                                BinaryCrossEntropy, BinaryCrossEntropyWithLogits, Xlogy>;
using OtherBinaryRows =
    RowList<Fmax, Fmin, Fdim, Hypot, Atan2, Direction, LogAddExp, Ldexp, Fmod, Remainder,
            IeeeRemainder, Copysign, NextAfter, Beta, DigammaStep, TrigammaStep, Polygamma>;
using BinaryRows = JoinedRows<BasicBinaryRows, OtherBinaryRows>;

#ifdef AUTOGRAD_SIMD_ROWS
}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#else
}  // namespace autograd::ops
#endif
#endif
