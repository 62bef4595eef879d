// SPDX-License-Identifier: Apache-2.0
#include "view_ops.hpp"

#include <algorithm>

#include "../create.hpp"
#include "../indexing.hpp"
#include "../shaping.hpp"
#include "shape_ops.hpp"

namespace autograd::ops {

namespace {

using Inputs = std::vector<Tensor>;

template <class T> void place(const Tensor& y, T* x, const Layout& at, bool add) {
  const T* from = data<T>(y);
  for_each_row_pair(at, y.node()->strides,
                    [&](std::int64_t to, std::int64_t source, std::int64_t n, std::int64_t step,
                        std::int64_t source_step) {
                      for (std::int64_t i = 0; i < n; ++i) {
                        T& target = x[to + i * step];
                        const T value = from[source + i * source_step];
                        target = add ? static_cast<T>(target + value) : value;
                      }
                    });
}

}  // namespace

Tensor view_at(const Tensor& x, const Layout& layout) {
  const bool empty = layout.shape.numel() == 0;  // then the first element may lie beyond the end
  auto* first = static_cast<std::byte*>(x.node()->data);
  if (!empty) first += layout.offset * static_cast<std::int64_t>(item_size(x.dtype()));
  return Tensor::adopt(detail::make_view(x.node(), first, layout.shape, layout.strides));
}

Tensor placed(const Tensor& y, const Shape& shape, const Layout& at, double fill, bool add) {
  Tensor x = full(shape, fill, y.dtype());
  if (y.numel() == 0) return x;
  dispatch(y.dtype(), [&]<class T>(T) { place(y, data<T>(x), at, add); });
  return x;
}

void add_at(detail::Node* x, const Layout& at, const Tensor& y) {
  if (y.numel() == 0) return;
  dispatch_floating("slice", y.dtype(),
                    [&]<class T>(T) { place(y, static_cast<T*>(x->data), at, true); });
}

Tensor copied(const Tensor& y) { return Contiguous{}.forward(y); }

// --- permute

Layout PermuteMap::operator()(const Layout& x) const {
  Layout y{{}, {}, x.offset};
  for (int i = 0; i < x.shape.dim(); ++i) {
    const int axis = order[static_cast<std::size_t>(i)];
    y.add_axis(x.shape[axis], x.stride(axis));
  }
  return y;
}
PermuteMap PermuteMap::inverse() const {
  // Entries beyond the axes of x are never read.
  PermuteMap back;
  for (std::size_t i = order.size(); i-- > 0;) {
    back.order[static_cast<std::size_t>(order[i])] = static_cast<std::int8_t>(i);
  }
  return back;
}
std::vector<OpCase> PermuteMap::cases() {
  return {{"three axes",
           {{2, 3, 4}},
           [](const Inputs& in) {
             return permute(in[0], {2, 0, 1});
           }},
          {"of a view",
           {{4, 3, 2}},
           [](const Inputs& in) {
             return permute(transpose(in[0], 0, 2), {-1, 1, 0}) * 3.0;
           }},
          {"scalar", {Shape{}}, [](const Inputs& in) { return permute(in[0], {}); }},
          {"moved axes", {{2, 3, 4}}, [](const Inputs& in) {
             return movedim(in[0], {0, 1}, {-1, 0});
           }}};
}

// --- slice

SliceMap SliceMap::whole(const Shape& x) {
  SliceMap map;
  map.step.fill(1);
  map.extent = x;
  return map;
}
void SliceMap::set(int axis, std::int64_t first, std::int64_t count, std::int64_t by) {
  start[static_cast<std::size_t>(axis)] = first;
  step[static_cast<std::size_t>(axis)] = by;
  extent[axis] = count;
}
Layout SliceMap::operator()(const Layout& x) const {
  Layout y{{}, {}, x.offset};
  const auto add_ones = [&] {
    while (added >> y.shape.dim() & 1) y.add_axis(1, 1);
  };
  for (int i = 0; i < x.shape.dim(); ++i) {
    const auto k = static_cast<std::size_t>(i);
    y.offset += start[k] * x.strides[k];
    if (dropped >> i & 1) continue;
    add_ones();
    y.add_axis(extent[i], step[k] * x.strides[k]);
  }
  add_ones();
  return y;
}
std::vector<OpCase> SliceMap::cases() {
  return {{"narrow", {{3, 4}}, [](const Inputs& in) { return narrow(in[0], 1, 1, 2) * 2.0; }},
          {"select", {{3, 4}}, [](const Inputs& in) { return select(in[0], 0, -1); }},
          {"with a step, of a view",
           {{7, 3}},
           [](const Inputs& in) { return transpose(in[0])(1, slice(1, 6, 2)); }},
          {"new axis, dropped axis, every axis",
           {{3, 4, 2}},
           [](const Inputs& in) { return in[0](slice(1), newaxis, -1, ellipsis, newaxis); }},
          {"many views of one",
           {{3, 4}},
           [](const Inputs& in) {
             const Inputs rows = unbind(in[0], 0), columns = split(in[0], 3, 1);
             return rows[0] * rows[2] + sum(columns[0], {0, 1}) + columns[1](slice(), 0)(1);
           }},
          {"empty", {{3, 4}}, [](const Inputs& in) { return narrow(in[0], 0, 3, 0); }}};
}
std::vector<OpCase> SliceMap::unview_cases() {
  return {{"padded with zeros",
           {{3, 4}},
           [](const Inputs& in) {
             return pad(in[0], {1, 2, 0, 1});
           }},
          {"padded with a number, of a view",
           {{4, 3}},
           [](const Inputs& in) {
             return pad(transpose(in[0]), {2, 0}, {.value = 1.5});
           }},
          {"padded and cut",
           {{3, 4}},
           [](const Inputs& in) {
             return pad(in[0], {-1, 2, 1, -2});
           }},
          {"empty", {{0, 2}}, [](const Inputs& in) {
             return pad(in[0], {0, 0, 1, 0});
           }}};
}

// --- diagonal

Layout DiagonalMap::operator()(const Layout& x) const {
  Layout y{{}, {}, x.offset};
  for (int i = 0; i < x.shape.dim(); ++i) {
    if (i != axis0 && i != axis1) y.add_axis(x.shape[i], x.stride(i));
  }
  const std::int64_t down = std::max<std::int64_t>(-offset, 0);
  const std::int64_t right = std::max<std::int64_t>(offset, 0);
  const std::int64_t n = std::min(x.shape[axis0] - down, x.shape[axis1] - right);
  y.add_axis(std::max<std::int64_t>(n, 0), x.stride(axis0) + x.stride(axis1));
  if (n > 0) y.offset += down * x.stride(axis0) + right * x.stride(axis1);
  return y;
}
std::vector<OpCase> DiagonalMap::cases() {
  return {
      {"square", {{3, 3}}, [](const Inputs& in) { return diagonal(in[0]) * 2.0; }},
      {"above, wide", {{3, 5}}, [](const Inputs& in) { return diagonal(in[0], {.offset = 1}); }},
      {"below, outer axes",
       {{3, 2, 4}},
       [](const Inputs& in) { return diagonal(in[0], {.offset = -1, .axis1 = 0, .axis2 = 2}); }},
      {"outside", {{2, 3}}, [](const Inputs& in) { return diagonal(in[0], {.offset = 7}); }}};
}
std::vector<OpCase> DiagonalMap::unview_cases() {
  return {
      {"vector", {{3}}, [](const Inputs& in) { return diag(in[0]); }},
      {"batch, above", {{2, 3}}, [](const Inputs& in) { return diag_embed(in[0], {.offset = 1}); }},
      {"of a view, below, outer axes",
       {{3, 2}},
       [](const Inputs& in) {
         return diag_embed(transpose(in[0]), {.offset = -2, .axis1 = 0, .axis2 = 2});
       }},
      {"empty", {{0}}, [](const Inputs& in) { return diag(in[0], 2); }}};
}

// --- windows

Layout WindowMap::operator()(const Layout& x) const {
  Layout y = x;
  const std::int64_t reach = size == 0 ? 0 : dilation * (size - 1) + 1;
  y.shape[axis] = (x.shape[axis] - reach) / step + 1;
  y.strides[static_cast<std::size_t>(axis)] = step * x.stride(axis);
  y.add_axis(size, dilation * x.stride(axis));
  return y;
}
std::vector<OpCase> WindowMap::cases() {
  return {
      {"overlapping", {{7}}, [](const Inputs& in) { return unfold(in[0], 0, 3, 2) * 2.0; }},
      {"of a view", {{5, 2}}, [](const Inputs& in) { return unfold(transpose(in[0]), 1, 2, 1); }},
      {"patches of images",
       {{2, 2, 4, 5}},
       [](const Inputs& in) {
         return unfold(in[0], {.kernel_size = {2, 3}, .padding = {1, 0}, .stride = {2, 1}});
       }},
      {"dilated patches", {{1, 5, 4}}, [](const Inputs& in) {
         return unfold(in[0], {.kernel_size = {2, 2}, .dilation = {3, 2}});
       }}};
}
std::vector<OpCase> WindowMap::unview_cases() {
  return {{"overlapping patches",
           {{2, 8, 6}},
           [](const Inputs& in) {
             return fold(in[0], {3, 4}, {.kernel_size = {2, 2}});
           }},
          {"padded, strided, of a view",
           {{9, 12}},
           [](const Inputs& in) {
             return fold(transpose(in[0]), {4, 5},
                         {.kernel_size = {2, 3}, .padding = {1, 1}, .stride = {2, 2}});
           }},
          {"dilated", {{4, 6}}, [](const Inputs& in) {
             return fold(in[0], {5, 4}, {.kernel_size = {2, 2}, .dilation = {3, 1}});
           }}};
}

// --- flip

Layout FlipMap::operator()(const Layout& x) const {
  Layout y = x;
  for (int i = 0; i < x.shape.dim(); ++i) {
    if (!(axes >> i & 1)) continue;
    y.offset += (x.shape[i] - 1) * x.stride(i);
    y.strides[static_cast<std::size_t>(i)] = -x.stride(i);
  }
  return y;
}
std::vector<OpCase> FlipMap::cases() {
  return {{"rows", {{3, 4}}, [](const Inputs& in) { return flip(in[0], {0}); }},
          {"every axis, of a view",
           {{3, 2, 2}},
           [](const Inputs& in) {
             return flip(transpose(in[0], 0, 2), {0, -1, 1});
           }},
          {"negative step", {{6}}, [](const Inputs& in) { return in[0](slice(4, 0, -2)); }},
          {"one element", {{1}}, [](const Inputs& in) { return flip(in[0], {0}); }}};
}

}  // namespace autograd::ops
