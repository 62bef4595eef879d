// SPDX-License-Identifier: Apache-2.0
// Cholesky and QR.
#if AUTOGRAD_EIGEN
#include "eigen-inl.hpp"

#include <Eigen/Cholesky>
#include <Eigen/QR>

#include <cmath>

namespace autograd::kernels {

template <class T> std::ptrdiff_t cholesky(const T* a, T* l, std::size_t n) {
  if (n == 0) return -1;
  // LLT's own loop, because LLT does not tell at which minor it stopped.
  Matrix<T> factor = matrix(a, n, n);
  const Index bad = eigen::internal::llt_inplace<T, eigen::Lower>::blocked(factor);
  if (bad >= 0) return bad;
  for (Index i = 0; i < factor.rows(); ++i) {
    if (std::isnan(factor(i, i))) return i;
  }
  auto y = matrix(l, n, n);
  y.setZero();
  y.template triangularView<eigen::Lower>() = factor;
  return -1;
}

template <class T> void qr(const T* a, T* q, T* r, std::size_t m, std::size_t n) {
  if (n == 0) return;
  const eigen::HouseholderQR<Matrix<T>> factors(matrix(a, m, n));
  const auto rows = static_cast<Index>(m), columns = static_cast<Index>(n);
  Matrix<T> thin = Matrix<T>::Identity(rows, columns);
  thin.applyOnTheLeft(factors.householderQ());
  matrix(q, m, n) = thin;
  auto y = matrix(r, n, n);
  y.setZero();
  y.template triangularView<eigen::Upper>() = factors.matrixQR().topRows(columns);
}

template std::ptrdiff_t cholesky(const float*, float*, std::size_t);
template std::ptrdiff_t cholesky(const double*, double*, std::size_t);
template void qr(const float*, float*, float*, std::size_t, std::size_t);
template void qr(const double*, double*, double*, std::size_t, std::size_t);

}  // namespace autograd::kernels
#endif
