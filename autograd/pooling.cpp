// SPDX-License-Identifier: Apache-2.0
// Public names of pooling and interpolation: checks, and the windows and maps along each axis.
#include <algorithm>
#include <cmath>
#include <limits>

#include "apply.hpp"
#include "functions.hpp"
#include "network.hpp"
#include "spatial.hpp"

namespace autograd {

namespace {

using kernels::AxisMap;
using kernels::AxisWindows;
using kernels::Windows;
using Maps = std::vector<AxisMap>;

std::size_t place(std::int64_t i) { return static_cast<std::size_t>(i); }

// --- Windows ------------------------------------------------------------------------------------

struct Pool {
  PerAxis kernel, stride, padding, dilation;
  bool ceil_mode = false;
};

// How many windows fit along an axis; throws when none does.
std::int64_t pooled(const char* function, const Pool& pool, int axis, const Shape& x) {
  const std::int64_t in = x[2 + axis], stride = pool.stride[axis], padding = pool.padding[axis];
  const std::int64_t reach = pool.dilation[axis] * (pool.kernel[axis] - 1) + 1;
  const std::int64_t room = in + 2 * padding - reach;
  if (room < 0 && !(pool.ceil_mode && room + stride > 0)) {
    throw ShapeError(std::string(function) + ": a window does not fit: x is " + to_string(x) +
                     ", the window spans " + std::to_string(reach) + " along axis " +
                     std::to_string(2 + axis) + "; need at most " +
                     std::to_string(in + 2 * padding));
  }
  std::int64_t out = (room + (pool.ceil_mode ? stride - 1 : 0)) / stride + 1;
  // The last window has to begin inside of the image or in the padding before it.
  if (pool.ceil_mode && (out - 1) * stride >= in + padding) --out;
  return out;
}

void check_pool(const char* function, const Pool& pool, int axes) {
  detail::check_option(function, "kernel_size", pool.kernel, axes, 1);
  detail::check_option(function, "stride", pool.stride, axes, 1);
  detail::check_option(function, "padding", pool.padding, axes, 0);
  detail::check_option(function, "dilation", pool.dilation, axes, 1);
  for (int i = 0; i < axes; ++i) {
    if (pool.padding[i] * 2 > pool.kernel[i]) {
      throw ValueError(std::string(function) + ": padding is too large: it is " +
                       std::to_string(pool.padding[i]) + ", kernel_size is " +
                       std::to_string(pool.kernel[i]) + "; need at most half of the kernel");
    }
  }
}

AxisWindows windows_along(const Pool& pool, int axis, std::int64_t in, std::int64_t out) {
  const std::int64_t step = pool.dilation[axis];
  AxisWindows w{in, step, {}, {}};
  for (std::int64_t o = 0; o < out; ++o) {
    const std::int64_t start = o * pool.stride[axis] - pool.padding[axis];
    const std::int64_t skipped = start < 0 ? (-start + step - 1) / step : 0;
    const std::int64_t first = start + skipped * step;
    const std::int64_t inside = first < in ? (in - 1 - first) / step + 1 : 0;
    w.first.push_back(first);
    w.count.push_back(std::max<std::int64_t>(0, std::min(pool.kernel[axis] - skipped, inside)));
  }
  return w;
}

AxisWindows adaptive_windows(std::int64_t in, std::int64_t out) {
  AxisWindows w{in, 1, {}, {}};
  for (std::int64_t o = 0; o < out; ++o) {
    w.first.push_back(o * in / out);
    w.count.push_back(((o + 1) * in + out - 1) / out - w.first.back());
  }
  return w;
}

// Throws where x resized to these extents is too large, before anything is made for them.
void check_result(Shape shape, const PerAxis& size) {
  for (int i = 2; i < shape.dim(); ++i) shape[i] = size[i - 2];
  (void)shape.numel();
}

// --- Max pooling: find, then pick ---------------------------------------------------------------

Tensor picked(const char* function, const Tensor& x, const Shape& shape, const Windows& windows,
              int axes) {
  detail::check_floating(function, x);
  Shape result{shape[0], shape[1]};
  for (int i = 0; i < axes; ++i) result.push_back(windows[place(3 - axes + i)].out());
  Tensor index = ops::make(result, int64);
  const ops::Dense source(x);
  dispatch_floating(function, x.dtype(), [&]<class T>(T) {
    kernels::max_pool_index<T>(windows, source.data<T>(), ops::data<std::int64_t>(index),
                               place(shape[0] * shape[1]));
  });
  const double fill = -std::numeric_limits<double>::infinity();
  return detail::like_input(ops::pick_each(detail::with_batch(x, shape), index, fill), x);
}

Tensor max_pool(const char* function, int axes, const Tensor& x, PerAxis kernel,
                const MaxPoolOptions& options) {
  const Shape shape = detail::batched_shape(function, x, axes);
  const Pool pool = {kernel, options.stride.count() ? options.stride : kernel, options.padding,
                     options.dilation, options.ceil_mode};
  check_pool(function, pool, axes);
  Windows windows;
  for (int i = 0; i < axes; ++i) {
    windows[place(3 - axes + i)] =
        windows_along(pool, i, shape[2 + i], pooled(function, pool, i, shape));
  }
  return picked(function, x, shape, windows, axes);
}

Tensor adaptive_max_pool(const char* function, int axes, const Tensor& x, PerAxis size) {
  const Shape shape = detail::batched_shape(function, x, axes);
  detail::check_option(function, "output_size", size, axes, 0);
  check_result(shape, size);
  Windows windows;
  for (int i = 0; i < axes; ++i) {
    windows[place(3 - axes + i)] = adaptive_windows(shape[2 + i], size[i]);
  }
  return picked(function, x, shape, windows, axes);
}

// --- Maps along the axes -------------------------------------------------------------------------

Tensor mapped(const char* function, const Tensor& x, const Shape& shape, Maps maps) {
  detail::check_floating(function, x);
  Tensor y = detail::with_batch(x, shape);
  for (std::size_t i = maps.size(); i-- > 0;) {
    y = ops::resample(y, std::make_shared<const AxisMap>(std::move(maps[i])),
                      2 + static_cast<int>(i));
  }
  return detail::like_input(y, x);
}

AxisMap mean_of(const AxisWindows& windows) {
  AxisMap map;
  map.in = windows.in;
  for (std::size_t o = 0; o < windows.first.size(); ++o) {
    for (std::int64_t i = 0; i < windows.count[o]; ++i) map.add(windows.first[o] + i, 1);
    map.end_row();
    map.divisor.push_back(static_cast<double>(windows.count[o]));
  }
  return map;
}

Tensor avg_pool(const char* function, int axes, const Tensor& x, PerAxis kernel,
                const AvgPoolOptions& options) {
  const Shape shape = detail::batched_shape(function, x, axes);
  const Pool pool = {kernel, options.stride.count() ? options.stride : kernel, options.padding, 1,
                     options.ceil_mode};
  check_pool(function, pool, axes);
  Maps maps;
  for (int i = 0; i < axes; ++i) {
    const std::int64_t in = shape[2 + i];
    AxisMap map = mean_of(windows_along(pool, i, in, pooled(function, pool, i, shape)));
    for (std::int64_t o = 0; o < map.out(); ++o) {
      const std::int64_t start = o * pool.stride[i] - pool.padding[i];
      const std::int64_t end = std::min(start + pool.kernel[i], in + pool.padding[i]);
      double& divisor = map.divisor[place(o)];
      if (options.count_include_pad) divisor = static_cast<double>(end - start);
      if (options.divisor_override != 0) divisor = 1;
    }
    maps.push_back(std::move(map));
  }
  const auto by = static_cast<double>(options.divisor_override);
  for (double& d : maps[0].divisor) d = by != 0 ? by : d;
  return mapped(function, x, shape, std::move(maps));
}

Tensor adaptive_avg_pool(const char* function, int axes, const Tensor& x, PerAxis size) {
  const Shape shape = detail::batched_shape(function, x, axes);
  detail::check_option(function, "output_size", size, axes, 0);
  check_result(shape, size);
  Maps maps;
  for (int i = 0; i < axes; ++i) maps.push_back(mean_of(adaptive_windows(shape[2 + i], size[i])));
  return mapped(function, x, shape, std::move(maps));
}

// --- Interpolation -------------------------------------------------------------------------------

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
  if (mode == Interpolation::area) return mean_of(adaptive_windows(axis.in, axis.out));
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
    throw ValueError("interpolate: scale_factor out of range: it is " + std::to_string(factor) +
                     " for an extent of " + std::to_string(in) +
                     "; need a result from 1 to 2^30 elements");
  }
  return static_cast<std::int64_t>(out);
}

}  // namespace

Tensor ops::pick_each(const Tensor& x, const Tensor& index, double fill) {
  return apply(PickEach{index, x.shape(), fill}, x);
}
Tensor ops::unpick_each(const Tensor& y, const Tensor& index, const Shape& shape) {
  return apply(UnpickEach{index, shape}, y);
}
Tensor ops::resample(const Tensor& x, std::shared_ptr<const kernels::AxisMap> map, int axis) {
  return apply(Resample{std::move(map), axis}, x);
}

Tensor max_pool1d(const Tensor& x, PerAxis kernel_size, const MaxPoolOptions& options) {
  return max_pool("max_pool1d", 1, x, kernel_size, options);
}
Tensor max_pool2d(const Tensor& x, PerAxis kernel_size, const MaxPoolOptions& options) {
  return max_pool("max_pool2d", 2, x, kernel_size, options);
}
Tensor max_pool3d(const Tensor& x, PerAxis kernel_size, const MaxPoolOptions& options) {
  return max_pool("max_pool3d", 3, x, kernel_size, options);
}
Tensor avg_pool1d(const Tensor& x, PerAxis kernel_size, const AvgPoolOptions& options) {
  return avg_pool("avg_pool1d", 1, x, kernel_size, options);
}
Tensor avg_pool2d(const Tensor& x, PerAxis kernel_size, const AvgPoolOptions& options) {
  return avg_pool("avg_pool2d", 2, x, kernel_size, options);
}
Tensor avg_pool3d(const Tensor& x, PerAxis kernel_size, const AvgPoolOptions& options) {
  return avg_pool("avg_pool3d", 3, x, kernel_size, options);
}
Tensor adaptive_avg_pool1d(const Tensor& x, PerAxis output_size) {
  return adaptive_avg_pool("adaptive_avg_pool1d", 1, x, output_size);
}
Tensor adaptive_avg_pool2d(const Tensor& x, PerAxis output_size) {
  return adaptive_avg_pool("adaptive_avg_pool2d", 2, x, output_size);
}
Tensor adaptive_avg_pool3d(const Tensor& x, PerAxis output_size) {
  return adaptive_avg_pool("adaptive_avg_pool3d", 3, x, output_size);
}
Tensor adaptive_max_pool1d(const Tensor& x, PerAxis output_size) {
  return adaptive_max_pool("adaptive_max_pool1d", 1, x, output_size);
}
Tensor adaptive_max_pool2d(const Tensor& x, PerAxis output_size) {
  return adaptive_max_pool("adaptive_max_pool2d", 2, x, output_size);
}
Tensor adaptive_max_pool3d(const Tensor& x, PerAxis output_size) {
  return adaptive_max_pool("adaptive_max_pool3d", 3, x, output_size);
}

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
  Maps maps;
  for (const Axis& axis : each) maps.push_back(map_of(axis, options.mode));
  return mapped("interpolate", x, shape, std::move(maps));
}

}  // namespace autograd
