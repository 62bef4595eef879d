// SPDX-License-Identifier: Apache-2.0
// Scalars that are given by equations: x(p) with F(x, p) = 0, and the solution of a linear system. The
// derivative comes from the equations, not from the steps by which they were solved, so that the
// solver may be anything, and may branch or iterate as it likes.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "var.hpp"

namespace autograd {

/// x [n] for p [m], on plain numbers.
using Solver = std::function<std::vector<double>(std::span<const double> p)>;
/// F(x, p) [n], which is 0 where x solves the equations.
using Residual = std::function<std::vector<Var>(std::span<const Var> x, std::span<const Var> p)>;

/// x(p) with F(x, p) = 0: the solver finds x, and the implicit function theorem its derivative,
/// dx/dp = -(dF/dx)^-1 dF/dp; dx/dp is never formed, a sweep solves one transposed system.
/// F is recorded once on a tape of its own and swept n times; it must use no other variables than x
/// and p. Throws ShapeError unless F has as many elements as x, ValueError where dF/dx is singular, and
/// where one Newton step would still move x by more than 1e-6 (1 + |x|): x is no solution then.
std::vector<Var> implicit_function(const Solver& solve, const Residual& residual,
                                   std::span<const Var> p);

/// x [n] with A x = b, for A [n, n] by rows and b [n], by LU with partial pivoting.
/// Derivative: b_bar = A^-T x_bar, A_bar = -b_bar x^T (Giles: Collected matrix derivative results for
/// forward and reverse mode, 2008, section 2.3.1), with the factors of the solution. Throws ShapeError,
/// and ValueError where A is singular.
std::vector<Var> linear_solve(std::span<const Var> a, std::span<const Var> b);
/// The same on plain numbers.
std::vector<double> linear_solve(std::span<const double> a, std::span<const double> b);

}  // namespace autograd
