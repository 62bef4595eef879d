// SPDX-License-Identifier: Apache-2.0
// Gradient clipping: HARD_CASES 97 and 98, shared and missing gradients, numbers near overflow.
#include <limits>

#include "support.hpp"

namespace {

using nn_test::expect_message;
using nn_test::expect_values;

constexpr double kInf = std::numeric_limits<double>::infinity();

ag::Tensor with_gradient(const ag::Tensor& gradient) {
  ag::Tensor p = ag::zeros(gradient.shape(), gradient.dtype()).set_requires_grad();
  p.set_grad(gradient);
  return p;
}

TEST(Clip, ScalesAllByTheCommonNorm) {
  const ag::Tensor p = with_gradient(ag::tensor({3, 0})),
                   q = with_gradient(ag::tensor({{4.0}}, ag::float64)),
                   none = ag::zeros({2}).set_requires_grad();
  EXPECT_DOUBLE_EQ(nn::clip_grad_norm_({p, none, q}, 10.0), 5.0);
  expect_values(p.grad(), {3, 0}, 0);
  EXPECT_DOUBLE_EQ(nn::clip_grad_norm_({p, none, q}, 1.0), 5.0);
  expect_values(p.grad(), {3 / 5.000001, 0}, 1e-7);
  expect_values(q.grad(), {4 / 5.000001}, 1e-15);
  EXPECT_FALSE(none.has_grad());
  EXPECT_EQ(nn::clip_grad_norm_({none}, 1.0), 0.0);
  EXPECT_EQ(nn::clip_grad_norm_({}, 1.0), 0.0);
}

TEST(Clip, OtherNorms) {
  const ag::Tensor p = with_gradient(ag::tensor({3, -4}));
  EXPECT_DOUBLE_EQ(nn::clip_grad_norm_({p}, 100.0, {.norm_type = 1.0}), 7.0);
  EXPECT_DOUBLE_EQ(nn::clip_grad_norm_({p}, 100.0, {.norm_type = 3.0}), std::cbrt(91.0));
  EXPECT_DOUBLE_EQ(nn::clip_grad_norm_({p}, 100.0, {.norm_type = kInf}), 4.0);
}

TEST(Clip, SharedGradientIsScaledOnce) {
  const ag::Tensor g = ag::tensor({3, 4});
  const ag::Tensor p = with_gradient(g), q = with_gradient(g);
  const double norm = nn::clip_grad_norm_({p, q}, 1.0);
  EXPECT_DOUBLE_EQ(norm, std::sqrt(50.0));
  expect_values(p.grad(), {3 / norm, 4 / norm}, 1e-6);
  expect_values(q.grad(), {3 / norm, 4 / norm}, 1e-6);
}

TEST(Clip, StridedGradient) {
  const ag::Tensor p = with_gradient(ag::transpose(ag::tensor({{3, 0}, {0, 4}})));
  EXPECT_DOUBLE_EQ(nn::clip_grad_norm_({p}, 2.5), 5.0);
  expect_values(p.grad(), {1.5, 0, 0, 2}, 1e-6);
}

TEST(Clip, ManyElementsOnAnyNumberOfThreads) {
  ag::Tensor p = ag::zeros({100003});
  p.set_requires_grad();
  ag::Generator generator(1);
  const ag::Tensor g = ag::randn({100003}, generator);
  double want = 0;
  for (const float each : g.data<float>()) want += double{each} * each;
  std::vector<double> norms;
  const int before = ag::num_threads();
  for (const int threads : {1, 3}) {
    ag::set_num_threads(threads);
    p.set_grad(g);
    norms.push_back(nn::clip_grad_norm_({p}, 1e9));
  }
  ag::set_num_threads(before);
  EXPECT_NEAR(norms[0], std::sqrt(want), 1e-9);
  EXPECT_EQ(norms[0], norms[1]);
}

TEST(Clip, NumbersNearOverflowAndUnderflow) {
  for (const double scale : {1e300, 1e-300}) {
    const ag::Tensor p = with_gradient(ag::tensor(std::vector<double>{3 * scale, 4 * scale}));
    EXPECT_NEAR(nn::clip_grad_norm_({p}, kInf) / (5 * scale), 1.0, 1e-14);
  }
}

TEST(HardCases, 97_clip_of_a_norm_that_is_not_finite) {
  for (const double bad : {std::nan(""), kInf, -kInf}) {
    ag::Tensor p = with_gradient(ag::tensor({1.0, bad, 2.0})), q = with_gradient(ag::ones({2}));
    EXPECT_THROW(nn::clip_grad_norm_({q, p}, 1.0), ag::ValueError);
    expect_values(q.grad(), {1, 1}, 0);
    nn::SGD optimizer({p, q}, {.lr = 1.0});
    EXPECT_FALSE(std::isfinite(nn::clip_grad_norm_({q, p}, 1.0, {.skip_nonfinite = true})));
    optimizer.step();  // nothing to do
    expect_values(p, {0, 0, 0}, 0);
    expect_values(q, {0, 0}, 0);
  }
  expect_message<ag::ValueError>(
      "clip_grad_norm_: gradients are not finite: their norm is nan; need a finite norm (or "
      "{.skip_nonfinite = true} to skip the step)",
      [] { nn::clip_grad_norm_({with_gradient(ag::tensor({std::nan("")}))}, 1.0); });
}

TEST(HardCases, 98_clip_of_norm_zero) {
  const ag::Tensor p = with_gradient(ag::zeros({3}));
  EXPECT_EQ(nn::clip_grad_norm_({p}, 1.0), 0.0);
  EXPECT_EQ(nn::clip_grad_norm_({p}, 0.0), 0.0);
  expect_values(p.grad(), {0, 0, 0}, 0);
}

TEST(Clip, BadOptions) {
  const ag::Tensor p = with_gradient(ag::ones({3}));
  expect_message<ag::ValueError>(
      "clip_grad_norm_: invalid option: max_norm is -1, norm_type is 2; need "
      "max_norm >= 0 and norm_type > 0",
      [&] { nn::clip_grad_norm_({p}, -1.0); });
  EXPECT_THROW(nn::clip_grad_norm_({p}, std::nan("")), ag::ValueError);
  EXPECT_THROW(nn::clip_grad_norm_({p}, 1.0, {.norm_type = 0.0}), ag::ValueError);
}

}  // namespace
