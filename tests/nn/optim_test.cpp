// SPDX-License-Identifier: Apache-2.0
// Optimizers: traces made with PyTorch 1.13 in float64, the cases of HARD_CASES 92 to 96, bad input.
#include <limits>
#include <utility>

#include "support.hpp"

namespace {

using nn_test::expect_message;
using nn_test::expect_values;
using nn_test::float64;

using Trace = std::vector<std::vector<double>>;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

ag::Tensor parameter(ag::DType dtype = ag::float64) {
  return ag::tensor({1.0, -2.0, 0.5}, dtype).set_requires_grad();
}

const Trace& gradients() {
  static const Trace g = {{0.1, -0.4, 2.0}, {0.3, 0.2, -1.0}, {-0.05, 0.0, 0.7}};
  return g;
}

/// Steps with the gradients above and compares the parameter after each, in both dtypes.
template <class Optimizer, class Options>
void expect_trace(const Options& options, const Trace& want) {
  for (const ag::DType dtype : {ag::float64, ag::float32}) {
    ag::Tensor p = parameter(dtype);
    Optimizer optimizer({p}, options);
    for (std::size_t i = 0; i < want.size(); ++i) {
      p.set_grad(ag::to(ag::tensor(gradients()[i]), dtype));
      optimizer.step();
      expect_values(p, want[i], dtype == ag::float64 ? 1e-14 : 2e-6);
    }
  }
}

TEST(SGD, Plain) {
  expect_trace<nn::SGD>(nn::SGDOptions{.lr = 0.1},
                        {{0.99, -1.96, 0.3}, {0.96, -1.98, 0.4}, {0.965, -1.98, 0.33}});
}

TEST(SGD, WeightDecay) {
  expect_trace<nn::SGD>(
      nn::SGDOptions{.lr = 0.1, .weight_decay = 0.2},
      {{0.97, -1.92, 0.29}, {0.9206, -1.9016, 0.3842}, {0.907188, -1.863568, 0.306516}});
}

TEST(HardCases, 95_sgd_momentum) {
  expect_trace<nn::SGD>(nn::SGDOptions{.lr = 0.1, .momentum = 0.9},
                        {{0.99, -1.96, 0.3}, {0.951, -1.944, 0.22}, {0.9209, -1.9296, 0.078}});
}

TEST(HardCases, 95_sgd_first_step_without_dampening) {
  expect_trace<nn::SGD>(
      nn::SGDOptions{.lr = 0.1, .momentum = 0.9, .dampening = 0.3, .weight_decay = 0.05},
      {{0.985, -1.95, 0.2975},
       {0.9470525, -1.912175, 0.18420875},
       {0.91308506625, -1.8714398875, 0.03260189437499999}});
}

TEST(HardCases, 95_sgd_nesterov) {
  expect_trace<nn::SGD>(
      nn::SGDOptions{.lr = 0.1, .momentum = 0.9, .weight_decay = 0.05, .nesterov = true},
      {{0.9715, -1.905, 0.11525},
       {0.89312075, -1.8844025, 0.140130125},
       {0.854966527875, -1.83853542625, -0.0612903736875}});
}

TEST(HardCases, 92_adam) {
  expect_trace<nn::Adam>(nn::AdamOptions{.lr = 0.1},
                         {{0.900000009999999, -1.9000000025, 0.4000000005},
                          {0.8082219022055899, -1.8733662993763178, 0.37336629670243154},
                          {0.7481305699786506, -1.852778369815477, 0.3346198006062321}});
  expect_trace<nn::Adam>(
      nn::AdamOptions{.lr = 0.05, .betas = {0.8, 0.95}, .eps = 1e-3, .weight_decay = 0.1},
      {{0.9502487562189055, -1.9500831946755408, 0.4500243783520234},
       {0.9015293647595883, -1.9186526868212723, 0.43803379189063857},
       {0.862822122044365, -1.885837256992803, 0.4184656648856728}});
}

TEST(HardCases, 93_adamw) {
  expect_trace<nn::AdamW>(nn::AdamWOptions{.lr = 0.1},
                          {{0.8990000099999991, -1.8980000025, 0.3995000005},
                           {0.80632290219559, -1.8694682993738179, 0.37246679670193156},
                           {0.7454252470664551, -1.8470109015136031, 0.33334783380903016}});
  expect_trace<nn::AdamW>(
      nn::AdamWOptions{.lr = 0.05, .betas = {0.8, 0.95}, .eps = 1e-3, .weight_decay = 0.1},
      {{0.9454950495049504, -1.9401246882793017, 0.44752498750624686},
       {0.8942444899361748, -1.9198348541379158, 0.4346711717692365},
       {0.8617036528988539, -1.9024868209266146, 0.4143383511244947}});
}

TEST(HardCases, 94_rmsprop) {
  expect_trace<nn::RMSprop>(nn::RMSpropOptions{.lr = 0.1},
                            {{9.999990003839443e-07, -1.0000002499999379, -0.4999999500000021},
                             {-0.9491566954532927, -1.4490134042604461, -0.05098671509435443},
                             {-0.7921389457547169, -1.4490134042604461, -0.35220758404833785}});
  expect_trace<nn::RMSprop>(
      nn::RMSpropOptions{
          .lr = 0.05, .alpha = 0.9, .eps = 1e-4, .weight_decay = 0.1, .momentum = 0.8},
      {{0.8421357223308868, -1.8419694064275272, 0.34191050347368696},
       {0.5741794018783137, -1.7199305439561492, 0.2857551135728184},
       {0.3569318936346301, -1.57435796787819, 0.1881169987651794}});
  expect_trace<nn::RMSprop>(
      nn::RMSpropOptions{.lr = 0.05, .alpha = 0.9, .eps = 1e-4, .centered = true},
      {{0.8338870431893688, -1.8334721065778519, 0.3333611064822529},
       {0.6701974854723514, -1.9076562666902979, 0.4075893190555501},
       {0.6976846711073439, -1.9076562666902979, 0.3550019640907154}});
}

TEST(HardCases, 94_rmsprop_eps_inside_the_root) {
  Trace want;
  std::vector<double> p = {1.0, -2.0, 0.5}, v(3, 0.0);
  for (const std::vector<double>& g : gradients()) {
    for (std::size_t i = 0; i < 3; ++i) {
      v[i] = 0.9 * v[i] + 0.1 * g[i] * g[i];
      p[i] -= 0.05 * g[i] / std::sqrt(v[i] + 0.01);
    }
    want.push_back(p);
  }
  expect_trace<nn::RMSprop>(
      nn::RMSpropOptions{.lr = 0.05, .alpha = 0.9, .eps = 0.01, .eps_inside_sqrt = true}, want);
}

// v - a^2 rounds below zero for a constant gradient once both have converged.
TEST(RMSprop, CenteredStaysFiniteUnderConstantGradient) {
  ag::Tensor p = ag::tensor({1.0, 2.0, 3.0}).set_requires_grad();
  nn::RMSprop optimizer({p}, {.lr = 1e-6, .alpha = 0.5, .centered = true});
  p.set_grad(ag::tensor({0.1, 0.7, 1.3}));
  for (int i = 0; i < 200; ++i) optimizer.step();
  for (const double value : nn_test::values(p)) EXPECT_TRUE(std::isfinite(value));
}

TEST(HardCases, 96_none_is_skipped_and_zero_is_not) {
  ag::Tensor p = parameter(), q = parameter();
  nn::Adam optimizer({p, q}, {.lr = 0.1});
  for (const int i : {0, -1, 1}) {
    p.zero_grad();
    if (i >= 0) p.set_grad(ag::tensor(gradients()[static_cast<std::size_t>(i)]));
    optimizer.step();
  }
  // As in the trace above, as if the step between had not been; q never moved.
  expect_values(p, {0.8082219022055899, -1.8733662993763178, 0.37336629670243154}, 1e-14);
  expect_values(q, {1.0, -2.0, 0.5}, 0);

  nn::SGD momentum({q}, {.lr = 0.1, .momentum = 0.5, .weight_decay = 0.5});
  q.set_grad(ag::zeros({3}, ag::float64));
  momentum.step();  // b = 0.5 q
  expect_values(q, {0.95, -1.9, 0.475}, 1e-14);
}

TEST(Optimizer, LearningRateAndZeroGrad) {
  ag::Tensor p = parameter();
  nn::SGD optimizer({p}, {.lr = 0.1});
  EXPECT_EQ(optimizer.lr(), 0.1);
  optimizer.set_lr(1.0);
  p.set_grad(ag::ones({3}, ag::float64));
  optimizer.step();
  expect_values(p, {0.0, -3.0, -0.5});
  optimizer.zero_grad();
  EXPECT_FALSE(p.has_grad());
  nn::SGD moved = std::move(optimizer);
  EXPECT_EQ(moved.parameters().size(), 1u);
  expect_message<ag::ValueError>("SGD: lr out of range: lr is nan; need a finite lr >= 0",
                                 [&] { moved.set_lr(kNaN); });
  EXPECT_THROW(moved.set_lr(kInf), ag::ValueError);
  EXPECT_EQ(moved.lr(), 1.0);
}

TEST(Optimizer, StridedGradient) {
  ag::Tensor p = ag::zeros({2, 3}).set_requires_grad();
  nn::SGD optimizer({p}, {.lr = 1.0});
  p.set_grad(ag::transpose(ag::tensor({{1, 2}, {3, 4}, {5, 6}})));
  optimizer.step();
  expect_values(p, {-1, -3, -5, -2, -4, -6});
}

TEST(Optimizer, LongParametersAndNoElements) {
  ag::Tensor p = ag::zeros({1003}).set_requires_grad(), none = ag::zeros({0}).set_requires_grad();
  p.set_grad(ag::arange(1003));
  none.set_grad(ag::zeros({0}));
  nn::Adam optimizer({p, none}, {.lr = 0.5});
  optimizer.step();
  EXPECT_EQ(p.at({0}), 0.0);
  for (int i = 1; i < 1003; ++i) EXPECT_NEAR(p.at({i}), -0.5, 1e-6) << i;
}

// Changing a parameter between forward and backward makes the saved value stale.
TEST(Optimizer, OutOfMemoryChangesNothing) {
  constexpr std::int64_t kLong = 1 << 17;
  int failed = 0;
  for (std::size_t more = 0; more <= 40; more += 2) {
    std::vector<ag::Tensor> p;
    for (int i = 0; i < 2; ++i) {
      p.push_back(ag::ones({kLong}).set_requires_grad());
      p.back().set_grad(ag::ones({kLong}));
    }
    nn::Adam optimizer(p, {.lr = 0.1});
    ag::empty_cache();
    ag::set_memory_limit(ag::memory_stats().current_bytes + more * kLong / 4 * sizeof(float));
    bool enough = true;
    try {
      optimizer.step();
    } catch (const ag::Error&) {
      enough = false;
      ++failed;
    }
    ag::set_memory_limit(~std::size_t{0});
    for (const ag::Tensor& each : p) {
      EXPECT_NEAR(each(kLong - 1).item(), enough ? 0.9 : 1.0, 1e-6) << more;
    }
    if (!enough) optimizer.step();
    for (const ag::Tensor& each : p) EXPECT_NEAR(each(0).item(), 0.9, 1e-6) << more;
  }
  EXPECT_GT(failed, 2);
  EXPECT_LT(failed, 20);
}

TEST(HardCases, 68_step_between_forward_and_backward) {
  ag::Tensor p = parameter();
  p.set_grad(ag::ones({3}, ag::float64));
  nn::AdamW optimizer({p});
  ag::Tape tape;
  const ag::Tensor y = ag::sum(p * p);
  optimizer.step();
  try {
    tape.backward(y);
    ADD_FAILURE() << "nothing thrown";
  } catch (const ag::TapeError& error) {
    EXPECT_NE(std::string(error.what()).find("AdamW.step"), std::string::npos) << error.what();
  }
}

TEST(Optimizer, BadParameters) {
  expect_message<ag::ValueError>("SGD: no parameters: the list is empty; need at least one tensor",
                                 [] { nn::SGD({}); });
  expect_message<ag::ValueError>(
      "Adam: not a parameter: parameter 0 [2] does not require gradients; need "
      "set_requires_grad(), or a list without it where it is to stay as it is",
      [] { nn::Adam({ag::ones({2})}); });
  expect_message<ag::ValueError>(
      "RMSprop: a parameter is given twice: it would be updated twice; need each once", [] {
        ag::Tensor p = parameter();
        nn::RMSprop({p, p});
      });
  EXPECT_THROW(nn::SGD({ag::Tensor()}), ag::ValueError);
}

TEST(Optimizer, BadOptions) {
  const std::vector<ag::Tensor> p = {parameter()};
  for (const double bad : {-0.1, kNaN, kInf}) {
    EXPECT_THROW(nn::SGD(p, {.lr = bad}), ag::ValueError);
    EXPECT_THROW(nn::SGD(p, {.momentum = bad}), ag::ValueError);
    EXPECT_THROW(nn::SGD(p, {.weight_decay = bad}), ag::ValueError);
    EXPECT_THROW(nn::Adam(p, {.lr = bad}), ag::ValueError);
    EXPECT_THROW(nn::Adam(p, {.betas = {bad, 0.9}}), ag::ValueError);
    EXPECT_THROW(nn::AdamW(p, {.betas = {0.9, bad}}), ag::ValueError);
    EXPECT_THROW(nn::AdamW(p, {.eps = bad}), ag::ValueError);
    EXPECT_THROW(nn::AdamW(p, {.weight_decay = bad}), ag::ValueError);
    EXPECT_THROW(nn::RMSprop(p, {.alpha = bad}), ag::ValueError);
    EXPECT_THROW(nn::RMSprop(p, {.eps = bad}), ag::ValueError);
    EXPECT_THROW(nn::RMSprop(p, {.momentum = bad}), ag::ValueError);
  }
  EXPECT_THROW(nn::SGD(p, {.dampening = kNaN}), ag::ValueError);
  expect_message<ag::ValueError>(
      "Adam: betas.second out of range: betas.second is 1; need 0 <= beta < 1", [&] {
        nn::Adam(p, {.betas = {0.9, 1.0}});
      });
  expect_message<ag::ValueError>(
      "SGD: nesterov does not fit: momentum is 0, dampening is 0; need momentum > 0 "
      "and dampening == 0",
      [&] { nn::SGD(p, {.nesterov = true}); });
  EXPECT_THROW(nn::SGD(p, {.momentum = 0.9, .dampening = 0.1, .nesterov = true}), ag::ValueError);
}

}  // namespace
