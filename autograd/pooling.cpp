// SPDX-License-Identifier: Apache-2.0
// Public names of pooling: checks, and the windows along each axis.
#include <algorithm>
#include <limits>

#include "apply.hpp"
#include "functions.hpp"
#include "network.hpp"
#include "reductions.hpp"
#include "spatial.hpp"

namespace autograd {

namespace {

using kernels::AxisMap;
using kernels::AxisWindows;
using kernels::Windows;

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
  std::vector<AxisMap> maps;
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
  return detail::resampled(function, x, shape, std::move(maps));
}

Tensor adaptive_avg_pool(const char* function, int axes, const Tensor& x, PerAxis size) {
  const Shape shape = detail::batched_shape(function, x, axes);
  detail::check_option(function, "output_size", size, axes, 0);
  check_result(shape, size);
  bool global = shape.numel() > 0;
  for (int i = 0; i < axes; ++i) global = global && size[i] == 1;
  if (global) {  // vectors, where a map takes its elements one after the other
    detail::check_floating(function, x);
    Axes space;
    for (int i = 0; i < axes; ++i) space.push_back(i - axes);
    return mean(x, space, {.keepdim = true});
  }
  std::vector<AxisMap> maps;
  for (int i = 0; i < axes; ++i) maps.push_back(mean_of(adaptive_windows(shape[2 + i], size[i])));
  return detail::resampled(function, x, shape, std::move(maps));
}

}  // namespace

Tensor ops::pick_each(const Tensor& x, const Tensor& index, double fill) {
  return apply(PickEach{index, x.shape(), fill}, x);
}
Tensor ops::unpick_each(const Tensor& y, const Tensor& index, const Shape& shape) {
  return apply(UnpickEach{index, shape}, y);
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

}  // namespace autograd
