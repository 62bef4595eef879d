// SPDX-License-Identifier: Apache-2.0
// Cofactors from the singular value decomposition: with a = U S V^T they are
// det(U) det(V) U cofactors(S) V^T, and those of a diagonal matrix are products of all but one of its
// elements. No division, so a may be singular.
#if AUTOGRAD_EIGEN
#include "eigen-inl.hpp"

#include <Eigen/LU>

namespace autograd::kernels {

namespace {

template <class T> struct Factors {
  RowMatrix<T> u, vh;
  Vector<T> s;
  bool converged;

  Factors(const T* a, std::size_t n)
      : u(static_cast<Index>(n), static_cast<Index>(n)),
        vh(static_cast<Index>(n), static_cast<Index>(n)),
        s(static_cast<Index>(n)),
        converged(svd(a, u.data(), s.data(), vh.data(), n, n)) {}

  // det(U) det(V), which is 1 or -1.
  T orientation() const {
    const auto sign = [](const RowMatrix<T>& x) { return Matrix<T>(x).determinant() < 0; };
    return sign(u) == sign(vh) ? T{1} : T{-1};
  }
  // The product of all values but those at i and j.
  T product_without(Index i, Index j) const {
    T product{1};
    for (Index k = 0; k < s.size(); ++k) product *= k == i || k == j ? T{1} : s(k);
    return product;
  }
};

}  // namespace

template <class T> bool cofactors(const T* a, T* c, std::size_t n) {
  if (n == 0) return true;
  const Factors<T> factors(a, n);
  if (!factors.converged) return false;
  Vector<T> rest(factors.s.size());
  for (Index i = 0; i < rest.size(); ++i) rest(i) = factors.product_without(i, i);
  rest *= factors.orientation();
  matrix(c, n, n) = factors.u * rest.asDiagonal() * factors.vh;
  return true;
}

// At a diagonal matrix S, with P_ij the product of all values but s_i and s_j (i != j):
// d cofactor_ii / d S_jj = P_ij, d cofactor_ij / d S_ji = -P_ij, and nothing else.
template <class T> bool cofactors_vjp(const T* a, const T* g, T* da, std::size_t n) {
  if (n == 0) return true;
  const Factors<T> factors(a, n);
  if (!factors.converged) return false;
  const Matrix<T> h = factors.u.transpose() * matrix(g, n, n) * factors.vh.transpose();
  Matrix<T> result = Matrix<T>::Zero(h.rows(), h.cols());
  for (Index i = 0; i < h.rows(); ++i) {
    for (Index j = 0; j < h.cols(); ++j) {
      if (i == j) continue;
      const T p = factors.product_without(i, j);
      result(j, j) += h(i, i) * p;
      result(j, i) -= h(i, j) * p;
    }
  }
  result *= factors.orientation();
  matrix(da, n, n) = factors.u * result * factors.vh;
  return true;
}

template bool cofactors(const float*, float*, std::size_t);
template bool cofactors(const double*, double*, std::size_t);
template bool cofactors_vjp(const float*, const float*, float*, std::size_t);
template bool cofactors_vjp(const double*, const double*, double*, std::size_t);

}  // namespace autograd::kernels
#endif
