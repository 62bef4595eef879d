// SPDX-License-Identifier: Apache-2.0
// Normalization over any set of neighboring axes: x is seen as [outer, samples, groups, features, inner]
// and each of the samples x groups rows, elements (outer, features, inner), is standardized; weight and
// bias are [groups, features].
//   batch    outer n, samples 1, groups c, features 1, inner space
//   layer    1, rows, 1, n, 1        group   1, n, groups, c / groups, space
//   instance 1, n, c, 1, space
// Sums are taken in double, two passes for the variance. Threads get rows; sums over samples are cut
// into pieces that depend on the shape alone.
#pragma once

#include <cstddef>

namespace autograd::kernels {

struct NormShape {
  std::size_t outer = 1, samples = 1, groups = 1, features = 1, inner = 1;

  std::size_t rows() const { return samples * groups; }
  std::size_t row_size() const { return outer * features * inner; }
  std::size_t weights() const { return groups * features; }
  std::size_t numel() const { return rows() * row_size(); }
};

/// One of each row: the mean, the (biased) variance, and 1 / sqrt(variance + eps).
struct NormStatistics {
  double *mean, *variance, *scale;
};
/// Fills in the statistics of x and gives what norm_forward does with them, row by row while a row is in
/// cache. With center false: mean 0 and the mean square.
template <class T>
void norm_standardize(const NormShape& s, bool center, double eps, const T* x, const T* weight,
                      const T* bias, const NormStatistics& statistics, T* y);
/// y = (x - mean) scale weight + bias; mean and scale: one for each row; weight, bias may be null.
template <class T>
void norm_forward(const NormShape& s, const T* x, const double* mean, const double* scale,
                  const T* weight, const T* bias, T* y);

/// What norm_backward writes; null: not wanted.
template <class T> struct NormGradients { T *x, *weight, *bias; };
/// How the statistics depend on x.
enum class NormKind { fixed, centered, uncentered };
/// The adjoint of norm_forward with the statistics of x (or fixed ones).
template <class T>
void norm_backward(const NormShape& s, NormKind kind, const T* x, const double* mean,
                   const double* scale, const T* weight, const T* dy, const NormGradients<T>& dx);

}  // namespace autograd::kernels
