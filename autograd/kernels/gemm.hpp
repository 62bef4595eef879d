// SPDX-License-Identifier: Apache-2.0
// Matrix products of row-major float or double matrices with any leading dimensions.
// Each element of C is one chain of additions over k, cut at places that depend on the shape alone,
// so that the result has the same bits for any number of threads. The plain-loop twin is gemm_naive
// in naive.hpp. C must overlap neither A nor B.
#pragma once

#include <cstddef>

namespace autograd::kernels {

/// c = op(a) op(b), with op(a): [m, k], op(b): [k, n], c: [m, n]. A transposed operand is stored
/// the other way: a as [k, m], b as [n, k]. `lda`, `ldb`, `ldc` are the strides of stored rows.
template <class T> struct GemmCall {
  bool transpose_a = false, transpose_b = false;
  std::size_t m = 0, n = 0, k = 0;
  const T* a = nullptr;
  std::size_t lda = 0;
  const T* b = nullptr;
  std::size_t ldb = 0;
  T* c = nullptr;
  std::size_t ldc = 0;
  bool accumulate = false;  // c += instead of c =
  const T* bias = nullptr;  // [n], added to each row
  bool cold_b = false;      // b is in no cache near: read once, row by row, into a copy
};

/// The kernel of one instruction set.
template <class T> struct GemmTable { void (*run)(const GemmCall<T>&); };

/// Runs the product; k = 0 gives zeros (plus c and bias where asked for).
template <class T> void gemm(const GemmCall<T>& call);
template <> void gemm(const GemmCall<float>& call);
template <> void gemm(const GemmCall<double>& call);

}  // namespace autograd::kernels
