// SPDX-License-Identifier: Apache-2.0
// What layers are in ONNX; activations and pools have files of their own. To add one: a function write()
// for its type, the type in the list at the end, a model in tests/nn/onnx_models.cpp. Forms are those that
// OpenCV 4.6 runs, where operator set 13 leaves a choice.
#include <algorithm>

#include "../layers/layers.hpp"
#include "onnx_graph.hpp"

namespace nn::detail {

namespace {

using Attribute = OnnxAttribute;
using Step = OnnxStep;
using std::string;
using Integers = std::vector<std::int64_t>;

template <int Axes, autograd::PadMode Mode> string write(Step& s, const PadNd<Axes, Mode>& layer) {
  s.need_axes(Axes + 1, autograd::kMaxDim);
  return s.padded(layer.amounts(), Mode, layer.value());
}

// --- linear and convolutions

string write(Step& s, const Linear& layer) {
  s.need_axes(2, autograd::kMaxDim);
  const bool biased = layer.bias.defined();
  if (s.in.dim() == 2) {
    std::vector<string> inputs = {s.x, s.weight("weight", layer.weight)};
    if (biased) inputs.push_back(s.weight("bias", layer.bias));
    return s.node("Gemm", inputs, {Attribute::integer("transB", 1)});
  }
  const Tensor transposed = autograd::transpose(autograd::detach(layer.weight));
  const string y = s.node("MatMul", {s.x, s.weight("weight", transposed)});
  return biased ? s.node("Add", {y, s.weight("bias", layer.bias)}) : y;
}

template <class Options>
OnnxAttributes conv_attributes(const Options& options, const Shape& weight, const Integers& pads) {
  const int axes = weight.dim() - 2;
  return {Attribute::integers("kernel_shape", {weight.begin() + 2, weight.end()}),
          Attribute::integers("strides", onnx_each(options.stride, axes)),
          Attribute::integers("dilations", onnx_each(options.dilation, axes)),
          Attribute::integers("pads", pads), Attribute::integer("group", options.groups)};
}

template <class Conv> std::vector<string> conv_inputs(Step& s, const string& x, const Conv& layer) {
  std::vector<string> inputs = {x, s.weight("weight", layer.weight)};
  if (layer.bias.defined()) inputs.push_back(s.weight("bias", layer.bias));
  return inputs;
}

template <int Axes> string write(Step& s, const ConvNd<Axes>& layer) {
  s.need_axes(Axes + 2, Axes + 2);
  string x = s.x;
  Integers pads = onnx_both(layer.options().padding, Axes);
  if (layer.margin_mode() != autograd::PadMode::constant) {
    if (onnx_any(layer.margins())) x = s.padded(layer.margins(), layer.margin_mode(), 0);
  } else if (!layer.margins().empty()) {
    pads = onnx_margins(layer.margins(), Axes);
  }
  return s.node("Conv", conv_inputs(s, x, layer),
                conv_attributes(layer.options(), layer.weight.shape(), pads));
}

template <int Axes> string write(Step& s, const ConvTransposeNd<Axes>& layer) {
  s.need_axes(Axes + 2, Axes + 2);
  OnnxAttributes attributes = conv_attributes(layer.options(), layer.weight.shape(),
                                              onnx_both(layer.options().padding, Axes));
  attributes.push_back(
      Attribute::integers("output_padding", onnx_each(layer.options().output_padding, Axes)));
  return s.node("ConvTranspose", conv_inputs(s, s.x, layer), attributes);
}

// --- normalization

/// The tensor, or where there is none as many numbers of this value.
string weight_or(Step& s, const char* name, const Tensor& tensor, std::int64_t n, double value) {
  return s.weight(name, tensor.defined() ? tensor : autograd::full({n}, value, s.dtype));
}

/// By the running statistics.
template <class Norm> string batch_norm(Step& s, const Norm& layer) {
  const std::int64_t n = s.in[1];
  return s.node(
      "BatchNormalization",
      {s.x, weight_or(s, "weight", layer.weight, n, 1), weight_or(s, "bias", layer.bias, n, 0),
       s.weight("running_mean", layer.running_mean), s.weight("running_var", layer.running_var)},
      {Attribute::number("epsilon", layer.eps())});
}

template <int Axes> string write(Step& s, const BatchNormNd<Axes>& layer) {
  if (!layer.running_mean.defined()) {
    s.refuse("statistics of the batch", "track_running_stats is false", "running statistics");
  }
  return batch_norm(s, layer);
}

string times(Step& s, const string& y, const Tensor& weight) {
  return weight.defined() ? s.node("Mul", {y, s.weight("weight", weight)}) : y;
}
string plus(Step& s, const string& y, const Tensor& bias) {
  return bias.defined() ? s.node("Add", {y, s.weight("bias", bias)}) : y;
}
/// The tensor with these extents; none if there is none.
Tensor shaped(const Tensor& t, const Integers& extents) {
  return t.defined() ? autograd::reshape(autograd::detach(t), extents) : t;
}

/// Each channel of `x` [n, channels, ...] less its mean, over its deviation. What is learned follows as
/// nodes of its own: OpenCV 4.6 fuses scales into this one wrongly for more than one sample.
string normalized(Step& s, const string& x, std::int64_t channels, double eps) {
  return s.node("InstanceNormalization",
                {x, s.weight("ones", autograd::ones({channels}, s.dtype)),
                 s.weight("zeros", autograd::zeros({channels}, s.dtype))},
                {Attribute::number("epsilon", eps)});
}

/// weight and bias [c] along axis 1.
template <class Norm> string learned(Step& s, const string& y, const Norm& layer) {
  Integers along(static_cast<std::size_t>(s.in.dim() - 1), 1);
  along[0] = s.in[1];
  return plus(s, times(s, y, shaped(layer.weight, along)), shaped(layer.bias, along));
}

template <int Axes> string write(Step& s, const InstanceNormNd<Axes>& layer) {
  s.need_axes(Axes + 2, Axes + 2);
  if (layer.running_mean.defined()) return batch_norm(s, layer);
  return learned(s, normalized(s, s.x, s.in[1], layer.eps()), layer);
}

/// Groups as channels: [n, c, ...] as [n, groups, rest].
string write(Step& s, const GroupNorm& layer) {
  const std::int64_t groups = layer.num_groups();
  const string y = normalized(s, s.reshaped(s.x, {0, groups, -1}), groups, layer.eps());
  return learned(s, s.reshaped(y, s.target(s.in)), layer);
}

/// What a norm over the last axes normalizes, as [rows, size]: OpenCV 4.6 broadcasts along the last axis
/// there alone.
std::int64_t row_size(Step& s, const Shape& normalized_shape) {
  s.need_not_batch(s.in.dim() - normalized_shape.dim(), "a mean");
  return normalized_shape.numel();
}

bool is_rows(const Step& s, std::int64_t size) { return s.in.dim() == 2 && s.in[1] == size; }
/// Rows in the shape of the input; -1 is the batch.
string of_rows(Step& s, const string& rows, std::int64_t size) {
  if (is_rows(s, size)) return rows;
  Integers extents(s.in.begin(), s.in.end());
  if (s.graph.dynamic_batch()) extents[0] = -1;
  return s.reshaped(rows, extents);
}

/// By InstanceNormalization, each row a sample: LayerNormalization is of operator set 17.
string write(Step& s, const LayerNorm& layer) {
  const std::int64_t size = row_size(s, layer.normalized_shape());
  const string y = normalized(s, s.reshaped(s.x, {-1, 1, size}), 1, layer.eps());
  const string rows = s.reshaped(y, {-1, size});
  const string scaled =
      plus(s, times(s, rows, shaped(layer.weight, {size})), shaped(layer.bias, {size}));
  return of_rows(s, scaled, size);
}

string write(Step& s, const RMSNorm& layer) {
  const std::int64_t size = row_size(s, layer.normalized_shape());
  const double least = s.dtype == autograd::float32 ? 0x1p-23 : 0x1p-52;  // of the dtype
  const string rows = is_rows(s, size) ? s.x : s.reshaped(s.x, {-1, size});
  const string mean = s.node("ReduceMean", {s.node("Mul", {rows, rows})},
                             {Attribute::integers("axes", {1}), Attribute::integer("keepdims", 1)});
  const string square = s.node("Add", {mean, s.scalar(layer.eps() < 0 ? least : layer.eps())});
  const string y = s.node("Div", {rows, s.node("Sqrt", {square})});
  const string scaled = times(s, y, shaped(layer.weight, {size}));
  return of_rows(s, scaled, size);
}

// --- arrangement

template <int Axes> string write(Step& s, const DropoutNd<Axes>&) { return s.x; }
string write(Step& s, const Dropout&) { return s.x; }

string write(Step& s, const Flatten& layer) {
  const int first = autograd::normalize_axis("flatten", layer.first(), s.in.dim());
  if (s.in.dim() == s.out.dim()) return s.x;
  s.need_not_batch(first, "flattening");
  if (first == 1 && s.out.dim() == 2) {
    return s.node("Flatten", {s.x}, {Attribute::integer("axis", 1)});
  }
  return s.reshaped(s.x, s.target(s.out));
}

string write(Step& s, const Unflatten& layer) {
  s.need_not_batch(autograd::normalize_axis("unflatten", layer.axis(), s.in.dim()), "extents");
  return s.reshaped(s.x, s.target(s.out));
}

/// Five axes behind those in front of the last three of x, put into this order.
string rearranged(Step& s, const Integers& last, const Integers& order) {
  const int lead = s.in.dim() - 3;
  Integers extents = s.target(s.in), axes;
  extents.resize(static_cast<std::size_t>(lead));
  extents.insert(extents.end(), last.begin(), last.end());
  for (int i = 0; i < lead; ++i) axes.push_back(i);
  for (const std::int64_t i : order) axes.push_back(lead + i);
  const string blocks = s.reshaped(s.x, extents);
  const string rows = s.node("Transpose", {blocks}, {Attribute::integers("perm", axes)});
  return s.reshaped(rows, s.target(s.out));
}

string write(Step& s, const PixelShuffle& layer) {
  s.need_axes(4, 6);
  const std::int64_t r = layer.factor(), c = s.out[s.out.dim() - 3];
  return rearranged(s, {c, r, r, s.in[s.in.dim() - 2], s.in.back()}, {0, 3, 1, 4, 2});
}

string write(Step& s, const PixelUnshuffle& layer) {
  s.need_axes(4, 6);
  const std::int64_t r = layer.factor(), c = s.in[s.in.dim() - 3];
  return rearranged(s, {c, s.out[s.out.dim() - 2], r, s.out.back(), r}, {0, 2, 4, 1, 3});
}

}  // namespace

OnnxWriter onnx_layer(const Layer& layer) {
  return onnx_writer<Linear, Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d,
                     ConvTranspose3d, BatchNorm1d, BatchNorm2d, BatchNorm3d, InstanceNorm1d,
                     InstanceNorm2d, InstanceNorm3d, LayerNorm, RMSNorm, GroupNorm, Dropout,
                     Dropout1d, Dropout2d, Dropout3d, Flatten, Unflatten, ConstantPad1d,
                     ConstantPad2d, ConstantPad3d, ReflectionPad1d, ReflectionPad2d,
                     ReflectionPad3d, ReplicationPad1d, ReplicationPad2d, ReplicationPad3d,
                     PixelShuffle, PixelUnshuffle>(
      layer, [](OnnxStep& step, const auto& found) { return write(step, found); });
}

}  // namespace nn::detail
