// SPDX-License-Identifier: Apache-2.0
// The activations of networks as objects: each gives what its function gives, options included, by
// itself and in a Sequential. Values and slopes of the functions are tested with the operations.
#include "support.hpp"

namespace nn_test {
namespace {

using Function = std::function<ag::Tensor(const ag::Tensor&)>;
// The overload for tensors of a function that scalars have too.
using OfTensor = ag::Tensor (*)(const ag::Tensor&);

const ag::Tensor kX = ag::tensor({{-5.0, -1.5, -0.25}, {0.0, 0.75, 7.0}}, ag::float64);

void expect_module(const Function& module, const Function& function) {
  EXPECT_TRUE(ag::equal(module(kX), function(kX)));
  const auto report =
      ag::gradcheck([&](const std::vector<ag::Tensor>& in) { return module(in[0] + 0.01); }, {kX});
  EXPECT_TRUE(report) << report.message();
}

TEST(Activation, WithoutOptions) {
  expect_module(nn::ReLU6(), OfTensor(ag::relu6));
  expect_module(nn::SELU(), OfTensor(ag::selu));
  expect_module(nn::SiLU(), OfTensor(ag::silu));
  expect_module(nn::Mish(), OfTensor(ag::mish));
  expect_module(nn::Hardsigmoid(), OfTensor(ag::hardsigmoid));
  expect_module(nn::Hardswish(), OfTensor(ag::hardswish));
  expect_module(nn::Softsign(), OfTensor(ag::softsign));
  expect_module(nn::LogSigmoid(), OfTensor(ag::logsigmoid));
  expect_module(nn::Softplus(), OfTensor(ag::softplus));
}

TEST(Activation, DefaultsArePyTorchs) {
  const double e = std::expm1(-1.5);
  expect_values(nn::LeakyReLU()(kX), {-0.05, -0.015, -0.0025, 0, 0.75, 7});
  expect_values(nn::ELU()(kX), {std::expm1(-5.0), e, std::expm1(-0.25), 0, 0.75, 7});
  expect_values(nn::CELU()(kX), {std::expm1(-5.0), e, std::expm1(-0.25), 0, 0.75, 7});
  expect_values(nn::Hardtanh()(kX), {-1, -1, -0.25, 0, 0.75, 1});
  expect_values(nn::GELU()(kX),
                {-1.43325785934012e-6, -0.100210801903287, -0.100323418579269, 0, 0.580029485717349,
                 6.99999999999104},
                1e-14);
}

// kX is -5, -1.5, -0.25, 0, 0.75, 7.
TEST(Activation, Composed) {
  expect_values(nn::Hardshrink()(kX), {-5, -1.5, 0, 0, 0.75, 7}, 0);
  expect_values(nn::Softshrink()(kX), {-4.5, -1, 0, 0, 0.25, 6.5}, 0);
  expect_values(nn::Threshold(0.75, 20)(kX), {20, 20, 20, 20, 20, 7}, 0);
  expect_values(nn::Tanhshrink()(ag::tensor({0.75}, ag::float64)), {0.75 - std::tanh(0.75)});
  expect_module(nn::Softmin(0), [](const ag::Tensor& x) { return ag::softmax(-x, 0); });
  const ag::Tensor image = ag::reshape(kX, {1, 3, 2, 1});
  EXPECT_TRUE(ag::equal(nn::Softmax2d()(image), ag::softmax(image, 1)));
  for (const Function& module : {Function(nn::Hardshrink()), Function(nn::Softshrink()),
                                 Function(nn::Threshold(0.5, 20)), Function(nn::Tanhshrink())}) {
    const auto report = ag::gradcheck(
        [&](const std::vector<ag::Tensor>& in) { return module(in[0] + 0.01); }, {kX});
    EXPECT_TRUE(report) << report.message();
    EXPECT_TRUE(std::isnan(module(ag::full({1}, NAN)).item()));
  }
}

TEST(Activation, RandomSlopes) {
  ag::Generator generator(1);
  nn::RReLU rrelu(generator, {.lower = 0.1, .upper = 0.3});
  const nn::StateDict start = rrelu.generator_state();
  const ag::Tensor x = ag::full({200}, -1.0), y = rrelu(x);
  EXPECT_GE(ag::max(-y).item(), 0.28);
  EXPECT_LE(ag::max(-y).item(), 0.3);
  EXPECT_GE(-ag::max(y).item(), 0.1);
  EXPECT_FALSE(ag::equal(rrelu(x), y));
  rrelu.load_generator_state(start);
  EXPECT_TRUE(ag::equal(rrelu(x), y));
  rrelu.eval();
  EXPECT_NEAR(rrelu(x).at({0}), -0.2, 1e-7);
  EXPECT_THROW(nn::RReLU({.lower = 1, .upper = 0}), ag::ValueError);
  EXPECT_THROW(nn::PReLU({.num_parameters = 0}), ag::ValueError);
}

TEST(Activation, Options) {
  using ag::Tensor;
  expect_module(nn::LeakyReLU(0.2), [](const Tensor& x) { return ag::leaky_relu(x, 0.2); });
  expect_module(nn::ELU(0.5), [](const Tensor& x) { return ag::elu(x, 0.5); });
  expect_module(nn::CELU(0.5), [](const Tensor& x) { return ag::celu(x, 0.5); });
  expect_module(nn::Hardtanh(-2, 3), [](const Tensor& x) { return ag::hardtanh(x, -2, 3); });
  expect_module(nn::GELU({.approximate = ag::GeluApproximation::tanh}),
                [](const Tensor& x) { return ag::gelu_tanh(x); });
  expect_module(nn::Softplus({.beta = 3, .threshold = 1}),
                [](const Tensor& x) { return ag::softplus(x, {.beta = 3, .threshold = 1}); });
}

TEST(Activation, InASequential) {
  ag::Generator generator(1);
  nn::Sequential model{nn::Linear(3, 4, generator), nn::GELU(), nn::Linear(4, 2, generator),
                       nn::LeakyReLU(0.1)};
  const ag::Tensor x = ag::to(kX, ag::float32);
  EXPECT_EQ(model(x).shape(), (ag::Shape{2, 2}));
  ag::Tape tape;
  tape.backward(ag::sum(model(x)));
  for (const auto& [name, parameter] : model.named_parameters()) {
    EXPECT_TRUE(parameter.has_grad()) << name;
  }
}

}  // namespace
}  // namespace nn_test
