// SPDX-License-Identifier: Apache-2.0
// Derivatives of derivatives: tapes inside tapes, for tensors. What an inner sweep computes is a value
// of the outer tape and outlives the inner one; the functional drivers deposit nowhere.
#include <gtest/gtest.h>
#include <autograd/autograd.hpp>

#include <cstring>
#include <thread>

#include "check.hpp"

namespace autograd {
namespace {

using check::message_of;
using Numbers = std::vector<double>;

Numbers numbers(const Tensor& x) { return to_vector<double>(to(contiguous(x), float64)); }
Tensor vector(const Numbers& x) { return tensor(x); }

void expect_close(const Tensor& x, const Numbers& want, double tolerance = 1e-9) {
  const Numbers got = numbers(x);
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_TRUE(check::close(got[i], want[i], tolerance)) << i << ": " << got[i] << " " << want[i];
  }
}

// d/dx of sum(f(x)), recorded by the tapes outside.
Tensor derivative(const TensorFunction& f, const Tensor& x) {
  Tape tape;
  const Tensor leaf = tape.input(x);
  tape.backward(sum(f({leaf})));
  return leaf.grad();
}

TEST(NestedTest, ThreeDerivativesOfAPower) {
  const TensorFunction f = [](const std::vector<Tensor>& in) {
    return in[0] * in[0] * in[0] * in[0];
  };
  const TensorFunction d = [&](const std::vector<Tensor>& in) { return derivative(f, in[0]); };
  const TensorFunction d2 = [&](const std::vector<Tensor>& in) { return derivative(d, in[0]); };
  const TensorFunction d3 = [&](const std::vector<Tensor>& in) { return derivative(d2, in[0]); };
  const Tensor x = vector({1, 2, -3});
  expect_close(f({x}), {1, 16, 81});
  expect_close(d({x}), {4, 32, -108});
  expect_close(d2({x}), {12, 48, 108});
  expect_close(d3({x}), {24, 48, -72});
  expect_close(derivative(d3, x), {24, 24, 24});
  EXPECT_FALSE(x.has_grad());
}

TEST(NestedTest, DerivativesOfExpAndSin) {
  const TensorFunction f = [](const std::vector<Tensor>& in) { return exp(in[0]) * sin(in[0]); };
  const TensorFunction d = [&](const std::vector<Tensor>& in) {
    return grad([&](const std::vector<Tensor>& v) { return sum(f(v)); }, in)[0];
  };
  const TensorFunction d2 = [&](const std::vector<Tensor>& in) {
    return grad([&](const std::vector<Tensor>& v) { return sum(d(v)); }, in)[0];
  };
  const double x = 0.7, e = std::exp(x);
  expect_close(d2({vector({x})}), {2 * e * std::cos(x)});
  const auto third = grad([&](const std::vector<Tensor>& v) { return sum(d2(v)); }, {vector({x})});
  expect_close(third[0], {2 * e * (std::cos(x) - std::sin(x))});
}

// d/dx [x d/dy (x + y)] = 1: the inner derivative is 1, whatever x.
TEST(NestedTest, PerturbationConfusion) {
  for (const DType dtype : {float32, float64}) {
    Tape outer;
    const Tensor x = outer.input(full({}, 3.0, dtype));
    Tensor inner_derivative;
    {
      Tape inner;
      const Tensor y = inner.input(full({}, 5.0, dtype));
      inner.backward(x + y);
      inner_derivative = y.grad();
    }
    outer.backward(x * inner_derivative);
    EXPECT_EQ(x.grad().item(), 1);
  }
  // The same with a product: d/dx [x d/dy (x y)] = 2 x.
  const auto g = grad(
      [](const std::vector<Tensor>& outer) {
        const auto dy = grad([&](const std::vector<Tensor>& in) { return outer[0] * in[0]; },
                             {full({}, 5.0, float64)});
        return outer[0] * dy[0];
      },
      {full({}, 3.0, float64)});
  EXPECT_EQ(g[0].item(), 6);
}

TEST(NestedTest, MatmulChains) {
  Generator generator(7);
  const Tensor a = randn({3, 4}, generator, float64), b = randn({4, 2}, generator, float64);
  const TensorFunction f = [&](const std::vector<Tensor>& in) {
    return matmul(tanh(matmul(matmul(a, in[0]), in[1])), transpose(in[1]));
  };
  const Tensor w = randn({4, 4}, generator, float64);
  EXPECT_TRUE(gradgradcheck(f, {w, b})) << gradgradcheck(f, {w, b}).message();
}

// |d loss / d input|^2 of a small network, differentiated by its parameters.
TEST(NestedTest, GradientPenalty) {
  Generator generator(3);
  std::vector<Tensor> p;
  for (const Shape& shape : {Shape{2, 5}, Shape{5}, Shape{5, 1}, Shape{1}}) {
    p.push_back(randn(shape, generator, float64).set_requires_grad());
  }
  const Tensor x = randn({4, 2}, generator, float64);
  const auto penalty = [&] {
    Tensor slope;
    {
      Tape inner;
      const Tensor leaf = inner.input(x);
      const Tensor h = sigmoid(matmul(leaf, p[0]) + p[1]);
      const auto g = sum(tanh(matmul(h, p[2]) + p[3]));
      slope = vjp(
                  [&](const std::vector<Tensor>& in) {
                    return tanh(matmul(sigmoid(matmul(in[0], p[0]) + p[1]), p[2]) + p[3]);
                  },
                  {x}, ones({4, 1}, float64))
                  .second[0];
      EXPECT_TRUE(g.defined());
    }
    return sum(square(slope));
  };
  Tape tape;
  tape.backward(penalty());
  for (Tensor& each : p) {
    ASSERT_TRUE(each.has_grad());
    const Tensor g = each.grad();
    Tensor values = detach(each);
    for (std::size_t i = 0; i < static_cast<std::size_t>(each.numel()); ++i) {
      double& element = values.mutable_data<double>()[i];
      const double at = element, h = 1e-5;
      element = at + h;
      const double above = penalty().item();
      element = at - h;
      const double below = penalty().item();
      element = at;
      EXPECT_TRUE(check::close(numbers(g)[i], (above - below) / (2 * h), 1e-6));
    }
  }
}

TEST(NestedTest, ParametersInsideNestedTapes) {
  Tensor p = vector({2, 3});
  p.set_requires_grad();
  Tensor inner_gradient;
  {
    Tape outer;
    {
      Tape inner;
      inner.backward(sum(p * p * p));
      inner_gradient = p.grad();  // 3 p^2, recorded by the outer tape
      p.zero_grad();
    }
    outer.backward(sum(inner_gradient));
  }
  expect_close(p.grad(), {12, 18});
}

TEST(NestedTest, InnerResultsLiveOnTheOuterTape) {
  Tape outer;
  const Tensor x = outer.input(vector({2, 3}));
  Tensor y, slope;
  {
    Tape inner;
    const Tensor leaf = inner.input(x);
    y = leaf * leaf * x;
    inner.backward(sum(y), {.retain = true});
    slope = leaf.grad();  // 2 leaf x
  }
  outer.backward(sum(y + slope));  // x^3 + 2 x^2
  expect_close(x.grad(), {12 + 8, 27 + 12});
}

TEST(NestedTest, AnOuterTapeThatTracksNothing) {
  Tape outer;
  Tape inner;
  const Tensor x = inner.input(vector({2, 3}));
  const Tensor w = vector({1, -1});
  inner.backward(sum(softmax(x * w, 0) * exp(x) / (1.0 + sigmoid(x))));
  const Tensor with = x.grad();
  EXPECT_EQ(outer.size(), 0u);
  Tensor without;
  std::thread([&] {
    Tape tape;
    const Tensor z = tape.input(vector({2, 3}));
    tape.backward(sum(softmax(z * w, 0) * exp(z) / (1.0 + sigmoid(z))));
    without = z.grad();
  }).join();
  expect_close(with, numbers(without), 1e-14);
}

TEST(NestedTest, OnlyTheTapesThatTrackAnOperandRecord) {
  Tape outer;
  const Tensor x = outer.input(vector({1}));
  Tape inner;
  const Tensor y = inner.input(vector({1}));
  const std::size_t before = outer.size();
  const Tensor a = y * y;
  EXPECT_EQ(outer.size(), before);
  const std::size_t held = inner.size();
  const Tensor b = x * x;
  EXPECT_EQ(outer.size(), before + 1);
  EXPECT_EQ(inner.size(), held);
  const Tensor c = a * b;
  EXPECT_EQ(outer.size(), before + 2);
  EXPECT_EQ(inner.size(), held + 1);
}

// --- Functional drivers.

TEST(NestedTest, DriversDepositNowhere) {
  Tensor p = vector({2, 3});
  p.set_requires_grad();
  const Tensor x = vector({5, 7});
  const TensorFunction f = [&](const std::vector<Tensor>& in) { return sum(in[0] * in[0] * p); };
  expect_close(grad(f, {x})[0], {20, 42});
  expect_close(grad(f, {p})[0], {8, 18});  // p twice: as input, and captured as a parameter
  const auto [value, g] = value_and_grad(f, {x});
  EXPECT_EQ(value.item(), 50 + 147);
  expect_close(g[0], {20, 42});
  const auto [y, v] =
      vjp([&](const std::vector<Tensor>& in) { return in[0] * p; }, {x}, vector({1, 2}));
  expect_close(y, {10, 21});
  expect_close(v[0], {2, 6});
  EXPECT_FALSE(p.has_grad());
  EXPECT_FALSE(x.has_grad());
}

TEST(NestedTest, ResultsAreNoAliases) {
  const Tensor a = vector({1, 2}), b = vector({3, 4}), cotangent = vector({1, 1});
  auto g =
      vjp([](const std::vector<Tensor>& in) { return in[0] + in[1]; }, {a, b}, cotangent).second;
  fill_(g[0], 9);
  expect_close(g[1], {1, 1});
  expect_close(cotangent, {1, 1});
}

TEST(NestedTest, UnusedInputs) {
  const TensorFunction f = [](const std::vector<Tensor>& in) { return sum(in[0] * 2.0); };
  const Tensor a = vector({1}), b = ones({2, 3});
  const std::string message = message_of<TapeError>([&] { grad(f, {a, b}); });
  EXPECT_NE(message.find("grad: f does not use input 1"), std::string::npos) << message;
  EXPECT_NE(message.find("allow_unused"), std::string::npos) << message;
  const auto g = grad(f, {a, b}, {.allow_unused = true});
  EXPECT_EQ(g[0].item(), 2);
  EXPECT_EQ(g[1].shape(), Shape({2, 3}));
  EXPECT_EQ(g[1].dtype(), float32);
  EXPECT_EQ(sum(g[1]).item(), 0);
  const TensorFunction constant = [](const std::vector<Tensor>&) { return ones({}); };
  EXPECT_THROW(grad(constant, {a}), TapeError);
  EXPECT_EQ(grad(constant, {a}, {.allow_unused = true})[0].item(), 0);
}

TEST(NestedTest, DriversOfBadFunctions) {
  const Tensor a = vector({1, 2});
  EXPECT_THROW(grad([](const std::vector<Tensor>& in) { return in[0] * 2.0; }, {a}), TapeError);
  EXPECT_THROW(grad([](const std::vector<Tensor>&) { return Tensor(); }, {a}), ValueError);
  EXPECT_THROW(grad([](const std::vector<Tensor>&) -> Tensor { throw ValueError("mine"); }, {a}),
               ValueError);
  EXPECT_THROW(vjp([](const std::vector<Tensor>& in) { return in[0]; }, {a}, ones({3}, float64)),
               ShapeError);
  EXPECT_THROW(grad([](const std::vector<Tensor>& in) { return sum(in[0]); }, {zeros({2}, int64)}),
               TypeError);
  expect_close(grad([](const std::vector<Tensor>& in) { return sum(in[0]); }, {a})[0], {1, 1});
}

// An input made of what an outer tape recorded is as old as that, whatever its memory held before.
TEST(NestedTest, InputsOfRecordedTensorsInUsedMemory) {
  std::vector<void*> blocks;
  for (int i = 0; i < 200; ++i) {
    blocks.push_back(detail::allocate(sizeof(detail::Node)));
    std::memset(blocks.back(), 0xff, sizeof(detail::Node));
  }
  for (void* block : blocks) detail::deallocate(block, sizeof(detail::Node));
  Tape outer;
  const Tensor x = outer.input(full({2}, 3.0, float64));
  const Tensor h = x * x;
  const auto cube = [](const std::vector<Tensor>& in) { return sum(in[0] * in[0] * in[0]); };
  outer.backward(sum(grad(cube, {h})[0]));  // 3 x^4
  EXPECT_EQ(x.grad().at({0}), 12 * 27);
}

}  // namespace
}  // namespace autograd
