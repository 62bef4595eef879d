// SPDX-License-Identifier: Apache-2.0
#include "shape_ops.hpp"

#include <algorithm>
#include <cstring>

#include "../create.hpp"
#include "../kernels/arrays.hpp"
#include "../kernels/transpose.hpp"
#include "broadcast.hpp"

namespace autograd::ops {

namespace {

using Strides = std::array<std::int64_t, kMaxDim>;
using Inputs = std::vector<Tensor>;

// Strides under which the elements of x, as they lie, have `shape`; false when there are none.
bool view_strides(const Tensor& x, const Shape& shape, Strides& strides) {
  // Axes of extent 1 may have any stride, so they are left out.
  Strides extents{}, old{};
  int from = -1, to = shape.dim() - 1;
  for (int i = 0; i < x.dim(); ++i) {
    if (x.shape()[i] == 1) continue;
    extents[static_cast<std::size_t>(++from)] = x.shape()[i];
    old[static_cast<std::size_t>(from)] = x.node()->strides[static_cast<std::size_t>(i)];
  }
  while (from >= 0 || to >= 0) {
    // Match a run of old axes with a run of new axes of the same number of elements.
    std::int64_t have = 1, need = 1, step = 1;
    if (from >= 0) {
      auto k = static_cast<std::size_t>(from--);
      have = extents[k];
      step = old[k];
      for (; k > 0 && old[k - 1] == old[k] * extents[k]; --k, --from) have *= extents[k - 1];
    }
    while (to >= 0 && need * shape[to] <= have) {
      strides[static_cast<std::size_t>(to)] = step;
      step *= shape[to];
      need *= shape[to--];
    }
    if (need != have) return false;
  }
  return true;
}

Strides contiguous_strides(const Shape& shape) {
  Strides strides{};
  std::int64_t stride = 1;
  for (int i = shape.dim() - 1; i >= 0; --i) {
    strides[static_cast<std::size_t>(i)] = stride;
    stride *= shape[i];
  }
  return strides;
}

// The axes of x as outer axes of loops: those of extent 1 left out, neighbors that lie like one made one.
Loops merged_axes(const Tensor& x) {
  Loops loops;
  for (int i = 0; i < x.dim(); ++i) {
    const std::int64_t n = x.shape()[i], stride = x.node()->strides[static_cast<std::size_t>(i)];
    if (n == 1) continue;
    const auto last = static_cast<std::size_t>(loops.dim - 1), next = last + 1;
    if (loops.dim > 0 && loops.a[last] == stride * n) {
      loops.extent[last] *= n;
      loops.a[last] = stride;
    } else {
      loops.extent[next] = n;
      loops.a[next] = stride;
      ++loops.dim;
    }
  }
  return loops;
}

template <class T> void copy_rows(const Tensor& x, const Tensor& y) {
  Loops loops = merged_axes(x);
  const auto axis_stride = [&](int axis) {
    return axis < 0 ? 0 : loops.a[static_cast<std::size_t>(axis)];
  };
  const auto extent = [&](int axis) {
    return axis < 0 ? 1 : loops.extent[static_cast<std::size_t>(axis)];
  };
  const int dim = loops.dim;
  const std::int64_t inner = extent(dim - 1), step = axis_stride(dim - 1);
  const bool transposed = dim > 1 && axis_stride(dim - 2) == 1 && step > 1;
  const std::int64_t rows = transposed ? extent(dim - 2) : 1;
  loops.dim = std::max(dim - (transposed ? 2 : 1), 0);
  loops.inner = inner * rows;
  for_each_row_on_threads(loops, [&](std::int64_t from, std::int64_t, std::int64_t to) {
    const T* source = data<T>(x) + from;
    T* target = data<T>(y) + to;
    if (transposed) {
      const auto ld = static_cast<std::size_t>(step), n = static_cast<std::size_t>(rows);
      kernels::transpose(source, ld, static_cast<std::size_t>(inner), n, target,
                         static_cast<std::size_t>(inner));
    } else if (step == 1) {
      std::copy_n(source, inner, target);
    } else if (step == 0) {
      kernels::fill(target, *source, static_cast<std::size_t>(inner));
    } else {
      for (std::int64_t i = 0; i < inner; ++i) target[i] = source[i * step];
    }
  });
}

void check_index(const char* function, const Tensor& index, std::int64_t rows,
                 std::int64_t columns) {
  if (index.dtype() != int64) {
    throw TypeError(std::string(function) + ": the index is " + name(index.dtype()) +
                    "; need int64");
  }
  if (index.dim() != 1 || index.shape()[0] != rows) {
    throw ShapeError(std::string(function) + ": the index does not fit: index is " +
                     to_string(index.shape()) + "; need shape [" + std::to_string(rows) + "]");
  }
  const auto values = index.data<std::int64_t>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] < 0 || values[i] >= columns) {
      throw ValueError(std::string(function) + ": index out of range: " +
                       std::to_string(values[i]) + " at position " + std::to_string(i) +
                       "; need at least 0 and less than " + std::to_string(columns));
    }
  }
}

}  // namespace

Tensor Transpose::forward(const Tensor& x) const {
  Shape shape = x.shape();
  Strides strides = x.node()->strides;
  std::swap(shape[axis0], shape[axis1]);
  std::swap(strides[static_cast<std::size_t>(axis0)], strides[static_cast<std::size_t>(axis1)]);
  return Tensor::adopt(detail::make_view(x.node(), x.node()->data, shape, strides));
}
void Transpose::backward(const Saved<1>&, const Tensor& dy, Gradients<1>& dx) const {
  dx.set(0, transpose(dy, axis0, axis1));
}
std::vector<OpCase> Transpose::cases() {
  return {{"matrix", {{3, 4}}, [](const Inputs& in) { return transpose(in[0]) * 2.0; }},
          {"outer axes", {{2, 3, 4}}, [](const Inputs& in) { return transpose(in[0], 0, -1); }}};
}

Tensor Reshape::forward(const Tensor& x) const {
  Strides strides{};
  if (x.is_contiguous()) {
    strides = contiguous_strides(shape);
  } else if (x.numel() == 0 || !view_strides(x, shape, strides)) {
    Tensor copy = row_major(x);
    return Tensor::adopt(
        detail::make_view(copy.node(), copy.node()->data, shape, contiguous_strides(shape)));
  }
  return Tensor::adopt(detail::make_view(x.node(), x.node()->data, shape, strides));
}
void Reshape::backward(const Saved<1>&, const Tensor& dy, Gradients<1>& dx) const {
  if (dx.recorded() || !exclusive(dy.node())) return dx.set(0, reshape(dy, from));
  // Nobody else sees dy: it takes the shape itself, for a view would be copied where a leaf keeps it.
  Tensor g = dy;
  g.node()->shape = from;
  g.node()->strides = contiguous_strides(from);
  dx.set(0, std::move(g));
}
std::vector<OpCase> Reshape::cases() {
  return {{"flatten", {{3, 4}}, [](const Inputs& in) { return reshape(in[0], {-1}); }},
          {"of a transpose",
           {{3, 4}},
           [](const Inputs& in) {
             return reshape(transpose(in[0]), {2, 6});
           }},
          {"to a scalar", {{1}}, [](const Inputs& in) { return reshape(in[0], Shape{}); }}};
}

Tensor BroadcastTo::forward(const Tensor& x) const {
  const int lead = shape.dim() - x.dim();
  bool fits = lead >= 0;
  Strides strides{};
  for (int i = std::max(lead, 0); fits && i < shape.dim(); ++i) {
    const std::int64_t extent = x.shape()[i - lead];
    fits = extent == shape[i] || extent == 1;
    const std::int64_t stride = x.node()->strides[static_cast<std::size_t>(i - lead)];
    strides[static_cast<std::size_t>(i)] = extent == shape[i] ? stride : 0;
  }
  if (!fits) {
    throw ShapeError("broadcast_to: the shape does not fit: x is " + to_string(x.shape()) +
                     ", asked for " + to_string(shape) +
                     "; need equal extents or 1 from the last axis on");
  }
  return Tensor::adopt(detail::make_view(x.node(), x.node()->data, shape, strides));
}
void BroadcastTo::backward(const Saved<1>&, const Tensor& dy, Gradients<1>& dx) const {
  dx.set(0, sum_to(dy, from));
}
std::vector<OpCase> BroadcastTo::cases() {
  return {{"leading axis",
           {{4}},
           [](const Inputs& in) {
             return broadcast_to(in[0], {3, 4});
           }},
          {"inner axis",
           {{3, 1}},
           [](const Inputs& in) {
             return broadcast_to(in[0], {2, 3, 4});
           }},
          {"scalar", {Shape{}}, [](const Inputs& in) {
             return broadcast_to(in[0], {2, 2});
           }}};
}

Tensor row_major(const Tensor& x) { return x.is_contiguous() ? x : Contiguous{}.forward(x); }

Tensor Contiguous::forward(const Tensor& x) const {
  Tensor y = make(x.shape(), x.dtype());
  if (y.numel() == 0) return y;
  if (x.is_contiguous()) {
    std::memcpy(y.node()->data, x.node()->data, count(y) * item_size(x.dtype()));
  } else {
    dispatch(x.dtype(), [&]<class T>(T) { copy_rows<T>(x, y); });
  }
  return y;
}
void Contiguous::backward(const Saved<1>&, const Tensor& dy, Gradients<1>& dx) const {
  dx.set(0, dy);
}
std::vector<OpCase> Contiguous::cases() {
  return {
      {"of a transpose", {{3, 4}}, [](const Inputs& in) { return contiguous(transpose(in[0])); }}};
}

Tensor Cast::forward(const Tensor& x) const {
  const Tensor source = row_major(x);
  Tensor y = make(x.shape(), dtype);
  dispatch(x.dtype(), [&]<class From>(From) {
    dispatch(dtype, [&]<class To>(To) {
      kernels::convert<To, From>(data<From>(source), data<To>(y), count(y));
    });
  });
  return y;
}
void Cast::backward(const Saved<1>&, const Tensor& dy, Gradients<1>& dx) const {
  dx.set(0, to(dy, from));
}
std::vector<OpCase> Cast::cases() {
  // Through float32 and back loses digits that finite differences need: the identity is checked.
  return {{"same", {{3}}, [](const Inputs& in) { return to(in[0], in[0].dtype()) * 1.0; }}};
}

Tensor Where::forward(const Tensor& a, const Tensor& b) const {
  const Shape shape = broadcast_shapes("where", condition.tensor().shape(),
                                       broadcast_shapes("where", a.shape(), b.shape()));
  const Tensor c = row_major(broadcast_to(condition.tensor(), shape));
  const Tensor x = row_major(broadcast_to(detach(a), shape));
  const Tensor z = row_major(broadcast_to(detach(b), shape));
  Tensor y = make(shape, a.dtype());
  dispatch(a.dtype(), [&]<class T>(T) {
    kernels::select<T>(data<bool>(c), 1, data<T>(x), 1, data<T>(z), 1, data<T>(y), count(y));
  });
  return y;
}
void Where::backward(const Saved<2>&, const Tensor& dy, Gradients<2>& dx) const {
  const Tensor& c = condition.unchanged(info.name);
  if (dx.wants(0)) dx.set(0, sum_to(where(c, dy, 0.0), a_shape));
  if (dx.wants(1)) dx.set(1, sum_to(where(c, 0.0, dy), b_shape));
}
std::vector<OpCase> Where::cases() {
  return {{"both sides",
           {{3, 4}, {3, 4}},
           [](const Inputs& in) {
             const Tensor c = tensor({{1, 0, 1, 0}, {0, 0, 1, 1}, {1, 1, 0, 0}}) > 0.5;
             return where(c, in[0], in[1]);
           }},
          {"broadcast", {{4}, {3, 1}}, [](const Inputs& in) {
             return where(tensor({{1, 0, 1, 0}, {0, 0, 1, 1}, {1, 1, 0, 0}}) > 0.5, in[0], in[1]);
           }}};
}

Tensor Pick::forward(const Tensor& x) const {
  if (x.dim() != 2) {
    throw ShapeError("pick: x has the wrong number of axes: x is " + to_string(x.shape()) +
                     "; need 2");
  }
  const Tensor source = row_major(x);
  const std::int64_t rows = x.shape()[0], width = x.shape()[1];
  check_index("pick", index.tensor(), rows, width);
  Tensor y = make({rows}, x.dtype());
  dispatch(x.dtype(), [&]<class T>(T) {
    for (std::int64_t i = 0; i < rows; ++i) {
      data<T>(y)[i] = data<T>(source)[i * width + data<std::int64_t>(index.tensor())[i]];
    }
  });
  return y;
}
void Pick::backward(const Saved<1>&, const Tensor& dy, Gradients<1>& dx) const {
  dx.set(0, unpick(dy, index.unchanged(info.name), columns));
}
std::vector<OpCase> Pick::cases() {
  return {{"rows", {{3, 4}}, [](const Inputs& in) {
             return pick(in[0], tensor(std::vector<std::int64_t>{2, 0, 3}));
           }}};
}

Tensor Unpick::forward(const Tensor& y) const {
  if (y.dim() != 1 || columns < 0) {
    throw ShapeError("unpick: wrong shape: y is " + to_string(y.shape()) + ", columns is " +
                     std::to_string(columns) + "; need 1 axis and columns >= 0");
  }
  const std::int64_t rows = y.shape()[0];
  check_index("unpick", index.tensor(), rows, columns);
  const Tensor source = row_major(y);
  Tensor x = zeros({rows, columns}, y.dtype());
  dispatch(y.dtype(), [&]<class T>(T) {
    for (std::int64_t i = 0; i < rows; ++i) {
      data<T>(x)[i * columns + data<std::int64_t>(index.tensor())[i]] = data<T>(source)[i];
    }
  });
  return x;
}
void Unpick::backward(const Saved<1>&, const Tensor& dy, Gradients<1>& dx) const {
  dx.set(0, pick(dy, index.unchanged(info.name)));
}
std::vector<OpCase> Unpick::cases() {
  return {{"rows", {{3}}, [](const Inputs& in) {
             return unpick(in[0], tensor(std::vector<std::int64_t>{2, 0, 3}), 4);
           }}};
}

}  // namespace autograd::ops
