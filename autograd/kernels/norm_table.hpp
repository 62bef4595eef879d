// SPDX-License-Identifier: Apache-2.0
// What one instruction set provides for norm.cpp: loops over one contiguous stretch. Internal.
#pragma once

#include <cmath>
#include <cstddef>

namespace autograd::kernels {

/// x - mean for an x and a mean of one type: a float mean alone would lose what its rounding leaves.
template <class T> struct Center {
  T high, low;
  explicit Center(double mean)
      : high(static_cast<T>(mean)),
        low(std::isfinite(mean) ? static_cast<T>(mean - static_cast<double>(high)) : T(0)) {}
};

/// A weight or bias along a stretch: one per element, or one for all.
template <class T> struct Along {
  const T* each;  // null: `all`
  T all;
};

template <class T> struct NormTable {
  /// The sum of x, and that of (x - mean)^2, in double.
  double (*sum)(std::size_t n, const T* x);
  double (*squares)(std::size_t n, const T* x, double mean);
  /// y = (x - mean) scale weight + bias.
  void (*apply)(std::size_t n, const T* x, Center<T> center, T scale, Along<T> weight,
                Along<T> bias, T* y);
  /// Adds sum(w dy) to sums[0] and sum(w dy (x - mean) scale) to sums[1].
  void (*sums)(std::size_t n, const T* x, const T* dy, double mean, double scale, const T* weight,
               double* sums);
  /// dx = scale (dy w - shift - (x - mean) scale along).
  void (*give_back)(std::size_t n, const T* x, const T* dy, Center<T> center, T scale,
                    Along<T> weight, T shift, T along, T* dx);
  /// For each of n columns, adds dy and dy (x - mean) scale of some rows, which lie n apart.
  void (*columns)(std::size_t rows, std::size_t n, const T* x, const T* dy, const double* mean,
                  const double* scale, double* plain, double* times);
};

const NormTable<float>& norm_table(float);
const NormTable<double>& norm_table(double);

}  // namespace autograd::kernels
