// SPDX-License-Identifier: Apache-2.0
// Special functions of plain numbers that <cmath> lacks, or has with a data race (lgamma writes the
// global signgam), out of line. scalar_math.hpp gives them to every arithmetic type and ops/ to Var,
// Dual and Tensor. Accuracy as measured against 50 digits by tests/cmath_test.cpp; where long double
// is no wider than double, two digits fewer.
#pragma once

namespace autograd::detail {

/// ln |Gamma(x)|; +inf at 0, -1, -2, ...; no shared state.
double log_gamma(double x);
/// d^n/dx^n of digamma, the logarithmic derivative of Gamma; n >= 0, else NaN. At a pole (0, -1, ...)
/// +inf for odd n, for even n NaN; digamma(+-0) is -+inf. 1 ulp, absolute near the negative zeros.
double polygamma(int n, double x);
/// Gamma(a) Gamma(b) / Gamma(a + b), also where the Gammas overflow; NaN where a or b is -1, -2, ...
double beta(double a, double b);
/// digamma(a + b) - digamma(a), n = 0, or trigamma's, n = 1, to relative accuracy for a, b > 0.
double polygamma_step(int n, double a, double b);
/// The standard normal distribution function, to relative accuracy in the lower tail.
double normal_cdf(double x);
/// Its inverse, for p in [0, 1], else NaN. Wichura, AS241 (1988), and one step of Newton's method.
double normal_icdf(double p);
/// The inverse of erf, for x in [-1, 1], else NaN; to relative accuracy also near 0 and the ends.
double erfinv(double x);
/// ln(e^a + e^b) where it is close to 0 and the obvious formula cancels.
double logaddexp_near_zero(double a, double b);

}  // namespace autograd::detail
