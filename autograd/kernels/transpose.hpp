// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>

namespace autograd::kernels {

/// to[j, i] = from[i, j] for from: [rows, columns]; `ld_from` and `ld_to` are the distances of rows. The
/// arrays must not overlap.
template <class T>
void transpose(const T* from, std::size_t ld_from, std::size_t rows, std::size_t columns, T* to,
               std::size_t ld_to) {
  constexpr std::size_t kTile = 16;  // a cache line of the source serves before it is dropped
  for (std::size_t i = 0; i < rows; i += kTile) {
    const std::size_t last_row = std::min(rows, i + kTile);
    for (std::size_t j = 0; j < columns; j += kTile) {
      const std::size_t last = std::min(columns, j + kTile);
      for (std::size_t row = i; row < last_row; ++row) {
        for (std::size_t column = j; column < last; ++column) {
          to[column * ld_to + row] = from[row * ld_from + column];
        }
      }
    }
  }
}
template <>
void transpose(const float* from, std::size_t ld_from, std::size_t rows, std::size_t columns,
               float* to, std::size_t ld_to);
template <>
void transpose(const double* from, std::size_t ld_from, std::size_t rows, std::size_t columns,
               double* to, std::size_t ld_to);

/// What one instruction set provides.
template <class T>
using TransposeKernel = void (*)(const T*, std::size_t, std::size_t, std::size_t, T*, std::size_t);
struct TransposeTable {
  TransposeKernel<float> f32;
  TransposeKernel<double> f64;
};

}  // namespace autograd::kernels
