// SPDX-License-Identifier: Apache-2.0
// Where network libraries go wrong, one test for each case of the list; the number is its row.
#include "support.hpp"

namespace ops_test {
namespace {

using namespace autograd;

constexpr auto kAttention =
    static_cast<Tensor (*)(const Tensor&, const Tensor&, const Tensor&, const AttentionOptions&)>(
        &scaled_dot_product_attention);

Tensor random(const Shape& shape, std::uint64_t seed) {
  Generator generator(seed);
  return draw(shape, generator, {-2, 2});
}

// The gradients of sum(f(x) dy) for a dy without structure.
Inputs gradients(const TensorFunction& f, const Inputs& x) {
  return vjp(f, x, random(f(x).shape(), 99)).second;
}

Tensor some_rows() {
  Generator generator(8);
  return randint(0, 320, {500}, generator);
}

bool finite(const Tensor& x) {
  for (double v : values(x)) {
    if (!std::isfinite(v)) return false;
  }
  return true;
}

// --- Attention

TEST(HardCases, 35_attention_of_a_fully_masked_query) {
  const Inputs x = {random({3, 2}, 1), random({4, 2}, 2), random({4, 3}, 3)};
  const Tensor attend = tensor({{1, 1, 0, 1}, {0, 0, 0, 0}, {0, 1, 1, 0}}) > 0.5;
  const TensorFunction f = [&](const Inputs& in) {
    return kAttention(in[0], in[1], in[2], {.mask = AttentionMask::attend_where, .attend = attend});
  };
  const Doubles y = values(f(x));
  EXPECT_EQ(Doubles(y.begin() + 3, y.begin() + 6), Doubles({0, 0, 0}));
  const Inputs dx = gradients(f, x);
  for (const Tensor& g : dx) EXPECT_TRUE(finite(g));
  EXPECT_EQ(dx[0].at({1, 0}), 0);
  EXPECT_EQ(dx[0].at({1, 1}), 0);
  EXPECT_TRUE(gradcheck(f, x));
  EXPECT_TRUE(gradgradcheck(f, x));
}

TEST(HardCases, 36_nan_in_a_masked_out_key) {
  for (double bad : {kNan, kInf, -kInf}) {
    Inputs x = {random({2, 3, 2}, 1), random({2, 4, 2}, 2), random({2, 4, 1}, 3)};
    const Tensor attend = tensor({1, 1, 0, 1}) > 0.5;  // one axis: the same for every query
    const TensorFunction f = [&](const Inputs& in) {
      return kAttention(in[0], in[1], in[2],
                        {.mask = AttentionMask::attend_where, .attend = attend});
    };
    const Tensor want = f(x);
    const Inputs dwant = gradients(f, x);
    for (std::size_t at : {2 * 2 + 1, 4 * 2 + 2 * 2}) x[1].mutable_data<double>()[at] = bad;
    for (std::size_t at : {2, 6}) x[2].mutable_data<double>()[at] = bad;
    expect_same(f(x), want);
    const Inputs dx = gradients(f, x);
    for (std::size_t k = 0; k < 3; ++k) expect_same(dx[k], dwant[k]);
  }
}

TEST(HardCases, 90_attention_mask_polarity) {
  const Tensor q = f64({{1, 0}}), k = f64({{3, 1}, {5, 2}}), v = f64({{10}, {20}});
  const auto with = [&](const Tensor& attend) {
    return kAttention(q, k, v, {.mask = AttentionMask::attend_where, .attend = attend}).item();
  };
  EXPECT_EQ(with(tensor({1, 0}) > 0.5), 10);  // true attends
  EXPECT_EQ(with(tensor({0, 1}) > 0.5), 20);
  // Causal: query i sees keys 0 to i, also where there are more keys than queries.
  const Tensor x = random({2, 2}, 4), keys = random({3, 2}, 5), all = random({3, 1}, 6);
  const Tensor y = kAttention(x, keys, all, {.mask = AttentionMask::causal});
  EXPECT_EQ(y.at({0, 0}), all.at({0, 0}));
  const Tensor lower = tensor({{1, 0, 0}, {1, 1, 0}}) > 0.5;
  expect_same(y, kAttention(x, keys, all, {.mask = AttentionMask::attend_where, .attend = lower}));
}

TEST(Attention, Dropout) {
  const Tensor q = random({2, 3}, 1), k = random({4, 3}, 2), v = ones({4, 1}, float64);
  Generator generator(3);
  const Tensor none = scaled_dot_product_attention(q, k, v, generator, {.dropout_p = 1});
  expect_values(none, {0, 0});
  const TensorFunction f = [](const Inputs& in) {
    Generator same(5);
    return scaled_dot_product_attention(in[0], in[1], in[2], same, {.dropout_p = 0.4});
  };
  EXPECT_TRUE(gradcheck(f, {q, k, random({4, 2}, 6)}));
  EXPECT_TRUE(gradgradcheck(f, {q, k, random({4, 2}, 6)}));
  // The weights that dropout() would have dropped, also where a row is no whole number of blocks.
  Generator one(8), other(8);
  const Tensor x = random({5, 7, 3}, 9), keys = random({5, 9, 3}, 10), all = random({5, 9, 2}, 11);
  const Tensor weights = softmax(matmul(x / std::sqrt(3.0), transpose(keys)), -1);
  expect_values(scaled_dot_product_attention(x, keys, all, one, {.dropout_p = 0.5}),
                values(matmul(dropout(weights, other, {.p = 0.5}), all)), 1e-13);
}

TEST(Attention, SecondOrderAndEmpty) {
  const Inputs x = {random({2, 1, 3, 2}, 1), random({2, 4, 2}, 2), random({2, 4, 3}, 3)};
  const TensorFunction f = [](const Inputs& in) {
    return kAttention(in[0], in[1], in[2], {.mask = AttentionMask::causal, .scale = 0.7});
  };
  EXPECT_TRUE(gradcheck(f, x));
  EXPECT_TRUE(gradgradcheck(f, x));
  expect_same(kAttention(ones({2, 3}), ones({0, 3}), ones({0, 4}), {}), zeros({2, 4}));
  EXPECT_EQ(kAttention(ones({0, 3}), ones({2, 3}), ones({2, 4}), {}).shape(), Shape({0, 4}));
}

// --- CTC

TEST(HardCases, 47_ctc_infeasible_alignment) {
  // Two equal labels need a blank between them: three steps.
  const Tensor x = log_softmax(random({2, 2, 3}, 1), -1), targets = i64({{1, 1}, {1, 2}});
  const auto loss = [&](bool zero) -> TensorFunction {
    return [=](const Inputs& in) {
      return ctc_loss(in[0], targets, {2, 2}, {2, 2},
                      {.reduction = CtcReduction::none, .zero_infinity = zero});
    };
  };
  for (bool zero : {false, true}) {
    const Doubles y = values(loss(zero)({x}));
    EXPECT_EQ(y[0], zero ? 0 : kInf);
    EXPECT_NEAR(y[1], -(x.at({0, 1, 1}) + x.at({1, 1, 2})), 1e-14);  // the only alignment
    const Tensor dx = vjp(loss(zero), {x}, f64({3, 5})).second[0];
    expect_values(dx, {0, 0, 0, 0, -5, 0, 0, 0, 0, 0, 0, -5}, 1e-14);
  }
  EXPECT_EQ(ctc_loss(x, targets, {2, 2}, {2, 2}).item(), kInf);
  // Probability 0 along the only alignment is no alignment either.
  Tensor never = full({1, 1, 2}, -1, float64);
  never.mutable_data<double>()[1] = -kInf;
  const Inputs none = {never};
  const TensorFunction f = [](const Inputs& in) { return ctc_loss(in[0], i64({1}), {1}, {1}); };
  EXPECT_EQ(f(none).item(), kInf);
  expect_values(grad(f, none)[0], {0, 0});
}

TEST(HardCases, 47_ctc_empty_targets_and_inputs) {
  const Tensor x = random({3, 1, 2}, 2), nothing = zeros({1, 0}, autograd::int64);
  const auto f = [&](std::int64_t steps) { return ctc_loss(x, nothing, {steps}, {0}).item(); };
  EXPECT_NEAR(f(3), -(x.at({0, 0, 0}) + x.at({1, 0, 0}) + x.at({2, 0, 0})), 1e-14);
  EXPECT_EQ(f(0), 0);
  EXPECT_EQ(ctc_loss(x, i64({{1}}), {0}, {1}).item(), kInf);
  EXPECT_EQ(ctc_loss(zeros({3, 0, 2}), zeros({0, 4}, autograd::int64), {}, {},
                     {.reduction = CtcReduction::none})
                .shape(),
            Shape{0});
}

TEST(HardCases, 47_ctc_gradient_is_the_derivative_by_log_probs) {
  const Inputs x = {random({4, 1, 3}, 3)};  // not normalized
  const TensorFunction f = [](const Inputs& in) { return ctc_loss(in[0], i64({1, 2}), {4}, {2}); };
  EXPECT_TRUE(gradcheck(f, x));
  double total = 0;  // at each step the posterior sums to 1; mean divides by the two labels
  for (double v : values(grad(f, x)[0])) total += v;
  EXPECT_NEAR(total, -4.0 / 2, 1e-14);
  // Scores of a thousand neither overflow nor lose the result.
  EXPECT_NEAR(f({x[0] - 1000.0}).item(), f(x).item() + 4000 / 2.0, 1e-9);
}

// --- Embedding

TEST(HardCases, 57_embedding_padding_idx) {
  const Tensor index = i64({1, 2, 1}), weight = random({3, 2}, 1);
  const auto dw = [&](std::int64_t padding) {
    const TensorFunction f = [&](const Inputs& in) {
      return embedding(index, in[0], {.padding_idx = padding});
    };
    return vjp(f, {weight}, f64({{1, 2}, {3, 4}, {5, 6}})).second[0];
  };
  expect_values(dw(1), {0, 0, 0, 0, 3, 4});
  expect_values(dw(-1), {0, 0, 6, 8, 0, 0});
  expect_values(dw(EmbeddingOptions::kNoPadding), {0, 0, 6, 8, 3, 4});
  // The value is what the row holds.
  EXPECT_EQ(embedding(index, weight, {.padding_idx = 1}).at({0, 0}), weight.at({1, 0}));
  expect_message<ValueError>(
      "embedding: index out of range: 3 at position 1; need at least 0 and less than 3", [&] {
        embedding(i64({0, 3}), weight);
      });
  // No index at all: a gradient of zeros.
  const TensorFunction empty = [](const Inputs& in) {
    return embedding(zeros({0}, autograd::int64), in[0]);
  };
  expect_values(vjp(empty, {weight}, zeros({0, 2}, float64)).second[0], Doubles(6, 0.0));
}

TEST(HardCases, 57_embedding_index_changed_before_backward) {
  Tape tape;
  const Tensor weight = tape.input(random({3, 2}, 1));
  Tensor index = i64({0, 1});
  const Tensor y = sum(embedding(index, weight));
  fill_(index, 2);
  EXPECT_THROW(tape.backward(y), TapeError);
}

// --- Dropout

TEST(HardCases, 82_dropout) {
  const Tensor x = random({1000}, 1);
  Generator generator(2);
  const Tensor eval = dropout(x, generator, {.training = false});
  expect_same(eval, x);
  expect_same(dropout(x, generator, {.p = 0}), x);
  EXPECT_EQ(generator.position(), 0u);  // nothing was drawn
  const TensorFunction all = [](const Inputs& in) {
    Generator g(1);
    return dropout(in[0] * in[0], g, {.p = 1});
  };
  expect_values(all({x}), Doubles(1000, 0.0));
  expect_values(gradients(all, {x})[0], Doubles(1000, 0.0));
  EXPECT_EQ(dropout(full({1}, kNan), generator, {.p = 1}).item(), 0);
  // Kept elements grow by 1 / (1 - p); about p of them are dropped.
  const Tensor y = dropout(x, generator, {.p = 0.3});
  int dropped = 0;
  for (std::int64_t i = 0; i < 1000; ++i) {
    dropped += y.at({i}) == 0;
    EXPECT_NEAR(y.at({i}), y.at({i}) == 0 ? 0 : x.at({i}) / 0.7, 1e-14);
  }
  EXPECT_NEAR(dropped, 300, 60);
  // The same mask in the second derivative of sum(dropout(x^3)): 6 x / (1 - p) where kept.
  const TensorFunction slope = [](const Inputs& in) {
    return grad(
        [](const Inputs& inner) {
          Generator g(3);
          return sum(dropout(inner[0] * inner[0] * inner[0], g, {.p = 0.5}));
        },
        in)[0];
  };
  Generator g(3);
  const Tensor mask = dropout(ones({1000}, float64), g, {.p = 0.5});
  const Tensor second = vjp(slope, {x}, ones({1000}, float64)).second[0];
  expect_same(second, 6.0 * x * mask, 1e-13);
}

TEST(HardCases, 99_dropout_does_not_depend_on_threads) {
  const Tensor x = random({100001}, 1);
  const int before = num_threads();
  const auto run = [&] {
    Generator generator(4);
    return values(dropout(x, generator, {.p = 0.5}));
  };
  set_num_threads(1);
  const Doubles want = run();
  for (int threads : {2, 5}) {
    set_num_threads(threads);
    EXPECT_EQ(run(), want);
  }
  set_num_threads(before);
}

TEST(HardCases, 100_network_functions_do_not_depend_on_threads) {
  const int before = num_threads();
  const Inputs x = {random({6, 8, 40, 40}, 1), random({8}, 2), random({8}, 3)};
  const std::vector<TensorFunction> functions = {
      [](const Inputs& in) { return batch_norm(in[0], {}, {}, in[1], in[2], {.training = true}); },
      [](const Inputs& in) { return group_norm(in[0], 4, in[1], in[2]); },
      [](const Inputs& in) { return layer_norm(transpose(in[0], 1, 3), {8}, in[1], in[2]); },
      [](const Inputs& in) { return max_pool2d(in[0], 3, {.stride = 1}) + in[1].at({0}); },
      [](const Inputs& in) { return avg_pool2d(in[0], 3, {.stride = 2, .padding = 1}); },
      [](const Inputs& in) {
        return interpolate(in[0], {.size = 33, .mode = Interpolation::linear});
      },
      [](const Inputs& in) {
        return embedding(some_rows(), reshape(in[0], {320, 240}));
      },
  };
  for (const TensorFunction& f : functions) {
    const auto run = [&](const Tensor& dy) {
      std::vector<Doubles> all = {values(f(x))};
      for (const Tensor& g : vjp(f, x, dy, {.allow_unused = true}).second) all.push_back(values(g));
      return all;
    };
    const Tensor dy = random(f(x).shape(), 7);
    set_num_threads(1);
    const auto want = run(dy);
    for (int threads : {2, 7}) {
      set_num_threads(threads);
      EXPECT_EQ(run(dy), want);
    }
  }
  set_num_threads(before);
}

// --- Normalization

TEST(HardCases, 83_batchnorm_statistics) {
  const Tensor x = f64({{1, 10}, {2, 20}, {6, 60}});
  Tensor mean = f64({1, -1}), variance = f64({2, 3});
  const Tensor y = batch_norm(x, mean, variance, {}, {}, {.training = true, .momentum = 0.25});
  // Normalized by the biased variance; the running one learns the unbiased.
  EXPECT_NEAR(y.at({0, 0}), -2 / std::sqrt(14.0 / 3 + 1e-5), 1e-14);
  expect_values(mean, {0.75 + 0.25 * 3, -0.75 + 0.25 * 30}, 1e-15);
  expect_values(variance, {1.5 + 0.25 * 7, 2.25 + 0.25 * 700}, 1e-15);
  const Tensor kept = batch_norm(x, mean, variance);  // eval: used, not changed
  expect_values(mean, {1.5, 6.75}, 1e-15);
  EXPECT_NEAR(kept.at({1, 1}), (20 - 6.75) / std::sqrt(177.25 + 1e-5), 1e-13);
  expect_message<ValueError>(
      "batch_norm: too few elements per channel: x is [1, 2]; need at least 2 (1)", [&] {
        batch_norm(f64({{1, 2}}), mean, variance, {}, {}, {.training = true});
      });
  EXPECT_EQ(batch_norm(f64({{1, 2}}), mean, variance).shape(), Shape({1, 2}));
}

TEST(HardCases, 83_batchnorm_running_statistics_are_constants) {
  Tape tape;
  const Tensor x = tape.input(f64({{1, 2}, {3, 4}}));
  const Tensor mean = tape.input(f64({0, 0}));
  const Tensor variance = f64({1, 1});
  EXPECT_THROW(batch_norm(x, mean, variance), TapeError);
  EXPECT_THROW(batch_norm(x, mean * 1.0, variance, {}, {}, {.training = true}), TapeError);
  // A change of them after they were used does not matter to a backward pass: it has its own copy.
  Tensor running = f64({0, 0});
  const Tensor y = sum(batch_norm(x, running, variance, {}, {}, {.eps = 0}));
  fill_(running, 5);
  tape.backward(y);
  expect_values(x.grad(), {1, 1, 1, 1});
}

TEST(HardCases, 84_norms_of_constant_and_distant_data) {
  const Tensor constant = full({2, 4}, 3, float64);
  const TensorFunction layer = [](const Inputs& in) { return layer_norm(in[0], {4}); };
  expect_values(layer({constant}), Doubles(8, 0.0));
  EXPECT_TRUE(finite(gradients(layer, {constant})[0]));
  EXPECT_TRUE(
      finite(gradients([](const Inputs& in) { return group_norm(in[0], 2); }, {constant})[0]));
  // float32 far from 0: mean and deviations keep the digits that x has.
  Generator generator(3);
  const Tensor noise = draw({1, 4096}, generator, {-1, 1});
  const Tensor far = to(noise, float32) + 1e5;
  const Tensor want = layer_norm(to(far, float64), {4096});
  expect_values(layer_norm(far, {4096}), values(want), 4e-7);
  const Tensor rows = reshape(far, {64, 64});
  expect_values(batch_norm(rows, {}, {}, {}, {}, {.training = true}),
                values(batch_norm(to(rows, float64), {}, {}, {}, {}, {.training = true})), 4e-7);
}

// --- Convolution

TEST(HardCases, 85_transposed_convolution_is_the_adjoint) {
  // <conv(x), y> = <x, conv_transpose(y)> for every geometry; output_padding fills up the extents.
  for (std::int64_t stride : {1, 2, 3}) {
    for (std::int64_t padding : {0, 1, 2}) {
      for (std::int64_t dilation : {1, 2}) {
        for (std::int64_t kernel : {1, 2, 3, 4}) {
          const Tensor x = random({2, 4, 9}, 1), w = random({6, 2, kernel}, 2);
          const PerAxis s = stride, p = padding, d = dilation;
          const Tensor y =
              conv1d(x, w, {}, {.stride = s, .padding = p, .dilation = d, .groups = 2});
          const Tensor dy = random(y.shape(), 3);
          const std::int64_t extra = (9 + 2 * padding - dilation * (kernel - 1) - 1) % stride;
          const Tensor back = conv_transpose1d(
              dy, w, {},
              {.stride = s, .padding = p, .output_padding = extra, .groups = 2, .dilation = d});
          ASSERT_EQ(back.shape(), x.shape());
          EXPECT_NEAR(sum(y * dy).item(), sum(x * back).item(), 1e-11);
        }
      }
    }
  }
}

// --- Pooling

TEST(HardCases, 86_maxpool_ties_and_nan) {
  const TensorFunction pool = [](const Inputs& in) { return max_pool1d(in[0], 2); };
  const Tensor ties = f64({{3, 3, -kInf, -kInf, kNan, 1, 2, kNan, kNan, kNan}});
  expect_values(pool({ties}), {3, -kInf, kNan, kNan, kNan});
  expect_values(vjp(pool, {ties}, f64({{1, 2, 3, 4, 5}})).second[0],
                {1, 0, 2, 0, 3, 0, 0, 4, 5, 0});
  // Padding is -inf: it never wins against an element.
  expect_values(max_pool1d(f64({{-7, -9}}), 3, {.padding = 1}), {-7});
  expect_values(adaptive_max_pool1d(f64({{2, 2, kNan}}), 2), {2, kNan});
}

// Windows of two by two have a loop of their own: every width of its vectors and tails, and every mix
// of ties, infinities and NaN.
TEST(HardCases, 86_maxpool_two_by_two) {
  const TensorFunction pool = [](const Inputs& in) { return max_pool2d(in[0], 2); };
  autograd::Generator generator(86);
  for (const autograd::DType dtype : {autograd::float32, autograd::float64}) {
    for (std::int64_t w = 2; w <= 37; ++w) {
      const std::int64_t h = 2 + w % 6, rows = h / 2, columns = w / 2;
      const std::vector<double> kinds = {1, 2, 3, -kInf, kInf, kNan};
      std::vector<double> x, y, dx(static_cast<std::size_t>(3 * h * w), 0.0);
      for (std::int64_t i = 0; i < 3 * h * w; ++i) x.push_back(kinds[generator.next32() % 6]);
      for (std::int64_t o = 0; o < 3 * rows * columns; ++o) {
        const std::int64_t plane = o / (rows * columns) * h * w;
        const std::int64_t corner = plane + o / columns % rows * 2 * w + o % columns * 2;
        std::int64_t best = corner;
        for (const std::int64_t at : {corner + 1, corner + w, corner + w + 1}) {
          const double old = x[static_cast<std::size_t>(best)], v = x[static_cast<std::size_t>(at)];
          if (!std::isnan(old) && (std::isnan(v) || v > old)) best = at;
        }
        y.push_back(x[static_cast<std::size_t>(best)]);
        dx[static_cast<std::size_t>(best)] = static_cast<double>(o + 1);
      }
      const Tensor in = to(autograd::tensor(x, {3, 1, h, w}), dtype);
      const Tensor dy =
          reshape(autograd::arange(1, 3 * rows * columns + 1, 1, dtype), {3, 1, rows, columns});
      expect_values(pool({in}), y);
      expect_values(vjp(pool, {in}, dy).second[0], dx);
    }
  }
}

TEST(HardCases, 87_avgpool_options) {
  const Tensor x = f64({{1, 2, 3, 4, 5}});
  expect_values(avg_pool1d(x, 2), {1.5, 3.5});
  expect_values(avg_pool1d(x, 2, {.ceil_mode = true}), {1.5, 3.5, 5});
  expect_values(avg_pool1d(x, 2, {.padding = 1}), {0.5, 2.5, 4.5});
  expect_values(avg_pool1d(x, 2, {.padding = 1, .count_include_pad = false}), {1, 2.5, 4.5});
  expect_values(avg_pool1d(x, 2, {.padding = 1, .divisor_override = 4}), {0.25, 1.25, 2.25});
}

TEST(HardCases, 88_interpolate_align_corners) {
  const Tensor x = f64({{{0, 1}}});
  const auto y = [&](bool corners) {
    return interpolate(x, {.size = 4, .mode = Interpolation::linear, .align_corners = corners});
  };
  expect_values(y(true), {0, 1.0 / 3, 2.0 / 3, 1}, 1e-15);
  expect_values(y(false), {0, 0.25, 0.75, 1});
  // An infinite element stays out of what does not read it.
  const Tensor infinite = f64({{{1, kInf}}});
  expect_values(interpolate(infinite, {.size = 2, .mode = Interpolation::linear}), {1, kInf});
}

}  // namespace
}  // namespace ops_test
