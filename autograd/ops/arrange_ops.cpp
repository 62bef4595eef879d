// SPDX-License-Identifier: Apache-2.0
#include "arrange_ops.hpp"

#include <algorithm>
#include <cstring>

#include "../create.hpp"
#include "../shaping.hpp"

namespace autograd::ops {

namespace {

using Inputs = std::vector<Tensor>;

bool legacy_empty(const Tensor& x) { return x.dim() == 1 && x.shape()[0] == 0; }

// The first operand that is not of shape [0]; the very first when all are.
const Tensor& model(const Inputs& in) {
  for (const Tensor& x : in) {
    if (!legacy_empty(x)) return x;
  }
  return in.front();
}

[[noreturn]] void throw_cat(const Shape& a, const Shape& b, std::size_t k, int axis) {
  throw ShapeError("cat: shapes differ: operand " + std::to_string(k) + " is " + to_string(b) +
                   ", one before it " + to_string(a) + "; need the same but for axis " +
                   std::to_string(axis));
}

// One element to a row, as stack makes them along a new last axis: a call would take longer.
template <class T>
void copy_column(const T* from, std::int64_t rows, std::byte* to, std::int64_t stride) {
  T* column = reinterpret_cast<T*>(to);
  for (std::int64_t i = 0; i < rows; ++i) column[i * stride] = from[i];
}

}  // namespace

Cat::Cat(const Inputs& in, std::int64_t along) {
  if (in.empty()) throw ValueError("cat: no tensors; need at least one");
  const Shape& first = model(in).shape();
  if (first.dim() == 0) throw ShapeError("cat: a scalar has no axes; need at least one (stack)");
  axis = normalize_axis("cat", along, first.dim());
  std::int64_t end = 0;
  for (std::size_t k = 0; k < in.size(); ++k) {
    const Shape& shape = in[k].shape();
    const bool skipped = legacy_empty(in[k]) && first.dim() != 1;
    starts.push_back(skipped ? -1 : end);
    if (skipped) continue;
    if (shape.dim() != first.dim()) throw_cat(first, shape, k, axis);
    for (int i = 0; i < first.dim(); ++i) {
      if (i != axis && shape[i] != first[i]) throw_cat(first, shape, k, axis);
    }
    if (__builtin_add_overflow(end, shape[axis], &end)) end = INT64_MAX;  // make() refuses it
  }
  starts.push_back(end);
  shape_ = first;
  shape_[axis] = end;
}

Tensor Cat::forward(const Inputs& in) const {
  Tensor y = make(shape_, in.front().dtype());
  std::int64_t inner = 1;
  for (int i = axis + 1; i < shape_.dim(); ++i) inner *= shape_[i];
  const auto item = static_cast<std::int64_t>(item_size(y.dtype()));
  const std::int64_t row = shape_[axis] * inner * item;
  for (std::size_t k = 0; k < in.size(); ++k) {
    if (starts[k] < 0 || in[k].numel() == 0) continue;
    const Dense x(in[k]);
    const std::int64_t run = in[k].shape()[axis] * inner * item, rows = in[k].numel() * item / run;
    const auto* from = x.data<std::byte>();
    std::byte* to = data<std::byte>(y) + starts[k] * inner * item;
    if (run == item && rows > 1) {
      dispatch(y.dtype(), [&]<class T>(T) { copy_column(x.data<T>(), rows, to, row / item); });
      continue;
    }
    for (std::int64_t i = 0; i < rows; ++i) {
      std::memcpy(to + i * row, from + i * run, static_cast<std::size_t>(run));
    }
  }
  return y;
}

Tensor Cat::backward(std::size_t k, const Tensor& dy) const {
  if (starts[k] < 0) return zeros({0}, dy.dtype());
  std::size_t next = k + 1;
  while (starts[next] < 0) ++next;
  return narrow(dy, axis, starts[k], starts[next] - starts[k]);
}

std::vector<OpCase> Cat::cases() {
  return {{"rows", {{2, 3}, {1, 3}}, [](const Inputs& in) { return cat(in, 0); }},
          {"columns, one a view, one empty",
           {{2, 3}, {4, 2}, {2, 0}},
           [](const Inputs& in) {
             return cat({in[0], transpose(in[1]), in[2]}, -1);
           }},
          {"the same twice",
           {{3}},
           [](const Inputs& in) {
             return cat({in[0], in[0]}, 0) * cat({in[0], in[0] * in[0]}, 0);
           }},
          {"stack", {{2, 3}, {2, 3}, {2, 3}}, [](const Inputs& in) { return stack(in, 1); }},
          {"rolled", {{3, 4}}, [](const Inputs& in) {
             return roll(in[0], {1, -1}, {0, 1});
           }}};
}

Tensor Triangle::forward(const Tensor& x) const {
  const Dense source(x);
  Tensor y = make(x.shape(), x.dtype());
  if (x.numel() == 0) return y;
  const std::int64_t rows = x.shape()[x.dim() - 2], columns = x.shape()[x.dim() - 1];
  dispatch(x.dtype(), [&]<class T>(T) {
    const T* from = source.data<T>();
    T* to = data<T>(y);
    for (std::int64_t i = 0; i < x.numel() / columns; ++i, from += columns, to += columns) {
      // Row r keeps columns up to r + diagonal, or from there on.
      const std::int64_t r = i % rows, at = std::clamp(diagonal, -rows, columns) + r;
      const std::int64_t cut = std::clamp<std::int64_t>(upper ? at : at + 1, 0, columns);
      std::copy_n(upper ? from + cut : from, upper ? columns - cut : cut, upper ? to + cut : to);
      std::fill_n(upper ? to : to + cut, upper ? cut : columns - cut, T{});
    }
  });
  return y;
}
void Triangle::backward(const Saved<1>&, const Tensor& dy, Gradients<1>& dx) const {
  dx.set(0, upper ? triu(dy, diagonal) : tril(dy, diagonal));
}
std::vector<OpCase> Triangle::cases() {
  return {{"lower", {{3, 3}}, [](const Inputs& in) { return tril(in[0]); }},
          {"upper, batch, wide", {{2, 3, 4}}, [](const Inputs& in) { return triu(in[0], 1); }},
          {"lower, of a view, tall",
           {{3, 5}},
           [](const Inputs& in) { return tril(transpose(in[0]), -2); }},
          {"nothing left", {{2, 2}}, [](const Inputs& in) { return triu(in[0], 9); }}};
}

}  // namespace autograd::ops
