// SPDX-License-Identifier: Apache-2.0
// The functions of int64 indices and of masks: arguments are checked here, before anything is recorded.
#include <algorithm>

#include "apply.hpp"
#include "create.hpp"
#include "indexing.hpp"
#include "shaping.hpp"

namespace autograd {

namespace {

int axis_of(const char* function, const Tensor& x, std::int64_t axis) {
  if (x.dim() == 0) {
    throw ShapeError(std::string(function) + ": a scalar has no axes; need at least one");
  }
  return normalize_axis(function, axis, x.dim());
}

// The index of a slice function: dense, one axis, elements within the extent.
Tensor line_index(const char* function, const Tensor& index, std::int64_t extent) {
  if (index.dim() > 1) {
    throw ShapeError(std::string(function) + ": too many axes: index is " +
                     to_string(index.shape()) + "; need at most 1");
  }
  Tensor dense = ops::row_major(detach(index));
  ops::check_index(function, dense, extent);
  return dense.dim() == 1 ? dense : reshape(dense, Shape{1});
}

void check_dtypes(const char* function, const Tensor& x, const Tensor& source) {
  if (x.dtype() != source.dtype()) {
    throw TypeError(std::string(function) + ": other dtype: x holds " + name(x.dtype()) +
                    ", the source " + name(source.dtype()) + "; need the same (convert with to)");
  }
}

void check_source(const char* function, const Tensor& x, int axis, const Tensor& index,
                  const Tensor& source) {
  check_dtypes(function, x, source);
  Shape want = x.shape();
  want[axis] = index.numel();
  if (!(source.shape() == want)) {
    throw ShapeError(std::string(function) + ": the source does not fit: x is " +
                     to_string(x.shape()) + ", index is " + to_string(index.shape()) +
                     ", source is " + to_string(source.shape()) + "; need " + to_string(want));
  }
}

// The index of a function of elements: dense, extents within x's; its elements are not checked yet.
Tensor shaped_index(const char* function, const Tensor& x, int axis, const Tensor& index) {
  bool fits = index.dim() == x.dim();
  for (int i = 0; fits && i < x.dim() && index.numel() > 0; ++i) {
    fits = i == axis || index.shape()[i] <= x.shape()[i];
  }
  if (!fits) {
    throw ShapeError(std::string(function) + ": the index does not fit: x is " +
                     to_string(x.shape()) + ", index is " + to_string(index.shape()) +
                     "; need as many axes, and extents of at most x's but along axis " +
                     std::to_string(axis));
  }
  ops::check_index_dtype(function, index);
  return ops::row_major(detach(index));
}

// The part of the source that the index covers.
Tensor covered(const char* function, const Tensor& x, const Tensor& index, const Tensor& source) {
  check_dtypes(function, x, source);
  if (source.shape() == index.shape()) return source;
  bool fits = source.dim() == index.dim();
  ops::SliceMap map = ops::SliceMap::whole(index.shape());
  for (int i = 0; fits && i < index.dim(); ++i) fits = index.shape()[i] <= source.shape()[i];
  if (!fits) {
    throw ShapeError(std::string(function) + ": the source is too small: index is " +
                     to_string(index.shape()) + ", source is " + to_string(source.shape()) +
                     "; need as many axes, and extents of at least the index'");
  }
  return view(source, map);
}

void check_mask(const char* function, const Tensor& mask) {
  if (mask.dtype() != boolean) {
    throw TypeError(std::string(function) + ": the mask is " + name(mask.dtype()) +
                    "; need bool (a comparison, or to(mask, boolean))");
  }
}

}  // namespace

Tensor index_select(const Tensor& x, std::int64_t axis, const Tensor& index) {
  const int at = axis_of("index_select", x, axis);
  const Tensor line = line_index("index_select", index, x.shape()[at]);
  return apply(ops::IndexSelect{line, at, x.shape()}, x);
}
Tensor index_add(const Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source,
                 IndexAddOptions options) {
  const int at = axis_of("index_add", x, axis);
  const Tensor line = line_index("index_add", index, x.shape()[at]);
  check_source("index_add", x, at, line, source);
  return apply(ops::IndexAdd{line, at, options.alpha}, x, source);
}
Tensor index_copy(const Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source) {
  const int at = axis_of("index_copy", x, axis);
  const Tensor line = line_index("index_copy", index, x.shape()[at]);
  check_source("index_copy", x, at, line, source);
  return apply(ops::IndexCopy{line, at}, x, source);
}

Tensor gather(const Tensor& x, std::int64_t axis, const Tensor& index) {
  const int at = axis_of("gather", x, axis);
  return apply(ops::Gather{shaped_index("gather", x, at, index), at, x.shape()}, x);
}
Tensor scatter(const Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source) {
  const int at = axis_of("scatter", x, axis);
  const Tensor places = shaped_index("scatter", x, at, index);
  ops::check_index("scatter", places, x.shape()[at]);
  return apply(ops::Scatter{places, at}, x, covered("scatter", x, places, source));
}
Tensor scatter(const Tensor& x, std::int64_t axis, const Tensor& index, double value) {
  return scatter(x, axis, index, full(index.shape(), value, x.dtype()));
}
Tensor scatter_add(const Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source) {
  const int at = axis_of("scatter_add", x, axis);
  const Tensor places = shaped_index("scatter_add", x, at, index);
  // A part of the source would be recorded before the operation looks at the index.
  if (!(source.shape() == places.shape())) ops::check_index("scatter_add", places, x.shape()[at]);
  return apply(ops::ScatterAdd{places, at}, x, covered("scatter_add", x, places, source));
}

Tensor take_along_dim(const Tensor& x, const Tensor& index, std::int64_t axis) {
  const int at = axis_of("take_along_dim", x, axis);
  if (index.dim() != x.dim()) {
    throw ShapeError("take_along_dim: other number of axes: x is " + to_string(x.shape()) +
                     ", index is " + to_string(index.shape()) + "; need as many");
  }
  Shape from = x.shape(), to = index.shape();
  from[at] = to[at] = 1;
  from = to = broadcast_shapes("take_along_dim", from, to);
  from[at] = x.shape()[at];
  to[at] = index.shape()[at];
  const Tensor places = ops::row_major(broadcast_to(detach(index), to));
  ops::check_index("take_along_dim", places, from[at]);
  return gather(from == x.shape() ? x : broadcast_to(x, from), at, places);
}

Tensor take(const Tensor& x, const Tensor& index) { return reshape(x, Shape{x.numel()})(index); }

Tensor masked_fill(const Tensor& x, const Tensor& mask, double value) {
  check_mask("masked_fill", mask);
  if (!is_floating(x.dtype())) return where(mask, full({}, value, x.dtype()), x);
  return where(mask, value, x);
}

Tensor masked_select(const Tensor& x, const Tensor& mask) {
  check_mask("masked_select", mask);
  const Shape shape = broadcast_shapes("masked_select", x.shape(), mask.shape());
  const Tensor chosen = nonzero(reshape(broadcast_to(mask, shape), Shape{shape.numel()}));
  const Tensor all = x.shape() == shape ? x : broadcast_to(x, shape);
  return index_select(reshape(all, Shape{shape.numel()}), 0, reshape(chosen, {-1}));
}

Tensor nonzero(const Tensor& x) {
  const std::int64_t n = x.numel();
  const ops::Dense source(x);
  std::int64_t count = 0;
  Tensor y;
  dispatch(x.dtype(), [&]<class T>(T) {
    const T* values = source.data<T>();
    count = n - std::count(values, values + n, T{});
    y = empty({count, x.dim()}, int64);
    std::int64_t* to = ops::data<std::int64_t>(y);
    for (std::int64_t i = 0; i < n; ++i) {
      if (values[i] == T{}) continue;
      std::int64_t rest = i;
      for (int axis = x.dim() - 1; axis >= 0; --axis) {
        to[axis] = rest % x.shape()[axis];
        rest /= x.shape()[axis];
      }
      to += x.dim();
    }
  });
  return y;
}

Tensor one_hot(const Tensor& x, std::int64_t classes) {
  if (x.dtype() != int64) {
    throw TypeError(std::string("one_hot: x is ") + name(x.dtype()) + "; need int64");
  }
  const Tensor places = ops::row_major(x);
  const auto values = places.data<std::int64_t>();
  if (classes < 0) {
    if (classes != -1 || values.empty()) {
      throw ValueError("one_hot: number of classes out of range: " + std::to_string(classes) +
                       " for shape " + to_string(x.shape()) +
                       "; need at least 0, or -1 and an element to count them from");
    }
    const auto [least, most] = std::minmax_element(values.begin(), values.end());
    if (*least < 0) {
      throw ValueError("one_hot: negative label: " + std::to_string(*least) + " at element " +
                       std::to_string(least - values.begin()) + " of the index; need labels >= 0");
    }
    classes = *most == INT64_MAX ? *most : *most + 1;
  }
  ops::check_index("one_hot", places, classes);
  Shape shape = x.shape();
  shape.push_back(classes);
  Tensor y = zeros(shape, int64);
  std::int64_t* row = ops::data<std::int64_t>(y);
  for (std::int64_t place : values) {
    row[place] = 1;
    row += classes;
  }
  return y;
}

}  // namespace autograd
