// SPDX-License-Identifier: Apache-2.0
// Views: arguments are checked and turned into maps here. What copies is in arranging.cpp.
#include "shaping.hpp"

#include <algorithm>
#include <numeric>

#include "apply.hpp"
#include "indexing.hpp"

namespace autograd {

using ops::DiagonalMap, ops::FlipMap, ops::PermuteMap, ops::SliceMap, ops::WindowMap;

template <class Map> Tensor view(const Tensor& x, const Map& map) {
  return apply(ops::View<Map>{map, x.shape()}, x);
}
template <class Map>
Tensor unview(const Tensor& y, const Map& map, const Shape& shape, double fill) {
  return apply(ops::Unview<Map>{map, shape, fill}, y);
}
template Tensor view(const Tensor&, const PermuteMap&);
template Tensor view(const Tensor&, const SliceMap&);
template Tensor view(const Tensor&, const DiagonalMap&);
template Tensor view(const Tensor&, const WindowMap&);
template Tensor view(const Tensor&, const FlipMap&);
template Tensor unview(const Tensor&, const SliceMap&, const Shape&, double);
template Tensor unview(const Tensor&, const DiagonalMap&, const Shape&, double);
template Tensor unview(const Tensor&, const WindowMap&, const Shape&, double);

namespace {

std::string axes_text(const Axes& axes) {
  std::string text = "{";
  for (std::size_t i = 0; i < axes.size(); ++i) {
    text += (i ? ", " : "") + std::to_string(axes[i]);
  }
  return text + "}";
}

// The axes counted from the front, each at most once.
std::vector<int> distinct_axes(const char* function, const Axes& axes, int dim) {
  std::vector<int> result;
  for (std::int64_t axis : axes) {
    const int normal = normalize_axis(function, axis, dim);
    if (std::find(result.begin(), result.end(), normal) != result.end()) {
      throw ValueError(std::string(function) + ": axis given twice: " + std::to_string(axis) +
                       "; need each axis once");
    }
    result.push_back(normal);
  }
  return result;
}

Tensor permuted(const Tensor& x, const std::vector<int>& order) {
  PermuteMap map;
  for (std::size_t i = 0; i < order.size(); ++i) map.order[i] = static_cast<std::int8_t>(order[i]);
  return view(x, map);
}

SliceMap narrow_map(const Tensor& x, int axis, std::int64_t start, std::int64_t length) {
  SliceMap map = SliceMap::whole(x.shape());
  map.set(axis, start, length);
  return map;
}

SliceMap select_map(const Tensor& x, int axis, std::int64_t i) {
  SliceMap map = narrow_map(x, axis, i, 1);
  map.dropped = 1u << axis;
  return map;
}

int axis_of(const char* function, const Tensor& x, std::int64_t axis) {
  const int dim = x.dim();
  if (dim == 0) {
    throw ShapeError(std::string(function) + ": a scalar has no axes; need at least one");
  }
  return normalize_axis(function, axis, dim);
}

}  // namespace

Tensor permute(const Tensor& x, const Axes& order) {
  const std::vector<int> axes = distinct_axes("permute", order, x.dim());
  if (static_cast<int>(axes.size()) != x.dim()) {
    throw ShapeError("permute: wrong number of axes: " + axes_text(order) + " for shape " +
                     to_string(x.shape()) + "; need each axis once (" +
                     std::to_string(axes.size()) + " != " + std::to_string(x.dim()) + ")");
  }
  return permuted(x, axes);
}

Tensor movedim(const Tensor& x, const Axes& from, const Axes& to) {
  const std::vector<int> sources = distinct_axes("movedim", from, x.dim());
  const std::vector<int> targets = distinct_axes("movedim", to, x.dim());
  if (sources.size() != targets.size()) {
    throw ValueError("movedim: other number of axes: from " + axes_text(from) + " to " +
                     axes_text(to) + "; need as many (" + std::to_string(from.size()) +
                     " != " + std::to_string(to.size()) + ")");
  }
  std::vector<int> order(static_cast<std::size_t>(x.dim()), -1);
  for (std::size_t i = 0; i < sources.size(); ++i) {
    order[static_cast<std::size_t>(targets[i])] = sources[i];
  }
  int next = 0;
  for (int& axis : order) {
    if (axis >= 0) continue;
    while (std::find(sources.begin(), sources.end(), next) != sources.end()) ++next;
    axis = next++;
  }
  return permuted(x, order);
}
Tensor movedim(const Tensor& x, std::int64_t from, std::int64_t to) {
  return movedim(x, Axes{from}, Axes{to});
}

Tensor squeeze(const Tensor& x) {
  Shape shape;
  for (std::int64_t extent : x.shape()) {
    if (extent != 1) shape.push_back(extent);
  }
  return reshape(x, shape);
}
Tensor squeeze(const Tensor& x, std::int64_t axis) {
  if (x.dim() == 0 && (axis == 0 || axis == -1)) return reshape(x, Shape{});
  const int dropped = normalize_axis("squeeze", axis, x.dim());
  Shape shape;
  for (int i = 0; i < x.dim(); ++i) {
    if (i != dropped || x.shape()[i] != 1) shape.push_back(x.shape()[i]);
  }
  return reshape(x, shape);
}
Tensor unsqueeze(const Tensor& x, std::int64_t axis) {
  const int added = normalize_axis("unsqueeze", axis, x.dim() + 1);
  Shape shape;
  for (int i = 0; i <= x.dim(); ++i) {
    if (i == added) shape.push_back(1);
    if (i < x.dim()) shape.push_back(x.shape()[i]);
  }
  return reshape(x, shape);
}

Tensor flatten(const Tensor& x, std::int64_t first, std::int64_t last) {
  const int dim = std::max(x.dim(), 1);
  const int from = normalize_axis("flatten", first, dim), to = normalize_axis("flatten", last, dim);
  if (from > to) {
    throw ValueError("flatten: the first axis lies behind the last: " + std::to_string(first) +
                     ", " + std::to_string(last) + " for shape " + to_string(x.shape()) +
                     "; need first <= last (" + std::to_string(from) + " > " + std::to_string(to) +
                     ")");
  }
  if (x.dim() == 0) return reshape(x, Shape{1});
  Shape shape;
  for (int i = 0; i < dim; ++i) {
    if (i <= from || i > to) {
      shape.push_back(x.shape()[i]);
    } else {
      shape[from] *= x.shape()[i];
    }
  }
  return reshape(x, shape);
}

Tensor unflatten(const Tensor& x, std::int64_t axis, const std::vector<std::int64_t>& extents) {
  const int at = axis_of("unflatten", x, axis);
  const std::int64_t extent = x.shape()[at];
  std::int64_t known = 1;
  int open = 0;
  bool fits = true;
  for (std::int64_t e : extents) {
    if (e == -1) {
      ++open;
    } else {
      fits = fits && e >= 0 && !__builtin_mul_overflow(known, e, &known);
    }
  }
  fits = fits && (open == 0 ? known == extent : open == 1 && known > 0 && extent % known == 0);
  if (!fits) {
    throw ShapeError("unflatten: the extents do not fit: " + axes_text(extents) + " for axis " +
                     std::to_string(at) + " of " + to_string(x.shape()) +
                     "; need their product to be " + std::to_string(extent) +
                     " (one of them may be -1)");
  }
  Shape shape;
  for (int i = 0; i < x.dim(); ++i) {
    if (i != at) {
      shape.push_back(x.shape()[i]);
    } else {
      for (std::int64_t e : extents) shape.push_back(e == -1 ? extent / known : e);
    }
  }
  return reshape(x, shape);
}

Tensor expand(const Tensor& x, const std::vector<std::int64_t>& shape) {
  const int lead = static_cast<int>(shape.size()) - x.dim();
  Shape extents;
  for (int i = 0; i < static_cast<int>(shape.size()); ++i) {
    const std::int64_t asked = shape[static_cast<std::size_t>(i)];
    if (asked == -1 && i < lead) {
      throw ShapeError("expand: -1 for a new axis: x is " + to_string(x.shape()) + ", asked for " +
                       axes_text(shape) + "; need its extent");
    }
    const std::int64_t has = i >= lead && i - lead < x.dim() ? x.shape()[i - lead] : 1;
    if (lead < 0 || (asked != -1 && has != 1 && has != asked)) {
      throw ShapeError("expand: the shape does not fit: x is " + to_string(x.shape()) +
                       ", asked for " + axes_text(shape) +
                       "; need x's extents, or -1, where they are not 1, from the last axis on");
    }
    extents.push_back(asked == -1 ? has : asked);
  }
  return broadcast_to(x, extents);
}

Tensor atleast_1d(const Tensor& x) { return x.dim() >= 1 ? x : reshape(x, Shape{1}); }
Tensor atleast_2d(const Tensor& x) { return x.dim() >= 2 ? x : reshape(x, Shape{1, x.numel()}); }
Tensor atleast_3d(const Tensor& x) {
  if (x.dim() >= 3) return x;
  return x.dim() == 2 ? unsqueeze(x, 2) : reshape(x, Shape{1, x.numel(), 1});
}

Tensor narrow(const Tensor& x, std::int64_t axis, std::int64_t start, std::int64_t length) {
  const int at = axis_of("narrow", x, axis);
  const std::int64_t extent = x.shape()[at];
  if (start < -extent || start > extent) {
    throw ValueError("narrow: start out of range: " + std::to_string(start) + " for axis " +
                     std::to_string(at) + " of " + to_string(x.shape()) + "; need at least " +
                     std::to_string(-extent) + " and at most " + std::to_string(extent));
  }
  const std::int64_t first = start < 0 ? start + extent : start;
  if (length < 0 || length > extent - first) {
    throw ValueError("narrow: length out of range: " + std::to_string(length) + " from " +
                     std::to_string(first) + " for axis " + std::to_string(at) + " of " +
                     to_string(x.shape()) + "; need at least 0 and at most " +
                     std::to_string(extent - first));
  }
  return view(x, narrow_map(x, at, first, length));
}

Tensor select(const Tensor& x, std::int64_t axis, std::int64_t i) {
  const int at = axis_of("select", x, axis);
  const std::int64_t extent = x.shape()[at];
  if (i < -extent || i >= extent) {
    throw ValueError("select: index out of range: " + std::to_string(i) + " for axis " +
                     std::to_string(at) + " of " + to_string(x.shape()) + "; need at least " +
                     std::to_string(-extent) + " and less than " + std::to_string(extent));
  }
  return view(x, select_map(x, at, i < 0 ? i + extent : i));
}

std::vector<Tensor> split(const Tensor& x, std::int64_t size, std::int64_t axis) {
  const int at = axis_of("split", x, axis);
  const std::int64_t extent = x.shape()[at];
  if (size < 0 || (size == 0 && extent != 0)) {
    throw ValueError("split: size out of range: " + std::to_string(size) + " for axis " +
                     std::to_string(at) + " of " + to_string(x.shape()) + "; need at least 1");
  }
  std::vector<Tensor> parts;
  std::int64_t start = 0;
  do {
    const std::int64_t length = std::min(size, extent - start);
    parts.push_back(view(x, narrow_map(x, at, start, length)));
    start += length;
  } while (start < extent);
  return parts;
}

std::vector<Tensor> split(const Tensor& x, const std::vector<std::int64_t>& sizes,
                          std::int64_t axis) {
  const int at = axis_of("split", x, axis);
  std::int64_t left = x.shape()[at];
  bool fits = true;
  for (std::int64_t size : sizes) {
    fits = fits && size >= 0 && size <= left;
    if (fits) left -= size;
  }
  if (!fits || left != 0) {
    throw ValueError("split: the sizes do not add up: " + axes_text(sizes) + " for axis " +
                     std::to_string(at) + " of " + to_string(x.shape()) + "; need a sum of " +
                     std::to_string(x.shape()[at]));
  }
  std::vector<Tensor> parts;
  std::int64_t start = 0;
  for (std::int64_t size : sizes) {
    parts.push_back(view(x, narrow_map(x, at, start, size)));
    start += size;
  }
  return parts;
}

std::vector<Tensor> chunk(const Tensor& x, std::int64_t n, std::int64_t axis) {
  const int at = axis_of("chunk", x, axis);
  if (n < 1) {
    throw ValueError("chunk: number of parts out of range: " + std::to_string(n) +
                     "; need at least 1");
  }
  const std::int64_t extent = x.shape()[at];
  return split(x, extent == 0 ? 0 : extent / n + (extent % n != 0), at);
}

std::vector<Tensor> unbind(const Tensor& x, std::int64_t axis) {
  const int at = axis_of("unbind", x, axis);
  std::vector<Tensor> parts;
  for (std::int64_t i = 0; i < x.shape()[at]; ++i) parts.push_back(view(x, select_map(x, at, i)));
  return parts;
}

Tensor diagonal(const Tensor& x, DiagonalOptions options) {
  const std::vector<int> axes = distinct_axes("diagonal", {options.axis1, options.axis2}, x.dim());
  const std::int64_t far = std::max(x.shape()[axes[0]], x.shape()[axes[1]]);
  return view(x, DiagonalMap{std::clamp(options.offset, -far, far), axes[0], axes[1]});
}

Tensor unfold(const Tensor& x, std::int64_t axis, std::int64_t size, std::int64_t step) {
  const int at = axis_of("unfold", x, axis);
  const std::int64_t extent = x.shape()[at];
  if (size < 0 || size > extent || step < 1) {
    throw ValueError("unfold: windows do not fit: size " + std::to_string(size) + " and step " +
                     std::to_string(step) + " for axis " + std::to_string(at) + " of " +
                     to_string(x.shape()) + "; need a size of at most " + std::to_string(extent) +
                     " and a step of at least 1");
  }
  if (x.dim() == kMaxDim) throw ShapeError("unfold: too many axes; need at most 7");
  return view(x, WindowMap{at, size, step, 1});
}

}  // namespace autograd
