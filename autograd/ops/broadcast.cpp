// SPDX-License-Identifier: Apache-2.0
#include "broadcast.hpp"

#include <algorithm>
#include <cstddef>

#include "../kernels/parallel.hpp"

namespace autograd::ops {

namespace {

// The stride of x along axis `axis` of a result with `dim` axes; 0 where x is repeated.
std::int64_t stride_along(const Tensor& x, int axis, int dim) {
  const int i = axis - (dim - x.dim());
  if (i < 0 || x.shape()[i] == 1) return 0;
  return x.node()->strides[static_cast<std::size_t>(i)];
}

}  // namespace

bool plan_loops(const Shape& shape, const Tensor& a, const Tensor& b, Loops& loops) {
  const int dim = shape.dim();
  loops = {};
  // From the innermost axis out: extend the innermost run, then the current outer axis, or open one.
  std::array<std::int64_t, kMaxDim> extent{}, sa{}, sb{};
  int n = 0;
  for (int axis = dim - 1; axis >= 0; --axis) {
    if (shape[axis] == 1) continue;
    const std::int64_t ta = stride_along(a, axis, dim), tb = stride_along(b, axis, dim);
    if (n > 0) {
      const auto last = static_cast<std::size_t>(n - 1);
      if (ta == sa[last] * extent[last] && tb == sb[last] * extent[last]) {
        extent[last] *= shape[axis];
        continue;
      }
    }
    const auto next = static_cast<std::size_t>(n++);
    extent[next] = shape[axis];
    sa[next] = ta;
    sb[next] = tb;
  }
  if (n == 0) return true;
  if ((sa[0] | sb[0]) & ~std::int64_t{1}) return false;
  loops.inner = extent[0];
  loops.inner_a = static_cast<int>(sa[0]);
  loops.inner_b = static_cast<int>(sb[0]);
  loops.dim = n - 1;
  for (int i = 1; i < n; ++i) {  // outermost first
    const auto from = static_cast<std::size_t>(n - i), to = static_cast<std::size_t>(i - 1);
    loops.extent[to] = extent[from];
    loops.a[to] = sa[from];
    loops.b[to] = sb[from];
  }
  return true;
}

void for_each_row_on_threads(const Loops& loops, RowFunction f) {
  constexpr std::int64_t kTaskElements = 1 << 15;  // enough to outweigh starting a task
  const std::int64_t grain = kTaskElements / std::max<std::int64_t>(loops.inner, 1);
  kernels::parallel_for(static_cast<std::size_t>(row_count(loops)),
                        static_cast<std::size_t>(std::max<std::int64_t>(grain, 1)),
                        [&](std::size_t first, std::size_t last) {
                          for_each_row(loops, static_cast<std::int64_t>(first),
                                       static_cast<std::int64_t>(last), f);
                        });
}

}  // namespace autograd::ops
