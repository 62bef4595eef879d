// SPDX-License-Identifier: Apache-2.0
// Sparse Jacobians and Hessians: against the dense ones, numbers of colors where they are known,
// random functions, patterns that change, sizes that only work when they are sparse.
#include <gtest/gtest.h>
#include <autograd/autograd.hpp>

#include <cmath>
#include <random>

#include "check.hpp"

namespace ag = autograd;

namespace autograd {
namespace {

using Doubles = std::vector<double>;

Doubles point(std::size_t n) {
  Doubles x;
  for (std::size_t i = 0; i < n; ++i) x.push_back(std::sin(1.7 * static_cast<double>(i) + 0.4));
  return x;
}

void expect_sorted(const SparseMatrix& m) {
  ASSERT_EQ(m.rows.size(), m.values.size());
  ASSERT_EQ(m.cols.size(), m.values.size());
  for (std::size_t k = 0; k + 1 < m.rows.size(); ++k) {
    EXPECT_LT(std::pair(m.rows[k], m.cols[k]), std::pair(m.rows[k + 1], m.cols[k + 1]));
  }
}

void expect_same(const SparseMatrix& sparse, const Tensor& dense, double tolerance = 1e-12) {
  expect_sorted(sparse);
  ASSERT_EQ(dense.shape(), (Shape{sparse.shape[0], sparse.shape[1]}));
  const Doubles got = to_vector<double>(sparse.dense()), want = to_vector<double>(dense);
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_TRUE(check::close(got[i], want[i], tolerance)) << i << ": " << got[i] << " " << want[i];
  }
}

const auto chain = [](const auto& x) {
  std::decay_t<decltype(x[0])> sum = 0.0;
  for (std::size_t i = 0; i + 1 < x.size(); ++i) {
    auto a = x[i + 1] - x[i] * x[i];
    auto b = 1.0 - x[i];
    sum += 100.0 * a * a + b * b;
  }
  return sum;
};

TEST(SparseTest, ChainedRosenbrock) {
  for (const std::size_t n : {0u, 1u, 2u, 3u, 10u, 101u}) {
    SCOPED_TRACE(n);
    const Doubles x = point(n);
    expect_same(sparse_hessian(chain, x), hessian(chain, x));
    SparseHessian object(chain, x);
    EXPECT_LE(object.colors(), 3);
    EXPECT_EQ(object.nonzeros(), n < 2 ? 0 : static_cast<std::int64_t>(3 * n - 2));
    const Doubles y = point(n + 1);
    const Doubles other(y.begin() + 1, y.end());
    expect_same(object(other), hessian(chain, other));
  }
}

// What enters linearly has no second derivatives, however it is written.
TEST(SparseTest, PatternsAreAsSmallAsTheyCanBe) {
  const auto linear = [](const auto& x) {
    auto y = 2.0 * x[0] - x[1] / 4.0 + (3.0 + x[2]) * 0.5 - (-x[3]);
    return y + ag::where(x[0] > 0.0, x[1], x[2]) + ag::max(x[0], x[3]) + abs(x[1]) + relu(x[2]);
  };
  EXPECT_TRUE(sparse_hessian(linear, point(4)).values.empty());
  const auto some = [](const auto& x) { return x[0] * x[1] + exp(x[2]) + x[3] / x[4] + x[5]; };
  const SparseMatrix h = sparse_hessian(some, Doubles(6, 1.5));
  EXPECT_EQ(h.rows, (std::vector<std::int64_t>{0, 1, 2, 3, 4, 4}));
  EXPECT_EQ(h.cols, (std::vector<std::int64_t>{1, 0, 2, 4, 3, 4}));
  expect_same(h, hessian(some, Doubles(6, 1.5)));
  // The square of a variable that the output does not depend on.
  const auto unused = [](const auto& x) {
    std::decay_t<decltype(x[0])> s = x[0] * x[0];
    s = x[1] * 2.0;
    return s;
  };
  EXPECT_TRUE(sparse_hessian(unused, point(2)).values.empty());
}

// Arrow: one variable meets all the others. Its column has a color of its own.
TEST(SparseTest, Arrow) {
  const auto f = [](const auto& x) {
    std::decay_t<decltype(x[0])> sum = 0.0;
    for (std::size_t i = 1; i < x.size(); ++i) sum += square(x[i] - x[0]) * x[i];
    return sum;
  };
  for (const std::size_t n : {5u, 300u, 3000u}) {
    SCOPED_TRACE(n);
    SparseHessian object(f, point(n));
    EXPECT_EQ(object.colors(), 2);
    if (n < 1000) expect_same(object(point(n)), hessian(f, point(n)), 1e-10);
  }
  SparseHessian large(f, Doubles(100000, 0.5));
  EXPECT_EQ(large.colors(), 2);
}

TEST(SparseTest, DenseHessians) {
  const auto f = [](const auto& x) {
    std::decay_t<decltype(x[0])> sum = 0.0;
    for (const auto& element : x) sum += element;
    return exp(0.1 * sum) * sum;
  };
  const Doubles x = point(30);
  expect_same(sparse_hessian(f, x), hessian(f, x));
  EXPECT_EQ(SparseHessian(f, x).colors(), 30);
}

// A grid of five-point stencils.
TEST(SparseTest, Grid) {
  constexpr std::size_t kSide = 20;
  const auto f = [](const auto& x) {
    std::decay_t<decltype(x[0])> sum = 0.0;
    for (std::size_t i = 0; i < kSide; ++i) {
      for (std::size_t j = 0; j < kSide; ++j) {
        const std::size_t k = i * kSide + j;
        if (i + 1 < kSide) sum += sqrt(1.0 + square(x[k] - x[k + kSide]));
        if (j + 1 < kSide) sum += sqrt(1.0 + square(x[k] - x[k + 1]));
      }
    }
    return sum;
  };
  SparseHessian object(f, point(kSide * kSide));
  EXPECT_LE(object.colors(), 9);
  expect_same(object(point(kSide * kSide)), hessian(f, point(kSide * kSide)));
}

// Random functions of random pairs: patterns without any order in them.
template <class T> T random_function(unsigned seed, const std::vector<T>& x) {
  std::mt19937 random(seed);
  std::vector<T> v = x;
  T sum = 0.0;
  for (int k = 0; k < 60; ++k) {
    const T a = v[random() % v.size()], b = v[random() % v.size()];
    switch (random() % 8) {
      case 0: v.push_back(a * b); break;
      case 1: v.push_back(a / (2.0 + b * b)); break;
      case 2: v.push_back(sin(a) + b); break;
      case 3: v.push_back(ag::where(a > b, a * a, b)); break;
      case 4: v.push_back(0.5 * a - b); break;
      case 5: sum += a * b; break;
      case 6: sum -= tanh(a); break;
      default: sum += pow(1.5 + cos(a), 1.5); break;
    }
  }
  return sum;
}

TEST(SparseTest, RandomFunctions) {
  double saved = 0;
  for (unsigned seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const auto f = [seed](const auto& x) { return random_function(seed, x); };
    const Doubles x = point(12 + seed % 20);
    SparseHessian object(f, x);
    expect_same(object(x), hessian(f, x), 1e-9);
    saved += 1 - object.colors() / static_cast<double>(x.size());
  }
  EXPECT_GT(saved / 300, 0.3);  // dense patterns would prove nothing
}

TEST(SparseTest, RandomJacobians) {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const auto f = [seed](const auto& x) {
      std::vector<std::decay_t<decltype(x[0])>> y;
      std::mt19937 random(seed);
      const std::size_t m = random() % 30, n = x.size();
      for (std::size_t i = 0; i < m; ++i) {
        switch (random() % 5) {
          case 0: y.push_back(x[random() % n]); break;
          case 1: y.push_back(2.5); break;
          case 2:
            y.push_back(y.empty() ? x[0] * x[1] : y[random() % y.size()] * x[random() % n]);
            break;
          case 3: y.push_back(sin(x[random() % n]) * x[random() % n]); break;
          default: y.push_back(x[random() % n] - exp(x[random() % n])); break;
        }
      }
      return y;
    };
    const Doubles x = point(2 + seed % 25);
    SparseJacobian object(f, x);
    expect_same(object(x), jacobian(f, x), 1e-13);
    expect_same(sparse_jacobian(f, x), jacobian(f, x), 1e-13);
  }
}

TEST(SparseTest, JacobiansByColumnsAndByRows) {
  const auto banded = [](const auto& x) {
    std::vector<std::decay_t<decltype(x[0])>> y;
    for (std::size_t i = 0; i + 2 < x.size(); ++i) y.push_back(x[i] * x[i + 1] - x[i + 2]);
    return y;
  };
  const Doubles x = point(200);
  SparseJacobian band(banded, x);
  EXPECT_EQ(band.colors(), 3);
  EXPECT_EQ(band.nonzeros(), 3 * 198);
  expect_same(band(x), jacobian(banded, x));
  // One output of all inputs and many of one: rows need two colors, columns 200.
  const auto wide = [](const auto& p) {
    std::vector<std::decay_t<decltype(p[0])>> y(1);
    for (const auto& element : p) {
      y[0] += element * element;
      y.push_back(exp(element));
    }
    return y;
  };
  SparseJacobian arrow(wide, x);
  EXPECT_EQ(arrow.colors(), 2);
  expect_same(arrow(x), jacobian(wide, x));
}

// Long shared histories: where the walk over each output gives way to sets of bits.
TEST(SparseTest, OutputsThatShareALongHistory) {
  const auto f = [](const auto& x) {
    using T = std::decay_t<decltype(x[0])>;
    std::vector<T> y(x.begin(), x.end());
    for (int step = 0; step < 200; ++step) {
      for (std::size_t i = 0; i + 1 < 6; ++i) y[i] = 0.9 * y[i] + 0.01 * y[i + 1] * y[0];
    }
    std::vector<T> result;
    for (int i = 0; i < 300; ++i) result.push_back(y[0] * static_cast<double>(i) + y[6]);
    result.push_back(y[7]);
    return result;
  };
  const Doubles x = point(8);
  const SparseMatrix j = sparse_jacobian(f, x);
  EXPECT_EQ(j.values.size(), 300u * 7 + 1);
  expect_same(j, jacobian(f, x));
}

TEST(SparseTest, LargeOnes) {
  constexpr std::size_t kN = 100000;
  const SparseMatrix h = sparse_hessian(chain, Doubles(kN, 0.5));
  ASSERT_EQ(h.values.size(), 3 * kN - 2);
  // d2/dx2 of 100 (q - x^2)^2 + (1 - x)^2, and of the term before: 1200 x^2 - 400 q + 2 + 200.
  EXPECT_NEAR(h.values[3], 1200 * 0.25 - 200 + 202, 1e-9);
  EXPECT_NEAR(h.values[4], -400 * 0.5, 1e-9);
  const auto differences = [](const auto& x) {
    std::vector<std::decay_t<decltype(x[0])>> y;
    for (std::size_t i = 0; i + 1 < x.size(); ++i) y.push_back(square(x[i + 1]) - x[i]);
    return y;
  };
  const SparseMatrix j = sparse_jacobian(differences, Doubles(kN, 0.5));
  ASSERT_EQ(j.values.size(), 2 * (kN - 1));
  EXPECT_EQ(j.values[0], -1);
  EXPECT_EQ(j.values[1], 1);
}

TEST(SparseTest, AnotherBranchThrows) {
  const auto f = [](const auto& x) {
    std::decay_t<decltype(x[0])> y = x[0] * x[1];
    if (x[0] > 0.0) y += x[1] * x[2];
    return y;
  };
  SparseHessian object(f, Doubles{-1, 2, 3});
  EXPECT_EQ(object(Doubles{-3, 1, 1}).values, (Doubles{1, 1}));
  EXPECT_NE(check::message_of<BranchError>([&] {
              object(Doubles{1, 2, 3});
            }).find("sparse_hessian: the sparsity pattern is not that of the point"),
            std::string::npos);
  const auto g = [](const auto& x) {
    std::vector<std::decay_t<decltype(x[0])>> y{x[0] * x[1], x[2]};
    if (x[0] > 0.0) y[1] = y[1] * x[0];
    return y;
  };
  SparseJacobian jacobian_of(g, Doubles{-1, 2, 3});
  EXPECT_EQ(jacobian_of(Doubles{-3, 1, 1}).values, (Doubles{1, -3, 1}));
  EXPECT_THROW(jacobian_of(Doubles{1, 2, 3}), BranchError);
}

TEST(SparseTest, BadInput) {
  SparseHessian object(chain, point(5));
  EXPECT_EQ(check::message_of<ShapeError>([&] { object(point(6)); }),
            "sparse_hessian: lengths differ: x has 6 elements, the pattern has 5; need equal "
            "lengths (6 != 5)");
  const auto f = [](const auto& x) { return std::vector(x.begin(), x.end()); };
  SparseJacobian identity(f, point(3));
  EXPECT_EQ(check::message_of<ShapeError>([&] { identity(point(2)); }),
            "sparse_jacobian: lengths differ: x has 2 elements, the pattern has 3; need equal "
            "lengths (2 != 3)");
  const Doubles none;
  EXPECT_EQ(sparse_jacobian(f, none).shape, (std::array<std::int64_t, 2>{0, 0}));
  EXPECT_TRUE(sparse_hessian([](const auto&) { return 1.0; }, none).values.empty());
  EXPECT_TRUE(sparse_hessian([](const auto&) { return 1.0; }, point(3)).values.empty());
}

TEST(SparseTest, ThroughTensors) {
  const auto f = [](const std::vector<Var>& x) {
    return unstack(stack(x) * tensor(Doubles{1, 2, 3}));
  };
  const SparseMatrix j = sparse_jacobian(f, Doubles{5, 6, 7});
  EXPECT_EQ(j.values, (Doubles{1, 0, 0, 0, 2, 0, 0, 0, 3}));
}

TEST(SparseTest, FunctionsThatThrow) {
  const auto f = [](const auto& x) {
    auto y = x[0] * x[1];
    if (x[0] < 0.0) throw 1;
    return y;
  };
  EXPECT_THROW(sparse_hessian(f, Doubles{-1, 2}), int);
  EXPECT_THROW(sparse_jacobian(f, Doubles{-1, 2}), int);
  EXPECT_EQ(sparse_hessian(f, Doubles{1, 2}).values, (Doubles{1, 1}));
}

}  // namespace
}  // namespace autograd
