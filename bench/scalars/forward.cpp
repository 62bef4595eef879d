// SPDX-License-Identifier: Apache-2.0
// Forward mode over the workloads, written independently of the library: what it says is held against
// every reverse mode that is timed.
#include <algorithm>
#include <array>

#include "scalars.hpp"

namespace bench {
namespace {

/// A value and its derivatives in kWidth directions.
struct Tangents {
  static constexpr std::size_t kWidth = 16;
  double v = 0;
  std::array<double, kWidth> d{};

  Tangents() = default;
  Tangents(double value) : v(value) {}
  double value() const { return v; }

  /// y with dy = p da + q db.
  static Tangents make(double y, double p, const Tangents& a, double q, const Tangents& b) {
    Tangents r(y);
    for (std::size_t i = 0; i < kWidth; ++i) r.d[i] = p * a.d[i] + q * b.d[i];
    return r;
  }
  static Tangents make(double y, double p, const Tangents& a) {
    Tangents r(y);
    for (std::size_t i = 0; i < kWidth; ++i) r.d[i] = p * a.d[i];
    return r;
  }
  friend Tangents operator-(const Tangents& a) { return make(-a.v, -1, a); }
  friend Tangents operator+(const Tangents& a, const Tangents& b) {
    return make(a.v + b.v, 1, a, 1, b);
  }
  friend Tangents operator-(const Tangents& a, const Tangents& b) {
    return make(a.v - b.v, 1, a, -1, b);
  }
  friend Tangents operator*(const Tangents& a, const Tangents& b) {
    return make(a.v * b.v, b.v, a, a.v, b);
  }
  friend Tangents operator/(const Tangents& a, const Tangents& b) {
    return make(a.v / b.v, 1 / b.v, a, -a.v / b.v / b.v, b);
  }
  Tangents& operator+=(const Tangents& o) { return *this = *this + o; }
  Tangents& operator*=(const Tangents& o) { return *this = *this * o; }
  friend bool operator>(const Tangents& a, double b) { return a.v > b; }
  friend Tangents exp(const Tangents& a) { return make(std::exp(a.v), std::exp(a.v), a); }
  friend Tangents log(const Tangents& a) { return make(std::log(a.v), 1 / a.v, a); }
  friend Tangents sqrt(const Tangents& a) { return make(std::sqrt(a.v), 0.5 / std::sqrt(a.v), a); }
  friend Tangents sin(const Tangents& a) { return make(std::sin(a.v), std::cos(a.v), a); }
  friend Tangents cos(const Tangents& a) { return make(std::cos(a.v), -std::sin(a.v), a); }
  friend Tangents tanh(const Tangents& a) {
    const double y = std::tanh(a.v);
    return make(y, 1 - y * y, a);
  }
};

struct Forward {
  template <class W>
  static double gradient(const W& workload, const std::vector<double>& x, std::vector<double>& dx) {
    std::vector<Tangents> in(x.begin(), x.end());
    double value = 0;
    for (std::size_t first = 0; first < x.size(); first += Tangents::kWidth) {
      const std::size_t n = std::min(Tangents::kWidth, x.size() - first);
      for (std::size_t i = 0; i < n; ++i) in[first + i].d[i] = 1;
      const Tangents y = value_of(workload, in.data());
      value = y.v;
      for (std::size_t i = 0; i < n; ++i) {
        dx[first + i] = y.d[i];
        in[first + i].d[i] = 0;
      }
    }
    return value;
  }
};

}  // namespace

Gradients forward_gradients(const Workloads& workloads) {
  Gradients gradients = for_all(workloads, Forward());
  gradients[kRows - 1] = gradients[3];
  return gradients;
}

}  // namespace bench
