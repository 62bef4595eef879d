// SPDX-License-Identifier: Apache-2.0
// Linear algebra: products named and by index expression, linear systems, determinants, factorizations
// and functions of matrices. Names and semantics follow PyTorch's torch and torch.linalg. A matrix is
// the last two axes, all before are a batch. Operands are float32 or float64, of one dtype.
//
// Everything is differentiable to any order unless said otherwise. What needs Eigen throws Error in a
// library that was built without it: all from inverse on but matrix_power with an exponent >= 0.
// Results do not depend on the number of threads.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "functions.hpp"
#include "tensor.hpp"

namespace autograd {

// --- Products.
/// The sum of a_i b_i of two vectors of one length.
Tensor dot(const Tensor& a, const Tensor& b);
/// a_i b_j of two vectors: [n, m].
Tensor outer(const Tensor& a, const Tensor& b);
/// [n, k] by [k].
Tensor mv(const Tensor& a, const Tensor& v);
/// [b, n, k] by [b, k, m], without broadcasting.
Tensor bmm(const Tensor& a, const Tensor& b);
/// Every element of a times all of b, as blocks; the shorter shape gets ones in front. At most 4 axes.
Tensor kron(const Tensor& a, const Tensor& b);
/// The sum of the diagonal: [..., m, n] to [...].
Tensor trace(const Tensor& x);
/// The product of n factors a [..., m, m], by repeated squaring; n = 0 gives identities (with gradient
/// 0), n < 0 powers of the inverse.
Tensor matrix_power(const Tensor& a, std::int64_t n);
/// Einstein's summation: "ij,jk->ik". One letter per axis of each operand, "..." for axes that are
/// aligned from the right and broadcast; letters that are not in the output are summed over; one that
/// an operand repeats is its diagonal. Without "->" the output is "..." and then the letters that
/// occur once, in ASCII order. Extents of a letter are equal or 1. Operands are contracted in
/// pairs, in the order of least work (exhaustively up to 8 operands, then greedily), as products of
/// matrices. Throws ValueError for an expression that is none, ShapeError where it does not fit.
Tensor einsum(const std::string& expression, const std::vector<Tensor>& operands);

// --- Determinants and linear systems.
/// det a; right derivatives, first and second, also where a is singular; the third divides by det a.
Tensor det(const Tensor& a);
struct SlogdetResult {
  Tensor sign;       ///< -1, 0 or 1; a constant: its derivative is 0 wherever it has one
  Tensor logabsdet;  ///< ln |det a|; -inf where a is singular, where its gradient is infinite
};
SlogdetResult slogdet(const Tensor& a);
/// ln det a; NaN, and its gradient NaN, where det a < 0.
Tensor logdet(const Tensor& a);
/// a^-1. Throws ValueError, naming the matrix, where a pivot of its LU factorization is exactly 0.
Tensor inverse(const Tensor& a);
/// The x of a x = b: a [..., n, n], b [..., n, k], or [n], or [..., n] where that is a's shape without
/// its last axis. Batches broadcast. Throws as inverse does.
Tensor solve(const Tensor& a, const Tensor& b);
struct SolveTriangularOptions {
  bool upper = false;          ///< read the upper triangle of a, else the lower one
  bool left = true;            ///< solve a x = b, else x a = b
  bool unitriangular = false;  ///< take the diagonal of a for ones
};
/// The other triangle of a is not read and has gradient 0. A zero on the diagonal gives infinity or NaN,
/// as PyTorch does.
Tensor solve_triangular(const Tensor& a, const Tensor& b, SolveTriangularOptions options = {});

struct PinvOptions {
  double rtol =
      -1;  ///< singular values up to rtol times the largest count as 0; < 0: max(m, n) eps
};
/// Moore and Penrose's inverse: [..., m, n] to [..., n, m]. The gradient is that among matrices of
/// the same rank; across a change of rank pinv jumps.
Tensor pinv(const Tensor& a, PinvOptions options = {});
struct LstsqResult {
  Tensor solution;         ///< [..., n, k], the shortest of those with the least residual
  Tensor residuals;        ///< [..., k], sums of squares where m > n and all ranks are n; else [0]
  Tensor rank;             ///< int64 [...]
  Tensor singular_values;  ///< [..., min(m, n)]
};
/// The x that minimizes |a x - b|: a [..., m, n], b [..., m, k], or a vector by the rule of solve. By
/// singular values, so a may be of any rank. Only the solution is differentiable, as pinv(a) b is.
LstsqResult lstsq(const Tensor& a, const Tensor& b, PinvOptions options = {});

// --- Factorizations. What is called symmetric is not checked to be.
struct TriangleOptions {
  bool upper = false;  ///< read the upper triangle of a, else the lower one
};
/// The lower triangular l with l l^T = a, of symmetric positive definite a; with {.upper = true} the u
/// with u^T u = a. The other triangle of a is not read; the gradient is symmetric, as if it were.
/// Throws ValueError, naming the matrix and its minor, where a is not positive definite.
Tensor cholesky(const Tensor& a, TriangleOptions options = {});
struct QrResult {
  Tensor q;  ///< [..., m, k], k = min(m, n), orthonormal columns
  Tensor r;  ///< [..., k, n], upper triangular; its diagonal has either sign
};
/// a = q r, reduced. The gradient needs the first k columns of a to be independent: infinite else.
QrResult qr(const Tensor& a);
struct EighResult {
  Tensor eigenvalues;   ///< [..., n], ascending
  Tensor eigenvectors;  ///< [..., n, n], in columns, each up to its sign
};
/// a = v diag(l) v^T of symmetric a; reads one triangle, with a symmetric gradient. Eigenvectors of
/// repeated eigenvalues (to 2 sqrt(n) eps max |l|) have no derivative: the gradient of a loss that depends
/// on them is NaN. Of eigenvalues alone it is finite, and right for symmetric functions of repeated ones.
/// A loss must not depend on the signs. Throws ValueError for elements that are not finite.
EighResult eigh(const Tensor& a, TriangleOptions options = {});
struct SvdResult {
  Tensor u;   ///< [..., m, k], k = min(m, n)
  Tensor s;   ///< [..., k], descending
  Tensor vh;  ///< [..., k, n]
};
/// a = u diag(s) vh, reduced. Gradients as of eigh: NaN where a loss depends on vectors whose singular
/// values agree or, where m != n, are 0; finite for s alone.
SvdResult svd(const Tensor& a);

/// e^a, the sum of a^k / k!; NaN for elements that are not finite.
Tensor matrix_exp(const Tensor& a);

/// Whether the library was built with Eigen.
bool has_decompositions();

}  // namespace autograd
