// SPDX-License-Identifier: Apache-2.0
// Evenly spaced numbers, random tensors, memory of the caller, and matrices of Eigen.
#include <autograd/eigen_tensors.hpp>

#include <numeric>
#include <set>

#include "ops/support.hpp"

namespace ops_test {
namespace {

using namespace autograd;

TEST(Sequences, Arange) {
  expect_same(arange(2, 11, 3), tensor({2, 5, 8}));
  expect_same(arange(5, 0, -2, autograd::int64), i64({5, 3, 1}));
  expect_same(arange(0.0, 1.0, 0.25, autograd::float64), f64({0, 0.25, 0.5, 0.75}));
  expect_same(arange(1, 2.5, 0.5), tensor({1, 1.5, 2}));
  EXPECT_EQ(arange(3, 3).numel(), 0);
  EXPECT_EQ(arange(0, 1, 0.1).numel(), 10);
  const std::int64_t large = (std::int64_t{1} << 53) + 1;
  EXPECT_EQ(to_vector<std::int64_t>(arange(large, large + 2, 1, autograd::int64)),
            (std::vector<std::int64_t>{large, large + 1}));
  expect_same(arange(INT64_MIN, INT64_MAX, INT64_MAX, autograd::int64),
              i64({INT64_MIN, -1, INT64_MAX - 1}));
  expect_message<ValueError>(
      "arange: no such range: start is 0, stop is 3, step is -1; need finite numbers, a step "
      "towards stop and at most 2^48 elements",
      [] { arange(0, 3, -1); });
  EXPECT_THROW(arange(0, 3, 0), ValueError);
  EXPECT_THROW(arange(0, kInf), ValueError);
  EXPECT_THROW(arange(kNan, 1.0), ValueError);
  EXPECT_THROW(arange(0.0, 1.0, 0.0), ValueError);
  EXPECT_THROW(arange(INT64_MIN, INT64_MAX), ValueError);
  EXPECT_THROW(arange(0.0, 1e300), ValueError);
}

TEST(Sequences, LinesAndPowers) {
  expect_same(linspace(0, 1, 5, autograd::float64), f64({0, 0.25, 0.5, 0.75, 1}));
  expect_same(linspace(3, -1, 3), tensor({3, 1, -1}));
  expect_same(linspace(3, 4, 1), tensor({3}));
  EXPECT_EQ(linspace(0, 0.1, 7, autograd::float64).at({6}), 0.1);
  EXPECT_EQ(linspace(0, 1, 0).shape(), Shape({0}));
  expect_same(logspace(0, 2, 3), tensor({1, 10, 100}));
  expect_same(logspace(0, 3, 4, 2, autograd::int64), i64({1, 2, 4, 8}));
  EXPECT_THROW(linspace(0, 1, -1), ValueError);
  EXPECT_THROW(linspace(0, kNan, 3, autograd::int64), ValueError);
  expect_same(eye(2, 3), tensor({{1, 0, 0}, {0, 1, 0}}));
  expect_same(eye(2, autograd::float64), f64({{1, 0}, {0, 1}}));
  EXPECT_EQ(eye(0).shape(), Shape({0, 0}));
  EXPECT_THROW(eye(-1), ShapeError);
  expect_same(full_like(i64({1, 2}), 7), i64({7, 7}));
  EXPECT_EQ(empty_like(f64({{1}})).dtype(), autograd::float64);
}

TEST(Random, LikeAndPermutation) {
  Generator generator(3);
  const Tensor x = zeros({40, 5}, autograd::float64);
  EXPECT_EQ(rand_like(x, generator).shape(), x.shape());
  EXPECT_EQ(randn_like(x, generator).dtype(), autograd::float64);
  for (const double value : values(randint_like(x, -2, 3, generator))) {
    EXPECT_TRUE(value >= -2 && value < 3 && value == std::floor(value));
  }
  const Doubles order = values(randperm(100, generator));
  EXPECT_EQ(std::set<double>(order.begin(), order.end()).size(), 100u);
  EXPECT_NE(order, values(arange(100)));
  EXPECT_EQ(randperm(0).numel(), 0);
  EXPECT_THROW(randperm(-1), ValueError);
  Generator first(7), again(7);
  EXPECT_TRUE(equal(randperm(50, first), randperm(50, again)));
  manual_seed(5);
  const Tensor a = randint(0, 1000, {8});
  manual_seed(5);
  EXPECT_TRUE(equal(a, randint(0, 1000, {8})));
  // Every order of three is as likely as any other: 5 standard deviations of 6,000 draws.
  std::map<Doubles, int> counts;
  for (int i = 0; i < 6000; ++i) ++counts[values(randperm(3, generator))];
  EXPECT_EQ(counts.size(), 6u);
  for (const auto& [permutation, count] : counts) EXPECT_NEAR(count, 1000, 5 * 29);
}

TEST(Random, Bernoulli) {
  Generator generator(4);
  const Tensor y = bernoulli(0.3, {20000}, generator);
  EXPECT_NEAR(mean(y).item(), 0.3, 5 * 0.0033);
  expect_values(bernoulli(f64({0, 1, 0, 1}), generator), {0, 1, 0, 1});
  EXPECT_EQ(bernoulli(f64({{0.5}}), generator).dtype(), autograd::float64);
  expect_message<ValueError>(
      "bernoulli: probability out of range: 1.5; need at least 0 and at most 1", [] {
        bernoulli(f64({0.5, 1.5}));
      });
  EXPECT_THROW(bernoulli(f64({kNan})), ValueError);
  EXPECT_THROW(bernoulli(i64({1})), TypeError);
  Tape tape;
  const Tensor p = tape.input(f64({0.5}));
  EXPECT_THROW(tape.backward(bernoulli(p)), TapeError) << "what is drawn is a constant";
}

TEST(Random, Normal) {
  Generator generator(5);
  const Tensor y = normal(2, 3, {20000}, generator);
  EXPECT_NEAR(mean(y).item(), 2, 5 * 3 / std::sqrt(20000.0));
  EXPECT_NEAR(mean(square(y - 2.0)).item(), 9, 5 * 9 * std::sqrt(2.0 / 20000));
  EXPECT_EQ(normal(f64({{1}, {2}}), f64({1, 2, 3})).shape(), Shape({2, 3}));
  EXPECT_THROW(normal(0, -1, {2}), ValueError);
  const TensorFunction f = [](const Inputs& in) {
    Generator fixed(6);
    return normal(in[0], in[1], fixed);
  };
  const auto report = gradcheck(f, {f64({1, 2}), f64({0.5, 3})});
  EXPECT_TRUE(report) << report.message();
}

TEST(Random, Multinomial) {
  Generator generator(6);
  const Tensor weights = f64({1, 0, 3, 4, 0});
  for (const bool replacement : {false, true}) {
    Doubles first(5);
    for (int i = 0; i < 8000; ++i) {
      const Doubles drawn =
          values(multinomial(weights, 2, {.replacement = replacement}, generator));
      ++first[static_cast<std::size_t>(drawn[0])];
      EXPECT_NE(weights.at({static_cast<std::int64_t>(drawn[1])}), 0);
      EXPECT_TRUE(replacement || drawn[0] != drawn[1]);
    }
    for (std::int64_t i = 0; i < 5; ++i) {
      EXPECT_NEAR(first[static_cast<std::size_t>(i)], 1000 * weights.at({i}), 5 * 45);
    }
  }
  EXPECT_EQ(multinomial(ones({3, 4}), 2).shape(), Shape({3, 2}));
  EXPECT_THROW(multinomial(weights, 4), ValueError) << "only three are positive";
  EXPECT_NO_THROW(multinomial(weights, 4, {.replacement = true}));
  EXPECT_THROW(multinomial(f64({1, -1}), 1), ValueError);
  EXPECT_THROW(multinomial(f64({kNan}), 1), ValueError);
  EXPECT_THROW(multinomial(f64({kInf, 1}), 1), ValueError);
  EXPECT_THROW(multinomial(f64({0, 0}), 1, {.replacement = true}), ValueError);
  EXPECT_THROW(multinomial(f64({}), 1), ValueError);
  EXPECT_THROW(multinomial(f64({1}), 0), ValueError);
  EXPECT_THROW(multinomial(tensor(1.0), 1), ShapeError);
}

TEST(UserMemory, Copies) {
  std::vector<double> v{1, 2, 3, 4};
  const Tensor x = tensor(std::span<const double>(v), {2, 2});
  v[0] = 9;
  expect_same(x, f64({{1, 2}, {3, 4}}));
  EXPECT_EQ(tensor(std::span<float>()).shape(), Shape({0}));
  EXPECT_THROW(tensor(std::span(v), {3}), ShapeError);
}

TEST(UserMemory, Views) {
  std::vector<double> v{1, 2, 3, 4};
  Tensor x = from_span(std::span(v), {2, 2});
  EXPECT_EQ(x.data<double>().data(), v.data());
  v[3] = 5;
  expect_same(x, f64({{1, 2}, {3, 5}}));
  fill_(x(0), 7);
  EXPECT_EQ(v, (std::vector<double>{7, 7, 3, 5}));
  {
    Tape tape;
    const Tensor p = tape.input(x);
    const Tensor y = sum(p * p);
    fill_(x, 1);
    EXPECT_THROW(tape.backward(y), TapeError) << "saved elements changed";
  }
  {
    Tape tape;  // neither results nor adjoints are ever put into the caller's memory
    const Tensor p = tape.input(f64({{1, 2}, {3, 4}}));
    const Tensor y = p * 1.0;
    const Tensor z = y + y(slice(), slice({}, {}, -1)) + y(slice());
    tape.backward(z, {.seed = from_span(std::span(v), {2, 2})});
    expect_same(p.grad(), f64({{3, 3}, {3, 3}}));
  }
  EXPECT_EQ(v, (std::vector<double>(4, 1)));
  std::int64_t index[] = {1, 0};
  expect_same(index_select(f64({5, 6}), 0, from_span(std::span(index))), f64({6, 5}));
  bool flags[] = {true, false};
  EXPECT_EQ(from_span(std::span(flags)).dtype(), boolean);
  EXPECT_EQ(from_span(std::span<float>()).numel(), 0);
  EXPECT_THROW(from_span(std::span(v), {5}), ShapeError);
}

#if __has_include(<Eigen/Core>) || __has_include(<eigen3/Eigen/Core>)
TEST(EigenMaps, BothWays) {
  const Tensor x = f64({{1, 2, 3}, {4, 5, 6}});
  const auto map = eigen_map<double>(x);
  EXPECT_EQ(map(1, 0), 4);
  EXPECT_EQ(map.data(), x.data<double>().data());
  EXPECT_EQ(eigen_map<double>(transpose(x))(0, 1), 4);
  EXPECT_EQ(eigen_map<double>(x(slice(), 1))(1, 0), 5);
  const Eigen::Matrix<double, 2, 2> square = map * eigen_map<double>(transpose(x));
  expect_same(from_eigen(square), matmul(x, transpose(x)));
  expect_same(from_eigen(map.transpose() * 2), contiguous(transpose(x)) * 2.0);
  EXPECT_THROW(eigen_map<float>(x), TypeError);
  EXPECT_THROW(eigen_map<double>(f64(1)), ShapeError);
}
#endif

}  // namespace
}  // namespace ops_test
