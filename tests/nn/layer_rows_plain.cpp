// SPDX-License-Identifier: Apache-2.0
// Rows of the layers that map tensors to a tensor without time or attention.
#include "layer_rows.hpp"

namespace nn_test {

namespace {

using ag::DType;
using ag::Generator;
using nn::PerAxis;

std::vector<LayerRow> linear_rows() {
  return {
      {"Linear", "Linear",
       [](DType t, Generator& g) { return made(nn::Linear(3, 4, g, {.dtype = t})); },
       zeros64({2, 4})},
      {"Linear,no_bias", "Linear",
       [](DType t, Generator& g) { return made(nn::Linear(3, 2, g, {.bias = false, .dtype = t})); },
       zeros64({})},
      {"Bilinear", "Bilinear",
       [](DType t, Generator& g) { return made(nn::Bilinear(3, 2, 4, g, {.dtype = t})); },
       zeros64({2, 3, 3})},
      {"Sequential", "Linear",
       [](DType t, Generator& g) {
         return made(nn::Sequential{nn::Linear(3, 4, g, {.dtype = t}), nn::Tanh(),
                                    nn::Linear(4, 2, g, {.dtype = t})});
       },
       zeros64({2, 2})},
      {"Sequential,pictures", "Conv2d",
       [](DType t, Generator& g) {
         return made(
             nn::Sequential{nn::Sequential{nn::Conv2d(1, 2, 3, g, {.padding = 1, .dtype = t}),
                                           nn::BatchNorm2d(2, {.dtype = t}), nn::ReLU()},
                            nn::MaxPool2d(2), nn::Flatten(), nn::Linear(8, 3, g, {.dtype = t})});
       },
       zeros64({2, 2, 4, 4})},
  };
}

LayerRow conv2d(const std::string& name, std::int64_t in, std::int64_t out, PerAxis kernel,
                nn::ConvLayerOptions options) {
  return {name, "Conv2d",
          [=](DType t, Generator& g) mutable {
            options.dtype = t;
            return made(nn::Conv2d(in, out, kernel, g, options));
          },
          zeros64({1, in + 1, 4, 4})};
}

std::vector<LayerRow> conv_rows() {
  const auto around = [](const char* name, nn::PaddingMode mode) {
    return conv2d(name, 1, 2, 3, {.padding = {1, 2}, .padding_mode = mode});
  };
  return {
      {"Conv1d", "Conv1d",
       [](DType t, Generator& g) {
         return made(nn::Conv1d(2, 3, 3, g, {.stride = 2, .padding = 1, .dtype = t}));
       },
       zeros64({2, 3, 6})},
      conv2d("Conv2d", 2, 3, {3, 2}, {.padding = {1, 0}}),
      conv2d("Conv2d,groups", 4, 2, 2, {.dilation = 2, .groups = 2, .bias = false}),
      conv2d("Conv2d,same", 2, 2, {2, 3}, {.dilation = {1, 2}, .same = true}),
      around("Conv2d,reflect", nn::PaddingMode::reflect),
      around("Conv2d,replicate", nn::PaddingMode::replicate),
      around("Conv2d,circular", nn::PaddingMode::circular),
      {"Conv3d", "Conv3d",
       [](DType t, Generator& g) {
         return made(nn::Conv3d(2, 2, 2, g, {.stride = {1, 2, 1}, .dtype = t}));
       },
       zeros64({1, 2, 1, 3, 2})},
      {"ConvTranspose1d", "ConvTranspose1d",
       [](DType t, Generator& g) {
         return made(nn::ConvTranspose1d(
             2, 3, 3, g, {.stride = 2, .padding = 1, .output_padding = 1, .dtype = t}));
       },
       zeros64({2, 3, 3})},
      {"ConvTranspose2d", "ConvTranspose2d",
       [](DType t, Generator& g) {
         return made(nn::ConvTranspose2d(4, 2, 2, g,
                                         {.stride = 2, .groups = 2, .dilation = 2, .dtype = t}));
       },
       zeros64({1, 3, 2, 2})},
      {"ConvTranspose3d", "ConvTranspose3d",
       [](DType t, Generator& g) {
         return made(nn::ConvTranspose3d(2, 1, 2, g, {.bias = false, .dtype = t}));
       },
       zeros64({2, 2})},
  };
}

template <class L>
LayerRow fixed(const std::string& name, const std::string& type, L layer, ag::Tensor bad) {
  // Without parameters: copies would share their state, but there is none.
  return {name, type, [layer](DType, Generator&) { return made(layer); }, bad};
}

std::vector<LayerRow> pool_rows() {
  return {
      fixed("MaxPool1d", "MaxPool1d", nn::MaxPool1d(3, {.stride = 2, .padding = 1}), zeros64({5})),
      fixed("MaxPool2d", "MaxPool2d", nn::MaxPool2d(2), zeros64({1, 1, 1, 4})),
      fixed("MaxPool3d", "MaxPool3d", nn::MaxPool3d({1, 2, 2}, {.stride = 1}), zeros64({2, 3})),
      fixed("AvgPool1d", "AvgPool1d", nn::AvgPool1d(2), zeros64({1, 2, 1})),
      fixed("AvgPool2d", "AvgPool2d",
            nn::AvgPool2d(3, {.stride = 2, .padding = 1, .count_include_pad = false}),
            zeros64({2, 2})),
      fixed("AvgPool3d", "AvgPool3d", nn::AvgPool3d(2, {.ceil_mode = true}), zeros64({2})),
      fixed("AdaptiveAvgPool1d", "AdaptiveAvgPool1d", nn::AdaptiveAvgPool1d(3), zeros64({2})),
      fixed("AdaptiveAvgPool2d", "AdaptiveAvgPool2d", nn::AdaptiveAvgPool2d({2, 1}),
            zeros64({2, 2})),
      fixed("AdaptiveAvgPool3d", "AdaptiveAvgPool3d", nn::AdaptiveAvgPool3d(1), zeros64({2})),
      fixed("AdaptiveMaxPool1d", "AdaptiveMaxPool1d", nn::AdaptiveMaxPool1d(3), zeros64({2})),
      fixed("AdaptiveMaxPool2d", "AdaptiveMaxPool2d", nn::AdaptiveMaxPool2d({2, 1}),
            zeros64({2, 2})),
      fixed("AdaptiveMaxPool3d", "AdaptiveMaxPool3d", nn::AdaptiveMaxPool3d(1), zeros64({2})),
      fixed("Flatten", "Flatten", nn::Flatten(), zeros64({})),
      fixed("Unflatten", "Unflatten", nn::Unflatten(1, {2, -1}), zeros64({2, 3})),
      fixed("Upsample", "Upsample", nn::Upsample({.scale_factor = {2}}), zeros64({2, 2})),
      fixed(
          "Upsample,bilinear", "Upsample",
          nn::Upsample({.size = {3, 5}, .mode = ag::Interpolation::linear, .align_corners = true}),
          zeros64({2})),
      fixed("Dropout,eval", "Dropout", nn::Dropout(0.5), integers({2})),
      fixed("Dropout2d,eval", "Dropout2d", nn::Dropout2d(0.5), zeros64({2, 2})),
  };
}

template <int Axes>
LayerRow batch_norm(const std::string& name, std::int64_t channels, ag::Shape bad,
                    nn::BatchNormLayerOptions options = {}) {
  return {name, "BatchNorm" + std::to_string(Axes) + "d",
          [=](DType t, Generator&) mutable {
            options.dtype = t;
            return made(nn::BatchNormNd<Axes>(channels, options));
          },
          zeros64(bad)};
}
template <int Axes>
LayerRow instance_norm(const std::string& name, ag::Shape bad,
                       nn::InstanceNormLayerOptions options = {}) {
  return {name, "InstanceNorm" + std::to_string(Axes) + "d",
          [=](DType t, Generator&) mutable {
            options.dtype = t;
            return made(nn::InstanceNormNd<Axes>(2, options));
          },
          zeros64(bad)};
}

std::vector<LayerRow> norm_rows() {
  return {
      batch_norm<1>("BatchNorm1d", 3, {5, 4}),
      batch_norm<1>("BatchNorm1d,sequence", 2, {2, 2, 3, 1}, {.momentum = {}}),
      batch_norm<2>("BatchNorm2d", 3, {2, 3, 2}, {.eps = 1e-3, .momentum = 0.3}),
      batch_norm<2>("BatchNorm2d,eval", 3, {2, 4, 2, 2}),
      batch_norm<2>("BatchNorm2d,untracked,eval", 2, {2, 2}, {.track_running_stats = false}),
      batch_norm<3>("BatchNorm3d", 2, {2, 2, 1, 2}, {.affine = false}),
      instance_norm<1>("InstanceNorm1d", {2, 3, 4}),
      instance_norm<2>("InstanceNorm2d", {2, 2}, {.affine = true, .track_running_stats = true}),
      instance_norm<2>("InstanceNorm2d,eval", {2, 3, 2, 3}, {.track_running_stats = true}),
      instance_norm<3>("InstanceNorm3d", {2, 1, 1}, {.affine = true}),
      {"LayerNorm", "LayerNorm",
       [](DType t, Generator&) {
         return made(nn::LayerNorm({2, 3}, {.dtype = t}));
       },
       zeros64({2, 3, 2})},
      {"LayerNorm,plain", "LayerNorm",
       [](DType, Generator&) {
         return made(nn::LayerNorm(4, {.eps = 1e-3, .elementwise_affine = false}));
       },
       zeros64({4, 2})},
      {"RMSNorm", "RMSNorm",
       [](DType t, Generator&) { return made(nn::RMSNorm(4, {.eps = 1e-6, .dtype = t})); },
       zeros64({4, 2})},
      {"GroupNorm", "GroupNorm",
       [](DType t, Generator&) { return made(nn::GroupNorm(2, 4, {.dtype = t})); },
       zeros64({2, 2, 3})},
  };
}

std::vector<LayerRow> activation_rows() {
  return {
      {"PReLU", "PReLU", [](DType t, Generator&) { return made(nn::PReLU({.dtype = t})); },
       integers({2, 3})},
      {"PReLU,channels", "PReLU",
       [](DType t, Generator&) { return made(nn::PReLU({.num_parameters = 3, .dtype = t})); },
       zeros64({2, 2, 3})},
      fixed("GLU", "GLU", nn::GLU(1), zeros64({2, 3, 2})),
      fixed("RReLU,eval", "RReLU", nn::RReLU(), ag::Tensor()),
  };
}

std::vector<LayerRow> margin_rows() {
  return {
      fixed("ZeroPad2d", "ConstantPad2d", nn::ZeroPad2d({1, 0, 2, -1}), zeros64({3})),
      fixed("ConstantPad1d", "ConstantPad1d", nn::ConstantPad1d(1, 0.5), zeros64({})),
      fixed("ReflectionPad2d", "ReflectionPad2d", nn::ReflectionPad2d({1, 2, 1, 0}),
            zeros64({1, 1, 2, 2})),
      fixed("ReplicationPad3d", "ReplicationPad3d", nn::ReplicationPad3d(1), zeros64({2, 2})),
      fixed("PixelShuffle", "PixelShuffle", nn::PixelShuffle(2), zeros64({1, 6, 1, 2})),
      fixed("PixelUnshuffle", "PixelUnshuffle", nn::PixelUnshuffle(2), zeros64({1, 2, 3})),
  };
}

LayerRow bag(const std::string& name, nn::EmbeddingBagOptions options) {
  return {name, "EmbeddingBag",
          [=](DType t, Generator& g) mutable {
            options.dtype = t;
            return made(nn::EmbeddingBag(6, 2, g, options));
          },
          integers({2, 2, 2})};
}

std::vector<LayerRow> embedding_rows() {
  return {
      {"Embedding", "Embedding",
       [](DType t, Generator& g) { return made(nn::Embedding(5, 3, g, {.dtype = t})); },
       integers({2}, 5)},
      {"Embedding,padding", "Embedding",
       [](DType t, Generator& g) {
         return made(nn::Embedding(5, 2, g, {.padding_idx = -2, .dtype = t}));
       },
       zeros64({2}), /*gradcheck=*/false},
      bag("EmbeddingBag", {}),
      bag("EmbeddingBag,rows", {.mode = nn::BagMode::sum}),
      bag("EmbeddingBag,max", {.mode = nn::BagMode::max}),
      bag("EmbeddingBag,padding", {.padding_idx = 4}),
      bag("EmbeddingBag,weighted", {.mode = nn::BagMode::sum, .padding_idx = 2}),
  };
}

}  // namespace

std::vector<LayerRow> plain_rows() {
  std::vector<LayerRow> all;
  for (auto rows : {linear_rows(), conv_rows(), pool_rows(), norm_rows(), activation_rows(),
                    margin_rows(), embedding_rows()}) {
    all.insert(all.end(), rows.begin(), rows.end());
  }
  return all;
}

}  // namespace nn_test
