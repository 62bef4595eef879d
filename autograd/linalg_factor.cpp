// SPDX-License-Identifier: Apache-2.0
// Public names of the factorizations: arguments are checked, and packed results taken apart.
#include "apply.hpp"
#include "linalg.hpp"
#include "ops/matrices.hpp"

namespace autograd {

using ops::Section;

Tensor cholesky(const Tensor& a, TriangleOptions options) {
  const Tensor l = apply(ops::Cholesky{options.upper}, a);
  return options.upper ? transpose(l) : l;
}

QrResult qr(const Tensor& a) {
  ops::require_matrix("qr", "a", a);
  const std::int64_t m = ops::rows_of(a), n = ops::columns_of(a);
  if (m >= n) {
    const Tensor y = apply(ops::Qr{a.shape()}, a);
    const ops::QrParts parts(a.shape());
    return {detail::part(y, parts.q), detail::part(y, parts.r)};
  }
  // Roberts and Roberts, QR and LQ decomposition matrix backpropagation algorithms (2020), section 3:
  // with a = [x, y], x square, x = q u: r = [u, q^T y].
  const Tensor y = detail::part(a, Section::block(a.shape(), 0, m, m, n - m));
  const QrResult square = qr(detail::part(a, Section::block(a.shape(), 0, m, 0, m)));
  const Tensor rest = matmul(transpose(square.q), y);
  return {square.q, detail::unpart(square.r, Section::block(a.shape(), 0, m, 0, m)) +
                        detail::unpart(rest, Section::block(a.shape(), 0, m, m, n - m))};
}

EighResult eigh(const Tensor& a, TriangleOptions options) {
  ops::require_square("eigh", "a", a);
  ops::require_finite("eigh", a);
  const Tensor y = apply(ops::Eigh{a.shape(), options.upper}, a);
  const ops::EighParts parts(a.shape());
  return {detail::part(y, parts.values), detail::part(y, parts.vectors)};
}

SvdResult svd(const Tensor& a) {
  ops::require_matrix("svd", "a", a);
  ops::require_finite("svd", a);
  const Tensor y = apply(ops::Svd{a.shape()}, a);
  const ops::SvdParts parts(a.shape());
  return {detail::part(y, parts.u), detail::part(y, parts.s), detail::part(y, parts.vh)};
}

}  // namespace autograd
