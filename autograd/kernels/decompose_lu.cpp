// SPDX-License-Identifier: Apache-2.0
// LU with partial pivoting: determinants, inverses, linear systems; and triangular systems.
#if AUTOGRAD_EIGEN
#include "eigen-inl.hpp"

#include <Eigen/LU>

#include <cmath>

namespace autograd::kernels {

namespace {

template <class T> using Lu = eigen::PartialPivLU<Matrix<T>>;

template <class T> Lu<T> factored(const T* a, std::size_t n) { return Lu<T>(matrix(a, n, n)); }

template <class T> std::ptrdiff_t zero_pivot(const Lu<T>& lu) {
  for (Index i = 0; i < lu.rows(); ++i) {
    if (lu.matrixLU()(i, i) == T{0}) return i;
  }
  return -1;
}

template <eigen::UpLoType kMode, class T>
void solve_triangle(const T* a, const T* b, T* x, std::size_t n, std::size_t k) {
  auto y = matrix(x, n, k);
  y = matrix(b, n, k);
  matrix(a, n, n).template triangularView<kMode>().solveInPlace(y);
}

}  // namespace

bool has_decompositions() { return true; }

template <class T> std::ptrdiff_t lu_inverse(const T* a, T* y, std::size_t n) {
  if (n == 0) return -1;
  const Lu<T> lu = factored(a, n);
  const std::ptrdiff_t bad = zero_pivot(lu);
  if (bad < 0) matrix(y, n, n) = lu.inverse();
  return bad;
}

template <class T>
std::ptrdiff_t lu_solve(const T* a, const T* b, T* x, std::size_t n, std::size_t k) {
  if (n == 0) return -1;
  const Lu<T> lu = factored(a, n);
  const std::ptrdiff_t bad = zero_pivot(lu);
  if (bad < 0 && k > 0) matrix(x, n, k) = lu.solve(matrix(b, n, k));
  return bad;
}

template <class T> T lu_determinant(const T* a, std::size_t n) {
  return n == 0 ? T{1} : factored(a, n).determinant();
}

template <class T> void lu_log_determinant(const T* a, T* sign, T* log_abs, std::size_t n) {
  *sign = T{1};
  *log_abs = T{0};
  if (n == 0) return;
  const Lu<T> lu = factored(a, n);
  *sign = static_cast<T>(lu.permutationP().determinant());
  for (Index i = 0; i < lu.rows(); ++i) {
    const T pivot = lu.matrixLU()(i, i);
    *sign *= static_cast<T>((pivot > 0) - (pivot < 0));
    *log_abs += std::log(std::abs(pivot));
  }
  if (std::isnan(*log_abs)) *sign = *log_abs;
}

template <class T>
void triangular_solve(const T* a, const T* b, T* x, std::size_t n, std::size_t k, bool upper,
                      bool unit) {
  if (n == 0 || k == 0) return;
  if (upper && unit) return solve_triangle<eigen::UnitUpper>(a, b, x, n, k);
  if (upper) return solve_triangle<eigen::Upper>(a, b, x, n, k);
  if (unit) return solve_triangle<eigen::UnitLower>(a, b, x, n, k);
  solve_triangle<eigen::Lower>(a, b, x, n, k);
}

template std::ptrdiff_t lu_inverse(const float*, float*, std::size_t);
template std::ptrdiff_t lu_inverse(const double*, double*, std::size_t);
template std::ptrdiff_t lu_solve(const float*, const float*, float*, std::size_t, std::size_t);
template std::ptrdiff_t lu_solve(const double*, const double*, double*, std::size_t, std::size_t);
template float lu_determinant(const float*, std::size_t);
template double lu_determinant(const double*, std::size_t);
template void lu_log_determinant(const float*, float*, float*, std::size_t);
template void lu_log_determinant(const double*, double*, double*, std::size_t);
template void triangular_solve(const float*, const float*, float*, std::size_t, std::size_t, bool,
                               bool);
template void triangular_solve(const double*, const double*, double*, std::size_t, std::size_t,
                               bool, bool);

}  // namespace autograd::kernels
#endif
