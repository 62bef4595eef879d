// SPDX-License-Identifier: Apache-2.0
// Values of linear algebra by what defines them: a factorization by its product and the properties of
// its factors, a solution by its residual, a determinant by permutations.
#include <algorithm>
#include <cmath>
#include <numeric>

#include <autograd/ops/matrices.hpp>

#include "structured_values.hpp"

namespace ops_test {
namespace {

using namespace autograd;
using autograd::detail::part;
using autograd::detail::unpart;
using autograd::ops::Section;

constexpr double kClose = 1e-11;

// Square matrices of every size and layout, singular ones and clusters not among them.
std::vector<Tensor> squares() {
  return {random({1, 1}),    random({2, 2}),       random({3, 3}),
          random({7, 7}),    random({40, 40}),     transpose(random({5, 5})),
          random({2, 3, 3}), random({2, 0, 4, 4}), transpose(random({3, 4, 3}), 0, 1),
          random({3, 0, 0}), random({2, 3, 2, 2})};
}
std::vector<Tensor> rectangles() {
  std::vector<Tensor> list = squares();
  for (const Shape& shape :
       {Shape{5, 2}, {2, 5}, {1, 4}, {4, 1}, {0, 3}, {3, 0}, {2, 20, 3}, {3, 17, 33}}) {
    list.push_back(random(shape));
  }
  list.push_back(transpose(random({2, 5, 3})));
  return list;
}
Tensor far_from_singular(const Tensor& x) {
  return x + 4.0 * std::sqrt(static_cast<double>(ops::rows_of(x))) *
                 ops::identity(ops::rows_of(x), float64);
}

Tensor unit(std::int64_t n, const Tensor& like) {
  return broadcast_to(ops::identity(n, float64),
                      ops::with(ops::without_last(like.shape(), 2), {n, n}));
}
void expect_orthonormal_columns(const Tensor& q) {
  expect_same(matmul(transpose(q), q), unit(ops::columns_of(q), q), kClose);
}
bool ascending(const Tensor& x, bool up) {
  const Doubles v = values(x);
  const auto n = static_cast<std::size_t>(x.shape().back());
  for (std::size_t i = 0; n > 0 && i < v.size(); i += n) {
    const auto first = v.begin() + static_cast<std::ptrdiff_t>(i);
    if (up && !std::is_sorted(first, first + static_cast<std::ptrdiff_t>(n))) return false;
    if (!up && !std::is_sorted(first, first + static_cast<std::ptrdiff_t>(n), std::greater<>()))
      return false;
  }
  return true;
}

// The sum over permutations.
double determinant(const std::function<double(std::int64_t, std::int64_t)>& a, std::int64_t n) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  long double total = 0;
  do {
    long double product = 1;
    for (std::size_t i = 0; i < order.size(); ++i) {
      product *= a(static_cast<std::int64_t>(i), order[i]);
      for (std::size_t j = 0; j < i; ++j) product *= order[j] > order[i] ? -1 : 1;
    }
    total += product;
  } while (std::next_permutation(order.begin(), order.end()));
  return static_cast<double>(total);
}

void check_determinants() {
  for (const Shape& shape : {Shape{0, 0}, {1, 1}, {2, 2}, {3, 3}, {5, 5}, {2, 3, 3}, {0, 2, 2}}) {
    const Tensor x = random(shape);
    const std::int64_t n = shape.back();
    const Shape lead = ops::without_last(shape, 2);
    const Tensor want = built(lead, [&](Index index) {
      return determinant(
          [&](std::int64_t i, std::int64_t j) {
            Index full = index;
            full.push_back(i);
            full.push_back(j);
            return at(x, full);
          },
          n);
    });
    expect_same(det(x), want, kClose);
    const SlogdetResult y = slogdet(x);
    expect_same(y.sign * exp(y.logabsdet), want, kClose);
    expect_same(abs(y.sign), ones(lead, float64));
    const Tensor minors = built(shape, [&](Index index) {
      const std::int64_t row = index[index.size() - 2], column = index.back();
      index.resize(index.size() - 2);
      const auto element = [&](std::int64_t i, std::int64_t j) {
        Index full = index;
        full.push_back(i + (i >= row ? 1 : 0));
        full.push_back(j + (j >= column ? 1 : 0));
        return at(x, full);
      };
      return determinant(element, n - 1) * ((row + column) % 2 ? -1 : 1);
    });
    expect_same(autograd::detail::cofactors(x), minors, kClose);
  }
}

void check_inverse() {
  for (const Tensor& x : squares()) {
    const Tensor a = far_from_singular(x);
    expect_same(matmul(a, inverse(a)), unit(ops::rows_of(a), a), kClose);
  }
}

void check_solve() {
  for (const Tensor& x : squares()) {
    const Tensor a = far_from_singular(x);
    const Shape lead = ops::without_last(a.shape(), 2);
    const Tensor b = random(ops::with(lead, {ops::rows_of(a), 2}), 5);
    expect_same(matmul(a, solve(a, b)), b, kClose);
    const Tensor v = random(ops::without_last(a.shape(), 1), 6);
    expect_same(matmul(a, reshape(solve(a, v), ops::with(v.shape(), {1}))),
                reshape(v, ops::with(v.shape(), {1})), kClose);
  }
  const Tensor a = far_from_singular(random({2, 1, 3, 3})), b = transpose(random({4, 2, 3}));
  EXPECT_EQ(solve(a, b).shape(), Shape({2, 4, 3, 2}));
  expect_same(matmul(a, solve(a, b)), broadcast_to(b, {2, 4, 3, 2}), kClose);
}

void check_solve_triangular() {
  for (const Tensor& x : squares()) {
    const Tensor full = far_from_singular(x);
    const std::int64_t n = ops::rows_of(full);
    const Shape lead = ops::without_last(full.shape(), 2);
    for (unsigned bits = 0; bits < 8; ++bits) {
      const SolveTriangularOptions options{
          .upper = (bits & 1) != 0, .left = (bits & 2) != 0, .unitriangular = (bits & 4) != 0};
      const Tensor lower = ops::lower_mask(n, n, options.upper ? -1 : 0);
      Tensor a = options.upper ? where(lower, 0.0, full) : where(lower, full, 0.0);
      Tensor given = full;
      if (options
              .unitriangular) {  // large elements beside a unit diagonal would be ill-conditioned
        a = where(ops::diagonal_mask(n), 1.0, a * (1.0 / static_cast<double>(n + 1)));
        given = full * (1.0 / static_cast<double>(n + 1));
      }
      const Tensor b = random(options.left ? ops::with(lead, {n, 2}) : ops::with(lead, {2, n}), 5);
      const Tensor y = solve_triangular(given, b, options);
      expect_same(options.left ? matmul(a, y) : matmul(y, a), b, kClose);
    }
  }
}

void check_cholesky() {
  for (const Tensor& x : squares()) {
    const Tensor a = matmul(x, transpose(x)) + ops::identity(ops::rows_of(x), float64);
    const std::int64_t n = ops::rows_of(a);
    const Tensor l = cholesky(a), lower = ops::lower_mask(n, n, 0);
    expect_same(matmul(l, transpose(l)), a, kClose * 100);
    expect_same(l, where(lower, l, 0.0));
    expect_same(cholesky(where(lower, a, kNan)), l);  // the other triangle is not read
    expect_same(cholesky(where(transpose(lower), a, kNan), {.upper = true}), transpose(l), kClose);
  }
}

void check_qr() {
  for (const Tensor& x : rectangles()) {
    SCOPED_TRACE(to_string(x.shape()));
    const QrResult y = qr(x);
    const std::int64_t k = std::min(ops::rows_of(x), ops::columns_of(x));
    EXPECT_EQ(ops::columns_of(y.q), k);
    expect_same(matmul(y.q, y.r), x, kClose);
    expect_orthonormal_columns(y.q);
    expect_same(y.r, where(ops::lower_mask(k, ops::columns_of(x), -1), 0.0, y.r), kClose);
  }
}

void check_eigh() {
  for (const Tensor& x : squares()) {
    const Tensor a = ops::symmetric_part(x);
    const std::int64_t n = ops::rows_of(a);
    const EighResult y = eigh(a);
    expect_same(
        matmul(ops::times_columns(y.eigenvectors, y.eigenvalues), transpose(y.eigenvectors)), a,
        kClose);
    expect_orthonormal_columns(y.eigenvectors);
    EXPECT_TRUE(ascending(y.eigenvalues, true));
    const Tensor lower = ops::lower_mask(n, n, 0);
    expect_same(eigh(where(lower, a, 99.0)).eigenvalues, y.eigenvalues);
    expect_same(eigh(where(transpose(lower), a, 99.0), {.upper = true}).eigenvalues, y.eigenvalues,
                kClose);
  }
}

void check_svd() {
  for (const Tensor& x : rectangles()) {
    SCOPED_TRACE(to_string(x.shape()));
    const SvdResult y = svd(x);
    EXPECT_EQ(y.s.shape().back(), std::min(ops::rows_of(x), ops::columns_of(x)));
    expect_same(matmul(ops::times_columns(y.u, y.s), y.vh), x, kClose);
    expect_orthonormal_columns(y.u);
    expect_orthonormal_columns(transpose(y.vh));
    EXPECT_TRUE(ascending(y.s, false));
  }
}

// Penrose's four equations.
void expect_pseudoinverse(const Tensor& a, const Tensor& p) {
  const Tensor ap = matmul(a, p), pa = matmul(p, a);
  expect_same(matmul(ap, a), a, kClose);
  expect_same(matmul(pa, p), p, kClose);
  expect_same(transpose(ap), ap, kClose);
  expect_same(transpose(pa), pa, kClose);
}

void check_pinv() {
  for (const Tensor& x : rectangles()) {
    SCOPED_TRACE(to_string(x.shape()));
    const bool square = ops::rows_of(x) == ops::columns_of(x);
    const Tensor a = square ? far_from_singular(x) : x;
    expect_pseudoinverse(a, pinv(a));
  }
  const Tensor a = matmul(random({5, 2}, 1), random({2, 4}, 2));
  expect_pseudoinverse(a, pinv(a, {.rtol = 1e-10}));
  expect_same(pinv(zeros({2, 3}, float64)), zeros({3, 2}, float64));
}

void check_lstsq() {
  for (const Tensor& x : rectangles()) {
    const bool square = ops::rows_of(x) == ops::columns_of(x);
    const Tensor a = square ? far_from_singular(x) : x;
    const Shape lead = ops::without_last(a.shape(), 2);
    const Tensor b = random(ops::with(lead, {ops::rows_of(a), 2}), 3);
    expect_same(lstsq(a, b).solution, matmul(pinv(a), b), kClose);
  }
  const Tensor a = random({5, 2}), b = random({5}, 2);
  const LstsqResult y = lstsq(a, b);
  const Tensor missed = matmul(a, y.solution) - b;
  expect_values(y.residuals, {sum(missed * missed).item()}, kClose);
  expect_values(y.rank, {2});
  expect_same(y.singular_values, svd(a).s);
  expect_values(lstsq(matmul(random({4, 1}), random({1, 3})), random({4, 2})).rank, {1});
  EXPECT_EQ(lstsq(random({2, 3}), random({2, 1})).residuals.numel(), 0);
}

void check_matrix_exp() {
  for (double scale : {0.001, 0.1, 0.5, 1.0, 2.0, 30.0}) {
    for (const Tensor& x : squares()) {
      const std::int64_t n = ops::rows_of(x);
      if (n > 7 || x.numel() == 0) continue;
      const Tensor a = ops::twice_skew(x) * scale;  // e^a is a rotation: e^a (e^a)^T = 1
      const Tensor y = matrix_exp(a);
      expect_same(matmul(y, transpose(y)), unit(n, y), kClose);
      if (scale > 1) continue;
      Tensor term = unit(n, a), total = term;
      for (int k = 1; k < 80; ++k) {
        term = matmul(term, a) * (1.0 / k);
        total = total + term;
      }
      expect_same(y, total, 1e-9);
    }
  }
  expect_same(matrix_exp(f64({{0, 1}, {0, 0}})), f64({{1, 1}, {0, 1}}), 1e-15);
  expect_same(matrix_exp(zeros({2, 0, 0}, float64)), zeros({2, 0, 0}, float64));
}

void check_sections() {
  const Tensor x = random({2, 4, 3});
  expect_same(part(x, Section::run(x.shape(), 5, {2, 2})), built({2, 2}, [&](const Index& i) {
                return values(x)[static_cast<std::size_t>(5 + 2 * i[0] + i[1])];
              }));
  expect_same(part(x, Section::block(x.shape(), 1, 2, 1, 2)), built({2, 2, 2}, [&](const Index& i) {
                return at(x, {i[0], i[1] + 1, i[2] + 1});
              }));
  expect_same(part(x, Section::diagonal(x.shape(), 1, 2)), built({2, 3}, [&](const Index& i) {
                return at(x, {i[0], i[1], i[1]});
              }));
  const Tensor strided = transpose(random({2, 3, 4}, 2));
  expect_same(part(strided, Section::diagonal(strided.shape(), 1, 2)),
              built({2, 3}, [&](const Index& i) {
                return at(strided, {i[0], i[1], i[1]});
              }));
  for (const Section& at :
       {Section::run({2, 4, 3}, 5, {2, 2}), Section::block({2, 4, 3}, 1, 2, 1, 2),
        Section::diagonal({2, 4, 3}, 0, 2), Section::run({4}, 4, {0})}) {
    const Tensor y = random(at.shape, 4);
    expect_same(part(unpart(y, at), at), y);
    EXPECT_NEAR(sum(unpart(y, at)).item(), sum(y).item(), kTight);
  }
}

}  // namespace

void add_linalg_checks(Checks& checks) {
  checks["part"] = checks["unpart"] = check_sections;
  if (!has_decompositions()) {
    for (const char* name : {"inverse", "solve", "solve_triangular", "det", "cofactors", "slogdet",
                             "cholesky", "qr", "eigh", "svd", "matrix_exp", "pinv", "lstsq"}) {
      checks[name] = [] {};
    }
    return;
  }
  checks["inverse"] = check_inverse;
  checks["solve"] = check_solve;
  checks["solve_triangular"] = check_solve_triangular;
  checks["det"] = checks["cofactors"] = checks["slogdet"] = check_determinants;
  checks["cholesky"] = check_cholesky;
  checks["qr"] = check_qr;
  checks["eigh"] = check_eigh;
  checks["svd"] = check_svd;
  checks["matrix_exp"] = check_matrix_exp;
  checks["pinv"] = check_pinv;
  checks["lstsq"] = check_lstsq;
}

}  // namespace ops_test
