// SPDX-License-Identifier: Apache-2.0
#include "matrices.hpp"

#include <cmath>

#include "../create.hpp"
#include "../kernels/parallel.hpp"
#include "../text.hpp"

namespace autograd::ops {

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
                       detail::text(data<T>(source)[i]) + " at position " + std::to_string(i) +
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

Trouble for_each_in_batch(std::int64_t count, double work,
                          const std::function<std::int64_t(std::int64_t)>& f) {
  std::vector<std::int64_t> status(static_cast<std::size_t>(count), -1);
  const double grain = 40000 / (work + 1);
  kernels::parallel_for(status.size(), grain > 1 ? static_cast<std::size_t>(grain) : 1,
                        [&](std::size_t begin, std::size_t end) {
                          for (std::size_t i = begin; i < end; ++i) {
                            status[i] = f(static_cast<std::int64_t>(i));
                          }
                        });
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t s = status[static_cast<std::size_t>(i)];
    if (s >= 0) return {i, s};
  }
  return {};
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
