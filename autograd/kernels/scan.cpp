// SPDX-License-Identifier: Apache-2.0
// Columns are walked in tiles of kTile: the state of a tile stays in cache, and the loop over it is one
// the compiler can turn into vectors.
#include "scan.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "parallel.hpp"

namespace autograd::kernels {

namespace {

constexpr std::size_t kTile = 256;
constexpr std::size_t kTaskElements = 1 << 15;  // what a task should at least read

template <class T>
using Accumulator = std::conditional_t<std::is_same_v<T, std::int64_t>, std::uint64_t, double>;

// Calls f(o, i, width) for the tiles of columns i to i + width - 1 of the lines of block o.
template <class F> void for_each_tile(const Lines& lines, F&& f) {
  const std::size_t tiles = (lines.inner + kTile - 1) / kTile;
  const std::size_t elements = std::max<std::size_t>(1, lines.extent) *
                               std::min(kTile, std::max<std::size_t>(1, lines.inner));
  parallel_for(lines.outer * tiles, kTaskElements / elements + 1,
               [&](std::size_t begin, std::size_t end) {
                 for (std::size_t task = begin; task < end; ++task) {
                   const std::size_t i = task % tiles * kTile;
                   f(task / tiles, i, std::min(kTile, lines.inner - i));
                 }
               });
}

// step(state, k, n, line) for every element, in order: element k is the n-th of its line, which has a
// state of its own.
template <class State, class Step>
void walk(const Lines& lines, bool reverse, State initial, Step&& step) {
  if (lines.inner == 1) {
    // Four lines at a time, so that a step need not wait for the one before; their states in registers.
    const auto together = [&]<std::size_t N>(std::integral_constant<std::size_t, N>,
                                             std::size_t o) {
      State state[N];
      std::fill_n(state, N, initial);
      const std::size_t first = (reverse ? o + 1 : o) * lines.extent - reverse;
      for (std::size_t n = 0; n < lines.extent; ++n) {
        const std::size_t k = reverse ? first - n : first + n;
        for (std::size_t j = 0; j < N; ++j) step(state[j], k + j * lines.extent, n, o + j);
      }
    };
    parallel_for(lines.outer, kTaskElements / std::max<std::size_t>(1, lines.extent) + 1,
                 [&](std::size_t o, std::size_t end) {
                   for (; o + 4 <= end; o += 4) {
                     together(std::integral_constant<std::size_t, 4>(), o);
                   }
                   for (; o < end; ++o) together(std::integral_constant<std::size_t, 1>(), o);
                 });
    return;
  }
  for_each_tile(lines, [&](std::size_t o, std::size_t i, std::size_t width) {
    State state[kTile];
    std::fill_n(state, width, initial);
    const std::size_t line = o * lines.inner + i;
    for (std::size_t n = 0; n < lines.extent; ++n) {
      const std::size_t e = reverse ? lines.extent - 1 - n : n;
      const std::size_t k = (o * lines.extent + e) * lines.inner + i;
      for (std::size_t j = 0; j < width; ++j) step(state[j], k + j, n, line + j);
    }
  });
}

// Eight chains, so that a multiplication need not wait for the one before.
template <class T> T line_product(const T* x, std::size_t n) {
  using A = Accumulator<T>;
  A p[8] = {1, 1, 1, 1, 1, 1, 1, 1};
  std::size_t e = 0;
  for (; e + 8 <= n; e += 8) {
    for (std::size_t j = 0; j < 8; ++j) p[j] *= static_cast<A>(x[e + j]);
  }
  for (; e < n; ++e) p[0] *= static_cast<A>(x[e]);
  return static_cast<T>(((p[0] * p[1]) * (p[2] * p[3])) * ((p[4] * p[5]) * (p[6] * p[7])));
}

inline double product_or_0(double zero_wins, double other) {
  return zero_wins == 0 ? 0 : zero_wins * other;
}

// ln of a sum of exponentials as top + ln(sum of exp(x - top)).
struct LogSum {
  double top = -std::numeric_limits<double>::infinity(), sum = 0;

  void add(double x) {
    if (x <= top) {
      if (std::isfinite(top)) sum += std::exp(x - top);
    } else {  // also where one of them is NaN, which stays
      sum = std::isnan(top) ? 1 : sum * std::exp(top - x) + 1;
      top = std::isnan(top) ? top : x;
    }
  }
  double value() const { return std::isfinite(top) ? top + std::log(sum) : top; }
};

}  // namespace

template <class T> void prod(const T* x, T* y, Lines lines) {
  using A = Accumulator<T>;
  for_each_tile(lines, [&](std::size_t o, std::size_t i, std::size_t width) {
    if (lines.inner == 1) {
      y[o] = line_product(x + o * lines.extent, lines.extent);
      return;
    }
    A state[kTile];
    std::fill_n(state, width, A{1});
    for (std::size_t e = 0; e < lines.extent; ++e) {
      const T* row = x + (o * lines.extent + e) * lines.inner + i;
      for (std::size_t j = 0; j < width; ++j) state[j] *= static_cast<A>(row[j]);
    }
    for (std::size_t j = 0; j < width; ++j) {
      y[o * lines.inner + i + j] = static_cast<T>(state[j]);
    }
  });
}

template <class T> void prod_backward(const T* x, const T* dy, T* dx, Lines lines) {
  walk(lines, false, 1.0, [&](double& left, std::size_t k, std::size_t, std::size_t) {
    dx[k] = static_cast<T>(left);
    left *= static_cast<double>(x[k]);
  });
  walk(lines, true, 1.0, [&](double& right, std::size_t k, std::size_t, std::size_t line) {
    const double others = static_cast<double>(dx[k]) * right;
    dx[k] = static_cast<T>(product_or_0(static_cast<double>(dy[line]), others));
    right *= static_cast<double>(x[k]);
  });
}

template <class T> void cumsum(const T* x, T* y, Lines lines, bool reverse) {
  using A = Accumulator<T>;
  walk(lines, reverse, A{0}, [&](A& total, std::size_t k, std::size_t, std::size_t) {
    total += static_cast<A>(x[k]);
    y[k] = static_cast<T>(total);
  });
}

template <class T> void cumprod(const T* x, T* y, Lines lines, bool reverse) {
  using A = Accumulator<T>;
  walk(lines, reverse, A{1}, [&](A& product, std::size_t k, std::size_t, std::size_t) {
    product *= static_cast<A>(x[k]);
    y[k] = static_cast<T>(product);
  });
}

template <class T> void logcumsumexp(const T* x, T* y, Lines lines, bool reverse) {
  walk(lines, reverse, LogSum{}, [&](LogSum& total, std::size_t k, std::size_t, std::size_t) {
    total.add(static_cast<double>(x[k]));
    y[k] = static_cast<T>(total.value());
  });
}

template <class T> void linear_scan(const T* a, const T* b, T* y, Lines lines, bool reverse) {
  walk(lines, reverse, 0.0, [&](double& s, std::size_t k, std::size_t, std::size_t) {
    s = static_cast<double>(b[k]) + product_or_0(s, static_cast<double>(a[k]));
    y[k] = static_cast<T>(s);
  });
}

template <class T>
void cumprod_backward(const T* x, const T* y, const T* dy, T* dx, Lines lines, bool reverse) {
  struct State {
    double s = 0, next = 0;
  };
  walk(lines, !reverse, State{}, [&](State& state, std::size_t k, std::size_t n, std::size_t) {
    state.s = static_cast<double>(dy[k]) + product_or_0(state.s, state.next);
    state.next = static_cast<double>(x[k]);
    const T before = n + 1 == lines.extent ? T(1) : y[reverse ? k + lines.inner : k - lines.inner];
    dx[k] = static_cast<T>(product_or_0(state.s, static_cast<double>(before)));
  });
}

template void prod(const float*, float*, Lines);
template void prod(const double*, double*, Lines);
template void prod_backward(const float*, const float*, float*, Lines);
template void prod_backward(const double*, const double*, double*, Lines);
template void cumsum(const float*, float*, Lines, bool);
template void cumsum(const double*, double*, Lines, bool);
template void cumsum(const std::int64_t*, std::int64_t*, Lines, bool);
template void cumprod(const float*, float*, Lines, bool);
template void cumprod(const double*, double*, Lines, bool);
template void cumprod(const std::int64_t*, std::int64_t*, Lines, bool);
template void logcumsumexp(const float*, float*, Lines, bool);
template void logcumsumexp(const double*, double*, Lines, bool);
template void linear_scan(const float*, const float*, float*, Lines, bool);
template void linear_scan(const double*, const double*, double*, Lines, bool);
template void cumprod_backward(const float*, const float*, const float*, float*, Lines, bool);
template void cumprod_backward(const double*, const double*, const double*, double*, Lines, bool);

}  // namespace autograd::kernels
