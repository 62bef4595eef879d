// SPDX-License-Identifier: Apache-2.0
// Dense systems of linear equations on plain numbers. Internal; the differentiable form is
// linear_solve (implicit.hpp).
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace autograd::detail {

/// P A = L U with partial pivoting, for A of [n, n] by rows (Golub, Van Loan: Matrix Computations,
/// algorithm 3.4.1).
class Lu {
 public:
  /// Throws ValueError, naming `function` and `what`, for elements that are not finite and for a
  /// pivot that is lost in the rounding errors of the largest element.
  Lu(const char* function, const char* what, std::vector<double> a, std::size_t n);

  /// x <- A^-1 x.
  void solve(std::span<double> x) const;
  /// x <- A^-T x.
  void solve_transposed(std::span<double> x) const;

 private:
  double at(std::size_t i, std::size_t j) const { return lu_[i * n_ + j]; }

  std::size_t n_;
  std::vector<double> lu_;           // L below the diagonal (of ones), U on it and above
  std::vector<std::size_t> pivots_;  // the row that row i was exchanged with
};

}  // namespace autograd::detail
