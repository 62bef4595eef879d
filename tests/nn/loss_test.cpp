// SPDX-License-Identifier: Apache-2.0
// Losses: values and gradients made with PyTorch 1.13 in float64, the tails, HARD_CASES 38 to 44,
// gradcheck to second order, bad input.
#include <limits>

#include "support.hpp"

namespace {

using nn::Reduction;
using nn_test::expect_message;
using nn_test::expect_values;
using nn_test::float64;
using nn_test::labels;

constexpr double kInf = std::numeric_limits<double>::infinity();

const ag::Tensor& prediction() {
  static const ag::Tensor x = float64({{0.1, 0.9}, {0.5, 0.25}});
  return x;
}
const ag::Tensor& target() {
  static const ag::Tensor x = float64({{0.0, 1.0}, {1.0, 0.5}});
  return x;
}

/// d loss / d x.
template <class F> ag::Tensor gradient(const F& loss, const ag::Tensor& x) {
  return ag::grad([&](const std::vector<ag::Tensor>& in) { return loss(in[0]); }, {x})[0];
}

TEST(Loss, MseValues) {
  expect_values(nn::mse_loss(prediction(), target()), {0.083125});
  expect_values(nn::mse_loss(prediction(), target(), {.reduction = Reduction::sum}), {0.3325});
  expect_values(nn::mse_loss(prediction(), target(), {.reduction = Reduction::none}),
                {0.01, 0.01, 0.25, 0.0625});
  expect_values(
      gradient([](const ag::Tensor& x) { return nn::mse_loss(x, target()); }, prediction()),
      {0.05, -0.05, -0.25, -0.125});
}

TEST(Loss, BceValues) {
  expect_values(nn::bce_loss(prediction(), target()), {0.4352141071653584});
  expect_values(nn::bce_loss(prediction(), target(), {.reduction = Reduction::sum}),
                {1.7408564286614336});
  expect_values(nn::bce_loss(prediction(), target(), {.reduction = Reduction::none}),
                {0.10536051565782628, 0.10536051565782628, 0.6931471805599453, 0.8369882167858358});
  expect_values(nn::bce_with_logits_loss(prediction(), target()), {0.5651417347161523});
  expect_values(nn::bce_with_logits_loss(prediction(), target(), {.reduction = Reduction::none}),
                {0.7443966600735709, 0.3411538747320879, 0.4740769841801067, 0.7009394198788437});
}

// The loss of target 1 at x is softplus(-x), of target 0 softplus(x); the gradient sigmoid(x) - t.
TEST(HardCases, 38_bce_with_logits_far_out) {
  for (const ag::DType dtype : {ag::float32, ag::float64}) {
    for (const double far : {100.0, 1000.0, 1e4}) {
      const ag::Tensor x = ag::tensor({far, -far, far, -far}, dtype);
      const ag::Tensor t = ag::tensor({1.0, 1.0, 0.0, 0.0}, dtype);
      const auto loss = [&](const ag::Tensor& in) {
        return nn::bce_with_logits_loss(in, t, {.reduction = Reduction::sum});
      };
      expect_values(nn::bce_with_logits_loss(x, t, {.reduction = Reduction::none}),
                    {0, far, far, 0}, 1e-30);
      expect_values(gradient(loss, x), {0, -1, 1, 0}, 1e-30);
    }
    // The small side keeps its relative accuracy: exp(-50).
    const ag::Tensor tail =
        nn::bce_with_logits_loss(ag::tensor({50.0}, dtype), ag::ones({1}, dtype));
    EXPECT_NEAR(tail.item() / std::exp(-50.0), 1.0, dtype == ag::float64 ? 1e-14 : 1e-5);
  }
}

TEST(HardCases, 39_bce_of_probabilities_0_and_1) {
  const ag::Tensor p = float64({0.0, 1.0, 0.0, 1.0}), t = float64({0.0, 1.0, 1.0, 0.0});
  expect_values(nn::bce_loss(p, t, {.reduction = Reduction::none}), {0, 0, 100, 100}, 0);
  for (const double slope :
       nn_test::values(gradient([&](const ag::Tensor& x) { return nn::bce_loss(x, t); }, p))) {
    EXPECT_FALSE(std::isnan(slope));
  }
  expect_message<ag::ValueError>(
      "bce_loss: not a probability: element 1 is 1.5; need 0 <= p <= 1 (for logits use "
      "bce_with_logits_loss)",
      [&] {
        nn::bce_loss(float64({0.5, 1.5, 0.0, 1.0}), t);
      });
  EXPECT_THROW(nn::bce_loss(float64({-1e-9, 0.5, 0.0, 1.0}), t), ag::ValueError);
  EXPECT_TRUE(std::isnan(nn::bce_loss(float64({std::nan(""), 0.5, 0.0, 1.0}), t).item()));
}

const ag::Tensor& logits() {
  static const ag::Tensor x =
      float64({{0.5, -1.2, 2.0}, {1.5, 0.3, -0.7}, {-2.0, 0.1, 0.4}, {0.0, 3.0, 1.0}});
  return x;
}

ag::Tensor class_weights() { return float64({0.5, 2.0, 1.25}); }

struct Golden {
  double mean, sum;
  std::vector<double> each, slopes;  // the gradient of the mean, where listed
};

void expect_golden(const ag::Tensor& t, nn::CrossEntropyOptions options, const Golden& want) {
  expect_values(nn::cross_entropy_loss(logits(), t, options), {want.mean});
  const auto loss = [&](const ag::Tensor& x) { return nn::cross_entropy_loss(x, t, options); };
  if (!want.slopes.empty()) expect_values(gradient(loss, logits()), want.slopes);
  EXPECT_TRUE(ag::gradcheck([&](const auto& in) { return loss(in[0]); }, {logits()}));
  options.reduction = Reduction::sum;
  expect_values(nn::cross_entropy_loss(logits(), t, options), {want.sum});
  options.reduction = Reduction::none;
  expect_values(nn::cross_entropy_loss(logits(), t, options), want.each);
}

TEST(Loss, CrossEntropyValues) {
  expect_golden(
      labels({2, 0, 0, 1}), {},
      {0.9385506218498174,
       3.7542024873992696,
       {0.23419613713579818, 0.3450052766575144, 3.0051550540496716, 0.16984601955628548},
       {0.044135514716592786, 0.008062831364308501, -0.05219834608090129, -0.07294584588964761,
        0.05332768641304916, 0.01961815947659844, -0.23761723156514047, 0.10111979102704238,
        0.13649744053809806, 0.010502516533516512, -0.03905131637966511, 0.02854879984614862}});
}

TEST(HardCases, 40_cross_entropy_ignores_an_index) {
  const Golden want = {0.24968247778319932,
                       0.749047433349598,
                       {0.23419613713579818, 0.3450052766575144, 0.0, 0.16984601955628548},
                       {0.058847352955457045, 0.010750441819078001, -0.06959779477453505,
                        -0.09726112785286348, 0.07110358188406554, 0.02615754596879792, 0.0, 0.0,
                        0.0, 0.014003355378022015, -0.05206842183955347, 0.03806506646153149}};
  expect_golden(labels({2, 0, -100, 1}), {}, want);
  expect_golden(labels({2, 0, 7, 1}), {.ignore_index = 7}, want);
}

TEST(HardCases, 40_an_ignored_row_may_hold_anything) {
  const ag::Tensor x = float64({{0.5, -1.2}, {std::nan(""), kInf}});
  EXPECT_TRUE(std::isfinite(nn::cross_entropy_loss(x, labels({0, -100})).item()));
}

TEST(HardCases, 40_label_out_of_range) {
  expect_message<ag::ValueError>(
      "cross_entropy_loss: label out of range: target[2] is 3; need 0 <= label < 3, the number of "
      "classes, or ignore_index (-100)",
      [] {
        nn::cross_entropy_loss(logits(), labels({2, 0, 3, 1}));
      });
  EXPECT_THROW(nn::cross_entropy_loss(logits(), labels({2, 0, -1, 1})), ag::ValueError);
  EXPECT_THROW(nn::cross_entropy_loss(logits(), labels({2, 0, -100, 1}), {.ignore_index = -1}),
               ag::ValueError);
}

TEST(HardCases, 41_cross_entropy_all_ignored) {
  const ag::Tensor t = labels({-100, -100, -100, -100});
  EXPECT_TRUE(std::isnan(nn::cross_entropy_loss(logits(), t).item()));
  EXPECT_EQ(nn::cross_entropy_loss(logits(), t, {.reduction = Reduction::sum}).item(), 0.0);
  const auto mean = [&](const ag::Tensor& x) { return nn::cross_entropy_loss(x, t); };
  expect_values(gradient(mean, logits()), std::vector<double>(12, 0.0), 0);
}

TEST(HardCases, 42_cross_entropy_class_weights) {
  expect_golden(labels({2, 0, 0, 1}), {.weight = class_weights()},
                {0.5429452649143321,
                 2.3075173758859115,
                 {0.2927451714197477, 0.1725026383287572, 1.5025775270248358, 0.33969203911257095},
                 {}});
  expect_golden(labels({2, 0, -100, 1}), {.weight = class_weights()},
                {0.2146506263629536,
                 0.804939848861076,
                 {0.2927451714197477, 0.1725026383287572, 0.0, 0.33969203911257095},
                 {}});
  // float32 weights with float64 logits, and the other way around.
  const nn::CrossEntropyOptions mixed{.weight = ag::to(class_weights(), ag::float32)};
  expect_values(nn::cross_entropy_loss(logits(), labels({2, 0, 0, 1}), mixed),
                {0.5429452649143321});
  const ag::Tensor x32 = ag::to(logits(), ag::float32);
  const ag::Tensor y32 =
      nn::cross_entropy_loss(x32, labels({2, 0, 0, 1}), {.weight = class_weights()});
  EXPECT_EQ(y32.dtype(), ag::float32);
  expect_values(y32, {0.5429452649143321}, 1e-6);
}

TEST(HardCases, 43_cross_entropy_label_smoothing) {
  expect_golden(
      labels({2, 0, 0, 1}), {.label_smoothing = 0.1},
      {1.0102172885164842,
       4.040869154065937,
       {0.39086280380246485, 0.45833860999084775, 2.8551550540496717, 0.33651268622295216},
       {}});
  expect_golden(labels({2, 0, -100, 1}), {.label_smoothing = 0.1},
                {0.3952380333387549,
                 1.1857141000162648,
                 {0.39086280380246485, 0.45833860999084775, 0.0, 0.33651268622295216},
                 {}});
  expect_golden(labels({2, 0, 0, 1}), {.label_smoothing = 0.1, .weight = class_weights()},
                {0.6704410076601324,
                 2.849374282555562,
                 {0.531078504753081, 0.37004470074473744, 1.4879641560785613, 0.4602869209791829},
                 {}});
  expect_golden(labels({2, 0, -100, 1}), {.label_smoothing = 0.1, .weight = class_weights()},
                {0.36304270039386705,
                 1.3614101264770015,
                 {0.531078504753081, 0.37004470074473744, 0.0, 0.4602869209791829},
                 {}});
}

ag::Tensor probabilities() {
  return float64({{0.2, 0.3, 0.5}, {1.0, 0.0, 0.0}, {0.1, 0.1, 0.8}, {0.25, 0.25, 0.5}});
}

TEST(HardCases, 44_cross_entropy_probability_targets) {
  expect_golden(probabilities(), {},
                {1.1585506218498174,
                 4.6342024873992695,
                 {1.4941961371357981, 0.3450052766575144, 0.8751550540496718, 1.9198460195562856},
                 {}});
  expect_golden(probabilities(), {.weight = class_weights()},
                {1.331640965510284,
                 5.326563862041136,
                 {2.3803098817049326, 0.1725026383287572, 0.9364438175620897, 1.837307524445357},
                 {}});
  expect_golden(probabilities(), {.label_smoothing = 0.1, .weight = class_weights()},
                {1.391629030023816,
                 5.566516120095264,
                 {2.409886744009748, 0.37004470074473744, 0.9784438175620896, 1.8081408577786902},
                 {}});
}

// A class ruled out by a logit of -inf: finite, where q log p would be 0 times -inf.
TEST(Loss, CrossEntropyOfAnImpossibleClass) {
  const ag::Tensor x = float64({{1.0, -kInf, 2.0}}), t = float64({{0.25, 0.0, 0.75}});
  const auto loss = [&](const ag::Tensor& in) { return nn::cross_entropy_loss(in, t); };
  const double norm = std::log(std::exp(1.0) + std::exp(2.0));
  expect_values(loss(x), {norm - 0.25 - 1.5});
  expect_values(gradient(loss, x), {std::exp(1 - norm) - 0.25, 0, std::exp(2 - norm) - 0.75});
}

TEST(Loss, CrossEntropyFarOut) {
  for (const ag::DType dtype : {ag::float32, ag::float64}) {
    for (const double far : {100.0, 1000.0, 1e4}) {
      const ag::Tensor x = ag::tensor({{far, -far}, {far, -far}}, dtype), t = labels({0, 1});
      const auto loss = [&](const ag::Tensor& in) {
        return nn::cross_entropy_loss(in, t, {.reduction = Reduction::sum});
      };
      expect_values(loss(x), {2 * far}, 1e-30);
      expect_values(gradient(loss, x), {0, 0, 1, -1}, 1e-30);
    }
  }
}

TEST(Loss, CrossEntropyOfOneSample) {
  const ag::Tensor x = float64({0.5, -1.2, 2.0});
  expect_values(nn::cross_entropy_loss(x, ag::tensor(2, ag::int64)), {0.23419613713579818});
  const ag::Tensor each =
      nn::cross_entropy_loss(x, ag::tensor(2, ag::int64), {.reduction = Reduction::none});
  EXPECT_EQ(each.dim(), 0);
  expect_values(nn::cross_entropy_loss(x, float64({0.2, 0.3, 0.5})), {1.4941961371357981});
}

TEST(Loss, NoSamples) {
  EXPECT_TRUE(std::isnan(nn::mse_loss(ag::zeros({0, 2}), ag::zeros({0, 2})).item()));
  EXPECT_TRUE(
      std::isnan(nn::cross_entropy_loss(ag::zeros({0, 3}), ag::zeros({0}, ag::int64)).item()));
  EXPECT_EQ(nn::cross_entropy_loss(ag::zeros({0, 3}), ag::zeros({0}, ag::int64),
                                   {.reduction = Reduction::none})
                .numel(),
            0);
}

TEST(Loss, SecondOrder) {
  const auto check = [](const ag::TensorFunction& f, const std::vector<ag::Tensor>& inputs) {
    const ag::GradcheckReport first = ag::gradcheck(f, inputs),
                              second = ag::gradgradcheck(f, inputs);
    EXPECT_TRUE(first) << first.message();
    EXPECT_TRUE(second) << second.message();
  };
  const ag::Tensor t = float64({{0.2, 0.9}, {0.7, 0.4}});  // away from the logarithms' clamp
  check([](const auto& in) { return nn::mse_loss(in[0], in[1]); }, {prediction(), t});
  check([](const auto& in) { return nn::bce_loss(in[0], in[1]); }, {prediction(), t});
  check([](const auto& in) { return nn::bce_with_logits_loss(in[0], in[1]); }, {prediction(), t});
  check(
      [](const auto& in) {
        return nn::cross_entropy_loss(in[0], labels({2, 0, -100, 1}));
      },
      {logits()});
  const ag::Tensor q =
      float64({{0.2, 0.3, 0.5}, {0.6, 0.3, 0.1}, {0.1, 0.1, 0.8}, {0.2, 0.3, 0.5}});
  check([](const auto& in) { return nn::cross_entropy_loss(in[0], in[1]); }, {logits(), q});
}

TEST(Loss, ShapesMustAgree) {
  expect_message<ag::ShapeError>(
      "mse_loss: shapes differ: prediction is [4, 1], target is [4]; need prediction.shape == "
      "target.shape (losses do not broadcast: reshape one of them)",
      [] {
        nn::mse_loss(ag::ones({4, 1}), ag::ones({4}));
      });
  EXPECT_THROW(nn::bce_loss(ag::ones({4, 1}), ag::ones({1, 4})), ag::ShapeError);
  EXPECT_THROW(nn::bce_with_logits_loss(ag::ones({4}), ag::tensor(1.0)), ag::ShapeError);
  EXPECT_THROW(nn::mse_loss(ag::Tensor(), ag::ones({4})), ag::ValueError);
}

TEST(Loss, CrossEntropyBadInput) {
  expect_message<ag::ShapeError>(
      "cross_entropy_loss: shapes do not fit: logits is [4, 3], target is [3] int64; need one "
      "int64 label per sample",
      [] {
        nn::cross_entropy_loss(logits(), labels({1, 2, 0}));
      });
  expect_message<ag::TypeError>(
      "cross_entropy_loss: not labels: target is float32 [4]; need int64 (convert with to(target, "
      "autograd::int64)), or probabilities of the logits' shape",
      [] { nn::cross_entropy_loss(logits(), ag::ones({4})); });
  expect_message<ag::ShapeError>(
      "cross_entropy_loss: shapes do not fit: logits is [4, 3], target is [3, 4] float32; need "
      "probabilities of the logits' shape",
      [] {
        nn::cross_entropy_loss(logits(), ag::ones({3, 4}));
      });
  expect_message<ag::ShapeError>(
      "cross_entropy_loss: weight does not fit: weight is [2], logits is [4, 3]; need weight.shape "
      "== [3]",
      [] {
        nn::cross_entropy_loss(logits(), labels({2, 0, 0, 1}), {.weight = ag::ones({2})});
      });
  EXPECT_THROW(nn::cross_entropy_loss(ag::ones({2, 3, 4}), labels({1, 2})), ag::ShapeError);
  EXPECT_THROW(nn::cross_entropy_loss(ag::tensor(1.0), ag::tensor(0, ag::int64)), ag::ShapeError);
  for (const double bad : {-0.1, 1.1, std::nan("")}) {
    EXPECT_THROW(nn::cross_entropy_loss(logits(), labels({2, 0, 0, 1}), {.label_smoothing = bad}),
                 ag::ValueError);
  }
}

}  // namespace
