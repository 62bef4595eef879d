// SPDX-License-Identifier: Apache-2.0
// Anomaly mode: which operation is blamed, forward and backward, for tensors and scalars, what the message
// says, what passes, and that nothing is left behind when it throws.
#include <gtest/gtest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "check.hpp"

namespace {

namespace ag = autograd;
using ag::AnomalyError;
using ag::AnomalyMode;
using ag::Tape;
using ag::Tensor;
using ag::Var;
using autograd::check::message_of;

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

constexpr const char* kNeed =
    "; need finite results of finite operands (AnomalyMode; {.allow_infinity = true} looks for NaN "
    "alone)";

/// The message of the anomaly that f runs into, without its constant end.
template <class F> std::string anomaly_of(F&& f) {
  std::string message = message_of<AnomalyError>([&] {
    const AnomalyMode guard;
    f();
  });
  const std::size_t end = message.find(kNeed);
  return end == std::string::npos ? message : message.substr(0, end);
}

TEST(Anomaly, ForwardNamesTheOperation) {
  EXPECT_EQ(
      anomaly_of([] {
        (void)ag::log(ag::tensor({{1, 2, 3}, {4, 0, 0}}));
      }),
      "log: anomaly in forward: -inf at [1, 1] of the result [2, 3], the first of 2; operands: "
      "[2, 3], all finite");
  EXPECT_EQ(anomaly_of([] { (void)ag::sqrt(ag::tensor({-1})); }),
            "sqrt: anomaly in forward: nan at [0] of the result [1]; operands: [1], all finite");
  EXPECT_EQ(
      anomaly_of([] {
        (void)(ag::ones({2, 3}) / ag::tensor({1, 0, 1}));
      }),
      "div: anomaly in forward: inf at [0, 1] of the result [2, 3], the first of 2; operands: "
      "[2, 3], [3], all finite");
}

TEST(Anomaly, TheFirstOneIsReported) {
  const std::string message = anomaly_of([] {
    const Tensor a = ag::exp(ag::tensor({1000}));  // inf
    (void)(a - a);                                 // NaN of it
  });
  EXPECT_NE(message.find("exp: anomaly in forward: inf at [0]"), std::string::npos) << message;
}

TEST(Anomaly, WhatComesFromOutsideIsNobodysFault) {
  const AnomalyMode guard;
  const Tensor x = ag::tensor({kNan, kInf, 1}, ag::float64);
  const Tensor y = ag::exp(x) * 2.0 + x;
  EXPECT_TRUE(std::isnan(y.at({0})));
}

TEST(Anomaly, NanOfInfinitiesIsReported) {
  const Tensor x = ag::tensor({kInf}, ag::float64);
  EXPECT_EQ(anomaly_of([&] { (void)(x - x); }),
            "sub: anomaly in forward: nan at [0] of the result [1]; operands: [1], [1], no NaN");
}

TEST(Anomaly, BackwardNamesTheOperation) {
  Tape tape;
  const Tensor x = tape.input(ag::tensor({4, 0}));
  const std::string message = anomaly_of([&] { tape.backward(ag::sum(ag::sqrt(x))); });
  EXPECT_EQ(
      message,
      "sqrt: anomaly in backward: inf at [1] of the gradient of operand 0, [2]; operands: [2]; "
      "dy: [2], all finite");
  EXPECT_FALSE(x.has_grad());
}

TEST(Anomaly, BackwardOfAnOperandUsedTwice) {
  Tape tape;
  const Tensor x = tape.input(ag::tensor({0.0}, ag::float64));
  const AnomalyMode guard;
  const Tensor y = ag::sum(x * x + x);
  tape.backward(y);
  EXPECT_EQ(x.grad().at({0}), 1);
}

TEST(Anomaly, SameGradientsAsWithout) {
  const auto f = [](const std::vector<Tensor>& in) {
    return ag::sum(ag::tanh(ag::matmul(in[0], in[1])) * in[0] + ag::softmax(in[1], 1));
  };
  const std::vector<Tensor> in{ag::tensor({{0.1, -2}, {0.3, 4}}), ag::tensor({{1, 2}, {-0.5, 3}})};
  const auto plain = ag::grad(f, in);
  const AnomalyMode guard;
  const auto checked = ag::grad(f, in);
  for (std::size_t k = 0; k < 2; ++k) EXPECT_TRUE(ag::equal(plain[k], checked[k]));
}

TEST(Anomaly, SumOfGradientsThatOverflows) {
  Tape tape;
  const Tensor x = tape.input(ag::tensor({0.0}));
  const std::string message = anomaly_of([&] { tape.backward(x * 3e38 + x * 3e38); });
  EXPECT_NE(message.find("mul: anomaly in backward: inf at [0] of the gradient of operand 0"),
            std::string::npos)
      << message;
}

TEST(Anomaly, SweepsThatAreRecordedSayWhoseBackwardRuns) {
  const auto f = [](const std::vector<Tensor>& in) { return ag::sum(ag::sqrt(in[0])); };
  const std::string message =
      anomaly_of([&] { (void)ag::hessian(f, {ag::tensor({0.0}, ag::float64)}); });
  EXPECT_NE(message.find("anomaly in backward of sqrt: inf at [0]"), std::string::npos) << message;
}

TEST(Anomaly, DeliberateInfinitiesPass) {
  Tape tape;
  const AnomalyMode guard;
  const Tensor x = tape.input(ag::tensor({{1, 2, 3}, {4, 5, 6}}));
  const Tensor mask = ag::tensor({{1, 1, 0}, {0, 0, 0}}) > 0.5;
  const Tensor scores = ag::where(mask, x, -kInf);
  const Tensor y = ag::softmax(scores, 1);  // the second row is masked altogether
  tape.backward(ag::sum(ag::square(y)));
  EXPECT_EQ(y.at({1, 0}), 0);
  EXPECT_TRUE(std::isfinite(x.grad().at({0, 0})));
  (void)ag::pad(x, {1, 1}, {.value = -kInf});
}

TEST(Anomaly, InfinityMayBeAllowed) {
  const AnomalyMode guard({.allow_infinity = true});
  Tape tape;
  const Tensor x = tape.input(ag::tensor({0.0}));
  const Tensor y = ag::log(x);
  tape.backward(y);
  EXPECT_EQ(x.grad().item(), kInf);
  EXPECT_THROW((void)(y - y), AnomalyError);  // NaN
}

TEST(Anomaly, ScopesNestAndEnd) {
  {
    const AnomalyMode outer;
    {
      const AnomalyMode inner({.allow_infinity = true});
      (void)ag::log(ag::zeros({1}));
    }
    EXPECT_THROW((void)ag::log(ag::zeros({1})), AnomalyError);
    std::thread([] { (void)ag::log(ag::zeros({1})); }).join();  // of this thread alone
  }
  EXPECT_EQ(ag::log(ag::zeros({1})).item(), -kInf);
}

TEST(Anomaly, TheTapeWorksOn) {
  Tape tape;
  const Tensor x = tape.input(ag::tensor({0.0, 1.0}));
  const std::size_t size = tape.size();
  const AnomalyMode guard;
  EXPECT_THROW((void)ag::log(x), AnomalyError);
  EXPECT_EQ(tape.size(), size);
  EXPECT_THROW(tape.backward(ag::sum(ag::sqrt(x))), AnomalyError);
  tape.backward(ag::sum(ag::square(x)));
  EXPECT_EQ(x.grad().at({1}), 2);
}

TEST(Anomaly, CustomFunctions) {
  const auto inverse = ag::custom_function(
      [](const std::vector<Tensor>& in) {
        Tensor y = ag::zeros(in[0].shape());
        y.mutable_data<float>()[0] = 1 / in[0].data<float>()[0];
        return y;
      },
      [](const std::vector<Tensor>& in, const Tensor&, const Tensor& dy) {
        Tensor dx = ag::zeros(in[0].shape());
        dx.mutable_data<float>()[0] = dy.data<float>()[0] / (in[0].data<float>()[0] - 1);
        return std::vector<Tensor>{dx};
      });
  EXPECT_EQ(anomaly_of([&] { (void)inverse({ag::zeros({1})}); }),
            "custom_function: anomaly in forward: inf at [0] of the result [1]; operands: [1], all "
            "finite");
  Tape tape;
  const Tensor x = tape.input(ag::ones({1}));
  EXPECT_EQ(anomaly_of([&] { tape.backward(inverse({x})); }),
            "custom_function: anomaly in backward: inf at [0] of the gradient of operand 0, [1]; "
            "operands: [1]; dy: [1], all finite");
}

// --- Modules.

struct Block : nn::Module {
  nn::Linear linear{2, 2};
  Block() { register_module("linear", linear); }
  Tensor operator()(const Tensor& x) const { return ag::log(linear(x)); }
};
struct Encoder : nn::Module {
  Block first, second;
  Encoder() {
    register_module("layers.0", first);
    register_module("layers.1", second);
  }
  Tensor operator()(const Tensor& x) const { return second(first(x)); }
};
struct Model : nn::Module {
  Encoder encoder;
  Model() { register_module("encoder", encoder); }
  Tensor operator()(const Tensor& x) const { return encoder(x); }
};

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

TEST(Anomaly, ForwardNamesTheModule) {
  Model model;
  for (Tensor& p : model.parameters()) ag::fill_(p, 1.0);
  // Within the layer: the product overflows.
  ag::fill_(model.encoder.second.linear.weight, 3e38);
  std::string message = anomaly_of([&] { (void)model(ag::full({1, 2}, 1e3)); });
  EXPECT_TRUE(ends_with(message, "all finite; module 'encoder.layers.1.linear'")) << message;
  EXPECT_EQ(message.find("linear: anomaly in forward: inf at [0, 0] of the result [1, 2]"), 0u)
      << message;
  // Behind it: an operation without a parameter.
  ag::fill_(model.encoder.first.linear.weight, 0.0);
  ag::fill_(model.encoder.first.linear.bias, 0.0);
  message = anomaly_of([&] { (void)model(ag::ones({1, 2})); });
  EXPECT_EQ(message.find("log: anomaly in forward: -inf"), 0u) << message;
  EXPECT_TRUE(ends_with(message, "; after module 'encoder.layers.0.linear'")) << message;
}

TEST(Anomaly, BackwardNamesTheModule) {
  Model model;
  for (Tensor& p : model.parameters()) ag::fill_(p, 0.0);
  Block& first = model.encoder.first;
  Tape tape;
  const Tensor y = ag::sqrt(first.linear(ag::ones({1, 2})));
  std::string message = anomaly_of([&] { tape.backward(ag::sum(y)); });
  EXPECT_EQ(message.find("sqrt: anomaly in backward: inf"), 0u) << message;
  EXPECT_TRUE(ends_with(message, "; after module 'encoder.layers.0.linear'")) << message;

  const Tensor z = first.linear(ag::full({1, 2}, 2.0));
  message = anomaly_of([&] { tape.backward(z, {.seed = ag::full({1, 2}, 3e38)}); });
  EXPECT_EQ(message.find("linear: anomaly in backward: inf"), 0u) << message;
  EXPECT_TRUE(ends_with(message, "; module 'encoder.layers.0.linear'")) << message;
  EXPECT_FALSE(first.linear.weight.has_grad());
}

TEST(Anomaly, ModulesThatAreGone) {
  Tensor weight;
  {
    const nn::Linear layer(2, 2);
    weight = layer.weight;
  }
  const std::string message = anomaly_of([&] {
    (void)ag::matmul(ag::full({1, 2}, 3e38), weight * 1e6);
  });
  EXPECT_EQ(message.find("module"), std::string::npos) << message;
}

// --- Scalars.

TEST(Anomaly, ScalarsAreCheckedInTheSweep) {
  Tape tape;
  const Var x = tape.input(0.0), z = tape.input(2.0);
  const Var y = sqrt(x);
  const Var sum = y * 3.0 + z;
  std::string message = message_of<AnomalyError>([&] {
    const AnomalyMode guard;
    tape.backward(sum, {.retain = true});
  });
  EXPECT_EQ(
      message,
      "Var: anomaly in backward: statement 1 of the tape, of 1 arguments, carries an adjoint "
      "that is not finite to argument 0 (input 1 of the tape): adjoint 3, partial "
      "derivative inf; need finite partial derivatives (count statements with tape.size() while "
      "recording)");
  // Nothing was added to any gradient.
  const Var w = square(z);
  const AnomalyMode guard;
  tape.backward(w);
  EXPECT_EQ(z.grad(), 4);
  EXPECT_EQ(x.grad(), 0);
}

TEST(Anomaly, ASlopeByAConstantIsNobodysFault) {
  const Var k = 3.0;
  Tape tape;
  const Var x = tape.input(-2.0);
  const Var y = pow(x, k);  // by k: log(-2)
  const AnomalyMode guard;
  tape.backward(y);
  EXPECT_EQ(x.grad(), 12);
}

TEST(Anomaly, ScalarsWithoutAnomalyAgree) {
  const auto f = [](const auto& x) { return sin(x[0]) * exp(x[1]) / (x[0] + x[1] * x[1]); };
  const std::vector<double> at{0.7, -1.3};
  const auto plain = ag::grad(f, at);
  const AnomalyMode guard;
  EXPECT_EQ(ag::grad(f, at), plain);
  const auto g = [&](const auto& x) {
    std::vector<std::decay_t<decltype(x[0])>> y{f(x), x[0] * x[1]};
    return y;
  };
  EXPECT_EQ(ag::jacobian(g, at).at({1, 1}), 0.7);
}

// Sums of several terms of one statement depend on their order.
TEST(Anomaly, ScalarsAreSummedInTheSameOrder) {
  const auto gradients = [](double large) {
    Tape tape;
    const Var x = tape.input(1.0), z = tape.input(3.0);
    Var four = x + large * x - large * x + 3.0 * x;
    Var eight = four * z + x - large * x + x + large * z + large * x - x - large * z;
    tape.backward(eight);
    return std::vector<double>{x.grad(), z.grad()};
  };
  for (const double large : {1e15, 1e16, 3e16, 1e17}) {
    const std::vector<double> without = gradients(large);
    const AnomalyMode guard;
    EXPECT_EQ(gradients(large), without) << large;
  }
}

TEST(HardCases, 24_anomaly_mode_reports_the_division) {
  Tape tape;
  const Tensor x = tape.input(ag::ones({2})), y = tape.input(ag::tensor({2, 0}));
  EXPECT_EQ(
      anomaly_of([&] { (void)ag::sum(ag::tanh(x / y)); }),
      "div: anomaly in forward: inf at [1] of the result [2]; operands: [2], [2], all finite");
  const Var a = tape.input(1.0), b = tape.input(0.0);
  const std::string message = anomaly_of([&] { tape.backward(Var(a / b)); });
  EXPECT_NE(message.find("statement 1 of the tape, of 2 arguments"), std::string::npos) << message;
}

}  // namespace
