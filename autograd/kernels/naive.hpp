// SPDX-License-Identifier: Apache-2.0
// Plain-loop twins of the fast kernels, for tests: the same rows for scalar T, the textbook
// product, reductions in double or long double. Written to be obviously right; nothing here is
// fast.
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "../ops/elementwise.hpp"
#include "gemm.hpp"
#include "reduce.hpp"

namespace autograd::kernels {

template <class Row, class T>
void unary_naive(const T* x, T* y, std::size_t n, const Row& row = {}) {
  for (std::size_t i = 0; i < n; ++i) y[i] = row.value(x[i]);
}

// Zero where dy is, and for a row that selects also where the slope is.
template <class Row, class T> T chain_naive(T dy, T slope) {
  return dy == 0 || (Row::info.selects && slope == 0) ? T(0) : dy * slope;
}

template <class Row, class T>
void unary_backward_naive(const T* x, const T* y, const T* dy, T* dx, std::size_t n,
                          const Row& row = {}) {
  for (std::size_t i = 0; i < n; ++i) dx[i] = chain_naive<Row, T>(dy[i], row.slope(x[i], y[i]));
}

template <class Row, class T>
void binary_naive(const T* a, int sa, const T* b, int sb, T* y, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) y[i] = Row::value(a[sa ? i : 0], b[sb ? i : 0]);
}

template <class Row, class T>
void binary_backward_naive(int argument, const T* a, int sa, const T* b, int sb, const T* y,
                           const T* dy, T* dx, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    const T p = a[sa ? i : 0], q = b[sb ? i : 0];
    const T slope = argument == 0 ? Row::slope_a(p, q, y[i]) : Row::slope_b(p, q, y[i]);
    dx[i] = chain_naive<Row>(dy[i], slope);
  }
}

/// The product with long double sums, rounded once at the end.
// Not watched for races, which a plain loop has none of: the check would take minutes.
template <class T> __attribute__((no_sanitize("thread"))) void gemm_naive(const GemmCall<T>& g) {
  for (std::size_t i = 0; i < g.m; ++i) {
    for (std::size_t j = 0; j < g.n; ++j) {
      long double total = g.accumulate ? g.c[i * g.ldc + j] : T(0);
      if (g.bias) total += g.bias[j];
      for (std::size_t p = 0; p < g.k; ++p) {
        const T a = g.transpose_a ? g.a[p * g.lda + i] : g.a[i * g.lda + p];
        const T b = g.transpose_b ? g.b[j * g.ldb + p] : g.b[p * g.ldb + j];
        total += static_cast<long double>(a) * b;
      }
      g.c[i * g.ldc + j] = static_cast<T>(total);
    }
  }
}

/// Calls f(first, last_index, stride) once per line along the reduced axis: line(e) = first + e
/// inner.
template <class F>
void for_each_line(std::size_t outer, std::size_t extent, std::size_t inner, F&& f) {
  for (std::size_t o = 0; o < outer; ++o) {
    for (std::size_t i = 0; i < inner; ++i) f(o * extent * inner + i, o * inner + i);
  }
}

template <class T>
void sum_naive(const T* x, T* y, std::size_t outer, std::size_t extent, std::size_t inner) {
  for_each_line(outer, extent, inner, [&](std::size_t first, std::size_t result) {
    long double total = 0;
    for (std::size_t e = 0; e < extent; ++e) total += x[first + e * inner];
    y[result] = static_cast<T>(total);
  });
}

template <class T>
void max_naive(const T* x, T* y, std::size_t outer, std::size_t extent, std::size_t inner) {
  for_each_line(outer, extent, inner, [&](std::size_t first, std::size_t result) {
    T best = -std::numeric_limits<T>::infinity();
    for (std::size_t e = 0; e < extent; ++e) best = autograd::max(best, x[first + e * inner]);
    y[result] = best;
  });
}

template <class T>
void min_naive(const T* x, T* y, std::size_t outer, std::size_t extent, std::size_t inner) {
  for_each_line(outer, extent, inner, [&](std::size_t first, std::size_t result) {
    T best = std::numeric_limits<T>::infinity();
    for (std::size_t e = 0; e < extent; ++e) best = autograd::min(best, x[first + e * inner]);
    y[result] = best;
  });
}

template <class T>
void logsumexp_naive(const T* x, T* y, std::size_t outer, std::size_t extent, std::size_t inner) {
  std::vector<T> top(outer * inner);
  max_naive(x, top.data(), outer, extent, inner);
  for_each_line(outer, extent, inner, [&](std::size_t first, std::size_t result) {
    y[result] = top[result];  // right as it stands for NaN and for +inf and -inf
    if (!std::isfinite(top[result])) return;
    long double total = 0;
    for (std::size_t e = 0; e < extent; ++e) {
      total += std::exp(static_cast<long double>(x[first + e * inner]) - top[result]);
    }
    y[result] = static_cast<T>(top[result] + std::log(total));
  });
}

template <class T>
void log_softmax_naive(const T* x, T* y, std::size_t outer, std::size_t extent, std::size_t inner) {
  std::vector<T> top(outer * inner);
  max_naive(x, top.data(), outer, extent, inner);
  for_each_line(outer, extent, inner, [&](std::size_t first, std::size_t result) {
    // Where the largest element is infinite or NaN, subtracting it says all there is to say, except
    // that a line of -inf stays as it is.
    const T largest = top[result];
    const bool empty = largest == -std::numeric_limits<T>::infinity();
    long double total = std::isfinite(largest) ? 0 : 1;
    for (std::size_t e = 0; e < extent && std::isfinite(largest); ++e) {
      total += std::exp(static_cast<long double>(x[first + e * inner]) - largest);
    }
    for (std::size_t e = 0; e < extent; ++e) {
      const std::size_t at = first + e * inner;
      y[at] = empty ? largest
                    : static_cast<T>(static_cast<long double>(x[at]) - largest - std::log(total));
    }
  });
}

template <class T>
void softmax_naive(const T* x, T* y, std::size_t outer, std::size_t extent, std::size_t inner) {
  for_each_line(outer, extent, inner, [&](std::size_t first, std::size_t) {
    T top = -std::numeric_limits<T>::infinity();
    for (std::size_t e = 0; e < extent; ++e) top = autograd::max(top, x[first + e * inner]);
    const bool empty = top == -std::numeric_limits<T>::infinity();
    long double total = 0;
    for (std::size_t e = 0; e < extent; ++e) {
      total += std::exp(static_cast<long double>(x[first + e * inner]) - top);
    }
    for (std::size_t e = 0; e < extent; ++e) {
      const std::size_t at = first + e * inner;
      y[at] = empty ? T(0) : T(std::exp(static_cast<long double>(x[at]) - top) / total);
    }
  });
}

template <class T>
void softmax_backward_naive(const T* y, const T* dy, T* dx, std::size_t outer, std::size_t extent,
                            std::size_t inner) {
  for_each_line(outer, extent, inner, [&](std::size_t first, std::size_t) {
    long double dot = 0;
    for (std::size_t e = 0; e < extent; ++e) {
      dot += static_cast<long double>(y[first + e * inner]) * dy[first + e * inner];
    }
    for (std::size_t e = 0; e < extent; ++e) {
      const std::size_t at = first + e * inner;
      dx[at] = static_cast<T>(y[at] * (dy[at] - dot));
    }
  });
}

template <class T>
void log_softmax_backward_naive(const T* y, const T* dy, T* dx, std::size_t outer,
                                std::size_t extent, std::size_t inner) {
  for_each_line(outer, extent, inner, [&](std::size_t first, std::size_t) {
    long double total = 0;
    for (std::size_t e = 0; e < extent; ++e) total += dy[first + e * inner];
    for (std::size_t e = 0; e < extent; ++e) {
      const std::size_t at = first + e * inner;
      dx[at] = static_cast<T>(dy[at] - std::exp(static_cast<long double>(y[at])) * total);
    }
  });
}

template <class T> void cross_entropy_naive(const LabeledRows& rows, const T* x, T* y) {
  std::vector<T> logarithms(rows.n * rows.c);
  log_softmax_naive(x, logarithms.data(), rows.n, rows.c, 1);
  for (std::size_t i = 0; i < rows.n; ++i) {
    y[i] = 0;
    if (rows.label[i] < 0) continue;
    const T* row = logarithms.data() + i * rows.c;
    long double total = 0;
    for (std::size_t j = 0; j < rows.c; ++j) total += row[j];
    y[i] = static_cast<T>(-(1 - rows.smoothing) * row[rows.label[i]]);
    if (rows.smoothing > 0) y[i] -= static_cast<T>(rows.smoothing * (total / rows.c));
  }
}

template <class T>
void cross_entropy_backward_naive(const LabeledRows& rows, const T* x, const T* dy, T* dx) {
  log_softmax_naive(x, dx, rows.n, rows.c, 1);
  for (std::size_t i = 0; i < rows.n; ++i) {
    for (std::size_t j = 0; j < rows.c; ++j) {
      T& g = dx[i * rows.c + j];
      const bool own = rows.label[i] == static_cast<std::int64_t>(j);
      const double q =
          (own ? 1 - rows.smoothing : 0) + rows.smoothing / static_cast<double>(rows.c);
      g = rows.label[i] < 0 ? T(0) : static_cast<T>(dy[i] * (std::exp(static_cast<double>(g)) - q));
    }
  }
}

}  // namespace autograd::kernels
