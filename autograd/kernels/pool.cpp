// SPDX-License-Identifier: Apache-2.0
#include "pool.hpp"

#include <algorithm>
#include <cmath>

#include "parallel.hpp"

namespace autograd::kernels {

namespace {

constexpr std::size_t kWork = 20000;  // elements that are worth a thread's while

std::size_t grain(std::int64_t per_item) {
  return kWork / static_cast<std::size_t>(std::max<std::int64_t>(per_item, 1)) + 1;
}

// Where the largest element of the window of output (i, j, k) lies in the plane.
template <class T>
std::int64_t largest(const Windows& w, const T* plane, std::size_t i, std::size_t j,
                     std::size_t k) {
  std::int64_t best = -1;
  for (std::int64_t a = 0; a < w[0].count[i]; ++a) {
    const std::int64_t d = w[0].first[i] + a * w[0].step;
    for (std::int64_t b = 0; b < w[1].count[j]; ++b) {
      const std::int64_t row = (d * w[1].in + w[1].first[j] + b * w[1].step) * w[2].in;
      for (std::int64_t c = 0; c < w[2].count[k]; ++c) {
        const std::int64_t at = row + w[2].first[k] + c * w[2].step;
        if (best < 0 || plane[at] > plane[best]) best = at;
        if (std::isnan(plane[at])) return at;
      }
    }
  }
  return best;
}

}  // namespace

template <class T>
void max_pool_index(const Windows& w, const T* x, std::int64_t* index, std::size_t planes) {
  const std::int64_t in = w[0].in * w[1].in * w[2].in;
  const std::int64_t out = w[0].out() * w[1].out() * w[2].out();
  parallel_for(planes, grain(in + 4 * out), [&](std::size_t begin, std::size_t end) {
    std::int64_t* to = index + begin * static_cast<std::size_t>(out);
    for (std::size_t plane = begin; plane < end; ++plane) {
      const T* from = x + plane * static_cast<std::size_t>(in);
      for (std::size_t i = 0; i < w[0].first.size(); ++i) {
        for (std::size_t j = 0; j < w[1].first.size(); ++j) {
          for (std::size_t k = 0; k < w[2].first.size(); ++k) *to++ = largest(w, from, i, j, k);
        }
      }
    }
  });
}

AxisMap transposed(const AxisMap& map) {
  AxisMap result;
  result.in = map.out();
  result.begin.assign(static_cast<std::size_t>(map.in) + 1, 0);
  result.source.resize(map.source.size());
  result.weight.resize(map.source.size());
  for (std::int64_t source : map.source) ++result.begin[static_cast<std::size_t>(source) + 1];
  for (std::size_t i = 1; i < result.begin.size(); ++i) result.begin[i] += result.begin[i - 1];
  std::vector<std::int64_t> next(result.begin.begin(), result.begin.end() - 1);
  for (std::size_t o = 0; o + 1 < map.begin.size(); ++o) {
    for (auto t = static_cast<std::size_t>(map.begin[o]);
         t < static_cast<std::size_t>(map.begin[o + 1]); ++t) {
      const auto at = static_cast<std::size_t>(next[static_cast<std::size_t>(map.source[t])]++);
      result.source[at] = static_cast<std::int64_t>(o);
      result.weight[at] = map.divisor.empty() ? map.weight[t] : map.weight[t] / map.divisor[o];
    }
  }
  return result;
}

namespace {

// One row of results: y[o] of x[in].
template <class T> void resample_line(const AxisMap& map, const T* x, T* y) {
  const std::size_t out = map.begin.size() - 1;
  const std::int64_t* source = map.source.data();
  const double* weight = map.weight.data();
  for (std::size_t o = 0, t = 0; o < out; ++o) {
    double sum = 0;
    for (const auto end = static_cast<std::size_t>(map.begin[o + 1]); t < end; ++t) {
      sum += weight[t] * static_cast<double>(x[source[t]]);
    }
    y[o] = static_cast<T>(map.divisor.empty() ? sum : sum / map.divisor[o]);
  }
}

// The same for vectors of `inner` elements: y[o, :] of x[in, :].
template <class T> void resample_lines(const AxisMap& map, const T* x, T* y, std::size_t inner) {
  constexpr std::size_t kBlock = 64;
  const std::size_t out = map.begin.size() - 1;
  double sum[kBlock];
  for (std::size_t o = 0; o < out; ++o) {
    const auto first = static_cast<std::size_t>(map.begin[o]);
    const auto end = static_cast<std::size_t>(map.begin[o + 1]);
    const double d = map.divisor.empty() ? 1.0 : map.divisor[o];
    for (std::size_t i = 0; i < inner; i += kBlock) {
      const std::size_t n = std::min(kBlock, inner - i);
      for (std::size_t k = 0; k < n; ++k) sum[k] = 0;
      for (std::size_t t = first; t < end; ++t) {
        const T* from = x + static_cast<std::size_t>(map.source[t]) * inner + i;
        const double w = map.weight[t];
        for (std::size_t k = 0; k < n; ++k) sum[k] += w * static_cast<double>(from[k]);
      }
      T* to = y + o * inner + i;
      for (std::size_t k = 0; k < n; ++k) to[k] = static_cast<T>(sum[k] / d);
    }
  }
}

}  // namespace

template <class T>
void resample(const AxisMap& map, const T* x, T* y, std::size_t outer, std::size_t inner) {
  const auto in = static_cast<std::size_t>(map.in), out = map.begin.size() - 1;
  const auto work = static_cast<std::int64_t>(inner * (map.source.size() + out));
  parallel_for(outer, grain(work), [&](std::size_t first, std::size_t end) {
    for (std::size_t row = first; row < end; ++row) {
      const T* from = x + row * in * inner;
      T* to = y + row * out * inner;
      inner == 1 ? resample_line(map, from, to) : resample_lines(map, from, to, inner);
    }
  });
}

template void max_pool_index(const Windows&, const float*, std::int64_t*, std::size_t);
template void max_pool_index(const Windows&, const double*, std::int64_t*, std::size_t);
template void resample(const AxisMap&, const float*, float*, std::size_t, std::size_t);
template void resample(const AxisMap&, const double*, double*, std::size_t, std::size_t);

}  // namespace autograd::kernels
