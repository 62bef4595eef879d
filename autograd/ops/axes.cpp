// SPDX-License-Identifier: Apache-2.0
#include "axes.hpp"

#include <algorithm>

namespace autograd::ops {

Shape reduced_shape(const Shape& x, std::uint32_t axes, bool keepdim) {
  Shape y;
  for (int i = 0; i < x.dim(); ++i) {
    if (!reduced(axes, i)) {
      y.push_back(x[i]);
    } else if (keepdim) {
      y.push_back(1);
    }
  }
  return y;
}

std::int64_t reduced_count(const Shape& x, std::uint32_t axes) {
  std::int64_t n = 1;
  for (int i = 0; i < x.dim(); ++i) n *= reduced(axes, i) ? x[i] : 1;
  return n;
}

Axes axis_list(std::uint32_t axes, int dim) {
  Axes list;
  for (int i = 0; i < dim; ++i) {
    if (reduced(axes, i)) list.push_back(i);
  }
  return list;
}

std::uint32_t axis_mask(const char* function, const Tensor& x, const Axes& axes) {
  if (axes.empty()) return (1u << x.dim()) - 1;
  std::uint32_t mask = 0;
  for (std::int64_t axis : axes) {
    // A scalar has one axis for those who ask.
    const std::uint32_t bit = 1u << normalize_axis(function, axis, std::max(x.dim(), 1));
    if (mask & bit) {
      throw ValueError(std::string(function) + ": axis given twice: " + std::to_string(axis) +
                       "; need each axis once");
    }
    mask |= bit;
  }
  return x.dim() == 0 ? 0 : mask;
}

int line_axis(const char* function, const Tensor& x, std::int64_t axis) {
  return normalize_axis(function, axis, std::max(x.dim(), 1));
}

void require_elements(const char* function, const Tensor& x, std::uint32_t axes) {
  if (reduced_count(x.shape(), axes) != 0) return;
  throw ValueError(std::string(function) + ": no elements along the reduced axes: x is " +
                   to_string(x.shape()) + "; need at least one");
}

Tensor spread(const Tensor& dy, const Shape& shape, std::uint32_t axes) {
  return broadcast_to(reshape(dy, reduced_shape(shape, axes, true)), shape);
}

Tensor share_evenly(const Tensor& dy, const Tensor& x, const Tensor& y, std::uint32_t axes) {
  // x != x finds the NaNs and nothing else.
  const Tensor at = detach(x), top = spread(detach(y), x.shape(), axes);
  const Tensor one = constant(x, 1.0), zero = constant(x, 0.0);
  const Tensor winners = where(at != at, one, where(at == top, one, zero));
  const Tensor ties = sum(winners, axis_list(axes, x.dim()), {.keepdim = true});
  const Tensor share = reshape(dy, reduced_shape(x.shape(), axes, true)) / ties;
  return chain(broadcast_to(share, x.shape()), winners);
}

}  // namespace autograd::ops
