// SPDX-License-Identifier: Apache-2.0
// What the operations on matrices share: checks, loops over batches, masks and helpers of backward rules.
// A matrix is the last two axes; all axes before are the batch.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "op.hpp"
#include "sections.hpp"

namespace autograd::ops {

// --- Checks; they name `function` and the operand.

/// Throws TypeError unless floating, ShapeError for fewer than two axes.
void require_matrix(const char* function, const char* operand, const Tensor& x);
/// Also for matrices that are not square.
void require_square(const char* function, const char* operand, const Tensor& x);
void require_same_dtype(const char* function, const Tensor& a, const Tensor& b);
/// Throws ValueError for NaN and infinity, which iterations would not come back from.
void require_finite(const char* function, const Tensor& x);

// --- Batches.

/// The axes before the last `drop`.
Shape without_last(const Shape& shape, int drop);
/// lead followed by the extents.
Shape with(const Shape& lead, std::initializer_list<std::int64_t> extents);
inline std::int64_t rows_of(const Tensor& x) { return x.shape()[x.dim() - 2]; }
inline std::int64_t columns_of(const Tensor& x) { return x.shape()[x.dim() - 1]; }
/// x with these axes before its matrix, in row-major order, untracked.
Tensor spread(const Tensor& x, const Shape& lead);

/// f(i) for each of `count` matrices of about `work` operations, on several cores; returns the first
/// i for which the status that f returned is not -1, and that status; {-1, -1} for none.
struct Trouble {
  std::int64_t matrix = -1, status = -1;
  explicit operator bool() const { return matrix >= 0; }
};
Trouble for_each_in_batch(std::int64_t count, double work,
                          const std::function<std::int64_t(std::int64_t)>& f);
/// "matrix 2 of the batch [3, 4]", or "the matrix" without a batch.
std::string which_matrix(std::int64_t matrix, const Shape& lead);
[[noreturn]] void throw_singular(const char* function, const Trouble& trouble, const Shape& lead);
[[noreturn]] void throw_not_converged(const char* function, const Trouble& trouble,
                                      const Shape& lead);

// --- Recorded helpers of backward rules.

/// The bool matrix [rows, columns] that is true where j - i <= diagonal, or on the diagonal alone.
Tensor lower_mask(std::int64_t rows, std::int64_t columns, std::int64_t diagonal);
Tensor diagonal_mask(std::int64_t n);
Tensor identity(std::int64_t n, DType dtype);
/// (x + x^T) / 2.
Tensor symmetric_part(const Tensor& x);
/// x - x^T.
Tensor twice_skew(const Tensor& x);
/// x [..., m, n] times v [..., n] in every row, or v [..., m] in every column.
Tensor times_columns(const Tensor& x, const Tensor& v);
Tensor times_rows(const Tensor& x, const Tensor& v);
/// v [..., n] on the diagonal of zeros.
Tensor on_diagonal(const Tensor& v);

}  // namespace autograd::ops
