// SPDX-License-Identifier: Apache-2.0
// Cholesky and QR; the other two are in decompositions_spectral.cpp.
#include "decompositions_factor.hpp"

#include "../create.hpp"
#include "../kernels/decompositions.hpp"
#include "../linalg.hpp"
#include "matrices.hpp"

namespace autograd::ops {

namespace {

using Inputs = std::vector<Tensor>;

std::size_t extent(std::int64_t n) { return static_cast<std::size_t>(n); }

}  // namespace

Tensor Cholesky::forward(const Tensor& a) const {
  require_square("cholesky", "a", a);
  const std::int64_t n = rows_of(a);
  const Shape lead = without_last(a.shape(), 2);
  const Tensor source = row_major(upper ? transpose(detach(a)) : a);
  Tensor y = make(a.shape(), a.dtype());
  dispatch_floating("cholesky", a.dtype(), [&]<class T>(T) {
    const Trouble trouble = for_each_in_batch(
        lead.numel(), static_cast<double>(n * n) * static_cast<double>(n), [&](std::int64_t i) {
          return std::int64_t{
              kernels::cholesky(data<T>(source) + i * n * n, data<T>(y) + i * n * n, extent(n))};
        });
    if (trouble) {
      throw ValueError("cholesky: not positive definite: " + which_matrix(trouble.matrix, lead) +
                       " has a leading minor of order " + std::to_string(trouble.status + 1) +
                       " that is not positive; need a symmetric positive definite matrix");
    }
  });
  return y;
}
// Murray, Differentiation of the Cholesky decomposition (2016), equation 10: with phi the lower
// triangle and half the diagonal, da = the symmetric part of l^-T phi(l^T dl) l^-1.
void Cholesky::backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const {
  const Tensor& l = saved.y;
  const std::int64_t n = rows_of(l);
  const Tensor inner = matmul(transpose(l), dy);
  const Tensor phi = where(diagonal_mask(n), inner * 0.5, where(lower_mask(n, n, 0), inner, 0.0));
  const Tensor left = solve_triangular(transpose(l), phi, {.upper = true});
  dx.set(0, symmetric_part(solve_triangular(l, left, {.left = false})));
}
std::vector<OpCase> Cholesky::cases() {
  // Symmetric, and its eigenvalues far from 0.
  const auto definite = [](const Tensor& x) {
    return symmetric_part(x) * 0.25 + 2.0 * identity(rows_of(x), x.dtype());
  };
  const auto f = [definite](const Inputs& in) { return cholesky(definite(in[0])); };
  return {{"matrix", {{3, 3}}, f},
          {"batch", {{2, 3, 3}}, f},
          {"upper",
           {{3, 3}},
           [definite](const Inputs& in) { return cholesky(definite(in[0]), {.upper = true}); }},
          {"transposed",
           {{3, 3}},
           [definite](const Inputs& in) { return cholesky(transpose(definite(in[0]))); }},
          {"one element", {{1, 1}}, f},
          {"no elements", {{2, 0, 0}}, f}};
}

QrParts::QrParts(const Shape& a) {
  const Shape lead = without_last(a, 2);
  const std::int64_t m = a[a.dim() - 2], n = a.back();
  const Shape q_shape = with(lead, {m, n}), r_shape = with(lead, {n, n});
  const Shape from{q_shape.numel() + r_shape.numel()};
  q = Section::run(from, 0, q_shape);
  r = Section::run(from, q_shape.numel(), r_shape);
}

Tensor Qr::forward(const Tensor& a) const {
  const QrParts parts(from);
  const std::int64_t m = rows_of(a), n = columns_of(a);
  const Tensor source = row_major(a);
  Tensor y = make(parts.q.from, a.dtype());
  dispatch_floating("qr", a.dtype(), [&]<class T>(T) {
    T* q = data<T>(y);
    T* r = q + parts.r.offset;
    for_each_in_batch(without_last(from, 2).numel(),
                      2.0 * static_cast<double>(m * n) * static_cast<double>(n),
                      [&](std::int64_t i) {
                        kernels::qr(data<T>(source) + i * m * n, q + i * m * n, r + i * n * n,
                                    extent(m), extent(n));
                        return std::int64_t{-1};
                      });
  });
  return y;
}
// Walter and Lehmann, On evaluating higher-order derivatives of the QR decomposition (2018), section
// 3: with m = r dr^T - dq^T q and copyltu(m) its lower triangle mirrored, da = (dq + q copyltu(m)) r^-T.
void Qr::backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const {
  const QrParts parts(from);
  const Tensor q = detail::part(saved.y, parts.q), r = detail::part(saved.y, parts.r);
  const Tensor dq = detail::part(dy, parts.q), dr = detail::part(dy, parts.r);
  const Tensor m = matmul(r, transpose(dr)) - matmul(transpose(dq), q);
  const std::int64_t n = rows_of(r);
  const Tensor mirrored = where(lower_mask(n, n, 0), m, transpose(m));
  dx.set(0, solve_triangular(transpose(r), dq + matmul(q, mirrored), {.left = false}));
}
std::vector<OpCase> Qr::cases() {
  const auto f = [](const Inputs& in) {
    const std::int64_t m = rows_of(in[0]), n = columns_of(in[0]);
    // Columns far from dependent.
    const Tensor a = in[0] * 0.25 + detail::part(3.0 * identity(m + n, in[0].dtype()),
                                                 Section::block({m + n, m + n}, 0, m, 0, n));
    const QrResult y = qr(a);
    return matmul(y.q * 0.5, sin(y.r) + 0.5 * y.r);
  };
  return {{"square", {{3, 3}}, f},
          {"tall", {{4, 2}}, f},
          {"wide", {{2, 4}}, f},
          {"batch", {{2, 3, 2}}, f},
          {"transposed", {{2, 3}}, [f](const Inputs& in) { return f({transpose(in[0])}); }},
          {"q alone",
           {{3, 2}},
           [](const Inputs& in) {
             return qr(in[0] + tensor({{3, 0}, {0, 3}, {0, 0}}, in[0].dtype())).q;
           }},
          {"no rows", {{0, 2}}, f},
          {"no columns", {{2, 0}}, f}};
}

}  // namespace autograd::ops
