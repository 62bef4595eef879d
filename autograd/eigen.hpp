// SPDX-License-Identifier: Apache-2.0
// Eigen (3.3 or later) over the library's scalars: Eigen::Matrix<autograd::Var, ...> computes, factors
// and solves, and so do matrices of the types that the drivers call a function with. Not part of
// autograd.hpp; include it before Eigen's headers are used with these scalars.
//
// Every element is recorded on its own; for large matrices tensors are faster. Pivots are chosen by
// value, so a factorization is differentiated for the pivots that it took.
#pragma once

#include <Eigen/Core>
#include <Eigen/SparseCore>

#include <concepts>
#include <limits>
#include <vector>

#include "dual.hpp"
#include "sparse.hpp"
#include "var.hpp"

namespace autograd {

namespace detail {

// What Eigen needs to know of a scalar that takes the place of double.
template <class T> struct EigenTraits : Eigen::NumTraits<double> {
  using Real = T;
  using NonInteger = T;
  using Nested = T;
  using Literal = double;
  enum {
    IsComplex = 0,
    IsInteger = 0,
    IsSigned = 1,
    RequireInitialization = 1,
    ReadCost = 1,
    AddCost = 3,
    MulCost = 3
  };
  static T epsilon() { return T(std::numeric_limits<double>::epsilon()); }
  static T dummy_precision() { return T(1e-12); }
  static T highest() { return T(std::numeric_limits<double>::max()); }
  static T lowest() { return T(std::numeric_limits<double>::lowest()); }
  static T infinity() { return T(std::numeric_limits<double>::infinity()); }
  static T quiet_NaN() { return T(std::numeric_limits<double>::quiet_NaN()); }
};

}  // namespace detail

/// The matrix as Eigen's, compressed. Copies.
inline Eigen::SparseMatrix<double> to_eigen(const SparseMatrix& matrix) {
  std::vector<Eigen::Triplet<double>> triplets;
  triplets.reserve(matrix.values.size());
  for (std::size_t k = 0; k < matrix.values.size(); ++k) {
    triplets.emplace_back(static_cast<int>(matrix.rows[k]), static_cast<int>(matrix.cols[k]),
                          matrix.values[k]);
  }
  Eigen::SparseMatrix<double> result(matrix.shape[0], matrix.shape[1]);
  result.setFromTriplets(triplets.begin(), triplets.end());
  return result;
}

}  // namespace autograd

namespace Eigen {

template <class R>
struct NumTraits<autograd::BasicVar<R>> : autograd::detail::EigenTraits<autograd::BasicVar<R>> {};
template <int N, class T, class L>
struct NumTraits<autograd::Dual<N, T, L>> : autograd::detail::EigenTraits<autograd::Dual<N, T, L>> {
};

// Matrices of doubles beside matrices of variables.
template <class R, class Op> struct ScalarBinaryOpTraits<autograd::BasicVar<R>, double, Op> {
  using ReturnType = autograd::BasicVar<R>;
};
template <class R, class Op> struct ScalarBinaryOpTraits<double, autograd::BasicVar<R>, Op> {
  using ReturnType = autograd::BasicVar<R>;
};
template <int N, class T, class L, class Op>
struct ScalarBinaryOpTraits<autograd::Dual<N, T, L>, double, Op> {
  using ReturnType = autograd::Dual<N, T, L>;
};
template <int N, class T, class L, class Op>
struct ScalarBinaryOpTraits<double, autograd::Dual<N, T, L>, Op> {
  using ReturnType = autograd::Dual<N, T, L>;
};

}  // namespace Eigen
