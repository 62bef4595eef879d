// SPDX-License-Identifier: Apache-2.0
// Once for all instruction sets: which powers are easy, and the loop over blocks that stay in L1.
#include "constant_power.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "../inline.hpp"
#include "elementwise.hpp"

namespace autograd::kernels {

namespace {

AUTOGRAD_OUTLINE ConstantPower power_of(double e) {
  ConstantPower p;
  const double size = std::abs(e);
  if (!(size <= 4)) return p;
  p.whole = static_cast<int>(size);
  p.root = size - p.whole == 0.5;
  p.inverse = e < 0;
  p.easy = size == p.whole || (p.root && p.whole <= 1);
  return p;
}

AUTOGRAD_OUTLINE ConstantPower value_power(double e) {
  ConstantPower p = power_of(e);
  // Of a^-1.5, a^-3 and a^-4 the rounding of 1 / a is too large a part.
  p.easy = p.easy && e >= -2 && e != -1.5;
  return p;
}

// For e = 0 the slope is 0 whatever a is: 0 times a^0.
AUTOGRAD_OUTLINE ConstantPower slope_power(double e) { return power_of(e == 0 ? 0 : e - 1); }

}  // namespace

template <class T>
bool constant_powers(PowerBlock<T> block, T e, const T* a, const T* dy, T* y, std::size_t n) {
  const ConstantPower p = dy == nullptr ? value_power(e) : slope_power(e);
  if (!p.easy) return false;
  constexpr std::size_t kBlock = 256, kVector = 64 / sizeof(T);
  T powers[kBlock] = {};
  for (std::size_t i = 0; i < n; i += kBlock) {
    const std::size_t count = std::min(kBlock, n - i), bytes = count * sizeof(T);
    const bool whole = count % kVector == 0;
    if (!whole) std::memcpy(powers, a + i, bytes);
    block(p, whole ? a + i : powers, whole && dy == nullptr ? y + i : powers,
          (count + kVector - 1) / kVector * kVector);
    if (dy == nullptr) {
      if (!whole) std::memcpy(y + i, powers, bytes);
      continue;
    }
    binary<ops::Mul, T>(powers, 1, &e, 0, powers, count);
    binary<ops::Chain, T>(dy + i, 1, powers, 1, y + i, count);
  }
  return true;
}

template bool constant_powers(PowerBlock<float>, float, const float*, const float*, float*,
                              std::size_t);
template bool constant_powers(PowerBlock<double>, double, const double*, const double*, double*,
                              std::size_t);

}  // namespace autograd::kernels
