// SPDX-License-Identifier: Apache-2.0
// Cholesky, QR, symmetric eigenvalues and singular values. Those with several results put them one after
// the other into one tensor, from which the public functions take their parts: so each is one record
// with one adjoint, and what is not used is zeros in it.
#pragma once

#include "op.hpp"
#include "sections.hpp"

namespace autograd::ops {

struct Cholesky {
  static constexpr OpInfo info{"cholesky", "l of a = l l^T",
                               "symmetric part of l^-T tril(l^T dl) l^-1, half the diagonal",
                               "throws where a is not positive definite"};
  static std::vector<OpCase> cases();
  bool upper = false;  // the triangle of a that is read

  Saves saved() const { return Saves::output; }
  Tensor forward(const Tensor& a) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};

/// Where the results of an op lie in its packed tensor, of matrices [..., m, n].
struct QrParts {
  Section q, r;
  explicit QrParts(const Shape& a);
};
struct EighParts {
  Section values, vectors;
  explicit EighParts(const Shape& a);
};
struct SvdParts {
  Section u, s, vh;
  explicit SvdParts(const Shape& a);
};

/// m >= n; qr makes wide ones of it.
struct Qr {
  static constexpr OpInfo info{"qr", "q, r of a = q r", "(dq + q copyltu(r dr^T - dq^T q)) r^-T",
                               "dependent columns: infinite derivative"};
  static std::vector<OpCase> cases();
  Shape from;

  Saves saved() const { return Saves::output; }
  Tensor forward(const Tensor& a) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};
struct Eigh {
  static constexpr OpInfo info{"eigh", "l, v of a = v diag(l) v^T",
                               "v (diag(dl) + skew(v^T dv) / (l_j - l_i)) v^T",
                               "repeated eigenvalues: NaN where the loss depends on v"};
  static std::vector<OpCase> cases();
  Shape from;
  bool upper = false;  // the triangle of a that is read

  Saves saved() const { return Saves::output; }
  Tensor forward(const Tensor& a) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};
struct Svd {
  static constexpr OpInfo info{"svd", "u, s, v of a = u diag(s) v^T",
                               "u (diag(ds) + E skew(u^T du) s + s E skew(v^T dv)) v^T, E = 2 / "
                               "(s_j^2 - s_i^2), and what lies "
                               "outside of u or v",
                               "repeated s: NaN where the loss depends on u or v"};
  static std::vector<OpCase> cases();
  Shape from;

  Saves saved() const { return Saves::output; }
  Tensor forward(const Tensor& a) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};

}  // namespace autograd::ops
