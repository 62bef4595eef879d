// SPDX-License-Identifier: Apache-2.0
#include "decompositions_solve.hpp"

#include <limits>

#include "../create.hpp"
#include "../kernels/decompositions.hpp"
#include "../linalg.hpp"
#include "matrices.hpp"

namespace autograd::ops {

namespace {

using Inputs = std::vector<Tensor>;

double cube(std::int64_t n) { return static_cast<double>(n) * static_cast<double>(n * n); }
std::size_t extent(std::int64_t n) { return static_cast<std::size_t>(n); }

Tensor column(const Tensor& x) { return reshape(x, with(x.shape(), {1})); }
// v [...] as a factor of matrices [..., n, n].
Tensor over_matrices(const Tensor& v) { return reshape(v, with(v.shape(), {1, 1})); }

// f(a, y, i) for each matrix, where y has `of_y` elements for each.
template <class T, class F>
Trouble for_each_matrix(const Tensor& a, const Tensor& y, std::int64_t of_y, double work, F&& f) {
  const std::int64_t n = rows_of(a), batch = without_last(a.shape(), 2).numel();
  const Tensor source = row_major(a);
  return for_each_in_batch(batch, work, [&](std::int64_t i) -> std::int64_t {
    return f(data<T>(source) + i * n * n, data<T>(y) + i * of_y);
  });
}

// b [..., n, k] solved for with every matrix of a; f(a, b, y) for each.
template <class F>
Tensor solved(const Tensor& a, const Tensor& b, const Shape& lead, const Shape& result, double work,
              const char* function, F&& f) {
  const Tensor left = spread(a, lead), right = spread(b, lead);
  Tensor y = make(result, a.dtype());
  const std::int64_t n = rows_of(b), k = columns_of(b);
  dispatch_floating(function, a.dtype(), [&]<class T>(T) {
    const Trouble trouble =
        for_each_in_batch(lead.numel(), work, [&](std::int64_t i) -> std::int64_t {
          return f(data<T>(left) + i * n * n, data<T>(right) + i * n * k, data<T>(y) + i * n * k);
        });
    if (trouble) throw_singular(function, trouble, lead);
  });
  return y;
}

void check_system(const char* function, const Tensor& a, const Tensor& b, bool vector) {
  require_square(function, "a", a);
  const int axis = b.dim() - (vector ? 1 : 2);
  if (axis < 0) require_matrix(function, "b", b);
  require_same_dtype(function, a, b);
  if (b.shape()[axis] != rows_of(a)) {
    throw ShapeError(std::string(function) + ": the right side does not fit: a is " +
                     to_string(a.shape()) + ", b is " + to_string(b.shape()) +
                     "; need a.shape[-1] == b.shape[" + (vector ? "-1" : "-2") + "] (" +
                     std::to_string(rows_of(a)) + " != " + std::to_string(b.shape()[axis]) + ")");
  }
}

// Well-conditioned matrices out of any: x / 4 + 2 I.
Tensor tame(const Tensor& x) { return x * 0.25 + 2.0 * identity(rows_of(x), x.dtype()); }

}  // namespace

Tensor Inverse::forward(const Tensor& a) const {
  require_square("inverse", "a", a);
  const std::int64_t n = rows_of(a);
  Tensor y = make(a.shape(), a.dtype());
  dispatch_floating("inverse", a.dtype(), [&]<class T>(T) {
    const Trouble trouble = for_each_matrix<T>(a, y, n * n, 2 * cube(n), [&](const T* from, T* to) {
      return kernels::lu_inverse(from, to, extent(n));
    });
    if (trouble) throw_singular("inverse", trouble, without_last(a.shape(), 2));
  });
  return y;
}
void Inverse::backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const {
  const Tensor y = transpose(saved.y);  // Giles 2.2.3
  dx.set(0, -matmul(y, matmul(dy, y)));
}
std::vector<OpCase> Inverse::cases() {
  const auto f = [](const Inputs& in) { return inverse(tame(in[0])); };
  return {
      {"matrix", {{3, 3}}, f},
      {"batch", {{2, 3, 3}}, f},
      {"transposed", {{3, 3}}, [](const Inputs& in) { return inverse(transpose(tame(in[0]))); }},
      {"one element", {{1, 1}}, f},
      {"no elements", {{2, 0, 0}}, f}};
}

Tensor Solve::forward(const Tensor& a, const Tensor& b) const {
  check_system("solve", a, b, vector);
  const Shape lead = broadcast_batches("solve", a.shape(), 2, b.shape(), vector ? 1 : 2);
  const Tensor right = vector ? column(detach(b)) : b;
  const std::int64_t n = rows_of(a), k = columns_of(right);
  return solved(a, right, lead, vector ? with(lead, {n}) : with(lead, {n, k}),
                cube(n) + static_cast<double>(n * n * k), "solve",
                [&]<class T>(const T* x, const T* z, T* y) {
                  return kernels::lu_solve(x, z, y, extent(n), extent(k));
                });
}
void Solve::backward(const Saved<2>& saved, const Tensor& dy, Gradients<2>& dx) const {
  const Tensor& a = saved.in[0];  // Giles 2.3.1
  const Tensor g = solve(transpose(a), vector ? column(dy) : dy);
  if (dx.wants(0)) {
    const Tensor y = vector ? column(saved.y) : saved.y;
    dx.set(0, sum_to(-matmul(g, transpose(y)), a.shape()));
  }
  if (dx.wants(1)) dx.set(1, sum_to(vector ? reshape(g, dy.shape()) : g, b_shape));
}
std::vector<OpCase> Solve::cases() {
  const auto f = [](const Inputs& in) { return solve(tame(in[0]), in[1]); };
  return {{"matrix", {{3, 3}, {3, 2}}, f},
          {"vector", {{3, 3}, {3}}, f},
          {"batch of vectors", {{2, 3, 3}, {2, 3}}, f},
          {"batch", {{2, 3, 3}, {2, 3, 2}}, f},
          {"broadcast", {{3, 3}, {2, 3, 1}}, f},
          {"both broadcast", {{2, 1, 2, 2}, {3, 2, 1}}, f},
          {"transposed",
           {{3, 3}, {2, 3}},
           [](const Inputs& in) { return solve(transpose(tame(in[0])), transpose(in[1])); }},
          {"no unknowns", {{0, 0}, {0, 2}}, f}};
}

Tensor SolveTriangular::forward(const Tensor& a, const Tensor& b) const {
  check_system("solve_triangular", a, b, false);
  const Shape lead = broadcast_batches("solve_triangular", a.shape(), 2, b.shape(), 2);
  const std::int64_t n = rows_of(a), k = columns_of(b);
  return solved(a, b, lead, with(lead, {n, k}), static_cast<double>(n * n * k), "solve_triangular",
                [&]<class T>(const T* x, const T* z, T* y) {
                  kernels::triangular_solve(x, z, y, extent(n), extent(k), upper, unitriangular);
                  return std::int64_t{-1};
                });
}
void SolveTriangular::backward(const Saved<2>& saved, const Tensor& dy, Gradients<2>& dx) const {
  const Tensor& a = saved.in[0];
  const Tensor g =
      solve_triangular(transpose(a), dy, {.upper = !upper, .unitriangular = unitriangular});
  if (dx.wants(0)) {
    const std::int64_t n = rows_of(a), first = unitriangular ? 1 : 0;
    Tensor da = -matmul(g, transpose(saved.y));
    const Tensor lower = lower_mask(n, n, upper ? first - 1 : -first);
    da = upper ? where(lower, 0.0, da) : where(lower, da, 0.0);
    dx.set(0, sum_to(da, a.shape()));
  }
  if (dx.wants(1)) dx.set(1, sum_to(g, b_shape));
}
std::vector<OpCase> SolveTriangular::cases() {
  const auto f = [](SolveTriangularOptions options) {
    return [options](const Inputs& in) { return solve_triangular(tame(in[0]), in[1], options); };
  };
  return {{"lower", {{3, 3}, {3, 2}}, f({})},
          {"upper", {{3, 3}, {3, 2}}, f({.upper = true})},
          {"unit lower", {{3, 3}, {3, 2}}, f({.unitriangular = true})},
          {"unit upper", {{3, 3}, {3, 2}}, f({.upper = true, .unitriangular = true})},
          {"from the right", {{3, 3}, {2, 3}}, f({.left = false})},
          {"batch", {{2, 3, 3}, {2, 3, 2}}, f({.upper = true})},
          {"broadcast", {{3, 3}, {2, 3, 1}}, f({})},
          {"transposed",
           {{3, 3}, {2, 3}},
           [](const Inputs& in) {
             return solve_triangular(transpose(tame(in[0])), transpose(in[1]), {.upper = true});
           }},
          {"no right side", {{2, 2}, {2, 0}}, f({})}};
}

Tensor Det::forward(const Tensor& a) const {
  require_square("det", "a", a);
  const std::int64_t n = rows_of(a);
  Tensor y = make(without_last(a.shape(), 2), a.dtype());
  dispatch_floating("det", a.dtype(), [&]<class T>(T) {
    for_each_matrix<T>(a, y, 1, cube(n), [&](const T* from, T* to) {
      *to = kernels::lu_determinant(from, extent(n));
      return std::int64_t{-1};
    });
  });
  return y;
}
void Det::backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const {
  dx.set(0, chain(over_matrices(dy), detail::cofactors(saved.in[0])));
}
std::vector<OpCase> Det::cases() {
  const auto f = [](const Inputs& in) { return det(in[0]); };
  return {{"matrix", {{3, 3}}, f},
          {"batch", {{2, 3, 3}}, f},
          {"transposed", {{2, 2}}, [](const Inputs& in) { return det(transpose(in[0])); }},
          {"one element", {{1, 1}}, f},
          {"no elements", {{2, 0, 0}}, f}};
}

Tensor Cofactors::forward(const Tensor& a) const {
  require_square("cofactors", "a", a);
  require_finite("cofactors", a);
  const std::int64_t n = rows_of(a);
  Tensor y = make(a.shape(), a.dtype());
  dispatch_floating("cofactors", a.dtype(), [&]<class T>(T) {
    const Trouble trouble =
        for_each_matrix<T>(a, y, n * n, 20 * cube(n), [&](const T* from, T* to) {
          return std::int64_t{kernels::cofactors(from, to, extent(n)) ? -1 : 0};
        });
    if (trouble) throw_not_converged("cofactors", trouble, without_last(a.shape(), 2));
  });
  return y;
}
// With y = det(a) a^-T: d<g, y> = <y <g, y> - y g^T y, da> / det(a). Where nothing records the kernel
// does without the division.
void Cofactors::backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const {
  const Tensor &a = saved.in[0], &y = saved.y;
  if (dx.recorded()) {
    const Tensor inner = sum(dy * y, {-2, -1}, {.keepdim = true});
    const Tensor g = y * inner - matmul(y, matmul(transpose(dy), y));
    return dx.set(0, g / over_matrices(det(a)));
  }
  const std::int64_t n = rows_of(a);
  const Tensor g = row_major(dy);
  Tensor da = make(a.shape(), a.dtype());
  dispatch_floating("cofactors", a.dtype(), [&]<class T>(T) {
    for_each_matrix<T>(a, da, n * n, 20 * cube(n), [&](const T* from, T* to) {
      kernels::cofactors_vjp(from, data<T>(g) + (to - data<T>(da)), to, extent(n));
      return std::int64_t{-1};
    });
  });
  dx.set(0, da);
}
std::vector<OpCase> Cofactors::cases() {
  const auto f = [](const Inputs& in) { return detail::cofactors(tame(in[0])); };
  return {{"matrix", {{3, 3}}, f},
          {"batch", {{2, 2, 2}}, f},
          {"transposed", {{3, 3}}, [](const Inputs& in) {
             return detail::cofactors(transpose(tame(in[0])));
           }}};
}

void LogAbsDet::backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const {
  const Tensor& a = saved.in[0];
  const Tensor g = over_matrices(dy);
  const Tensor singular = saved.y == -std::numeric_limits<double>::infinity();
  bool any = false;
  for (bool s : singular.data<bool>()) any = any || s;
  if (!any) return dx.set(0, chain(g, transpose(inverse(a))));
  // As PyTorch: infinite there. cofactors(a) / 0 has the signs of one way to approach a.
  const Tensor there = over_matrices(singular);
  const Tensor others = where(there, identity(rows_of(a), a.dtype()), a);
  const Tensor slope = where(there, detail::cofactors(a) * std::numeric_limits<double>::infinity(),
                             transpose(inverse(others)));
  dx.set(0, chain(g, slope));
}
std::vector<OpCase> LogAbsDet::cases() {
  const auto f = [](const Inputs& in) { return slogdet(tame(in[0])).logabsdet; };
  return {
      {"matrix", {{3, 3}}, f},
      {"batch", {{2, 3, 3}}, f},
      {"negative determinant",
       {{2, 2}},
       [](const Inputs& in) {
         return slogdet(transpose(in[0]) * 0.25 - 2.0 * tensor({{1, 0}, {0, -1}}, in[0].dtype()))
             .logabsdet;
       }},
      {"no elements", {{2, 0, 0}}, f}};
}

}  // namespace autograd::ops
