// SPDX-License-Identifier: Apache-2.0
// Eigen, as the decompositions include it: not installed, seen by decompose_*.cpp alone, and to be
// included before any header of Eigen. Its namespace gets a name of our own, because a program that
// links the library may use Eigen too, compiled for another instruction set: two bodies of one inline
// function would be merged into either.
#pragma once

#define EIGEN_DONT_PARALLELIZE
#define EIGEN_MPL2_ONLY
#define Eigen autograd_eigen
#include <Eigen/Core>

#include "decompositions.hpp"

namespace autograd::kernels {

namespace eigen = ::autograd_eigen;

using eigen::Index;
/// Column-major, which every solver of Eigen takes.
template <class T> using Matrix = eigen::Matrix<T, eigen::Dynamic, eigen::Dynamic>;
template <class T> using Vector = eigen::Matrix<T, eigen::Dynamic, 1>;
/// Row-major, as tensors are.
template <class T>
using RowMatrix = eigen::Matrix<T, eigen::Dynamic, eigen::Dynamic, eigen::RowMajor>;

template <class T>
eigen::Map<const RowMatrix<T>> matrix(const T* x, std::size_t rows, std::size_t columns) {
  return {x, static_cast<Index>(rows), static_cast<Index>(columns)};
}
template <class T> eigen::Map<RowMatrix<T>> matrix(T* x, std::size_t rows, std::size_t columns) {
  return {x, static_cast<Index>(rows), static_cast<Index>(columns)};
}

}  // namespace autograd::kernels
