// SPDX-License-Identifier: Apache-2.0
#include "sections.hpp"

#include "../create.hpp"

namespace autograd::ops {

namespace {

using Inputs = std::vector<Tensor>;

Strides row_major_strides(const Shape& shape) {
  Strides strides{};
  std::int64_t stride = 1;
  for (int i = shape.dim() - 1; i >= 0; --i) {
    strides[static_cast<std::size_t>(i)] = stride;
    stride *= shape[i];
  }
  return strides;
}

}  // namespace

Section Section::run(const Shape& from, std::int64_t offset, const Shape& shape) {
  return {from, shape, row_major_strides(shape), offset};
}

Section Section::block(const Shape& from, std::int64_t row, std::int64_t rows, std::int64_t column,
                       std::int64_t columns) {
  Section section{from, from, row_major_strides(from), 0};
  const int last = from.dim() - 1;
  section.shape[last - 1] = rows;
  section.shape[last] = columns;
  section.offset = row * from[last] + column;
  return section;
}

Section Section::diagonal(const Shape& from, int axis0, int axis1) {
  Section section{from, {}, {}, 0};
  const Strides strides = row_major_strides(from);
  for (int i = 0; i < from.dim(); ++i) {
    if (i == axis1) continue;
    const auto k = static_cast<std::size_t>(section.shape.dim());
    section.strides[k] = strides[static_cast<std::size_t>(i)];
    if (i == axis0) section.strides[k] += strides[static_cast<std::size_t>(axis1)];
    section.shape.push_back(i == axis0 ? std::min(from[axis0], from[axis1]) : from[i]);
  }
  return section;
}

Tensor Part::forward(const Tensor& x) const {
  const Tensor source = row_major(x);
  auto* start = static_cast<std::byte*>(source.node()->data);
  // No elements, no place: an offset past the end is never formed.
  if (at.shape.numel() > 0) {
    start += at.offset * static_cast<std::int64_t>(item_size(x.dtype()));
  }
  return Tensor::adopt(detail::make_view(source.node(), start, at.shape, at.strides));
}
void Part::backward(const Saved<1>&, const Tensor& dy, Gradients<1>& dx) const {
  dx.set(0, detail::unpart(dy, at));
}
std::vector<OpCase> Part::cases() {
  const auto f = [](const Section& section) {
    return [section](const Inputs& in) { return detail::part(in[0], section); };
  };
  return {{"run", {{2, 3}}, f(Section::run({2, 3}, 1, {4}))},
          {"block", {{2, 4, 3}}, f(Section::block({2, 4, 3}, 1, 2, 1, 2))},
          {"diagonal", {{3, 2, 3}}, f(Section::diagonal({3, 2, 3}, 0, 2))},
          {"of a transpose",
           {{4, 3}},
           [](const Inputs& in) {
             return detail::part(transpose(in[0]), Section::block({3, 4}, 0, 2, 1, 3));
           }},
          {"empty", {{2, 3}}, f(Section::run({2, 3}, 6, {0}))}};
}

Tensor Unpart::forward(const Tensor& y) const {
  const Tensor source = row_major(y);
  Tensor x = zeros(at.from, y.dtype());
  if (source.numel() == 0) return x;
  dispatch(y.dtype(), [&]<class T>(T) {
    const int last = at.shape.dim() - 1;
    const std::int64_t n = last < 0 ? 1 : at.shape[last];
    const std::int64_t step = last < 0 ? 1 : at.strides[static_cast<std::size_t>(last)];
    std::array<std::int64_t, kMaxDim> index{};
    T* to = data<T>(x) + at.offset;
    const T* end = data<T>(source) + count(source);
    for (const T* from = data<T>(source); from != end; from += n) {
      for (std::int64_t i = 0; i < n; ++i) to[i * step] = from[i];
      for (int axis = last - 1; axis >= 0; --axis) {
        const auto k = static_cast<std::size_t>(axis);
        to += at.strides[k];
        if (++index[k] < at.shape[axis]) break;
        to -= at.strides[k] * at.shape[axis];
        index[k] = 0;
      }
    }
  });
  return x;
}
void Unpart::backward(const Saved<1>&, const Tensor& dy, Gradients<1>& dx) const {
  dx.set(0, detail::part(dy, at));
}
std::vector<OpCase> Unpart::cases() {
  const auto f = [](const Section& section) {
    return [section](const Inputs& in) { return detail::unpart(in[0], section); };
  };
  return {{"run", {{4}}, f(Section::run({2, 3}, 1, {4}))},
          {"block", {{2, 2, 2}}, f(Section::block({2, 4, 3}, 1, 2, 1, 2))},
          {"diagonal", {{3, 2}}, f(Section::diagonal({3, 2, 3}, 0, 2))},
          {"of a transpose", {{2, 4}}, [](const Inputs& in) {
             return detail::unpart(transpose(in[0]), Section::block({4, 3}, 0, 4, 1, 2));
           }}};
}

}  // namespace autograd::ops
