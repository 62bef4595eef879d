// SPDX-License-Identifier: Apache-2.0
// Starting values: ranges and moments of many draws, the formulas for fans, bad input.
#include <limits>

#include "support.hpp"

namespace {

using nn_test::expect_message;

struct Moments {
  double mean = 0, deviation = 0, low = 0, high = 0;
};

Moments moments(const ag::Tensor& x) {
  const std::vector<double> all = nn_test::values(x);
  Moments m{0, 0, all[0], all[0]};
  for (const double v : all) {
    m.mean += v / static_cast<double>(all.size());
    m.low = std::min(m.low, v);
    m.high = std::max(m.high, v);
  }
  for (const double v : all) {
    m.deviation += (v - m.mean) * (v - m.mean) / static_cast<double>(all.size());
  }
  m.deviation = std::sqrt(m.deviation);
  return m;
}

void expect_uniform(const ag::Tensor& x, double bound) {
  const Moments m = moments(x);
  EXPECT_NEAR(m.low, -bound, 1e-3 * bound);
  EXPECT_NEAR(m.high, bound, 1e-3 * bound);
  EXPECT_GE(m.low, -bound);
  EXPECT_LE(m.high, bound);
  EXPECT_NEAR(m.deviation, bound / std::sqrt(3.0), 0.02 * bound);
}

void expect_normal(const ag::Tensor& x, double mean, double deviation) {
  const Moments m = moments(x);
  EXPECT_NEAR(m.mean, mean, 0.02 * deviation);
  EXPECT_NEAR(m.deviation, deviation, 0.02 * deviation);
  EXPECT_GT(m.high, mean + 3 * deviation);
}

TEST(Init, UniformNormalConstant) {
  ag::Generator generator(7);
  for (const ag::DType dtype : {ag::float32, ag::float64}) {
    ag::Tensor x = ag::zeros({200, 150}, dtype).set_requires_grad();
    nn::uniform_(x, -0.25, 0.25, generator);
    expect_uniform(x, 0.25);
    nn::normal_(x, 2.0, 0.5, generator);
    expect_normal(x, 2.0, 0.5);
    nn::constant_(x, 3.5);
    EXPECT_EQ(moments(x).low, 3.5);
    EXPECT_EQ(moments(x).high, 3.5);
    EXPECT_TRUE(x.requires_grad());
  }
}

TEST(Init, SameSeedSameValues) {
  ag::Generator first(3), second(3);
  ag::Tensor a = ag::zeros({5, 4}), b = ag::zeros({5, 4});
  nn::kaiming_normal_(a, {}, first);
  nn::kaiming_normal_(b, {}, second);
  EXPECT_TRUE(ag::equal(a, b));
  ag::manual_seed(11);
  nn::xavier_uniform_(a);
  ag::manual_seed(11);
  nn::xavier_uniform_(b);
  EXPECT_TRUE(ag::equal(a, b));
}

// x: [out, in, height, width]: fan_in = 80 * 6 = 480, fan_out = 100 * 6 = 600
TEST(Init, FansAndGains) {
  ag::Generator generator(5);
  ag::Tensor x = ag::zeros({100, 80, 2, 3});
  nn::xavier_uniform_(x, {.gain = 2.0}, generator);
  expect_uniform(x, 2.0 * std::sqrt(6.0 / 1080));
  nn::xavier_normal_(x, {}, generator);
  expect_normal(x, 0.0, std::sqrt(2.0 / 1080));
  nn::kaiming_uniform_(x, {.a = std::sqrt(5.0)}, generator);
  expect_uniform(x, 1.0 / std::sqrt(480.0));
  nn::kaiming_normal_(x, {.mode = nn::FanMode::fan_out, .nonlinearity = nn::Nonlinearity::relu},
                      generator);
  expect_normal(x, 0.0, std::sqrt(2.0 / 600));
  EXPECT_DOUBLE_EQ(nn::gain(nn::Nonlinearity::tanh), 5.0 / 3.0);
  EXPECT_DOUBLE_EQ(nn::gain(nn::Nonlinearity::selu), 0.75);
  EXPECT_DOUBLE_EQ(nn::gain(nn::Nonlinearity::sigmoid), 1.0);
  EXPECT_DOUBLE_EQ(nn::gain(nn::Nonlinearity::leaky_relu, 2.0), std::sqrt(0.4));
}

TEST(Init, NoElements) {
  ag::Tensor x = ag::zeros({3, 0});
  nn::kaiming_uniform_(x);
  nn::xavier_normal_(x);
  ag::Tensor none = ag::zeros({0, 0});
  nn::xavier_uniform_(none);
  nn::normal_(none);
}

TEST(Init, BadInput) {
  expect_message<ag::ShapeError>(
      "kaiming_uniform_: too few axes: x is [3]; need at least [out, in] (1 < 2)",
      [] { nn::kaiming_uniform_(ag::zeros({3})); });
  expect_message<ag::ValueError>(
      "uniform_: not a distribution: low is 1, high is 0; need finite low <= high",
      [] { nn::uniform_(ag::zeros({3}), 1.0, 0.0); });
  EXPECT_THROW(nn::normal_(ag::zeros({3}), 0.0, -1.0), ag::ValueError);
  EXPECT_THROW(nn::normal_(ag::zeros({3}), std::nan("")), ag::ValueError);
  EXPECT_THROW(nn::uniform_(ag::zeros({3}, ag::int64)), ag::TypeError);
  EXPECT_THROW(nn::constant_(ag::zeros({3}, ag::boolean), 1.0), ag::TypeError);
  EXPECT_THROW(nn::constant_(ag::Tensor(), 1.0), ag::ValueError);
}

TEST(Init, ThrowsWhileATapeRecordsTheParameter) {
  ag::Tensor p = ag::ones({2, 2}).set_requires_grad();
  ag::Tape tape;
  nn::xavier_uniform_(p);  // nothing has used it yet
  const ag::Tensor y = ag::sum(p * p);
  EXPECT_THROW(nn::xavier_uniform_(p), ag::TapeError);
  EXPECT_THROW(nn::constant_(p, 1.0), ag::TapeError);
  tape.backward(y);
  EXPECT_TRUE(p.has_grad());
}

}  // namespace
