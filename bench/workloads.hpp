// SPDX-License-Identifier: Apache-2.0
// Scalar functions whose derivatives are timed: Monte Carlo pricing, a chained polynomial, a small
// network. Each is
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

/// A portfolio of swaptions in the LIBOR market model (Giles and Glasserman 2006), by Monte Carlo: 80
/// forward rates with constant volatilities over 40 steps. 161 inputs: the accrual time, the rates,
/// the volatilities.
class Libor {
 public:
  static constexpr int kRates = 80, kSteps = 40, kInputs = 1 + 2 * kRates;

  explicit Libor(int paths = 1000) : paths_(paths) {
    Random random(777);
    normals_.resize(static_cast<std::size_t>(paths) * kSteps);
    for (double& z : normals_) z = 0.3 * random.normal();
  }

  static std::vector<double> inputs() {
    std::vector<double> x(kInputs);
    x[0] = 0.25;
    for (std::size_t i = 0; i < kRates; ++i) x[1 + i] = 0.05, x[1 + kRates + i] = 0.2;
    return x;
  }
  int paths() const { return paths_; }

  template <class T> T path(const T* x, int number) const {
    using std::exp, std::sqrt;
    const double* z = normals_.data() + static_cast<std::size_t>(number) * kSteps;
    const T& delta = x[0];
    const T* volatility = x + 1 + kRates;
    std::vector<T> rate(x + 1, x + 1 + kRates);
    T root = sqrt(delta);
    for (int n = 0; n < kSteps; ++n) {
      T shock = root * z[n];
      T drift = T(0.0);
      for (int i = n + 1; i < kRates; ++i) {
        T& r = rate[static_cast<std::size_t>(i)];
        const T& lambda = volatility[i - n - 1];
        T step = delta * lambda;
        drift += step * r / (1.0 + delta * r);
        T growth = exp(step * drift + lambda * (shock - 0.5 * step));
        r = r * growth;
      }
    }
    constexpr std::array<int, 15> kMaturity{4, 4, 4, 8, 8, 8, 20, 20, 20, 28, 28, 28, 40, 40, 40};
    constexpr std::array<double, 3> kSwapRate{0.045, 0.05, 0.055};
    std::vector<T> bond(kRates - kSteps), annuity(kRates - kSteps);
    T b = T(1.0), s = T(0.0);
    for (std::size_t n = 0; n < bond.size(); ++n) {
      b = b / (1.0 + delta * rate[n + kSteps]);
      s += delta * b;
      bond[n] = b;
      annuity[n] = s;
    }
    T value = T(0.0);
    for (std::size_t i = 0; i < kMaturity.size(); ++i) {
      const auto m = static_cast<std::size_t>(kMaturity[i] - 1);
      T swap = bond[m] + kSwapRate[i % 3] * annuity[m] - 1.0;
      if (swap < 0.0) value += -100.0 * swap;
    }
    for (std::size_t n = 0; n < kSteps; ++n) value = value / (1.0 + delta * rate[n]);
    return value;
  }

 private:
  int paths_;
  std::vector<double> normals_;  // [paths, steps]
};

/// The mean squared error of a 2-8-8-1 network with tanh on 200 samples, in scalars.
class Mlp {
 public:
  static constexpr int kHidden = 8, kSamples = 200;
  static constexpr int kInputs = 3 * kHidden + (kHidden + 1) * kHidden + kHidden + 1;

  Mlp() {
    Random random(42);
    for (double& x : x_) x = random.uniform(-1.0, 1.0);
    for (auto& sample : samples_) {
      const double p = random.uniform(-1.0, 1.0), q = random.uniform(-1.0, 1.0);
      sample = {p, q, std::sin(3 * p) * q};
    }
  }

  const std::array<double, kInputs>& inputs() const { return x_; }

  template <class T> T value(const T* x) const {
    using std::tanh;
    const T *w1 = x, *b1 = w1 + 2 * kHidden, *w2 = b1 + kHidden, *b2 = w2 + kHidden * kHidden,
            *w3 = b2 + kHidden, *b3 = w3 + kHidden;
    T sum = T(0.0);
    for (const auto& sample : samples_) {
      std::array<T, kHidden> h, g;
      for (int i = 0; i < kHidden; ++i) {
        h[static_cast<std::size_t>(i)] =
            tanh(w1[2 * i] * sample[0] + w1[2 * i + 1] * sample[1] + b1[i]);
      }
      for (int i = 0; i < kHidden; ++i) {
        T a = T(b2[i]);
        for (int j = 0; j < kHidden; ++j) a += w2[i * kHidden + j] * h[static_cast<std::size_t>(j)];
        g[static_cast<std::size_t>(i)] = tanh(a);
      }
      T y = T(*b3);
      for (int i = 0; i < kHidden; ++i) y += w3[i] * g[static_cast<std::size_t>(i)];
      T e = y - sample[2];
      sum += e * e;
    }
    return sum * (1.0 / kSamples);
  }

 private:
  std::array<double, kInputs> x_{};
  std::array<std::array<double, 3>, kSamples> samples_{};
};

}  // namespace bench
