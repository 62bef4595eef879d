// SPDX-License-Identifier: Apache-2.0
#include "norm.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "parallel.hpp"
#include "scratch.hpp"

namespace autograd::kernels {

namespace {

constexpr std::size_t kLanes = 8;

// The sum of f(x[i]) in double, in eight chains that are added up pairwise.
template <class T, class F> double lane_sum(std::size_t n, const T* x, F&& f) {
  std::array<double, kLanes> sum{};
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (std::size_t k = 0; k < kLanes; ++k) sum[k] += f(static_cast<double>(x[i + k]));
  }
  for (std::size_t k = 0; i < n; ++i, ++k) sum[k] += f(static_cast<double>(x[i]));
  return ((sum[0] + sum[4]) + (sum[1] + sum[5])) + ((sum[2] + sum[6]) + (sum[3] + sum[7]));
}

// Where the elements of row r with outer index o begin: features * inner of them in one piece.
std::size_t piece(const NormShape& s, std::size_t row, std::size_t o) {
  return (o * s.rows() + row) * s.features * s.inner;
}

std::size_t row_grain(const NormShape& s) {
  return 10000 / std::max<std::size_t>(s.row_size(), 1) + 1;
}

// x - mean for an x and a mean of one type: a float mean alone would lose what its rounding leaves.
template <class T> struct Center {
  T high, low;
  explicit Center(double mean)
      : high(static_cast<T>(mean)),
        low(std::isfinite(mean) ? static_cast<T>(mean - static_cast<double>(high)) : T(0)) {}
  T operator()(T x) const { return (x - high) - low; }
};

// One row at a time: y for features * inner elements.
template <class T>
void normalize_piece(const NormShape& s, const T* x, Center<T> center, T scale, const T* weight,
                     const T* bias, T* y) {
  if (s.inner == 1) {
    const std::size_t n = s.features;
    if (weight == nullptr && bias == nullptr) {
      for (std::size_t i = 0; i < n; ++i) y[i] = center(x[i]) * scale;
    } else if (bias == nullptr) {
      for (std::size_t i = 0; i < n; ++i) y[i] = center(x[i]) * scale * weight[i];
    } else {
      for (std::size_t i = 0; i < n; ++i) {
        y[i] = center(x[i]) * scale * (weight ? weight[i] : T(1)) + bias[i];
      }
    }
    return;
  }
  for (std::size_t f = 0; f < s.features; ++f) {
    const T w = weight ? weight[f] : T(1), b = bias ? bias[f] : T(0);
    const T* from = x + f * s.inner;
    T* to = y + f * s.inner;
    for (std::size_t i = 0; i < s.inner; ++i) to[i] = center(from[i]) * scale * w + b;
  }
}

// Adds to sums [features] of dy and of dy x^ for the elements of one piece.
template <class T>
void add_sums(const NormShape& s, const T* x, const T* dy, Center<T> center, T scale, double* plain,
              double* times) {
  if (s.inner == 1) {
    for (std::size_t i = 0; i < s.features; ++i) {
      plain[i] += static_cast<double>(dy[i]);
      times[i] += static_cast<double>(dy[i]) * static_cast<double>(center(x[i]) * scale);
    }
    return;
  }
  for (std::size_t f = 0; f < s.features; ++f) {
    const T *p = x + f * s.inner, *g = dy + f * s.inner;
    std::array<double, kLanes> a{}, b{};
    for (std::size_t i = 0; i < s.inner; i += kLanes) {
      const std::size_t n = std::min(kLanes, s.inner - i);
      for (std::size_t k = 0; k < n; ++k) {
        const auto slope = static_cast<double>(g[i + k]);
        a[k] += slope;
        b[k] += slope * static_cast<double>(center(p[i + k]) * scale);
      }
    }
    for (std::size_t k = 0; k < kLanes; ++k) {
      plain[f] += a[k];
      times[f] += b[k];
    }
  }
}

// dx = scale (dy w - mean(dy w) - x^ mean(dy w x^)) for the elements of one piece.
template <class T>
void give_back(const NormShape& s, const T* x, const T* dy, Center<T> center, T scale,
               const T* weight, T shift, T along, T* dx) {
  for (std::size_t f = 0; f < s.features; ++f) {
    const T w = weight ? weight[f] : T(1);
    const std::size_t at = f * s.inner;
    for (std::size_t i = at; i < at + s.inner; ++i) {
      dx[i] = scale * (dy[i] * w - shift - center(x[i]) * scale * along);
    }
  }
}

}  // namespace

template <class T>
void norm_statistics(const NormShape& s, bool center, const T* x, double* mean, double* variance) {
  const auto n = static_cast<double>(s.row_size());
  const std::size_t length = s.features * s.inner;
  parallel_for(s.rows(), row_grain(s), [&](std::size_t begin, std::size_t end) {
    for (std::size_t row = begin; row < end; ++row) {
      double m = 0, v = 0;
      if (center) {
        for (std::size_t o = 0; o < s.outer; ++o) {
          m += lane_sum(length, x + piece(s, row, o), [](double e) { return e; });
        }
        m /= n;
      }
      for (std::size_t o = 0; o < s.outer; ++o) {
        v += lane_sum(length, x + piece(s, row, o), [m](double e) { return (e - m) * (e - m); });
      }
      mean[row] = m;
      variance[row] = v / n;
    }
  });
}

template <class T>
void norm_forward(const NormShape& s, const T* x, const double* mean, const double* scale,
                  const T* weight, const T* bias, T* y) {
  parallel_for(s.rows(), row_grain(s), [&](std::size_t begin, std::size_t end) {
    for (std::size_t row = begin; row < end; ++row) {
      const Center<T> center(mean[row]);
      const std::size_t w = row % s.groups * s.features;
      for (std::size_t o = 0; o < s.outer; ++o) {
        const std::size_t at = piece(s, row, o);
        normalize_piece(s, x + at, center, static_cast<T>(scale[row]),
                        weight ? weight + w : nullptr, bias ? bias + w : nullptr, y + at);
      }
    }
  });
}

template <class T>
void norm_backward(const NormShape& s, NormKind kind, const T* x, const double* mean,
                   const double* scale, const T* weight, const T* dy, const NormGradients<T>& dx) {
  const auto n = static_cast<double>(s.row_size());
  // Pieces of the samples with sums of their own: [pieces][bias, weight][weights].
  const std::size_t pieces = std::min<std::size_t>(std::max<std::size_t>(s.samples, 1), 16);
  double* sums = scratch<double>(Scratch::reduce, pieces * 2 * s.weights());
  std::fill_n(sums, pieces * 2 * s.weights(), 0.0);
  const auto run_row = [&](std::size_t row, double* total, double* plain, double* times) {
    const Center<T> center(mean[row]);
    const T factor = static_cast<T>(scale[row]);
    const std::size_t w = row % s.groups * s.features;
    std::fill_n(plain, s.features, 0.0);
    std::fill_n(times, s.features, 0.0);
    for (std::size_t o = 0; o < s.outer; ++o) {
      const std::size_t at = piece(s, row, o);
      add_sums(s, x + at, dy + at, center, factor, plain, times);
    }
    double shift = 0, along = 0;
    for (std::size_t f = 0; f < s.features; ++f) {
      total[w + f] += plain[f];
      total[s.weights() + w + f] += times[f];
      const double slope = weight ? static_cast<double>(weight[w + f]) : 1.0;
      shift += slope * plain[f];
      along += slope * times[f];
    }
    if (dx.x == nullptr) return;
    shift = kind == NormKind::centered ? shift / n : 0;
    along = kind != NormKind::fixed ? along / n : 0;
    for (std::size_t o = 0; o < s.outer; ++o) {
      const std::size_t at = piece(s, row, o);
      give_back(s, x + at, dy + at, center, factor, weight ? weight + w : nullptr,
                static_cast<T>(shift), static_cast<T>(along), dx.x + at);
    }
  };
  // A task is one piece of the samples with one group, so that no two add to the same sums.
  const std::size_t tasks = pieces * s.groups;
  const std::size_t grain = 10000 / std::max<std::size_t>(s.numel() / tasks, 1) + 1;
  parallel_for(tasks, grain, [&](std::size_t begin, std::size_t end) {
    double* local = scratch<double>(Scratch::norm, 2 * s.features);
    for (std::size_t task = begin; task < end; ++task) {
      const std::size_t part = task / s.groups, group = task % s.groups;
      for (std::size_t sample = part * s.samples / pieces; sample < (part + 1) * s.samples / pieces;
           ++sample) {
        run_row(sample * s.groups + group, sums + part * 2 * s.weights(), local,
                local + s.features);
      }
    }
  });
  for (std::size_t i = 0; i < s.weights(); ++i) {
    double plain = 0, times = 0;
    for (std::size_t part = 0; part < pieces; ++part) {
      plain += sums[part * 2 * s.weights() + i];
      times += sums[(part * 2 + 1) * s.weights() + i];
    }
    if (dx.bias) dx.bias[i] = static_cast<T>(plain);
    if (dx.weight) dx.weight[i] = static_cast<T>(times);
  }
}

template void norm_statistics(const NormShape&, bool, const float*, double*, double*);
template void norm_statistics(const NormShape&, bool, const double*, double*, double*);
template void norm_forward(const NormShape&, const float*, const double*, const double*,
                           const float*, const float*, float*);
template void norm_forward(const NormShape&, const double*, const double*, const double*,
                           const double*, const double*, double*);
template void norm_backward(const NormShape&, NormKind, const float*, const double*, const double*,
                            const float*, const float*, const NormGradients<float>&);
template void norm_backward(const NormShape&, NormKind, const double*, const double*, const double*,
                            const double*, const double*, const NormGradients<double>&);

}  // namespace autograd::kernels
