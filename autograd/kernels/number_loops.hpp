// SPDX-License-Identifier: Apache-2.0
// The loops of rows that are calls for one number after the other (`lanes` in their RowInfo): compiled
// once, not once per instruction set, which would only make every program larger.
#pragma once

#include <cstddef>
#include <cstring>
#include <type_traits>

#include "../ops/elementwise.hpp"

namespace autograd::kernels {

// The row that a caller handed over, with its parameters. The rows of every instruction set are types
// of their own, but made of the same numbers.
template <class Row> AUTOGRAD_INLINE Row row_at(const void* row) {
  static_assert(std::is_trivially_copyable_v<Row>);
  Row copy{};
  if constexpr (!std::is_empty_v<Row>) std::memcpy(&copy, row, sizeof copy);
  return copy;
}

// Zero where dy is, and for a row that selects also where the slope is.
template <class Row, class T> inline T chain_numbers(T dy, T slope) {
  return dy == 0 || (Row::info.selects && slope == 0) ? T(0) : dy * slope;
}

template <class Row, class T>
void unary_numbers(const T* x, T* y, std::size_t n, const void* parameters) {
  const Row row = row_at<Row>(parameters);
  for (std::size_t i = 0; i < n; ++i) y[i] = row.value(x[i]);
}
template <class Row, class T>
void unary_backward_numbers(const T* x, const T* y, const T* dy, T* dx, std::size_t n,
                            const void* parameters) {
  const Row row = row_at<Row>(parameters);
  if (x == nullptr) x = dy;  // the row does not use it
  if (y == nullptr) y = dy;
  for (std::size_t i = 0; i < n; ++i) {
    dx[i] = chain_numbers<Row, T>(dy[i], row.slope(x[i], y[i]));
  }
}
template <class Row, class T>
void binary_numbers(const T* a, int sa, const T* b, int sb, T* y, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) y[i] = Row::value(a[sa ? i : 0], b[sb ? i : 0]);
}
template <class Row, int Argument, class T>
void binary_backward_numbers(const T* a, int sa, const T* b, int sb, const T* y, const T* dy, T* dx,
                             std::size_t n) {
  if (a == nullptr) a = dy;
  if (b == nullptr) b = dy;
  if (y == nullptr) y = dy;
  for (std::size_t i = 0; i < n; ++i) {
    const T p = a[sa ? i : 0], q = b[sb ? i : 0];
    const T slope = Argument == 0 ? Row::slope_a(p, q, y[i]) : Row::slope_b(p, q, y[i]);
    dx[i] = chain_numbers<Row, T>(dy[i], slope);
  }
}

}  // namespace autograd::kernels
