// SPDX-License-Identifier: Apache-2.0
// Rows of HARD_CASES that ask for a whole grid of one kind of layer, or for numbers that are the same on
// every machine. The other rows about networks are in ops/hard_cases_network_test.cpp and beside what
// they are about.
#include <cmath>
#include <limits>
#include <type_traits>

#include "support.hpp"

namespace {

using nn_test::expect_parameter_gradients;
using nn_test::expect_values;
using nn_test::float64;
using nn_test::values;

ag::Tensor drawn(const ag::Shape& shape, std::uint64_t seed) {
  ag::Generator generator(seed);
  return ag::randn(shape, generator, ag::float64);
}

ag::Tensor weighed(const ag::Tensor& y) { return ag::sum(y * drawn(y.shape(), 99)); }

// --- 84

TEST(HardCases, 84_norm_layers_divide_by_the_biased_variance) {
  const double scale = std::sqrt(14.0 / 3 + 1e-5);
  const std::vector<double> want = {-2 / scale, -1 / scale, 3 / scale};
  const ag::Tensor x = float64({{{1, 2, 6}}});
  expect_values(nn::LayerNorm(3, {.dtype = ag::float64})(x), want, 1e-14);
  expect_values(nn::GroupNorm(1, 1, {.dtype = ag::float64})(x), want, 1e-14);
  expect_values(nn::InstanceNorm1d(1)(x), want, 1e-14);
}

TEST(HardCases, 84_norm_layers_of_a_constant) {
  ag::Tensor x = ag::full({2, 4}, 3, ag::float64).set_requires_grad();
  const nn::LayerNorm layer(4, {.dtype = ag::float64});
  const nn::GroupNorm group(2, 4, {.dtype = ag::float64});
  const auto check = [&](const auto& norm) {
    x.zero_grad();
    ag::Tape tape;
    const ag::Tensor y = norm(x);
    expect_values(y, std::vector<double>(8, 0.0), 0);
    tape.backward(weighed(y));
    for (const double slope : values(x.grad())) EXPECT_LT(std::abs(slope), 10 / std::sqrt(1e-5));
    for (const double slope : values(norm.weight.grad())) EXPECT_EQ(slope, 0.0);
  };
  check(layer);
  check(group);
}

// --- 85

struct Geometry {
  std::int64_t stride, padding, dilation, groups;
};

/// The terms of a convolution from `fine` [1, a, h, w] to `coarse` [1, b, h', w'], channel by channel:
/// f(place in fine, place in the weight, place in coarse). Weight: [b, a / groups, kh, kw].
template <class F>
void each_term(const ag::Shape& fine, const ag::Shape& coarse, const ag::Shape& weight,
               const Geometry& g, F&& f) {
  const std::int64_t a = fine[1] / g.groups, b = coarse[1] / g.groups;
  for (std::int64_t o = 0; o < coarse[1]; ++o) {
    for (std::int64_t c = 0; c < a; ++c) {
      for (std::int64_t k = 0; k < weight[2] * weight[3]; ++k) {
        for (std::int64_t at = 0; at < coarse[2] * coarse[3]; ++at) {
          const std::int64_t i = at / coarse[3] * g.stride - g.padding + k / weight[3] * g.dilation;
          const std::int64_t j = at % coarse[3] * g.stride - g.padding + k % weight[3] * g.dilation;
          if (i < 0 || j < 0 || i >= fine[2] || j >= fine[3]) continue;
          const std::int64_t channel = o / b * a + c;
          f((channel * fine[2] + i) * fine[3] + j, (o * a + c) * weight[2] * weight[3] + k,
            o * coarse[2] * coarse[3] + at);
        }
      }
    }
  }
}

template <class F> void each_geometry(F&& f) {
  for (const ag::Shape& kernel : {ag::Shape{1, 2}, ag::Shape{2, 2}, ag::Shape{3, 4}}) {
    for (int i = 0; i < 16; ++i) {
      const Geometry g{1 + i % 2, i / 2 % 2, 1 + i / 4 % 2, 1 + i / 8};
      SCOPED_TRACE("stride " + std::to_string(g.stride) + " padding " + std::to_string(g.padding) +
                   " dilation " + std::to_string(g.dilation) + " groups " +
                   std::to_string(g.groups) + " kernel " + ag::to_string(kernel));
      f(g, ag::PerAxis{kernel[0], kernel[1]});
    }
  }
}

TEST(HardCases, 85_convolution_by_definition) {
  each_geometry([](const Geometry& g, const ag::PerAxis& kernel) {
    ag::Generator generator(3);
    const nn::Conv2d conv(2, 4, kernel, generator,
                          {.stride = g.stride,
                           .padding = g.padding,
                           .dilation = g.dilation,
                           .groups = g.groups,
                           .dtype = ag::float64});
    const ag::Tensor x = drawn({1, 2, 5, 7}, 1).set_requires_grad();
    const ag::Tensor y = conv(x);
    const auto xs = values(x), ws = values(conv.weight), bias = values(conv.bias);
    const auto plane = static_cast<std::size_t>(y.size(2) * y.size(3));
    std::vector<double> want;
    for (const double each : bias) want.insert(want.end(), plane, each);
    each_term(x.shape(), y.shape(), conv.weight.shape(), g, [&](auto i, auto k, auto o) {
      want[static_cast<std::size_t>(o)] +=
          xs[static_cast<std::size_t>(i)] * ws[static_cast<std::size_t>(k)];
    });
    expect_values(y, want, 1e-13);
    expect_parameter_gradients({x, conv.weight, conv.bias}, [&] { return weighed(conv(x)); });
  });
}

TEST(HardCases, 85_transposed_convolution_by_definition) {
  each_geometry([](const Geometry& g, const ag::PerAxis& kernel) {
    ag::Generator generator(3);
    // One more row and column at the end, where the stride or the dilation leaves room for it.
    const std::int64_t more = g.stride > 1 || g.dilation > 1 ? 1 : 0;
    const nn::ConvTranspose2d conv(4, 2, kernel, generator,
                                   {.stride = g.stride,
                                    .padding = g.padding,
                                    .output_padding = more,
                                    .groups = g.groups,
                                    .dilation = g.dilation,
                                    .dtype = ag::float64});
    const ag::Tensor x = drawn({1, 4, 3, 4}, 1).set_requires_grad();
    const ag::Tensor y = conv(x);
    const auto extent = [&](int axis, std::int64_t k) {
      return (x.size(axis) - 1) * g.stride - 2 * g.padding + g.dilation * (k - 1) + 1 + more;
    };
    const ag::Shape& w = conv.weight.shape();
    ASSERT_EQ(y.shape(), (ag::Shape{1, 2, extent(2, w[2]), extent(3, w[3])}));
    const auto xs = values(x), ws = values(conv.weight), bias = values(conv.bias);
    const auto plane = static_cast<std::size_t>(y.size(2) * y.size(3));
    std::vector<double> want;
    for (const double each : bias) want.insert(want.end(), plane, each);
    each_term(y.shape(), x.shape(), w, g, [&](auto i, auto k, auto o) {
      want[static_cast<std::size_t>(i)] +=
          xs[static_cast<std::size_t>(o)] * ws[static_cast<std::size_t>(k)];
    });
    expect_values(y, want, 1e-13);
    expect_parameter_gradients({x, conv.weight, conv.bias}, [&] { return weighed(conv(x)); });
  });
}

// --- 89

TEST(HardCases, 89_gelu_by_erf_unless_asked_for_tanh) {
  const nn::GELU exact, approximate({.approximate = ag::GeluApproximation::tanh});
  double farthest = 0;
  for (double at = -4; at <= 4; at += 0.125) {
    const ag::Tensor x = ag::full({1}, at, ag::float64);
    const double erf = at * 0.5 * std::erfc(-at / std::sqrt(2.0));
    const double tanh =
        at * 0.5 * (1 + std::tanh(std::sqrt(2 / M_PI) * (at + 0.044715 * at * at * at)));
    EXPECT_NEAR(ag::gelu(x).item(), erf, 1e-15);
    EXPECT_NEAR(exact(x).item(), erf, 1e-15);
    EXPECT_NEAR(approximate(x).item(), tanh, 2e-15);
    const auto slope = [&](const auto& f) {
      return ag::grad([&](const std::vector<ag::Tensor>& in) { return ag::sum(f(in[0])); }, {x})[0]
          .item();
    };
    const double density = std::exp(-at * at / 2) / std::sqrt(2 * M_PI);
    EXPECT_NEAR(slope(exact), 0.5 * std::erfc(-at / std::sqrt(2.0)) + at * density, 2e-15);
    farthest = std::max(farthest, std::abs(slope(approximate) - slope(exact)));
  }
  EXPECT_GT(farthest, 1e-4) << "the two are told apart";
}

// --- 91

/// Gradients of everything that a recurrent layer has and is given.
template <class L> void check_through_time(std::int64_t num_layers, bool bidirectional) {
  SCOPED_TRACE(std::to_string(num_layers) + (bidirectional ? " layers both ways" : " layers"));
  ag::Generator generator(5);
  const L layer(2, 2, generator,
                {.num_layers = num_layers, .bidirectional = bidirectional, .dtype = ag::float64});
  std::vector<ag::Tensor> leaves = layer.parameters();
  EXPECT_EQ(leaves.size(), static_cast<std::size_t>(num_layers * (bidirectional ? 8 : 4)));
  const ag::Tensor x = drawn({3, 2, 2}, 1).set_requires_grad();
  const ag::Tensor h = drawn({num_layers * (bidirectional ? 2 : 1), 2, 2}, 2).set_requires_grad();
  leaves.insert(leaves.end(), {x, h});
  nn::RecurrentCall call{.h = h};
  if (std::is_same_v<L, nn::LSTM>) {
    call.c = (h * 0.5).set_requires_grad();
    leaves.push_back(call.c);
  }
  expect_parameter_gradients(leaves, [&] {
    const nn::RecurrentResult result = layer(x, call);
    const ag::Tensor y = weighed(result.output) + weighed(result.h);
    return result.c.defined() ? y + weighed(result.c) : y;
  });
}

TEST(HardCases, 91_gradients_through_any_number_of_layers) {
  for (std::int64_t num_layers = 1; num_layers <= 3; ++num_layers) {
    for (const bool bidirectional : {false, true}) {
      check_through_time<nn::RNN>(num_layers, bidirectional);
      check_through_time<nn::LSTM>(num_layers, bidirectional);
      check_through_time<nn::GRU>(num_layers, bidirectional);
    }
  }
}

// --- 98

TEST(HardCases, 98_clip_by_the_infinity_norm) {
  const double infinity = std::numeric_limits<double>::infinity();
  ag::Tensor p = ag::zeros({3}, ag::float64).set_requires_grad();
  p.set_grad(ag::zeros({3}, ag::float64));
  EXPECT_EQ(nn::clip_grad_norm_({p}, 1.0, {.norm_type = infinity}), 0.0);
  expect_values(p.grad(), {0, 0, 0}, 0);
  p.set_grad(float64({3, -4, 0}));
  EXPECT_EQ(nn::clip_grad_norm_({p}, 1.0, {.norm_type = infinity}), 4.0) << "before clipping";
  expect_values(p.grad(), {0.75, -1, 0}, 1e-6);
}

// --- 99

// Numbers written down once: another compiler, processor or standard library has to give them, too. The
// first three are also what Philox4x32-10 of key 2026 gives in Python: words 2 k and 2 k + 1 over 2^53.
TEST(HardCases, 99_the_same_numbers_on_every_platform) {
  ag::Generator generator(2026);
  expect_values(ag::rand({3}, generator, ag::float64),
                {0.52233495456890167, 0.29653544274679677, 0.34886249410646974}, 0);
  expect_values(ag::randn({3}, generator, ag::float64),
                {1.3082643695016183, -0.91117042779239055, 1.8105134491545114}, 1e-15);
  expect_values(ag::randint(0, 1000, {4}, generator), {155, 180, 86, 58}, 0);
  expect_values(ag::dropout(ag::ones({8}), generator), {2, 2, 0, 0, 2, 2, 2, 0}, 0);
  expect_values(nn::Linear(2, 2, generator).weight,
                {0.196405888, -0.332145065, -0.318528771, 0.467886984}, 1e-7);
}

}  // namespace
