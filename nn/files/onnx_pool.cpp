// SPDX-License-Identifier: Apache-2.0
// What pools and resampling are in ONNX.
#include <algorithm>
#include <cmath>
#include <string_view>

#include "../layers/pool.hpp"
#include "../layers/reshape.hpp"
#include "onnx_graph.hpp"

namespace nn::detail {

namespace {

using Attribute = OnnxAttribute;
using Step = OnnxStep;
using std::string;
using Integers = std::vector<std::int64_t>;

// --- pools

/// Windows of a pool: their number is that of the layer's output, so that it does not depend on how
/// rounding up is meant; those that end outside have further margins at the end.
struct Windows {
  Integers kernel, stride, dilation, pads;
};

template <class Options>
Windows windows(const Step& s, int axes, const PerAxis& kernel, const Options& options,
                const PerAxis& dilation) {
  const PerAxis& stride = options.stride.count() > 0 ? options.stride : kernel;
  Windows w{onnx_each(kernel, axes), onnx_each(stride, axes), onnx_each(dilation, axes),
            onnx_both(options.padding, axes)};
  for (int i = 0; i < axes; ++i) {
    const std::int64_t reach = (s.out[i + 2] - 1) * stride[i] + dilation[i] * (kernel[i] - 1) + 1;
    std::int64_t& behind = w.pads[static_cast<std::size_t>(axes + i)];
    behind = std::max(behind, reach - s.in[i + 2] - options.padding[i]);
  }
  return w;
}

OnnxAttributes attributes_of(const Windows& w) {
  return {Attribute::integers("kernel_shape", w.kernel), Attribute::integers("strides", w.stride),
          Attribute::integers("pads", w.pads)};
}

template <Name name, auto pool>
string write(Step& s, const WindowPool<name, pool, autograd::MaxPoolOptions>& layer) {
  constexpr int kAxes = name.axes();
  s.need_axes(kAxes + 2, kAxes + 2);
  const PerAxis& dilation = layer.options().dilation;
  const Windows w = windows(s, kAxes, layer.kernel_size(), layer.options(), dilation);
  OnnxAttributes attributes = attributes_of(w);
  if (w.dilation != Integers(kAxes, 1)) {
    attributes.push_back(Attribute::integers("dilations", w.dilation));
  }
  return s.node("MaxPool", {s.x}, attributes);
}

/// The amounts of pad() for margins in the order of ONNX.
Integers amounts_of(const Integers& pads) {
  Integers amounts;
  const std::size_t axes = pads.size() / 2;
  for (std::size_t i = axes; i-- > 0;) amounts.insert(amounts.end(), {pads[i], pads[axes + i]});
  return amounts;
}

/// Margins of a mean never count for ONNX here: OpenCV 4.6 does not read count_include_pad. Where they
/// shall count they are made elements, those of rounding up not.
string average(Step& s, const string& x, const Windows& w) {
  OnnxAttributes attributes = attributes_of(w);
  attributes.push_back(Attribute::integer("count_include_pad", 0));
  return s.node("AveragePool", {x}, attributes);
}

template <Name name, auto pool>
string write(Step& s, const WindowPool<name, pool, autograd::AvgPoolOptions>& layer) {
  constexpr int kAxes = name.axes();
  s.need_axes(kAxes + 2, kAxes + 2);
  const auto& options = layer.options();
  Windows w = windows(s, kAxes, layer.kernel_size(), options, 1);
  // A divisor of its own: the mean of full windows, times a factor.
  const bool own = options.divisor_override != 0;
  if (!own && !options.count_include_pad) return average(s, s.x, w);
  const Integers counting = own ? w.pads : onnx_both(options.padding, kAxes);
  const string x =
      onnx_any(counting) ? s.padded(amounts_of(counting), autograd::PadMode::constant, 0) : s.x;
  for (std::size_t i = 0; i < counting.size(); ++i) w.pads[i] -= counting[i];
  const string y = average(s, x, w);
  if (!own) return y;
  double full = 1;
  for (const std::int64_t extent : w.kernel) full *= static_cast<double>(extent);
  return s.node("Mul", {y, s.scalar(full / static_cast<double>(options.divisor_override))});
}

/// Output i of m takes the elements from floor(i n / m) to ceil((i + 1) n / m) - 1: one kernel and
/// stride when all have one size and distance.
string adaptive(Step& s, int axes, const char* pool, const char* global) {
  s.need_axes(axes + 2, axes + 2);
  // Of images alone: OpenCV 4.6 knows no others.
  if (axes == 2 && s.out[2] == 1 && s.out[3] == 1) return s.node(global, {s.x});
  Windows w;
  w.pads.assign(2 * static_cast<std::size_t>(axes), 0);
  for (int axis = 2; axis < axes + 2; ++axis) {
    const std::int64_t n = s.in[axis], m = s.out[axis];
    const auto begin = [&](std::int64_t i) { return i * n / m; };
    const auto size = [&](std::int64_t i) { return ((i + 1) * n + m - 1) / m - begin(i); };
    for (std::int64_t i = 0; i < m; ++i) {
      if (size(i) == size(0) && begin(i) == i * begin(1)) continue;
      s.refuse("windows of several sizes", "input is " + to_string(s.in),
               "extents that the " + std::to_string(m) + " windows share out evenly (" +
                   std::to_string(n) + ")");
    }
    w.kernel.push_back(size(0));
    w.stride.push_back(m > 1 ? begin(1) : 1);
  }
  return s.node(pool, {s.x}, attributes_of(w));
}

template <Name name, auto pool> string write(Step& s, const AdaptivePool<name, pool>&) {
  if (std::string_view(name.text).starts_with("AdaptiveAvg")) {
    return adaptive(s, name.axes(), "AveragePool", "GlobalAveragePool");
  }
  return adaptive(s, name.axes(), "MaxPool", "GlobalMaxPool");
}

// --- resampling

/// The extents of the result as a fourth input of Resize: the batch is known when it runs.
string sizes_of(Step& s) {
  Integers extents(s.out.begin() + 1, s.out.end());
  if (!s.graph.dynamic_batch()) {
    extents.insert(extents.begin(), s.out[0]);
    return s.integers(extents);
  }
  const string batch = s.node("Slice", {s.node("Shape", {s.x}), s.integers({0}), s.integers({1})});
  return s.node("Concat", {batch, s.integers(extents)}, {Attribute::integer("axis", 0)});
}

/// Factors where they were given, and where those of the extents are numbers that float32 has; else
/// none. Throws where float32 would round to other extents.
std::vector<double> factors_of(Step& s, const autograd::InterpolateOptions& options) {
  std::vector<double> factors;
  for (int axis = 2; axis < s.in.dim(); ++axis) {
    const auto in = static_cast<double>(s.in[axis]), out = static_cast<double>(s.out[axis]);
    const std::size_t i = options.scale_factor.size() == 1 ? 0 : static_cast<std::size_t>(axis - 2);
    const bool given = !options.scale_factor.empty();
    const double factor = given ? options.scale_factor[i] : out / in;
    const auto rounded = static_cast<float>(factor);
    if (!given && (static_cast<double>(rounded) != factor || factor * in != out)) return {};
    if (std::floor(rounded * static_cast<float>(in)) != static_cast<float>(out)) {
      s.refuse("a factor that float32 rounds", autograd::detail::text(factor),
               "another, or a size");
    }
    factors.push_back(factor);
  }
  return factors;
}

OnnxAttributes resize_attributes(const autograd::InterpolateOptions& options) {
  using autograd::Interpolation;
  const auto text = [](const char* mode, const char* places) {
    return OnnxAttributes{Attribute::text("mode", mode),
                          Attribute::text("coordinate_transformation_mode", places)};
  };
  OnnxAttributes attributes;
  if (options.mode == Interpolation::nearest) {
    attributes = text("nearest", "asymmetric");
    attributes.push_back(Attribute::text("nearest_mode", "floor"));
  } else if (options.mode == Interpolation::nearest_exact) {
    attributes = text("nearest", "half_pixel");
    attributes.push_back(Attribute::text("nearest_mode", "round_prefer_ceil"));
  } else {
    attributes = text(options.mode == Interpolation::linear ? "linear" : "cubic",
                      options.align_corners ? "align_corners" : "half_pixel");
    if (options.mode == Interpolation::cubic) {
      attributes.push_back(Attribute::number("cubic_coeff_a", -0.75));
    }
  }
  return attributes;
}

string write(Step& s, const Upsample& layer) {
  s.need_axes(3, 5);
  const auto& options = layer.options();
  if (options.mode == autograd::Interpolation::area) {
    return adaptive(s, s.in.dim() - 2, "AveragePool", "GlobalAveragePool");
  }
  const std::vector<double> factors = factors_of(s, options);
  std::vector<string> inputs = {s.x, ""};  // without a region of interest
  if (factors.empty()) {
    inputs.insert(inputs.end(), {"", sizes_of(s)});
  } else {
    Tensor scales = autograd::ones({s.in.dim()}, autograd::float32);
    for (std::size_t i = 0; i < factors.size(); ++i) {
      scales.mutable_data<float>()[i + 2] = static_cast<float>(factors[i]);
    }
    inputs.push_back(s.weight("scales", scales));
  }
  return s.node("Resize", inputs, resize_attributes(options));
}

}  // namespace

OnnxWriter onnx_pool(const Layer& layer) {
  return onnx_writer<MaxPool1d, MaxPool2d, MaxPool3d, AvgPool1d, AvgPool2d, AvgPool3d,
                     AdaptiveAvgPool1d, AdaptiveAvgPool2d, AdaptiveAvgPool3d, AdaptiveMaxPool1d,
                     AdaptiveMaxPool2d, AdaptiveMaxPool3d, Upsample>(
      layer, [](OnnxStep& step, const auto& found) { return write(step, found); });
}

}  // namespace nn::detail
