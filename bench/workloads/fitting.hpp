// SPDX-License-Identifier: Apache-2.0
// Workloads of fitting models to data: the Gaussian mixture and the bundle adjustment of ADBench
// (Srajer, Kukelova, Fitzgibbon 2018), and a small network of scalars.
#pragma once

#include <cstddef>

#include "random.hpp"

namespace bench {

/// The log-likelihood of a mixture of Gaussians with a Wishart prior, for n points of d dimensions.
class Gmm {
 public:
  static constexpr const char* kName = "gmm";

  explicit Gmm(int d = 10, int components = 25, int n = 1000) : d_(d), k_(components), n_(n) {
    points_ = Random(99).normals(n * d);
  }

  /// Weights [k], means [k, d], and of each inverse covariance factor d logarithms of the diagonal,
  /// then the strict lower triangle by rows.
  std::vector<double> point() const {
    std::vector<double> x = Random(31).normals(k_ + k_ * d_ + k_ * factor_size());
    for (double& element : x) element *= 0.3;
    return x;
  }

  /// What all points use.
  template <class T> struct Factors {
    std::vector<T> diagonal, log_determinant;  // [k, d], [k]
    std::vector<T> centered, term;             // scratch: [d], [k]
  };
  template <class T> Factors<T> prepare(const T* x) const {
    using std::exp;
    const T* icf = x + k_ + k_ * d_;
    const int size = factor_size();
    Factors<T> f;
    f.diagonal.resize(static_cast<std::size_t>(k_ * d_));
    f.log_determinant.resize(static_cast<std::size_t>(k_));
    f.centered.resize(static_cast<std::size_t>(d_));
    f.term.resize(static_cast<std::size_t>(k_));
    T *diagonal = f.diagonal.data(), *log_determinant = f.log_determinant.data();
    for (int k = 0; k < k_; ++k) {
      log_determinant[k] = T(0.0);
      for (int i = 0; i < d_; ++i) {
        log_determinant[k] += icf[k * size + i];
        diagonal[k * d_ + i] = exp(icf[k * size + i]);
      }
    }
    return f;
  }

  int terms() const { return n_; }
  /// The logarithm of the density at one point.
  template <class T> T term(const T* x, Factors<T>& f, int number) const {
    const T *alpha = x, *mu = x + k_, *icf = x + k_ + k_ * d_;
    const int size = factor_size();
    const double* at = points_.data() + static_cast<std::size_t>(number * d_);
    const T *diagonal = f.diagonal.data(), *log_determinant = f.log_determinant.data();
    T *centered = f.centered.data(), *term = f.term.data();
    for (int k = 0; k < k_; ++k) {
      for (int i = 0; i < d_; ++i) centered[i] = at[i] - mu[k * d_ + i];
      const T* low = icf + k * size + d_;
      T square = T(0.0);
      for (int i = 0; i < d_; ++i) {
        T y = diagonal[k * d_ + i] * centered[i];
        for (int j = 0; j < i; ++j) y += low[i * (i - 1) / 2 + j] * centered[j];
        square += y * y;
      }
      term[k] = alpha[k] + log_determinant[k] - 0.5 * square;
    }
    return log_sum_exp<T>(k_, term);
  }

  /// Adds what does not depend on the points: the mixture weights' normalization and the prior.
  template <class T> T finish(const T* x, const Factors<T>& f, const T& points) const {
    const T *alpha = x, *icf = x + k_ + k_ * d_;
    const T *diagonal = f.diagonal.data(), *log_determinant = f.log_determinant.data();
    const int size = factor_size();
    T normalization = log_sum_exp<T>(k_, alpha);
    T prior = T(0.0), sum = T(0.0);
    for (int k = 0; k < k_; ++k) {
      T frobenius = T(0.0);
      for (int i = 0; i < d_; ++i) frobenius += diagonal[k * d_ + i] * diagonal[k * d_ + i];
      for (int i = d_; i < size; ++i) frobenius += icf[k * size + i] * icf[k * size + i];
      prior += 0.5 * gamma_ * gamma_ * frobenius;
      sum += log_determinant[k];
    }
    T result =
        points - static_cast<double>(n_) * normalization + prior - static_cast<double>(m_) * sum;
    return result;
  }

  template <class T> T value(const T* x) const {
    Factors<T> f = prepare(x);
    T sum = T(0.0);
    for (int i = 0; i < n_; ++i) sum += term(x, f, i);
    return finish(x, f, sum);
  }

 private:
  int factor_size() const { return d_ * (d_ + 1) / 2; }

  int d_, k_, n_, m_ = 0;
  double gamma_ = 1.0;
  std::vector<double> points_;  // [n, d]
};

/// The sum of squared errors of reprojecting points into cameras.
class Ba {
 public:
  static constexpr const char* kName = "ba";

  explicit Ba(int cameras = 20, int points = 1000, int observations = 5000)
      : cameras_(cameras), points_(points), observations_(observations) {
    Random random(2024);
    for (int o = 0; o < observations; ++o) {
      camera_.push_back(o % cameras);
      point_.push_back(static_cast<int>(random.uniform() * points) % points);
    }
    for (int i = 0; i < 2 * observations; ++i) seen_.push_back(random.uniform(-1.0, 1.0));
  }

  /// Cameras [20, 11] (rotation 3, center 3, focal length, principal point 2, radial distortion 2),
  /// points [1000, 3], weights of the observations [5000].
  std::vector<double> point() const {
    Random random(55);
    std::vector<double> x;
    for (int c = 0; c < cameras_; ++c) {
      for (int i = 0; i < 3; ++i) x.push_back(0.3 * random.normal() + 0.1);
      for (int i = 0; i < 2; ++i) x.push_back(0.3 * random.normal());
      x.push_back(-6.0 + 0.3 * random.normal());
      x.push_back(1.0 + 0.1 * random.normal());
      for (int i = 0; i < 3; ++i) x.push_back(0.05 * random.normal());
      x.push_back(0.02 * random.normal());
    }
    for (int i = 0; i < 3 * points_; ++i) x.push_back(random.normal());
    for (int i = 0; i < observations_; ++i) x.push_back(0.8 + 0.1 * random.normal());
    return x;
  }

  template <class T> T value(const T* x) const {
    T sum = T(0.0);
    for (int o = 0; o < observations_; ++o) {
      const auto at = static_cast<std::size_t>(o);
      const T *camera = x + 11 * camera_[at], *world = x + 11 * cameras_ + 3 * point_[at];
      const T& weight = x[11 * cameras_ + 3 * points_ + o];
      T moved[3], turned[3], u[2];
      for (int i = 0; i < 3; ++i) moved[i] = world[i] - camera[3 + i];
      rotate<T>(camera, moved, turned);
      u[0] = turned[0] / turned[2];
      u[1] = turned[1] / turned[2];
      T r2 = u[0] * u[0] + u[1] * u[1];
      T distortion = 1.0 + camera[9] * r2 + camera[10] * r2 * r2;
      for (int i = 0; i < 2; ++i) {
        T projected = u[i] * distortion * camera[6] + camera[7 + i];
        T error = weight * (projected - seen_[static_cast<std::size_t>(2 * o + i)]);
        sum += error * error;
      }
      T regular = 1.0 - weight * weight;
      sum += regular * regular;
    }
    return sum;
  }

 private:
  /// Rodrigues' formula; the data keep the angle away from 0.
  template <class T> static void rotate(const T* r, const T* x, T* y) {
    using std::cos, std::sin, std::sqrt;
    T square = r[0] * r[0] + r[1] * r[1] + r[2] * r[2];
    T angle = sqrt(square), c = cos(angle), s = sin(angle), inverse = 1.0 / angle;
    T w[3], cross[3];
    for (int i = 0; i < 3; ++i) w[i] = r[i] * inverse;
    cross[0] = w[1] * x[2] - w[2] * x[1];
    cross[1] = w[2] * x[0] - w[0] * x[2];
    cross[2] = w[0] * x[1] - w[1] * x[0];
    T along = (w[0] * x[0] + w[1] * x[1] + w[2] * x[2]) * (1.0 - c);
    for (int i = 0; i < 3; ++i) y[i] = x[i] * c + cross[i] * s + w[i] * along;
  }

  int cameras_, points_, observations_;
  std::vector<int> camera_, point_;
  std::vector<double> seen_;  // [observations, 2]
};

/// The mean squared error of a 2-8-8-1 network with tanh on 200 samples.
class Mlp {
 public:
  static constexpr const char* kName = "mlp";
  static constexpr int kHidden = 8;

  explicit Mlp(int samples = 200) : samples_(samples) {
    Random random(11);
    for (int s = 0; s < samples; ++s) {
      const double a = random.uniform(-1, 1), b = random.uniform(-1, 1);
      in_.insert(in_.end(), {a, b});
      out_.push_back(std::sin(3 * a) * b);
    }
  }

  static std::vector<double> point() {
    std::vector<double> x = Random(12).normals(kHidden * (2 + 1 + kHidden + 1 + 1) + 1);
    for (double& element : x) element *= 0.5;
    return x;
  }

  template <class T> T value(const T* x) const {
    using std::tanh;
    constexpr int kH = kHidden;
    const T *w1 = x, *b1 = w1 + 2 * kH, *w2 = b1 + kH, *b2 = w2 + kH * kH, *w3 = b2 + kH,
            *b3 = w3 + kH;
    T loss = T(0.0);
    for (int s = 0; s < samples_; ++s) {
      const double *in = in_.data() + 2 * s, a = in[0], b = in[1];
      T h1[kH], h2[kH];
      for (int i = 0; i < kH; ++i) h1[i] = tanh(w1[2 * i] * a + w1[2 * i + 1] * b + b1[i]);
      for (int i = 0; i < kH; ++i) {
        T sum = b2[i];
        for (int j = 0; j < kH; ++j) sum += w2[i * kH + j] * h1[j];
        h2[i] = tanh(sum);
      }
      T o = b3[0];
      for (int j = 0; j < kH; ++j) o += w3[j] * h2[j];
      T error = o - out_[static_cast<std::size_t>(s)];
      loss += error * error;
    }
    T mean = loss * (1.0 / samples_);
    return mean;
  }

 private:
  int samples_;
  std::vector<double> in_, out_;  // [samples, 2], [samples]
};

}  // namespace bench
