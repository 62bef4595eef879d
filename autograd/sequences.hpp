// SPDX-License-Identifier: Apache-2.0
// Making tensors of evenly spaced numbers, and the identity matrix. Names and results are PyTorch's, but
// float32 is the default dtype everywhere, of integers too.
#pragma once

#include <cstdint>
#include <type_traits>

#include "tensor.hpp"

namespace autograd {

namespace detail {
Tensor arange_integers(std::int64_t start, std::int64_t stop, std::int64_t step, DType dtype);
Tensor arange_reals(double start, double stop, double step, DType dtype);
template <class T>
concept Number = std::is_arithmetic_v<T> && !std::is_same_v<T, bool>;
}  // namespace detail

/// start, start + step, ... before stop: ceil((stop - start) / step) elements. Integers are computed
/// exactly. Throws ValueError for a step of 0 or one that leads away from stop.
template <detail::Number A, detail::Number B, detail::Number C = int>
Tensor arange(A start, B stop, C step = 1, DType dtype = float32) {
  if constexpr (std::is_integral_v<A> && std::is_integral_v<B> && std::is_integral_v<C>) {
    return detail::arange_integers(static_cast<std::int64_t>(start),
                                   static_cast<std::int64_t>(stop), static_cast<std::int64_t>(step),
                                   dtype);
  } else {
    return detail::arange_reals(static_cast<double>(start), static_cast<double>(stop),
                                static_cast<double>(step), dtype);
  }
}
/// n numbers from start to stop, both included; only start for n = 1.
Tensor linspace(double start, double stop, std::int64_t n, DType dtype = float32);
/// base to the power of linspace(start, stop, n).
Tensor logspace(double start, double stop, std::int64_t n, double base = 10, DType dtype = float32);
/// The identity matrix of n rows, and of m columns.
Tensor eye(std::int64_t n, DType dtype = float32);
Tensor eye(std::int64_t n, std::int64_t m, DType dtype = float32);

}  // namespace autograd
