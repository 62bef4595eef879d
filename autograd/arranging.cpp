// SPDX-License-Identifier: Apache-2.0
// Copies: tensors put together, repeated, padded. Views are in shaping.cpp.
#include <algorithm>
#include <numeric>

#include "apply.hpp"
#include "apply_list.hpp"
#include "create.hpp"
#include "indexing.hpp"
#include "shaping.hpp"

namespace autograd {

using ops::DiagonalMap, ops::FlipMap, ops::SliceMap, ops::WindowMap;

namespace {

DType common_dtype(const std::vector<Tensor>& tensors) {
  DType dtype = boolean;
  for (const Tensor& x : tensors) dtype = promote(dtype, x.dtype());
  return dtype;
}

std::string list_text(const std::vector<std::int64_t>& values) {
  std::string text = "{";
  for (std::size_t i = 0; i < values.size(); ++i) {
    text += (i ? ", " : "") + std::to_string(values[i]);
  }
  return text + "}";
}

// x [outer, extent, inner] around an axis, each of its parts repeated; `whole`: the axis as a whole.
Tensor repeat_axis(const Tensor& x, int axis, std::int64_t times, bool whole) {
  if (times == 1) return x;
  std::int64_t outer = 1, inner = 1;
  for (int i = 0; i < axis; ++i) outer *= x.shape()[i];
  for (int i = axis + 1; i < x.dim(); ++i) inner *= x.shape()[i];
  const std::int64_t n = x.shape()[axis];
  Shape shape = x.shape();
  shape[axis] = n * times;
  if (whole) {
    return reshape(broadcast_to(reshape(x, Shape{outer, 1, n * inner}), {outer, times, n * inner}),
                   shape);
  }
  return reshape(broadcast_to(reshape(x, Shape{outer * n, 1, inner}), {outer * n, times, inner}),
                 shape);
}

// The extent n of an axis that is repeated.
std::int64_t checked_extent(const char* function, std::int64_t n, std::int64_t times) {
  std::int64_t extent = 0;
  if (times < 0 || __builtin_mul_overflow(n, times, &extent)) {
    throw ValueError(std::string(function) + ": number out of range: " + std::to_string(times) +
                     "; need at least 0, and extents below 2^63");
  }
  return extent;
}

// A tensor of its own, with elements of its own: what came out may still be a view of x.
Tensor own(const Tensor& y, const Tensor& x) {
  const bool fresh = y.is_contiguous() && y.node()->base != x.node()->base;
  return fresh ? y : apply(ops::Contiguous{}, y);
}

void check_matrices(const char* function, const Tensor& x) {
  if (x.dim() < 2) {
    throw ShapeError(std::string(function) + ": too few axes: x is " + to_string(x.shape()) +
                     "; need at least 2");
  }
}

}  // namespace

// Of all examples of a vmap, which are in front. Operands of shape [0] that count for nothing are left out.
namespace ops {
static Tensor batch_list(const Cat& op, const std::vector<Tensor>& in) {
  std::vector<Tensor> counted;
  for (std::size_t k = 0; k < in.size(); ++k) {
    if (op.starts[k] >= 0) counted.push_back(in[k]);
  }
  return cat(counted, op.axis + 1);
}
}  // namespace ops

Tensor cat(const std::vector<Tensor>& tensors, std::int64_t axis) {
  const ops::Cat op(tensors, axis);
  const DType dtype = common_dtype(tensors);
  std::vector<Tensor> operands;
  for (const Tensor& x : tensors) operands.push_back(to(x, dtype));
  return apply_list(op, operands);
}

Tensor stack(const std::vector<Tensor>& tensors, std::int64_t axis) {
  if (tensors.empty()) throw ValueError("stack: no tensors; need at least one");
  const Shape& first = tensors[0].shape();
  const int at = normalize_axis("stack", axis, first.dim() + 1);
  for (std::size_t k = 1; k < tensors.size(); ++k) {
    if (tensors[k].shape() == first) continue;
    throw ShapeError("stack: shapes differ: operand " + std::to_string(k) + " is " +
                     to_string(tensors[k].shape()) + ", the first " + to_string(first) +
                     "; need the same");
  }
  if (first.dim() == kMaxDim) throw ShapeError("stack: too many axes; need at most 7");
  std::vector<Tensor> operands;
  for (const Tensor& x : tensors) operands.push_back(unsqueeze(x, at));
  return cat(operands, at);
}

std::vector<Tensor> meshgrid(const std::vector<Tensor>& tensors, MeshgridOptions options) {
  Shape grid;
  for (const Tensor& x : tensors) {
    if (x.dim() > 1) {
      throw ShapeError("meshgrid: too many axes: " + to_string(x.shape()) + "; need at most 1");
    }
    grid.push_back(x.numel());
  }
  const bool exchanged = options.indexing == MeshIndexing::xy && tensors.size() >= 2;
  if (exchanged) std::swap(grid[0], grid[1]);
  (void)grid.numel();  // throws for too many elements
  std::vector<Tensor> result;
  for (int k = 0; k < grid.dim(); ++k) {
    const int axis = exchanged && k < 2 ? 1 - k : k;
    Shape line;
    for (int i = 0; i < grid.dim(); ++i) line.push_back(i == axis ? grid[i] : 1);
    result.push_back(broadcast_to(reshape(tensors[static_cast<std::size_t>(k)], line), grid));
  }
  return result;
}

Tensor repeat(const Tensor& x, const std::vector<std::int64_t>& times) {
  const int lead = static_cast<int>(times.size()) - x.dim();
  if (lead < 0) {
    throw ShapeError("repeat: too few numbers: " + list_text(times) + " for shape " +
                     to_string(x.shape()) + "; need one for each axis (" +
                     std::to_string(times.size()) + " < " + std::to_string(x.dim()) + ")");
  }
  Shape result, shape;  // what is asked for, and x with the axes in front
  for (int i = 0; i < static_cast<int>(times.size()); ++i) {
    shape.push_back(i < lead ? 1 : x.shape()[i - lead]);
    result.push_back(checked_extent("repeat", shape[i], times[static_cast<std::size_t>(i)]));
  }
  (void)result.numel();  // throws for too many elements
  Tensor y = reshape(x, shape);
  for (const bool zero : {true, false}) {  // none first: the rest may be too large without it
    for (int i = 0; i < shape.dim(); ++i) {
      const std::int64_t n = times[static_cast<std::size_t>(i)];
      if ((n == 0) == zero) y = repeat_axis(y, i, n, true);
    }
  }
  return own(y, x);
}

Tensor tile(const Tensor& x, const std::vector<std::int64_t>& times) {
  std::vector<std::int64_t> all = times;
  while (static_cast<int>(all.size()) < x.dim()) all.insert(all.begin(), 1);
  return repeat(x, all);
}

Tensor repeat_interleave(const Tensor& x, std::int64_t n, std::int64_t axis) {
  const int at = normalize_axis("repeat_interleave", axis, x.dim());
  Shape result = x.shape();
  result[at] = checked_extent("repeat_interleave", x.shape()[at], n);
  (void)result.numel();
  return own(repeat_axis(x, at, n, false), x);
}
Tensor repeat_interleave(const Tensor& x, const Tensor& times, std::int64_t axis) {
  const int at = normalize_axis("repeat_interleave", axis, x.dim());
  const std::int64_t extent = x.shape()[at];
  if (times.dtype() != int64 || !(times.shape() == Shape{extent})) {
    throw ShapeError("repeat_interleave: times do not fit: " + std::string(name(times.dtype())) +
                     " " + to_string(times.shape()) + "; need int64 [" + std::to_string(extent) +
                     "]");
  }
  const std::vector<std::int64_t> counts = to_vector<std::int64_t>(times);
  std::int64_t total = 0;
  for (std::int64_t count : counts) {
    if (count < 0 || __builtin_add_overflow(total, count, &total)) {
      throw ValueError("repeat_interleave: number out of range: " + std::to_string(count) +
                       "; need at least 0, and extents below 2^63");
    }
  }
  Tensor index = empty({total}, int64);
  std::int64_t* to = index.mutable_data<std::int64_t>().data();
  for (std::int64_t i = 0; i < extent; ++i) {
    to = std::fill_n(to, counts[static_cast<std::size_t>(i)], i);
  }
  return index_select(x, at, index);
}

Tensor flip(const Tensor& x, const Axes& axes) {
  FlipMap map;
  for (std::int64_t axis : axes) {
    const std::uint32_t bit = 1u << normalize_axis("flip", axis, x.dim());
    if (map.axes & bit) {
      throw ValueError("flip: axis given twice: " + std::to_string(axis) + "; need each axis once");
    }
    map.axes |= bit;
  }
  return view(x, map);
}

Tensor roll(const Tensor& x, const Axes& shifts, const Axes& axes) {
  if (shifts.size() != axes.size()) {
    throw ValueError("roll: other number of axes: " + std::to_string(shifts.size()) + " shifts, " +
                     std::to_string(axes.size()) + " axes; need as many (" +
                     std::to_string(shifts.size()) + " != " + std::to_string(axes.size()) + ")");
  }
  for (std::int64_t axis : axes) normalize_axis("roll", axis, x.dim());
  Tensor y = x;
  for (std::size_t k = 0; k < axes.size(); ++k) {
    const int axis = normalize_axis("roll", axes[k], x.dim());
    const std::int64_t n = x.shape()[axis];
    const std::int64_t shift = n == 0 ? 0 : (shifts[k] % n + n) % n;
    if (shift == 0) continue;
    y = cat({narrow(y, axis, n - shift, shift), narrow(y, axis, 0, n - shift)}, axis);
  }
  return own(y, x);
}
Tensor roll(const Tensor& x, std::int64_t shift) {
  return own(reshape(roll(reshape(x, {-1}), {shift}, {0}), x.shape()), x);
}

Tensor tril(const Tensor& x, std::int64_t diagonal) {
  check_matrices("tril", x);
  return apply(ops::Triangle{diagonal, false}, x);
}
Tensor triu(const Tensor& x, std::int64_t diagonal) {
  check_matrices("triu", x);
  return apply(ops::Triangle{diagonal, true}, x);
}

Tensor diag_embed(const Tensor& x, DiagEmbedOptions options) {
  if (x.dim() == 0) throw ShapeError("diag_embed: a scalar has no axes; need at least one");
  const int dim = x.dim() + 1;
  const int axis1 = normalize_axis("diag_embed", options.axis1, dim);
  const int axis2 = normalize_axis("diag_embed", options.axis2, dim);
  constexpr std::int64_t kMost = std::int64_t{1} << 48;
  if (axis1 == axis2 || options.offset > kMost || options.offset < -kMost) {
    throw ValueError("diag_embed: wrong axes or offset: axes " + std::to_string(options.axis1) +
                     " and " + std::to_string(options.axis2) + ", offset " +
                     std::to_string(options.offset) +
                     "; need different axes and an offset within 2^48");
  }
  const std::int64_t n = x.shape().back() + std::abs(options.offset);
  Shape shape;
  for (int i = 0, from = 0; i < dim; ++i) {
    shape.push_back(i == axis1 || i == axis2 ? n : x.shape()[from++]);
  }
  return unview(x, DiagonalMap{options.offset, axis1, axis2}, shape);
}

Tensor diag(const Tensor& x, std::int64_t offset) {
  if (x.dim() == 1) return diag_embed(x, {.offset = offset});
  if (x.dim() == 2) return diagonal(x, {.offset = offset});
  throw ShapeError("diag: wrong number of axes: x is " + to_string(x.shape()) + "; need 1 or 2");
}

}  // namespace autograd
