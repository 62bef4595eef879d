// SPDX-License-Identifier: Apache-2.0
// Workloads of finance: Monte Carlo pricing under Heston's model and in the LIBOR market model, and the
// calibration of SABR.
#pragma once

#include <array>
#include <cstddef>

#include "random.hpp"

namespace bench {

/// A European call under Heston's stochastic volatility, by Monte Carlo: log-Euler steps for the
/// price, full truncation for the variance (Lord, Koekkoek, van Dijk 2010).
class Heston {
 public:
  static constexpr const char* kName = "heston";

  explicit Heston(int paths = 10000, int steps = 50) : steps_(steps), paths_(paths) {
    normals_ = Random(12345).normals(paths * steps * 2);
  }

  /// S0, K, r, v0, kappa, theta, sigma, rho.
  static std::vector<double> point() { return {100.0, 100.0, 0.03, 0.04, 1.5, 0.05, 0.4, -0.6}; }
  int terms() const { return paths_; }

  /// What one path adds to the price.
  template <class T> T term(const T* x, int path) const {
    using std::exp, std::log, std::sqrt;
    const double* z =
        normals_.data() + static_cast<std::size_t>(path) * static_cast<std::size_t>(steps_) * 2;
    const double dt = maturity_ / steps_, root_dt = std::sqrt(dt);
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
    T discounted = exp(-r * maturity_) * pay * (1.0 / paths_);
    return discounted;
  }

 private:
  int steps_, paths_;
  double maturity_ = 1.0;
  std::vector<double> normals_;  // [paths, steps, 2]
};

/// A portfolio of 15 swaptions in the LIBOR market model with one factor: 80 rates evolve over 40
/// periods (the test case of Giles and Glasserman, Smoking adjoints, 2006).
class Libor {
 public:
  static constexpr const char* kName = "libor";
  static constexpr int kRates = 80, kSteps = 40, kSwaptions = 15;

  explicit Libor(int paths = 1000) : paths_(paths) {
    normals_ = Random(777).normals(paths * kSteps);
    const int maturities[5] = {4, 8, 20, 28, 40};
    const double rates[3] = {0.045, 0.05, 0.055};
    for (int i = 0; i < kSwaptions; ++i) {
      maturity_[i] = maturities[i / 3];
      swap_rate_[i] = rates[i % 3];
    }
  }

  /// The rates, their volatilities, the length of a period.
  static std::vector<double> point() {
    std::vector<double> x;
    for (int i = 0; i < kRates; ++i) x.push_back(0.05 + 0.0001 * (i % 7));
    for (int i = 0; i < kRates; ++i) x.push_back(0.2 - 0.0005 * i);
    x.push_back(0.25);
    return x;
  }
  int terms() const { return paths_; }

  /// What one path adds to the value.
  template <class T> T term(const T* x, int path) const {
    using std::exp, std::sqrt;
    const double* z = normals_.data() + static_cast<std::size_t>(path) * kSteps;
    const T* volatility = x + kRates;
    const T& delta = x[2 * kRates];
    std::array<T, kRates> rate;
    for (int i = 0; i < kRates; ++i) rate[i] = x[i];
    T root_delta = sqrt(delta);
    for (int n = 0; n < kSteps; ++n) {  // the rates still alive evolve over one period
      T shock = root_delta * z[n];
      T drift = T(0.0);
      for (int i = n + 1; i < kRates; ++i) {
        const T& lambda = volatility[i - n - 1];
        T con = delta * lambda;
        drift += con * rate[i] / (1.0 + delta * rate[i]);
        rate[i] = rate[i] * exp(con * drift + lambda * (shock - 0.5 * con));
      }
    }
    // Discount factors and annuities after the last step.
    std::array<T, kRates - kSteps> discount, annuity;
    T b = T(1.0), s = T(0.0);
    for (int n = kSteps; n < kRates; ++n) {
      b = b / (1.0 + delta * rate[n]);
      s = s + delta * b;
      discount[n - kSteps] = b;
      annuity[n - kSteps] = s;
    }
    T v = T(0.0);
    for (int i = 0; i < kSwaptions; ++i) {
      const int m = maturity_[i] - 1;
      T loss = 1.0 - discount[m] - swap_rate_[i] * annuity[m];
      v += 100.0 * positive_part(loss);
    }
    for (int n = 0; n < kSteps; ++n) v = v / (1.0 + delta * rate[n]);
    v = v * (1.0 / paths_);
    return v;
  }

 private:
  int paths_;
  std::vector<double> normals_;  // [paths, steps]
  int maturity_[kSwaptions];
  double swap_rate_[kSwaptions];
};

/// The sum of squared errors of 100 implied volatilities of SABR, beta fixed, in Hagan's expansion
/// (Hagan, Kumar, Lesniewski, Woodward 2002): 20 strikes at each of 5 expiries.
class Sabr {
 public:
  static constexpr const char* kName = "sabr";
  static constexpr int kExpiries = 5, kStrikes = 20;

  Sabr() {
    Random random(4242);
    const double expiries[kExpiries] = {0.25, 0.5, 1.0, 2.0, 5.0};
    for (int e = 0; e < kExpiries; ++e) {
      expiry_[e] = expiries[e];
      const double forward = 0.03 + 0.002 * e;
      for (int q = 0; q < kStrikes; ++q) {
        const double m = -0.6 + 1.2 * (q + 0.37) / kStrikes;
        const double strike = forward * std::exp(m);
        power_[e][q] = std::pow(forward * strike, 0.5 * (1 - beta_));
        log_[e][q] = std::log(forward / strike);
        market_[e][q] = 0.25 + 0.12 * m * m - 0.05 * m + 0.005 * random.normal();
      }
    }
  }

  /// alpha, rho, nu of each expiry.
  static std::vector<double> point() {
    std::vector<double> x;
    for (int e = 0; e < kExpiries; ++e) {
      x.push_back(0.04 + 0.002 * e);
      x.push_back(-0.3 + 0.05 * e);
      x.push_back(0.6 - 0.05 * e);
    }
    return x;
  }

  template <class T> T value(const T* x) const {
    using std::log, std::sqrt;
    T objective = T(0.0);
    const double ob = 1 - beta_;
    for (int e = 0; e < kExpiries; ++e) {
      const T &alpha = x[3 * e], &rho = x[3 * e + 1], &nu = x[3 * e + 2];
      for (int q = 0; q < kStrikes; ++q) {
        const double f = power_[e][q], l = log_[e][q];
        T z = nu / alpha * (f * l);
        T xz = log((sqrt(1.0 - 2.0 * rho * z + z * z) + z - rho) / (1.0 - rho));
        const double denominator =
            f * (1.0 + ob * ob / 24.0 * l * l + ob * ob * ob * ob / 1920.0 * l * l * l * l);
        T correction =
            1.0 + (ob * ob / 24.0 / (f * f) * alpha * alpha + 0.25 * beta_ / f * rho * nu * alpha +
                   (2.0 - 3.0 * rho * rho) * (1.0 / 24.0) * nu * nu) *
                      expiry_[e];
        T volatility = alpha * (1.0 / denominator) * (z / xz) * correction;
        T error = volatility - market_[e][q];
        objective += error * error;
      }
    }
    return objective;
  }

 private:
  double beta_ = 0.5;
  double expiry_[kExpiries];
  double market_[kExpiries][kStrikes];
  double power_[kExpiries][kStrikes], log_[kExpiries][kStrikes];  // (F K)^((1 - beta) / 2), ln(F/K)
};

}  // namespace bench
