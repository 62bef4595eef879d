// SPDX-License-Identifier: Apache-2.0
// Factorizations of one row-major float or double matrix, computed by Eigen on the calling thread:
// callers split batches, never a matrix, so results do not depend on the number of threads. Outputs
// must not overlap inputs. The bodies are in decompose_*.cpp; a library built without Eigen has those of
// decompose_none.cpp in their place, which throw Error.
#pragma once

#include <cstddef>

namespace autograd::kernels {

/// Whether the library was built with Eigen.
bool has_decompositions();

/// y = a^-1; a, y: [n, n]. -1, or the first pivot of a's LU factorization that is 0.
template <class T> std::ptrdiff_t lu_inverse(const T* a, T* y, std::size_t n);
/// a x = b; a: [n, n]  b, x: [n, k]. Returns as lu_inverse does.
template <class T>
std::ptrdiff_t lu_solve(const T* a, const T* b, T* x, std::size_t n, std::size_t k);
template <class T> T lu_determinant(const T* a, std::size_t n);
/// The sign of the determinant, 0 for a singular matrix, and ln |det|.
template <class T> void lu_log_determinant(const T* a, T* sign, T* log_abs, std::size_t n);

/// a x = b for the triangle of a that `upper` names; `unit`: its diagonal counts as ones.
template <class T>
void triangular_solve(const T* a, const T* b, T* x, std::size_t n, std::size_t k, bool upper,
                      bool unit);

/// a = l l^T, reading a's lower triangle. -1, or the first leading minor that is not positive.
template <class T> std::ptrdiff_t cholesky(const T* a, T* l, std::size_t n);

/// a = q r; a: [m, n]  q: [m, n]  r: [n, n], m >= n. Householder's, so r's diagonal has either sign.
template <class T> void qr(const T* a, T* q, T* r, std::size_t m, std::size_t n);

/// a = v diag(values) v^T, ascending, reading a's lower triangle. False: no convergence.
template <class T> bool eigh(const T* a, T* values, T* v, std::size_t n);

/// a = u diag(s) vh, s descending; a: [m, n]  u: [m, k]  s: [k]  vh: [k, n], k = min(m, n).
/// False: no convergence.
template <class T> bool svd(const T* a, T* u, T* s, T* vh, std::size_t m, std::size_t n);

/// The cofactors c of a: c_ij = d det(a) / d a_ij, also where a is singular. False as svd.
template <class T> bool cofactors(const T* a, T* c, std::size_t n);
/// da = the gradient of <g, cofactors(a)>, also where a is singular. False as svd.
template <class T> bool cofactors_vjp(const T* a, const T* g, T* da, std::size_t n);

/// y = e^a; a, y: [n, n].
template <class T> void matrix_exp(const T* a, T* y, std::size_t n);

}  // namespace autograd::kernels
