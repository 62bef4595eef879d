// SPDX-License-Identifier: Apache-2.0
// Making tensors: what braces mean, conversions and their refusals, random fills and their moments.
#include <gtest/gtest.h>
#include <autograd/create.hpp>

#include <cmath>
#include <functional>
#include <limits>
#include <set>

namespace autograd {
namespace {

const double kNan = std::numeric_limits<double>::quiet_NaN();
const double kInf = std::numeric_limits<double>::infinity();

TEST(Create, BracesNestAsTheyLook) {
  EXPECT_EQ(tensor({{0}, {1}, {1}, {0}}).shape(), Shape({4, 1}));
  EXPECT_EQ(tensor({}).shape(), Shape({0}));
  EXPECT_EQ(tensor({{}, {}}).shape(), Shape({2, 0}));
  EXPECT_EQ(tensor(2.5).shape(), Shape({}));
  EXPECT_EQ(tensor({1}).shape(), Shape({1}));
  EXPECT_EQ(tensor({{1}}).shape(), Shape({1, 1}));
  EXPECT_EQ(tensor({{1, 2}}).shape(), Shape({1, 2}));
  EXPECT_EQ(tensor({{{{1, 2, 3}}}, {{{4, 5, 6}}}}).shape(), Shape({2, 1, 1, 3}));
  EXPECT_EQ(to_vector<float>(tensor({{1, 2}, {3.5, 4}})), (std::vector<float>{1, 2, 3.5, 4}));
  EXPECT_EQ(tensor({{1, 2}}).dtype(), float32);
}

TEST(Create, RaggedListsThrow) {
  EXPECT_THROW(tensor({{1, 2}, {3}}), ShapeError);
  EXPECT_THROW(tensor({{1}, {2, 3}}), ShapeError);
  EXPECT_THROW(tensor({{1, 2}, 3}), ShapeError);
  EXPECT_THROW(tensor({1, {2, 3}}), ShapeError);
  EXPECT_THROW(tensor({{}, {1}}), ShapeError);
  EXPECT_THROW(tensor({{{{{{{{{1}}}}}}}}}), ShapeError) << "nine axes";
  try {
    tensor({{1, 2}, {3}});
  } catch (const ShapeError& error) {
    EXPECT_STREQ(
        error.what(),
        "tensor: ragged list: lists of 2 and of 1 items at depth 1; need equal lengths (2 != 1)");
  }
}

TEST(Create, IntegersSurviveInInt64Lists) {
  const std::int64_t large = (std::int64_t{1} << 53) + 1;
  EXPECT_EQ(to_vector<std::int64_t>(tensor({large, -large}, int64))[0], large);
  EXPECT_EQ(to_vector<std::int64_t>(tensor({2.9, -2.9}, int64)),
            (std::vector<std::int64_t>{2, -2}));
  EXPECT_EQ(to_vector<bool>(tensor({0, 2, 0.5}, boolean)), (std::vector<bool>{false, true, true}));
  EXPECT_THROW(tensor({1.0, kNan}, int64), ValueError);
  EXPECT_THROW(tensor({1.0, kInf}, int64), ValueError);
  EXPECT_THROW(tensor({1e30}, int64), ValueError);
  EXPECT_THROW(full({2}, kNan, int64), ValueError);
  EXPECT_THROW(full({0}, -kInf, int64), ValueError);
  EXPECT_TRUE(std::isnan(tensor(kNan).item()));
}

TEST(Create, VectorsKeepTheirType) {
  EXPECT_EQ(tensor(std::vector<float>{1, 2}).dtype(), float32);
  EXPECT_EQ(tensor(std::vector<double>{1, 2}).dtype(), float64);
  EXPECT_EQ(tensor(std::vector<std::int64_t>{1, 2}).dtype(), int64);
  EXPECT_EQ(tensor(std::vector<int>{1, -2}).dtype(), int64);
  EXPECT_EQ(tensor(std::vector<int>{1, -2}).at({1}), -2);
  EXPECT_EQ(tensor(std::vector<bool>{true, false}).dtype(), boolean);
  EXPECT_EQ(to_vector<bool>(tensor(std::vector<bool>{true, false})),
            (std::vector<bool>{true, false}));
  EXPECT_EQ(tensor(std::vector<double>{}).shape(), Shape({0}));
  EXPECT_EQ(tensor(std::vector<double>{1, 2, 3, 4}, {2, 2}).at({1, 0}), 3);
  EXPECT_THROW(tensor(std::vector<double>{1, 2, 3}, {2, 2}), ShapeError);
  EXPECT_THROW(to_vector<double>(ones({2})), TypeError);
}

TEST(Create, Constants) {
  for (DType dtype : {float32, float64, int64, boolean}) {
    EXPECT_EQ(zeros({2, 3}, dtype).at({1, 2}), 0);
    EXPECT_EQ(ones({2, 3}, dtype).at({1, 2}), 1);
    EXPECT_EQ(full({100}, 3, dtype).at({99}), dtype == boolean ? 1 : 3);
    EXPECT_EQ(zeros_like(ones({2, 3}, dtype)).dtype(), dtype);
    EXPECT_EQ(ones_like(zeros({2, 3}, dtype)).at({0, 0}), 1);
  }
  EXPECT_EQ(full({}, 2.5).item(), 2.5);
  EXPECT_EQ(to_vector<std::int64_t>(arange(4, int64)), (std::vector<std::int64_t>{0, 1, 2, 3}));
  EXPECT_EQ(arange(0).numel(), 0);
  EXPECT_THROW(arange(-1), ValueError);
  EXPECT_THROW(zeros({-1}), ShapeError);
}

// The mean of f over x.
double mean(const Tensor& x, const std::function<double(double)>& f) {
  double sum = 0;
  dispatch(x.dtype(), [&](auto tag) {
    for (auto value : x.data<decltype(tag)>()) sum += f(static_cast<double>(value));
  });
  return sum / static_cast<double>(x.numel());
}

TEST(Create, RandomMoments) {
  constexpr std::int64_t kCount = 200'000;
  const double error = 5 / std::sqrt(static_cast<double>(kCount));  // five standard errors
  for (DType dtype : {float32, float64}) {
    Generator g(7);
    const Tensor u = rand({kCount}, g, dtype), z = randn({kCount}, g, dtype);
    EXPECT_NEAR(mean(u, [](double x) { return x; }), 0.5, 0.289 * error);
    EXPECT_NEAR(mean(u, [](double x) { return x * x; }), 1.0 / 3, 0.298 * error);
    EXPECT_EQ(mean(u, [](double x) { return x >= 0 && x < 1; }), 1);
    EXPECT_NEAR(mean(z, [](double x) { return x; }), 0, error);
    EXPECT_NEAR(mean(z, [](double x) { return x * x; }), 1, 1.42 * error);
    EXPECT_NEAR(mean(z, [](double x) { return x * x * x * x; }), 3, 9.8 * error);
    EXPECT_NEAR(mean(z, [](double x) { return std::fabs(x) > 2; }), 0.0455, 0.21 * error);
  }
}

TEST(Create, RandomElementsDependOnSeedAndPlaceAlone) {
  Generator a(7), b(7), other(8);
  const Tensor x = randn({10}, a);
  EXPECT_EQ(to_vector<float>(x), to_vector<float>(randn({2, 5}, b)));
  EXPECT_NE(to_vector<float>(x), to_vector<float>(randn({10}, other)));
  EXPECT_NE(to_vector<float>(x), to_vector<float>(randn({10}, a))) << "the stream moves on";
  Generator c(7);
  const std::vector<float> longer = to_vector<float>(randn({1000}, c));
  EXPECT_EQ(to_vector<float>(x), std::vector<float>(longer.begin(), longer.begin() + 10));
  manual_seed(7);
  EXPECT_EQ(to_vector<float>(x), to_vector<float>(randn({10})));
}

TEST(Create, RandintCoversItsRange) {
  Generator g(1);
  const auto values = to_vector<std::int64_t>(randint(-2, 3, {10'000}, g));
  EXPECT_EQ(std::set<std::int64_t>(values.begin(), values.end()),
            (std::set<std::int64_t>{-2, -1, 0, 1, 2}));
  EXPECT_NEAR(static_cast<double>(std::count(values.begin(), values.end(), 2)), 2000, 5 * 40);
  const std::int64_t low = std::numeric_limits<std::int64_t>::min();
  randint(low, std::numeric_limits<std::int64_t>::max(), {10}, g);
  EXPECT_THROW(randint(3, 3, {1}, g), ValueError);
  EXPECT_THROW(rand({2}, g, int64), TypeError);
  EXPECT_THROW(randn({2}, g, boolean), TypeError);
}

}  // namespace
}  // namespace autograd
