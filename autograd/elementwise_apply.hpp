// SPDX-License-Identifier: Apache-2.0
// From a row to a public function of tensors: dtypes are promoted here. Internal; each file that uses it
// holds a part of the rows, because every row of a file is compiled as an operation of its own.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <type_traits>

#include "apply.hpp"
#include "create.hpp"
#include "functions.hpp"

namespace autograd::detail {

// Of a number without a fraction: what an integer row gives, wrapping around where it overflows.
template <class Row> std::int64_t of_integer(std::int64_t x) {
  const auto bits = static_cast<std::uint64_t>(x);
  if constexpr (std::is_same_v<Row, ops::Neg>) return static_cast<std::int64_t>(0 - bits);
  if constexpr (std::is_same_v<Row, ops::Abs>) {
    return static_cast<std::int64_t>(x < 0 ? 0 - bits : bits);
  }
  if constexpr (std::is_same_v<Row, ops::Square>) return static_cast<std::int64_t>(bits * bits);
  if constexpr (std::is_same_v<Row, ops::Sign>) return (x > 0) - (x < 0);
  if constexpr (std::is_same_v<Row, ops::Relu>) return std::max<std::int64_t>(x, 0);
  return x;  // rounding
}

template <class Row>
constexpr bool kKeepsIntegers =
    RowList<ops::Neg, ops::Abs, ops::Square, ops::Sign, ops::Relu, ops::Floor, ops::Ceil,
            ops::Trunc, ops::Rint>::contains<Row>;

template <class Row> AUTOGRAD_COLD Tensor unary_of_integers(const Tensor& x) {
  if constexpr (kKeepsIntegers<Row>) {
    const Tensor source = to(contiguous(detach(x)), int64);
    Tensor result = empty(x.shape(), int64);
    const auto values = result.mutable_data<std::int64_t>();
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = of_integer<Row>(source.data<std::int64_t>()[i]);
    }
    return result;
  } else {
    return apply(ops::UnaryOp<Row>{}, to(x, float32));
  }
}

template <class Row> AUTOGRAD_INLINE Tensor unary(const Tensor& x) {
  if (!is_floating(x.dtype())) [[unlikely]]
    return unary_of_integers<Row>(x);
  return apply(ops::UnaryOp<Row>{}, x);
}

template <class Row>
constexpr bool kIntegers = RowList<ops::Add, ops::Sub, ops::Mul, ops::Maximum, ops::Minimum,
                                   ops::Pow, ops::Fmod, ops::Remainder>::contains<Row>;

// a^b by repeated squaring, wrapping around.
inline std::uint64_t integer_power(std::uint64_t a, std::int64_t b) {
  if (b < 0) {
    throw ValueError("pow: a negative exponent of an integer: " + std::to_string(b) +
                     "; need an exponent >= 0 (or floating-point operands)");
  }
  std::uint64_t y = 1;
  for (; b > 0; b /= 2, a *= a) {
    if (b % 2) y *= a;
  }
  return y;
}

// a modulo b, with the sign of a, or of b for ops::Remainder.
template <class Row> std::int64_t integer_remainder(std::int64_t a, std::int64_t b) {
  if (b == 0) {
    throw ValueError(std::string(Row::info.name) +
                     ": a divisor is 0; need another number (or floating-point operands)");
  }
  const std::int64_t rest =
      b == -1 ? 0 : a % b;  // of the smallest integer and -1 it would overflow
  const bool other_sign = rest != 0 && (rest < 0) != (b < 0);
  return std::is_same_v<Row, ops::Remainder> && other_sign ? rest + b : rest;
}

// Unsigned arithmetic wraps around where signed would be undefined.
template <class Row> std::int64_t of_integers(std::int64_t a, std::int64_t b) {
  const auto p = static_cast<std::uint64_t>(a), q = static_cast<std::uint64_t>(b);
  if constexpr (std::is_same_v<Row, ops::Maximum>) return std::max(a, b);
  if constexpr (std::is_same_v<Row, ops::Minimum>) return std::min(a, b);
  if constexpr (std::is_same_v<Row, ops::Add>) return static_cast<std::int64_t>(p + q);
  if constexpr (std::is_same_v<Row, ops::Sub>) return static_cast<std::int64_t>(p - q);
  if constexpr (std::is_same_v<Row, ops::Mul>) return static_cast<std::int64_t>(p * q);
  if constexpr (std::is_same_v<Row, ops::Pow>) {
    return static_cast<std::int64_t>(integer_power(p, b));
  }
  return integer_remainder<Row>(a, b);
}

template <class Row> AUTOGRAD_COLD Tensor integer_binary(const Tensor& a, const Tensor& b) {
  const Shape shape = broadcast_shapes(Row::info.name, a.shape(), b.shape());
  const Tensor x = contiguous(broadcast_to(to(a, int64), shape));
  const Tensor y = contiguous(broadcast_to(to(b, int64), shape));
  Tensor result = empty(shape, int64);
  const auto values = result.mutable_data<std::int64_t>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = of_integers<Row>(x.data<std::int64_t>()[i], y.data<std::int64_t>()[i]);
  }
  return result;
}

template <class Row> AUTOGRAD_INLINE Tensor same_dtype_binary(const Tensor& a, const Tensor& b) {
  if (a.node()->shape == b.node()->shape) [[likely]]
    return apply(ops::BinaryOp<Row>{}, a, b);
  return apply(ops::BroadcastOp<Row>{}, a, b);
}

template <class Row> AUTOGRAD_COLD Tensor mixed_binary(const Tensor& a, const Tensor& b) {
  DType dtype = result_type(a, b);
  if constexpr (kIntegers<Row>) {
    if (!is_floating(dtype)) return integer_binary<Row>(a, b);
  }
  if (!is_floating(dtype)) dtype = float32;
  broadcast_shapes(Row::info.name, a.shape(), b.shape());  // throws before a conversion is recorded
  return same_dtype_binary<Row>(to(a, dtype), to(b, dtype));
}

template <class Row> AUTOGRAD_INLINE Tensor binary(const Tensor& a, const Tensor& b) {
  if constexpr (ops::kPlainArithmetic<Row>) {
    const detail::Node *p = a.node(), *q = b.node();
    if (p && q && ops::both_tiny(p, q) && p->shape == q->shape) [[likely]]
      return apply(ops::BinaryOp<Row>{}, a, b);
  }
  if (a.dtype() != b.dtype() || !is_floating(a.dtype())) [[unlikely]]
    return mixed_binary<Row>(a, b);
  return same_dtype_binary<Row>(a, b);
}

}  // namespace autograd::detail
