// SPDX-License-Identifier: Apache-2.0
// Public names of the binary rows that are no plain arithmetic.
#include "elementwise_apply.hpp"

namespace autograd {

using detail::binary;

Tensor fmax(const Tensor& a, const Tensor& b) { return binary<ops::Fmax>(a, b); }
Tensor fmin(const Tensor& a, const Tensor& b) { return binary<ops::Fmin>(a, b); }
Tensor fdim(const Tensor& a, const Tensor& b) { return binary<ops::Fdim>(a, b); }
Tensor hypot(const Tensor& a, const Tensor& b) { return binary<ops::Hypot>(a, b); }
Tensor atan2(const Tensor& a, const Tensor& b) { return binary<ops::Atan2>(a, b); }
Tensor logaddexp(const Tensor& a, const Tensor& b) { return binary<ops::LogAddExp>(a, b); }
Tensor ldexp(const Tensor& a, const Tensor& b) { return binary<ops::Ldexp>(a, b); }
Tensor fmod(const Tensor& a, const Tensor& b) { return binary<ops::Fmod>(a, b); }
Tensor remainder(const Tensor& a, const Tensor& b) { return binary<ops::Remainder>(a, b); }
Tensor ieee_remainder(const Tensor& a, const Tensor& b) { return binary<ops::IeeeRemainder>(a, b); }
Tensor copysign(const Tensor& a, const Tensor& b) { return binary<ops::Copysign>(a, b); }
Tensor nextafter(const Tensor& a, const Tensor& b) { return binary<ops::NextAfter>(a, b); }
Tensor beta(const Tensor& a, const Tensor& b) { return binary<ops::Beta>(a, b); }
Tensor xlogy(const Tensor& a, const Tensor& b) { return binary<ops::Xlogy>(a, b); }
Tensor direction(const Tensor& a, const Tensor& b) { return binary<ops::Direction>(a, b); }
Tensor digamma_step(const Tensor& a, const Tensor& b) { return binary<ops::DigammaStep>(a, b); }
Tensor trigamma_step(const Tensor& a, const Tensor& b) { return binary<ops::TrigammaStep>(a, b); }
Tensor polygamma(const Tensor& n, const Tensor& x) { return binary<ops::Polygamma>(n, x); }
Tensor polygamma(int n, const Tensor& x) {
  if (n < 0) {
    throw ValueError("polygamma: the order is " + std::to_string(n) + "; need n >= 0");
  }
  return polygamma(constant(is_floating(x.dtype()) ? x : to(x, float32), n), x);
}

}  // namespace autograd
