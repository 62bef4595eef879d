// SPDX-License-Identifier: Apache-2.0
// Linear algebra beyond what the walk over all ops sees: functions made of other functions, einsum beside
// loops over all its letters, misuse, numbers that are not finite, and threads.
#include <autograd/ops/einsum.hpp>
#include <autograd/ops/matrices.hpp>

#include <cstring>

#include "structured_values.hpp"

namespace ops_test {
namespace {

using namespace autograd;

// What is computed by Eigen.
class Linalg : public testing::Test {
 protected:
  void SetUp() override {
    if (!has_decompositions()) GTEST_SKIP() << "built without Eigen";
  }
};

TEST(WithoutEigen, FactorizationsSaySo) {
  if (has_decompositions()) GTEST_SKIP() << "built with Eigen";
  expect_message<Error>(
      "svd: not there: the library was built without Eigen; need Eigen 3 when it is built "
      "(libeigen3-dev)",
      [] {
        svd(ones({2, 2}));
      });
}

// --- Products.

TEST(Products, AgreeWithTheirDefinitions) {
  const Tensor a = random({4}, 1), b = random({4}, 2), c = random({3}, 3), m = random({3, 4}, 4);
  const Tensor half = broadcast_to(random({1}, 5), {4});  // every element the same one
  for (const Tensor& x : {b, half}) {
    double total = 0;
    for (std::int64_t i = 0; i < 4; ++i) total += at(a, {i}) * at(x, {i});
    EXPECT_NEAR(dot(a, x).item(), total, kTight);
    expect_same(outer(x, c),
                built({4, 3}, [&](const Index& i) { return at(x, {i[0]}) * at(c, {i[1]}); }));
    expect_same(mv(m, x), matmul(m, x));
  }
  expect_same(bmm(random({2, 3, 4}), random({2, 4, 2}, 6)),
              matmul(random({2, 3, 4}), random({2, 4, 2}, 6)));
  expect_values(trace(f64({{1, 2, 3}, {4, 5, 6}})), {6});
  expect_values(trace(transpose(f64({{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}}))), {5, 13});
  expect_values(trace(i64({{1, 2}, {3, 4}})), {5});
  EXPECT_EQ(trace(random({2, 0, 3})).shape(), Shape({2}));
  EXPECT_EQ(dot(random({0}), random({0})).item(), 0);
}

TEST(Products, KroneckerWithStridesAndOtherNumbersOfAxes) {
  const Tensor a = transpose(random({3, 2}, 1)), b = transpose(random({2, 4}, 2));
  expect_same(kron(a, b), built({8, 6}, [&](const Index& i) {
                return at(a, {i[0] / 4, i[1] / 2}) * at(b, {i[0] % 4, i[1] % 2});
              }));
  const Tensor v = random({2}, 3);
  expect_same(kron(v, b), built({4, 4}, [&](const Index& i) {
                return at(v, {i[1] / 2}) * at(b, {i[0], i[1] % 2});
              }));
  EXPECT_EQ(kron(random({0, 2}), b).shape(), Shape({0, 4}));
  expect_same(kron(f64(2.0), f64(3.0)), f64(6.0));
}

TEST(Products, MatrixPower) {
  const Tensor a = random({2, 3, 3});
  Tensor want = broadcast_to(ops::identity(3, float64), {2, 3, 3});
  for (std::int64_t n = 0; n < 9; ++n) {
    expect_same(matrix_power(a, n), want, 1e-12);
    want = matmul(want, a);
  }
  expect_same(gradient([](const Tensor& x) { return matrix_power(x, 0); }, a),
              zeros({2, 3, 3}, float64));
  EXPECT_EQ(matrix_power(random({2, 0, 0}), 5).shape(), Shape({2, 0, 0}));
  expect_same(matrix_power(ops::identity(2, float64), std::int64_t{1} << 62),
              ops::identity(2, float64));
}

TEST(Products, Gradients) {
  const auto check = [](const char* name, const TensorFunction& f,
                        const std::vector<Shape>& shapes) {
    Inputs inputs;
    for (const Shape& shape : shapes) inputs.push_back(random(shape, inputs.size() + 3));
    const auto first = gradcheck(f, inputs, {.name = name});
    EXPECT_TRUE(first) << first.message();
    const auto second = gradgradcheck(f, inputs, {.name = name});
    EXPECT_TRUE(second) << second.message();
    const auto wrong = autograd::detail::gradcheck_changed(f, inputs, {.name = name}, 1.001, 0);
    EXPECT_FALSE(wrong) << name << ": a gradient off by a factor of 1.001 passed";
  };
  check("dot", [](const Inputs& in) { return dot(in[0], in[1]); }, {{4}, {4}});
  check("outer", [](const Inputs& in) { return outer(in[0], in[1]); }, {{3}, {2}});
  check("outer with itself", [](const Inputs& in) { return outer(in[0], in[0]); }, {{3}});
  check("mv", [](const Inputs& in) { return mv(transpose(in[0]), in[1]); }, {{3, 2}, {3}});
  check("bmm", [](const Inputs& in) { return bmm(in[0], in[1]); }, {{2, 2, 3}, {2, 3, 1}});
  check("trace", [](const Inputs& in) { return trace(transpose(in[0])); }, {{2, 3, 2}});
  check("kron", [](const Inputs& in) { return kron(transpose(in[0]), in[1]); }, {{3, 2}, {2}});
  check("matrix_power", [](const Inputs& in) { return matrix_power(in[0], 5) * 0.1; }, {{2, 2}});
}

// --- einsum.

// The sum over all letters, each operand's element found by its own.
Tensor summed(const ops::EinsumPlan& plan, const Inputs& operands) {
  Shape out;
  for (ops::Label label : plan.output) out.push_back(plan.extent[static_cast<std::size_t>(label)]);
  Shape rest;
  ops::Labels inner;
  ops::LabelSet known = 0;
  for (const ops::Labels& labels : plan.operands) known |= ops::set_of(labels);
  for (ops::Label label = 0; label < ops::kLabels; ++label) {
    if (!ops::contains(known, label) || ops::contains(ops::set_of(plan.output), label)) continue;
    inner.push_back(label);
    rest.push_back(plan.extent[static_cast<std::size_t>(label)]);
  }
  return built(out, [&](const Index& index) {
    double total = 0;
    for_each_index(rest, [&](const Index& more) {
      std::vector<std::int64_t> place(ops::kLabels, 0);
      for (std::size_t i = 0; i < index.size(); ++i)
        place[static_cast<std::size_t>(plan.output[i])] = index[i];
      for (std::size_t i = 0; i < more.size(); ++i)
        place[static_cast<std::size_t>(inner[i])] = more[i];
      double product = 1;
      for (std::size_t k = 0; k < operands.size(); ++k) {
        Index own;
        for (ops::Label label : plan.operands[k])
          own.push_back(place[static_cast<std::size_t>(label)]);
        product *= at(operands[k], own);
      }
      total += product;
    });
    return total;
  });
}

TEST(Einsum, AgreesWithLoopsOverAllLetters) {
  struct Case {
    const char* expression;
    std::vector<Shape> shapes;
  };
  const Case cases[] = {
      {"ij,jk->ik", {{2, 3}, {3, 4}}},
      {" i j , j k -> k i ", {{2, 3}, {3, 4}}},
      {"ij,jk", {{2, 3}, {3, 4}}},
      {"ba", {{2, 3}}},
      {"bA", {{2, 3}}},
      {"ij->", {{2, 3}}},
      {"ij->j", {{2, 3}}},
      {"ii", {{3, 3}}},
      {"ii->i", {{3, 3}}},
      {"iji->j", {{3, 2, 3}}},
      {"iiii->i", {{2, 2, 2, 2}}},
      {"iijj->ij", {{2, 2, 3, 3}}},
      {"->", {Shape{}}},
      {",->", {Shape{}, Shape{}}},
      {"i,->i", {{3}, Shape{}}},
      {"i,j,k,l->lkji", {{2}, {3}, {2}, {2}}},
      {"bij,bjk->bik", {{2, 3, 4}, {2, 4, 2}}},
      {"bij,bjk->ikb", {{2, 3, 4}, {2, 4, 2}}},
      {"bi,bi->b", {{2, 3}, {2, 3}}},
      {"bi,bi->bi", {{2, 3}, {2, 3}}},
      {"abcd,cdef->abef", {{2, 3, 2, 2}, {2, 2, 3, 2}}},
      {"abcd,dcba->", {{2, 3, 2, 2}, {2, 2, 3, 2}}},
      {"...", {{2, 3}}},
      {"...->...", {{2, 3}}},
      {"...i->i...", {{2, 3, 4}}},
      {"...i->i", {{2, 3, 4}}},
      {"i...->...", {{2, 3, 4}}},
      {"i...", {{2, 3, 4}}},
      {"...ij,...jk->...ik", {{2, 1, 3, 2}, {4, 2, 2}}},
      {"...ij,jk->...ik", {{5, 3, 2}, {2, 2}}},
      {"a...b,b...->a...", {{2, 3, 4}, {4, 1}}},
      {"i...,j...->", {{2, 3}, {4, 1}}},
      {"ij,kj->ik", {{2, 1}, {4, 3}}},
      {"ij,ij->ij", {{2, 1}, {1, 3}}},
      {"ij,jk->ik", {{0, 3}, {3, 2}}},
      {"ij,jk->ik", {{2, 0}, {0, 2}}},
      {"ij,jk->ik", {{2, 1}, {0, 2}}},
      {"ij,k->k", {{2, 3}, {4}}},
      {"ij,jk,kl,lm->im", {{2, 3}, {3, 2}, {2, 4}, {4, 2}}},
      {"ij,jk,ki->", {{2, 3}, {3, 4}, {4, 2}}},
      {"a,b,c,d,e,f,g,h,a->bdfh", {{2}, {2}, {2}, {2}, {2}, {2}, {2}, {2}, {2}}},  // greedy
      {"ab,bc,cd,de,ef,fg,gh,hi,ij->aj",
       {{2, 3}, {3, 2}, {2, 2}, {2, 3}, {3, 2}, {2, 2}, {2, 2}, {2, 2}, {2, 3}}}};
  for (const Case& c : cases) {
    SCOPED_TRACE(c.expression);
    Inputs plain, strided;
    for (const Shape& shape : c.shapes) {
      plain.push_back(random(shape, 7 + plain.size()));
      const Tensor& x = plain.back();
      strided.push_back(x.dim() < 2 ? x : transpose(contiguous(transpose(x, 0, -1)), 0, -1));
    }
    const Tensor want = summed(ops::EinsumPlan(c.expression, c.shapes), plain);
    expect_same(einsum(c.expression, plain), want, 1e-12);
    expect_same(einsum(c.expression, strided), want, 1e-12);
  }
}

// a [1000, 2] b [2, 1000] c [1000, 2]: from the right the intermediate result has 4 elements.
TEST(Einsum, ContractsInTheCheapestOrder) {
  const ops::EinsumPlan plan("ab,bc,cd->ad", {{1000, 2}, {2, 1000}, {1000, 2}});
  ASSERT_EQ(plan.steps.size(), 2u);
  const auto [first, second] = plan.steps[0];
  EXPECT_EQ(std::min(first, second), 1);
  EXPECT_EQ(std::max(first, second), 2);
  std::vector<Shape> shapes(20, Shape{2});
  std::string expression = "a";
  for (int i = 1; i < 20; ++i) expression += ",a";
  EXPECT_EQ(ops::EinsumPlan(expression + "->a", shapes).steps.size(), 19u);
}

// Nine operands of one letter each: not all of them at once fit into 8 axes, but sums on the way do.
TEST(Einsum, NeverHasTooManyAxesOnTheWay) {
  const std::string letters = "abcdefghijkl";
  std::string expression;
  Inputs operands;
  for (char c : letters) {
    expression += std::string(expression.empty() ? "" : ",") + c;
    operands.push_back(random({2}, static_cast<std::uint64_t>(c)));
  }
  for (char c : letters) {
    expression += std::string(",") + c;
    operands.push_back(random({2}, static_cast<std::uint64_t>(c) + 50));
  }
  double want = 1;
  for (std::size_t i = 0; i < letters.size(); ++i) {
    want *= dot(operands[i], operands[i + letters.size()]).item();
  }
  EXPECT_NEAR(einsum(expression + "->", operands).item(), want,
              1e-12 * std::max(1.0, std::abs(want)));
}

TEST(Einsum, Misuse) {
  const Tensor x = tensor({{1, 2, 3}, {4, 5, 6}}), v = tensor({1, 2});
  const auto refuses = [&]<class E>(E*, const std::string& expression, const Inputs& in,
                                    const std::string& message) {
    Tape tape;
    Inputs tracked;
    for (const Tensor& operand : in) tracked.push_back(tape.input(operand));
    const std::size_t size = tape.size();
    expect_message<E>(message, [&] { einsum(expression, tracked); });
    EXPECT_EQ(tape.size(), size) << "recorded before it threw: " << message;
  };
  ValueError* value = nullptr;
  ShapeError* shape = nullptr;
  const std::string grammar =
      "need letters, at most one \"...\" for each operand, commas between operands and one \"->\"";
  refuses(value, "ij,j", {x},
          "einsum: the number of operands differs: \"ij,j\"; need 2 operands (1 given)");
  refuses(value, "", {}, "einsum: the number of operands differs: \"\"; need 1 operands (0 given)");
  refuses(value, "i1", {x}, "einsum: unexpected '1' in the expression: \"i1\"; " + grammar);
  refuses(value, "ij-i", {x}, "einsum: unexpected '-' in the expression: \"ij-i\"; " + grammar);
  refuses(value, "ij->i->", {x},
          "einsum: unexpected '-' in the expression: \"ij->i->\"; " + grammar);
  refuses(value, "..ij", {x}, "einsum: unexpected '.' in the expression: \"..ij\"; " + grammar);
  refuses(value, "......", {x}, "einsum: unexpected '.' in the expression: \"......\"; " + grammar);
  refuses(value, "ij->i,j", {x},
          "einsum: unexpected ',' in the expression: \"ij->i,j\"; " + grammar);
  refuses(
      value, "ij->ik", {x},
      "einsum: 'k' of the output is in no operand: \"ij->ik\"; need letters that some operand has");
  refuses(value, "ij->ii", {x},
          "einsum: 'i' is twice in the output: \"ij->ii\"; need each letter once");
  refuses(
      shape, "ijk", {x},
      "einsum: the number of axes differs: operand 0 is [2, 3], its letters are \"ijk\"; need one "
      "letter for each axis, or \"...\"");
  refuses(
      shape, "ij,jk->ik", {x, x},
      "einsum: the extents of 'j' differ: axis 0 of operand 1 of shape [2, 3]; need 3 or 1 (2)");
  refuses(shape, "...,...->...", {x, ones({2, 4})},
          "einsum: the extents of \"...\" differ: axis 1 of operand 1 of shape [2, 4]; need 3 or 1 "
          "(4)");
  refuses(shape, "ii", {x},
          "einsum: the extents of 'i' differ: axis 1 of operand 0 of shape [2, 3]; need 2 (3)");
  TypeError* type = nullptr;
  refuses(type, "ij,i", {x, to(v, float64)},
          "einsum: dtypes differ: a is float32, b is float64; need one dtype (convert with to)");
  expect_message<TypeError>(
      "einsum: not defined for int64; need float32 or float64 (convert with to(x, "
      "autograd::float32))",
      [] { einsum("i->", {i64({1})}); });
  expect_message<ShapeError>(
      "einsum: every order has a product of too many axes; need at most 8 axes in each product of "
      "two operands",
      [] {
        // Five operands, each with two letters in common with each other one.
        std::vector<std::string> letters(5);
        char next = 'a';
        for (std::size_t i = 0; i < 5; ++i) {
          for (std::size_t j = i + 1; j < 5; ++j) {
            for (int k = 0; k < 2; ++k, ++next) {
              letters[i] += next;
              letters[j] += next;
            }
          }
        }
        std::string expression = letters[0];
        for (std::size_t i = 1; i < 5; ++i) expression += "," + letters[i];
        einsum(expression, Inputs(5, ones({2, 2, 2, 2, 2, 2, 2, 2})));
      });
}

// --- Misuse of the others: nothing may be recorded when it throws.

template <class E>
void expect_error(const std::string& message, const TensorFunction& f, const Inputs& inputs) {
  Tape tape;
  Inputs tracked;
  for (const Tensor& x : inputs) tracked.push_back(is_floating(x.dtype()) ? tape.input(x) : x);
  const std::size_t size = tape.size();
  expect_message<E>(message, [&] { f(tracked); });
  EXPECT_EQ(tape.size(), size) << "recorded before it threw: " << message;
}

TEST(LinalgMisuse, Shapes) {
  const Tensor x = ones({2, 3}), v = ones({3}), s = ones({2, 2});
  using In = const Inputs&;
  using F = Tensor (*)(const Tensor&);
  const std::pair<const char*, F> square_functions[] = {
      {"det", [](const Tensor& a) { return det(a); }},
      {"slogdet", [](const Tensor& a) { return slogdet(a).sign; }},
      {"slogdet", [](const Tensor& a) { return logdet(a); }},
      {"inverse", [](const Tensor& a) { return inverse(a); }},
      {"cholesky", [](const Tensor& a) { return cholesky(a); }},
      {"eigh", [](const Tensor& a) { return eigh(a).eigenvalues; }},
      {"matrix_exp", [](const Tensor& a) { return matrix_exp(a); }},
      {"matrix_power", [](const Tensor& a) { return matrix_power(a, 2); }}};
  for (const auto& [name, f] : square_functions) {
    const TensorFunction call = [f = f](In in) { return f(in[0]); };
    expect_error<ShapeError>(std::string(name) +
                                 ": the matrix is not square: a is [2, 3]; need a.shape[-2] == "
                                 "a.shape[-1] (2 != 3)",
                             call, {x});
    expect_error<ShapeError>(std::string(name) + ": too few axes: a is [3]; need at least 2", call,
                             {v});
    expect_error<TypeError>(std::string(name) +
                                ": not defined for int64; need float32 or float64 (convert with "
                                "to(x, autograd::float32))",
                            call, {i64({{1}})});
  }
  expect_error<ShapeError>(
      "dot: extents differ: a is [3], b is [2]; need a.shape[0] == b.shape[0] (3 != 2)",
      [](In in) { return dot(in[0], in[1]); }, {v, ones({2})});
  expect_error<ShapeError>("outer: the wrong number of axes: a is [2, 3]; need 1",
                           [](In in) { return outer(in[0], in[1]); }, {x, v});
  expect_error<ShapeError>(
      "mv: extents differ: a is [2, 2], b is [3]; need a.shape[1] == b.shape[0] (2 != 3)",
      [](In in) { return mv(in[0], in[1]); }, {s, v});
  expect_error<ShapeError>(
      "bmm: extents differ: a is [1, 2, 3], b is [2, 3, 1]; need a.shape[0] == b.shape[0] (1 != 2)",
      [](In in) { return bmm(in[0], in[1]); }, {ones({1, 2, 3}), ones({2, 3, 1})});
  expect_error<ShapeError>("kron: too many axes: a is [1, 1, 1, 1, 1], b is [3]; need at most 4",
                           [](In in) { return kron(in[0], in[1]); }, {ones({1, 1, 1, 1, 1}), v});
  expect_error<ShapeError>("trace: too few axes: x is [3]; need at least 2",
                           [](In in) { return trace(in[0]); }, {v});
  expect_error<ShapeError>(
      "solve: the right side does not fit: a is [2, 2], b is [3]; need a.shape[-1] == b.shape[-1] "
      "(2 != 3)",
      [](In in) { return solve(in[0], in[1]); }, {s, v});
  expect_error<ShapeError>(
      "solve: batch axes do not broadcast: a is [2, 2, 2], b is [3, 2, 1]; need equal extents or 1 "
      "in the axes before the matrices (2 and 3)",
      [](In in) { return solve(in[0], in[1]); }, {ones({2, 2, 2}), ones({3, 2, 1})});
  expect_error<ShapeError>(
      "solve_triangular: the right side does not fit: a is [2, 2], b is [2, 3]; need b.shape[-1] "
      "== a.shape[-2] when left is false (3 != 2)",
      [](In in) { return solve_triangular(in[0], in[1], {.left = false}); }, {s, x});
  expect_error<ShapeError>("solve_triangular: too few axes: b is [2]; need at least 2",
                           [](In in) { return solve_triangular(in[0], in[1]); }, {s, ones({2})});
  expect_error<ShapeError>(
      "lstsq: the right side does not fit: a is [2, 3], b is [3]; need a.shape[-2] == b.shape[-1] "
      "(2 != 3)",
      [](In in) { return lstsq(in[0], in[1]).solution; }, {x, v});
  expect_error<TypeError>(
      "solve: dtypes differ: a is float32, b is float64; need one dtype (convert with to)",
      [](In in) { return solve(in[0], in[1]); }, {s, ones({2, 1}, float64)});
  expect_error<ShapeError>("svd: too few axes: a is [3]; need at least 2",
                           [](In in) { return svd(in[0]).s; }, {v});
  expect_error<ShapeError>("qr: too few axes: a is []; need at least 2",
                           [](In in) { return qr(in[0]).r; }, {tensor(1.0)});
  expect_error<ShapeError>("pinv: too few axes: a is [3]; need at least 2",
                           [](In in) { return pinv(in[0]); }, {v});
}

TEST_F(Linalg, SingularMatricesRecordNothing) {
  const Tensor a = f64({{1, 2}, {2, 4}}), b = f64({{{1}, {2}}, {{3}, {4}}});
  const std::string rest = " of 0; need an invertible matrix";
  expect_error<ValueError>("inverse: singular: the matrix has a pivot 1" + rest,
                           [](const Inputs& in) { return inverse(in[0]); }, {a});
  expect_error<ValueError>("solve: singular: matrix 0 of the batch [2] has a pivot 1" + rest,
                           [](const Inputs& in) { return solve(in[0], in[1]); }, {a, b});
  expect_error<ValueError>("solve: singular: the matrix has a pivot 1" + rest,
                           [](const Inputs& in) { return solve(in[0], in[1]); }, {a, f64({1, 2})});
  expect_error<ValueError>(
      "cholesky: not positive definite: the matrix has a leading minor of order 2 that is not "
      "positive; need a symmetric positive definite matrix",
      [](const Inputs& in) { return cholesky(in[0], {.upper = true}); }, {f64({{1, 3}, {3, 1}})});
}

TEST_F(Linalg, NotFiniteElements) {
  const Tensor bad = f64({{1, kNan}, {2, 3}}), infinite = f64({{1, kInf}, {2, 3}});
  const std::string rest =
      ": an element is not finite: nan at position 1 of [2, 2]; need finite elements";
  expect_error<ValueError>("eigh" + rest, [](const Inputs& in) { return eigh(in[0]).eigenvalues; },
                           {bad});
  expect_error<ValueError>("svd" + rest, [](const Inputs& in) { return svd(in[0]).s; }, {bad});
  expect_error<ValueError>("pinv" + rest, [](const Inputs& in) { return pinv(in[0]); }, {bad});
  expect_error<ValueError>("lstsq" + rest,
                           [](const Inputs& in) { return lstsq(in[0], in[0]).solution; }, {bad});
  for (const Tensor& x : {bad, infinite}) {
    for (const Tensor& y : {inverse(x), matrix_exp(x), solve(x, f64({1, 1})), qr(x).r, det(x)}) {
      bool any = false;
      for (double v : values(y)) any = any || !std::isfinite(v) || v == 0;
      EXPECT_TRUE(any);
    }
    EXPECT_TRUE(std::isnan(values(matrix_exp(x))[0]));
  }
  EXPECT_TRUE(std::isnan(det(bad).item()));
  EXPECT_TRUE(std::isnan(slogdet(bad).logabsdet.item()));
  EXPECT_TRUE(std::isnan(slogdet(bad).sign.item()));
}

TEST_F(Linalg, ExtremeMagnitudes) {
  const Tensor a = f64({{2, 1}, {1, 3}});
  for (double scale : {1e-150, 1e-300, 1e150, 1e300}) {
    expect_same(eigh(a * scale).eigenvalues * (1 / scale), eigh(a).eigenvalues, 1e-14);
    expect_same(svd(a * scale).s * (1 / scale), svd(a).s, 1e-14);
  }
  expect_same(slogdet(a * 1e300).logabsdet, f64(std::log(5.0) + 2 * std::log(1e300)), 1e-14);
  expect_same(matrix_exp(f64({{-1e4, 1}, {0, -1e4}})), zeros({2, 2}, float64), 1e-300);
  const Tensor g = gradient([](const Tensor& x) { return matrix_exp(x) * 1e-200; }, a);
  EXPECT_NEAR(
      values(g)[0] * 1e200 / values(gradient([](const Tensor& x) { return matrix_exp(x); }, a))[0],
      1, 1e-12);
}

// What is not differentiable is not tracked.
TEST_F(Linalg, ResultsWithoutADerivative) {
  Tape tape;
  const Tensor a = tape.input(f64({{2, 1}, {1, 3}, {0, 1}}));
  const LstsqResult y = lstsq(a, f64({1, 2, 3}));
  EXPECT_THROW(tape.backward(sum(y.residuals)), TapeError);
  EXPECT_THROW(tape.backward(sum(y.singular_values)), TapeError);
}

// The same bits for any number of threads.
TEST_F(Linalg, ThreadsDoNotChangeResults) {
  const Tensor a = random({64, 12, 12}) + 30.0 * ops::identity(12, float64);
  const Tensor b = random({64, 12, 5});
  const auto all = [&] {
    const Tensor symmetric = ops::symmetric_part(a);
    const auto loss = [&](const Inputs& in) {
      return sum(solve(in[0], b)) + sum(slogdet(in[0]).logabsdet) + sum(eigh(in[0]).eigenvalues) +
             sum(svd(in[0]).u) + sum(qr(in[0]).r) + sum(cholesky(symmetric)) +
             sum(matrix_exp(in[0] * 0.05)) + sum(det(in[0] * 0.03)) + sum(pinv(in[0])) +
             sum(einsum("bij,bkj,bkl->il", {in[0], in[0], b}));
    };
    return value_and_grad(loss, {a});
  };
  const int before = num_threads();
  set_num_threads(1);
  const auto one = all();
  set_num_threads(4);
  const auto four = all();
  set_num_threads(before);
  EXPECT_EQ(values(one.first), values(four.first));
  EXPECT_EQ(values(one.second[0]), values(four.second[0]));
}

TEST_F(Linalg, InPlaceChangeOfWhatWasSavedThrows) {
  Tape tape;
  const Tensor a = tape.input(f64({{2, 1}, {1, 3}}));
  const EighResult y = eigh(a);
  const Tensor loss = sum(square(y.eigenvalues));
  Tensor alias = detach(y.eigenvectors);
  fill_(alias, 0);  // one tensor holds both results
  EXPECT_THROW(tape.backward(loss), TapeError);
}

}  // namespace
}  // namespace ops_test
