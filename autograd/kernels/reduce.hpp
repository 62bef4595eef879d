// SPDX-License-Identifier: Apache-2.0
// Reductions along one axis of a contiguous array seen as [outer, extent, inner], and the softmax
// family. Results are y: [outer, inner] for reductions, [outer, extent, inner] otherwise.
// Sums follow a fixed tree that depends on the shape alone: the same bits for any number of
// threads, and an error that grows with log(extent). T is float or double. y must not overlap x
// unless stated.
#pragma once

#include <cstddef>
#include <cstdint>

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

/// Rows x [n, c], each with a label below c and a target q: 1 - smoothing at the label, and smoothing / c
/// everywhere. Of a label below 0 nothing counts, whatever the row holds.
struct LabeledRows {
  const std::int64_t* label;
  double smoothing;
  std::size_t n, c;
};
/// y[i] = -sum(q log_softmax(x)) of row i, and what log_softmax subtracted from the row, in two parts:
/// shift[i], then rest[i].
template <class T> void cross_entropy(const LabeledRows& rows, const T* x, T* y, T* shift, T* rest);
/// dx = dy (softmax(x) - q), dy [n].
template <class T>
void cross_entropy_backward(const LabeledRows& rows, const T* x, const T* shift, const T* rest,
                            const T* dy, T* dx);

}  // namespace autograd::kernels
