// SPDX-License-Identifier: Apache-2.0
// Attention beside its definition in other functions: awkward sizes, several rows of weights at a time,
// masks of every kind, operands that are views.
#include <gtest/gtest.h>
#include <autograd/autograd.hpp>

#include <limits>
#include <string>

namespace autograd {
namespace {

using Inputs = std::vector<Tensor>;

struct Sizes {
  std::int64_t batch, queries, keys, e, v;
};

/// The definition, recorded.
Tensor defined(const Inputs& in, const Tensor& attend) {
  const double e = static_cast<double>(in[0].size(-1));
  Tensor scores = matmul(in[0] / std::sqrt(e), transpose(in[1]));
  if (attend.defined()) {
    scores = where(attend, scores, -std::numeric_limits<double>::infinity());
  }
  return matmul(softmax(scores, -1), in[2]);
}

void expect_near(const Tensor& got, const Tensor& want, double tolerance) {
  ASSERT_EQ(got.shape(), want.shape());
  if (got.numel() == 0) return;
  const double scale = 1 + max(abs(want)).item();
  EXPECT_LE(max(abs(got - want)).item(), tolerance * scale);
}

class AttentionTest : public testing::TestWithParam<DType> {
 protected:
  /// Compares values and gradients. attend: bool, or undefined.
  void compare(const Inputs& in, const AttentionOptions& options, const Tensor& attend) {
    const double tolerance = GetParam() == float32 ? 2e-5 : 1e-13;
    const auto fused = [&](const Inputs& x) {
      return scaled_dot_product_attention(x[0], x[1], x[2], options);
    };
    const Tensor want = defined(in, attend);
    expect_near(fused(in), want, tolerance);
    Generator generator(9);
    const Tensor seed = randn(want.shape(), generator, GetParam());
    const Inputs d = vjp(fused, in, seed).second;
    const Inputs dwant = vjp([&](const Inputs& x) { return defined(x, attend); }, in, seed).second;
    for (std::size_t i = 0; i < 3; ++i) {
      SCOPED_TRACE("operand " + std::to_string(i));
      expect_near(d[i], dwant[i], 20 * tolerance);
    }
  }
  Inputs operands(const Sizes& s) const {
    Generator generator(4);
    return {randn({s.batch, s.queries, s.e}, generator, GetParam()),
            randn({s.batch, s.keys, s.e}, generator, GetParam()),
            randn({s.batch, s.keys, s.v}, generator, GetParam())};
  }
};

TEST_P(AttentionTest, AgreesWithItsDefinition) {
  for (const Sizes& s : {Sizes{1, 1, 1, 1, 1}, Sizes{3, 7, 17, 5, 3}, Sizes{2, 63, 65, 17, 33},
                         Sizes{1, 127, 1000, 7, 9}, Sizes{2, 300, 300, 16, 16}}) {
    SCOPED_TRACE(std::to_string(s.queries) + " by " + std::to_string(s.keys));
    const Inputs in = operands(s);
    compare(in, {}, {});
    const Tensor causal = reshape(arange(s.queries), {s.queries, 1}) >= arange(s.keys);
    compare(in, {.mask = AttentionMask::causal}, causal);
    Generator generator(5);
    const Tensor some = rand({s.batch, s.queries, s.keys}, generator) > 0.4;
    compare(in, {.mask = AttentionMask::attend_where, .attend = some}, some);
  }
}

TEST_P(AttentionTest, MasksThatBroadcast) {
  const Inputs in = operands({4, 9, 11, 6, 5});
  Generator generator(6);
  for (const Shape& shape : {Shape{11}, Shape{9, 1}, Shape{1, 11}, Shape{4, 1, 11}, Shape{1}}) {
    SCOPED_TRACE(to_string(shape));
    const Tensor attend = rand(shape, generator) > 0.3;
    compare(in, {.mask = AttentionMask::attend_where, .attend = attend}, attend);
  }
  const Tensor turned = transpose(rand({11, 9}, generator)) > 0.3;
  compare(in, {.mask = AttentionMask::attend_where, .attend = turned}, turned);
}

TEST_P(AttentionTest, ViewsAndLeadingAxesThatBroadcast) {
  Generator generator(7);
  const Tensor heads = randn({8, 3, 2, 30}, generator, GetParam());  // [t, batch, heads, 3 widths]
  const auto part = [&](std::int64_t i) {
    return permute(narrow(heads, 3, 10 * i, 10), {1, 2, 0, 3});
  };
  compare({part(0), part(1), part(2)}, {.mask = AttentionMask::causal},
          reshape(arange(8), {8, 1}) >= arange(8));
  compare({part(0), narrow(part(1), 0, 0, 1), select(select(part(2), 0, 1), 0, 0)}, {}, {});
  compare({transpose(part(0)), transpose(part(1)), transpose(part(2))}, {}, {});
}

TEST_P(AttentionTest, AChangedMaskIsRefused) {
  const Inputs in = operands({1, 3, 3, 2, 2});
  Tensor attend = ones({3, 3}) > 0.5;
  Tape tape;
  const Tensor q = tape.input(in[0]);
  const Tensor y = scaled_dot_product_attention(
      q, in[1], in[2], {.mask = AttentionMask::attend_where, .attend = attend});
  fill_(attend, 0);
  EXPECT_THROW(tape.backward(sum(y)), TapeError);
}

INSTANTIATE_TEST_SUITE_P(Types, AttentionTest, testing::Values(float32, float64),
                         [](const auto& tested) { return std::string(name(tested.param)); });

}  // namespace
}  // namespace autograd
