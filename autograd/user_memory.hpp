// SPDX-License-Identifier: Apache-2.0
// Tensors of memory that the caller owns: copies of spans, and views of them.
#pragma once

#include <cstddef>
#include <span>
#include <type_traits>

#include "tensor.hpp"

namespace autograd {

namespace detail {
Tensor copy_memory(const void* elements, std::size_t count, const Shape& shape, DType dtype);
Tensor view_memory(void* elements, std::size_t count, const Shape& shape, DType dtype);
}  // namespace detail

/// The elements, copied: [count], or another shape of as many (ShapeError otherwise). The dtype is T's.
template <class T, std::size_t N> Tensor tensor(std::span<T, N> elements, const Shape& shape) {
  return detail::copy_memory(elements.data(), elements.size(), shape,
                             dtype_of<std::remove_const_t<T>>);
}
template <class T, std::size_t N> Tensor tensor(std::span<T, N> elements) {
  return tensor(elements, Shape{static_cast<std::int64_t>(elements.size())});
}

/// A view of the caller's memory, nothing copied: from_span(std::span(v), {2, 3}).
/// Lifetime: the memory must stay where it is and alive until the last tensor that shares it is gone:
/// this one, its views, and what a tape holds of them, that is until the tape has ended or consumed its
/// recording. Nothing frees it. Writing to it behind the tensor's back is not seen by the version check
/// (tell it with note_change); fill_, add_ and copy_ write to it.
template <class T, std::size_t N>
  requires(!std::is_const_v<T>)
Tensor from_span(std::span<T, N> elements, const Shape& shape) {
  return detail::view_memory(elements.data(), elements.size(), shape, dtype_of<T>);
}
template <class T, std::size_t N>
  requires(!std::is_const_v<T>)
Tensor from_span(std::span<T, N> elements) {
  return from_span(elements, Shape{static_cast<std::int64_t>(elements.size())});
}

}  // namespace autograd
