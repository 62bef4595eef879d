// SPDX-License-Identifier: Apache-2.0
// Averages of weights, clipping by value.
#include <limits>

#include "support.hpp"

namespace {

using nn_test::expect_message;
using nn_test::expect_values;
using nn_test::float64;

ag::Tensor parameter() { return float64({1.0, -2.0}).set_requires_grad(); }

TEST(Ema, FollowsTheWeights) {
  ag::Tensor p = parameter();
  nn::ExponentialMovingAverage average({p}, {.decay = 0.9});
  expect_values(average.averages()[0], {1.0, -2.0}, 0);
  ag::fill_(ag::detach(p), 3.0);
  average.update();
  expect_values(average.averages()[0], {1.2, -1.5});
  average.update();
  expect_values(average.averages()[0], {1.38, -1.05});
  expect_values(p, {3.0, 3.0}, 0);
}

TEST(Ema, WarmupForgetsEarlyWeights) {
  ag::Tensor p = parameter();
  nn::ExponentialMovingAverage average({p}, {.decay = 0.9, .warmup = true});
  ag::fill_(ag::detach(p), 3.0);
  average.update();  // decay 1 / 10
  expect_values(average.averages()[0], {2.8, 2.5});
  average.update();  // decay 2 / 11
  expect_values(average.averages()[0], {3 - 0.2 * 2 / 11, 3 - 0.5 * 2 / 11});
}

TEST(Ema, WithAverageAndBack) {
  ag::Tensor p = parameter();
  nn::ExponentialMovingAverage average({p}, {.decay = 0.5});
  ag::fill_(ag::detach(p), 3.0);
  average.update();
  EXPECT_EQ(average.with_average([&] { return p.at({0}); }), 2.0);
  expect_values(p, {3.0, 3.0}, 0);
  EXPECT_THROW(average.with_average([]() -> int { throw ag::IoError("gone"); }), ag::IoError);
  expect_values(p, {3.0, 3.0}, 0);
  expect_values(average.averages()[0], {2.0, 0.5}, 0);
}

// A tape that saved the weights must notice.
TEST(Ema, SwapIsAChange) {
  ag::Tensor p = parameter();
  nn::ExponentialMovingAverage average({p});
  ag::Tape tape;
  const ag::Tensor y = ag::sum(p * p);
  average.swap();
  EXPECT_THROW(tape.backward(y), ag::TapeError);
}

TEST(Ema, ResumesToTheSameBits) {
  ag::Tensor p = ag::tensor({1.0, -2.0}).set_requires_grad();
  ag::Tensor q = ag::tensor({0.0, 0.0}).set_requires_grad();
  nn::ExponentialMovingAverage one({p}, {.warmup = true}), two({q}, {.warmup = true});
  ag::fill_(ag::detach(p), 0.3);
  for (int i = 0; i < 3; ++i) one.update();
  two.load_state_dict(one.state_dict());
  ag::copy_(ag::detach(q), p);
  for (int i = 0; i < 3; ++i) {
    one.update();
    two.update();
  }
  EXPECT_TRUE(ag::equal(one.averages()[0], two.averages()[0]));
  EXPECT_THROW(two.load_state_dict({}), ag::ValueError);
}

TEST(Ema, BadArguments) {
  EXPECT_THROW(nn::ExponentialMovingAverage({}), ag::ValueError);
  EXPECT_THROW(nn::ExponentialMovingAverage({parameter()}, {.decay = 1.5}), ag::ValueError);
  EXPECT_THROW(nn::ExponentialMovingAverage({ag::zeros({2}, ag::int64)}), ag::TypeError);
}

TEST(Clip, ByValue) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  ag::Tensor p = ag::zeros({4}, ag::float64).set_requires_grad(), none = parameter();
  p.set_grad(float64({0.5, -3.0, 2.0, nan}));
  nn::clip_grad_value_({p, none}, 1.0);
  const std::vector<double> g = nn_test::values(p.grad());
  EXPECT_EQ(std::vector<double>(g.begin(), g.begin() + 3), (std::vector<double>{0.5, -1.0, 1.0}));
  EXPECT_TRUE(std::isnan(g[3]));
  EXPECT_FALSE(none.has_grad());
  expect_message<ag::ValueError>("clip_grad_value_: invalid option: value is -1; need value >= 0",
                                 [&] { nn::clip_grad_value_({p}, -1.0); });
}

}  // namespace
