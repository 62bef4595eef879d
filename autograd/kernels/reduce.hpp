// SPDX-License-Identifier: Apache-2.0
// Reductions along one axis of a contiguous array seen as [outer, extent, inner], and the softmax
// family. Results are y: [outer, inner] for reductions, [outer, extent, inner] otherwise.
// Sums follow a fixed tree that depends on the shape alone: the same bits for any number of
// threads, and an error that grows with log(extent). T is float or double. y must not overlap x
// unless stated.
#pragma once

#include <cstddef>

namespace autograd::kernels {

/// y[o, i] = sum over e of x[o, e, i]; 0 for extent 0.
template <class T>
void sum(const T* x, T* y, std::size_t outer, std::size_t extent, std::size_t inner);
/// The largest element; NaN when there is one; -inf for extent 0.
template <class T>
void max(const T* x, T* y, std::size_t outer, std::size_t extent, std::size_t inner);
/// The smallest element; NaN when there is one; +inf for extent 0.
template <class T>
void min(const T* x, T* y, std::size_t outer, std::size_t extent, std::size_t inner);

/// log(sum exp(x)): -inf when all are -inf, +inf when one is +inf, NaN when one is NaN.
template <class T>
void logsumexp(const T* x, T* y, std::size_t outer, std::size_t extent, std::size_t inner);
/// exp(x - logsumexp(x)); 0 everywhere when all are -inf; y may be x.
template <class T>
void softmax(const T* x, T* y, std::size_t outer, std::size_t extent, std::size_t inner);
/// x - logsumexp(x); -inf everywhere when all are -inf; y may be x.
template <class T>
void log_softmax(const T* x, T* y, std::size_t outer, std::size_t extent, std::size_t inner);
/// dx = y (dy - sum(dy y)), y being softmax(x); dx may be dy.
template <class T>
void softmax_backward(const T* y, const T* dy, T* dx, std::size_t outer, std::size_t extent,
                      std::size_t inner);
/// dx = dy - exp(y) sum(dy), y being log_softmax(x); dx may be dy.
template <class T>
void log_softmax_backward(const T* y, const T* dy, T* dx, std::size_t outer, std::size_t extent,
                          std::size_t inner);

}  // namespace autograd::kernels
