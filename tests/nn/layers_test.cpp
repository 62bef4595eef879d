// SPDX-License-Identifier: Apache-2.0
// Linear, the activations and Sequential: values, gradients of the parameters, messages with the path,
// and a network that learns XOR.
#include <memory>

#include "support.hpp"

namespace {

using nn_test::expect_message;
using nn_test::expect_parameter_gradients;
using nn_test::expect_values;
using nn_test::float64;

void set(const ag::Tensor& parameter, const ag::Tensor& values) {
  ag::copy_(ag::detach(parameter), values);
}

TEST(Linear, Values) {
  nn::Linear layer(3, 2);
  EXPECT_EQ(layer.weight.shape(), (ag::Shape{2, 3}));
  EXPECT_EQ(layer.bias.shape(), (ag::Shape{2}));
  set(layer.weight, ag::tensor({{1, 2, 3}, {-1, 0, 1}}));
  set(layer.bias, ag::tensor({10, 20}));
  expect_values(layer(ag::tensor({{1, 1, 1}, {0, 1, 2}})), {16, 20, 18, 22}, 0);
  expect_values(layer(ag::tensor({1, 1, 1})), {16, 20}, 0);
  EXPECT_EQ(layer(ag::ones({4, 5, 3})).shape(), (ag::Shape{4, 5, 2}));
  EXPECT_EQ(layer(ag::ones({0, 3})).shape(), (ag::Shape{0, 2}));
}

TEST(Linear, WithoutBias) {
  nn::Linear layer(3, 2, {.bias = false});
  EXPECT_FALSE(layer.bias.defined());
  EXPECT_EQ(layer.parameters().size(), 1u);
  set(layer.weight, ag::ones({2, 3}));
  expect_values(layer(ag::ones({1, 3})), {3, 3}, 0);
}

TEST(Linear, StartsWithinItsBound) {
  ag::Generator first(1), second(1), third(2);
  const nn::Linear a(100, 200, first), b(100, 200, second), c(100, 200, third);
  EXPECT_TRUE(ag::equal(a.weight, b.weight));
  EXPECT_TRUE(ag::equal(a.bias, b.bias));
  EXPECT_FALSE(ag::equal(a.weight, c.weight));
  EXPECT_LE(ag::max(ag::abs(a.weight)).item(), 0.1);
  EXPECT_GT(ag::max(ag::abs(a.weight)).item(), 0.0999);
  EXPECT_LE(ag::max(ag::abs(a.bias)).item(), 0.1);
  EXPECT_GT(ag::max(ag::abs(a.bias)).item(), 0.09);
}

TEST(Linear, ParameterGradients) {
  ag::Generator generator(3);
  const ag::Tensor x = ag::randn({5, 3}, generator, ag::float64);
  for (const bool bias : {true, false}) {
    const nn::Linear layer(3, 2, generator, {.bias = bias, .dtype = ag::float64});
    expect_parameter_gradients(layer.parameters(), [&] { return ag::sum(ag::square(layer(x))); });
  }
}

TEST(Linear, BadInput) {
  const nn::Linear alone(2, 3);
  expect_message<ag::ShapeError>(
      "Linear: input has the wrong size: input is [4, 3]; need input.shape[-1] == 2 (3 != 2)", [&] {
        alone(ag::ones({4, 3}));
      });
  expect_message<ag::ShapeError>(
      "Linear: input has the wrong size: input is []; need input.shape[-1] == 2 (a scalar has no "
      "axes)",
      [&] { alone(ag::tensor(1.0)); });
  expect_message<ag::TypeError>(
      "Linear: input has the wrong dtype: input is float64, weight is float32; need them alike "
      "(convert with to(input, autograd::float32))",
      [&] {
        alone(ag::ones({4, 2}, ag::float64));
      });
  expect_message<ag::ValueError>(
      "Linear: negative size: in is -1, out is 3; need in >= 0 and out >= 0",
      [] { nn::Linear(-1, 3); });
  EXPECT_THROW(nn::Linear(1, 3, {.dtype = ag::int64}), ag::TypeError);
  try {
    alone(ag::Tensor());
    ADD_FAILURE() << "nothing thrown";
  } catch (const ag::ValueError& error) {
    EXPECT_EQ(std::string(error.what()).rfind("Linear: ", 0), 0u) << error.what();
  }
}

TEST(Linear, MessagesNameThePath) {
  struct Encoder : nn::Module {
    nn::Linear fc1{2, 3}, fc2{3, 4};
    nn::Sequential head{nn::Linear(4, 4), nn::ReLU(), nn::Linear(5, 1)};
    Encoder() {
      register_module("fc1", fc1);
      register_module("fc2", fc2);
      register_module("head", head);
    }
  };
  struct Model : nn::Module {
    Encoder encoder;
    Model() { register_module("encoder", encoder); }
  };
  const Model model;
  expect_message<ag::ShapeError>(
      "Linear 'encoder.fc2': input has the wrong size: input is [4, 2]; need input.shape[-1] == 3 "
      "(2 != 3)",
      [&] {
        model.encoder.fc2(ag::ones({4, 2}));
      });
  ag::Tape tape;  // stays usable
  expect_message<ag::ShapeError>(
      "Linear 'encoder.head.2': input has the wrong size: input is [1, 4]; need input.shape[-1] == "
      "5 (4 != 5)",
      [&] {
        model.encoder.head(ag::ones({1, 4}));
      });
  tape.backward(ag::sum(model.encoder.fc1(ag::ones({1, 2}))));
  EXPECT_TRUE(model.encoder.fc1.weight.has_grad());
}

TEST(Activation, Values) {
  const ag::Tensor x = float64({{-1.0, 0.0, 2.0}});
  expect_values(nn::Identity()(x), {-1, 0, 2}, 0);
  expect_values(nn::Sigmoid()(x), {1 / (1 + std::exp(1.0)), 0.5, 1 / (1 + std::exp(-2.0))});
  expect_values(nn::Tanh()(x), {std::tanh(-1.0), 0, std::tanh(2.0)});
  expect_values(nn::ReLU()(x), {0, 0, 2}, 0);
  expect_values(nn::Softplus()(x),
                {std::log1p(std::exp(-1.0)), std::log(2.0), 2 + std::log1p(std::exp(-2.0))});
  const double norm = std::log(std::exp(-1.0) + 1 + std::exp(2.0));
  expect_values(nn::LogSoftmax(1)(x), {-1 - norm, -norm, 2 - norm});
  expect_values(nn::Softmax()(x), {std::exp(-1 - norm), std::exp(-norm), std::exp(2 - norm)});
  expect_values(nn::Softmax(0)(x), {1, 1, 1});
}

struct Scale : nn::Module {
  nn::Parameter factor{ag::full({1}, 3.0)};
  Scale() { register_parameter("factor", factor); }
  ag::Tensor operator()(const ag::Tensor& x) const { return x * factor; }
};

TEST(Sequential, TakesAnythingThatMapsATensor) {
  Scale scale;
  int calls = 0;
  nn::Sequential model{scale, nn::ReLU(), [&calls](const ag::Tensor& x) {
                         ++calls;
                         return x + 1.0;
                       }};
  expect_values(model(ag::tensor({-1, 2})), {1, 7}, 0);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(model.size(), 3u);
  nn::constant_(scale.factor, 10.0);  // shared with the caller's
  expect_values(model(ag::tensor({-1, 2})), {1, 21}, 0);
  expect_values(model[0](ag::tensor({2})), {20}, 0);
  EXPECT_EQ(model.named_parameters()[0].first, "0.factor");
}

TEST(Sequential, AppendsAtRunTime) {
  nn::Sequential model;
  const ag::Tensor x = ag::ones({1, 2});
  EXPECT_TRUE(ag::equal(model(x), x));  // no layers: the identity
  nn::Sequential copy = model;
  model.emplace<nn::Linear>(2, 3).append(nn::Tanh()).append(nn::Linear(3, 1));
  EXPECT_EQ(copy.size(), 3u);  // copies share
  EXPECT_TRUE(ag::equal(model(x), copy(x)));
  EXPECT_EQ(model[2].as<nn::Linear>().weight.numel(), 3);
  EXPECT_THROW(model[1].as<nn::Linear>(), ag::TypeError);
  EXPECT_EQ(model[2].get_if<nn::Linear>(), &model[2].as<nn::Linear>());
  EXPECT_EQ(model[1].get_if<nn::Linear>(), nullptr);
  expect_message<ag::ValueError>("Sequential: no such layer: index 3; need index < size() (3 >= 3)",
                                 [&] { model[3]; });
}

TEST(Sequential, BracesCopyOneAndNestSeveral) {
  nn::Sequential inner{nn::Linear(2, 2)};
  nn::Sequential copied{inner}, nested{inner, nn::ReLU()}, appended;
  appended.append(inner);
  EXPECT_EQ(copied.named_parameters()[0].first, "0.weight");
  EXPECT_EQ(nested.named_parameters()[0].first, "0.0.weight");
  EXPECT_EQ(appended.named_parameters()[0].first, "0.0.weight");
  EXPECT_EQ(copied.parameters()[0].node(), inner.parameters()[0].node());
}

// A Linear and the activation behind it are one step there, with the bits of two.
TEST(Sequential, JoinsLinearAndActivation) {
  ag::Generator generator(3);
  const nn::Linear first(3, 4, generator), second(4, 2, generator, {.bias = false});
  const nn::Sequential model{first, nn::Tanh(), second, nn::ReLU(), nn::Sigmoid()};
  const ag::Tensor x = ag::randn({5, 3}, generator);
  ag::Tape tape;
  const ag::Tensor y = model(x);
  EXPECT_EQ(tape.size(), 4u);
  EXPECT_EQ(ag::to_string(y), ag::to_string(ag::sigmoid(ag::relu(second(ag::tanh(first(x)))))));
}

TEST(Sequential, OutlivesWhatItWasBuiltFrom) {
  auto layer = std::make_unique<nn::Linear>(2, 2);
  nn::Sequential model{*layer, nn::Sigmoid()};
  layer.reset();
  EXPECT_EQ(model(ag::ones({1, 2})).numel(), 2);
  EXPECT_EQ(model.parameters().size(), 2u);
}

TEST(Sequential, ParameterGradients) {
  ag::Generator generator(4);
  const nn::LinearOptions wide{.dtype = ag::float64};
  const nn::Sequential model{nn::Linear(3, 4, generator, wide), nn::Tanh(),
                             nn::Linear(4, 4, generator, wide), nn::Softplus(),
                             nn::Linear(4, 2, generator, wide), nn::LogSoftmax()};
  const ag::Tensor x = ag::randn({6, 3}, generator, ag::float64);
  const ag::Tensor t = ag::randn({6, 2}, generator, ag::float64);
  expect_parameter_gradients(model.parameters(), [&] { return nn::mse_loss(model(x), t); });
}

// As contract program 05, with every optimizer.
template <class Optimizer, class Options> void expect_xor_is_learned(const Options& options) {
  const ag::Tensor x = ag::tensor({{0, 0}, {0, 1}, {1, 0}, {1, 1}});  // [4, 2]
  const ag::Tensor y = ag::tensor({{0}, {1}, {1}, {0}});              // [4, 1]
  ag::Generator generator(1);
  nn::Sequential model{nn::Linear(2, 4, generator), nn::Sigmoid(), nn::Linear(4, 1, generator),
                       nn::Sigmoid()};
  Optimizer optimizer(model.parameters(), options);
  for (int epoch = 0; epoch < 5000; ++epoch) {
    ag::Tape tape;
    const ag::Tensor loss = nn::mse_loss(model(x), y);
    optimizer.zero_grad();
    tape.backward(loss);
    optimizer.step();
  }
  const ag::Tensor out = model(x);
  for (int i = 0; i < 4; ++i) EXPECT_NEAR(out.at({i, 0}), y.at({i, 0}), 0.1) << "row " << i;
}

TEST(Xor, IsLearned) {
  expect_xor_is_learned<nn::SGD>(nn::SGDOptions{.lr = 2.0, .momentum = 0.9});
  expect_xor_is_learned<nn::Adam>(nn::AdamOptions{.lr = 0.05});
  expect_xor_is_learned<nn::AdamW>(nn::AdamWOptions{.lr = 0.05, .weight_decay = 1e-5});
  expect_xor_is_learned<nn::RMSprop>(nn::RMSpropOptions{.lr = 0.02});
}

}  // namespace
