// SPDX-License-Identifier: Apache-2.0
// Runs a test once per instruction set that this machine has, the plain baseline included, and
// helpers that all kernel tests share: random arrays, distances in units in the last place.
#pragma once

#include <autograd/kernels/dispatch.hpp>
#include <autograd/kernels/export.hpp>
#include <autograd/kernels/simd_config.hpp>
// after simd_config.hpp
#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

namespace autograd::kernels {

inline void use_targets(std::int64_t targets) {
  chosen_target().Update(targets == 0 ? available_targets() : targets);
  forget_targets();
}

template <class F> void for_each_target(F&& f) {
  std::vector<std::int64_t> targets;
  for (std::int64_t rest = (available_targets() & HWY_TARGETS) | HWY_STATIC_TARGET; rest != 0;
       rest &= rest - 1) {
    targets.push_back(rest & -rest);
  }
  for (const std::int64_t target : targets) {
    SCOPED_TRACE(target);
    use_targets(target);
    f();
  }
  use_targets(0);
}

/// Distance of `got` from the exact `want` in units of the last place of T at `want`.
template <class T> double ulp_error(T got, long double want) {
  const T rounded = static_cast<T>(want);
  if (std::isnan(got) || std::isnan(rounded)) {
    return std::isnan(got) && std::isnan(rounded) ? 0 : std::numeric_limits<double>::infinity();
  }
  if (got == rounded)
    return std::isinf(got) ? 0 : static_cast<double>(std::abs(got - want) / [&] {
      const T size = std::abs(rounded);
      return std::nextafter(size, std::numeric_limits<T>::infinity()) - size;
    }());
  const T largest = std::numeric_limits<T>::max();
  // One step away from overflow counts as one ulp.
  if (std::isinf(got) || std::isinf(rounded)) {
    const T other = std::isinf(got) ? rounded : got;
    const bool near = std::abs(other) == largest && std::signbit(got) == std::signbit(rounded);
    return near ? 1 : std::numeric_limits<double>::infinity();
  }
  const T size = std::abs(rounded);
  const T ulp = std::nextafter(size, std::numeric_limits<T>::infinity()) - size;
  return static_cast<double>(std::abs(static_cast<long double>(got) - want) / ulp);
}

template <class T>
std::vector<T> random_array(std::size_t n, double low, double high, unsigned seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> uniform(low, high);
  std::vector<T> x(n);
  for (T& v : x) v = static_cast<T>(uniform(random));
  return x;
}

}  // namespace autograd::kernels
