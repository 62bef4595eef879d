// SPDX-License-Identifier: Apache-2.0
#include "user_memory.hpp"

#include <cstring>

#include "create.hpp"
#include "ops/layout.hpp"

namespace autograd {

namespace {

void check_count(const char* function, std::size_t count, const Shape& shape) {
  if (shape.numel() == static_cast<std::int64_t>(count)) return;
  throw ShapeError(std::string(function) + ": other number of elements: " + std::to_string(count) +
                   " elements for shape " + to_string(shape) + "; need as many (" +
                   std::to_string(count) + " != " + std::to_string(shape.numel()) + ")");
}

}  // namespace

Tensor detail::copy_memory(const void* elements, std::size_t count, const Shape& shape,
                           DType dtype) {
  check_count("tensor", count, shape);
  Tensor y = empty(shape, dtype);
  if (count) std::memcpy(y.node()->data, elements, count * item_size(dtype));
  return y;
}

Tensor detail::view_memory(void* elements, std::size_t count, const Shape& shape, DType dtype) {
  check_count("from_span", count, shape);
  // A view of an owner without elements: it keeps the version, and what is no owner is never reused as
  // the place of a result.
  const Tensor owner = empty({0}, dtype);
  void* first = count ? elements : owner.node()->data;
  return Tensor::adopt(make_view(owner.node(), first, shape, ops::row_major_layout(shape).strides));
}

}  // namespace autograd
