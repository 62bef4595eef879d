// SPDX-License-Identifier: Apache-2.0
// Values and gradients beside libtorch, at sizes on both sides of what kernels choose their ways by: the
// golden values and random graphs are small. Strided operands, both dtypes. Built where libtorch is
// installed (package libtorch-dev).
#include <gtest/gtest.h>
#include <torch/torch.h>
#include <autograd/autograd.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <vector>

namespace {

namespace ag = autograd;
using Extents = std::vector<std::int64_t>;
using Ours = std::vector<ag::Tensor>;
using Theirs = std::vector<torch::Tensor>;

struct Call {
  std::string name;
  std::vector<Extents> operands;
  std::function<ag::Tensor(const Ours&)> ours;
  std::function<torch::Tensor(const Theirs&)> theirs;
  bool positive = false;
};

class BesideLibtorchSlow : public testing::Test {
 protected:
  static constexpr int kCalls = 400;

  void SetUp() override {
    at::set_num_threads(1);
    torch::manual_seed(1);
  }
  std::int64_t draw(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random_);
  }
  /// An extent; every other one about the widths of registers, tiles and blocks.
  std::int64_t extent(std::int64_t most) {
    static const Extents edges{1,  2,  3,  4,  7,  8,  9,  12, 14,  15,  16,  17,  24,  28,
                               31, 32, 33, 48, 63, 64, 65, 96, 127, 128, 129, 255, 256, 257};
    const std::int64_t edge = edges[static_cast<std::size_t>(draw(0, 27))];
    return draw(0, 1) && edge <= most ? edge : draw(1, most);
  }
  /// `low` to `high` axes of at most `total` elements.
  Extents extents(std::int64_t low, std::int64_t high, std::int64_t total) {
    Extents result(static_cast<std::size_t>(draw(low, high)));
    for (std::int64_t& e : result) total /= e = extent(std::min<std::int64_t>(300, total));
    return result;
  }
  std::int64_t axis_of(const Extents& x) {
    return draw(0, static_cast<std::int64_t>(x.size()) - 1);
  }

  void compare(const Call& call) {
    for (const auto dtype : {torch::kFloat64, torch::kFloat32}) {
      std::string text = call.name + (dtype == torch::kFloat64 ? " float64" : " float32");
      Theirs x;
      for (const Extents& operand : call.operands) {
        x.push_back(call.positive ? torch::rand(operand, dtype) + 0.1
                                  : torch::randn(operand, dtype));
        x.back().requires_grad_();
        text += " " + ag::to_string(shape_of(operand));
      }
      SCOPED_TRACE(text);
      compare(call, x);
    }
  }

 private:
  static ag::Shape shape_of(const Extents& extents) {
    ag::Shape shape;
    for (const std::int64_t e : extents) shape.push_back(e);
    return shape;
  }
  static ag::Tensor copy_of(const torch::Tensor& x) {
    const torch::Tensor from = x.detach().contiguous();
    const bool wide = from.scalar_type() == torch::kFloat64;
    ag::Tensor to = ag::empty(shape_of(from.sizes().vec()), wide ? ag::float64 : ag::float32);
    if (wide) {
      std::copy_n(from.data_ptr<double>(), from.numel(), to.mutable_data<double>().begin());
    } else {
      std::copy_n(from.data_ptr<float>(), from.numel(), to.mutable_data<float>().begin());
    }
    return to;
  }
  static void expect_near(const char* what, const ag::Tensor& got, const torch::Tensor& want) {
    ASSERT_EQ(got.shape(), shape_of(want.sizes().vec())) << what;
    const bool wide = want.scalar_type() == torch::kFloat64;
    const auto a = ag::to_vector<double>(ag::to(ag::contiguous(ag::detach(got)), ag::float64));
    const torch::Tensor b = want.detach().to(torch::kFloat64).contiguous();
    double largest = 1, worst = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      const double expected = b.data_ptr<double>()[i];
      if (std::isnan(expected) && std::isnan(a[i])) continue;
      largest = std::max(largest, std::abs(expected));
      worst = std::max(worst, std::isnan(a[i] - expected) ? INFINITY : std::abs(a[i] - expected));
    }
    EXPECT_LE(worst, (wide ? 1e-11 : 2e-4) * largest) << what;
  }
  void compare(const Call& call, const Theirs& x) {
    const torch::Tensor want = call.theirs(x);
    const torch::Tensor seed = torch::randn_like(want);
    const Theirs slopes = torch::autograd::grad({want}, x, {seed}, false, false, true);
    ag::Tape tape;
    Ours inputs, operands;
    for (const torch::Tensor& operand : x) {
      const bool strided = operand.dim() >= 2 && draw(0, 2) == 0;
      inputs.push_back(tape.input(copy_of(strided ? operand.transpose(-1, -2) : operand)));
      operands.push_back(strided ? ag::transpose(inputs.back()) : inputs.back());
    }
    const ag::Tensor got = call.ours(operands);
    tape.backward(got, {.seed = copy_of(seed)});
    expect_near("value", got, want);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const bool strided = inputs[i].node() != operands[i].node();
      const ag::Tensor slope = inputs[i].grad();
      expect_near(("gradient of operand " + std::to_string(i)).c_str(),
                  strided ? ag::transpose(slope) : slope, slopes[i]);
    }
  }

  std::mt19937_64 random_{7};
};

TEST_F(BesideLibtorchSlow, Convolutions) {
  for (int i = 0; i < kCalls; ++i) {
    const std::int64_t groups = draw(0, 2) ? 1 : draw(2, 3), stride = draw(0, 1) ? 1 : draw(2, 3),
                       n = draw(1, 3), c = groups * extent(66 / groups),
                       o = groups * extent(66 / groups), h = extent(33), w = extent(33),
                       kh = draw(1, 5), kw = draw(1, 5), ph = draw(0, 3), pw = draw(0, 3),
                       dilation = draw(0, 3) ? 1 : 2;
    if (n * c * o / groups * h * w * kh * kw > 40'000'000) continue;
    if (draw(0, 3) == 0) {
      if ((h - 1) * stride + dilation * (kh - 1) + 1 <= 2 * ph) continue;
      if ((w - 1) * stride + dilation * (kw - 1) + 1 <= 2 * pw) continue;
      compare(
          {"conv_transpose2d",
           {{n, c, h, w}, {c, o / groups, kh, kw}, {o}},
           [&](const Ours& x) {
             return ag::conv_transpose2d(
                 x[0], x[1], x[2],
                 {.stride = stride, .padding = {ph, pw}, .groups = groups, .dilation = dilation});
           },
           [&](const Theirs& x) {
             return torch::conv_transpose2d(x[0], x[1], x[2], {stride, stride}, {ph, pw}, {0, 0},
                                            groups, {dilation, dilation});
           }});
    } else if (h + 2 * ph > dilation * (kh - 1) && w + 2 * pw > dilation * (kw - 1)) {
      compare(
          {"conv2d",
           {{n, c, h, w}, {o, c / groups, kh, kw}, {o}},
           [&](const Ours& x) {
             return ag::conv2d(
                 x[0], x[1], x[2],
                 {.stride = stride, .padding = {ph, pw}, .dilation = dilation, .groups = groups});
           },
           [&](const Theirs& x) {
             return torch::conv2d(x[0], x[1], x[2], {stride, stride}, {ph, pw},
                                  {dilation, dilation}, groups);
           }});
    }
  }
}

TEST_F(BesideLibtorchSlow, Products) {
  for (int i = 0; i < kCalls; ++i) {
    const std::int64_t b = extent(12), m = extent(300), k = extent(300), n = extent(300);
    if (b * m * k * n > 20'000'000) continue;
    const Extents left[] = {{m, k}, {b, m, k}, {b, 1, m, k}}, right[] = {{k, n}, {b, k, n}};
    const auto ours = [](const Ours& x) { return ag::matmul(x[0], x[1]); };
    const auto theirs = [](const Theirs& x) { return torch::matmul(x[0], x[1]); };
    compare({"matmul", {left[draw(0, 2)], right[draw(0, 1)]}, ours, theirs});
    const bool act = draw(0, 1);
    const auto activation = act ? ag::Activation::tanh : ag::Activation::none;
    compare({"linear",
             {{b, m, k}, {n, k}, {n}},
             [&](const Ours& x) { return ag::linear(x[0], x[1], x[2], activation); },
             [&](const Theirs& x) {
               const torch::Tensor y = torch::linear(x[0], x[1], x[2]);
               return act ? torch::tanh(y) : y;
             }});
  }
}

TEST_F(BesideLibtorchSlow, Attention) {
  for (int i = 0; i < kCalls; ++i) {
    const std::int64_t b = draw(1, 3), h = draw(1, 4), l = extent(130), e = extent(65),
                       v = extent(65);
    const bool causal = draw(0, 1);
    const std::int64_t s = causal ? l : extent(130);
    compare({causal ? "causal attention" : "attention",
             {{b, h, l, e}, {b, h, s, e}, {b, h, s, v}},
             [&](const Ours& x) {
               const auto mask = causal ? ag::AttentionMask::causal : ag::AttentionMask::none;
               return ag::scaled_dot_product_attention(x[0], x[1], x[2], {.mask = mask});
             },
             [&](const Theirs& x) {
               torch::Tensor scores =
                   torch::matmul(x[0], x[1].transpose(-1, -2)) / std::sqrt(static_cast<double>(e));
               const torch::Tensor later = torch::ones({l, s}, torch::kBool).triu(1);
               if (causal) scores = scores.masked_fill(later, -INFINITY);
               return torch::matmul(torch::softmax(scores, -1), x[2]);
             }});
  }
}

TEST_F(BesideLibtorchSlow, Norms) {
  for (int i = 0; i < kCalls; ++i) {
    Extents x = extents(2, 4, 40'000);
    const std::int64_t last = x.back(), c = x[1];
    if (last > 1) {
      compare({"layer_norm",
               {x, {last}, {last}},
               [&](const Ours& t) { return ag::layer_norm(t[0], {last}, t[1], t[2]); },
               [&](const Theirs& t) { return torch::layer_norm(t[0], {last}, t[1], t[2]); }});
    }
    std::int64_t samples = 1;
    for (std::size_t a = 0; a < x.size(); ++a) samples *= a == 1 ? 1 : x[a];
    if (samples < 2) continue;
    compare(
        {"batch_norm",
         {x, {c}, {c}},
         [](const Ours& t) { return ag::batch_norm(t[0], {}, {}, t[1], t[2], {.training = true}); },
         [](const Theirs& t) {
           return torch::batch_norm(t[0], t[1], t[2], {}, {}, true, 0.1, 1e-5, false);
         }});
  }
}

TEST_F(BesideLibtorchSlow, AlongAxes) {
  for (int i = 0; i < kCalls; ++i) {
    const Extents x = extents(1, 4, 40'000);
    const std::int64_t axis = axis_of(x), other = axis_of(x);
    const Extents some = axis == other ? Extents{axis} : Extents{axis, other};
    const Call calls[] = {{"softmax",
                           {x},
                           [&](const Ours& t) { return ag::softmax(t[0], axis); },
                           [&](const Theirs& t) { return torch::softmax(t[0], axis); }},
                          {"log_softmax",
                           {x},
                           [&](const Ours& t) { return ag::log_softmax(t[0], axis); },
                           [&](const Theirs& t) { return torch::log_softmax(t[0], axis); }},
                          {"logsumexp",
                           {x},
                           [&](const Ours& t) { return ag::logsumexp(t[0], axis); },
                           [&](const Theirs& t) { return torch::logsumexp(t[0], axis); }},
                          {"sum",
                           {x},
                           [&](const Ours& t) { return ag::sum(t[0], some); },
                           [&](const Theirs& t) { return torch::sum(t[0], some); }},
                          {"mean",
                           {x},
                           [&](const Ours& t) { return ag::mean(t[0], some, {.keepdim = true}); },
                           [&](const Theirs& t) { return torch::mean(t[0], some, true); }},
                          {"norm",
                           {x},
                           [&](const Ours& t) { return ag::norm(t[0], 2, some); },
                           [&](const Theirs& t) { return torch::norm(t[0], 2, some); }},
                          {"amax",
                           {x},
                           [&](const Ours& t) { return ag::amax(t[0], some); },
                           [&](const Theirs& t) { return torch::amax(t[0], some); }},
                          {"cumsum",
                           {x},
                           [&](const Ours& t) { return ag::cumsum(t[0], axis); },
                           [&](const Theirs& t) { return torch::cumsum(t[0], axis); }},
                          {"logcumsumexp",
                           {x},
                           [&](const Ours& t) { return ag::logcumsumexp(t[0], axis); },
                           [&](const Theirs& t) { return torch::logcumsumexp(t[0], axis); }},
                          {"cat",
                           {x, x},
                           [&](const Ours& t) {
                             return ag::cat({t[0], t[1], t[0]}, axis);
                           },
                           [&](const Theirs& t) {
                             return torch::cat({t[0], t[1], t[0]}, axis);
                           }},
                          {"permuted product",
                           {x},
                           [&](const Ours& t) {
                             const ag::Tensor p = ag::transpose(t[0], axis, other);
                             return p * ag::contiguous(p);
                           },
                           [&](const Theirs& t) {
                             const torch::Tensor p = t[0].transpose(axis, other);
                             return p * p.contiguous();
                           }}};
    compare(calls[draw(0, 10)]);
  }
}

TEST_F(BesideLibtorchSlow, Broadcasting) {
  for (int i = 0; i < kCalls; ++i) {
    Extents a = extents(1, 4, 30'000), b = a;
    for (std::int64_t& e : b) e = draw(0, 3) ? e : 1;
    if (draw(0, 3) == 0) b.erase(b.begin());
    if (draw(0, 4) == 0) std::swap(a, b);
    compare({"a b + a / b",
             {a, b},
             [](const Ours& x) { return x[0] * x[1] + x[0] / x[1]; },
             [](const Theirs& x) { return x[0] * x[1] + x[0] / x[1]; },
             true});
    compare({"pow",
             {a, b},
             [](const Ours& x) { return ag::pow(x[0], x[1]); },
             [](const Theirs& x) { return torch::pow(x[0], x[1]); },
             true});
  }
}

TEST_F(BesideLibtorchSlow, Pools) {
  for (int i = 0; i < kCalls; ++i) {
    const std::int64_t n = draw(1, 3), c = extent(40), h = extent(40), w = extent(40),
                       kh = draw(1, 4), kw = draw(1, 4), stride = draw(1, 3), ph = draw(0, kh / 2),
                       pw = draw(0, kw / 2);
    const bool ceil = draw(0, 1);
    if (h + 2 * ph < kh || w + 2 * pw < kw) continue;
    compare({"max_pool2d",
             {{n, c, h, w}},
             [&](const Ours& x) {
               return ag::max_pool2d(x[0], {kh, kw},
                                     {.stride = stride, .padding = {ph, pw}, .ceil_mode = ceil});
             },
             [&](const Theirs& x) {
               return torch::max_pool2d(x[0], {kh, kw}, {stride, stride}, {ph, pw}, 1, ceil);
             }});
    compare({"avg_pool2d",
             {{n, c, h, w}},
             [&](const Ours& x) {
               return ag::avg_pool2d(x[0], {kh, kw},
                                     {.stride = stride, .padding = {ph, pw}, .ceil_mode = ceil});
             },
             [&](const Theirs& x) {
               return torch::avg_pool2d(x[0], {kh, kw}, {stride, stride}, {ph, pw}, ceil);
             }});
  }
}

TEST_F(BesideLibtorchSlow, Embeddings) {
  for (int i = 0; i < kCalls; ++i) {
    const std::int64_t rows = extent(300), width = extent(130), n = extent(200);
    const torch::Tensor index = torch::randint(rows, {n});
    const Extents places(index.data_ptr<std::int64_t>(), index.data_ptr<std::int64_t>() + n);
    compare({"embedding",
             {{rows, width}},
             [&](const Ours& x) { return ag::embedding(ag::tensor(places), x[0]); },
             [&](const Theirs& x) { return torch::embedding(x[0], index); }});
  }
}

}  // namespace
