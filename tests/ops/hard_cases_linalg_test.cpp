// SPDX-License-Identifier: Apache-2.0
// Rows of the list of hard cases that concern linear algebra, under their numbers.
#include <autograd/ops/matrices.hpp>

#include "support.hpp"

namespace ops_test {
namespace {

using namespace autograd;

class HardCases : public testing::Test {
 protected:
  void SetUp() override {
    if (!has_decompositions()) GTEST_SKIP() << "built without Eigen";
  }
};

bool all_finite(const Tensor& x) {
  for (double v : values(x)) {
    if (!std::isfinite(v)) return false;
  }
  return true;
}

void expect_gradients(const TensorFunction& f, const Inputs& inputs, const std::string& name) {
  const auto first = gradcheck(f, inputs, {.name = name});
  EXPECT_TRUE(first) << first.message();
  const auto second = gradgradcheck(f, inputs, {.name = name});
  EXPECT_TRUE(second) << second.message();
}

Tensor random(const Shape& shape, std::uint64_t seed) {
  Generator generator(seed);
  return draw(shape, generator, {-1, 1});
}

TEST_F(HardCases, 60_matmul_and_einsum_of_every_kind) {
  struct Case {
    const char* expression;
    std::vector<Shape> shapes;
  };
  const Case cases[] = {{"i,i", {{4}, {4}}},
                        {"ij,j->i", {{2, 3}, {3}}},
                        {"bij,bjk->bik", {{2, 2, 3}, {2, 3, 2}}},
                        {"...ij,...jk->...ik", {{2, 1, 2, 2}, {3, 2, 2}}},
                        {"ii->", {{3, 3}}},
                        {"iij,jk->ik", {{2, 2, 3}, {3, 2}}},
                        {"ij,k->k", {{2, 3}, {4}}},      // i and j in one operand alone
                        {"ij,jk->i", {{2, 3}, {3, 2}}},  // and k
                        {"iii->i", {{2, 2, 2}}},
                        {"i,j,k->kij", {{2}, {3}, {2}}},
                        {"ij,ij->ij", {{2, 3}, {2, 3}}},
                        {"ij,kj->ik", {{2, 1}, {2, 3}}}};
  for (const Case& c : cases) {
    Inputs inputs;
    for (const Shape& shape : c.shapes) inputs.push_back(random(shape, 3 + inputs.size()));
    expect_gradients([&](const Inputs& in) { return einsum(c.expression, in); }, inputs,
                     c.expression);
  }
  const Tensor x = random({3, 3}, 1);
  expect_gradients(
      [](const Inputs& in) {
        return einsum("ij,jk->ik", {in[0], in[0]});
      },
      {x}, "with itself");
}

// Eigenvectors of a repeated eigenvalue have no derivative: what depends on them says so; what depends
// on eigenvalues alone, through a symmetric function, has a right gradient.
TEST_F(HardCases, 61_repeated_eigenvalues) {
  const Tensor a = ops::identity(3, float64);
  expect_same(gradient([](const Tensor& x) { return eigh(x).eigenvalues; }, a), a, 1e-14);
  expect_same(gradient([](const Tensor& x) { return square(eigh(x).eigenvalues); }, a), 2.0 * a,
              1e-14);
  const auto through_vectors = [](const Tensor& x) {
    const EighResult y = eigh(x);
    return square(y.eigenvectors) * f64({{1, 2, 3}, {4, 5, 6}, {7, 8, 10}});
  };
  EXPECT_FALSE(all_finite(gradient(through_vectors, a + 0.0)));
  // Repeated to rounding alone counts as repeated: not a large number that looks like a gradient.
  const Tensor turned = qr(random({3, 3}, 5)).q;
  const Tensor b = matmul(ops::times_columns(turned, f64({1, 1, 2})), transpose(turned));
  EXPECT_FALSE(all_finite(gradient(through_vectors, b)));
  EXPECT_TRUE(all_finite(gradient([](const Tensor& x) { return eigh(x).eigenvalues; }, b)));
  expect_same(gradient([](const Tensor& x) { return svd(x).s; }, a), a, 1e-14);
  EXPECT_FALSE(all_finite(gradient(
      [](const Tensor& x) {
        return square(svd(x).u) * f64({{1, 2, 3}});
      },
      b)));
}

// The derivative does not depend on the signs that a factorization chose.
TEST_F(HardCases, 61_signs_of_vectors) {
  const auto f = [](const Inputs& in) {
    const EighResult y = eigh(ops::symmetric_part(in[0]) + ops::on_diagonal(f64({1, 4, 9})));
    return square(matmul(transpose(y.eigenvectors), in[1]));
  };
  expect_gradients(f, {random({3, 3}, 2), random({3, 1}, 3)}, "squares of components");
}

TEST_F(HardCases, 61_cholesky_has_a_symmetric_gradient) {
  const Tensor a = f64({{4, 1, 0.5}, {1, 3, 0.25}, {0.5, 0.25, 2}});
  const auto f = [](const Tensor& x) { return sin(cholesky(x)); };
  const Tensor g = gradient(f, a);
  expect_same(transpose(g), g, 0);
  EXPECT_NE(values(g)[1], 0);
  // Along a symmetric direction it is the derivative.
  const Tensor d = f64({{0.3, -1, 2}, {-1, 0.7, 0.1}, {2, 0.1, -0.4}});
  const double h = 1e-6;
  const double slope = (sum(f(a + h * d)).item() - sum(f(a - h * d)).item()) / (2 * h);
  EXPECT_NEAR(sum(g * d).item(), slope, 1e-8);
}

TEST_F(HardCases, 61_cholesky_names_the_matrix_that_is_not_positive_definite) {
  const Tensor good = f64({{2, 1}, {1, 2}}), bad = f64({{2, 3}, {3, 2}});
  const auto pair = [](const Tensor& a, const Tensor& b) {
    const Tensor first = f64({{{1}}, {{0}}}), second = f64({{{0}}, {{1}}});
    return first * a + second * b;
  };
  expect_message<ValueError>(
      "cholesky: not positive definite: matrix 1 of the batch [2] has a leading minor of order 2 "
      "that is not positive; need a symmetric positive definite matrix",
      [&] { cholesky(pair(good, bad)); });
  expect_message<ValueError>(
      "cholesky: not positive definite: the matrix has a leading minor of order 1 that is not "
      "positive; need a symmetric positive definite matrix",
      [&] {
        cholesky(f64({{kNan, 0}, {0, 1}}));
      });
}

TEST_F(HardCases, 62_singular_systems_throw) {
  const Tensor a = f64({{1, 2}, {2, 4}});
  const std::string rest = "singular: the matrix has a pivot 1 of 0; need an invertible matrix";
  expect_message<ValueError>("inverse: " + rest, [&] { inverse(a); });
  expect_message<ValueError>("solve: " + rest, [&] { solve(a, f64({1, 2})); });
  expect_message<ValueError>("inverse: " + rest, [&] { matrix_power(a, -1); });
  expect_message<ValueError>(
      "solve: singular: matrix 1 of the batch [2] has a pivot 0 of 0; need an invertible matrix",
      [&] {
        solve(f64({{{1}}, {{0}}}), f64({{{1}}, {{1}}}));
      });
  // As PyTorch: no exception for a zero on the diagonal of a triangle.
  expect_values(solve_triangular(f64({{1, 2}, {0, 0}}), f64({{1}, {1}}), {.upper = true}),
                {-kInf, kInf});
}

TEST_F(HardCases, 62_det_of_rank_n_minus_1_has_the_cofactors_for_gradient) {
  const Tensor a = f64({{1, 2, 3}, {4, 5, 6}, {7, 8, 9}});
  EXPECT_NEAR(det(a).item(), 0, 1e-14);
  expect_same(gradient([](const Tensor& x) { return det(x); }, a),
              f64({{-3, 6, -3}, {6, -12, 6}, {-3, 6, -3}}), 1e-14);
  expect_same(gradient([](const Tensor& x) { return det(x); }, f64({{1, 2}, {2, 4}})),
              f64({{4, -2}, {-2, 1}}), 1e-14);
  const TensorFunction f = [](const Inputs& in) { return det(in[0]); };
  expect_gradients(f, {a}, "det, rank 2 of 3");
  expect_gradients(f, {f64({{1, 2, 3}, {2, 4, 6}, {3, 6, 9}})}, "det, rank 1 of 3");
  expect_gradients(f, {zeros({3, 3}, float64)}, "det, rank 0 of 3");
  expect_gradients(f, {zeros({2, 2}, float64)}, "det, rank 0 of 2");
  expect_gradients(f, {zeros({1, 1}, float64)}, "det, rank 0 of 1");
}

TEST_F(HardCases, 62_logarithms_of_singular_matrices) {
  const Tensor a = f64({{{1, 2}, {2, 4}}, {{2, 0}, {0, 3}}});
  const SlogdetResult y = slogdet(a);
  expect_values(y.sign, {0, 1});
  expect_values(y.logabsdet, {-kInf, std::log(6.0)}, 1e-15);
  // Infinite there, as PyTorch; right beside it; and 0 where it is not used.
  const Tensor g = gradient([](const Tensor& x) { return slogdet(x).logabsdet; }, a);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_TRUE(std::isinf(values(g)[i]));
  EXPECT_NEAR(values(g)[4], 0.5, 1e-15);
  const Tensor masked = gradient(
      [](const Tensor& x) {
        return where(f64({0, 1}) > 0.0, slogdet(x).logabsdet, 0.0);
      },
      a);
  expect_values(masked, {0, 0, 0, 0, 0.5, 0, 0, 1.0 / 3}, 1e-15);
  EXPECT_TRUE(std::isnan(logdet(f64({{0, 1}, {1, 0}})).item()));
  EXPECT_FALSE(
      all_finite(gradient([](const Tensor& x) { return logdet(x); }, f64({{0, 1}, {1, 0}}))));
}

// Least squares and the pseudoinverse where a has not full rank: the derivative among matrices of the
// same rank.
TEST_F(HardCases, 62_rank_deficient_least_squares) {
  const TensorFunction f = [](const Inputs& in) {
    return lstsq(matmul(in[0], in[1]), in[2], {.rtol = 1e-8}).solution;
  };
  expect_gradients(f, {random({4, 2}, 1), random({2, 3}, 2), random({4, 1}, 3)}, "lstsq, rank 2");
  const TensorFunction g = [](const Inputs& in) {
    return pinv(matmul(in[0], in[1]), {.rtol = 1e-8});
  };
  expect_gradients(g, {random({3, 2}, 4), random({2, 3}, 5)}, "pinv, rank 2");
}

}  // namespace
}  // namespace ops_test
