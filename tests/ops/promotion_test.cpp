// SPDX-License-Identifier: Apache-2.0
// Dtypes of mixed operands, axes as numbers, operators of masks, drivers inside of drivers: what a user of
// PyTorch would try first.
#include "support.hpp"

namespace ops_test {
namespace {

using namespace autograd;

TEST(Promotion, ScalarsBesideTensorsWithAxes) {
  const Tensor single = ones({2, 3}), wide = tensor(2.0, float64), index = ones({2}, int64);
  EXPECT_EQ((single * wide).dtype(), float32);
  EXPECT_EQ((wide * single).dtype(), float32);
  EXPECT_EQ(maximum(single, wide).dtype(), float32);
  EXPECT_EQ(where(single > 0.0, single, wide).dtype(), float32);
  EXPECT_EQ((index * wide).dtype(), float64);  // of a higher kind
  EXPECT_EQ((index * tensor(2.0)).dtype(), float32);
  EXPECT_EQ((single * ones({1}, float64)).dtype(), float64);  // one axis
  EXPECT_EQ((tensor(1.0) * wide).dtype(), float64);
  EXPECT_EQ((ones({2}, boolean) + tensor(3, int64)).dtype(), int64);
  EXPECT_EQ(result_type(ones({2}, int64), tensor(true, boolean)), int64);
  const Inputs dx = grad([&](const Inputs& in) { return sum(in[0] * in[1]); }, {single, wide});
  EXPECT_EQ(dx[0].dtype(), float32);
  EXPECT_EQ(dx[1].dtype(), float64);
  EXPECT_EQ(dx[1].item(), 6);
}

TEST(Axes, OneNumberAndScalars) {
  const Tensor x = f64({{1, 2, 3}, {4, 5, 6}});
  expect_same(sum(x, 1), f64({6, 15}));
  expect_same(sum(x, -2), f64({5, 7, 9}));
  expect_same(mean(x, 0, {.keepdim = true}), f64({{2.5, 3.5, 4.5}}));
  expect_same(flip(x, 1), flip(x, {1}));
  expect_same(roll(x, 1, 0), roll(x, {1}, {0}));
  const Tensor s = tensor(2.5, float64);
  for (const int axis : {0, -1}) expect_same(sum(s, axis), s);
  EXPECT_THROW(sum(s, 1), ValueError);
}

TEST(Masks, Operators) {
  const Tensor a = tensor({1, 1, 0, 0}, boolean), b = tensor({1, 0, 1, 0}, boolean);
  expect_values(a & b, {1, 0, 0, 0});
  expect_values(a | b, {1, 1, 1, 0});
  expect_values(a ^ b, {0, 1, 1, 0});
  expect_values(~a, {0, 0, 1, 1});
  expect_values(where(a, 2.0, -1.0), {2, 2, -1, -1});
  expect_values(0.0 < f64({-1, 0, 1}), {0, 0, 1});
  expect_message<TypeError>(
      "operator&: an operand is float64; need bool (or logical_and and its kin, which take any "
      "dtype)",
      [&] {
        (void)(a & f64({1, 2, 3, 4}));
      });
}

// f uses a variable of the outer function, and so does the derivative of it along a direction.
TEST(Drivers, JvpInsideOthers) {
  const Tensor x = f64({1, 2, 3}), one = ones({3}, float64);
  const auto along = [&](const Inputs& v) {
    return jvp([&](const Inputs& w) { return w[0] * w[0] * v[0]; }, {x}, {one}).second;
  };
  expect_values(grad([&](const Inputs& v) { return sum(along(v)); }, {x})[0], {2, 4, 6}, 1e-13);
  expect_values(jvp(along, {x}, {one}).second, {2, 4, 6}, 1e-13);
}

TEST(Checkpoint, IndicesAndMasksGoAlong) {
  Tape tape;
  const Tensor x = tape.input(f64({1, 2, 3}));
  const Tensor y = checkpoint(
      [](const Inputs& in) { return where(in[2], square(index_select(in[0], 0, in[1])), 0.0); },
      {x, tensor({2, 2, 0}, int64), tensor({1, 1, 0}, boolean)});
  tape.backward(sum(y));
  expect_values(x.grad(), {0, 0, 12});
}

TEST(Slopes, OfPiecewiseFunctionsAtNan) {
  const Tensor x = f64({kNan});
  for (const auto& f : std::vector<std::function<Tensor(const Tensor&)>>{
           [](const Tensor& t) { return relu(t); }, [](const Tensor& t) { return relu6(t); },
           [](const Tensor& t) { return hardtanh(t); },
           [](const Tensor& t) { return hardsigmoid(t); }}) {
    EXPECT_TRUE(std::isnan(f(x).item() + 0 * x.item()));
    expect_values(gradient(f, x), {0});
  }
}

}  // namespace
}  // namespace ops_test
