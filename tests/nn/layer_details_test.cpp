// SPDX-License-Identifier: Apache-2.0
// What single layers promise beyond the table: starting values, running statistics, bags, messages of
// constructors.
#include "support.hpp"

namespace {

using nn_test::expect_message;
using nn_test::expect_values;
using nn_test::values;

/// Uniform on (-bound, bound): never outside, and near both ends of it.
void expect_bound(const ag::Tensor& x, double bound) {
  EXPECT_LE(ag::max(ag::abs(x)).item(), bound * 1.0000001);
  EXPECT_GT(ag::max(x).item(), 0.9 * bound);
  EXPECT_LT(-ag::max(-x).item(), -0.9 * bound);
}

TEST(LayerStart, Bounds) {
  ag::Generator g(1);
  const nn::Conv2d conv(8, 32, {3, 5}, g, {.groups = 2});
  expect_bound(conv.weight, 1 / std::sqrt(4.0 * 15));
  expect_bound(conv.bias, 1 / std::sqrt(4.0 * 15));
  const nn::ConvTranspose2d transposed(32, 40, 3, g, {.groups = 2});
  expect_bound(transposed.weight, 1 / std::sqrt(20.0 * 9));
  expect_bound(transposed.bias, 1 / std::sqrt(20.0 * 9));
  expect_bound(nn::Bilinear(16, 5, 9, g).weight, 0.25);
  const nn::LSTM lstm(5, 16, g);
  for (const ag::Tensor& p : lstm.parameters()) expect_bound(p, 0.25);
  const nn::MultiheadAttention attention(32, 4, g);
  expect_bound(attention.in_proj_weight, std::sqrt(6.0 / (32 + 96)));
  expect_bound(attention.out_proj.weight, 1 / std::sqrt(32.0));
  EXPECT_EQ(ag::max(ag::abs(attention.in_proj_bias)).item(), 0.0);
  EXPECT_EQ(ag::max(ag::abs(attention.out_proj.bias)).item(), 0.0);
  const nn::Embedding embedding(100, 50, g, {.padding_idx = 3});
  EXPECT_NEAR(ag::mean(ag::square(embedding.weight)).item(), 0.99, 0.05);
  EXPECT_EQ(ag::max(ag::abs(ag::select(embedding.weight, 0, 3))).item(), 0.0);
  const nn::LearnedPositionalEncoding positions(100, 50, g);
  EXPECT_NEAR(ag::mean(ag::square(positions.weight)).item(), 4e-4, 4e-5);
}

TEST(LayerStart, ConstructorsSayWhatIsWrong) {
  expect_message<ag::ValueError>(
      "Conv2d: groups do not divide the channels: in is 3, out is 4; need multiples of groups (2)",
      [] { nn::Conv2d(3, 4, 3, {.groups = 2}); });
  expect_message<ag::ValueError>("Conv2d: kernel_size out of range: 0; need at least 1", [] {
    nn::Conv2d(3, 4, {3, 0});
  });
  expect_message<ag::ValueError>("Conv1d: kernel_size has 2 numbers; need 1 or 1", [] {
    nn::Conv1d(3, 4, {3, 3});
  });
  expect_message<ag::ValueError>("ConvTranspose1d: in out of range: -1; need at least 1",
                                 [] { nn::ConvTranspose1d(-1, 4, 3); });
  expect_message<ag::ValueError>("Conv2d: same padding with a stride: stride is 2; need 1",
                                 [] { nn::Conv2d(3, 4, 3, {.stride = 2, .same = true}); });
  expect_message<ag::ValueError>(
      "GroupNorm: num_groups does not divide the channels: num_groups is 3, channels is 4; need a "
      "divisor",
      [] { nn::GroupNorm(3, 4); });
  expect_message<ag::ValueError>("BatchNorm1d: momentum out of range: 2; need 0 to 1",
                                 [] { nn::BatchNorm1d(3, {.momentum = 2}); });
  expect_message<ag::ValueError>(
      "LayerNorm: eps out of range: -1; need a finite number of at least 0",
      [] { nn::LayerNorm(3, {.eps = -1}); });
  expect_message<ag::ValueError>(
      "Embedding: padding_idx out of range: 4; need at least -4 and less than 4",
      [] { nn::Embedding(4, 2, {.padding_idx = 4}); });
  expect_message<ag::ValueError>(
      "ReflectionPad1d: a wrong number of amounts: 4; need two for each axis (2)", [] {
        nn::ReflectionPad1d(std::vector<std::int64_t>{1, 1, 1, 1});
      });
  expect_message<ag::ValueError>("Conv2d: stride out of range: 0; need at least 1",
                                 [] { nn::Conv2d(3, 4, 3, {.stride = 0}); });
  EXPECT_THROW(nn::ConvTranspose2d(3, 4, 3, {.output_padding = -1}), ag::ValueError);
  EXPECT_THROW(nn::PixelShuffle(0), ag::ValueError);
  EXPECT_THROW(nn::PixelUnshuffle(std::int64_t{1} << 40), ag::ValueError);
  EXPECT_THROW(nn::Embedding(0, 2), ag::ValueError);
  EXPECT_THROW(nn::BatchNorm2d(0), ag::ValueError);
  EXPECT_THROW(nn::Bilinear(0, 1, 1), ag::ValueError);
  EXPECT_THROW(nn::Conv2d(3, 4, 3, {.dtype = ag::int64}), ag::TypeError);
}

TEST(LayerStart, PoolsAndNormsRefuseAtOnce) {
  expect_message<ag::ValueError>("MaxPool2d: kernel_size out of range: 0; need at least 1",
                                 [] { nn::MaxPool2d(0); });
  expect_message<ag::ValueError>("MaxPool2d: kernel_size has 0 numbers; need 1 or 2",
                                 [] { nn::MaxPool2d({}); });
  expect_message<ag::ValueError>("AvgPool2d: kernel_size has 3 numbers; need 1 or 2", [] {
    nn::AvgPool2d({1, 2, 3});
  });
  expect_message<ag::ValueError>("MaxPool1d: dilation out of range: 0; need at least 1",
                                 [] { nn::MaxPool1d(2, {.dilation = 0}); });
  expect_message<ag::ValueError>("AvgPool3d: stride out of range: -1; need at least 1",
                                 [] { nn::AvgPool3d(2, {.stride = -1}); });
  expect_message<ag::ValueError>(
      "MaxPool2d: padding is too large: it is 2, kernel_size is 3; need at most half of the kernel",
      [] { nn::MaxPool2d(3, {.padding = 2}); });
  expect_message<ag::ValueError>("AdaptiveAvgPool2d: output_size out of range: -1; need at least 1",
                                 [] { nn::AdaptiveAvgPool2d(-1); });
  expect_message<ag::ValueError>("Upsample: scale_factor out of range: -1; need finite numbers > 0",
                                 [] { nn::Upsample({.scale_factor = {-1}}); });
  expect_message<ag::ValueError>("Upsample: size out of range: 0; need at least 1", [] {
    nn::Upsample({.size = {2, 0}});
  });
  expect_message<ag::ValueError>(
      "Upsample: neither of size and scale_factor given; need one of them",
      [] { nn::Upsample(ag::InterpolateOptions{}); });
  EXPECT_THROW(nn::Upsample({.size = 2, .scale_factor = {2}}), ag::ValueError);
  EXPECT_THROW(nn::Upsample({.scale_factor = {2, 2, 2, 2}}), ag::ValueError);
  expect_message<ag::ValueError>(
      "LayerNorm: nothing to normalize over: normalized_shape is []; need one extent or more",
      [] { nn::LayerNorm(ag::Shape{}); });
  EXPECT_THROW(nn::RMSNorm(ag::Shape{}), ag::ValueError);
}

TEST(LayerAs, NamesTheTypes) {
  nn::Sequential model{nn::Linear(2, 3), nn::Conv2d(1, 2, 3)};
  const auto as = [&](std::size_t i, auto wanted) {
    try {
      (void)model[i].as<decltype(wanted)>();
    } catch (const ag::TypeError& error) {
      return std::string(error.what());
    }
    return std::string("nothing");
  };
  EXPECT_EQ(
      as(0, nn::Conv2d(1, 2, 3)),
      "Layer.as: another type: the layer is Linear, asked for Conv2d; need the type it was made "
      "from");
  EXPECT_EQ(
      as(1, nn::Conv1d(1, 2, 3)),
      "Layer.as: another type: the layer is Conv2d, asked for Conv1d; need the type it was made "
      "from");
  EXPECT_EQ(
      as(1, nn::AdaptiveAvgPool1d(1)),
      "Layer.as: another type: the layer is Conv2d, asked for AdaptiveAvgPool1d; need the type "
      "it was made from");
  EXPECT_EQ(as(0, nn::Linear(1, 1)), "nothing");
}

TEST(HardCases, 83_batchnorm_layer) {
  nn::BatchNorm1d norm(2, {.momentum = 0.5, .dtype = ag::float64});
  const ag::Tensor x = nn_test::float64({{1, 10}, {3, 30}});
  const ag::Tensor y = norm(x);
  const double a = 1 / std::sqrt(1 + 1e-5), b = 10 / std::sqrt(100 + 1e-5);
  expect_values(y, {-a, -b, a, b});               // biased variance
  expect_values(norm.running_mean, {1, 10});      // half of 0 and 2, 0 and 20
  expect_values(norm.running_var, {1.5, 100.5});  // half of 1 and the unbiased 2, 200
  EXPECT_EQ(norm.num_batches_tracked.item(), 1);
  norm.eval();
  const nn::StateDict before = norm.state_dict();
  (void)norm(x);
  expect_values(norm.running_mean, {1, 10});  // no update
  norm.train();
  expect_message<ag::ValueError>(
      [&] {
        try {
          (void)ag::batch_norm(ag::ones({1, 2}, ag::float64), norm.running_mean, norm.running_var,
                               {}, {}, {.training = true});
        } catch (const ag::ValueError& error) {
          return std::string("BatchNorm1d: ") + error.what();
        }
        return std::string("nothing thrown");
      }(),
      [&] {
        norm(ag::ones({1, 2}, ag::float64));
      });
  EXPECT_EQ(norm.num_batches_tracked.item(), 1);  // nothing learned from it
  for (const ag::Tensor& p : norm.parameters()) EXPECT_TRUE(p.requires_grad());
  EXPECT_EQ(norm.parameters().size(), 2u);  // buffers are not among them
  EXPECT_EQ(norm.named_buffers().size(), 3u);
}

// No momentum: the mean of all batches so far.
TEST(BatchNorm, CumulativeAverage) {
  const nn::BatchNorm1d norm(1, {.momentum = {}, .dtype = ag::float64});
  for (const double mean : {1.0, 2.0, 6.0}) norm(nn_test::float64({{mean - 1}, {mean + 1}}));
  expect_values(norm.running_mean, {3});
  expect_values(norm.running_var, {2});
  EXPECT_EQ(norm.num_batches_tracked.item(), 3);
}

TEST(BatchNorm, StateTravels) {
  nn::BatchNorm2d a(2), b(2);
  (void)a(ag::randn({3, 2, 4, 4}));
  b.load_state_dict(a.state_dict());
  EXPECT_EQ(b.num_batches_tracked.item(), 1);
  a.eval();
  b.eval();
  const ag::Tensor x = ag::randn({1, 2, 4, 4});
  EXPECT_TRUE(ag::equal(a(x), b(x)));
}

TEST(InstanceNorm, WithoutABatch) {
  const nn::InstanceNorm2d norm(3, {.affine = true});
  const ag::Tensor x = ag::randn({3, 4, 5});
  EXPECT_TRUE(ag::equal(norm(x), norm(ag::unsqueeze(x, 0))(0)));
}

TEST(Conv, CopiesShareAndLambdasWork) {
  nn::Conv2d conv(1, 2, 3);
  const nn::Conv2d copy = conv;
  nn::constant_(conv.weight, 0.0);
  EXPECT_TRUE(ag::equal(conv.weight, copy.weight));
  const nn::Sequential model{conv, nn::Flatten(), [](const ag::Tensor& x) { return x * 2.0; }};
  EXPECT_EQ(model(ag::ones({2, 1, 4, 4})).shape(), (ag::Shape{2, 8}));
}

TEST(EmbeddingBag, TheLargest) {
  nn::EmbeddingBag bag(4, 2, {.mode = nn::BagMode::max});
  const double nan = std::nan("");
  ag::copy_(ag::detach(bag.weight),
            ag::tensor({{0.0, 1.0}, {-2.0, 3.0}, {-2.0, nan}, {-1.0, 3.0}}));
  const ag::Tensor index = ag::tensor({1, 2, 1, 3, 2, 1}, ag::int64);
  ag::Tape tape;
  const ag::Tensor y = bag(index, ag::tensor({0, 0, 1, 4}, ag::int64));
  expect_values(y(0), {0, 0}, 0);
  expect_values(y(1), {-2, 3}, 0);
  EXPECT_EQ(y.at({2, 0}), -1);
  EXPECT_TRUE(std::isnan(y.at({2, 1})));
  EXPECT_EQ(y.at({3, 0}), -2);
  tape.backward(ag::sum(ag::select(y, 1, 0)));
  expect_values(ag::select(bag.weight.grad(), 1, 0), {0, 1, 1, 1}, 0);  // of equal ones the first
  EXPECT_EQ(bag(ag::zeros({3, 0}, ag::int64)).shape(), (ag::Shape{3, 2}));
  EXPECT_THROW(bag(ag::tensor({4}, ag::int64), ag::tensor({0}, ag::int64)), ag::ValueError);
}

TEST(EmbeddingBag, EmptyBagsAndBadOffsets) {
  const nn::EmbeddingBag bag(4, 2, {.mode = nn::BagMode::mean});
  const ag::Tensor index = ag::tensor({1, 2, 3}, ag::int64);
  const ag::Tensor y = bag(index, ag::tensor({0, 0, 3}, ag::int64));
  expect_values(y(0), {0, 0}, 0);
  expect_values(y(2), {0, 0}, 0);
  EXPECT_EQ(bag(ag::zeros({0}, ag::int64), ag::zeros({0}, ag::int64)).shape(), (ag::Shape{0, 2}));
  EXPECT_EQ(bag(ag::zeros({3, 0}, ag::int64)).shape(), (ag::Shape{3, 2}));
  expect_message<ag::ValueError>(
      "EmbeddingBag: offsets are out of order: offsets[1] is 2, the bag ends at 1; need a first "
      "one of 0, none that decreases, none above 3",
      [&] {
        bag(index, ag::tensor({0, 2, 1}, ag::int64));
      });
  for (const auto& offsets : {std::vector<std::int64_t>{1}, {0, 4}, {}, {-1, 0}}) {
    EXPECT_THROW(bag(index, ag::tensor(offsets)), ag::ValueError);
  }
  expect_message<ag::ValueError>(
      "EmbeddingBag: per_sample_weights with a mean or maximum; need .mode = BagMode::sum",
      [&] { bag(index, ag::tensor({0}, ag::int64), ag::ones({3})); });
  EXPECT_THROW(bag(index), ag::ShapeError);
  EXPECT_THROW(bag(index, ag::ones({1})), ag::TypeError);
  EXPECT_THROW(bag(ag::tensor({4}, ag::int64), ag::tensor({0}, ag::int64)), ag::ValueError);
}

}  // namespace
