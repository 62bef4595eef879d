// SPDX-License-Identifier: Apache-2.0
// Eigen over Var and over the scalars of the drivers: products, norms and solvers against central
// differences, and sparse results as Eigen's. Built when Eigen is installed.
#include <gtest/gtest.h>
#include <Eigen/Dense>
#include <Eigen/SparseCholesky>
#include <autograd/autograd.hpp>
#include <autograd/eigen.hpp>

#include "check.hpp"

namespace autograd {
namespace {

using Doubles = std::vector<double>;
constexpr int kSize = 4;
template <class T> using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
template <class T> using Vector = Eigen::Matrix<T, Eigen::Dynamic, 1>;

// x is a matrix and a right-hand side behind it.
template <class X> auto matrix_of(const X& x) {
  using T = std::decay_t<decltype(x[0])>;
  Matrix<T> a(kSize, kSize);
  for (int i = 0; i < kSize * kSize; ++i) {
    a(i / kSize, i % kSize) = x[static_cast<std::size_t>(i)];
  }
  return a;
}
template <class X> auto vector_of(const X& x) {
  using T = std::decay_t<decltype(x[0])>;
  Vector<T> b(kSize);
  for (int i = 0; i < kSize; ++i) b(i) = x[static_cast<std::size_t>(kSize * kSize + i)];
  return b;
}
Doubles point() {
  Doubles x;
  for (int i = 0; i < kSize * (kSize + 1); ++i) {
    x.push_back(std::sin(3.1 * i + 0.2) + (i % (kSize + 1) == 0 ? 3.0 : 0.0));
  }
  return x;
}

// Solvers of many scalars take long to compile: `orders` 1 leaves out forward mode and products.
template <int orders, class F> void expect_derivatives(const F& f) {
  const Doubles x = point();
  const auto [value, gradient] = value_and_grad(f, x);
  EXPECT_NEAR(value, f(x), 1e-12);
  const Doubles want = check::differences([&](const Doubles& p) { return f(p); }, x);
  double largest = 0, along = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    EXPECT_TRUE(check::close(gradient[i], want[i])) << i << ": " << gradient[i] << " " << want[i];
    largest = std::max(largest, std::abs(want[i]));
    along += want[i];
  }
  EXPECT_GT(largest, 0.01);
  if constexpr (orders == 2) {
    const Doubles ones(x.size(), 1.0);
    EXPECT_TRUE(check::close(jvp(f, x, ones).second, along, 1e-5));
    const Doubles product = hvp(f, x, ones);
    const auto slope = [&](const Doubles& p) { return grad(f, p)[1]; };
    double row = 0;
    for (const double h : check::differences(slope, x)) row += h;
    EXPECT_TRUE(check::close(product[1], row, 1e-5)) << product[1] << " " << row;
  }
}

TEST(EigenTest, Arithmetic) {
  expect_derivatives<2>([](const auto& x) {
    const auto a = matrix_of(x);
    const auto b = vector_of(x);
    return ((a + a.transpose()) * b - 0.5 * b).dot(a * b) + (a * a).trace() - b.sum() +
           a.cwiseProduct(a).sum();
  });
}

TEST(EigenTest, Norms) {
  expect_derivatives<1>([](const auto& x) {
    const auto b = (matrix_of(x) * vector_of(x)).eval();
    return b.norm() + b.squaredNorm() + matrix_of(x).norm() + b.template lpNorm<1>() +
           b.array().exp().sum() + b.array().square().sum();
  });
}

TEST(EigenTest, MatricesOfNumbersBesideVariables) {
  expect_derivatives<1>([](const auto& x) {
    using T = std::decay_t<decltype(x[0])>;
    const Matrix<double> m = Matrix<double>::Identity(kSize, kSize) * 2.0;
    const Vector<T> y = m.template cast<T>() * vector_of(x) + matrix_of(x) * vector_of(x) * 3.0;
    return y.dot(y);
  });
}

TEST(EigenTest, Solvers) {
  expect_derivatives<2>([](const auto& x) {
    return matrix_of(x).partialPivLu().solve(vector_of(x)).eval().squaredNorm();
  });
  expect_derivatives<1>([](const auto& x) {
    using T = std::decay_t<decltype(x[0])>;
    const auto a = matrix_of(x);
    const Matrix<T> s = a * a.transpose();
    return s.ldlt().solve(vector_of(x)).eval().sum() + a.determinant();
  });
}

TEST(EigenTest, OnATapeOfOnesOwn) {
  Tape tape;
  Eigen::Matrix<Var, 2, 2> a;
  a << tape.input(2.0), tape.input(1.0), tape.input(1.0), tape.input(3.0);
  const Eigen::Matrix<Var, 2, 1> b(Var(1.0), Var(2.0));
  const Eigen::Matrix<Var, 2, 1> x = a.fullPivLu().solve(b);
  EXPECT_NEAR(x(0).value(), 0.2, 1e-15);
  tape.backward(x(0));
  EXPECT_NEAR(a(0, 0).grad(), -0.6 * 0.2, 1e-15);  // -(A^-1)_00 x_0
}

TEST(EigenTest, PointsThatAreEigenVectors) {
  const Eigen::VectorXd x = Eigen::VectorXd::LinSpaced(3, 1.0, 3.0);
  const auto g = grad([](const auto& p) { return p[0] * p[1] * p[2]; }, x);
  EXPECT_EQ(g, (Doubles{6, 3, 2}));
}

TEST(EigenTest, SparseResults) {
  const auto f = [](const auto& x) {
    std::decay_t<decltype(x[0])> sum = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) sum += exp(x[i]) + x[i] * x[i];
    for (std::size_t i = 0; i + 1 < x.size(); ++i) sum += square(x[i] - x[i + 1]);
    return sum;
  };
  const Doubles at(50, 0.3);
  const Eigen::SparseMatrix<double> h = to_eigen(sparse_hessian(f, at));
  EXPECT_EQ(h.nonZeros(), 50 + 2 * 49);
  const Tensor dense = hessian(f, at);
  for (int i = 0; i < 50; ++i) {
    for (int j = 0; j < 50; ++j) EXPECT_NEAR(h.coeff(i, j), dense.at({i, j}), 1e-14);
  }
  // A Newton step.
  const Doubles g = grad(f, at);
  Eigen::SimplicialLDLT<Eigen::SparseMatrix<double>> solver(h);
  const Eigen::VectorXd step = solver.solve(Eigen::Map<const Eigen::VectorXd>(g.data(), 50));
  EXPECT_NEAR((h * step)(7), g[7], 1e-12);
}

}  // namespace
}  // namespace autograd
