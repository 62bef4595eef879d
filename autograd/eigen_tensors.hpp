// SPDX-License-Identifier: Apache-2.0
// Matrices of Eigen and tensors, where Eigen is installed. Optional: autograd.hpp does not include this,
// and without Eigen it is empty. Nothing here is recorded: gradients end where a tensor becomes a map.
#pragma once

#if __has_include(<Eigen/Core>) || __has_include(<eigen3/Eigen/Core>)
#if __has_include(<Eigen/Core>)
#include <Eigen/Core>
#else
#include <eigen3/Eigen/Core>
#endif
#include <string>
#include <vector>

#include "create.hpp"
#include "tensor.hpp"

namespace autograd {

namespace detail {
using EigenStride = Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>;
template <class T>
using EigenMatrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
}  // namespace detail

/// The elements of x, [m, n] or [m] (a column), shared, of any strides; read-only. Valid while x lives.
/// Throws ShapeError for other shapes, TypeError unless x holds T.
template <class T>
Eigen::Map<const detail::EigenMatrix<T>, Eigen::Unaligned, detail::EigenStride> eigen_map(
    const Tensor& x) {
  if (x.dim() != 1 && x.dim() != 2) {
    throw ShapeError("eigen_map: wrong number of axes: x is " + to_string(x.shape()) +
                     "; need 1 or 2");
  }
  if (x.dtype() != dtype_of<T>) {
    throw TypeError(std::string("eigen_map: other dtype: x holds ") + name(x.dtype()) +
                    ", asked for " + name(dtype_of<T>) + "; need the same");
  }
  const bool matrix = x.dim() == 2;
  const std::vector<std::int64_t> strides = x.strides();
  return {static_cast<const T*>(x.node()->data), x.shape()[0], matrix ? x.shape()[1] : 1,
          detail::EigenStride(strides[0], matrix ? strides[1] : 1)};
}

/// A copy of any matrix or vector expression: [m, n]. The dtype is that of its scalars.
template <class Derived> Tensor from_eigen(const Eigen::MatrixBase<Derived>& matrix) {
  using T = typename Derived::Scalar;
  Tensor y = empty({matrix.rows(), matrix.cols()}, dtype_of<T>);
  Eigen::Map<detail::EigenMatrix<T>>(y.mutable_data<T>().data(), matrix.rows(), matrix.cols()) =
      matrix;
  return y;
}

}  // namespace autograd
#endif
