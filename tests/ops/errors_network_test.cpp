// SPDX-License-Identifier: Apache-2.0
// The exact message of every misuse of the functions of network.hpp; nothing may have been recorded or
// written when it throws.
#include "support.hpp"

namespace ops_test {
namespace {

using namespace autograd;

constexpr std::int64_t kHuge = std::int64_t{1} << 40;

// x: float32 [2, 4, 6, 6], tracked.
using Misuse = std::function<void(const Tensor& x)>;

template <class E> void expect_error(const std::string& message, const Misuse& misuse) {
  SCOPED_TRACE(message);
  const Tensor value = ones({2, 4, 6, 6});
  expect_message<E>(message, [&] { misuse(value); });
  Tape tape;
  const Tensor x = tape.input(value);
  const std::size_t size = tape.size();
  expect_message<E>(message, [&] { misuse(x); });
  EXPECT_EQ(tape.size(), size) << "recorded before it threw";
  tape.backward(sum(square(x)));
  EXPECT_EQ(x.grad().at({0, 0, 0, 0}), 2);
}

TEST(NetworkErrors, Convolution) {
  const Tensor w = ones({8, 4, 3, 3});
  expect_error<ShapeError>(
      "conv1d: x has the wrong number of axes: x is [2, 4, 6, 6]; need 3 or, without a batch, 2",
      [&](const Tensor& x) { conv1d(x, w); });
  expect_error<ShapeError>(
      "conv2d: x has an empty or too long axis: x is [2, 4, 0, 6]; need extents from 1 to 2^30 "
      "behind the batch",
      [&](const Tensor&) {
        conv2d(ones({2, 4, 0, 6}), w);
      });
  expect_error<ShapeError>(
      "conv2d: the weight does not fit: weight is [8, 4, 3], x is [2, 4, 6, 6]; need 4 axes of "
      "extents from 1 to 2^30",
      [&](const Tensor& x) {
        conv2d(x, ones({8, 4, 3}));
      });
  expect_error<ShapeError>(
      "conv2d: channels differ: x is [2, 4, 6, 6], weight is [8, 3, 3, 3]; need x.shape[1] == 3 "
      "(4 != 3)",
      [&](const Tensor& x) {
        conv2d(x, ones({8, 3, 3, 3}));
      });
  expect_error<ValueError>(
      "conv2d: groups do not divide the channels: groups is 3; need at least 1 and a divisor of 4 "
      "and of 8",
      [&](const Tensor& x) { conv2d(x, w, {}, {.groups = 3}); });
  expect_error<ValueError>("conv2d: option out of range: stride is 0; need 1 to 2^30",
                           [&](const Tensor& x) { conv2d(x, w, {}, {.stride = 0}); });
  expect_error<ValueError>("conv2d: option out of range: padding is -1; need 0 to 2^30",
                           [&](const Tensor& x) {
                             conv2d(x, w, {}, {.padding = {1, -1}});
                           });
  expect_error<ValueError>("conv2d: option out of range: dilation is 1099511627776; need 1 to 2^30",
                           [&](const Tensor& x) { conv2d(x, w, {}, {.dilation = kHuge}); });
  expect_error<ValueError>("conv2d: wrong number of values: stride has 3; need 1 or 2",
                           [&](const Tensor& x) {
                             conv2d(x, w, {}, {.stride = {1, 2, 3}});
                           });
  expect_error<ShapeError>(
      "conv2d: nothing is left of an axis: x is [2, 4, 6, 6], weight is [8, 4, 7, 3]; need a "
      "kernel no larger than the padded image (an output extent is 0)",
      [&](const Tensor& x) {
        conv2d(x, ones({8, 4, 7, 3}));
      });
  expect_error<TypeError>(
      "conv2d: dtypes differ: x is float32, weight is float64; need one dtype (convert with to)",
      [&](const Tensor& x) {
        conv2d(x, ones({8, 4, 3, 3}, float64));
      });
  expect_error<ShapeError>("conv2d: the bias does not fit: bias is [4]; need shape [8]",
                           [&](const Tensor& x) { conv2d(x, w, ones({4})); });
  expect_error<TypeError>(
      "conv2d: not defined for int64; need float32 or float64 (convert with to(x, "
      "autograd::float32))",
      [&](const Tensor&) {
        conv2d(ones({1, 1, 2, 2}, autograd::int64), ones({1, 1, 1, 1}, autograd::int64));
      });
  const std::string none =
      " is undefined: no tensor was assigned; need one (make it with tensor(...))";
  expect_error<ValueError>("conv2d: x" + none, [&](const Tensor&) { conv2d(Tensor(), w); });
  expect_error<ValueError>("conv2d: weight" + none, [](const Tensor& x) { conv2d(x, Tensor()); });
  expect_error<ValueError>("conv_transpose2d: weight" + none,
                           [](const Tensor& x) { conv_transpose2d(x, Tensor()); });
}

TEST(NetworkErrors, TransposedConvolution) {
  const Tensor w = ones({4, 2, 3, 3});
  expect_error<ShapeError>(
      "conv_transpose2d: channels differ: x is [2, 4, 6, 6], weight is [3, 2, 3, 3]; need "
      "x.shape[1] == 3 (4 != 3)",
      [&](const Tensor& x) {
        conv_transpose2d(x, ones({3, 2, 3, 3}));
      });
  expect_error<ValueError>(
      "conv_transpose2d: output_padding is too large: it is 2; need less than stride or dilation "
      "(2 and 1)",
      [&](const Tensor& x) { conv_transpose2d(x, w, {}, {.stride = 2, .output_padding = 2}); });
  expect_error<ShapeError>(
      "conv_transpose2d: nothing is left of an axis: x is [2, 4, 6, 6], weight is [4, 2, 3, 3]; "
      "need a kernel no larger than the padded image (an output extent is 0)",
      [&](const Tensor& x) { conv_transpose2d(x, w, {}, {.padding = 4}); });
  expect_error<ShapeError>("conv_transpose2d: the bias does not fit: bias is [4]; need shape [2]",
                           [&](const Tensor& x) { conv_transpose2d(x, w, ones({4})); });
  // Extents whose product no tensor can have.
  EXPECT_THROW(conv_transpose2d(ones({2, 4, 6, 6}), w, {}, {.stride = kHuge >> 10}), ValueError);
}

TEST(NetworkErrors, Pooling) {
  expect_error<ShapeError>(
      "max_pool2d: a window does not fit: x is [2, 4, 6, 6], the window spans 7 along axis 3; need "
      "at most 6",
      [](const Tensor& x) {
        max_pool2d(x, {2, 7});
      });
  expect_error<ValueError>(
      "avg_pool2d: padding is too large: it is 2, kernel_size is 3; need at most half of the "
      "kernel",
      [](const Tensor& x) { avg_pool2d(x, 3, {.padding = 2}); });
  expect_error<ValueError>("max_pool2d: option out of range: kernel_size is 0; need 1 to 2^30",
                           [](const Tensor& x) { max_pool2d(x, 0); });
  expect_error<ValueError>("max_pool2d: wrong number of values: kernel_size has 0; need 1 or 2",
                           [](const Tensor& x) { max_pool2d(x, PerAxis()); });
  expect_error<ValueError>(
      "adaptive_avg_pool2d: option out of range: output_size is -1; need 0 to 2^30",
      [](const Tensor& x) { adaptive_avg_pool2d(x, -1); });
  expect_error<TypeError>(
      "max_pool1d: not defined for bool; need float32 or float64 (convert with to(x, "
      "autograd::float32))",
      [](const Tensor&) {
        max_pool1d(ones({2, 3}, boolean), 2);
      });
  EXPECT_THROW(adaptive_max_pool2d(ones({2, 2, 2}), kHuge >> 10), ValueError);
  expect_error<ValueError>(
      "max_pool2d: x is undefined: no tensor was assigned; need one (make it with tensor(...))",
      [](const Tensor&) { max_pool2d(Tensor(), 2); });
  expect_error<ValueError>("interpolate: neither of size and scale_factor given; need one of them",
                           [](const Tensor& x) { interpolate(x, {}); });
  expect_error<ValueError>(
      "interpolate: both of size and scale_factor given; need one of them",
      [](const Tensor& x) { interpolate(x, {.size = 2, .scale_factor = {2}}); });
  expect_error<ValueError>(
      "interpolate: align_corners has no meaning in this mode; need linear or cubic",
      [](const Tensor& x) { interpolate(x, {.size = 2, .align_corners = true}); });
  expect_error<ValueError>("interpolate: wrong number of values: scale_factor has 3; need 1 or 2",
                           [](const Tensor& x) {
                             interpolate(x, {.scale_factor = {1, 2, 3}});
                           });
  for (double factor : {0.0, -1.0, kNan, kInf, 0.01, 1e300}) {
    EXPECT_THROW(interpolate(ones({1, 1, 4}), {.scale_factor = {factor}}), ValueError);
  }
  EXPECT_THROW(interpolate(ones({1, 1, 4, 4}), {.size = kHuge >> 10}), ValueError);
}

TEST(NetworkErrors, Normalization) {
  expect_error<ShapeError>("batch_norm: x has no channels: x is [3]; need [n, c, ...] with c >= 1",
                           [](const Tensor&) { batch_norm(ones({3}), ones({3}), ones({3})); });
  expect_error<ValueError>(
      "batch_norm: no statistics: running_mean and running_var are undefined; need them, or "
      ".training = true",
      [](const Tensor& x) { batch_norm(x, {}, {}); });
  expect_error<ValueError>(
      "batch_norm: only one of running_mean and running_var given; need both or none",
      [](const Tensor& x) { batch_norm(x, ones({4}), {}); });
  expect_error<ShapeError>(
      "batch_norm: weight does not fit: it is [3], x is [2, 4, 6, 6]; need shape [4]",
      [](const Tensor& x) { batch_norm(x, ones({4}), ones({4}), ones({3})); });
  expect_error<ValueError>(
      "batch_norm: eps out of range: -1; need a finite number of at "
      "least 0",
      [](const Tensor& x) { batch_norm(x, ones({4}), ones({4}), {}, {}, {.eps = -1}); });
  expect_error<ValueError>(
      "batch_norm: momentum out of range: 2; need 0 to 1",
      [](const Tensor& x) { batch_norm(x, ones({4}), ones({4}), {}, {}, {.momentum = 2}); });
  expect_error<ShapeError>(
      "layer_norm: x does not end in the normalized shape: x is [2, 4, 6, 6], normalized_shape is "
      "[4, 6]; need at least one axis and equal extents",
      [](const Tensor& x) {
        layer_norm(x, {4, 6});
      });
  expect_error<ValueError>(
      "group_norm: num_groups does not divide the channels: num_groups is 3; need at least 1 and a "
      "divisor of 4",
      [](const Tensor& x) { group_norm(x, 3); });
  expect_error<ValueError>(
      "instance_norm: too few elements per channel: x is [2, 4, 1]; need at least 2 (1)",
      [](const Tensor&) {
        instance_norm(ones({2, 4, 1}));
      });
  // What throws must not have taught the running statistics anything.
  const Tensor mean = ones({4}), variance = ones({4});
  EXPECT_THROW(batch_norm(ones({2, 4}), mean, variance, ones({3}), {}, {.training = true}), Error);
  expect_values(mean, {1, 1, 1, 1});
}

TEST(NetworkErrors, DropoutAndEmbedding) {
  for (double p : {-0.1, 1.1, kNan}) EXPECT_THROW(dropout(ones({2}), {.p = p}), ValueError);
  expect_error<TypeError>("embedding: the index is float32; need int64", [](const Tensor&) {
    embedding(ones({2}), ones({3, 2}));
  });
  expect_error<ShapeError>(
      "embedding: weight has the wrong number of axes: weight is [2, 4, 6, 6]; need 2",
      [](const Tensor& x) { embedding(i64({0}), x); });
  expect_error<ValueError>(
      "embedding: padding_idx out of range: 3; need at least -3 and less than 3",
      [](const Tensor&) {
        embedding(i64({0}), ones({3, 2}), {.padding_idx = 3});
      });
  expect_error<ValueError>(
      "embedding: index out of range: -1 at position 0; need at least 0 and less than 3",
      [](const Tensor&) {
        embedding(i64({-1}), ones({3, 2}));
      });
}

TEST(NetworkErrors, Attention) {
  const std::string name = "scaled_dot_product_attention";
  const auto f = [](const Tensor& q, const Tensor& k, const Tensor& v,
                    const AttentionOptions& options = {}) {
    return scaled_dot_product_attention(q, k, v, options);
  };
  expect_error<ShapeError>(name +
                               ": shapes do not fit: query is [2, 4, 6, 6], key is [2, 4, 6, 6], "
                               "value is [5, 6]; need [..., l, e], [..., s, e] and [..., s, v] "
                               "with e >= 1",
                           [&](const Tensor& x) {
                             f(x, x, ones({5, 6}));
                           });
  expect_error<ShapeError>(
      name +
          ": batch axes do not broadcast: query is [2, 4, 6, 6], key is [2, 4, 6, 6], value is "
          "[3, 6, 6]; need equal extents or 1 in the axes before the matrices",
      [&](const Tensor& x) {
        f(x, x, ones({3, 6, 6}));
      });
  expect_error<ShapeError>(
      name +
          ": attend does not fit the scores: attend is [3, 4], scores are [2, 4, 6, 6]; need a "
          "shape that broadcasts to them",
      [&](const Tensor& x) {
        f(x, x, x, {.mask = AttentionMask::attend_where, .attend = ones({3, 4}) > 0.0});
      });
  expect_error<ValueError>(
      name + ": mask is attend_where, but attend is not given; need both or neither",
      [&](const Tensor& x) { f(x, x, x, {.mask = AttentionMask::attend_where}); });
  expect_error<ValueError>(
      name + ": attend is given, but mask is not attend_where; need both or neither",
      [&](const Tensor& x) {
        f(x, x, x, {.attend = ones({6, 6}, boolean)});
      });
  expect_error<TypeError>(
      name + ": attend is float32; need bool, true where a query attends to a key",
      [&](const Tensor& x) {
        f(x, x, x, {.mask = AttentionMask::attend_where, .attend = ones({6, 6})});
      });
  expect_error<ShapeError>(
      name +
          ": attend does not fit the scores: attend is [3, 1, 1, 6, 6], scores are [2, 4, 6, 6]; "
          "need a shape that broadcasts to them",
      [&](const Tensor& x) {
        f(x, x, x, {.mask = AttentionMask::attend_where, .attend = ones({3, 1, 1, 6, 6}, boolean)});
      });
  expect_error<ValueError>(name + ": dropout_p out of range: 2; need 0 to 1",
                           [&](const Tensor& x) { f(x, x, x, {.dropout_p = 2}); });
  EXPECT_THROW(f(ones({2, 2}), ones({2, 2}), ones({2, 2}, float64)), TypeError);
  EXPECT_THROW(f(ones({2, 3, 2}), ones({3, 3, 2}), ones({3, 2})), ShapeError);
}

TEST(NetworkErrors, Ctc) {
  const auto f = [](const Tensor& x, const Tensor& targets, std::vector<std::int64_t> inputs,
                    std::vector<std::int64_t> lengths, std::int64_t blank = 0) {
    return ctc_loss(x, targets, inputs, lengths, {.blank = blank});
  };
  const Tensor p = ones({5, 2, 3}), t = i64({{1, 2}, {1, 1}});
  expect_error<ShapeError>(
      "ctc_loss: log_probs has the wrong number of axes: log_probs is [2, 4, 6, 6]; need [steps, "
      "samples, classes]",
      [&](const Tensor& x) {
        f(x, t, {5, 5}, {2, 2});
      });
  expect_message<ShapeError>(
      "ctc_loss: wrong number of input_lengths: 1; need one for each sample (2)", [&] {
        f(p, t, {5}, {2, 2});
      });
  expect_message<ValueError>("ctc_loss: input_lengths out of range: 6; need 0 to 5", [&] {
    f(p, t, {5, 6}, {2, 2});
  });
  expect_message<ValueError>("ctc_loss: target_lengths out of range: 3; need 0 to 2", [&] {
    f(p, t, {5, 5}, {2, 3});
  });
  expect_message<ValueError>("ctc_loss: blank out of range: 3; need at least 0 and less than 3",
                             [&] {
                               f(p, t, {5, 5}, {2, 2}, 3);
                             });
  expect_message<ValueError>(
      "ctc_loss: target out of range: 1 in sample 0; need at least 0, less than 3 and not the "
      "blank (1)",
      [&] {
        f(p, t, {5, 5}, {2, 2}, 1);
      });
  expect_message<ShapeError>("ctc_loss: target_lengths do not sum up to the targets: 2; need 3",
                             [&] {
                               f(p, i64({1, 2, 1}), {5, 5}, {1, 1});
                             });
  expect_message<TypeError>("ctc_loss: targets is float32; need int64", [&] {
    f(p, ones({2, 2}), {5, 5}, {2, 2});
  });
}

TEST(NetworkErrors, UndefinedTensors) {
  const Tensor u, x = ones({2, 4, 6}), w = ones({4, 4, 3}), v = ones({4}), i = i64({0, 1});
  const std::vector<std::function<void()>> uses = {
      [&] { conv1d(u, w); },
      [&] { conv1d(x, u); },
      [&] { conv_transpose1d(u, w); },
      [&] { conv_transpose1d(x, u); },
      [&] { max_pool1d(u, 2); },
      [&] { avg_pool1d(u, 2); },
      [&] { adaptive_avg_pool1d(u, 2); },
      [&] { adaptive_max_pool1d(u, 2); },
      [&] { interpolate(u, {.size = 2}); },
      [&] { batch_norm(u, v, v); },
      [&] { batch_norm(x, u, u); },
      [&] { batch_norm(x, v, u); },
      [&] { layer_norm(u, {6}); },
      [&] { group_norm(u, 2); },
      [&] { instance_norm(u); },
      [&] { rms_norm(u, {6}); },
      [&] { dropout(u); },
      [&] {
        embedding(u, ones({3, 2}));
      },
      [&] { embedding(i, u); },
      [&] { scaled_dot_product_attention(u, x, x); },
      [&] { scaled_dot_product_attention(x, u, x); },
      [&] { scaled_dot_product_attention(x, x, u); },
      [&] { ctc_loss(u, i64({{1}}), {1}, {1}); },
      [&] {
        ctc_loss(ones({1, 1, 2}), u, {1}, {1});
      },
  };
  for (std::size_t k = 0; k < uses.size(); ++k) EXPECT_THROW(uses[k](), ValueError) << k;
}

}  // namespace
}  // namespace ops_test
