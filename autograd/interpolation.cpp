// SPDX-License-Identifier: Apache-2.0
// interpolate: checks, and the sparse map along each axis.
#include <algorithm>
#include <array>
#include <cmath>

#include "network.hpp"
#include "spatial.hpp"
#include "text.hpp"

namespace autograd {

namespace {

using kernels::AxisMap;

std::size_t place(std::int64_t i) { return static_cast<std::size_t>(i); }

// One axis of an interpolation: extents, and how far apart the sources of neighboring results are.
struct Axis {
  std::int64_t in, out;
  double factor;  // given by the caller; 0: out / in
  bool align_corners;

  std::int64_t nearest(std::int64_t o, bool exact) const {
    std::int64_t at = 0;
    if (factor > 0) {
      const double position = static_cast<double>(o) + (exact ? 0.5 : 0.0);
      at = static_cast<std::int64_t>(position / factor);
    } else {
      at = exact ? (2 * o + 1) * in / (2 * out) : o * in / out;
    }
    return std::min(at, in - 1);
  }
  double source(std::int64_t o) const {
    const auto i = static_cast<double>(in), n = static_cast<double>(out);
    const auto at = static_cast<double>(o);
    if (align_corners) return out > 1 ? at * (i - 1) / (n - 1) : 0.0;
    return factor > 0 ? (at + 0.5) / factor - 0.5 : (at + 0.5) * i / n - 0.5;
  }
};

void add_linear(AxisMap& map, const Axis& axis, std::int64_t o) {
  const double at = std::max(axis.source(o), 0.0);
  const std::int64_t low = std::min(static_cast<std::int64_t>(at), axis.in - 1);
  const double part = low + 1 < axis.in ? at - static_cast<double>(low) : 0.0;
  map.add(low, 1 - part);
  if (part > 0) map.add(low + 1, part);
}

// Keys (1981) with a = -3/4, as PyTorch; borders repeat.
void add_cubic(AxisMap& map, const Axis& axis, std::int64_t o) {
  constexpr double a = -0.75;
  const double at = axis.source(o), low = std::floor(at), t = at - low;
  const auto inner = [](double d) { return ((a + 2) * d - (a + 3)) * d * d + 1; };
  const auto outer = [](double d) { return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a; };
  const double weights[] = {outer(t + 1), inner(t), inner(1 - t), outer(2 - t)};
  for (std::int64_t k = 0; k < 4; ++k) {
    if (weights[k] == 0) continue;
    const std::int64_t from = static_cast<std::int64_t>(low) - 1 + k;
    map.add(std::clamp<std::int64_t>(from, 0, axis.in - 1), weights[k]);
  }
}

AxisMap map_of(const Axis& axis, Interpolation mode) {
  AxisMap map;
  map.in = axis.in;
  for (std::int64_t o = 0; o < axis.out; ++o) {
    switch (mode) {
      case Interpolation::linear: add_linear(map, axis, o); break;
      case Interpolation::cubic: add_cubic(map, axis, o); break;
      default: map.add(axis.nearest(o, mode == Interpolation::nearest_exact), 1);
    }
    map.end_row();
  }
  return map;
}

void check_interpolation(const Tensor& x, const InterpolateOptions& options) {
  const bool by_size = options.size.count() > 0, by_factor = !options.scale_factor.empty();
  if (by_size == by_factor) {
    throw ValueError(std::string("interpolate: ") + (by_size ? "both" : "neither") +
                     " of size and scale_factor given; need one of them");
  }
  if (options.align_corners && options.mode != Interpolation::linear &&
      options.mode != Interpolation::cubic) {
    throw ValueError(
        "interpolate: align_corners has no meaning in this mode; need linear or cubic");
  }
  if (x.dim() < 3 || x.dim() > 5) {
    throw ShapeError("interpolate: x has the wrong number of axes: x is " + to_string(x.shape()) +
                     "; need a batch, channels and 1 to 3 spatial axes");
  }
  const int axes = x.dim() - 2;
  if (by_size) return detail::check_option("interpolate", "size", options.size, axes, 1);
  const auto count = static_cast<int>(options.scale_factor.size());
  if (count != 1 && count != axes) {
    throw ValueError("interpolate: wrong number of values: scale_factor has " +
                     std::to_string(count) + "; need 1 or " + std::to_string(axes));
  }
}

std::int64_t scaled(std::int64_t in, double factor) {
  const double out = std::floor(static_cast<double>(in) * factor);
  if (!(factor > 0) || !(out >= 1) || out > static_cast<double>(detail::kMaxSpatial)) {
    throw ValueError("interpolate: scale_factor out of range: it is " + detail::text(factor) +
                     " for an extent of " + std::to_string(in) +
                     "; need a result from 1 to 2^30 elements");
  }
  return static_cast<std::int64_t>(out);
}

// The extents of space.
PerAxis sizes_of(const Shape& x) {
  if (x.dim() == 3) return x[2];
  return x.dim() == 4 ? PerAxis{x[2], x[3]} : PerAxis{x[2], x[3], x[4]};
}

}  // namespace

Tensor interpolate(const Tensor& x, const InterpolateOptions& options) {
  check_interpolation(x, options);
  const int axes = x.dim() - 2;
  const Shape shape = detail::batched_shape("interpolate", x, axes);
  detail::check_floating("interpolate", x);
  const std::vector<double>& factors = options.scale_factor;
  std::vector<Axis> each;
  Shape result{shape[0], shape[1]};
  for (int i = 0; i < axes; ++i) {
    const double factor = factors.empty() ? 0 : factors[factors.size() == 1 ? 0 : place(i)];
    const std::int64_t in = shape[2 + i];
    const std::int64_t out = factors.empty() ? options.size[i] : scaled(in, factor);
    each.push_back({in, out, factor, options.align_corners});
    result.push_back(out);
  }
  (void)result.numel();  // throws when it is too large
  if (options.mode == Interpolation::area) {
    constexpr auto kPool =
        std::array{&adaptive_avg_pool1d, &adaptive_avg_pool2d, &adaptive_avg_pool3d};
    return kPool[place(axes - 1)](x, sizes_of(result));
  }
  std::vector<AxisMap> maps;
  for (const Axis& axis : each) maps.push_back(map_of(axis, options.mode));
  return detail::resampled("interpolate", x, shape, std::move(maps));
}

}  // namespace autograd
