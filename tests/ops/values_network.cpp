// SPDX-License-Identifier: Apache-2.0
// Values of the functions of network.hpp by their definitions.
#include <autograd/kernels/naive_conv.hpp>
#include <autograd/ops/conv.hpp>
#include <autograd/ops/embedding.hpp>
#include <autograd/ops/pool.hpp>

#include "structured_values.hpp"

namespace ops_test {
namespace {

using autograd::ConvOptions;
using autograd::kernels::ConvOperand;

// --- Convolution: each operand from the other two, by the loops of the naive twin.

Tensor conv_by_definition(const autograd::ops::ConvGeometry& g, ConvOperand into, const Tensor& x,
                          const Tensor& w, const Tensor& y) {
  const Shape shape = into == ConvOperand::x ? g.x() : into == ConvOperand::w ? g.w() : g.y();
  Tensor result = autograd::empty(shape, float64);
  const Doubles a = values(x), b = values(w), c = values(y);
  autograd::kernels::conv_naive<double>(g.s, into, a.data(), b.data(), c.data(),
                                        result.mutable_data<double>().data(),
                                        static_cast<std::size_t>(shape.numel()));
  return result;
}

void check_conv(const Shape& x_shape, const Shape& w_shape, const ConvOptions& options) {
  SCOPED_TRACE(to_string(x_shape) + " with " + to_string(w_shape));
  const auto g = autograd::ops::conv_geometry("conv", x_shape, w_shape, options);
  const Tensor x = random(g.x(), 1), w = random(g.w(), 2), y = random(g.y(), 3);
  const Tensor bias = autograd::zeros({g.s.filters}, float64);
  const auto want = [&](ConvOperand into) { return conv_by_definition(g, into, x, w, y); };
  expect_same(autograd::ops::convolve(x, w, bias, g), want(ConvOperand::y), kTight);
  expect_same(autograd::ops::convolve_data(y, w, g), want(ConvOperand::x), kTight);
  expect_same(autograd::ops::convolve_weight(x, y, g), want(ConvOperand::w), kTight);
}

void check_convolutions() {
  check_conv({2, 3, 7, 6}, {4, 3, 3, 3}, {.padding = 1});
  check_conv({2, 3, 7, 6}, {4, 3, 2, 4}, {.stride = {3, 2}, .padding = {0, 3}});
  check_conv({1, 4, 9, 8}, {6, 2, 3, 2}, {.padding = 2, .dilation = {2, 3}, .groups = 2});
  check_conv({1, 2, 4, 4}, {2, 1, 1, 1}, {.stride = 3, .groups = 2});
  check_conv({2, 1, 1, 1}, {1, 1, 2, 2}, {.stride = 5, .padding = 9});  // mostly padding
  check_conv({3, 17, 20}, {33, 17, 5}, {.stride = 2, .padding = 2});
  check_conv({0, 2, 4, 4}, {3, 2, 3, 3}, {});
  check_conv({2, 2, 3, 4, 5}, {4, 1, 2, 3, 2},
             {.stride = {1, 2, 1}, .padding = {1, 0, 1}, .dilation = {2, 1, 1}, .groups = 2});
}

// --- Pooling.

// Calls f(output index, the elements of its window, how many places of it lie in the padded plane).
template <class F>
void for_each_window(const Tensor& x, const Shape& y, const Index& kernel, const Index& stride,
                     const Index& padding, F&& f) {
  for_each_index(y, [&](const Index& at) {
    Doubles window;
    std::int64_t places = 0;
    for (std::int64_t i = 0; i < kernel[0]; ++i) {
      for (std::int64_t j = 0; j < kernel[1]; ++j) {
        const std::int64_t h = at[2] * stride[0] + i - padding[0];
        const std::int64_t w = at[3] * stride[1] + j - padding[1];
        if (h >= x.shape()[2] + padding[0] || w >= x.shape()[3] + padding[1]) continue;
        ++places;
        if (h < 0 || w < 0 || h >= x.shape()[2] || w >= x.shape()[3]) continue;
        window.push_back(ops_test::at(x, {at[0], at[1], h, w}));
      }
    }
    f(at, window, places);
  });
}

void check_pooling() {
  const Tensor x = autograd::transpose(random({2, 3, 7, 6}), 2, 3);
  const Index kernel = {3, 2}, stride = {2, 3}, padding = {1, 1};
  for (bool ceil : {false, true}) {
    const Tensor largest =
        autograd::max_pool2d(x, {3, 2}, {.stride = {2, 3}, .padding = 1, .ceil_mode = ceil});
    EXPECT_EQ(largest.shape(), (Shape{2, 3, ceil ? 4 : 3, 3}));
    for (bool count : {false, true}) {
      const Tensor average = autograd::avg_pool2d(
          x, {3, 2},
          {.stride = {2, 3}, .padding = 1, .ceil_mode = ceil, .count_include_pad = count});
      for_each_window(x, average.shape(), kernel, stride, padding,
                      [&](const Index& index, const Doubles& window, std::int64_t places) {
                        double sum = 0, most = -kInf;
                        for (double v : window) sum += v, most = std::max(most, v);
                        const auto n = static_cast<double>(window.size());
                        EXPECT_EQ(at(largest, index), most);
                        EXPECT_NEAR(at(average, index), sum / (count ? double(places) : n), kTight);
                      });
    }
  }
  const Tensor ones = autograd::ones({1, 1, 7, 9}, float64);
  expect_same(autograd::avg_pool2d(ones, {7, 9}), autograd::ones({1, 1, 1, 1}, float64));
  expect_values(autograd::adaptive_avg_pool1d(f64({{1, 2, 3, 4, 5}}), 3), {1.5, 3, 4.5});
  expect_values(autograd::adaptive_max_pool1d(f64({{1, 2, 3, 4, 5}}), 3), {2, 4, 5});
}

void check_unpick() {
  const Tensor y =
      autograd::ops::unpick_each(f64({{{1, 2, 4, 8}}}), i64({{{2, 0, -1, 2}}}), {1, 1, 3});
  expect_values(y, {2, 0, 9});
}

// --- Resampling along one axis, with the weights written out.
void check_resample() {
  using autograd::Interpolation;
  const Tensor x = f64({{{1, 2, 4}}});
  const auto by = [&](std::int64_t n, Interpolation mode, bool corners) {
    return autograd::interpolate(x, {.size = n, .mode = mode, .align_corners = corners});
  };
  expect_values(by(5, Interpolation::linear, true), {1, 1.5, 2, 3, 4}, kTight);
  expect_values(by(6, Interpolation::linear, false), {1, 1.25, 1.75, 2.5, 3.5, 4}, kTight);
  expect_values(by(1, Interpolation::linear, true), {1});
  expect_values(by(7, Interpolation::nearest, false), {1, 1, 1, 2, 2, 4, 4});
  expect_values(by(2, Interpolation::nearest_exact, false), {1, 4});
  expect_values(by(3, Interpolation::cubic, false), {1, 2, 4}, kTight);
  expect_values(by(2, Interpolation::area, false), {1.5, 3});
  // Exact positions, where a rounded factor would fall on the wrong side: 3 * 10 / 6 = 5.
  const Tensor line = autograd::reshape(autograd::arange(10, float64), Shape{1, 1, 10});
  expect_values(autograd::interpolate(line, {.size = 6}), {0, 1, 3, 5, 6, 8});
}

// --- Normalization: groups are the classes of equal `row`, weights are chosen by `weight`.
void check_norm(const Tensor& y, const Tensor& x, const Tensor& w, const Tensor& b, double eps,
                bool center, const std::function<std::int64_t(const Index&)>& row,
                const std::function<std::int64_t(const Index&)>& weight) {
  std::map<std::int64_t, Doubles> rows;
  for_each_index(x.shape(), [&](const Index& i) { rows[row(i)].push_back(at(x, i)); });
  const Doubles scale = values(w), shift = values(b);
  expect_same(y,
              built(x.shape(),
                    [&](const Index& i) {
                      long double m = 0, v = 0;
                      const Doubles& all = rows[row(i)];
                      for (double e : all)
                        m += center ? static_cast<long double>(e) / all.size() : 0.0L;
                      for (double e : all) v += (e - m) * (e - m) / all.size();
                      const auto k = static_cast<std::size_t>(weight(i));
                      return static_cast<double>((at(x, i) - m) / std::sqrt(v + eps)) * scale[k] +
                             shift[k];
                    }),
              kTight);
}

void check_norms() {
  const Tensor x = autograd::transpose(random({3, 4, 5, 6}), 1, 2);  // [3, 5, 4, 6]
  const Tensor w = random({5}, 5), b = random({5}, 6);
  const auto channel = [](const Index& i) { return i[1]; };
  check_norm(autograd::batch_norm(x, {}, {}, w, b, {.training = true}), x, w, b, 1e-5, true,
             channel, channel);
  check_norm(
      autograd::instance_norm(x, {}, {}, w, b, {.eps = 0.1}), x, w, b, 0.1, true,
      [](const Index& i) { return i[0] * 5 + i[1]; }, channel);
  const Tensor even = random({2, 6, 3}), w6 = random({6}, 5), b6 = random({6}, 6);
  check_norm(
      autograd::group_norm(even, 3, w6, b6), even, w6, b6, 1e-5, true,
      [](const Index& i) { return i[0] * 3 + i[1] / 2; }, channel);
  const Tensor last = random({4, 6}, 5), shift = random({4, 6}, 6);
  const auto place = [](const Index& i) { return i[2] * 6 + i[3]; };
  const auto row = [](const Index& i) { return i[0] * 5 + i[1]; };
  check_norm(autograd::layer_norm(x, {4, 6}, last, shift), x, last, shift, 1e-5, true, row, place);
  check_norm(autograd::rms_norm(x, {4, 6}, last, {.eps = 0.5}), x, last,
             autograd::zeros({4, 6}, float64), 0.5, false, row, place);
  EXPECT_EQ(autograd::layer_norm(random({0, 3}), {3}).shape(), Shape({0, 3}));
  EXPECT_EQ(autograd::batch_norm(random({2, 3}), random({3}), autograd::ones({3}, float64)).shape(),
            Shape({2, 3}));
}

// --- Dropout: element i by word i of the stream from the next block on.
void check_dropout() {
  autograd::Generator generator(7), same(7);
  generator.next32();
  const Tensor x = random({5, 7});
  const Tensor y = autograd::dropout(x, generator, {.p = 0.25});
  same.seek(4);
  expect_same(
      y,
      built({5, 7},
            [&](const Index& i) { return same.next32() < 0x40000000u ? 0.0 : at(x, i) / 0.75; }),
      kTight);
  EXPECT_EQ(generator.position(), 40u);
}

// --- Embedding.
void check_embedding() {
  const Tensor weight = autograd::transpose(random({3, 4})), index = i64({{3, 0}, {2, 3}});
  expect_same(autograd::embedding(autograd::transpose(index), weight),
              built({2, 2, 3}, [&](const Index& i) {
                const std::int64_t rows[2][2] = {{3, 2}, {0, 3}};
                return at(weight, {rows[i[0]][i[1]], i[2]});
              }));
  EXPECT_EQ(autograd::embedding(autograd::zeros({2, 0}, autograd::int64), weight).shape(),
            Shape({2, 0, 3}));
}
void check_embedding_gradient() {
  const Tensor y = f64({{1, 2}, {3, 4}, {5, 6}});
  expect_same(autograd::ops::embed_gradient(y, i64({2, 0, 2}), {3, 2}, -1),
              f64({{3, 4}, {0, 0}, {6, 8}}));
  expect_same(autograd::ops::embed_gradient(y, i64({2, 0, 2}), {3, 2}, 2),
              f64({{3, 4}, {0, 0}, {0, 0}}));
}

// --- CTC: the probabilities of all paths of `steps` classes that collapse to the labels, added up.
double ctc_by_definition(const Tensor& log_probs, std::int64_t sample, std::int64_t steps,
                         const Index& labels) {
  const std::int64_t classes = log_probs.shape()[2];
  double total = 0;
  for (std::int64_t code = 0; code < static_cast<std::int64_t>(std::pow(classes, steps)); ++code) {
    Index collapsed;
    double log_p = 0;
    for (std::int64_t t = 0, rest = code, before = 0; t < steps; ++t, rest /= classes) {
      const std::int64_t c = rest % classes;
      log_p += at(log_probs, {t, sample, c});
      if (c != before && c != 0) collapsed.push_back(c);
      before = c;
    }
    if (collapsed == labels) total += std::exp(log_p);
  }
  return -std::log(total);
}

void check_ctc() {
  const Tensor x = autograd::transpose(random({5, 3, 5}), 0, 2);  // [5, 3, 5]
  const Tensor log_probs = autograd::log_softmax(x, -1);
  const Tensor loss = autograd::ctc_loss(log_probs, i64({{1, 1}, {3, 2}, {4, 0}}), {5, 4, 2},
                                         {2, 2, 1}, {.reduction = autograd::CtcReduction::none});
  const Doubles want = {ctc_by_definition(log_probs, 0, 5, {1, 1}),
                        ctc_by_definition(log_probs, 1, 4, {3, 2}),
                        ctc_by_definition(log_probs, 2, 2, {4})};
  expect_values(loss, want, kTight);
  const Tensor mean = autograd::ctc_loss(log_probs, i64({1, 1, 3, 2, 4}), {5, 4, 2}, {2, 2, 1});
  EXPECT_NEAR(mean.item(), (want[0] / 2 + want[1] / 2 + want[2]) / 3, kTight);
}

// --- Attention, query by query.
void check_attention() {
  const Tensor q = random({2, 3, 2}), k = random({2, 4, 2}), v = random({2, 4, 5});
  const autograd::AttentionOptions options{.mask = autograd::AttentionMask::causal, .scale = 0.7};
  expect_same(autograd::scaled_dot_product_attention(q, k, v, options),
              built({2, 3, 5},
                    [&](const Index& i) {
                      double total = 0, sum = 0;
                      for (std::int64_t j = 0; j <= i[1]; ++j) {
                        double score = 0;
                        for (std::int64_t c = 0; c < 2; ++c) {
                          score += 0.7 * at(q, {i[0], i[1], c}) * at(k, {i[0], j, c});
                        }
                        total += std::exp(score);
                        sum += std::exp(score) * at(v, {i[0], j, i[2]});
                      }
                      return sum / total;
                    }),
              kTight);
}

}  // namespace

void add_network_checks(Checks& checks) {
  checks["conv"] = checks["conv_data"] = checks["conv_weight"] = check_convolutions;
  checks["pool_pick"] = check_pooling;
  checks["pool_unpick"] = check_unpick;
  checks["resample"] = check_resample;
  checks["normalize"] = check_norms;
  checks["dropout"] = check_dropout;
  checks["embedding"] = check_embedding;
  checks["embedding_gradient"] = check_embedding_gradient;
  checks["ctc_loss"] = check_ctc;
  checks["scaled_dot_product_attention"] = check_attention;
}

}  // namespace ops_test
