// SPDX-License-Identifier: Apache-2.0
// The products that convolutions come down to: matrices whose rows are stretches of an image, found
// through a table of offsets instead of copied. conv_direct.cpp says how images are laid out for them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "conv_ahead.hpp"

namespace autograd::kernels {

/// y[i, row, column] = bias[i] + sum over k of a[i, k] x[offset[k] + row * pitch + column], y's rows
/// following each other.
/// May read two vectors beyond the last element of x that a result needs.
template <class T> struct OffsetProduct {
  std::size_t m = 0, k = 0;
  const T* a = nullptr;     // in panels, as pack_offset_product() leaves it
  const T* bias = nullptr;  // [m]; null: none
  const T* x = nullptr;
  const std::int64_t* offset = nullptr;  // [k]
  std::int64_t rows = 0, width = 0, pitch = 0;
  T* y = nullptr;
  std::int64_t y_plane = 0;  // distance of the results for one i and the next
  Ahead ahead = {};          // x of the next call
};

/// sum[k, :] += sum over rows and columns of x[offset[k] + row * pitch + column] y[row, column, :].
template <class T> struct OffsetSums {
  std::size_t k = 0;
  const T* x = nullptr;
  const std::int64_t* offset = nullptr;  // [k]
  std::int64_t rows = 0, width = 0, pitch = 0;
  const T* y = nullptr;  // [rows, width, ld]
  std::size_t ld = 0;    // a multiple of lanes
  T* sum = nullptr;      // [k, ld]
  Ahead ahead[2] = {};   // x and y of the next call
};

/// sum[o, k] += sum over rows and columns of x[offset[k] + row * pitch + column] y[o, row, column].
template <class T> struct OffsetDots {
  std::size_t k = 0, filters = 0;
  const T* x = nullptr;
  const std::int64_t* offset = nullptr;  // [k]
  std::int64_t rows = 0, width = 0, pitch = 0;
  const T* y = nullptr;  // [filters, rows, width], filters y_plane apart
  std::int64_t y_plane = 0;
  T* sum = nullptr;  // [filters, k]
};

/// What one instruction set provides.
template <class T> struct ConvTable {
  std::size_t lanes;
  /// a: [m, k] with any distances, as panels of rows, each [k, height]; `packed` has m k elements.
  void (*pack)(std::size_t m, std::size_t k, const T* a, std::size_t row, std::size_t column,
               T* packed);
  /// Rows of n elements to rows `pitch` apart, with zeros between them and, as vectors are whole, for up
  /// to a vector behind the last.
  void (*copy_rows)(const T* from, std::int64_t from_step, std::int64_t n, std::int64_t rows, T* to,
                    std::int64_t pitch);
  void (*product)(const OffsetProduct<T>& call);
  void (*sums)(const OffsetSums<T>& call);
  void (*dots)(const OffsetDots<T>& call);
  /// to[i] = from[2 i] for i < n.
  void (*copy_second)(const T* from, std::int64_t n, T* to);
  /// to[i, j] += from[i, j] for i < rows, j < width; steps are distances of rows.
  void (*add)(const T* from, std::int64_t from_step, std::size_t width, std::int64_t rows, T* to,
              std::int64_t to_step);
  /// to[2 i] += from[i] for i < n.
  void (*add_second)(const T* from, std::int64_t n, T* to);
};
const ConvTable<float>& conv_table(float);
const ConvTable<double>& conv_table(double);

}  // namespace autograd::kernels
