// SPDX-License-Identifier: Apache-2.0
// What the tests of the tape share: the message of an exception, central differences, and Partials, a
// forward-mode number written independently of the library. A generic function is run with Var, with
// Partials and with double, and the three must agree.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace autograd::check {

/// The message of the E that f throws; else a sentence that says what happened.
template <class E, class F> std::string message_of(F&& f) {
  try {
    f();
  } catch (const E& error) {
    return error.what();
  } catch (const std::exception& error) {
    return std::string("another type was thrown: ") + error.what();
  }
  return "nothing was thrown";
}

/// |analytic - numeric| <= tolerance (1 + |numeric|); false for NaN.
inline bool close(double analytic, double numeric, double tolerance = 1e-6) {
  return std::abs(analytic - numeric) <= tolerance * (1 + std::abs(numeric));
}

/// df/dx by central differences, with the usual step times `scale`; f takes the vector x.
template <class F>
std::vector<double> differences(const F& f, std::vector<double> x, double scale = 1) {
  std::vector<double> slopes;
  for (double& element : x) {
    const double at = element, h = scale * std::cbrt(2.2e-16) * std::max(1.0, std::abs(at));
    element = at + h;
    const double above = f(x);
    element = at - h;
    const double below = f(x);
    element = at;
    slopes.push_back((above - below) / (2 * h));
  }
  return slopes;
}

/// A value with its partial derivatives by N inputs.
template <std::size_t N> struct Partials {
  double v = 0;
  std::array<double, N> d{};

  Partials() = default;
  Partials(double value) : v(value) {}
  double value() const { return v; }

  /// The value y whose slope by *this is `slope`.
  Partials chain(double y, double slope) const { return combine(y, slope, *this, 0, *this); }
  static Partials combine(double y, double p, const Partials& a, double q, const Partials& b) {
    Partials r(y);
    for (std::size_t i = 0; i < N; ++i) r.d[i] = p * a.d[i] + q * b.d[i];
    return r;
  }
  Partials& operator+=(const Partials& o) { return *this = *this + o; }
  Partials& operator-=(const Partials& o) { return *this = *this - o; }
  Partials& operator*=(const Partials& o) { return *this = *this * o; }
  Partials& operator/=(const Partials& o) { return *this = *this / o; }

  friend Partials operator+(const Partials& a) { return a; }
  friend Partials operator-(const Partials& a) { return a.chain(-a.v, -1); }
  friend Partials operator+(const Partials& a, const Partials& b) {
    return combine(a.v + b.v, 1, a, 1, b);
  }
  friend Partials operator-(const Partials& a, const Partials& b) {
    return combine(a.v - b.v, 1, a, -1, b);
  }
  friend Partials operator*(const Partials& a, const Partials& b) {
    return combine(a.v * b.v, b.v, a, a.v, b);
  }
  friend Partials operator/(const Partials& a, const Partials& b) {
    return combine(a.v / b.v, 1 / b.v, a, -a.v / b.v / b.v, b);
  }
  friend bool operator<(const Partials& a, const Partials& b) { return a.v < b.v; }
  friend bool operator>(const Partials& a, const Partials& b) { return a.v > b.v; }
  friend Partials exp(const Partials& a) { return a.chain(std::exp(a.v), std::exp(a.v)); }
  friend Partials sin(const Partials& a) { return a.chain(std::sin(a.v), std::cos(a.v)); }
  friend Partials tanh(const Partials& a) {
    return a.chain(std::tanh(a.v), 1 / std::cosh(a.v) / std::cosh(a.v));
  }
  friend Partials max(const Partials& a, const Partials& b) { return a.v > b.v ? a : b; }
  friend Partials min(const Partials& a, const Partials& b) { return a.v < b.v ? a : b; }
  friend Partials where(bool c, const Partials& a, const Partials& b) { return c ? a : b; }
};

}  // namespace autograd::check
