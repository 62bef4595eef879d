// SPDX-License-Identifier: Apache-2.0
// What all workloads share: their data, which are the same everywhere, and two functions with a branch.
#pragma once

#include <cmath>
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
  std::vector<double> normals(int n) {
    std::vector<double> z;
    for (int i = 0; i < n; ++i) z.push_back(normal());
    return z;
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

/// The number in a scalar of any library.
template <class T> double number(const T& x) {
  if constexpr (requires { x.value(); }) {
    return x.value();
  } else {
    return x.val();
  }
}
inline double number(double x) { return x; }

/// max(x, 0) as a branch, which is what a hand-written pricing loop has.
template <class T> inline T positive_part(const T& x) {
  if (x > 0.0) return x;
  return T(0.0);
}
/// sqrt(max(x, 0)), with slope 0 where x <= 0.
template <class T> inline T sqrt_of_positive_part(const T& x) {
  using std::sqrt;
  if (x > 0.0) return T(sqrt(x));
  return T(0.0);
}

/// ln sum e^v, shifted by the largest of the n values.
template <class T> T log_sum_exp(int n, const T* v) {
  using std::exp, std::log;
  double largest = number(v[0]);
  for (int i = 1; i < n; ++i) {
    const double x = number(v[i]);
    if (x > largest) largest = x;
  }
  T sum = T(0.0);
  for (int i = 0; i < n; ++i) sum += exp(v[i] - largest);
  T y = log(sum) + largest;
  return y;
}

}  // namespace bench
