// SPDX-License-Identifier: Apache-2.0
// Composites of network.hpp: names under which convolution, pooling, resampling and normalization are
// called.
#include "../create.hpp"
#include "../network.hpp"
#include "composites.hpp"

namespace autograd::ops {

namespace {

using Inputs = std::vector<Tensor>;
using detail::composite;

constexpr Dtypes kFloating = Dtypes::floating;

using Convolution = Tensor (*)(const Tensor&, const Tensor&, const Tensor&, const ConvOptions&);
using Transposed = Tensor (*)(const Tensor&, const Tensor&, const Tensor&,
                              const ConvTransposeOptions&);

// Shapes of images with that many axes of space.
Shape image(int axes, std::int64_t n, std::int64_t c, std::int64_t extent) {
  Shape shape{n, c};
  for (int i = 0; i < axes; ++i) shape.push_back(extent);
  return shape;
}

OpEntry convolution(const char* name, int axes, Convolution f) {
  return composite(
      name, "conv, one to three axes of space", kFloating,
      {{"stride, padding",
        {image(axes, 1, 2, 3), image(axes, 2, 2, 2), {2}},
        [f](const Inputs& in) { return f(in[0], in[1], in[2], {.stride = 2, .padding = 1}); }},
       {"dilation, groups, no bias",
        {image(axes, 2, 2, 3), image(axes, 2, 1, 2)},
        [f](const Inputs& in) { return f(in[0], in[1], {}, {.dilation = 2, .groups = 2}); }}},
      "that of conv");
}

OpEntry transposed(const char* name, int axes, Transposed f) {
  return composite(name, "the adjoint of conv in x", kFloating,
                   {{"stride, output padding",
                     {image(axes, 1, 2, 2), image(axes, 2, 1, 2), {1}},
                     [f](const Inputs& in) {
                       return f(in[0], in[1], in[2],
                                {.stride = 2, .padding = 1, .output_padding = 1});
                     }}},
                   "that of conv_data");
}

template <class Options>
OpEntry pool(const char* name, const char* value, int axes,
             Tensor (*f)(const Tensor&, PerAxis, const Options&), const char* derivative) {
  return composite(name, value, kFloating,
                   {{"stride, padding",
                     {image(axes, 1, 2, 4)},
                     [f](const Inputs& in) { return f(in[0], 3, {.stride = 2, .padding = 1}); }},
                    {"ceil",
                     {image(axes, 2, 1, 5)},
                     [f](const Inputs& in) { return f(in[0], 2, {.ceil_mode = true}); }}},
                   derivative);
}

OpEntry adaptive(const char* name, const char* value, int axes, Tensor (*f)(const Tensor&, PerAxis),
                 const char* derivative) {
  return composite(
      name, value, kFloating,
      {{"fewer", {image(axes, 1, 2, 3)}, [f](const Inputs& in) { return f(in[0], 2); }},
       {"more", {image(axes, 1, 1, 2)}, [f](const Inputs& in) { return f(in[0], 3); }}},
      derivative);
}

std::vector<OpEntry> spatial() {
  const char *largest = "the largest of each window", *mean = "the mean of each window";
  const char *picked = "dy at the first of the largest", *shared = "dy / n to each of the window";
  return {
      convolution("conv1d", 1, conv1d),
      convolution("conv2d", 2, conv2d),
      convolution("conv3d", 3, conv3d),
      transposed("conv_transpose1d", 1, conv_transpose1d),
      transposed("conv_transpose2d", 2, conv_transpose2d),
      transposed("conv_transpose3d", 3, conv_transpose3d),
      pool("max_pool1d", largest, 1, max_pool1d, picked),
      pool("max_pool2d", largest, 2, max_pool2d, picked),
      pool("max_pool3d", largest, 3, max_pool3d, picked),
      pool("avg_pool1d", mean, 1, avg_pool1d, shared),
      pool("avg_pool2d", mean, 2, avg_pool2d, shared),
      pool("avg_pool3d", mean, 3, avg_pool3d, shared),
      adaptive("adaptive_max_pool1d", largest, 1, adaptive_max_pool1d, picked),
      adaptive("adaptive_max_pool2d", largest, 2, adaptive_max_pool2d, picked),
      adaptive("adaptive_max_pool3d", largest, 3, adaptive_max_pool3d, picked),
      adaptive("adaptive_avg_pool1d", mean, 1, adaptive_avg_pool1d, shared),
      adaptive("adaptive_avg_pool2d", mean, 2, adaptive_avg_pool2d, shared),
      adaptive("adaptive_avg_pool3d", mean, 3, adaptive_avg_pool3d, shared),
  };
}

OpEntry interpolation() {
  const auto to_size = [](Interpolation mode, bool corners) {
    return [mode, corners](const Inputs& in) {
      return interpolate(in[0], {.size = {4, 2}, .mode = mode, .align_corners = corners});
    };
  };
  const std::vector<Shape> x = {{1, 2, 3, 3}};
  return composite("interpolate", "x at other extents of space", kFloating,
                   {{"nearest", x, to_size(Interpolation::nearest, false)},
                    {"nearest_exact", x, to_size(Interpolation::nearest_exact, false)},
                    {"linear", x, to_size(Interpolation::linear, false)},
                    {"linear, corners", x, to_size(Interpolation::linear, true)},
                    {"cubic", x, to_size(Interpolation::cubic, false)},
                    {"area", x, to_size(Interpolation::area, false)}},
                   "the adjoint of resample on dy", "align_corners is explicit");
}

std::vector<OpEntry> normalizations() {
  const char* rule = "that of normalize";
  return {
      composite("batch_norm", "normalize by channel", kFloating,
                {{"training",
                  {{3, 2, 2}, {2}, {2}},
                  [](const Inputs& in) {
                    return batch_norm(in[0], {}, {}, in[1], in[2], {.training = true});
                  }},
                 {"running statistics",
                  {{3, 2}, {2}, {2}},
                  [](const Inputs& in) {
                    const Tensor one = ones({2}, in[0].dtype());
                    return batch_norm(in[0], 0.5 * one, 2.0 * one, in[1], in[2]);
                  }}},
                rule, "buffers get no gradient"),
      composite("layer_norm", "normalize over the last axes", kFloating,
                {{"one axis",
                  {{2, 3, 4}, {4}, {4}},
                  [](const Inputs& in) { return layer_norm(in[0], {4}, in[1], in[2]); }}},
                rule),
      composite("group_norm", "normalize over groups of channels", kFloating,
                {{"two groups",
                  {{2, 4, 3}, {4}, {4}},
                  [](const Inputs& in) { return group_norm(in[0], 2, in[1], in[2]); }}},
                rule),
      composite("instance_norm", "normalize over space", kFloating,
                {{"parameters",
                  {{2, 2, 4}, {2}, {2}},
                  [](const Inputs& in) { return instance_norm(in[0], {}, {}, in[1], in[2]); }}},
                rule),
      composite("rms_norm", "x / sqrt(mean(x^2) + eps) weight over the last axes", kFloating,
                {{"one axis",
                  {{3, 4}, {4}},
                  [](const Inputs& in) { return rms_norm(in[0], {4}, in[1]); }}},
                rule),
  };
}

}  // namespace

std::vector<OpEntry> network_composites() {
  std::vector<OpEntry> all = spatial();
  all.push_back(interpolation());
  for (const OpEntry& entry : normalizations()) all.push_back(entry);
  return all;
}

}  // namespace autograd::ops
