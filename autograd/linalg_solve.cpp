// SPDX-License-Identifier: Apache-2.0
// Public names of determinants, inverses, linear systems and functions of matrices.
#include <limits>

#include "apply.hpp"
#include "create.hpp"
#include "kernels/decompositions.hpp"
#include "linalg.hpp"
#include "ops/matrices.hpp"

namespace autograd {

using ops::columns_of;
using ops::rows_of;
using ops::without_last;

namespace {

// Whether b is a batch of vectors and not of matrices, by PyTorch's rule.
bool is_vector(const Tensor& a, const Tensor& b) {
  if (b.dim() == 1) return true;
  return a.dim() - 1 == b.dim() && b.shape() == without_last(a.shape(), 1);
}

Tensor transposed(const Tensor& x) { return transpose(detach(x)); }

}  // namespace

bool has_decompositions() { return kernels::has_decompositions(); }

Tensor det(const Tensor& a) { return apply(ops::Det{}, a); }
Tensor detail::cofactors(const Tensor& a) { return apply(ops::Cofactors{}, a); }

SlogdetResult slogdet(const Tensor& a) {
  ops::require_square("slogdet", "a", a);
  const std::int64_t n = rows_of(a);
  const Shape lead = without_last(a.shape(), 2);
  const Tensor source = ops::row_major(detach(a));
  Tensor sign = ops::make(lead, a.dtype()), value = ops::make(lead, a.dtype());
  dispatch_floating("slogdet", a.dtype(), [&]<class T>(T) {
    ops::for_each_in_batch(
        lead.numel(), static_cast<double>(n * n) * static_cast<double>(n), [&](std::int64_t i) {
          kernels::lu_log_determinant(ops::data<T>(source) + i * n * n, ops::data<T>(sign) + i,
                                      ops::data<T>(value) + i, static_cast<std::size_t>(n));
          return std::int64_t{-1};
        });
  });
  return {sign, apply(ops::LogAbsDet{value}, a)};
}
Tensor logdet(const Tensor& a) {
  const SlogdetResult y = slogdet(a);
  // A factor and not a choice, so that the gradient is NaN where the value is.
  return y.logabsdet *
         where(y.sign < 0.0, std::numeric_limits<double>::quiet_NaN(), ones_like(y.sign));
}

Tensor inverse(const Tensor& a) { return apply(ops::Inverse{}, a); }

Tensor solve(const Tensor& a, const Tensor& b) {
  return apply(ops::Solve{is_vector(a, b), b.shape()}, a, b);
}
Tensor solve_triangular(const Tensor& a, const Tensor& b, SolveTriangularOptions options) {
  const ops::SolveTriangular op{options.upper, options.unitriangular, b.shape()};
  if (options.left) return apply(op, a, b);
  // x a = b is a^T x^T = b^T.
  ops::require_square("solve_triangular", "a", a);
  ops::require_matrix("solve_triangular", "b", b);
  ops::require_same_dtype("solve_triangular", a, b);
  if (columns_of(b) != rows_of(a)) {
    throw ShapeError("solve_triangular: the right side does not fit: a is " + to_string(a.shape()) +
                     ", b is " + to_string(b.shape()) +
                     "; need b.shape[-1] == a.shape[-2] when left is false (" +
                     std::to_string(columns_of(b)) + " != " + std::to_string(rows_of(a)) + ")");
  }
  broadcast_batches("solve_triangular", a.shape(), 2, b.shape(), 2);
  const Tensor right = transpose(b);
  return transpose(apply(ops::SolveTriangular{!options.upper, options.unitriangular, right.shape()},
                         transpose(a), right));
}

Tensor matrix_exp(const Tensor& a) { return apply(ops::MatrixExp{}, a); }

Tensor pinv(const Tensor& a, PinvOptions options) {
  ops::require_matrix("pinv", "a", a);
  ops::require_finite("pinv", a);
  return apply(ops::Pinv{options.rtol}, a);
}

LstsqResult lstsq(const Tensor& a, const Tensor& b, PinvOptions options) {
  ops::require_matrix("lstsq", "a", a);
  const bool vector = is_vector(a, b);
  if (!vector) ops::require_matrix("lstsq", "b", b);
  ops::require_same_dtype("lstsq", a, b);
  const std::int64_t m = rows_of(a), n = columns_of(a);
  const int axis = b.dim() - (vector ? 1 : 2);
  if (b.shape()[axis] != m) {
    throw ShapeError("lstsq: the right side does not fit: a is " + to_string(a.shape()) +
                     ", b is " + to_string(b.shape()) + "; need a.shape[-2] == b.shape[" +
                     (vector ? "-1" : "-2") + "] (" + std::to_string(m) +
                     " != " + std::to_string(b.shape()[axis]) + ")");
  }
  broadcast_batches("lstsq", a.shape(), 2, b.shape(), vector ? 1 : 2);
  ops::require_finite("lstsq", a);
  const Tensor matrix = detach(a);
  const Tensor right = vector ? reshape(detach(b), ops::with(b.shape(), {1})) : detach(b);
  const SvdResult f = svd(matrix);
  const Tensor inverse_s = ops::inverted(f.s, options.rtol, m, n);
  Tensor x = matmul(transposed(f.vh), ops::times_rows(matmul(transposed(f.u), right), inverse_s));
  LstsqResult result;
  result.singular_values = f.s;
  result.rank = sum(to(inverse_s != 0.0, int64), {-1});
  bool full = m > n;
  for (std::int64_t rank : result.rank.data<std::int64_t>()) full = full && rank == n;
  result.residuals =
      full ? sum(square(right - matmul(matrix, x)), {-2}) : ops::make({0}, a.dtype());
  if (vector) x = reshape(x, without_last(x.shape(), 1));
  result.solution = apply(ops::Lstsq{options.rtol, vector, x}, a, b);
  return result;
}

}  // namespace autograd
