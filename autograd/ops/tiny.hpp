// SPDX-License-Identifier: Apache-2.0
// Elementwise work on at most eight elements, in registers and without a call.
//
// Small tensors own 64 bytes, so that whole registers can be read and written whatever the number of
// elements; a masked or partial store would keep the next operation from taking its operand out of the
// store buffer, which at this size costs more than the arithmetic.
#pragma once

#include <algorithm>
#include <cstddef>
#include <type_traits>

#include "../node.hpp"
#include "elementwise.hpp"

namespace autograd::ops {

/// Rows that are a few instructions over plain numbers, which GCC turns into vector code by itself.
template <class Row>
inline constexpr bool kPlainArithmetic =
    std::is_same_v<Row, Add> || std::is_same_v<Row, Sub> || std::is_same_v<Row, Mul>;

/// True for operands that fit the same registers.
AUTOGRAD_INLINE bool both_tiny(const detail::Node* a, const detail::Node* b) {
  return a->tiny != detail::Tiny::no && a->tiny == b->tiny;
}

template <class Row, std::size_t N, class T>
AUTOGRAD_INLINE void registers(const detail::Node* a, const detail::Node* b, detail::Node* y) {
  const auto* p = static_cast<const T*>(a->data);
  const auto* q = static_cast<const T*>(b->data);
  T result[N];
  for (std::size_t i = 0; i < N; ++i) result[i] = Row::value(p[i], q[i]);
  std::copy_n(result, N, reinterpret_cast<T*>(y->small));
}

/// y = Row(a, b) for tiny operands and an owner like them; y may be a or b.
template <class Row>
AUTOGRAD_INLINE void tiny(const detail::Node* a, const detail::Node* b, detail::Node* y) {
  static_assert(kPlainArithmetic<Row>);
  switch (a->tiny) {
    case detail::Tiny::no:
      break;
      [[likely]] case detail::Tiny::four_floats : return registers<Row, 4, float>(a, b, y);
    case detail::Tiny::eight_floats: return registers<Row, 8, float>(a, b, y);
    case detail::Tiny::four_doubles: return registers<Row, 4, double>(a, b, y);
    case detail::Tiny::eight_doubles: return registers<Row, 8, double>(a, b, y);
  }
}

}  // namespace autograd::ops
