// SPDX-License-Identifier: Apache-2.0
// Elementwise loops over plain arrays, one entry per row of ops/elementwise.hpp and instruction
// set. A unary row is handed over as an object, which holds its parameters; a binary row is named by its
// type: binary<ops::Add>(...). T is float or double. Arrays need no alignment and no padding. An output
// may be the same array as an input, but must not overlap one otherwise. Above kParallelMin elements
// the loops use all threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "../ops/elementwise.hpp"
#include "dispatch.hpp"

namespace autograd::kernels {

/// Where waking threads starts to pay: 40,000 additions take about as long as waking a thread.
inline constexpr std::size_t kParallelMin = 40000;

// `row` points at the row; one without parameters is not looked at.
template <class T> using UnaryKernel = void (*)(const T* x, T* y, std::size_t n, const void* row);
template <class T>
using UnaryBackwardKernel = void (*)(const T* x, const T* y, const T* dy, T* dx, std::size_t n,
                                     const void* row);
template <class T>
using BinaryKernel = void (*)(const T* a, int sa, const T* b, int sb, T* y, std::size_t n);
template <class T>
using BinaryBackwardKernel = void (*)(const T* a, int sa, const T* b, int sb, const T* y,
                                      const T* dy, T* dx, std::size_t n);

/// The kernels of all rows of a list for one instruction set.
template <class T, class Rows> struct UnaryTable {
  UnaryKernel<T> of[Rows::size];
  static const Dispatched<UnaryTable> best;
};
template <class T, class Rows> struct UnaryBackwardTable {
  UnaryBackwardKernel<T> of[Rows::size];
  static const Dispatched<UnaryBackwardTable> best;
};
/// The list, and so the table, that a unary row is in.
template <class Row>
using ListOf = std::conditional_t<ops::ActivationRows::contains<Row>, ops::ActivationRows,
                                  std::conditional_t<ops::TranscendentalRows::contains<Row>,
                                                     ops::TranscendentalRows, ops::BasicRows>>;
template <class Row>
using BinaryListOf = std::conditional_t<ops::OtherBinaryRows::contains<Row>, ops::OtherBinaryRows,
                                        ops::BasicBinaryRows>;
template <class T, class Rows> struct BinaryTable {
  BinaryKernel<T> of[Rows::size];
  static const Dispatched<BinaryTable> best;
};
template <class T, class Rows> struct BinaryBackwardTable {
  BinaryBackwardKernel<T> of[2][Rows::size];  // by argument, then by row
  static const Dispatched<BinaryBackwardTable> best;
};

namespace detail {
// The same over all threads; kept out of line because tiny calls are what counts.
template <class T>
void unary_threads(UnaryKernel<T> kernel, const T* x, T* y, std::size_t n, const void* row);
template <class T>
void unary_backward_threads(UnaryBackwardKernel<T> kernel, const T* x, const T* y, const T* dy,
                            T* dx, std::size_t n, const void* row);
template <class T>
void binary_threads(BinaryKernel<T> kernel, const T* a, int sa, const T* b, int sb, T* y,
                    std::size_t n);
template <class T>
void binary_backward_threads(BinaryBackwardKernel<T> kernel, const T* a, int sa, const T* b, int sb,
                             const T* y, const T* dy, T* dx, std::size_t n);
template <class T>
void binary_backward_blocks(BinaryBackwardKernel<T> by_a, BinaryBackwardKernel<T> by_b, const T* a,
                            const T* b, const T* y, const T* dy, T* da, T* db, std::size_t n);

/// Elements that are worked on twice while the first cache holds them.
inline constexpr std::size_t kBlock = 1024;
}  // namespace detail

/// y[i] = value(x[i]).
template <class Row, class T> inline void unary(const Row& row, const T* x, T* y, std::size_t n) {
  using Rows = ListOf<Row>;
  const UnaryKernel<T> kernel = UnaryTable<T, Rows>::best->of[Rows::template index_of<Row>()];
  if (n < kParallelMin) [[likely]]
    return kernel(x, y, n, &row);
  detail::unary_threads(kernel, x, y, n, &row);
}

/// dx[i] = dy[i] slope(x[i], y[i]), and 0 where dy[i] is 0. x or y may be null where the row's
/// slope does not read it. dx may be dy.
template <class Row, class T>
inline void unary_backward(const Row& row, const T* x, const T* y, const T* dy, T* dx,
                           std::size_t n) {
  using Rows = ListOf<Row>;
  const UnaryBackwardKernel<T> kernel =
      UnaryBackwardTable<T, Rows>::best->of[Rows::template index_of<Row>()];
  if (n < kParallelMin) [[likely]]
    return kernel(x, y, dy, dx, n, &row);
  detail::unary_backward_threads(kernel, x, y, dy, dx, n, &row);
}

/// y[i] = value(a[i sa], b[i sb]); strides sa and sb are 0 (one value for all) or 1.
template <class Row, class T>
inline void binary(const T* a, int sa, const T* b, int sb, T* y, std::size_t n) {
  using Rows = BinaryListOf<Row>;
  const BinaryKernel<T> kernel = BinaryTable<T, Rows>::best->of[Rows::template index_of<Row>()];
  if (n < kParallelMin) [[likely]]
    return kernel(a, sa, b, sb, y, n);
  detail::binary_threads(kernel, a, sa, b, sb, y, n);
}

/// dx[i] = dy[i] times the slope by a (argument 0) or b (argument 1), and 0 where dy[i] is 0.
/// Not summed where the argument's stride is 0. Inputs that the slope does not read may be null.
template <class Row, class T>
inline void binary_backward(int argument, const T* a, int sa, const T* b, int sb, const T* y,
                            const T* dy, T* dx, std::size_t n) {
  using Rows = BinaryListOf<Row>;
  const BinaryBackwardKernel<T> kernel =
      BinaryBackwardTable<T, Rows>::best->of[argument][Rows::template index_of<Row>()];
  if (n < kParallelMin) [[likely]]
    return kernel(a, sa, b, sb, y, dy, dx, n);
  detail::binary_backward_threads(kernel, a, sa, b, sb, y, dy, dx, n);
}

/// The gradients by a and by b, all strides 1, which read dy from memory once. db may be dy.
template <class Row, class T>
inline void binary_backward_both(const T* a, const T* b, const T* y, const T* dy, T* da, T* db,
                                 std::size_t n) {
  using Rows = BinaryListOf<Row>;
  constexpr std::size_t row = Rows::template index_of<Row>();
  const auto& kernels = BinaryBackwardTable<T, Rows>::best->of;
  const BinaryBackwardKernel<T> by_a = kernels[0][row], by_b = kernels[1][row];
  if (n > detail::kBlock) [[unlikely]]
    return detail::binary_backward_blocks(by_a, by_b, a, b, y, dy, da, db, n);
  by_a(a, 1, b, 1, y, dy, da, n);
  by_b(a, 1, b, 1, y, dy, db, n);
}

#define AUTOGRAD_DECLARE_TABLES(T, Rows)                                       \
  template <> const Dispatched<UnaryTable<T, Rows>> UnaryTable<T, Rows>::best; \
  template <> const Dispatched<UnaryBackwardTable<T, Rows>> UnaryBackwardTable<T, Rows>::best;
AUTOGRAD_DECLARE_TABLES(float, ops::BasicRows)
AUTOGRAD_DECLARE_TABLES(double, ops::BasicRows)
AUTOGRAD_DECLARE_TABLES(float, ops::TranscendentalRows)
AUTOGRAD_DECLARE_TABLES(double, ops::TranscendentalRows)
AUTOGRAD_DECLARE_TABLES(float, ops::ActivationRows)
AUTOGRAD_DECLARE_TABLES(double, ops::ActivationRows)
#undef AUTOGRAD_DECLARE_TABLES
#define AUTOGRAD_DECLARE_TABLES(T, Rows)                                         \
  template <> const Dispatched<BinaryTable<T, Rows>> BinaryTable<T, Rows>::best; \
  template <> const Dispatched<BinaryBackwardTable<T, Rows>> BinaryBackwardTable<T, Rows>::best;
AUTOGRAD_DECLARE_TABLES(float, ops::BasicBinaryRows)
AUTOGRAD_DECLARE_TABLES(double, ops::BasicBinaryRows)
AUTOGRAD_DECLARE_TABLES(float, ops::OtherBinaryRows)
AUTOGRAD_DECLARE_TABLES(double, ops::OtherBinaryRows)
#undef AUTOGRAD_DECLARE_TABLES

}  // namespace autograd::kernels
