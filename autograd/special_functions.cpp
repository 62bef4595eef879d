// SPDX-License-Identifier: Apache-2.0
// All of this is computed in long double and rounded once at the end: with 64 bits of mantissa the
// recurrences below cost no digits of a double.
#include "special_functions.hpp"

#include <cmath>
#include <limits>
#include <numbers>

namespace autograd::detail {

namespace {

using Real = long double;

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr Real kPi = std::numbers::pi_v<Real>;

constexpr Real kBernoulli[] = {
    1.0L / 6,       -1.0L / 30,       1.0L / 42,       -1.0L / 30,
    5.0L / 66,      -691.0L / 2730,   7.0L / 6,        -3617.0L / 510,
    43867.0L / 798, -174611.0L / 330, 854513.0L / 138, -236364091.0L / 2730};  // B_2, B_4, ...

// c[0] + c[1] x + c[2] x^2 + ...
template <std::size_t N> Real polynomial(Real x, const Real (&c)[N]) {
  Real y = c[N - 1];
  for (std::size_t i = N - 1; i-- > 0;) y = y * x + c[i];
  return y;
}

Real power(Real x, int n) {
  Real y = 1;
  for (; n > 0; n /= 2, x *= x) {
    if (n % 2) y *= x;
  }
  return y;
}

// The zero of digamma on the positive axis, as a double and what that lacks, and the Taylor
// coefficients there; computed with mpmath.
constexpr double kZero = 0x1.762d86356be3fp+0;
constexpr Real kZeroRest = 9.549995429965697715184199e-17L;
constexpr Real kAtZero[] = {
    0.9676722454476211704274448L,  -0.4427631689835921060928653L, 0.2584997609556510106244014L,
    -0.1639427054424065275042513L, 0.1078240506912623657571829L,  -0.07219956125645471092612178L,
    0.04880428816414310722509253L, -0.0331611264748473592922584L, 0.02259764823221810465962483L,
    -0.0154247659049489591388003L, 0.01053879161661217538812405L, -0.00720453438635686824097047L};

// x > 0: recurrence to where the asymptotic series converges to all digits.
Real digamma_positive(Real x) {
  const Real d = (x - kZero) - kZeroRest;
  if (std::abs(d) < 0.02L) return d * polynomial(d, kAtZero);
  Real y = 0;
  for (; x < 18; x += 1) y -= 1 / x;
  const Real w = 1 / (x * x);
  Real series = 0, term = w;
  for (int k = 1; k <= 12; ++k, term *= w) series += kBernoulli[k - 1] / (2 * k) * term;
  return y + std::log(x) - 0.5L / x - series;
}

// x > 0, n >= 1: n! sum 1/(x + k)^(n + 1), by the Euler-Maclaurin formula beyond the first terms;
// all terms are positive. The sign of the derivative is (-1)^(n + 1).
Real polygamma_positive(int n, Real x) {
  Real factorial = 1;  // (n - 1)!
  for (int i = 2; i < n; ++i) factorial *= i;
  Real y = 0;
  for (; x < 20 + n; x += 1) y += power(1 / x, n + 1);
  y *= factorial * n;
  const Real r = 1 / x, rn = power(r, n);
  y += factorial * rn * (1 + n * r / 2);
  Real term = factorial * rn;  // (2k + n - 1)! / (2k)! / x^(2k + n)
  for (int k = 1; k <= 12; ++k) {
    term *= (2.0L * k + n - 2) / (2 * k - 1) * ((2.0L * k + n - 1) / (2 * k)) * r * r;
    y += kBernoulli[k - 1] * term;
  }
  return n % 2 ? y : -y;
}

// d^n/dx^n of pi cot(pi x), a polynomial in c = cot(pi x): P_0 = c, P_(n+1) = -(1 + c^2) P_n'.
Real cotangent_derivative(int n, Real x) {
  constexpr int kMost = 100;
  if (n > kMost) return kNan;
  const Real fraction = x - std::round(x);  // exact
  const Real c = 1 / std::tan(kPi * fraction);
  Real p[kMost + 2] = {0, 1}, next[kMost + 2];
  for (int m = 0; m < n; ++m) {
    const int degree = m + 1;
    for (int i = 0; i <= degree + 1; ++i) {
      const Real same = i + 1 <= degree ? (i + 1) * p[i + 1] : 0;
      const Real lower = i >= 1 && i - 1 <= degree ? (i - 1) * p[i - 1] : 0;
      next[i] = -(same + lower);
    }
    for (int i = 0; i <= degree + 1; ++i) p[i] = next[i];
  }
  Real y = 0;
  for (int i = n + 1; i >= 0; --i) y = y * c + p[i];
  return y * power(kPi, n + 1);
}

Real polygamma_real(int n, Real x) {
  if (x > 0) return n == 0 ? digamma_positive(x) : polygamma_positive(n, x);
  const Real reflected = n == 0 ? digamma_positive(1 - x) : polygamma_positive(n, 1 - x);
  return (n % 2 ? -reflected : reflected) - cotangent_derivative(n, x);
}

// ln Gamma(x) - ((x - 1/2) ln x - x + ln(2 pi) / 2), x >= 10.
Real stirling_rest(Real x) {
  const Real r = 1 / x, w = r * r;
  Real y = 0, term = r;
  for (int k = 1; k <= 12; ++k, term *= w) {
    y += kBernoulli[k - 1] / (2.0L * k * (2 * k - 1)) * term;
  }
  return y;
}

}  // namespace

double log_gamma(double x) {
#if defined(__unix__) || defined(__APPLE__)
  int sign;
  return ::lgamma_r(x, &sign);
#else
  return std::lgamma(x);
#endif
}

double polygamma(int n, double x) {
  if (n < 0 || std::isnan(x)) return kNan;
  if (std::isinf(x)) return x > 0 ? (n == 0 ? kInf : 0) : kNan;
  if (x <= 0 && x == std::floor(x)) {
    if (n % 2) return kInf;
    return n == 0 && x == 0 ? std::copysign(kInf, -x) : kNan;
  }
  return static_cast<double>(polygamma_real(n, x));
}

// After R's lbeta (nmath/lbeta.c): logarithms of quotients instead of quotients of Gammas.
double beta(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return kNan;
  if (a > b) return beta(b, a);
  const Real p = a, q = b;
  if (q < 10 || p <= 0) {
    if ((p < 0 && p == std::floor(p)) || (q < 0 && q == std::floor(q))) return kNan;
    return static_cast<double>(std::tgamma(p) / std::tgamma(p + q) * std::tgamma(q));
  }
  if (std::isinf(b)) return 0;
  const Real both = p + q;
  if (p < 10) {
    const Real rest = stirling_rest(q) - stirling_rest(both);
    const Real exponent = rest + p - p * std::log(both) + (q - 0.5L) * std::log1p(-p / both);
    return static_cast<double>(std::tgamma(p) * std::exp(exponent));
  }
  const Real rest = stirling_rest(p) + stirling_rest(q) - stirling_rest(both);
  const Real exponent = rest + (p - 0.5L) * std::log(p / both) + q * std::log1p(-p / both);
  return static_cast<double>(std::exp(exponent) * std::sqrt(2 * kPi / q));
}

// For small b the Taylor series: the difference would lose a / b digits.
double polygamma_step(int n, double a, double b) {
  if (!(a > 0 && std::abs(b) < 1e-3 * a)) {
    if (a > 0 && a + b > 0 && std::isfinite(a + b)) {
      return static_cast<double>(polygamma_real(n, Real(a) + b) - polygamma_real(n, a));
    }
    return polygamma(n, a + b) - polygamma(n, a);
  }
  Real y = 0, term = 1;
  for (int k = 1; k <= 6; ++k) {
    term *= Real(b) / k;
    y += term * polygamma_real(n + k, a);
  }
  return static_cast<double>(y);
}

double normal_cdf(double x) {
  // -x / sqrt(2) in two doubles: in the tail erfc multiplies a relative error of its argument by
  // 2 z^2, up to 1400.
  constexpr double kHigh = 0x1.6a09e667f3bcdp-1, kLow = -4.8336466567264565186e-17;
  const double z = -x * kHigh;
  if (!(z > 0 && z < 40)) return 0.5 * std::erfc(z);
  const double rest = std::fma(-x, kHigh, -z) - x * kLow;
  return 0.5 * (std::erfc(z) - 2 * std::numbers::inv_sqrtpi * std::exp(-z * z) * rest);
}

namespace {

// The normal quantile of p, given q = p - 1/2 and the smaller one of p and 1 - p.
Real normal_quantile(Real q, Real tail) {
  static constexpr Real kCenter[] = {3.3871328727963666080e0L,  1.3314166789178437745e+2L,
                                     1.9715909503065514427e+3L, 1.3731693765509461125e+4L,
                                     4.5921953931549871457e+4L, 6.7265770927008700853e+4L,
                                     3.3430575583588128105e+4L, 2.5090809287301226727e+3L};
  static constexpr Real kCenterBelow[] = {1,
                                          4.2313330701600911252e+1L,
                                          6.8718700749205790830e+2L,
                                          5.3941960214247511077e+3L,
                                          2.1213794301586595867e+4L,
                                          3.9307895800092710610e+4L,
                                          2.8729085735721942674e+4L,
                                          5.2264952788528545610e+3L};
  static constexpr Real kMiddle[] = {1.42343711074968357734e0L,  4.63033784615654529590e0L,
                                     5.76949722146069140550e0L,  3.64784832476320460504e0L,
                                     1.27045825245236838258e0L,  2.41780725177450611770e-1L,
                                     2.27238449892691845833e-2L, 7.74545014278341407640e-4L};
  static constexpr Real kMiddleBelow[] = {1,
                                          2.05319162663775882187e0L,
                                          1.67638483018380384940e0L,
                                          6.89767334985100004550e-1L,
                                          1.48103976427480074590e-1L,
                                          1.51986665636164571966e-2L,
                                          5.47593808499534494600e-4L,
                                          1.05075007164441684324e-9L};
  static constexpr Real kTail[] = {6.65790464350110377720e0L,  5.46378491116411436990e0L,
                                   1.78482653991729133580e0L,  2.96560571828504891230e-1L,
                                   2.65321895265761230930e-2L, 1.24266094738807843860e-3L,
                                   2.71155556874348757815e-5L, 2.01033439929228813265e-7L};
  static constexpr Real kTailBelow[] = {1,
                                        5.99832206555887937690e-1L,
                                        1.36929880922735805310e-1L,
                                        1.48753612908506148525e-2L,
                                        7.86869131145613259100e-4L,
                                        1.84631831751005468180e-5L,
                                        1.42151175831644588870e-7L,
                                        2.04426310338993978564e-15L};
  if (std::abs(q) <= 0.425L) {
    const Real r = 0.180625L - q * q;
    return q * (polynomial(r, kCenter) / polynomial(r, kCenterBelow));
  }
  if (tail == 0) return std::copysign(Real(kInf), q);
  const Real r = std::sqrt(-std::log(tail));
  Real x = r <= 5 ? polynomial(r - 1.6L, kMiddle) / polynomial(r - 1.6L, kMiddleBelow)
                  : polynomial(r - 5, kTail) / polynomial(r - 5, kTailBelow);
  if (tail > 1e-300) {
    const Real density = std::exp(-x * x / 2) / std::sqrt(2 * kPi);
    x += (std::erfc(x / std::numbers::sqrt2_v<Real>) / 2 - tail) / density;
  }
  return q < 0 ? -x : x;
}

}  // namespace

double normal_icdf(double p) {
  if (!(p >= 0 && p <= 1)) return kNan;
  const double q = p - 0.5;
  // 1 - p is exact where it is small.
  return static_cast<double>(normal_quantile(q, q < 0 ? p : 1 - p));
}

// erf(x) = 2 p - 1 for the normal quantile sqrt(2) x of p.
double erfinv(double x) {
  if (!(x >= -1 && x <= 1)) return kNan;
  const Real half = Real(x) / 2;
  return static_cast<double>(normal_quantile(half, 0.5L - std::abs(half)) /
                             std::numbers::sqrt2_v<Real>);
}

double logaddexp_near_zero(double a, double b) {
  const Real m = a > b ? a : b, d = std::abs(Real(a) - b);
  return static_cast<double>(m + std::log1p(std::exp(-d)));
}

}  // namespace autograd::detail
