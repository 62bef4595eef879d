// SPDX-License-Identifier: Apache-2.0
#include "index_ops.hpp"

#include "../create.hpp"
#include "../indexing.hpp"
#include "../kernels/order.hpp"
#include "../shaping.hpp"
#include "axes.hpp"
#include "layout.hpp"
#include "shape_ops.hpp"

namespace autograd::ops {

namespace {

using Inputs = std::vector<Tensor>;

// x [outer, extent, inner] around an axis.
struct Sides {
  std::int64_t outer = 1, extent = 1, inner = 1;
  Sides(const Shape& x, int axis) : extent(x[axis]) {
    for (int i = 0; i < axis; ++i) outer *= x[i];
    for (int i = axis + 1; i < x.dim(); ++i) inner *= x[i];
  }
};

// Calls f(place in x, place in y) for each run of `inner` elements, y [outer, index, inner].
template <class F> void for_each_run(const Sides& x, const Tensor& index, F&& f) {
  const auto* at = data<std::int64_t>(index);
  const std::int64_t n = index.numel();
  for (std::int64_t o = 0; o < x.outer; ++o) {
    for (std::int64_t i = 0; i < n; ++i) {
      f((o * x.extent + at[i]) * x.inner, (o * n + i) * x.inner);
    }
  }
}

// Calls f(place in x, place in y) for each element of y, which has the shape of the index; x is dense.
template <class F> void for_each_place(const Shape& x, int axis, const Tensor& index, F&& f) {
  if (index.numel() == 0) return;
  const Layout dense = row_major_layout(x);
  Layout walk{index.shape(), dense.strides, 0};
  walk.strides[static_cast<std::size_t>(axis)] = 0;
  const std::int64_t along = dense.stride(axis);
  const auto* at = data<std::int64_t>(index);
  const Strides places = row_major_layout(index.shape()).strides;
  for_each_row_pair(
      walk, places,
      [&](std::int64_t to, std::int64_t from, std::int64_t n, std::int64_t step, std::int64_t) {
        for (std::int64_t i = 0; i < n; ++i) {
          f(to + i * step + at[from + i] * along, from + i);
        }
      });
}

// The index has x's shape but for the axis, as positions from sorting have: lines of x, which the
// kernels share out among threads.
bool is_along(const Shape& x, int axis, const Shape& index) {
  for (int i = 0; i < x.dim(); ++i) {
    if (i != axis && x[i] != index[i]) return false;
  }
  return true;
}
kernels::Lines lines_of(const Shape& shape, int axis) {
  const AxisLayout layout(shape, axis);
  return {layout.outer, layout.extent, layout.inner};
}

// A call to copy one element would take longer than the copy.
template <class T> void copy_run(const T* from, std::int64_t n, T* to) {
  if (n == 1) {
    *to = *from;
  } else {
    std::copy_n(from, n, to);
  }
}

template <class T> void add_runs(T* x, const T* y, const Sides& sides, const Tensor& index, T a) {
  for_each_run(sides, index, [&](std::int64_t to, std::int64_t from) {
    for (std::int64_t k = 0; k < sides.inner; ++k) {
      x[to + k] = static_cast<T>(x[to + k] + a * y[from + k]);
    }
  });
}

// Adds dy to the adjoint of x in place, to zeros where nothing has arrived.
template <class F> void add_adjoint(const Shape& x, const Tensor& dy, Gradients<1>& dx, F&& add) {
  const Dense g(dy);
  detail::Node* sum = dx.sum(0);
  Tensor fresh = sum ? Tensor() : zeros(x, dy.dtype());
  dispatch_floating("index_select", dy.dtype(), [&]<class T>(T) {
    add(static_cast<T*>(sum ? sum->data : fresh.node()->data), g.data<T>());
  });
  if (!sum) dx.set(0, std::move(fresh));
}

// True for each element of the index that no later one with the same target replaces; undefined when
// all are. `targets` calls f(target, place) for each, in order; there are `extent` targets.
template <class F> Tensor winners(std::int64_t extent, const Shape& shape, F&& targets) {
  std::vector<std::int64_t> last(static_cast<std::size_t>(extent), -1);
  bool repeated = false;
  targets([&](std::int64_t to, std::int64_t from) {
    std::int64_t& holder = last[static_cast<std::size_t>(to)];
    repeated = repeated || holder >= 0;
    holder = from;
  });
  if (!repeated) return {};
  Tensor wins = zeros(shape, boolean);
  for (std::int64_t place : last) {
    if (place >= 0) data<bool>(wins)[place] = true;
  }
  return wins;
}

Tensor masked(const Tensor& mask, const Tensor& x) {
  return mask.defined() ? where(mask, x, 0.0) : x;
}

Tensor i64(std::vector<std::int64_t> values) { return tensor(values); }
Tensor i64(std::vector<std::int64_t> values, const Shape& shape) { return tensor(values, shape); }

}  // namespace

void check_index_dtype(const char* function, const Tensor& index) {
  if (index.dtype() == int64) return;
  throw TypeError(std::string(function) + ": the index is " + name(index.dtype()) + "; need int64");
}
void check_index(const char* function, const Tensor& index, std::int64_t extent) {
  check_index_dtype(function, index);
  const auto* at = data<std::int64_t>(index);
  // Out of range means a sign bit in one of these: gathered without a branch, which vectors can do.
  const auto last = static_cast<std::uint64_t>(extent) - 1;
  std::uint64_t signs = 0;
  for (std::int64_t i = 0; i < index.numel(); ++i) {
    const auto value = static_cast<std::uint64_t>(at[i]);
    signs |= value | (last - value);
  }
  if (signs >> 63 == 0) return;
  for (std::int64_t i = 0; i < index.numel(); ++i) {
    if (at[i] >= 0 && at[i] < extent) continue;
    throw ValueError(std::string(function) + ": index out of range: " + std::to_string(at[i]) +
                     " at element " + std::to_string(i) + " of the index; need at least 0 and " +
                     "less than " + std::to_string(extent));
  }
}

// --- along an axis, the same index for all of a slice

Tensor IndexSelect::forward(const Tensor& x) const {
  const Sides sides(x.shape(), axis);
  Shape shape = x.shape();
  shape[axis] = index.tensor().numel();
  const Dense source(x);
  Tensor y = make(shape, x.dtype());
  dispatch(x.dtype(), [&]<class T>(T) {
    if (sides.inner == 1) {
      return kernels::take_columns(source.data<T>(), data<std::int64_t>(index.tensor()), data<T>(y),
                                   static_cast<std::size_t>(sides.outer),
                                   static_cast<std::size_t>(sides.extent),
                                   static_cast<std::size_t>(shape[axis]));
    }
    for_each_run(sides, index.tensor(), [&](std::int64_t in, std::int64_t out) {
      copy_run(source.data<T>() + in, sides.inner, data<T>(y) + out);
    });
  });
  return y;
}
void IndexSelect::backward(const Saved<1>&, const Tensor& dy, Gradients<1>& dx) const {
  const Tensor& at = index.unchanged(info.name);
  if (dx.recorded()) return dx.set(0, index_add(zeros(from, dy.dtype()), axis, at, dy));
  add_adjoint(from, dy, dx,
              [&]<class T>(T* x, const T* g) { add_runs<T>(x, g, Sides(from, axis), at, 1); });
}
std::vector<OpCase> IndexSelect::cases() {
  return {{"repeated rows",
           {{3, 4}},
           [](const Inputs& in) {
             return index_select(in[0], 0, i64({2, 0, 2, 2}));
           }},
          {"columns of a view",
           {{4, 3}},
           [](const Inputs& in) {
             return index_select(transpose(in[0]), -1, i64({3, 1})) * 2.0;
           }},
          {"none", {{3, 4}}, [](const Inputs& in) { return index_select(in[0], 1, i64({})); }},
          {"tensors as indices",
           {{3, 4, 2}},
           [](const Inputs& in) {
             return in[0](i64({0, -1, 0}), slice(), i64({1, 1, 0}));
           }},
          {"where true",
           {{3, 4}},
           [](const Inputs& in) {
             return masked_select(in[0], tensor({{1, 0, 1, 0}, {0, 0, 1, 1}, {1, 1, 0, 0}}) > 0.5);
           }},
          {"reflected, repeated edges",
           {{3, 4}},
           [](const Inputs& in) {
             return pad(pad(in[0], {2, 1, 0, 2}, {.mode = PadMode::reflect}), {1, 2},
                        {.mode = PadMode::replicate});
           }},
          {"the same twice", {{4}}, [](const Inputs& in) {
             return index_select(in[0], 0, i64({1, 2})) * index_select(in[0], 0, i64({2, 2}));
           }}};
}

Tensor IndexAdd::forward(const Tensor& x, const Tensor& source) const {
  Tensor y = Contiguous{}.forward(x);
  const Dense add(source);
  dispatch(x.dtype(), [&]<class T>(T) {
    add_runs<T>(data<T>(y), add.data<T>(), Sides(x.shape(), axis), index.tensor(),
                static_cast<T>(alpha));
  });
  return y;
}
void IndexAdd::backward(const Saved<2>&, const Tensor& dy, Gradients<2>& dx) const {
  if (dx.wants(0)) dx.set(0, dy);
  if (!dx.wants(1)) return;
  const Tensor g = index_select(dy, axis, index.unchanged(info.name));
  dx.set(1, alpha == 1 ? g : g * alpha);
}
std::vector<OpCase> IndexAdd::cases() {
  return {
      {"repeated rows",
       {{3, 2}, {4, 2}},
       [](const Inputs& in) {
         return index_add(in[0], 0, i64({2, 0, 2, 2}), in[1], {.alpha = -1.5});
       }},
      {"columns, both views",
       {{4, 3}, {2, 3}},
       [](const Inputs& in) {
         return index_add(transpose(in[0]), 1, i64({3, 1}), transpose(in[1]));
       }},
      {"none",
       {{3, 4}, {3, 0}},
       [](const Inputs& in) { return index_add(in[0], 1, i64({}), in[1]); }},
      {"accumulated",
       {{3, 4}, {2, 1}},
       [](const Inputs& in) {
         return index_put(in[0], {slice({}, {}, 2), i64({1, -1, 1})}, in[1], {.accumulate = true});
       }},
      {"the same twice", {{3}}, [](const Inputs& in) {
         return index_add(in[0], 0, i64({0, 0, 1}), in[0]);
       }}};
}

Tensor IndexCopy::forward(const Tensor& x, const Tensor& source) const {
  const Sides sides(x.shape(), axis);
  Tensor y = Contiguous{}.forward(x);
  const Dense replacement(source);
  dispatch(x.dtype(), [&]<class T>(T) {
    for_each_run(sides, index.tensor(), [&](std::int64_t to, std::int64_t from) {
      copy_run(replacement.data<T>() + from, sides.inner, data<T>(y) + to);
    });
  });
  return y;
}
void IndexCopy::backward(const Saved<2>&, const Tensor& dy, Gradients<2>& dx) const {
  const Tensor& at = index.unchanged(info.name);
  Shape shape = dy.shape();
  shape[axis] = at.numel();
  if (dx.wants(0)) dx.set(0, index_copy(dy, axis, at, zeros(shape, dy.dtype())));
  if (!dx.wants(1)) return;
  Shape along;  // the index as one axis among those of dy
  for (int i = 0; i < dy.dim(); ++i) along.push_back(i == axis ? at.numel() : 1);
  const Tensor wins = winners(dy.shape()[axis], along, [&](auto&& f) {
    for (std::int64_t i = 0; i < at.numel(); ++i) f(data<std::int64_t>(at)[i], i);
  });
  dx.set(1, masked(wins, index_select(dy, axis, at)));
}
std::vector<OpCase> IndexCopy::cases() {
  return {{"rows",
           {{3, 2}, {2, 2}},
           [](const Inputs& in) {
             return index_copy(in[0], 0, i64({2, 0}), in[1]);
           }},
          {"repeated columns, both views",
           {{4, 3}, {3, 3}},
           [](const Inputs& in) {
             return index_copy(transpose(in[0]), 1, i64({3, 1, 3}), transpose(in[1]));
           }},
          {"none",
           {{3, 4}, {3, 0}},
           [](const Inputs& in) { return index_copy(in[0], 1, i64({}), in[1]); }},
          {"put", {{3, 4}, {4}}, [](const Inputs& in) {
             return index_put(in[0], {-1, slice()}, in[1]);
           }}};
}

// --- an index for each element

Tensor Gather::forward(const Tensor& x) const {
  const Dense source(x);
  Tensor y = make(index.tensor().shape(), x.dtype());
  if (y.numel() == 0) return y;
  dispatch(x.dtype(), [&]<class T>(T) {
    if (is_along(x.shape(), axis, y.shape())) {
      const auto* at = data<std::int64_t>(index.tensor());
      const bool good =
          kernels::take_along(source.data<T>(), at, data<T>(y), lines_of(x.shape(), axis),
                              AxisLayout(y.shape(), axis).extent);
      if (!good) check_index(info.name, index.tensor(), x.shape()[axis]);
      return;
    }
    check_index(info.name, index.tensor(), x.shape()[axis]);
    for_each_place(x.shape(), axis, index.tensor(), [&](std::int64_t in, std::int64_t out) {
      data<T>(y)[out] = source.data<T>()[in];
    });
  });
  return y;
}
void Gather::backward(const Saved<1>&, const Tensor& dy, Gradients<1>& dx) const {
  const Tensor& at = index.unchanged(info.name);
  if (dx.recorded()) return dx.set(0, scatter_add(zeros(from, dy.dtype()), axis, at, dy));
  add_adjoint(from, dy, dx, [&]<class T>(T* x, const T* g) {
    if (dy.numel() > 0 && is_along(from, axis, dy.shape())) {
      kernels::add_along(g, data<std::int64_t>(at), x, lines_of(from, axis),
                         AxisLayout(dy.shape(), axis).extent);
      return;
    }
    for_each_place(from, axis, at, [&](std::int64_t to, std::int64_t p) { x[to] += g[p]; });
  });
}
std::vector<OpCase> Gather::cases() {
  return {{"repeated",
           {{3, 4}},
           [](const Inputs& in) {
             return gather(in[0], 1, i64({1, 1, 3, 0, 0, 0}, {3, 2}));
           }},
          {"outer axis of a view, a smaller index",
           {{4, 3}},
           [](const Inputs& in) {
             return gather(transpose(in[0]), 0, i64({2, 1, 0, 2, 2, 2}, {2, 3})) * 2.0;
           }},
          {"positions along an axis",
           {{2, 3}},
           [](const Inputs& in) {
             return gather(in[0], 1, i64({2, 0, 2, 2, 1, 1, 0, 2}, {2, 4}));
           }},
          {"along an axis, broadcast",
           {{2, 3}},
           [](const Inputs& in) {
             return take_along_dim(in[0], i64({2, 0}, {1, 2}), 1);
           }},
          {"none", {{3, 4}}, [](const Inputs& in) {
             return gather(in[0], 1, i64({}, {3, 0}));
           }}};
}

Tensor ScatterAdd::forward(const Tensor& x, const Tensor& source) const {
  Tensor y = Contiguous{}.forward(x);
  const Dense add(source);
  const Shape& shape = index.tensor().shape();
  dispatch(x.dtype(), [&]<class T>(T) {
    if constexpr (std::is_floating_point_v<T>) {
      if (source.numel() > 0 && is_along(x.shape(), axis, shape)) {
        const bool good =
            kernels::add_along(add.data<T>(), data<std::int64_t>(index.tensor()), data<T>(y),
                               lines_of(x.shape(), axis), AxisLayout(shape, axis).extent);
        if (!good) check_index(info.name, index.tensor(), x.shape()[axis]);
        return;
      }
    }
    check_index(info.name, index.tensor(), x.shape()[axis]);
    for_each_place(x.shape(), axis, index.tensor(), [&](std::int64_t to, std::int64_t from) {
      data<T>(y)[to] = static_cast<T>(data<T>(y)[to] + add.data<T>()[from]);
    });
  });
  return y;
}
void ScatterAdd::backward(const Saved<2>&, const Tensor& dy, Gradients<2>& dx) const {
  if (dx.wants(0)) dx.set(0, dy);
  if (dx.wants(1)) dx.set(1, gather(dy, axis, index.unchanged(info.name)));
}
std::vector<OpCase> ScatterAdd::cases() {
  return {
      {"repeated",
       {{3, 4}, {3, 2}},
       [](const Inputs& in) {
         return scatter_add(in[0], 1, i64({1, 1, 3, 0, 0, 0}, {3, 2}), in[1]);
       }},
      {"both views, a larger source",
       {{4, 3}, {4, 4}},
       [](const Inputs& in) {
         return scatter_add(transpose(in[0]), 0, i64({2, 1, 0, 2, 2, 2}, {2, 3}), transpose(in[1]));
       }},
      {"none",
       {{3, 4}, {3, 4}},
       [](const Inputs& in) {
         return scatter_add(in[0], 1, i64({}, {3, 0}), in[1]);
       }},
      {"the same twice", {{2, 2}}, [](const Inputs& in) {
         return scatter_add(in[0], 1, i64({1, 1, 0, 1}, {2, 2}), in[0]);
       }}};
}

Tensor Scatter::forward(const Tensor& x, const Tensor& source) const {
  Tensor y = Contiguous{}.forward(x);
  const Dense replacement(source);
  dispatch(x.dtype(), [&]<class T>(T) {
    for_each_place(x.shape(), axis, index.tensor(), [&](std::int64_t to, std::int64_t from) {
      data<T>(y)[to] = replacement.data<T>()[from];
    });
  });
  return y;
}
void Scatter::backward(const Saved<2>&, const Tensor& dy, Gradients<2>& dx) const {
  const Tensor& at = index.unchanged(info.name);
  if (dx.wants(0)) dx.set(0, scatter(dy, axis, at, 0.0));
  if (!dx.wants(1)) return;
  const Tensor wins =
      winners(dy.numel(), at.shape(), [&](auto&& f) { for_each_place(dy.shape(), axis, at, f); });
  dx.set(1, masked(wins, gather(dy, axis, at)));
}
std::vector<OpCase> Scatter::cases() {
  return {{"repeated, the last wins",
           {{3, 4}, {3, 2}},
           [](const Inputs& in) {
             return scatter(in[0], 1, i64({1, 1, 3, 0, 0, 2}, {3, 2}), in[1]);
           }},
          {"both views, a larger source",
           {{4, 3}, {4, 4}},
           [](const Inputs& in) {
             return scatter(transpose(in[0]), 0, i64({2, 1, 0, 2, 2, 2}, {2, 3}), transpose(in[1]));
           }},
          {"a number",
           {{2, 3}},
           [](const Inputs& in) {
             return scatter(in[0], 1, i64({2, 0}, {2, 1}), 1.5);
           }},
          {"none", {{3, 4}, {3, 4}}, [](const Inputs& in) {
             return scatter(in[0], 1, i64({}, {3, 0}), in[1]);
           }}};
}

}  // namespace autograd::ops
