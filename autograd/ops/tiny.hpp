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

inline bool fills_its_own_block(const detail::Node* x) {
  return x->data == static_cast<const void*>(x->base->small);
}

template <class Row, std::size_t N, class T>
AUTOGRAD_INLINE void registers(const void* a, const void* b, void* y) {
  const auto* p = static_cast<const T*>(a);
  const auto* q = static_cast<const T*>(b);
  T result[N];
  for (std::size_t i = 0; i < N; ++i) result[i] = Row::value(p[i], q[i]);
  std::copy_n(result, N, static_cast<T*>(y));
}

/// y = Row(a, b) for contiguous tensors of one shape and dtype; false when they are not tiny, with
/// nothing done. y may be a or b.
template <class Row>
AUTOGRAD_INLINE bool tiny(const detail::Node* a, const detail::Node* b, detail::Node* y) {
  if constexpr (!kPlainArithmetic<Row>) return false;
  if (y->numel > 8 || !fills_its_own_block(a) || !fills_its_own_block(b) ||
      !fills_its_own_block(y)) {
    return false;
  }
  if (y->dtype == DType::float32) [[likely]] {
    y->numel <= 4 ? registers<Row, 4, float>(a->data, b->data, y->data)
                  : registers<Row, 8, float>(a->data, b->data, y->data);
    return true;
  }
  if (y->dtype != DType::float64) return false;
  y->numel <= 4 ? registers<Row, 4, double>(a->data, b->data, y->data)
                : registers<Row, 8, double>(a->data, b->data, y->data);
  return true;
}

/// sum += g for contiguous tensors of one shape and dtype, the same way.
AUTOGRAD_INLINE bool tiny_add_to(detail::Node* sum, const detail::Node* g) {
  if (sum->numel > 8 || sum->dtype != DType::float32 || sum->data != sum->small ||
      !fills_its_own_block(g)) {
    return false;
  }
  registers<Add, 4, float>(sum->small, g->data, sum->small);
  if (sum->numel > 4)
    registers<Add, 4, float>(sum->small + 16, static_cast<const float*>(g->data) + 4,
                             sum->small + 16);
  return true;
}

}  // namespace autograd::ops
