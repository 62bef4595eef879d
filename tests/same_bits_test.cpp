// SPDX-License-Identifier: Apache-2.0
// The same bits for one to four threads: every family of kernels on shapes that are large enough to be
// shared out, values and gradients, and 200 steps of training.
#include <gtest/gtest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cstring>
#include <functional>
#include <string>
#include <vector>

namespace {

namespace ag = autograd;
using ag::Shape;
using ag::Tensor;
using Inputs = std::vector<Tensor>;

struct Case {
  std::string name;
  std::vector<Shape> shapes;
  std::function<Tensor(const Inputs&)> f;
};

Tensor positions(std::int64_t n, std::int64_t limit) {
  std::vector<std::int64_t> list(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < list.size(); ++i) {
    list[i] = static_cast<std::int64_t>(i * 7919) % limit;
  }
  return ag::tensor(list);
}

const Shape kSquare{700, 600};

std::vector<Case> elementwise() {
  return {
      {"exp", {kSquare}, [](const Inputs& x) { return ag::exp(x[0]); }},
      {"tanh", {kSquare}, [](const Inputs& x) { return ag::tanh(x[0]); }},
      {"gelu", {kSquare}, [](const Inputs& x) { return ag::gelu(x[0]); }},
      {"lgamma", {kSquare}, [](const Inputs& x) { return ag::lgamma(x[0] + 4.0); }},
      {"mul", {kSquare, kSquare}, [](const Inputs& x) { return x[0] * x[1]; }},
      {"div by columns", {kSquare, {700, 1}}, [](const Inputs& x) { return x[0] / (x[1] + 4.0); }},
      {"pow by rows", {kSquare, {600}}, [](const Inputs& x) { return ag::pow(x[0] + 4.0, x[1]); }},
      {"short rows", {{40001, 3}, {3}}, [](const Inputs& x) { return x[0] * x[1]; }},
      {"short rows by columns",
       {{40001, 7}, {40001, 1}},
       [](const Inputs& x) { return ag::atan2(x[0], x[1]); }},
      {"where",
       {kSquare, kSquare},
       [](const Inputs& x) { return ag::where(x[0] > x[1], x[0], x[1] * 2.0); }},
      {"contiguous",
       {kSquare},
       [](const Inputs& x) { return ag::contiguous(ag::transpose(x[0])); }},
      {"contiguous, batched",
       {{8, 70, 90}},
       [](const Inputs& x) { return ag::contiguous(ag::transpose(x[0])); }},
      {"repeated columns",
       {{700, 1}},
       [](const Inputs& x) { return ag::contiguous(ag::broadcast_to(x[0], kSquare)); }},
      {"repeated rows",
       {{600}},
       [](const Inputs& x) { return ag::contiguous(ag::broadcast_to(x[0], kSquare)); }},
      {"other dtypes",
       {kSquare},
       [](const Inputs& x) { return ag::to(x[0], ag::float64) * (x[0] < 0.3); }},
      {"dropout", {kSquare}, [](const Inputs& x) {
         ag::Generator generator(3);
         return ag::dropout(x[0], generator, {.p = 0.3});
       }}};
}

std::vector<Case> reductions() {
  return {
      {"sum", {kSquare}, [](const Inputs& x) { return ag::sum(x[0]); }},
      {"sum of rows", {kSquare}, [](const Inputs& x) { return ag::sum(x[0], 1); }},
      {"sum of columns", {kSquare}, [](const Inputs& x) { return ag::sum(x[0], 0); }},
      {"mean in the middle", {{40, 90, 100}}, [](const Inputs& x) { return ag::mean(x[0], 1); }},
      {"prod", {{600, 50}}, [](const Inputs& x) { return ag::prod(x[0] + 0.5, 1); }},
      {"amax", {kSquare}, [](const Inputs& x) { return ag::amax(x[0], 0); }},
      {"var", {kSquare}, [](const Inputs& x) { return ag::var(x[0], 1); }},
      {"norm", {kSquare}, [](const Inputs& x) { return ag::norm(x[0], 3); }},
      {"logsumexp", {kSquare}, [](const Inputs& x) { return ag::logsumexp(x[0], 1); }},
      {"softmax", {kSquare}, [](const Inputs& x) { return ag::softmax(x[0], 1); }},
      {"softmax of columns", {kSquare}, [](const Inputs& x) { return ag::softmax(x[0], 0); }},
      {"log_softmax", {kSquare}, [](const Inputs& x) { return ag::log_softmax(x[0], 1); }},
      {"cumsum", {kSquare}, [](const Inputs& x) { return ag::cumsum(x[0], 1); }},
      {"cumprod", {{600, 50}}, [](const Inputs& x) { return ag::cumprod(x[0], 1); }},
      {"logcumsumexp", {kSquare}, [](const Inputs& x) { return ag::logcumsumexp(x[0], 0); }},
      {"sort", {kSquare}, [](const Inputs& x) { return ag::sort(x[0], 1).values; }},
      {"median", {kSquare}, [](const Inputs& x) { return ag::median(x[0], 1).values; }}};
}

std::vector<Case> indexing() {
  return {{"embedding",
           {{300, 64}},
           [](const Inputs& x) { return ag::embedding(positions(5000, 300), x[0]); }},
          {"index_select",
           {{300, 64}},
           [](const Inputs& x) { return ag::index_select(x[0], 0, positions(5000, 300)); }},
          {"gather",
           {{300, 64}},
           [](const Inputs& x) {
             return ag::gather(x[0], 0, ag::reshape(positions(64000, 300), {1000, 64}));
           }},
          {"scatter_add",
           {{300, 64}, {1000, 64}},
           [](const Inputs& x) {
             return ag::scatter_add(x[0], 0, ag::reshape(positions(64000, 300), {1000, 64}), x[1]);
           }},
          {"gather along lines",
           {kSquare},
           [](const Inputs& x) {
             return ag::gather(x[0], 1, ag::reshape(positions(700 * 301, 600), {700, 301}));
           }},
          {"scatter_add along lines",
           {kSquare, {700, 301}},
           [](const Inputs& x) {
             const Tensor index = ag::reshape(positions(700 * 301, 600), {700, 301});
             return ag::scatter_add(x[0], 1, index, x[1]);
           }},
          {"index_select of columns",
           {kSquare},
           [](const Inputs& x) { return ag::index_select(x[0], 1, positions(301, 600)); }},
          {"cat",
           {kSquare, kSquare},
           [](const Inputs& x) {
             return ag::cat({x[0], x[1]}, 1);
           }},
          {"flip",
           {kSquare},
           [](const Inputs& x) {
             return ag::flip(x[0], {0, 1});
           }},
          {"tril", {kSquare}, [](const Inputs& x) { return ag::tril(x[0]); }},
          {"pad", {kSquare}, [](const Inputs& x) {
             return ag::pad(x[0], {3, 4, 5, 6});
           }}};
}

std::vector<Case> linear_algebra() {
  return {
      {"matmul", {{300, 200}, {200, 250}}, [](const Inputs& x) { return ag::matmul(x[0], x[1]); }},
      {"matmul of few rows",
       {{10, 800}, {800, 512}},
       [](const Inputs& x) { return ag::matmul(x[0], x[1]); }},
      {"matmul, batched",
       {{12, 60, 80}, {12, 80, 70}},
       [](const Inputs& x) { return ag::matmul(x[0], x[1]); }},
      {"matmul, transposed",
       {{200, 300}, {250, 200}},
       [](const Inputs& x) { return ag::matmul(ag::transpose(x[0]), ag::transpose(x[1])); }},
      {"linear and relu",
       {{256, 300}, {200, 300}, {200}},
       [](const Inputs& x) { return ag::linear(x[0], x[1], x[2], ag::Activation::relu); }},
      {"einsum",
       {{20, 50, 60}, {20, 60, 40}},
       [](const Inputs& x) {
         return ag::einsum("bij,bjk->ik", {x[0], x[1]});
       }},
      {"inverse", {{20, 30, 30}}, [](const Inputs& x) {
         return ag::inverse(x[0] + 9.0 * ag::eye(30));
       }}};
}

std::vector<Case> networks() {
  return {
      {"conv2d",
       {{9, 20, 20, 20}, {32, 20, 3, 3}, {32}},
       [](const Inputs& x) { return ag::conv2d(x[0], x[1], x[2], {.padding = 1}); }},
      {"conv2d, stride",
       {{9, 20, 20, 20}, {32, 20, 3, 3}},
       [](const Inputs& x) { return ag::conv2d(x[0], x[1], {}, {.stride = 2}); }},
      {"conv2d of few channels",
       {{20, 3, 28, 28}, {8, 3, 5, 5}, {8}},
       [](const Inputs& x) { return ag::conv2d(x[0], x[1], x[2]); }},
      {"conv2d, depthwise",
       {{20, 16, 28, 28}, {16, 1, 3, 3}},
       [](const Inputs& x) { return ag::conv2d(x[0], x[1], {}, {.groups = 16}); }},
      {"conv_transpose2d",
       {{9, 20, 12, 12}, {20, 24, 3, 3}},
       [](const Inputs& x) { return ag::conv_transpose2d(x[0], x[1], {}, {.stride = 2}); }},
      {"max_pool2d", {{20, 16, 28, 28}}, [](const Inputs& x) { return ag::max_pool2d(x[0], 2); }},
      {"avg_pool2d",
       {{20, 16, 28, 28}},
       [](const Inputs& x) { return ag::avg_pool2d(x[0], 3, {.stride = 2, .padding = 1}); }},
      {"interpolate",
       {{8, 16, 28, 28}},
       [](const Inputs& x) {
         return ag::interpolate(x[0], {.size = {40, 33}, .mode = ag::Interpolation::linear});
       }},
      {"interpolate, nearest",
       {{8, 16, 28, 28}},
       [](const Inputs& x) {
         return ag::interpolate(x[0], {.size = {40, 56}});
       }},
      {"batch_norm",
       {{20, 16, 28, 28}, {16}, {16}},
       [](const Inputs& x) {
         return ag::batch_norm(x[0], {}, {}, x[1], x[2], {.training = true});
       }},
      {"layer_norm",
       {kSquare, {600}, {600}},
       [](const Inputs& x) { return ag::layer_norm(x[0], {600}, x[1], x[2]); }},
      {"group_norm",
       {{20, 16, 28, 28}, {16}, {16}},
       [](const Inputs& x) { return ag::group_norm(x[0], 4, x[1], x[2]); }},
      {"attention",
       {{8, 4, 60, 32}, {8, 4, 70, 32}, {8, 4, 70, 32}},
       [](const Inputs& x) { return ag::scaled_dot_product_attention(x[0], x[1], x[2]); }},
      {"ctc_loss",
       {{60, 16, 20}},
       [](const Inputs& x) {
         return ag::ctc_loss(ag::log_softmax(x[0], 2),
                             ag::reshape(positions(160, 19) + 1.0, {16, 10}),
                             std::vector<std::int64_t>(16, 60), std::vector<std::int64_t>(16, 10));
       }},
      {"cross_entropy_loss", {{3000, 100}}, [](const Inputs& x) {
         return nn::cross_entropy_loss(x[0], positions(3000, 100));
       }}};
}

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const auto& family :
       {elementwise(), reductions(), indexing(), linear_algebra(), networks()}) {
    cases.insert(cases.end(), family.begin(), family.end());
  }
  return cases;
}

bool same_bits(const Tensor& a, const Tensor& b) {
  const Tensor x = ag::contiguous(a), y = ag::contiguous(b);
  return a.shape() == b.shape() && a.dtype() == b.dtype() &&
         ag::dispatch(a.dtype(), [&]<class T>(T) {
           return std::memcmp(x.data<T>().data(), y.data<T>().data(), x.data<T>().size_bytes()) ==
                  0;
         });
}

// The value, then the gradients.
Inputs run(const Case& c, ag::DType dtype) {
  ag::Generator generator(11);
  Inputs inputs;
  for (const Shape& shape : c.shapes) inputs.push_back(ag::randn(shape, generator, dtype));
  ag::Tape tape;
  Inputs tracked;
  for (const Tensor& x : inputs) tracked.push_back(tape.input(x));
  const Tensor y = c.f(tracked);
  tape.backward(y, {.seed = ag::randn(y.shape(), generator, y.dtype())});
  Inputs results = {ag::detach(y)};
  for (const Tensor& x : tracked) results.push_back(x.grad());
  return results;
}

class SameBitsOf : public testing::Test {
 protected:
  void TearDown() override { ag::set_num_threads(before_); }
  int before_ = ag::num_threads();
};

class SameBits : public SameBitsOf, public testing::WithParamInterface<std::size_t> {};

TEST_P(SameBits, ForAnyNumberOfThreads) {
  const Case c = all_cases()[GetParam()];
  for (const ag::DType dtype : {ag::float32, ag::float64}) {
    ag::set_num_threads(1);
    const Inputs one = run(c, dtype);
    for (const int threads : {2, 3, 4}) {
      ag::set_num_threads(threads);
      const Inputs many = run(c, dtype);
      for (std::size_t k = 0; k < one.size(); ++k) {
        EXPECT_TRUE(same_bits(one[k], many[k]))
            << name(dtype) << ", " << threads << " threads, result " << k;
      }
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Kernels, SameBits, testing::Range<std::size_t>(0, all_cases().size()),
                         [](const auto& test) {
                           std::string name = all_cases()[test.param].name;
                           for (char& c : name)
                             c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
                           return name;
                         });

// A convolution, normalization, two linear layers, Adam: all parameters after 200 steps.
Inputs train() {
  ag::Generator generator(5);
  const Tensor x = ag::randn({32, 1, 12, 12}, generator), y = positions(32, 10);
  Inputs p = {ag::randn({16, 1, 3, 3}, generator) * 0.3, ag::ones({16}), ag::zeros({16})};
  for (Tensor& t : p) t.set_requires_grad();
  nn::Linear hidden(16 * 25, 64, generator), output(64, 10, generator);
  for (const auto* layer : {&hidden, &output}) {
    for (const Tensor& t : layer->parameters()) p.push_back(t);
  }
  nn::Adam optimizer(p, {.lr = 1e-2});
  for (int step = 0; step < 200; ++step) {
    ag::Tape tape;
    Tensor h = ag::batch_norm(ag::conv2d(x, p[0]), {}, {}, p[1], p[2], {.training = true});
    h = ag::reshape(ag::max_pool2d(ag::relu(h), 2), {32, 16 * 25});
    const Tensor loss =
        nn::cross_entropy_loss(output(ag::dropout(ag::relu(hidden(h)), generator, {.p = 0.2})), y);
    optimizer.zero_grad();
    tape.backward(loss);
    optimizer.step();
  }
  Inputs result;
  for (const Tensor& t : p) result.push_back(ag::detach(t));
  return result;
}

TEST_F(SameBitsOf, TwoHundredStepsOfTraining) {
  ag::set_num_threads(1);
  const Inputs one = train();
  for (const int threads : {2, 3, 4}) {
    ag::set_num_threads(threads);
    const Inputs many = train();
    for (std::size_t k = 0; k < one.size(); ++k) {
      EXPECT_TRUE(same_bits(one[k], many[k])) << threads << " threads, parameter " << k;
    }
  }
}

}  // namespace
