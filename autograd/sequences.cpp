// SPDX-License-Identifier: Apache-2.0
#include "sequences.hpp"

#include <cmath>

#include "checked_cast.hpp"
#include "create.hpp"
#include "text.hpp"

namespace autograd {

namespace {

constexpr double kMost = 0x1p48;

// A tensor of n elements f(i), computed in double.
template <class F> Tensor filled(const char* function, std::int64_t n, DType dtype, F&& f) {
  if (n < 0) {
    throw ValueError(std::string(function) + ": negative length: " + std::to_string(n) +
                     "; need n >= 0 (" + std::to_string(n) + " < 0)");
  }
  Tensor y = empty({n}, dtype);
  dispatch(dtype, [&]<class T>(T) {
    T* to = static_cast<T*>(y.node()->data);
    for (std::int64_t i = 0; i < n; ++i) {
      to[i] = checked_cast<T>(function, f(i));
    }
  });
  return y;
}

[[noreturn]] void throw_range(const std::string& start, const std::string& stop,
                              const std::string& step) {
  throw ValueError("arange: no such range: start is " + start + ", stop is " + stop + ", step is " +
                   step + "; need finite numbers, a step towards stop and at most 2^48 elements");
}

double line(double start, double stop, std::int64_t i, std::int64_t n) {
  if (n == 1) return start;
  // From the nearer end, so that both are met exactly.
  const double step = (stop - start) / static_cast<double>(n - 1);
  return i < n / 2 ? start + step * static_cast<double>(i)
                   : stop - step * static_cast<double>(n - 1 - i);
}

}  // namespace

Tensor detail::arange_integers(std::int64_t start, std::int64_t stop, std::int64_t step,
                               DType dtype) {
  if (step == 0 || (stop != start && (stop > start) != (step > 0))) {
    throw_range(std::to_string(start), std::to_string(stop), std::to_string(step));
  }
  // The distance as an unsigned number: it may exceed what a signed one holds.
  const auto from = static_cast<std::uint64_t>(start), to = static_cast<std::uint64_t>(stop);
  const std::uint64_t distance = step > 0 ? to - from : from - to;
  const std::uint64_t by = step > 0 ? static_cast<std::uint64_t>(step)
                                    : std::uint64_t{0} - static_cast<std::uint64_t>(step);
  const std::uint64_t n = distance / by + (distance % by != 0);
  if (static_cast<double>(n) > kMost) {
    throw_range(std::to_string(start), std::to_string(stop), std::to_string(step));
  }
  Tensor y = empty({static_cast<std::int64_t>(n)}, dtype);
  dispatch(dtype, [&]<class T>(T) {
    T* elements = static_cast<T*>(y.node()->data);
    auto value = static_cast<std::uint64_t>(start);  // so that the one beyond the last may wrap
    for (std::int64_t i = 0; i < y.numel(); ++i, value += static_cast<std::uint64_t>(step)) {
      elements[i] = static_cast<T>(static_cast<std::int64_t>(value));
    }
  });
  return y;
}

Tensor detail::arange_reals(double start, double stop, double step, DType dtype) {
  const double n = std::ceil((stop - start) / step);
  if (!(n >= 0 && n <= kMost) || !std::isfinite(start) || !std::isfinite(step)) {
    throw_range(detail::text(start), detail::text(stop), detail::text(step));
  }
  return filled("arange", static_cast<std::int64_t>(n), dtype,
                [&](std::int64_t i) { return start + step * static_cast<double>(i); });
}

Tensor linspace(double start, double stop, std::int64_t n, DType dtype) {
  return filled("linspace", n, dtype, [&](std::int64_t i) { return line(start, stop, i, n); });
}
Tensor logspace(double start, double stop, std::int64_t n, double base, DType dtype) {
  return filled("logspace", n, dtype,
                [&](std::int64_t i) { return std::pow(base, line(start, stop, i, n)); });
}

Tensor eye(std::int64_t n, DType dtype) { return eye(n, n, dtype); }
Tensor eye(std::int64_t n, std::int64_t m, DType dtype) {
  Tensor y = zeros({n, m}, dtype);
  dispatch(dtype, [&]<class T>(T) {
    T* elements = static_cast<T*>(y.node()->data);
    for (std::int64_t i = 0; i < std::min(n, m); ++i) elements[i * (m + 1)] = T{1};
  });
  return y;
}

}  // namespace autograd
