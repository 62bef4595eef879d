// SPDX-License-Identifier: Apache-2.0
// A kernel that reduces one axis, over any axes.
#pragma once

#include <algorithm>

#include "axes.hpp"

namespace autograd::ops {

template <class T>
using ReduceKernel = void (*)(const T*, T*, std::size_t, std::size_t, std::size_t);

// Reduces runs of neighboring axes one after the other, the last run first.
template <class T>
Tensor reduce(const Tensor& x, std::uint32_t axes, bool keepdim, ReduceKernel<T> kernel) {
  Tensor source = row_major(x);
  const Shape shape = reduced_shape(x.shape(), axes, keepdim);
  if (shape.dim() == 0 && axes + 1 == 1u << x.dim() && axes != 0) {  // all of it, at once
    Tensor y = make(shape, x.dtype());
    kernel(data<T>(source), data<T>(y), 1, count(x), 1);
    return y;
  }
  Shape extents = x.shape();
  bool any = false;
  for (int high = extents.dim(); high > 0;) {
    if (!reduced(axes, high - 1)) {
      --high;
      continue;
    }
    int low = high;
    std::size_t outer = 1, extent = 1, inner = 1;
    while (low > 0 && reduced(axes, low - 1)) extent *= static_cast<std::size_t>(extents[--low]);
    for (int i = 0; i < low; ++i) outer *= static_cast<std::size_t>(extents[i]);
    for (int i = high; i < extents.dim(); ++i) inner *= static_cast<std::size_t>(extents[i]);
    Tensor y =
        make({static_cast<std::int64_t>(outer), static_cast<std::int64_t>(inner)}, x.dtype());
    kernel(data<T>(source), data<T>(y), outer, extent, inner);
    for (int i = low; i < high; ++i) extents[i] = 1;
    source = y;
    high = low;
    any = true;
  }
  // Nothing was reduced (a scalar, or no axes): a tensor of its own all the same.
  if (!any) {
    Tensor y = make(shape, x.dtype());
    std::copy_n(data<T>(source), count(y), data<T>(y));
    return y;
  }
  source.node()->shape = shape;  // fresh and contiguous: give it its real extents
  std::int64_t stride = 1;
  for (int i = shape.dim() - 1; i >= 0; --i) {
    source.node()->strides[static_cast<std::size_t>(i)] = stride;
    stride *= shape[i];
  }
  return source;
}

}  // namespace autograd::ops
