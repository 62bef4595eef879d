// SPDX-License-Identifier: Apache-2.0
// Products and running sums along one axis of a contiguous array seen as [outer, extent, inner].
// A line is walked in order by one thread, with double accumulators for float: the same bits for any
// number of threads. `reverse` walks from the last element to the first. T is float, double or (where
// said) std::int64_t, which wraps around. y must not overlap an input.
#pragma once

#include <cstddef>
#include <cstdint>

namespace autograd::kernels {

struct Lines {
  std::size_t outer = 1, extent = 1, inner = 1;
};

/// y[o, i] = product over e of x[o, e, i]; 1 for extent 0.
template <class T> void prod(const T* x, T* y, Lines lines);
/// dx[o, e, i] = dy[o, i] times the product of the line's other elements: no division, so that zeros
/// are nothing special. Two passes.
template <class T> void prod_backward(const T* x, const T* dy, T* dx, Lines lines);

/// y_e = x_0 + ... + x_e. Also std::int64_t.
template <class T> void cumsum(const T* x, T* y, Lines lines, bool reverse);
/// y_e = x_0 ... x_e. Also std::int64_t.
template <class T> void cumprod(const T* x, T* y, Lines lines, bool reverse);
/// y_e = ln(exp(x_0) + ... + exp(x_e)) by a running maximum and a sum relative to it.
template <class T> void logcumsumexp(const T* x, T* y, Lines lines, bool reverse);
/// y_e = a_e y_(e-1) + b_e, starting from 0. 0 times anything is 0, as in backward rules.
template <class T> void linear_scan(const T* a, const T* b, T* y, Lines lines, bool reverse);
/// The adjoint of y = cumprod(x): dx_e = y_(e-1) s_e with s_e = dy_e + x_(e+1) s_(e+1). One pass, no
/// division. `reverse` is that of the forward pass.
template <class T>
void cumprod_backward(const T* x, const T* y, const T* dy, T* dx, Lines lines, bool reverse);

}  // namespace autograd::kernels
