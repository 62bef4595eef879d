// SPDX-License-Identifier: Apache-2.0
// The functions of network.hpp against PyTorch's values and gradients (tests/golden/network.txt).
#include "golden.hpp"

namespace ops_test {
namespace {

using namespace autograd;
using Options = InterpolateOptions;

const GoldenFunctions& convolution() {
  static const GoldenFunctions f = {
      {"conv2d,plain", [](const Inputs& x) { return conv2d(x[0], x[1], x[2]); }},
      {"conv2d,stride_padding",
       [](const Inputs& x) {
         return conv2d(x[0], x[1], {}, {.stride = {2, 1}, .padding = {1, 2}});
       }},
      {"conv2d,dilation_groups",
       [](const Inputs& x) {
         return conv2d(x[0], x[1], x[2], {.padding = 2, .dilation = 2, .groups = 2});
       }},
      {"conv2d,depthwise_strided_view",
       [](const Inputs& x) {
         return conv2d(transpose(x[0], 2, 3), x[1], {}, {.padding = 1, .groups = 2});
       }},
      {"conv2d,pointwise_unbatched", [](const Inputs& x) { return conv2d(x[0], x[1], x[2]); }},
      {"conv1d",
       [](const Inputs& x) { return conv1d(x[0], x[1], x[2], {.stride = 2, .padding = 1}); }},
      {"conv3d",
       [](const Inputs& x) {
         return conv3d(x[0], x[1], x[2], {.stride = {1, 2, 1}, .padding = {0, 1, 1}});
       }},
      {"conv_transpose2d,plain",
       [](const Inputs& x) { return conv_transpose2d(x[0], x[1], x[2]); }},
      {"conv_transpose2d,everything",
       [](const Inputs& x) {
         return conv_transpose2d(x[0], x[1], x[2],
                                 {.stride = {2, 3},
                                  .padding = {1, 0},
                                  .output_padding = {1, 2},
                                  .groups = 2,
                                  .dilation = {2, 1}});
       }},
      {"conv_transpose2d,strided_view",
       [](const Inputs& x) {
         return conv_transpose2d(transpose(x[0], 0, 1), x[1], {}, {.stride = 2});
       }},
      {"conv_transpose1d",
       [](const Inputs& x) {
         return conv_transpose1d(x[0], x[1], {}, {.stride = 3, .padding = 1, .output_padding = 2});
       }},
      {"conv_transpose3d,unbatched",
       [](const Inputs& x) {
         return conv_transpose3d(x[0], x[1], {}, {.stride = {1, 2, 1}});
       }},
  };
  return f;
}

const GoldenFunctions& pooling() {
  static const GoldenFunctions f = {
      {"max_pool2d,plain", [](const Inputs& x) { return max_pool2d(x[0], 2); }},
      {"max_pool2d,padding_ceil",
       [](const Inputs& x) {
         return max_pool2d(x[0], {3, 2}, {.stride = 2, .padding = 1, .ceil_mode = true});
       }},
      {"max_pool2d,dilation_strided_view",
       [](const Inputs& x) {
         return max_pool2d(transpose(x[0], 2, 3), 2, {.stride = 1, .dilation = {2, 1}});
       }},
      {"max_pool1d,unbatched",
       [](const Inputs& x) { return max_pool1d(x[0], 3, {.stride = 2, .padding = 1}); }},
      {"max_pool3d", [](const Inputs& x) { return max_pool3d(x[0], 2, {.stride = 1}); }},
      {"avg_pool2d,plain", [](const Inputs& x) { return avg_pool2d(x[0], 2); }},
      {"avg_pool2d,padding",
       [](const Inputs& x) {
         return avg_pool2d(x[0], {3, 2}, {.stride = {2, 1}, .padding = 1});
       }},
      {"avg_pool2d,padding_not_counted_ceil",
       [](const Inputs& x) {
         return avg_pool2d(
             x[0], 3, {.stride = 2, .padding = 1, .ceil_mode = true, .count_include_pad = false});
       }},
      {"avg_pool2d,padding_ceil",
       [](const Inputs& x) {
         return avg_pool2d(x[0], 3, {.stride = 2, .padding = 1, .ceil_mode = true});
       }},
      {"avg_pool2d,divisor_strided_view",
       [](const Inputs& x) {
         return avg_pool2d(transpose(x[0], 2, 3), 2, {.divisor_override = 3});
       }},
      {"avg_pool1d,unbatched", [](const Inputs& x) { return avg_pool1d(x[0], 3, {.stride = 1}); }},
      {"avg_pool3d",
       [](const Inputs& x) {
         return avg_pool3d(x[0], {1, 2, 2}, {.stride = 1});
       }},
      {"adaptive_avg_pool2d",
       [](const Inputs& x) {
         return adaptive_avg_pool2d(x[0], {3, 2});
       }},
      {"adaptive_avg_pool1d,wider", [](const Inputs& x) { return adaptive_avg_pool1d(x[0], 7); }},
      {"adaptive_avg_pool3d,global", [](const Inputs& x) { return adaptive_avg_pool3d(x[0], 1); }},
      {"adaptive_avg_pool2d,strided_view",
       [](const Inputs& x) { return adaptive_avg_pool2d(transpose(x[0], 1, 2), 2); }},
      {"adaptive_max_pool2d",
       [](const Inputs& x) {
         return adaptive_max_pool2d(x[0], {3, 2});
       }},
      {"adaptive_max_pool1d,wider", [](const Inputs& x) { return adaptive_max_pool1d(x[0], 4); }},
      {"adaptive_max_pool3d",
       [](const Inputs& x) {
         return adaptive_max_pool3d(x[0], {1, 2, 1});
       }},
      {"adaptive_max_pool2d,strided_view",
       [](const Inputs& x) { return adaptive_max_pool2d(transpose(x[0], 2, 3), 2); }},
  };
  return f;
}

GoldenFunctions interpolation() {
  GoldenFunctions f;
  const auto add = [&](const std::string& name, const Options& options) {
    f[name] = [options](const Inputs& x) { return interpolate(x[0], options); };
  };
  for (bool corners : {false, true}) {
    const std::string end = corners ? ",corners" : "";
    const auto linear = Interpolation::linear, cubic = Interpolation::cubic;
    add("interpolate,linear" + end, {.size = 7, .mode = linear, .align_corners = corners});
    add("interpolate,bilinear" + end, {.size = {5, 3}, .mode = linear, .align_corners = corners});
    add("interpolate,trilinear" + end,
        {.size = {3, 2, 4}, .mode = linear, .align_corners = corners});
    add("interpolate,bicubic" + end, {.size = {5, 3}, .mode = cubic, .align_corners = corners});
  }
  add("interpolate,bilinear,factor", {.scale_factor = {1.7, 2.3}, .mode = Interpolation::linear});
  add("interpolate,nearest", {.size = {5, 2}});
  add("interpolate,nearest,factor", {.scale_factor = {2}});
  add("interpolate,nearest_exact", {.size = 3, .mode = Interpolation::nearest_exact});
  add("interpolate,area", {.size = {2, 3}, .mode = Interpolation::area});
  f["interpolate,nearest,strided_view"] = [](const Inputs& x) {
    return interpolate(transpose(x[0], 2, 3), {.size = 3});
  };
  return f;
}

// The running statistics that the reference begins with.
Tensor running_mean(const Tensor& x) { return arange(x.shape()[1], x.dtype()) * 0.3 - 0.2; }
Tensor running_var(const Tensor& x) { return arange(x.shape()[1], x.dtype()) + 0.5; }
Tensor both(const Tensor& mean, const Tensor& variance) {
  Doubles all = values(mean);
  for (double v : values(variance)) all.push_back(v);
  return to(tensor(all, {2, mean.numel()}), mean.dtype());
}

const GoldenFunctions& normalization() {
  static const GoldenFunctions f = {
      {"batch_norm,training",
       [](const Inputs& x) { return batch_norm(x[0], {}, {}, x[1], x[2], {.training = true}); }},
      {"batch_norm,training_2_axes",
       [](const Inputs& x) {
         return batch_norm(x[0], {}, {}, {}, {}, {.training = true, .eps = 1e-3});
       }},
      {"batch_norm,eval",
       [](const Inputs& x) {
         return batch_norm(x[0], running_mean(x[0]), running_var(x[0]), x[1], x[2]);
       }},
      {"batch_norm,strided_view",
       [](const Inputs& x) {
         return batch_norm(transpose(x[0]), {}, {}, x[1], {}, {.training = true});
       }},
      {"batch_norm,running",
       [](const Inputs& x) {
         const Tensor mean = running_mean(x[0]), variance = running_var(x[0]);
         batch_norm(x[0], mean, variance, {}, {}, {.training = true, .momentum = 0.3});
         return both(mean, variance);
       }},
      {"instance_norm,running",
       [](const Inputs& x) {
         const Tensor mean = running_mean(x[0]), variance = running_var(x[0]);
         instance_norm(x[0], mean, variance, {}, {}, {.momentum = 0.3});
         return both(mean, variance);
       }},
      {"layer_norm", [](const Inputs& x) { return layer_norm(x[0], {4}, x[1], x[2]); }},
      {"layer_norm,2_axes",
       [](const Inputs& x) {
         return layer_norm(x[0], {2, 3}, x[1], x[2], {.eps = 0.1});
       }},
      {"layer_norm,strided_view", [](const Inputs& x) { return layer_norm(transpose(x[0]), {4}); }},
      {"layer_norm,all", [](const Inputs& x) { return layer_norm(x[0], {5}); }},
      {"group_norm", [](const Inputs& x) { return group_norm(x[0], 2, x[1], x[2]); }},
      {"group_norm,one_group", [](const Inputs& x) { return group_norm(x[0], 1); }},
      {"group_norm,each_channel",
       [](const Inputs& x) { return group_norm(x[0], 3, x[1], {}, {.eps = 0.01}); }},
      {"group_norm,strided_view",
       [](const Inputs& x) { return group_norm(transpose(x[0], 1, 2), 2); }},
      {"instance_norm", [](const Inputs& x) { return instance_norm(x[0], {}, {}, x[1], x[2]); }},
      {"instance_norm,plane",
       [](const Inputs& x) { return instance_norm(x[0], {}, {}, {}, {}, {.eps = 0.1}); }},
      {"instance_norm,eval",
       [](const Inputs& x) {
         return instance_norm(x[0], running_mean(x[0]), running_var(x[0]), {}, {},
                              {.use_input_stats = false});
       }},
      {"instance_norm,strided_view",
       [](const Inputs& x) { return instance_norm(transpose(x[0], 1, 2)); }},
      {"rms_norm", [](const Inputs& x) { return rms_norm(x[0], {4}, x[1]); }},
      {"rms_norm,2_axes",
       [](const Inputs& x) {
         return rms_norm(x[0], {2, 3}, x[1], {.eps = 0.1});
       }},
      {"rms_norm,strided_view", [](const Inputs& x) { return rms_norm(transpose(x[0]), {3}); }},
      {"rms_norm,one", [](const Inputs& x) { return rms_norm(x[0], {1}, {}, {.eps = 0.1}); }},
  };
  return f;
}

const GoldenFunctions& others() {
  static const Tensor index = i64({{2, 0, 2}, {3, 1, 0}});
  static const Tensor mask = tensor({{1, 0, 1, 1}, {0, 1, 0, 1}, {1, 1, 1, 0}}) > 0.5;
  constexpr auto attention =
      static_cast<Tensor (*)(const Tensor&, const Tensor&, const Tensor&, const AttentionOptions&)>(
          &scaled_dot_product_attention);
  static const GoldenFunctions f = {
      {"embedding", [](const Inputs& x) { return embedding(index, x[0]); }},
      {"embedding,padding",
       [](const Inputs& x) { return embedding(index, x[0], {.padding_idx = 2}); }},
      {"embedding,strided_view", [](const Inputs& x) { return embedding(index, transpose(x[0])); }},
      {"embedding,one",
       [](const Inputs& x) { return embedding(tensor(1, autograd::int64), x[0]); }},
      {"scaled_dot_product_attention",
       [](const Inputs& x) { return attention(x[0], x[1], x[2], {}); }},
      {"scaled_dot_product_attention,causal",
       [](const Inputs& x) {
         return attention(x[0], x[1], x[2], {.mask = AttentionMask::causal});
       }},
      {"scaled_dot_product_attention,mask_broadcast",
       [](const Inputs& x) {
         return attention(x[0], x[1], x[2], {.mask = AttentionMask::attend_where, .attend = mask});
       }},
      {"scaled_dot_product_attention,scale_strided_view",
       [](const Inputs& x) { return attention(transpose(x[0]), x[1], x[2], {.scale = 0.5}); }},
      {"ctc_loss,mean",
       [](const Inputs& x) {
         return ctc_loss(log_softmax(x[0], -1), i64({{1, 2, 2}, {2, 0, 0}}), {6, 5}, {3, 1});
       }},
      {"ctc_loss,none_one_line",
       [](const Inputs& x) {
         return ctc_loss(log_softmax(x[0], -1), i64({1, 1, 0}), {5, 4}, {2, 1},
                         {.blank = 3, .reduction = CtcReduction::none});
       }},
      {"ctc_loss,empty_target",
       [](const Inputs& x) {
         return ctc_loss(log_softmax(x[0], -1), i64({{1}, {2}}), {4, 4}, {0, 1},
                         {.reduction = CtcReduction::sum});
       }},
      {"ctc_loss,impossible",
       [](const Inputs& x) {
         return ctc_loss(log_softmax(x[0], -1), i64({{1, 1}, {1, 2}}), {2, 2}, {2, 2},
                         {.reduction = CtcReduction::sum, .zero_infinity = true});
       }},
      {"ctc_loss,strided_view",
       [](const Inputs& x) {
         return ctc_loss(log_softmax(transpose(x[0], 0, 1), -1), i64({{1}}), {3}, {1});
       }},
      {"dropout,keeps_all", [](const Inputs& x) { return dropout(x[0], {.p = 0}); }},
      {"dropout,drops_all", [](const Inputs& x) { return dropout(x[0], {.p = 1}); }},
      {"dropout,eval", [](const Inputs& x) { return dropout(x[0], {.training = false}); }},
      {"dropout,of_a_view",
       [](const Inputs& x) { return dropout(transpose(x[0]), {.p = 0.25, .training = false}); }},
      {"mean_squared_error", [](const Inputs& x) { return mean_squared_error(x[0], x[1]); }},
      {"mean_squared_error,of_a_view",
       [](const Inputs& x) { return mean_squared_error(transpose(x[0]), x[1]); }},
  };
  return f;
}

TEST(GoldenNetwork, AgreesWithPyTorch) {
  GoldenFunctions all = interpolation();
  for (const GoldenFunctions& part : {convolution(), pooling(), normalization(), others()}) {
    all.insert(part.begin(), part.end());
  }
  check_golden("network", all);
}

}  // namespace
}  // namespace ops_test
