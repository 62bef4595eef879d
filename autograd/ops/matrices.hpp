// SPDX-License-Identifier: Apache-2.0
// What the operations on matrices share: the checks, loops over batches, masks, and two internal ops
// that take a section of a tensor (a block, a diagonal, one of several results that an op packed into
// one tensor) and put it back. A matrix is the last two axes; all axes before are the batch.
#pragma once

#include <string>
#include <vector>

#include "../kernels/parallel.hpp"
#include "op.hpp"

namespace autograd::ops {

using Strides = std::array<std::int64_t, kMaxDim>;

/// Which elements of a row-major tensor of shape `from` make one of shape `shape`.
struct Section {
  Shape from, shape;
  Strides strides{};
  std::int64_t offset = 0;

  /// A run of elements from `offset` on.
  static Section run(const Shape& from, std::int64_t offset, const Shape& shape);
  /// Rows and columns of each matrix.
  static Section block(const Shape& from, std::int64_t row, std::int64_t rows, std::int64_t column,
                       std::int64_t columns);
  /// x[..., i, ..., i, ...] of two axes of equal extent; the diagonal is where the first one was.
  static Section diagonal(const Shape& from, int axis0, int axis1);
};

struct Part {
  static constexpr OpInfo info{"part", "a block, a diagonal or a run of x", "dy there, else 0",
                               "internal; a view"};
  static std::vector<OpCase> cases();
  Section at;

  static constexpr Saves saved() { return Saves::nothing; }
  Tensor forward(const Tensor& x) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};
struct Unpart {
  static constexpr OpInfo info{"unpart", "zeros with y as a block, a diagonal or a run", "part(dy)",
                               "internal"};
  static std::vector<OpCase> cases();
  Section at;

  static constexpr Saves saved() { return Saves::nothing; }
  Tensor forward(const Tensor& y) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};

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
template <class F> Trouble for_each_in_batch(std::int64_t count, double work, F&& f) {
  std::vector<std::int64_t> status(static_cast<std::size_t>(count), -1);
  const double grain = 40000 / (work + 1);
  kernels::parallel_for(status.size(), grain > 1 ? static_cast<std::size_t>(grain) : 1,
                        [&](std::size_t begin, std::size_t end) {
                          for (std::size_t i = begin; i < end; ++i) {
                            status[i] = f(static_cast<std::int64_t>(i));
                          }
                        });
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t s = status[static_cast<std::size_t>(i)];
    if (s >= 0) return {i, s};
  }
  return {};
}
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

namespace autograd::detail {

/// The recorded functions; internal.
Tensor part(const Tensor& x, const ops::Section& at);
Tensor unpart(const Tensor& y, const ops::Section& at);

}  // namespace autograd::detail
