// SPDX-License-Identifier: Apache-2.0
// Eigenvalues of symmetric matrices and singular values. Their vectors' derivatives divide by the gaps
// between values, and there are none where a gap is 0: rounding would leave a gap of a few eps, and
// numerators that should vanish of a few eps as well, so their quotient looks like a number. A gap within
// rounding of 0 therefore counts as 0, and the gradient is NaN where the loss depends on the vectors of
// such a pair (their adjoints are not all 0). A loss of values alone has a finite gradient.
#include <cmath>
#include <limits>

#include "../create.hpp"
#include "../kernels/decompositions.hpp"
#include "../linalg.hpp"
#include "decompositions_factor.hpp"
#include "matrices.hpp"

namespace autograd::ops {

namespace {

using Inputs = std::vector<Tensor>;

std::size_t extent(std::int64_t n) { return static_cast<std::size_t>(n); }

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

double epsilon(DType dtype) {
  return dtype == float32 ? double{std::numeric_limits<float>::epsilon()}
                          : std::numeric_limits<double>::epsilon();
}

Tensor row(const Tensor& v) {
  return reshape(v, with(without_last(v.shape(), 1), {1, v.shape().back()}));
}
Tensor column(const Tensor& v) { return reshape(v, with(v.shape(), {1})); }

// What counts as no gap: [..., 1]. Eigenvalues are off by about sqrt(n) eps |a| / 2; more would take
// neighbors in large float32 matrices for equal.
Tensor least_gap(const Tensor& values, std::int64_t n) {
  return max(abs(detach(values)), {-1}, {.keepdim = true}) *
         (2 * epsilon(values.dtype()) * std::sqrt(static_cast<double>(n)));
}

// Which pairs have no gap: bool [..., k, k], the diagonal not among them.
Tensor coincident(const Tensor& values, std::int64_t n) {
  const Tensor gap = abs(row(detach(values)) - column(detach(values)));
  const Tensor far = where(diagonal_mask(values.shape().back()), kInfinity, gap);
  return far <= column(least_gap(values, n));
}

// 1 / (values_j - values_i), and 1 where there is no gap and on the diagonal.
Tensor inverse_gaps(const Tensor& values, const Tensor& none) {
  const Tensor gap = where(none, 1.0, row(values) - column(values));
  return 1.0 / where(diagonal_mask(values.shape().back()), 1.0, gap);
}

// x, but NaN in the rows and columns of pairs without a gap whose vectors have an adjoint: d [..., k] is
// above 0 where they have.
Tensor marked(const Tensor& x, const Tensor& none, const Tensor& d) {
  return where(where(none, row(d) + column(d), 0.0) > 0.0, kNan, x);
}

// The sums of the magnitudes of columns.
Tensor magnitudes(const Tensor& x) { return sum(abs(detach(x)), {-2}); }

}  // namespace

EighParts::EighParts(const Shape& a) {
  const Shape value_shape = without_last(a, 1);
  const Shape packed{value_shape.numel() + a.numel()};
  values = Section::run(packed, 0, value_shape);
  vectors = Section::run(packed, value_shape.numel(), a);
}

Tensor Eigh::forward(const Tensor& a) const {
  const EighParts parts(from);
  const std::int64_t n = rows_of(a);
  const Shape lead = without_last(from, 2);
  const Tensor source = row_major(upper ? transpose(detach(a)) : a);
  Tensor y = make(parts.values.from, a.dtype());
  dispatch_floating("eigh", a.dtype(), [&]<class T>(T) {
    T* values = data<T>(y);
    T* vectors = values + parts.vectors.offset;
    const Trouble trouble = for_each_in_batch(
        lead.numel(), 9.0 * static_cast<double>(n * n) * static_cast<double>(n),
        [&](std::int64_t i) {
          const bool done = kernels::eigh(data<T>(source) + i * n * n, values + i * n,
                                          vectors + i * n * n, extent(n));
          return std::int64_t{done ? -1 : 0};
        });
    if (trouble) throw_not_converged("eigh", trouble, lead);
  });
  return y;
}
// Giles (2008), section 3.1: with F_ij = 1 / (l_j - l_i), da = v (diag(dl) + F v^T dv) v^T. Of the
// last product only the skew part is left in the symmetric part of da, since F is skew.
void Eigh::backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const {
  const EighParts parts(from);
  const std::int64_t n = from.back();
  if (from.numel() == 0) return dx.set(0, zeros(from, dy.dtype()));
  const Tensor l = detail::part(saved.y, parts.values), v = detail::part(saved.y, parts.vectors);
  const Tensor dl = detail::part(dy, parts.values), dv = detail::part(dy, parts.vectors);
  const Tensor skew = twice_skew(matmul(transpose(v), dv)) * 0.5;
  const Tensor none = coincident(l, n);
  const Tensor inner = on_diagonal(dl) + marked(skew * inverse_gaps(l, none), none, magnitudes(dv));
  dx.set(0, matmul(v, matmul(inner, transpose(v))));
}

std::vector<OpCase> Eigh::cases() {
  // Eigenvalues near 1, 3, 5, ...
  const auto spaced = [](const Tensor& x) {
    const Tensor odd = arange(rows_of(x), x.dtype()) * 2.0 + 1.0;
    return symmetric_part(x) * 0.1 + on_diagonal(odd);
  };
  // v f(l) v^T does not depend on the signs of the eigenvectors.
  const auto f = [spaced](const Inputs& in) {
    const EighResult y = eigh(spaced(in[0]));
    return matmul(times_columns(y.eigenvectors, sin(y.eigenvalues)), transpose(y.eigenvectors));
  };
  const auto values = [spaced](const Inputs& in) { return eigh(spaced(in[0])).eigenvalues; };
  return {{"function of a matrix", {{3, 3}}, f},
          {"batch", {{2, 3, 3}}, f},
          {"eigenvalues", {{3, 3}}, values},
          {"squared eigenvectors",
           {{3, 3}},
           [spaced](const Inputs& in) { return square(eigh(spaced(in[0])).eigenvectors); }},
          {"transposed, upper",
           {{3, 3}},
           [spaced](const Inputs& in) {
             return eigh(transpose(spaced(in[0])), {.upper = true}).eigenvalues;
           }},
          {"one element", {{1, 1}}, f},
          {"no elements", {{2, 0, 0}}, f}};
}

SvdParts::SvdParts(const Shape& a) {
  const Shape lead = without_last(a, 2);
  const std::int64_t m = a[a.dim() - 2], n = a.back(), k = std::min(m, n);
  const Shape u_shape = with(lead, {m, k}), s_shape = with(lead, {k}), v_shape = with(lead, {k, n});
  const std::int64_t of_u = u_shape.numel(), of_s = s_shape.numel();
  const Shape packed{of_u + of_s + v_shape.numel()};
  u = Section::run(packed, 0, u_shape);
  s = Section::run(packed, of_u, s_shape);
  vh = Section::run(packed, of_u + of_s, v_shape);
}

Tensor Svd::forward(const Tensor& a) const {
  const SvdParts parts(from);
  const std::int64_t m = rows_of(a), n = columns_of(a), k = std::min(m, n);
  const Shape lead = without_last(from, 2);
  const Tensor source = row_major(a);
  Tensor y = make(parts.u.from, a.dtype());
  dispatch_floating("svd", a.dtype(), [&]<class T>(T) {
    T* u = data<T>(y);
    T *s = u + parts.s.offset, *vh = u + parts.vh.offset;
    const Trouble trouble = for_each_in_batch(
        lead.numel(), 20.0 * static_cast<double>(m * n) * static_cast<double>(k),
        [&](std::int64_t i) {
          const bool done = kernels::svd(data<T>(source) + i * m * n, u + i * m * k, s + i * k,
                                         vh + i * k * n, extent(m), extent(n));
          return std::int64_t{done ? -1 : 0};
        });
    if (trouble) throw_not_converged("svd", trouble, lead);
  });
  return y;
}
// Ionescu, Vantzos and Sminchisescu, Training deep networks with structured layers by matrix
// backpropagation (2015), proposition 1, for square a; the parts of du and dv outside of the spaces
// that u and v span go through 1 / s. With F_ij = 1 / (s_j^2 - s_i^2), M = u^T du, N = v^T dv:
// da = u (diag(ds) + (F (M - M^T)) s + s (F (N - N^T))) v^T + (du - u M) s^-1 v^T + u s^-1 (dv - v N)^T
void Svd::backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const {
  const SvdParts parts(from);
  const std::int64_t m = from[from.dim() - 2], n = from.back(), k = std::min(m, n);
  if (from.numel() == 0) return dx.set(0, zeros(from, dy.dtype()));
  const Tensor u = detail::part(saved.y, parts.u), s = detail::part(saved.y, parts.s),
               vh = detail::part(saved.y, parts.vh);
  const Tensor du = detail::part(dy, parts.u), ds = detail::part(dy, parts.s),
               dvh = detail::part(dy, parts.vh);
  // s_j^2 - s_i^2 = (s_j - s_i) (s_j + s_i).
  const std::int64_t longer = std::max(m, n);
  const Tensor none = coincident(s, longer);
  const Tensor sums = where(none, 1.0, row(s) + column(s));
  const Tensor slope = inverse_gaps(s, none) / where(diagonal_mask(k), 1.0, sums);
  const Tensor in_u = matmul(transpose(u), du), in_v = matmul(dvh, transpose(vh));
  const Tensor turned =
      times_columns(twice_skew(in_u) * slope, s) - times_rows(twice_skew(in_v) * slope, s);
  const Tensor of_u = magnitudes(du), of_v = magnitudes(transpose(dvh));
  const Tensor inner = on_diagonal(ds) + marked(turned, none, of_u + of_v);
  Tensor da = matmul(u, matmul(inner, vh));
  // Vectors of s = 0 turn freely into what lies outside.
  const Tensor vanishes = s <= least_gap(s, longer);
  const Tensor inverse_s = 1.0 / where(vanishes, 1.0, s);
  const auto outside = [&](const Tensor& adjoint) {
    return where(where(vanishes, adjoint, 0.0) > 0.0, kNan, inverse_s);
  };
  if (m > k) da = da + matmul((du - matmul(u, in_u)) * row(outside(of_u)), vh);
  if (n > k) da = da + matmul(u, (dvh - matmul(in_v, vh)) * column(outside(of_v)));
  dx.set(0, da);
}

std::vector<OpCase> Svd::cases() {
  // Singular values near 1, 3, 5, ...
  const auto spaced = [](const Tensor& x) {
    const std::int64_t m = rows_of(x), n = columns_of(x);
    const Tensor odd = on_diagonal(arange(m + n, x.dtype()) * 2.0 + 1.0);
    return x * 0.1 + detail::part(odd, Section::block({m + n, m + n}, 0, m, 0, n));
  };
  const auto f = [spaced](const Inputs& in) {
    const SvdResult y = svd(spaced(in[0]));
    return matmul(times_columns(y.u, sin(y.s)), y.vh);
  };
  return {
      {"square", {{3, 3}}, f},
      {"tall", {{4, 2}}, f},
      {"wide", {{2, 4}}, f},
      {"batch", {{2, 3, 2}}, f},
      {"singular values", {{3, 2}}, [spaced](const Inputs& in) { return svd(spaced(in[0])).s; }},
      {"squared u", {{3, 2}}, [spaced](const Inputs& in) { return square(svd(spaced(in[0])).u); }},
      {"squared v", {{2, 3}}, [spaced](const Inputs& in) { return square(svd(spaced(in[0])).vh); }},
      {"transposed", {{2, 3}}, [f](const Inputs& in) { return f({transpose(in[0])}); }},
      {"no rows", {{0, 2}}, f}};
}

}  // namespace autograd::ops
