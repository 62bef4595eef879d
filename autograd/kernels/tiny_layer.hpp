// SPDX-License-Identifier: Apache-2.0
// Linear layers whose arrays have at most eight elements each, an activation included, in one call: at
// this size a product, its activation and their gradients cost less than the calls between them. Every
// sum is taken in the order of its terms and without fused multiply-add, as ops/tiny_linear.hpp takes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "../ops/elementwise.hpp"
#include "dispatch.hpp"

namespace autograd::kernels {

/// Elements that fit; every array is padded to so many, which are all read or written.
inline constexpr std::size_t kTinyLayer = 8;

// x [rows, in], w [out, in], b [out], y [rows, out], all extents at least 1. Extents are arguments of
// their own: a struct of three would be read back from memory as a whole, before its parts are there.

/// y = row(x w^T + b); whatever lies behind x's last row gives elements behind y's.
template <class T>
using TinyLayerKernel = void (*)(const T* x, const T* w, const T* b, T* y, std::uint32_t in,
                                 std::uint32_t out);

/// dx, dw and db, each null where it is not wanted. y is not read where there is no activation.
template <class T> struct TinyLayerGradients {
  const T *x, *w, *y, *dy;
  T *dx, *dw, *db;
};
template <class T>
using TinyLayerBackwardKernel = void (*)(const TinyLayerGradients<T>& arrays, std::uint32_t rows,
                                         std::uint32_t in, std::uint32_t out);

/// What may follow the product; void stands for nothing.
using TinyLayerRows = RowList<ops::Sigmoid, ops::Tanh, ops::Relu>;
template <class Row> constexpr std::size_t tiny_layer_row() {
  if constexpr (std::is_void_v<Row>) {
    return TinyLayerRows::size;
  } else {
    return TinyLayerRows::index_of<Row>();
  }
}

/// By tiny_layer_row; all null where the registers of the instruction set are shorter than eight elements.
template <class T> struct TinyLayerTable {
  TinyLayerKernel<T> forward[TinyLayerRows::size + 1];
  TinyLayerBackwardKernel<T> backward[TinyLayerRows::size + 1];
  static const Dispatched<TinyLayerTable> best;
};
template <> const Dispatched<TinyLayerTable<float>> TinyLayerTable<float>::best;
template <> const Dispatched<TinyLayerTable<double>> TinyLayerTable<double>::best;

}  // namespace autograd::kernels
