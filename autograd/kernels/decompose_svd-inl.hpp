// SPDX-License-Identifier: Apache-2.0
// Singular values and vectors; compiled once for each dtype, in a file of its own, because Eigen's
// divide and conquer takes a compiler half a minute.
#pragma once

#include "eigen-inl.hpp"

#include <Eigen/SVD>

namespace autograd::kernels {

template <class T> bool svd(const T* a, T* u, T* s, T* vh, std::size_t m, std::size_t n) {
  const std::size_t k = m < n ? m : n;
  if (k == 0) return true;
  const Matrix<T> source = matrix(a, m, n);
  const eigen::BDCSVD<Matrix<T>> factors(source, eigen::ComputeThinU | eigen::ComputeThinV);
  if (factors.info() != eigen::Success) return false;
  matrix(u, m, k) = factors.matrixU();
  matrix(s, k, 1) = factors.singularValues();
  matrix(vh, k, n) = factors.matrixV().transpose();
  return true;
}

}  // namespace autograd::kernels
