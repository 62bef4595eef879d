// SPDX-License-Identifier: Apache-2.0
#include "matrix_functions.hpp"

#include <cmath>
#include <limits>

#include "../create.hpp"
#include "../kernels/decompositions.hpp"
#include "../linalg.hpp"
#include "matrices.hpp"

namespace autograd::ops {

namespace {

using Inputs = std::vector<Tensor>;

Tensor column(const Tensor& x) { return reshape(x, with(x.shape(), {1})); }

double largest(const Tensor& x) { return max(abs(detach(x))).item(); }

// The power of two that brings g to about the size of a. The result is linear in g, so any factor will
// do; this one keeps g from adding squarings, and small g from being lost beside a.
double factor_for(const Tensor& g, const Tensor& a) {
  const double of_g = largest(g), of_a = std::max(largest(a), 0x1p-60);
  if (!(of_g > 0) || !std::isfinite(of_g) || !std::isfinite(of_a)) return 1;
  return std::exp2(std::clamp(std::floor(std::log2(of_a / of_g)), -100.0, 100.0));
}

}  // namespace

Tensor MatrixExp::forward(const Tensor& a) const {
  require_square("matrix_exp", "a", a);
  const std::int64_t n = rows_of(a);
  const Tensor source = row_major(a);
  Tensor y = make(a.shape(), a.dtype());
  dispatch_floating("matrix_exp", a.dtype(), [&]<class T>(T) {
    for_each_in_batch(without_last(a.shape(), 2).numel(),
                      20.0 * static_cast<double>(n * n) * static_cast<double>(n),
                      [&](std::int64_t i) {
                        kernels::matrix_exp(data<T>(source) + i * n * n, data<T>(y) + i * n * n,
                                            static_cast<std::size_t>(n));
                        return std::int64_t{-1};
                      });
  });
  return y;
}
// Mathias, A chain rule for matrix functions and applications (1996), theorem 2.1: the upper right block
// of exp [[x, g], [0, x]] is the derivative of exp at x in the direction g; its adjoint is the one at x^T.
void MatrixExp::backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const {
  const Tensor& a = saved.in[0];
  if (a.numel() == 0) return dx.set(0, dy);
  const std::int64_t n = rows_of(a);
  const Shape big = with(without_last(a.shape(), 2), {2 * n, 2 * n});
  const double factor = factor_for(dy, a);
  const Section corner = Section::block(big, 0, n, n, n);
  const Tensor blocks = detail::unpart(transpose(a), Section::block(big, 0, n, 0, n)) +
                        detail::unpart(transpose(a), Section::block(big, n, n, n, n)) +
                        detail::unpart(dy * factor, corner);
  dx.set(0, detail::part(matrix_exp(blocks), corner) * (1 / factor));
}
std::vector<OpCase> MatrixExp::cases() {
  const auto f = [](const Inputs& in) { return matrix_exp(in[0] * 0.25); };
  return {{"matrix", {{3, 3}}, f},
          {"batch", {{2, 2, 2}}, f},
          {"transposed", {{3, 3}}, [f](const Inputs& in) { return f({transpose(in[0])}); }},
          {"with squarings",
           {{2, 2}},
           [](const Inputs& in) {
             return matrix_exp(in[0] * 0.25 - 8.0 * identity(2, in[0].dtype())) * 1000.0;
           }},
          {"one element", {{1, 1}}, f},
          {"no elements", {{2, 0, 0}}, f}};
}

Tensor inverted(const Tensor& s, double rtol, std::int64_t m, std::int64_t n) {
  if (s.numel() == 0) return s;
  const double epsilon = s.dtype() == float32 ? double{std::numeric_limits<float>::epsilon()}
                                              : std::numeric_limits<double>::epsilon();
  const double tolerance = rtol < 0 ? epsilon * static_cast<double>(std::max(m, n)) : rtol;
  const Tensor counts = s > max(s, {-1}, {.keepdim = true}) * tolerance;
  return where(counts, 1.0 / s, 0.0);
}

Tensor Pinv::forward(const Tensor& a) const {
  const SvdResult f = svd(detach(a));
  const Tensor inverse_s = inverted(f.s, rtol, rows_of(a), columns_of(a));
  return matmul(times_columns(transpose(f.vh), inverse_s), transpose(f.u));
}
// Golub and Pereyra, The differentiation of pseudo-inverses and nonlinear least squares problems whose
// variables separate (1973), equation 4.12:
// dy = -y da y + y y^T da^T (1 - a y) + (1 - y a) da^T y^T y
void Pinv::backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const {
  const Tensor &a = saved.in[0], &y = saved.y;
  const Tensor yt = transpose(y), g = transpose(dy);  // g: [..., m, n]
  const Tensor first = matmul(yt, matmul(dy, yt));
  const Tensor second = matmul(matmul(g - matmul(a, matmul(y, g)), y), yt);
  const Tensor third = matmul(yt, matmul(y, g - matmul(matmul(g, y), a)));
  dx.set(0, second + third - first);
}
std::vector<OpCase> Pinv::cases() {
  const auto tame = [](const Tensor& x) {
    const std::int64_t m = rows_of(x), n = columns_of(x);
    return x * 0.25 + detail::part(2.0 * identity(m + n, x.dtype()),
                                   Section::block({m + n, m + n}, 0, m, 0, n));
  };
  const auto f = [tame](const Inputs& in) { return pinv(tame(in[0])); };
  return {{"square", {{3, 3}}, f},
          {"tall", {{4, 2}}, f},
          {"wide", {{2, 4}}, f},
          {"batch", {{2, 3, 2}}, f},
          {"of rank 1",
           {{3, 1}, {1, 2}},
           [](const Inputs& in) {
             return pinv(matmul(in[0] * 0.25 + 1.0, in[1] * 0.25 + 1.0), {.rtol = 1e-3});
           }},
          {"transposed", {{2, 3}}, [f](const Inputs& in) { return f({transpose(in[0])}); }},
          {"no columns", {{2, 0}}, f}};
}

// x = p b with p = pinv(a): Pinv's rule for dp = dx b^T, without forming it.
void Lstsq::backward(const Saved<2>& saved, const Tensor& dy, Gradients<2>& dx) const {
  const Tensor& a = saved.in[0];
  const Tensor b = vector ? column(saved.in[1]) : saved.in[1];
  const Tensor x = vector ? column(saved.y) : saved.y;
  const Tensor g = vector ? column(dy) : dy;
  const Tensor p = pinv(a, {.rtol = rtol});
  const Tensor pt = transpose(p), db = matmul(pt, g);
  if (dx.wants(0)) {
    const Tensor residual = b - matmul(a, x);
    const Tensor first = matmul(db, transpose(x));
    const Tensor second = matmul(residual, transpose(matmul(p, db)));
    const Tensor third = matmul(matmul(pt, x), transpose(g - matmul(p, matmul(a, g))));
    dx.set(0, sum_to(second + third - first, a.shape()));
  }
  if (dx.wants(1)) {
    const Tensor& of = saved.in[1];
    dx.set(1, sum_to(vector ? reshape(db, without_last(db.shape(), 1)) : db, of.shape()));
  }
}
std::vector<OpCase> Lstsq::cases() {
  const auto f = [](const Inputs& in) {
    const std::int64_t m = rows_of(in[0]), n = columns_of(in[0]);
    const Tensor tame = in[0] * 0.25 + detail::part(2.0 * identity(m + n, in[0].dtype()),
                                                    Section::block({m + n, m + n}, 0, m, 0, n));
    return lstsq(tame, in[1]).solution;
  };
  return {{"tall", {{4, 2}, {4, 2}}, f},
          {"wide", {{2, 4}, {2, 2}}, f},
          {"square", {{3, 3}, {3, 1}}, f},
          {"vector", {{4, 2}, {4}}, f},
          {"batch", {{2, 3, 2}, {2, 3, 2}}, f},
          {"broadcast", {{3, 2}, {2, 3, 1}}, f},
          {"of rank 1",
           {{3, 1}, {1, 2}, {3, 2}},
           [](const Inputs& in) {
             const Tensor a = matmul(in[0] * 0.25 + 1.0, in[1] * 0.25 + 1.0);
             return lstsq(a, in[2], {.rtol = 1e-3}).solution;
           }},
          {"no rows", {{0, 2}, {0, 1}}, f}};
}

}  // namespace autograd::ops
