// SPDX-License-Identifier: Apache-2.0
// Public orders: positions are found where nothing records, then elements are taken by them.
#include <limits>

#include "apply.hpp"
#include "ops/axes.hpp"
#include "reductions.hpp"

namespace autograd {

namespace {

using ops::line_axis;

std::int64_t extent_along(const Tensor& x, int axis) { return x.dim() == 0 ? 1 : x.shape()[axis]; }

Tensor without_axis(const Tensor& x, int axis, ReduceOptions options) {
  if (options.keepdim || x.dim() == 0) return x;
  return reshape(x, ops::reduced_shape(x.shape(), 1u << axis, false));
}

// The elements of x at positions along the axis, which are those of x.
Tensor taken(const Tensor& x, const Tensor& index, int axis) {
  return apply(ops::Gather{index, axis, x.shape()}, x);
}

// The elements at positions of extent 1.
ValuesAndIndices selected(const Tensor& x, const Tensor& index, int axis, ReduceOptions options) {
  return {without_axis(taken(x, index, axis), axis, options), without_axis(index, axis, options)};
}

Tensor extreme(const char* function, const Tensor& x, int axis, bool largest) {
  ops::require_elements(function, x, 1u << axis);
  return ops::extreme_positions(x, axis, largest);
}

Tensor flat_extreme(const char* function, const Tensor& x, bool largest) {
  ops::require_elements(function, x, ops::axis_mask(function, x, {}));
  return reshape(ops::extreme_positions(reshape(detach(x), Shape{x.numel()}), 0, largest), Shape{});
}

void check_rank(const char* function, std::int64_t k, std::int64_t least, std::int64_t extent,
                int axis) {
  if (k >= least && k <= extent) return;
  throw ValueError(std::string(function) + ": k out of range: " + std::to_string(k) +
                   "; need at least " + std::to_string(least) + " and at most " +
                   std::to_string(extent) + ", the extent of axis " + std::to_string(axis));
}

}  // namespace

ValuesAndIndices max_with_indices(const Tensor& x, std::int64_t axis, ReduceOptions options) {
  const int line = line_axis("max", x, axis);
  return selected(x, extreme("max", x, line, true), line, options);
}
ValuesAndIndices min_with_indices(const Tensor& x, std::int64_t axis, ReduceOptions options) {
  const int line = line_axis("min", x, axis);
  return selected(x, extreme("min", x, line, false), line, options);
}

Tensor argmax(const Tensor& x) { return flat_extreme("argmax", x, true); }
Tensor argmax(const Tensor& x, std::int64_t axis, ReduceOptions options) {
  const int line = line_axis("argmax", x, axis);
  return without_axis(extreme("argmax", x, line, true), line, options);
}
Tensor argmin(const Tensor& x) { return flat_extreme("argmin", x, false); }
Tensor argmin(const Tensor& x, std::int64_t axis, ReduceOptions options) {
  const int line = line_axis("argmin", x, axis);
  return without_axis(extreme("argmin", x, line, false), line, options);
}

ValuesAndIndices sort(const Tensor& x, std::int64_t axis, SortOptions options) {
  const int line = line_axis("sort", x, axis);
  const Tensor index = ops::top_positions(x, line, extent_along(x, line), options.descending);
  return {taken(x, index, line), index};
}
Tensor argsort(const Tensor& x, std::int64_t axis, SortOptions options) {
  const int line = line_axis("argsort", x, axis);
  return ops::top_positions(x, line, extent_along(x, line), options.descending);
}
ValuesAndIndices topk(const Tensor& x, std::int64_t k, std::int64_t axis, TopkOptions options) {
  const int line = line_axis("topk", x, axis);
  check_rank("topk", k, x.dim() == 0 ? 1 : 0, extent_along(x, line), line);
  const Tensor index = ops::top_positions(x, line, k, options.largest);
  return {taken(x, index, line), index};
}
ValuesAndIndices kthvalue(const Tensor& x, std::int64_t k, std::int64_t axis,
                          ReduceOptions options) {
  const int line = line_axis("kthvalue", x, axis);
  check_rank("kthvalue", k, 1, extent_along(x, line), line);
  return selected(x, ops::rank_positions(x, line, k - 1, false), line, options);
}

Tensor median(const Tensor& x) {
  if (!is_floating(x.dtype())) {
    ops::require_elements("median", x, ops::axis_mask("median", x, {}));
    return ops::Median{}.forward(x);
  }
  if (x.numel() == 0) return apply(ops::Mean{(1u << x.dim()) - 1, false, x.shape()}, x);
  return apply(ops::Median{}, x);
}
ValuesAndIndices median(const Tensor& x, std::int64_t axis, ReduceOptions options) {
  const int line = line_axis("median", x, axis);
  ops::require_elements("median", x, 1u << line);
  const std::int64_t middle = (extent_along(x, line) - 1) / 2;
  return selected(x, ops::rank_positions(x, line, middle, true), line, options);
}

}  // namespace autograd
