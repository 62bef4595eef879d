// SPDX-License-Identifier: Apache-2.0
#include "matrices.hpp"

#include <cmath>

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
  const auto f = [](const Section& at) {
    return [at](const Inputs& in) { return detail::part(in[0], at); };
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
  const auto f = [](const Section& at) {
    return [at](const Inputs& in) { return detail::unpart(in[0], at); };
  };
  return {{"run", {{4}}, f(Section::run({2, 3}, 1, {4}))},
          {"block", {{2, 2, 2}}, f(Section::block({2, 4, 3}, 1, 2, 1, 2))},
          {"diagonal", {{3, 2}}, f(Section::diagonal({3, 2, 3}, 0, 2))},
          {"of a transpose", {{2, 4}}, [](const Inputs& in) {
             return detail::unpart(transpose(in[0]), Section::block({4, 3}, 0, 4, 1, 2));
           }}};
}

void require_matrix(const char* function, const char* operand, const Tensor& x) {
  if (!is_floating(x.dtype())) throw_not_floating(function, x.dtype());
  if (x.dim() < 2) {
    throw ShapeError(std::string(function) + ": too few axes: " + operand + " is " +
                     to_string(x.shape()) + "; need at least 2");
  }
}
void require_square(const char* function, const char* operand, const Tensor& x) {
  require_matrix(function, operand, x);
  if (rows_of(x) != columns_of(x)) {
    throw ShapeError(std::string(function) + ": the matrix is not square: " + operand + " is " +
                     to_string(x.shape()) + "; need " + operand + ".shape[-2] == " + operand +
                     ".shape[-1] (" + std::to_string(rows_of(x)) +
                     " != " + std::to_string(columns_of(x)) + ")");
  }
}
void require_same_dtype(const char* function, const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype()) {
    throw TypeError(std::string(function) + ": dtypes differ: a is " + name(a.dtype()) + ", b is " +
                    name(b.dtype()) + "; need one dtype (convert with to)");
  }
}
void require_finite(const char* function, const Tensor& x) {
  const Tensor source = row_major(detach(x));
  dispatch_floating(function, x.dtype(), [&]<class T>(T) {
    for (std::size_t i = 0; i < count(source); ++i) {
      if (std::isfinite(data<T>(source)[i])) continue;
      throw ValueError(std::string(function) + ": an element is not finite: " +
                       std::to_string(data<T>(source)[i]) + " at position " + std::to_string(i) +
                       " of " + to_string(x.shape()) + "; need finite elements");
    }
  });
}

Shape without_last(const Shape& shape, int drop) {
  Shape lead;
  for (int i = 0; i + drop < shape.dim(); ++i) lead.push_back(shape[i]);
  return lead;
}
Shape with(const Shape& lead, std::initializer_list<std::int64_t> extents) {
  Shape shape = lead;
  for (std::int64_t extent : extents) shape.push_back(extent);
  return shape;
}
Tensor spread(const Tensor& x, const Shape& lead) {
  const Shape shape = with(lead, {rows_of(x), columns_of(x)});
  const Tensor source = detach(x);
  return row_major(x.shape() == shape ? source : broadcast_to(source, shape));
}

std::string which_matrix(std::int64_t matrix, const Shape& lead) {
  if (lead.dim() == 0) return "the matrix";
  return "matrix " + std::to_string(matrix) + " of the batch " + to_string(lead);
}
void throw_singular(const char* function, const Trouble& trouble, const Shape& lead) {
  throw ValueError(std::string(function) + ": singular: " + which_matrix(trouble.matrix, lead) +
                   " has a pivot " + std::to_string(trouble.status) +
                   " of 0; need an invertible matrix");
}
void throw_not_converged(const char* function, const Trouble& trouble, const Shape& lead) {
  throw ValueError(std::string(function) +
                   ": no convergence: " + which_matrix(trouble.matrix, lead) +
                   "; need elements whose squares neither overflow nor vanish");
}

namespace {

template <class F> Tensor mask(std::int64_t rows, std::int64_t columns, F&& f) {
  Tensor y = make({rows, columns}, boolean);
  bool* value = data<bool>(y);
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) *value++ = f(i, j);
  }
  return y;
}

}  // namespace

Tensor lower_mask(std::int64_t rows, std::int64_t columns, std::int64_t diagonal) {
  return mask(rows, columns, [=](std::int64_t i, std::int64_t j) { return j - i <= diagonal; });
}
Tensor diagonal_mask(std::int64_t n) {
  return mask(n, n, [](std::int64_t i, std::int64_t j) { return i == j; });
}
Tensor identity(std::int64_t n, DType dtype) {
  Tensor y = zeros({n, n}, dtype);
  dispatch_floating("identity", dtype, [&]<class T>(T) {
    for (std::int64_t i = 0; i < n; ++i) data<T>(y)[i * (n + 1)] = T{1};
  });
  return y;
}
Tensor symmetric_part(const Tensor& x) { return (x + transpose(x)) * 0.5; }
Tensor twice_skew(const Tensor& x) { return x - transpose(x); }
Tensor times_columns(const Tensor& x, const Tensor& v) {
  return x * reshape(v, with(without_last(v.shape(), 1), {1, v.shape().back()}));
}
Tensor times_rows(const Tensor& x, const Tensor& v) { return x * reshape(v, with(v.shape(), {1})); }
Tensor on_diagonal(const Tensor& v) {
  const std::int64_t n = v.shape().back();
  const Shape square = with(without_last(v.shape(), 1), {n, n});
  return detail::unpart(v, Section::diagonal(square, v.dim() - 1, v.dim()));
}

}  // namespace autograd::ops
