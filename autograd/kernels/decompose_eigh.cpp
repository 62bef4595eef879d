// SPDX-License-Identifier: Apache-2.0
// Eigenvalues and eigenvectors of a symmetric matrix.
#if AUTOGRAD_EIGEN
#include "eigen-inl.hpp"

#include <Eigen/Eigenvalues>

namespace autograd::kernels {

template <class T> bool eigh(const T* a, T* values, T* v, std::size_t n) {
  if (n == 0) return true;
  const Matrix<T> source = matrix(a, n, n);
  const eigen::SelfAdjointEigenSolver<Matrix<T>> solver(source);
  if (solver.info() != eigen::Success) return false;
  matrix(values, n, 1) = solver.eigenvalues();
  matrix(v, n, n) = solver.eigenvectors();
  return true;
}

template bool eigh(const float*, float*, float*, std::size_t);
template bool eigh(const double*, double*, double*, std::size_t);

}  // namespace autograd::kernels
#endif
