// SPDX-License-Identifier: Apache-2.0
#include "lu.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "error.hpp"
#include "text.hpp"

namespace autograd::detail {

Lu::Lu(const char* function, const char* what, std::vector<double> a, std::size_t n)
    : n_(n), lu_(std::move(a)), pivots_(n) {
  double largest = 0;
  for (const double element : lu_) {
    if (!std::isfinite(element)) {
      throw ValueError(std::string(function) + ": " + what +
                       " has an element that is not finite (" + detail::text(element) +
                       "); need finite elements");
    }
    largest = std::max(largest, std::abs(element));
  }
  // A zero pivot comes out of rounding as about this much.
  const double least = largest * static_cast<double>(n) * std::numeric_limits<double>::epsilon();
  for (std::size_t k = 0; k < n; ++k) {
    std::size_t pivot = k;
    for (std::size_t i = k + 1; i < n; ++i) {
      if (std::abs(at(i, k)) > std::abs(at(pivot, k))) pivot = i;
    }
    if (!(std::abs(at(pivot, k)) > least)) {
      throw ValueError(std::string(function) + ": " + what + " is singular: pivot " +
                       std::to_string(k) + " of " + std::to_string(n) + " is " +
                       detail::text(at(pivot, k)) +
                       "; need independent rows (drop an equation that repeats another, or add a "
                       "small multiple of the identity)");
    }
    pivots_[k] = pivot;
    double* row = lu_.data() + k * n;
    if (pivot != k) std::swap_ranges(row, row + n, lu_.data() + pivot * n);
    for (std::size_t i = k + 1; i < n; ++i) {
      double* below = lu_.data() + i * n;
      const double factor = below[k] /= row[k];
      for (std::size_t j = k + 1; j < n; ++j) below[j] -= factor * row[j];
    }
  }
}

void Lu::solve(std::span<double> x) const {
  for (std::size_t k = 0; k < n_; ++k) std::swap(x[k], x[pivots_[k]]);
  for (std::size_t i = 0; i < n_; ++i) {
    for (std::size_t j = 0; j < i; ++j) x[i] -= at(i, j) * x[j];
  }
  for (std::size_t i = n_; i-- > 0;) {
    for (std::size_t j = i + 1; j < n_; ++j) x[i] -= at(i, j) * x[j];
    x[i] /= at(i, i);
  }
}

// A^T = U^T L^T P.
void Lu::solve_transposed(std::span<double> x) const {
  for (std::size_t i = 0; i < n_; ++i) {
    for (std::size_t j = 0; j < i; ++j) x[i] -= at(j, i) * x[j];
    x[i] /= at(i, i);
  }
  for (std::size_t i = n_; i-- > 0;) {
    for (std::size_t j = i + 1; j < n_; ++j) x[i] -= at(j, i) * x[j];
  }
  for (std::size_t k = n_; k-- > 0;) std::swap(x[k], x[pivots_[k]]);
}

}  // namespace autograd::detail
