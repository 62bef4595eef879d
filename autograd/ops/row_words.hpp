// SPDX-License-Identifier: Apache-2.0
// The words that rows are written in. Functions of plain numbers come from scalar_math.hpp; those of
// Var, Dual and Tensor are found by their arguments; those of SIMD vectors are in the namespace that
// the rows are compiled in a second time (kernels/vector_math-inl.hpp). A new function that a row's
// value or slope calls is named here.
#pragma once

#include <numbers>

#include "../scalar_math.hpp"
#include "rows.hpp"

namespace autograd::ops {

using autograd::abs, autograd::acos, autograd::acosh, autograd::asin, autograd::asinh;
using autograd::atan, autograd::atan2, autograd::atanh, autograd::beta, autograd::cbrt;
using autograd::ceil, autograd::constant, autograd::copysign, autograd::cos, autograd::cosh;
using autograd::digamma, autograd::digamma_step, autograd::direction, autograd::direction_of;
using autograd::erf, autograd::erfc, autograd::erfinv, autograd::exp, autograd::exp2,
    autograd::expm1;
using autograd::floor, autograd::fmod, autograd::hypot, autograd::ieee_remainder;
using autograd::lgamma, autograd::log, autograd::log10, autograd::log1p, autograd::log2;
using autograd::logaddexp, autograd::max, autograd::min, autograd::nextafter;
using autograd::normal_cdf, autograd::normal_icdf, autograd::polygamma, autograd::pow;
using autograd::relu, autograd::rint, autograd::round, autograd::sigmoid, autograd::sign;
using autograd::sin, autograd::sinh, autograd::softplus, autograd::sqrt, autograd::square;
using autograd::tan, autograd::tanh, autograd::tgamma, autograd::times_power_of_two;
using autograd::trigamma_step, autograd::trunc, autograd::where;

// The two sides of a kink: `yes` where the condition holds. Constants take the type of x.
template <class T, class C>
AUTOGRAD_INLINE T pick(const C& condition, const T& x, double yes, double no) {
  return where(condition, constant(x, yes), constant(x, no));
}

// x held between two numbers; NaN stays.
template <class T> AUTOGRAD_INLINE T clamp_keeping_nan(const T& x, double low, double high) {
  return where(x < low, constant(x, low), where(x > high, constant(x, high), x));
}

}  // namespace autograd::ops
