// SPDX-License-Identifier: Apache-2.0
// Products, made of recorded functions; and the two internal ops that take matrices apart. What needs a
// factorization is in linalg_solve.cpp and linalg_factor.cpp, so that programs link what they use.
#include "linalg.hpp"

#include "apply.hpp"
#include "create.hpp"
#include "ops/matrices.hpp"

namespace autograd {

using ops::columns_of;
using ops::rows_of;
using ops::Section;

namespace {

void require_axes(const char* function, const char* operand, const Tensor& x, int axes) {
  if (x.dim() != axes) {
    throw ShapeError(std::string(function) + ": the wrong number of axes: " + operand + " is " +
                     to_string(x.shape()) + "; need " + std::to_string(axes));
  }
}

void require_equal(const char* function, const Tensor& a, const Tensor& b, int axis_a, int axis_b) {
  const std::int64_t p = a.shape()[axis_a], q = b.shape()[axis_b];
  if (p == q) return;
  throw ShapeError(std::string(function) + ": extents differ: a is " + to_string(a.shape()) +
                   ", b is " + to_string(b.shape()) + "; need a.shape[" + std::to_string(axis_a) +
                   "] == b.shape[" + std::to_string(axis_b) + "] (" + std::to_string(p) +
                   " != " + std::to_string(q) + ")");
}

// Floating and of one dtype, found out before anything is recorded.
void require_pair(const char* function, const Tensor& a, const Tensor& b) {
  ops::require_same_dtype(function, a, b);
  if (!is_floating(a.dtype())) throw_not_floating(function, a.dtype());
}

}  // namespace

Tensor dot(const Tensor& a, const Tensor& b) {
  require_axes("dot", "a", a, 1);
  require_axes("dot", "b", b, 1);
  require_pair("dot", a, b);
  require_equal("dot", a, b, 0, 0);
  return matmul(a, b);
}
Tensor outer(const Tensor& a, const Tensor& b) {
  require_axes("outer", "a", a, 1);
  require_axes("outer", "b", b, 1);
  require_pair("outer", a, b);
  return reshape(a, Shape{a.shape()[0], 1}) * reshape(b, Shape{1, b.shape()[0]});
}
Tensor mv(const Tensor& a, const Tensor& v) {
  require_axes("mv", "a", a, 2);
  require_axes("mv", "b", v, 1);
  require_pair("mv", a, v);
  require_equal("mv", a, v, 1, 0);
  return matmul(a, v);
}
Tensor bmm(const Tensor& a, const Tensor& b) {
  require_axes("bmm", "a", a, 3);
  require_axes("bmm", "b", b, 3);
  require_pair("bmm", a, b);
  require_equal("bmm", a, b, 0, 0);
  require_equal("bmm", a, b, 2, 1);
  return matmul(a, b);
}

// Axis i of the result is axis i of a, then that of b: [a0, 1, a1, 1, ...] * [1, b0, 1, b1, ...].
Tensor kron(const Tensor& a, const Tensor& b) {
  require_pair("kron", a, b);
  const int dim = std::max(a.dim(), b.dim());
  if (2 * dim > kMaxDim) {
    throw ShapeError("kron: too many axes: a is " + to_string(a.shape()) + ", b is " +
                     to_string(b.shape()) + "; need at most " + std::to_string(kMaxDim / 2));
  }
  Shape left, right, result;
  for (int i = 0; i < dim; ++i) {
    const int p = i - (dim - a.dim()), q = i - (dim - b.dim());
    const std::int64_t of_a = p < 0 ? 1 : a.shape()[p], of_b = q < 0 ? 1 : b.shape()[q];
    left.push_back(of_a);
    left.push_back(1);
    right.push_back(1);
    right.push_back(of_b);
    result.push_back(of_a * of_b);
  }
  (void)result.numel();  // throws for too many before anything is recorded
  return reshape(reshape(a, left) * reshape(b, right), result);
}

Tensor trace(const Tensor& x) {
  if (x.dim() < 2) {
    throw ShapeError("trace: too few axes: x is " + to_string(x.shape()) + "; need at least 2");
  }
  return sum(detail::part(x, Section::diagonal(x.shape(), x.dim() - 2, x.dim() - 1)), {-1});
}

Tensor matrix_power(const Tensor& a, std::int64_t n) {
  ops::require_square("matrix_power", "a", a);
  if (n == 0) {
    // Chosen from a rather than made anew, so that a has a gradient, of zeros.
    const Tensor never = ops::make({}, boolean);
    *ops::data<bool>(never) = false;
    return where(never, a, ops::identity(rows_of(a), a.dtype()));
  }
  Tensor power = n < 0 ? inverse(a) : a;
  Tensor result;
  for (auto left = n < 0 ? 0 - static_cast<std::uint64_t>(n) : static_cast<std::uint64_t>(n);;) {
    if (left & 1) result = result.defined() ? matmul(result, power) : power;
    left >>= 1;
    if (left == 0) return result;
    power = matmul(power, power);
  }
}

Tensor detail::part(const Tensor& x, const Section& at) { return apply(ops::Part{at}, x); }
Tensor detail::unpart(const Tensor& y, const Section& at) { return apply(ops::Unpart{at}, y); }

}  // namespace autograd
