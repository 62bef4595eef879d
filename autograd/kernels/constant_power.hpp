// SPDX-License-Identifier: Apache-2.0
// Powers with one exponent for all elements that needs no logarithm. power-inl.hpp computes them.
#pragma once

#include <cstddef>

namespace autograd::kernels {

/// An exponent e as |e| = whole, or whole + 1/2.
struct ConstantPower {
  bool easy = false, root = false, inverse = false;
  int whole = 0;
};

/// y[i] = a[i]^e of one instruction set; n is a multiple of every vector's length. y may be a.
template <class T>
using PowerBlock = void (*)(const ConstantPower& p, const T* a, T* y, std::size_t n);

/// y[i] = a[i]^e within 2 ulp, or where dy is not null, dy[i] e a[i]^(e - 1), the power within 4 ulp,
/// and 0 where dy[i] is 0. y may be a or dy. False: nothing was done, this power needs a logarithm.
template <class T>
bool constant_powers(PowerBlock<T> block, T e, const T* a, const T* dy, T* y, std::size_t n);
extern template bool constant_powers(PowerBlock<float>, float, const float*, const float*, float*,
                                     std::size_t);
extern template bool constant_powers(PowerBlock<double>, double, const double*, const double*,
                                     double*, std::size_t);

}  // namespace autograd::kernels
