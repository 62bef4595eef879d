// SPDX-License-Identifier: Apache-2.0
// Scalar functions whose gradients are timed: Monte Carlo pricing and a chained polynomial. Each is
// written once over a type T (double, or autograd::Var) and owns its data, so that nothing but
// arithmetic is timed. A gradient's cost is given as a multiple of the same code run on double.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <vector>

namespace bench {

/// splitmix64 (Steele, Lea, Flood 2014) with Box and Muller's transform: the same data everywhere.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  double uniform() { return (static_cast<double>(next() >> 11) + 0.5) * 0x1p-53; }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  double normal() {
    if (has_spare_) {
      has_spare_ = false;
      return spare_;
    }
    const double radius = std::sqrt(-2.0 * std::log(uniform()));
    const double angle = 2.0 * std::numbers::pi * uniform();
    spare_ = radius * std::sin(angle);
    has_spare_ = true;
    return radius * std::cos(angle);
  }

 private:
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }

  std::uint64_t state_;
  bool has_spare_ = false;
  double spare_ = 0;
};

/// max(x, 0) as a branch, which is what a hand-written pricing loop has.
template <class T> T positive_part(const T& x) {
  if (x > 0.0) return x;
  return T(0.0);
}
/// sqrt(max(x, 0)), with slope 0 where x <= 0.
template <class T> T sqrt_of_positive_part(const T& x) {
  using std::sqrt;
  if (x > 0.0) return T(sqrt(x));
  return T(0.0);
}

/// A European call under Heston's stochastic volatility, by Monte Carlo: log-Euler steps for the
/// price, full truncation for the variance (Lord, Koekkoek, van Dijk 2010). Eight inputs.
class Heston {
 public:
  static constexpr int kInputs = 8;  // S0, K, r, v0, kappa, theta, sigma, rho

  explicit Heston(int paths = 10000, int steps = 50) : paths_(paths), steps_(steps) {
    Random random(12345);
    normals_.resize(static_cast<std::size_t>(paths) * static_cast<std::size_t>(steps) * 2);
    for (double& z : normals_) z = random.normal();
  }

  static std::array<double, kInputs> inputs() {
    return {100.0, 100.0, 0.03, 0.04, 1.5, 0.05, 0.4, -0.6};
  }
  int paths() const { return paths_; }

  /// What one path adds to the price: the gradient is taken path by path.
  template <class T> T path(const T* x, int number) const {
    using std::exp, std::log, std::sqrt;
    const double* z =
        normals_.data() + static_cast<std::size_t>(number) * static_cast<std::size_t>(steps_) * 2;
    const double dt = kMaturity / steps_, root_dt = std::sqrt(dt);
    const T &s0 = x[0], &k = x[1], &r = x[2], &v0 = x[3];
    const T &kappa = x[4], &theta = x[5], &sigma = x[6], &rho = x[7];
    T kappa_dt = kappa * dt;
    T rho2 = sqrt(1.0 - rho * rho);
    T log_s = log(s0);
    T v = v0;
    for (int i = 0; i < steps_; ++i) {
      const double z1 = z[2 * i], z2 = z[2 * i + 1];
      T vp = positive_part(v);
      T sv = sqrt_of_positive_part(v) * root_dt;
      log_s += (r - 0.5 * vp) * dt + sv * z1;
      v += kappa_dt * (theta - vp) + sigma * sv * (rho * z1 + rho2 * z2);
    }
    T pay = exp(log_s) - k;
    pay = positive_part(pay);
    T discounted = exp(-r * kMaturity) * pay * (1.0 / paths_);
    return discounted;
  }

  /// The price.
  template <class T> T value(const T* x) const {
    T sum = path(x, 0);
    for (int number = 1; number < paths_; ++number) sum += path(x, number);
    return sum;
  }

 private:
  static constexpr double kMaturity = 1.0;

  int paths_, steps_;
  std::vector<double> normals_;  // [paths, steps, 2]
};

/// Rosenbrock's function of n variables (chained): n - 1 terms of a few operations each, so that
/// nearly all of a gradient's time is what the tape adds to an operation.
class Rosenbrock {
 public:
  explicit Rosenbrock(int n = 100000) {
    Random random(6);
    x_.resize(static_cast<std::size_t>(n));
    for (double& x : x_) x = random.uniform(-1.2, 1.2);
  }

  const std::vector<double>& inputs() const { return x_; }

  template <class T> T value(const T* x) const {
    const int n = static_cast<int>(x_.size());
    T sum = T(0.0);
    for (int i = 0; i + 1 < n; ++i) {
      T a = x[i + 1] - x[i] * x[i], b = 1.0 - x[i];
      sum += 100.0 * a * a + b * b;
    }
    return sum;
  }

 private:
  std::vector<double> x_;
};

}  // namespace bench
