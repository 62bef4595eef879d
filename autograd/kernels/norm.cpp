// SPDX-License-Identifier: Apache-2.0
#include "norm.hpp"

#include <algorithm>
#include <cmath>

#include "norm_table.hpp"
#include "parallel.hpp"
#include "scratch.hpp"

namespace autograd::kernels {

namespace {

// Where the elements of row r with outer index o begin: features * inner of them in one piece.
std::size_t piece(const NormShape& s, std::size_t row, std::size_t o) {
  return (o * s.rows() + row) * s.features * s.inner;
}

std::size_t row_grain(const NormShape& s) {
  return 10000 / std::max<std::size_t>(s.row_size(), 1) + 1;
}

// The part of weights or biases that a stretch needs: one each along features, or one for all of space.
template <class T> Along<T> along(const NormShape& s, const T* values, std::size_t f, T missing) {
  if (values == nullptr) return {nullptr, missing};
  return s.inner == 1 ? Along<T>{values, missing} : Along<T>{nullptr, values[f]};
}

// Calls f(offset in the piece, length, feature) for stretches with one weight or one per element.
template <class F> void for_each_stretch(const NormShape& s, F&& f) {
  if (s.inner == 1) return f(0, s.features, 0);
  for (std::size_t feature = 0; feature < s.features; ++feature) {
    f(feature * s.inner, s.inner, feature);
  }
}

// What the backward pass of one row needs besides x and dy.
template <class T> struct RowGradient {
  const NormTable<T>& table;
  const NormShape& s;
  NormKind kind;
  const T* weight;  // of the row's group, or null
  double mean, scale;

  // dx from the sums of w dy and of w dy x^ over the row; x, dy and dx begin at the array's first.
  void give_back(std::size_t row, const double* sums, const T* x, const T* dy, T* dx) const {
    const auto n = static_cast<double>(s.row_size());
    const auto shift = static_cast<T>(kind == NormKind::centered ? sums[0] / n : 0);
    const auto tilt = static_cast<T>(kind != NormKind::fixed ? sums[1] / n : 0);
    for (std::size_t o = 0; o < s.outer; ++o) {
      for_each_stretch(s, [&](std::size_t offset, std::size_t length, std::size_t f) {
        const std::size_t at = piece(s, row, o) + offset;
        table.give_back(length, x + at, dy + at, Center<T>(mean), static_cast<T>(scale),
                        along(s, weight, f, T(1)), shift, tilt, dx + at);
      });
    }
  }
};

// Sums of dy and of dy x^ by weight, for the samples of one part.
struct WeightSums {
  double *plain, *times;  // null: not wanted
};

// Rows of features, one after the other (layer norm): the sums by feature take some rows at a time, which
// are then still in cache.
template <class T>
void backward_features(const NormShape& s, NormKind kind, std::size_t first, std::size_t last,
                       const T* x, const double* mean, const double* scale, const T* weight,
                       const T* dy, T* dx, WeightSums sums) {
  constexpr std::size_t kRows = 8;
  const NormTable<T>& table = norm_table(T());
  for (std::size_t row = first; row < last; row += kRows) {
    const std::size_t rows = std::min(kRows, last - row), n = s.features;
    for (std::size_t r = row; dx && r < row + rows; ++r) {
      double of_row[2] = {};
      table.sums(n, x + r * n, dy + r * n, mean[r], scale[r], weight, of_row);
      RowGradient<T>{table, s, kind, weight, mean[r], scale[r]}.give_back(r, of_row, x, dy, dx);
    }
    if (sums.plain) {
      table.columns(rows, n, x + row * n, dy + row * n, mean + row, scale + row, sums.plain,
                    sums.times);
    }
  }
}

// One row of a group: every feature has one weight for all of space.
template <class T>
void backward_row(const NormShape& s, NormKind kind, std::size_t row, const T* x,
                  const double* mean, const double* scale, const T* weight, const T* dy, T* dx,
                  WeightSums sums) {
  const NormTable<T>& table = norm_table(T());
  const T* own = weight ? weight + row % s.groups * s.features : nullptr;
  double of_row[2] = {};
  for (std::size_t f = 0; f < s.features; ++f) {
    double of_feature[2] = {};
    for (std::size_t o = 0; o < s.outer; ++o) {
      const std::size_t at = piece(s, row, o) + f * s.inner;
      table.sums(s.inner, x + at, dy + at, mean[row], scale[row], nullptr, of_feature);
    }
    const double slope = own ? static_cast<double>(own[f]) : 1.0;
    for (int k = 0; k < 2; ++k) of_row[k] += slope * of_feature[k];
    if (sums.plain) {
      sums.plain[row % s.groups * s.features + f] += of_feature[0];
      sums.times[row % s.groups * s.features + f] += of_feature[1];
    }
  }
  if (dx) {
    RowGradient<T>{table, s, kind, own, mean[row], scale[row]}.give_back(row, of_row, x, dy, dx);
  }
}

// y of one row; x and y begin at the array's first, weight and bias, which may be null, at that of all.
template <class T> struct RowResult {
  const NormTable<T>& table;
  const NormShape& s;
  const T *weight, *bias;

  void operator()(std::size_t row, const T* x, double mean, double scale, T* y) const {
    const std::size_t w = row % s.groups * s.features;
    for (std::size_t o = 0; o < s.outer; ++o) {
      for_each_stretch(s, [&](std::size_t offset, std::size_t length, std::size_t f) {
        const std::size_t at = piece(s, row, o) + offset;
        table.apply(length, x + at, Center<T>(mean), static_cast<T>(scale),
                    along(s, weight ? weight + w : nullptr, f, T(1)),
                    along(s, bias ? bias + w : nullptr, f, T(0)), y + at);
      });
    }
  }
};

}  // namespace

template <class T>
void norm_standardize(const NormShape& s, bool center, double eps, const T* x, const T* weight,
                      const T* bias, const NormStatistics& to, T* y) {
  const auto n = static_cast<double>(s.row_size());
  const std::size_t length = s.features * s.inner;
  const NormTable<T>& table = norm_table(T());
  const RowResult<T> result = {table, s, weight, bias};
  parallel_for(s.rows(), row_grain(s), [&](std::size_t begin, std::size_t end) {
    for (std::size_t row = begin; row < end; ++row) {
      double m = 0, v = 0;
      if (center) {
        for (std::size_t o = 0; o < s.outer; ++o) m += table.sum(length, x + piece(s, row, o));
        m /= n;
      }
      for (std::size_t o = 0; o < s.outer; ++o) v += table.squares(length, x + piece(s, row, o), m);
      to.mean[row] = m;
      to.variance[row] = v / n;
      to.scale[row] = 1.0 / std::sqrt(v / n + eps);
      result(row, x, m, to.scale[row], y);
    }
  });
}

template <class T>
void norm_forward(const NormShape& s, const T* x, const double* mean, const double* scale,
                  const T* weight, const T* bias, T* y) {
  const RowResult<T> result = {norm_table(T()), s, weight, bias};
  parallel_for(s.rows(), row_grain(s), [&](std::size_t begin, std::size_t end) {
    for (std::size_t row = begin; row < end; ++row) result(row, x, mean[row], scale[row], y);
  });
}

template <class T>
void norm_backward(const NormShape& s, NormKind kind, const T* x, const double* mean,
                   const double* scale, const T* weight, const T* dy, const NormGradients<T>& dx) {
  // Pieces of the samples with sums of their own: [pieces][bias, weight][weights].
  const std::size_t pieces = std::min<std::size_t>(std::max<std::size_t>(s.samples, 1), 16);
  const bool weights = dx.weight || dx.bias;
  const std::size_t size = weights ? pieces * 2 * s.weights() : 0;
  double* all_sums = scratch<double>(Scratch::reduce, size);
  std::fill_n(all_sums, size, 0.0);
  // A task is one piece of the samples with one group, so that no two add to the same sums.
  const std::size_t tasks = pieces * s.groups;
  const std::size_t grain = 10000 / std::max<std::size_t>(s.numel() / tasks, 1) + 1;
  parallel_for(tasks, grain, [&](std::size_t begin, std::size_t end) {
    for (std::size_t task = begin; task < end; ++task) {
      const std::size_t part = task / s.groups, group = task % s.groups;
      const std::size_t first = part * s.samples / pieces, last = (part + 1) * s.samples / pieces;
      double* own = weights ? all_sums + part * 2 * s.weights() : nullptr;
      const WeightSums sums = {own, weights ? own + s.weights() : nullptr};
      if (s.outer == 1 && s.groups == 1 && s.inner == 1) {
        backward_features(s, kind, first, last, x, mean, scale, weight, dy, dx.x, sums);
        continue;
      }
      for (std::size_t sample = first; sample < last; ++sample) {
        backward_row(s, kind, sample * s.groups + group, x, mean, scale, weight, dy, dx.x, sums);
      }
    }
  });
  for (std::size_t i = 0; weights && i < s.weights(); ++i) {
    double plain = 0, times = 0;
    for (std::size_t part = 0; part < pieces; ++part) {
      plain += all_sums[part * 2 * s.weights() + i];
      times += all_sums[(part * 2 + 1) * s.weights() + i];
    }
    if (dx.bias) dx.bias[i] = static_cast<T>(plain);
    if (dx.weight) dx.weight[i] = static_cast<T>(times);
  }
}

template void norm_standardize(const NormShape&, bool, double, const float*, const float*,
                               const float*, const NormStatistics&, float*);
template void norm_standardize(const NormShape&, bool, double, const double*, const double*,
                               const double*, const NormStatistics&, double*);
template void norm_forward(const NormShape&, const float*, const double*, const double*,
                           const float*, const float*, float*);
template void norm_forward(const NormShape&, const double*, const double*, const double*,
                           const double*, const double*, double*);
template void norm_backward(const NormShape&, NormKind, const float*, const double*, const double*,
                            const float*, const float*, const NormGradients<float>&);
template void norm_backward(const NormShape&, NormKind, const double*, const double*, const double*,
                            const double*, const double*, const NormGradients<double>&);

}  // namespace autograd::kernels
