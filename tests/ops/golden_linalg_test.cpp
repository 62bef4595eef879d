// SPDX-License-Identifier: Apache-2.0
// Values and gradients of linear algebra beside PyTorch's: tests/golden/linalg.txt.
#include <autograd/ops/matrices.hpp>

#include "golden.hpp"

namespace ops_test {
namespace {

using namespace autograd;

// The functions as the script has them.
Tensor eye(const Tensor& x) {
  const std::int64_t m = ops::rows_of(x), n = ops::columns_of(x), k = std::max(m, n);
  return autograd::detail::part(ops::identity(k, x.dtype()),
                                ops::Section::block({k, k}, 0, m, 0, n));
}
Tensor tame(const Tensor& x) { return 0.25 * x + 2.0 * eye(x); }
Tensor definite(const Tensor& x) { return 0.125 * (x + transpose(x)) + 2.0 * eye(x); }
Tensor vector(const Tensor& x) { return x.dim() == 1 ? x : select(x, -1, 0); }
Tensor spaced(const Tensor& x) {
  return 0.1 * x + eye(x) * (2.0 * arange(ops::columns_of(x), x.dtype()) + 1.0);
}
Tensor eigh_sine(const Tensor& x) {
  const EighResult y = eigh(0.5 * (spaced(x) + transpose(spaced(x))));
  return matmul(ops::times_columns(y.eigenvectors, sin(y.eigenvalues)), transpose(y.eigenvectors));
}
Tensor svd_sine(const Tensor& x) {
  const SvdResult y = svd(spaced(x));
  return matmul(ops::times_columns(y.u, sin(y.s)), y.vh);
}
Tensor qr_sine(const Tensor& x) {
  const QrResult y = qr(tame(x));
  return matmul(y.q, sin(y.r));
}

using In = const Inputs&;
using Words = const Arguments&;

GoldenFunctions functions() {
  return {
      {"matmul", [](In in) { return matmul(in[0], in[1]); }},
      {"linear", [](In in) { return linear(in[0], in[1], in[2]); }},
      {"dot", [](In in) { return dot(vector(in[0]), vector(in[1])); }},
      {"outer", [](In in) { return outer(vector(in[0]), vector(in[1])); }},
      {"mv", [](In in) { return mv(in[0], vector(in[1])); }},
      {"bmm", [](In in) { return bmm(in[0], in[1]); }},
      {"kron", [](In in) { return kron(in[0], in[1]); }},
      {"trace", [](In in) { return trace(in[0]); }},
      {"einsum", [](In in, Words words) { return einsum(words[0], in); }},
      {"matrix_power",
       [](In in, Words words) { return matrix_power(tame(in[0]), std::stoll(words[0])); }},
      {"det", [](In in) { return det(tame(in[0])); }},
      {"slogdet", [](In in) { return slogdet(tame(in[0])).logabsdet; }},
      {"logdet", [](In in) { return logdet(tame(in[0])); }},
      {"inverse", [](In in) { return inverse(tame(in[0])); }},
      {"solve", [](In in) { return solve(tame(in[0]), in[1]); }},
      {"solve_triangular",
       [](In in, Words words) {
         if (words.empty()) return solve_triangular(tame(in[0]), in[1]);
         return solve_triangular(tame(in[0]), in[1],
                                 {.upper = true, .left = false, .unitriangular = true});
       }},
      {"pinv", [](In in) { return pinv(tame(in[0])); }},
      {"lstsq", [](In in) { return lstsq(tame(in[0]), in[1]).solution; }},
      {"cholesky",
       [](In in, Words words) { return cholesky(definite(in[0]), {.upper = !words.empty()}); }},
      {"qr", [](In in) { return qr_sine(in[0]); }},
      {"eigh", [](In in) { return eigh_sine(in[0]); }},
      {"eigvalsh", [](In in) { return eigh(definite(in[0])).eigenvalues; }},
      {"svd", [](In in) { return svd_sine(in[0]); }},
      {"svdvals", [](In in) { return svd(spaced(in[0])).s; }},
      {"matrix_exp",
       [](In in, Words words) {
         return words.empty() ? matrix_exp(in[0]) : matrix_exp(8.0 * in[0]) * 0.01;
       }},
  };
}

TEST(GoldenLinalg, AgreesWithPyTorch) {
  if (!has_decompositions()) GTEST_SKIP() << "built without Eigen";
  check_golden("linalg", functions(), 4);
}

}  // namespace
}  // namespace ops_test
