// SPDX-License-Identifier: Apache-2.0
// Workloads in which nearly all of a gradient's time is what a tape adds to an operation: long sums,
// products and a system of differential equations.
#pragma once

#include "random.hpp"

namespace bench {

/// Rosenbrock's function of n variables (chained): n - 1 terms of a few operations each.
class Rosenbrock {
 public:
  static constexpr const char* kName = "rosenbrock";
  explicit Rosenbrock(int n = 100000) : n_(n) {}

  std::vector<double> point() const {
    Random random(6);
    std::vector<double> x;
    for (int i = 0; i < n_; ++i) x.push_back(random.uniform(-1.2, 1.2));
    return x;
  }
  template <class T> T value(const T* x) const {
    T sum = T(0.0);
    for (int i = 0; i + 1 < n_; ++i) {
      T a = x[i + 1] - x[i] * x[i], b = 1.0 - x[i];
      sum += 100.0 * a * a + b * b;
    }
    return sum;
  }

 private:
  int n_;
};

/// The product of n variables (Speelpenning 1980).
class Speelpenning {
 public:
  static constexpr const char* kName = "speelpenning";
  explicit Speelpenning(int n = 10000) : n_(n) {}

  std::vector<double> point() const {
    std::vector<double> x = Random(8).normals(n_);
    for (double& element : x) element = 1.0 + 0.002 * element;
    return x;
  }
  template <class T> T value(const T* x) const {
    T product = T(1.0);
    for (int i = 0; i < n_; ++i) product *= x[i];
    return product;
  }

 private:
  int n_;
};

/// ln sum e^x over n variables.
class LogSumExp {
 public:
  static constexpr const char* kName = "logsumexp";
  explicit LogSumExp(int n = 100000) : n_(n) {}

  std::vector<double> point() const {
    std::vector<double> x = Random(9).normals(n_);
    for (double& element : x) element *= 3.0;
    return x;
  }
  template <class T> T value(const T* x) const { return log_sum_exp<T>(n_, x); }

 private:
  int n_;
};

/// Lorenz' atmosphere of 40 variables (1996): 500 Runge-Kutta steps of order 4, and the sum of squares
/// of where they lead, as a function of the initial state.
class Lorenz96 {
 public:
  static constexpr const char* kName = "lorenz96";
  explicit Lorenz96(int n = 40, int steps = 500) : n_(n), steps_(steps) {}

  std::vector<double> point() const {
    std::vector<double> x = Random(10).normals(n_);
    for (double& element : x) element = 2.0 + 3.0 * element;
    return x;
  }
  template <class T> T value(const T* x) const {
    const auto n = static_cast<std::size_t>(n_);
    std::vector<T> state(x, x + n_), slopes1(n), slopes2(n), slopes3(n), slopes4(n), middle(n);
    T *y = state.data(), *t = middle.data();
    T *k1 = slopes1.data(), *k2 = slopes2.data(), *k3 = slopes3.data(), *k4 = slopes4.data();
    for (int s = 0; s < steps_; ++s) {
      slopes<T>(y, k1);
      for (int i = 0; i < n_; ++i) t[i] = y[i] + (0.5 * dt_) * k1[i];
      slopes<T>(t, k2);
      for (int i = 0; i < n_; ++i) t[i] = y[i] + (0.5 * dt_) * k2[i];
      slopes<T>(t, k3);
      for (int i = 0; i < n_; ++i) t[i] = y[i] + dt_ * k3[i];
      slopes<T>(t, k4);
      for (int i = 0; i < n_; ++i) {
        y[i] += (dt_ / 6.0) * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]);
      }
    }
    T sum = T(0.0);
    for (int i = 0; i < n_; ++i) sum += y[i] * y[i];
    return sum;
  }

 private:
  template <class T> void slopes(const T* y, T* f) const {
    for (int i = 0; i < n_; ++i) {
      const int next = i + 1 == n_ ? 0 : i + 1;
      const int previous = i ? i - 1 : n_ - 1, before = i > 1 ? i - 2 : n_ + i - 2;
      f[i] = (y[next] - y[before]) * y[previous] - y[i] + forcing_;
    }
  }

  int n_, steps_;
  double dt_ = 0.01, forcing_ = 8.0;
};

}  // namespace bench
