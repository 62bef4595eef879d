// SPDX-License-Identifier: Apache-2.0
// The edges of losses: HARD_CASES 45 and 46 (38 to 44 are in loss_test.cpp, 47 with the operations),
// infinities, zeros, and bad input.
#include <limits>

#include "support.hpp"

namespace {

using nn::KlDivReduction;
using nn::Reduction;
using nn_test::expect_message;
using nn_test::expect_values;
using nn_test::float64;
using nn_test::labels;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

template <class F> ag::Tensor gradient(const F& loss, const ag::Tensor& x) {
  return ag::grad([&](const std::vector<ag::Tensor>& in) { return loss(in[0]); }, {x})[0];
}

TEST(HardCases, 45_kl_div_means) {
  const ag::Tensor t = float64({{0.5, 0.5}, {0.9, 0.1}}), q = float64({{0.25, 0.75}, {0.5, 0.5}});
  const auto loss = [&](KlDivReduction r) {
    return nn::kl_div_loss(ag::log(q), t, {.reduction = r}).item();
  };
  const double divergence =
      0.5 * std::log(2.0) + 0.5 * std::log(0.5 / 0.75) + 0.9 * std::log(1.8) + 0.1 * std::log(0.2);
  EXPECT_NEAR(loss(KlDivReduction::sum), divergence, 1e-14);
  EXPECT_NEAR(loss(KlDivReduction::batch_mean), divergence / 2, 1e-14);
  EXPECT_NEAR(loss(KlDivReduction::element_mean), divergence / 4, 1e-14);
}

TEST(HardCases, 45_kl_div_of_impossible_classes) {
  const ag::Tensor t = float64({0.0, 1.0}), x = float64({-kInf, 0.0});
  const auto loss = [&](const ag::Tensor& in) {
    return nn::kl_div_loss(in, t, {.reduction = KlDivReduction::sum});
  };
  expect_values(loss(x), {0.0});
  expect_values(gradient(loss, x), {0.0, -1.0});
}

TEST(HardCases, 46_nll_of_probabilities) {
  const ag::Tensor p = float64({{0.2, 0.8}, {0.6, 0.4}});
#ifdef AUTOGRAD_CHECKED
  expect_message<ag::ValueError>(
      "nll_loss: not log-probabilities: the largest is 0.8; need numbers <= 0 (take "
      "log_softmax, or cross_entropy_loss of logits)",
      [&] {
        nn::nll_loss(p, labels({1, 0}));
      });
#else
  expect_values(nn::nll_loss(p, labels({1, 0})), {-0.7});
#endif
  expect_values(nn::nll_loss(ag::log(p), labels({1, 0})), {-(std::log(0.8) + std::log(0.6)) / 2});
}

TEST(HardCases, 38_pos_weight_far_out) {
  const ag::Tensor x = float64({1000.0, -1000.0, 1000.0, -1000.0});
  const ag::Tensor t = float64({1.0, 1.0, 0.0, 0.0}), w = float64({3.0, 3.0, 3.0, 3.0});
  const auto loss = [&](const ag::Tensor& in) {
    return nn::bce_with_logits_loss(in, t, {.reduction = Reduction::sum, .pos_weight = w});
  };
  expect_values(loss(x), {4000.0});
  expect_values(gradient(loss, x), {0.0, -3.0, 1.0, 0.0});
}

TEST(LossEdges, HuberFarOutAndAtTheBend) {
  for (const double delta : {0.5, 1.0}) {
    const ag::Tensor x = float64({0.0, delta, -delta, 1e300, -kInf}), t = ag::zeros_like(x);
    const auto loss = [&](const ag::Tensor& in) {
      return nn::huber_loss(in, t, {.reduction = Reduction::sum, .delta = delta});
    };
    expect_values(gradient(loss, x), {0.0, delta, -delta, delta, -delta});
  }
  EXPECT_THROW(nn::huber_loss(ag::ones({2}), ag::ones({2}), {.delta = 0.0}), ag::ValueError);
  EXPECT_THROW(nn::smooth_l1_loss(ag::ones({2}), ag::ones({2}), {.beta = -1.0}), ag::ValueError);
}

// An infinite weight within the bend: no infinity is taken from another.
TEST(LossEdges, HuberUnderAnInfiniteWeight) {
  const ag::Tensor x = float64({0.3, -0.3}), t = ag::zeros_like(x);
  const auto loss = [&](const ag::Tensor& in) {
    return ag::sum(nn::huber_loss(in, t, {.reduction = Reduction::none}) * float64({kInf, kInf}));
  };
  EXPECT_EQ(ag::to_vector<double>(gradient(loss, x)), (std::vector<double>{kInf, -kInf}));
}

TEST(LossEdges, SoftMarginFarOut) {
  const ag::Tensor x = float64({1000.0, -1000.0}), t = float64({-1.0, -1.0});
  const auto loss = [&](const ag::Tensor& in) {
    return nn::soft_margin_loss(in, t, {.reduction = Reduction::sum});
  };
  expect_values(loss(x), {1000.0});
  expect_values(gradient(loss, x), {1.0, 0.0});
}

// The gradient passes below eps, so that a variance of 0 can grow again.
TEST(LossEdges, GaussianVarianceOfZero) {
  const ag::Tensor x = float64({1.0}), t = float64({1.5}), v = float64({0.0});
  const auto loss = [&](const ag::Tensor& in) {
    return nn::gaussian_nll_loss(x, t, in, {.eps = 0.01});
  };
  expect_values(loss(v), {0.5 * (std::log(0.01) + 25.0)});
  expect_values(gradient(loss, v), {0.5 * (100.0 - 0.25 / 1e-4)});
  expect_message<ag::ValueError>("gaussian_nll_loss: var out of range: var is -1; need var >= 0",
                                 [&] { nn::gaussian_nll_loss(x, t, float64({-1.0})); });
  EXPECT_THROW(nn::gaussian_nll_loss(ag::ones({2, 3}), ag::ones({2, 3}), ag::ones({3})),
               ag::ShapeError);
}

TEST(LossEdges, ZeroVectorsAndEqualPoints) {
  const ag::Tensor zero = ag::zeros({1, 3}, ag::float64), t = float64({1.0});
  for (const double v : nn_test::values(gradient(
           [&](const ag::Tensor& x) { return nn::cosine_embedding_loss(x, zero, t); }, zero))) {
    EXPECT_EQ(v, 0.0);
  }
  const ag::Tensor g =
      gradient([&](const ag::Tensor& x) { return nn::triplet_margin_loss(x, zero, zero); }, zero);
  for (const double v : nn_test::values(g)) EXPECT_TRUE(std::isfinite(v));
}

TEST(LossEdges, PoissonOfNothing) {
  // No event at rate 0: no loss, and no NaN from 0 ln 0.
  const ag::Tensor x = float64({0.0}), t = float64({0.0});
  expect_values(nn::poisson_nll_loss(x, t, {.log_input = false, .eps = 0.0}), {0.0});
}

TEST(LossEdges, CrossEntropyOfPlacesAllIgnored) {
  const ag::Tensor x = ag::zeros({1, 2, 2}, ag::float64), t = labels({{-100, -100}});
  EXPECT_TRUE(std::isnan(nn::cross_entropy_loss(x, t).item()));
  expect_values(nn::cross_entropy_loss(x, t, {.reduction = Reduction::sum}), {0.0});
  EXPECT_EQ(nn::cross_entropy_loss(x, t, {.reduction = Reduction::none}).shape(),
            (ag::Shape{1, 2}));
}

TEST(LossEdges, IgnoredRowsMayHoldAnything) {
  const ag::Tensor x = float64({{kNaN, kInf, 0.0}, {0.1, 0.2, 0.3}});
  for (const ag::Tensor& weight : {ag::Tensor(), ag::ones({3}, ag::float64)}) {
    for (const double smoothing : {0.0, 0.1}) {
      const nn::CrossEntropyOptions options{.label_smoothing = smoothing, .weight = weight};
      const ag::Tensor g = gradient(
          [&](const ag::Tensor& in) {
            return nn::cross_entropy_loss(in, labels({-100, 2}), options);
          },
          x);
      const ag::Tensor alone = gradient(
          [&](const ag::Tensor& in) { return nn::cross_entropy_loss(in, labels({2}), options); },
          ag::narrow(x, 0, 1, 1));
      expect_values(ag::select(g, 0, 0), {0.0, 0.0, 0.0});
      expect_values(ag::select(g, 0, 1), nn_test::values(alone), 1e-15);
    }
  }
}

TEST(LossEdges, BadInput) {
  const ag::Tensor x = ag::ones({2, 3});
  expect_message<ag::ValueError>(
      "multi_margin_loss: label out of range: target[1] is 3; need 0 <= label < 3, the number of "
      "classes",
      [&] {
        nn::multi_margin_loss(x, labels({0, 3}));
      });
  EXPECT_THROW(nn::multi_margin_loss(x, labels({0, 1}), {.p = 3}), ag::ValueError);
  EXPECT_THROW(nn::multi_margin_loss(x, ag::ones({2})), ag::TypeError);
  EXPECT_THROW(nn::multi_margin_loss(x, labels({0})), ag::ShapeError);
  EXPECT_THROW(nn::multi_margin_loss(x, labels({0, 1}), {.weight = ag::ones({2})}), ag::ShapeError);
  EXPECT_THROW(nn::multilabel_margin_loss(x, labels({{0, 5, -1}, {-1, 0, 0}})), ag::ValueError);
  EXPECT_THROW(nn::multilabel_margin_loss(x, labels({{0, -2, -1}, {-1, 0, 0}})), ag::ValueError);
  EXPECT_THROW(nn::nll_loss(-x, ag::ones({2, 3})), ag::TypeError);
  EXPECT_THROW(nn::nll_loss(-x, labels({0, 3})), ag::ValueError);
  EXPECT_THROW(nn::l1_loss(x, ag::ones({3, 2})), ag::ShapeError);
  EXPECT_THROW(nn::kl_div_loss(x, ag::ones({3})), ag::ShapeError);
  EXPECT_THROW(nn::margin_ranking_loss(x, x, ag::ones({2})), ag::ShapeError);
  EXPECT_THROW(nn::cosine_embedding_loss(x, x, ag::ones({3})), ag::ShapeError);
  EXPECT_THROW(nn::triplet_margin_loss(x, x, ag::ones({2})), ag::ShapeError);
  expect_message<ag::ShapeError>(
      "bce_loss: weight does not fit: weight is [5, 2, 3], the losses are [2, 3]; need a shape "
      "that broadcasts to theirs",
      [&] {
        nn::bce_loss(x, x, {.weight = ag::ones({5, 2, 3})});
      });
  expect_message<ag::ShapeError>(
      "bce_with_logits_loss: pos_weight does not fit: pos_weight is [2], the losses are [2, 3]; "
      "need a shape that broadcasts to theirs",
      [&] { nn::bce_with_logits_loss(x, x, {.pos_weight = ag::ones({2})}); });
}

}  // namespace
