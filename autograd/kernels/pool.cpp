// SPDX-License-Identifier: Apache-2.0
#include "pool.hpp"

#include <algorithm>
#include <limits>
#include <type_traits>

#include "parallel.hpp"

namespace autograd::kernels {

namespace {

constexpr std::size_t kWork = 20000;  // elements that are worth a thread's while

std::size_t grain(std::int64_t per_item) {
  return kWork / static_cast<std::size_t>(std::max<std::int64_t>(per_item, 1)) + 1;
}

/// Places within a plane: as wide as an element, so that one vector holds as many of either.
template <class T>
using Place = std::conditional_t<sizeof(T) == sizeof(std::int32_t), std::int32_t, std::int64_t>;

// The largest elements so far of the windows of one row of outputs, and where they lie; -1: nowhere yet.
template <class T, class Place> struct RowOfWindows {
  std::vector<T> best;
  std::vector<Place> at;

  explicit RowOfWindows(std::size_t windows) : best(windows), at(windows) {}
  void start() {
    std::fill(best.begin(), best.end(), -std::numeric_limits<T>::infinity());
    std::fill(at.begin(), at.end(), Place(-1));
  }

  // Looks at one tap of each of the windows [low, high): elements that lie `stride` apart, x[0] at `index`.
  // Of equal elements the first one stays, and so does a NaN. No branches: a vector at a time.
  template <std::int64_t kStride>
  void look(std::size_t low, std::size_t high, const T* __restrict x, std::int64_t index,
            std::int64_t stride) {
    const std::int64_t step = kStride ? kStride : stride;
    T* __restrict value = best.data() + low;
    Place* __restrict place = at.data() + low;
    const auto n = static_cast<std::int64_t>(high - low);
    auto here = static_cast<Place>(index);
    for (std::int64_t k = 0; k < n; ++k, here += static_cast<Place>(step)) {
      const T v = x[k * step], old = value[k];
      const bool take = (place[k] < 0) | (!(v <= old) & (old == old));
      value[k] = take ? v : old;
      place[k] = take ? here : place[k];
    }
  }
};

// Windows [low, high) of an axis that have a tap with this number, evenly spaced, so that one loop does.
struct Stretch {
  std::size_t low, high;
  std::int64_t stride;
};
std::vector<std::vector<Stretch>> stretches_by_tap(const AxisWindows& w) {
  std::vector<std::vector<Stretch>> result;
  const std::int64_t taps = *std::max_element(w.count.begin(), w.count.end());
  for (std::int64_t tap = 0; tap < taps; ++tap) {
    std::vector<Stretch>& list = result.emplace_back();
    for (std::size_t k = 0; k < w.first.size(); ++k) {
      if (tap >= w.count[k]) continue;
      if (!list.empty() && list.back().high == k) {
        Stretch& last = list.back();
        const std::int64_t gap = w.first[k] - w.first[k - 1];
        if (last.high - last.low == 1) last.stride = gap;
        if (last.stride == gap) {
          ++last.high;
          continue;
        }
      }
      list.push_back({k, k + 1, 0});
    }
  }
  return result;
}

template <class T, class Place>
void look_at_row(const Windows& w, const std::vector<std::vector<Stretch>>& by_tap, const T* plane,
                 std::int64_t row, RowOfWindows<T, Place>& windows) {
  for (std::size_t tap = 0; tap < by_tap.size(); ++tap) {
    for (const Stretch& s : by_tap[tap]) {
      const std::int64_t index =
          row + w[2].first[s.low] + static_cast<std::int64_t>(tap) * w[2].step;
      switch (s.stride) {
        case 1: windows.template look<1>(s.low, s.high, plane + index, index, 1); break;
        case 2: windows.template look<2>(s.low, s.high, plane + index, index, 2); break;
        default: windows.template look<0>(s.low, s.high, plane + index, index, s.stride);
      }
    }
  }
}

template <class T, class Place>
void largest_of_row(const Windows& w, const std::vector<std::vector<Stretch>>& by_tap,
                    const T* plane, std::size_t i, std::size_t j, RowOfWindows<T, Place>& windows) {
  windows.start();
  for (std::int64_t a = 0; a < w[0].count[i]; ++a) {
    const std::int64_t d = w[0].first[i] + a * w[0].step;
    for (std::int64_t b = 0; b < w[1].count[j]; ++b) {
      const std::int64_t row = (d * w[1].in + w[1].first[j] + b * w[1].step) * w[2].in;
      look_at_row(w, by_tap, plane, row, windows);
    }
  }
}

// The usual pooling: windows of two by two that lie side by side, all of their elements there. One pass
// over two rows, without a state in memory: max_pool2d of [128, 16, 28, 28] in 2.2 ms instead of 3.5.
bool are_squares(const Windows& w, const std::vector<std::vector<Stretch>>& by_tap) {
  const auto all = [](const auto& counts, std::int64_t n) {
    return std::all_of(counts.begin(), counts.end(), [n](std::int64_t c) { return c == n; });
  };
  const auto side_by_side = [&](const std::vector<Stretch>& list) {
    return list.size() == 1 && list[0].stride == 2 && list[0].high == w[2].first.size();
  };
  return all(w[0].count, 1) && all(w[1].count, 2) && all(w[2].count, 2) && w[2].step == 1 &&
         side_by_side(by_tap[0]) && side_by_side(by_tap[1]);
}

// n windows, of rows a and b; a[0] lies at `here`, b[0] `down` places further. Ties and NaN as
// RowOfWindows::look has them; truth values are masks of all bits, for GCC 12 keeps bools out of vectors.
template <class Place, class T>
void largest_of_squares(const T* __restrict a, const T* __restrict b, Place here, Place down,
                        std::int64_t n, Place* __restrict to) {
  const auto passes = [](T v, T best) -> Place {
    return -Place(!(v <= best)) & -Place(best == best);
  };
  for (std::int64_t k = 0; k < n; ++k) {
    const T p = a[2 * k], q = a[2 * k + 1], r = b[2 * k], s = b[2 * k + 1];
    const Place right = passes(q, p), below_right = passes(s, r);
    const T upper = right ? q : p, lower = below_right ? s : r;
    const Place below = passes(lower, upper);
    to[k] = here + static_cast<Place>(2 * k) + (below & (down - below_right)) - (~below & right);
  }
}

template <class Place, class T>
void largest(const Windows& w, const T* x, std::int64_t* index, std::size_t planes) {
  const std::int64_t in = w[0].in * w[1].in * w[2].in;
  const std::int64_t out = w[0].out() * w[1].out() * w[2].out();
  const auto by_tap = stretches_by_tap(w[2]);
  const bool squares = are_squares(w, by_tap);
  parallel_for(planes, grain(in + 4 * out), [&](std::size_t begin, std::size_t end) {
    RowOfWindows<T, Place> row(w[2].first.size());
    std::int64_t* to = index + begin * static_cast<std::size_t>(out);
    for (std::size_t plane = begin; plane < end; ++plane) {
      const T* from = x + plane * static_cast<std::size_t>(in);
      for (std::size_t i = 0; i < w[0].first.size(); ++i) {
        for (std::size_t j = 0; j < w[1].first.size(); ++j) {
          if (squares) {
            const std::int64_t upper =
                (w[0].first[i] * w[1].in + w[1].first[j]) * w[2].in + w[2].first[0];
            const std::int64_t down = w[1].step * w[2].in;
            largest_of_squares(from + upper, from + upper + down, static_cast<Place>(upper),
                               static_cast<Place>(down), w[2].out(), row.at.data());
          } else {
            largest_of_row(w, by_tap, from, i, j, row);
          }
          to = std::copy(row.at.begin(), row.at.end(), to);
        }
      }
    }
  });
}

}  // namespace

template <class T>
void max_pool_index(const Windows& w, const T* x, std::int64_t* index, std::size_t planes) {
  const std::int64_t in = w[0].in * w[1].in * w[2].in;
  if (w[0].out() * w[1].out() * w[2].out() == 0) return;
  if (in <= std::numeric_limits<std::int32_t>::max()) return largest<Place<T>>(w, x, index, planes);
  largest<std::int64_t>(w, x, index, planes);
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

// Every result is one input, as in nearest interpolation.
bool selects(const AxisMap& map) {
  return map.divisor.empty() && map.source.size() + 1 == map.begin.size() &&
         std::all_of(map.weight.begin(), map.weight.end(), [](double w) { return w == 1; }) &&
         std::adjacent_find(map.begin.begin(), map.begin.end()) == map.begin.end();
}

// y[o, :] = x[source[o], :].
template <class T> void select_lines(const AxisMap& map, const T* x, T* y, std::size_t inner) {
  const std::int64_t* source = map.source.data();
  const std::size_t out = map.source.size();
  if (inner == 1) {
    for (std::size_t o = 0; o < out; ++o) y[o] = x[source[o]];
    return;
  }
  for (std::size_t o = 0; o < out; ++o) {
    std::copy_n(x + static_cast<std::size_t>(source[o]) * inner, inner, y + o * inner);
  }
}

// One row of results: y[o] of x[in].
template <class T> void resample_line(const AxisMap& map, const T* x, T* y) {
  const std::size_t out = map.begin.size() - 1;
  const std::int64_t* source = map.source.data();
  const double* weight = map.weight.data();
  const auto term = [=](std::size_t t) { return weight[t] * static_cast<double>(x[source[t]]); };
  for (std::size_t o = 0, t = 0; o < out; ++o) {
    if (map.divisor.empty() && map.begin[o + 1] - map.begin[o] == 2) {  // linear interpolation
      y[o] = static_cast<T>(term(t) + term(t + 1));
      t += 2;
      continue;
    }
    double sum = 0;
    for (const auto end = static_cast<std::size_t>(map.begin[o + 1]); t < end; ++t) {
      sum += term(t);
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
    if (map.divisor.empty() && end - first == 2) {  // linear interpolation
      const T* p = x + static_cast<std::size_t>(map.source[first]) * inner;
      const T* q = x + static_cast<std::size_t>(map.source[first + 1]) * inner;
      const double u = map.weight[first], v = map.weight[first + 1];
      T* to = y + o * inner;
      for (std::size_t k = 0; k < inner; ++k) {
        to[k] = static_cast<T>(u * static_cast<double>(p[k]) + v * static_cast<double>(q[k]));
      }
      continue;
    }
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
  const bool copies = selects(map);
  parallel_for(outer, grain(work), [&](std::size_t first, std::size_t end) {
    for (std::size_t row = first; row < end; ++row) {
      const T* from = x + row * in * inner;
      T* to = y + row * out * inner;
      if (copies) {
        select_lines(map, from, to, inner);
      } else {
        inner == 1 ? resample_line(map, from, to) : resample_lines(map, from, to, inner);
      }
    }
  });
}

template void max_pool_index(const Windows&, const float*, std::int64_t*, std::size_t);
template void max_pool_index(const Windows&, const double*, std::int64_t*, std::size_t);
template void resample(const AxisMap&, const float*, float*, std::size_t, std::size_t);
template void resample(const AxisMap&, const double*, double*, std::size_t, std::size_t);

}  // namespace autograd::kernels
