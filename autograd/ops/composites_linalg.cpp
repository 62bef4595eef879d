// SPDX-License-Identifier: Apache-2.0
// Composites of linalg.hpp.
#include "../linalg.hpp"
#include "../sequences.hpp"
#include "composites.hpp"

namespace autograd::ops {

namespace {

using Inputs = std::vector<Tensor>;
using detail::composite;

constexpr Dtypes kFloating = Dtypes::floating;

// Far from singular.
Tensor tame(const Tensor& x) { return 0.25 * x + 2.0 * eye(x.size(-1), x.dtype()); }

TensorFunction product(Tensor (*f)(const Tensor&, const Tensor&)) {
  return [f](const Inputs& in) { return f(in[0], in[1]); };
}

}  // namespace

std::vector<OpEntry> linear_algebra_composites() {
  return {
      composite("dot", "sum of a b", kFloating, {{"vectors", {{4}, {4}}, product(dot)}},
                "dy b, dy a"),
      composite("outer", "a_i b_j", kFloating, {{"vectors", {{3}, {4}}, product(outer)}},
                "dy b, dy^T a"),
      composite("mv", "a matrix times a vector", kFloating,
                {{"matrix", {{3, 4}, {4}}, product(mv)}}, "dy v^T, a^T dy"),
      composite("bmm", "products of batches of matrices", kFloating,
                {{"batch", {{2, 3, 4}, {2, 4, 2}}, product(bmm)}}, "dy b^T, a^T dy"),
      composite("kron", "blocks a_ij b", kFloating,
                {{"matrices", {{2, 3}, {2, 2}}, product(kron)},
                 {"strided",
                  {{2, 3}, {2, 2}},
                  [](const Inputs& in) { return kron(transpose(in[0]), transpose(in[1])); }}}),
      composite("trace", "sum of the diagonal", kFloating,
                {{"matrix", {{3, 4}}, [](const Inputs& in) { return trace(in[0]); }}},
                "dy on the diagonal"),
      composite(
          "einsum", "sums of products by index letters", kFloating,
          {{"product", {{2, 3}, {3, 4}}, [](const Inputs& in) { return einsum("ij,jk->ik", in); }},
           {"diagonal, three",
            {{3, 3, 2}, {2, 2}, {2}},
            [](const Inputs& in) { return einsum("iij,jk,k->i", in); }},
           {"ellipsis",
            {{2, 2, 3}, {3, 2}},
            [](const Inputs& in) { return einsum("...ij,...jk->...ik", in); }}},
          "einsum of dy and the other operands"),
      composite("matrix_power", "a^n", kFloating,
                {{"3", {{3, 3}}, [](const Inputs& in) { return matrix_power(in[0], 3); }},
                 {"-2", {{2, 2}}, [](const Inputs& in) { return matrix_power(tame(in[0]), -2); }}},
                "that of its products"),
      composite("logdet", "ln det a", kFloating,
                {{"matrix", {{3, 3}}, [](const Inputs& in) { return logdet(tame(in[0])); }}},
                "dy a^-T", "NaN for a negative determinant"),
  };
}

}  // namespace autograd::ops
