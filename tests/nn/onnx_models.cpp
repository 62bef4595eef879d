// SPDX-License-Identifier: Apache-2.0
// Writes models and what they compute, for onnx_check.py: FOLDER/NAME.onnx, NAME.x.npy, NAME.y.npy.
// Every layer that can be exported is in one of them; to add one, add a row.
// Inputs of three axes are long: OpenCV takes a shorter last axis for the channels of a picture.
// usage: onnx_models FOLDER
#include <cstdio>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

namespace ag = autograd;

namespace {

std::string folder;
ag::Generator generator(7);

/// Numbers on [-1, 1), in place of the ones and zeros that norms begin with; variances above 0.5.
void scramble(const nn::Sequential& model) {
  for (auto& [name, tensor] : model.state_dict()) {
    if (tensor.dtype() == ag::int64) continue;
    const ag::Tensor random = ag::rand(tensor.shape(), generator, tensor.dtype());
    const bool variance = name.ends_with("running_var");
    ag::copy_(ag::Tensor(tensor), variance ? random + 0.5 : random * 2.0 - 1.0);
  }
}

/// Exported for a batch of two, run on one of three where the batch is dynamic.
void write(const std::string& name, nn::Sequential model, ag::Shape shape,
           const nn::OnnxOptions& options = {}) {
  scramble(model);
  model.eval();
  const std::string stem = folder + "/" + name;
  nn::save_onnx(stem + ".onnx", model, shape, options);
  if (options.dynamic_batch) shape[0] = 3;
  const ag::Tensor x = ag::rand(shape, generator, options.dtype) * 6.0 - 3.0;
  nn::write_npy(stem + ".x.npy", x);
  nn::write_npy(stem + ".y.npy", ag::detach(model(x)));
}

/// A layer by itself, on inputs of this shape.
template <class L> void one(const std::string& name, L layer, const ag::Shape& shape) {
  write(name, nn::Sequential{std::move(layer)}, shape);
}

void whole_models() {
  write("mlp", nn::Sequential{nn::Linear(8, 16), nn::ReLU(), nn::Dropout(0.5), nn::Linear(16, 4)},
        {2, 8});
  write("mlp_without_bias",
        nn::Sequential{nn::Linear(8, 16, {.bias = false}), nn::Tanh(), nn::Linear(16, 4)}, {2, 8});
  write("mlp_fixed_batch", nn::Sequential{nn::Linear(8, 4), nn::Softmax()}, {2, 8},
        {.dynamic_batch = false, .input_name = "digits", .output_name = "scores"});
  write("mlp_of_sequences", nn::Sequential{nn::Linear(520, 16), nn::ReLU(), nn::Linear(16, 4)},
        {2, 5, 520});
  nn::Sequential features;
  features.append("conv", nn::Conv2d(1, 8, 3, {.padding = 1, .bias = false}));
  features.append("norm", nn::BatchNorm2d(8)).append("relu", nn::ReLU());
  features.append("pool", nn::MaxPool2d(2));
  const nn::Sequential block{nn::Conv2d(8, 8, 3, {.padding = 1}), nn::BatchNorm2d(8), nn::ReLU()};
  nn::Sequential model;
  model.append("features", features);
  model.append("first", block).append("again", block);  // the same weights
  model.append("flatten", nn::Flatten()).append("drop", nn::Dropout());
  model.append("head", nn::Sequential{nn::Linear(8 * 7 * 7, 32), nn::GELU(), nn::Linear(32, 10)});
  write("cnn", model, {2, 1, 14, 14});
  write("float64", nn::Sequential{nn::Linear(8, 4, {.dtype = ag::float64}), nn::Sigmoid()}, {2, 8},
        {.dtype = ag::float64});
  write("nothing", nn::Sequential{nn::Dropout()}, {2, 8});
}

void convolutions() {
  using nn::PaddingMode;
  const ag::Shape image = {2, 4, 9, 8};
  one("conv1d", nn::Conv1d(4, 6, 3, {.stride = 2, .padding = 1}), {2, 4, 521});
  one("conv2d", nn::Conv2d(4, 6, {3, 2}, {.stride = {2, 1}, .padding = {1, 0}}), image);
  one("conv2d_groups", nn::Conv2d(4, 6, 3, {.dilation = 2, .groups = 2, .bias = false}), image);
  one("conv2d_depthwise", nn::Conv2d(4, 4, 3, {.padding = 1, .groups = 4}), image);
  one("conv2d_same", nn::Conv2d(4, 6, {4, 3}, {.same = true}), image);
  one("conv2d_reflect", nn::Conv2d(4, 6, 3, {.padding = 1, .padding_mode = PaddingMode::reflect}),
      image);
  one("conv2d_replicate",
      nn::Conv2d(4, 6, 3, {.padding_mode = PaddingMode::replicate, .same = true}), image);
  one("conv3d", nn::Conv3d(2, 3, 3, {.padding = 1}), {2, 2, 5, 6, 7});
  one("conv_transpose1d", nn::ConvTranspose1d(4, 6, 3, {.stride = 2}), {2, 4, 520});
  one("conv_transpose2d",
      nn::ConvTranspose2d(4, 6, 3, {.stride = 2, .padding = 1, .output_padding = 1}), image);
  one("conv_transpose2d_groups", nn::ConvTranspose2d(4, 6, 3, {.groups = 2, .bias = false}), image);
  one("conv_transpose3d", nn::ConvTranspose3d(2, 3, 2, {.stride = 2}), {2, 2, 3, 4, 5});
}

void pools() {
  const ag::Shape image = {2, 3, 9, 8};
  one("max_pool1d", nn::MaxPool1d(2), {2, 3, 521});
  one("max_pool2d", nn::MaxPool2d(3, {.stride = 2, .padding = 1}), image);
  one("max_pool2d_ceil", nn::MaxPool2d({2, 3}, {.stride = {2, 3}, .ceil_mode = true}), image);
  one("max_pool2d_dilated", nn::MaxPool2d(2, {.stride = 1, .dilation = 2}), image);
  one("max_pool3d", nn::MaxPool3d(2), {2, 3, 4, 6, 8});
  one("avg_pool1d", nn::AvgPool1d(3, {.stride = 2}), {2, 3, 521});
  one("avg_pool2d", nn::AvgPool2d(2), image);
  one("avg_pool2d_padded", nn::AvgPool2d(3, {.stride = 2, .padding = 1}), image);
  one("avg_pool2d_uncounted",
      nn::AvgPool2d(3, {.stride = 2, .padding = 1, .count_include_pad = false}), image);
  one("avg_pool2d_ceil", nn::AvgPool2d(2, {.ceil_mode = true}), image);
  one("avg_pool2d_ceil_padded",
      nn::AvgPool2d(3, {.stride = 3, .padding = {0, 1}, .ceil_mode = true}), image);
  one("avg_pool2d_divisor", nn::AvgPool2d(3, {.padding = 1, .divisor_override = 5}), image);
  one("avg_pool3d", nn::AvgPool3d(2), {2, 3, 4, 6, 8});
  one("adaptive_avg_pool1d", nn::AdaptiveAvgPool1d(3), {2, 3, 522});
  one("adaptive_avg_pool1d_overlapping", nn::AdaptiveAvgPool1d(3), {2, 3, 523});
  one("adaptive_avg_pool2d", nn::AdaptiveAvgPool2d(1), image);
  one("adaptive_avg_pool2d_even", nn::AdaptiveAvgPool2d({3, 4}), image);
  one("adaptive_avg_pool3d", nn::AdaptiveAvgPool3d(1), {2, 3, 4, 6, 8});
  one("adaptive_max_pool1d", nn::AdaptiveMaxPool1d(1), {2, 3, 521});
  one("adaptive_max_pool2d", nn::AdaptiveMaxPool2d({3, 2}), image);
  one("adaptive_max_pool3d", nn::AdaptiveMaxPool3d(2), {2, 3, 4, 6, 8});
}

void norms() {
  const ag::Shape image = {2, 6, 5, 4};
  one("batch_norm1d", nn::BatchNorm1d(6), {2, 6});
  one("batch_norm1d_of_sequences", nn::BatchNorm1d(6, {.affine = false}), {2, 6, 520});
  one("batch_norm2d", nn::BatchNorm2d(6, {.eps = 1e-3}), image);
  one("batch_norm3d", nn::BatchNorm3d(2), {2, 2, 3, 4, 5});
  one("instance_norm1d", nn::InstanceNorm1d(6, {.affine = true}), {2, 6, 520});
  one("instance_norm2d", nn::InstanceNorm2d(6, {.affine = true}), image);
  one("instance_norm2d_tracked", nn::InstanceNorm2d(6, {.track_running_stats = true}), image);
  one("instance_norm3d", nn::InstanceNorm3d(2, {.affine = true}), {2, 2, 3, 4, 5});
  one("group_norm", nn::GroupNorm(3, 6), image);
  one("group_norm_plain", nn::GroupNorm(2, 6, {.affine = false}), image);
  one("layer_norm", nn::LayerNorm(6), {2, 6});
  one("layer_norm_of_sequences", nn::LayerNorm(520, {.bias = false}), {2, 5, 520});
  one("layer_norm_of_images", nn::LayerNorm({6, 5, 4}), image);
  one("layer_norm_of_rows", nn::LayerNorm(4), image);
  write("layer_norm_of_batch", nn::Sequential{nn::LayerNorm({2, 6})}, {2, 6},
        {.dynamic_batch = false});
  one("rms_norm", nn::RMSNorm(6), {2, 6});
  one("rms_norm_of_images", nn::RMSNorm({5, 4}, {.eps = 1e-3}), image);
}

void arrangements() {
  const ag::Shape image = {2, 4, 6, 8};
  one("dropout1d", nn::Dropout1d(), {2, 4, 520});
  one("dropout2d", nn::Dropout2d(), image);
  one("dropout3d", nn::Dropout3d(), {2, 4, 6, 2, 2});
  one("flatten", nn::Flatten(), image);
  one("flatten_part", nn::Flatten(2), image);
  one("flatten_front", nn::Flatten(1, 2), image);
  one("unflatten", nn::Unflatten(1, {2, -1, 3}), {2, 12});
  one("constant_pad1d", nn::ConstantPad1d(std::vector<std::int64_t>{1, 2}, 0.5), {2, 4, 520});
  one("constant_pad2d", nn::ConstantPad2d({1, 2, 3, 0}, -1.5), image);
  one("cut", nn::ZeroPad2d({-1, 2, 0, -2}), image);
  one("constant_pad3d", nn::ConstantPad3d(1), {2, 2, 3, 4, 5});
  one("reflection_pad1d", nn::ReflectionPad1d(2), {2, 4, 520});
  one("reflection_pad2d", nn::ReflectionPad2d({1, 2, 3, 0}), image);
  one("reflection_pad3d", nn::ReflectionPad3d(1), {2, 2, 3, 4, 5});
  one("replication_pad1d", nn::ReplicationPad1d(std::vector<std::int64_t>{2, 1}), {2, 4, 520});
  one("replication_pad2d", nn::ReplicationPad2d(2), image);
  one("replication_pad3d", nn::ReplicationPad3d(1), {2, 2, 3, 4, 5});
  one("pixel_shuffle", nn::PixelShuffle(2), image);
  one("pixel_unshuffle", nn::PixelUnshuffle(2), image);
}

void resampling() {
  using autograd::Interpolation;
  const ag::Shape image = {2, 3, 4, 6};
  const auto up = [&](const std::string& name, const ag::InterpolateOptions& options,
                      const ag::Shape& shape) {
    one("upsample_" + name, nn::Upsample(options), shape);
  };
  up("nearest", {.scale_factor = {2}}, image);
  up("nearest_of_two", {.scale_factor = {2, 1.5}}, image);
  up("nearest_size", {.size = {8, 3}}, image);
  up("nearest_odd_size", {.size = {7, 10}}, image);
  up("nearest_1d", {.scale_factor = {3}}, {2, 3, 520});
  up("nearest_3d", {.scale_factor = {2}}, {2, 3, 4, 3, 2});
  up("exact", {.size = {8, 9}, .mode = Interpolation::nearest_exact}, image);
  up("linear", {.scale_factor = {2}, .mode = Interpolation::linear}, image);
  up("linear_odd_size", {.size = {7, 10}, .mode = Interpolation::linear}, image);
  up("linear_corners", {.size = {8, 12}, .mode = Interpolation::linear, .align_corners = true},
     image);
  up("linear_1d", {.scale_factor = {2}, .mode = Interpolation::linear}, {2, 3, 520});
  up("cubic", {.scale_factor = {2}, .mode = Interpolation::cubic}, image);
  up("cubic_corners", {.size = {7, 9}, .mode = Interpolation::cubic, .align_corners = true}, image);
  up("area", {.size = {2, 3}, .mode = Interpolation::area}, image);
  write("upsample_fixed_batch", nn::Sequential{nn::Upsample({.size = {7, 10}})}, image,
        {.dynamic_batch = false});
}

void activations() {
  const ag::Shape shape = {2, 6, 4, 4};
  const auto act = [&](const std::string& name, auto layer) { one(name, layer, shape); };
  act("identity", nn::Identity());
  act("sigmoid", nn::Sigmoid());
  act("tanh", nn::Tanh());
  act("relu", nn::ReLU());
  act("relu6", nn::ReLU6());
  act("leaky_relu", nn::LeakyReLU(0.1));
  act("elu", nn::ELU(0.7));
  act("selu", nn::SELU());
  act("celu", nn::CELU(0.7));
  act("gelu", nn::GELU());
  act("gelu_tanh", nn::GELU({.approximate = ag::GeluApproximation::tanh}));
  act("silu", nn::SiLU());
  act("mish", nn::Mish());
  act("hardtanh", nn::Hardtanh(-0.5, 1.5));
  act("hardtanh_one_side", nn::Hardtanh(-1, 1e9));
  act("hardsigmoid", nn::Hardsigmoid());
  act("hardswish", nn::Hardswish());
  act("softsign", nn::Softsign());
  act("softplus", nn::Softplus());
  act("softplus_beta", nn::Softplus({.beta = 2}));
  act("softplus_threshold", nn::Softplus({.beta = 2, .threshold = 1}));
  act("logsigmoid", nn::LogSigmoid());
  act("softmax", nn::Softmax(1));
  act("softmax_last", nn::Softmax());
  act("log_softmax", nn::LogSoftmax(1));
  act("softmin", nn::Softmin(1));
  act("softmax2d", nn::Softmax2d());
  act("prelu", nn::PReLU());
  act("prelu_channels", nn::PReLU({.num_parameters = 6}));
  act("rrelu", nn::RReLU());
  act("glu", nn::GLU(1));
  act("tanhshrink", nn::Tanhshrink());
  act("hardshrink", nn::Hardshrink(0.8));
  act("softshrink", nn::Softshrink(0.8));
  act("threshold", nn::Threshold(0.3, 0));
  act("threshold_value", nn::Threshold(0.3, -2));
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::fputs("usage: onnx_models FOLDER\n", stderr);
    return 2;
  }
  folder = arguments[1];
  try {
    whole_models();
    convolutions();
    pools();
    norms();
    arrangements();
    resampling();
    activations();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "onnx_models: %s\n", error.what());
    return 1;
  }
}
