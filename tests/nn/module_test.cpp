// SPDX-License-Identifier: Apache-2.0
// Modules: names, sharing between copies and moves, train and eval, saving and loading, bad input.
#include <optional>
#include <utility>

#include "support.hpp"

namespace {

using nn_test::expect_message;
using nn_test::expect_values;

struct Mlp : nn::Module {
  nn::Linear hidden, output;
  ag::Tensor scale = ag::ones({1});
  explicit Mlp(std::uint64_t seed = 1) : Mlp(ag::Generator(seed)) {}
  ag::Tensor operator()(const ag::Tensor& x) const { return output(ag::relu(hidden(x))) * scale; }

 private:
  explicit Mlp(ag::Generator generator) : hidden(4, 5, generator), output(5, 3, generator) {
    register_module("hidden", hidden);
    register_module("output", output);
    register_buffer("scale", scale);
  }
};

struct Outer : nn::Module {
  Mlp encoder{2};
  nn::Sequential head{nn::Linear(3, 2), nn::Tanh(), nn::Linear(2, 1)};
  Outer() {
    register_module("encoder", encoder);
    register_module("head", head);
  }
  ag::Tensor operator()(const ag::Tensor& x) const { return head(encoder(x)); }
};

std::string names(const nn::NamedTensors& all) {
  std::string text;
  for (const auto& [name, tensor] : all) text += (text.empty() ? "" : " ") + name;
  return text;
}

std::string names(const nn::StateDict& all) {
  return names(nn::NamedTensors(all.begin(), all.end()));
}

TEST(Module, Names) {
  const Outer model;
  EXPECT_EQ(names(model.named_parameters()),
            "encoder.hidden.weight encoder.hidden.bias encoder.output.weight encoder.output.bias "
            "head.0.weight head.0.bias head.2.weight head.2.bias");
  EXPECT_EQ(names(model.named_buffers()), "encoder.scale");
  // PyTorch's order: own parameters, own buffers, then the members.
  EXPECT_EQ(names(model.state_dict()),
            "encoder.scale encoder.hidden.weight encoder.hidden.bias encoder.output.weight "
            "encoder.output.bias head.0.weight head.0.bias head.2.weight head.2.bias");
  EXPECT_EQ(model.parameters().size(), 8u);
  for (const ag::Tensor& p : model.parameters()) EXPECT_TRUE(p.requires_grad());
  EXPECT_EQ(model.encoder.output.path(), "encoder.output");
  EXPECT_EQ(model.path(), "");
}

// Layers with nothing to save may be registered, as in PyTorch.
TEST(Module, ActivationsAreLayersToo) {
  struct Net : nn::Module {
    nn::Linear linear{2, 2};
    nn::ReLU relu;
    nn::LeakyReLU leaky{0.2};
    Net() {
      register_module("linear", linear);
      register_module("relu", relu);
      register_module("leaky", leaky);
    }
    ag::Tensor operator()(const ag::Tensor& x) const { return leaky(relu(linear(x))); }
  };
  const Net net;
  EXPECT_EQ(net(ag::ones({1, 2})).shape(), (ag::Shape{1, 2}));
  EXPECT_EQ(net.state_dict().size(), 2u);
}

TEST(Module, CopiesShareParametersAndFlag) {
  Mlp first;
  Mlp second = first;
  const ag::Tensor x = ag::ones({2, 4});
  ag::fill_(ag::detach(first.hidden.weight), 0.5);
  EXPECT_TRUE(ag::equal(first(x), second(x)));
  second.eval();
  EXPECT_FALSE(first.is_training());
  EXPECT_FALSE(first.hidden.is_training());
  first.train();
  EXPECT_TRUE(second.output.is_training());
}

TEST(Module, EvalReachesMembersCopiedInAndOut) {
  nn::Linear layer(2, 2);
  nn::Sequential row{layer, nn::Sequential{nn::Linear(2, 3), nn::ReLU()}};
  row.append(nn::Sequential{nn::Linear(3, 1)});
  const nn::Linear inner = row[0].as<nn::Linear>();
  row.eval();
  EXPECT_FALSE(layer.is_training());
  EXPECT_FALSE(inner.is_training());
  EXPECT_FALSE(row[2].as<nn::Sequential>()[0].as<nn::Linear>().is_training());
  EXPECT_EQ(names(row.named_parameters()),
            "0.weight 0.bias 1.0.weight 1.0.bias 2.0.weight 2.0.bias");
}

TEST(Module, MovesAndDeathsOfOthersLeaveNothingDangling) {
  std::optional<Mlp> source(std::in_place, 3);
  const std::vector<double> want = nn_test::values((*source)(ag::ones({1, 4})));
  std::vector<Mlp> models;
  models.push_back(std::move(*source));
  source.reset();
  for (int i = 0; i < 10; ++i) models.emplace_back(7);  // reallocates
  expect_values(models[0](ag::ones({1, 4})), want, 0);
  models[0].eval();
  EXPECT_FALSE(models[0].hidden.is_training());
  EXPECT_TRUE(models[1].hidden.is_training());
  EXPECT_EQ(models[0].parameters().size(), 4u);
  EXPECT_EQ(models[0].hidden.path(), "hidden");

  nn::Linear orphan = Outer().encoder.hidden;  // its parents are gone
  EXPECT_EQ(orphan(ag::ones({1, 4})).numel(), 5);
  orphan.eval();
}

TEST(Module, AssignmentSharesTheOther) {
  Mlp first(1), second(2);
  first = second;
  EXPECT_TRUE(ag::equal(first(ag::ones({2, 4})), second(ag::ones({2, 4}))));
  EXPECT_EQ(names(first.named_parameters()), names(second.named_parameters()));
  first.eval();
  EXPECT_FALSE(second.hidden.is_training());
}

// The optimizer would silently miss the new layer.
TEST(Module, MemberReplacedAfterRegistrationIsNoticed) {
  Mlp model;
  model.hidden = nn::Linear(4, 5);
  expect_message<ag::ValueError>(
      "Module: a member was replaced after it was registered: 'hidden'; need "
      "register_module(\"hidden\", ...) after the assignment",
      [&] { model.parameters(); });
  EXPECT_THROW(model.eval(), ag::ValueError);
  model.register_module("hidden", model.hidden);
  EXPECT_EQ(names(model.named_parameters()), "hidden.weight hidden.bias output.weight output.bias");
  EXPECT_EQ(model.parameters()[0].node(), model.hidden.weight.node());
}

struct Tied : nn::Module {
  nn::Linear a{3, 3}, b{3, 3};
  Tied() {
    b.weight = a.weight;
    register_module("a", a);
    register_module("again", a);
    register_parameter("own", a.weight);
  }
};

TEST(Module, SharedParametersAreListedOnce) {
  const Tied model;
  EXPECT_EQ(names(model.named_parameters()), "own a.bias");
  EXPECT_EQ(names(model.state_dict()), "own a.weight a.bias again.weight again.bias");
}

TEST(Module, StateDictRoundTrip) {
  Outer first;
  Outer second;
  nn::constant_(first.encoder.scale, 3.0);
  const ag::Tensor x = ag::randn({5, 4});
  EXPECT_FALSE(ag::equal(first(x), second(x)));
  second.load_state_dict(first.state_dict());
  EXPECT_TRUE(ag::equal(first(x), second(x)));
  // Copied, not shared.
  ag::fill_(ag::detach(first.encoder.hidden.bias), 9.0);
  EXPECT_FALSE(ag::equal(first(x), second(x)));
  first.load_state_dict(first.state_dict());  // itself
  // The dict shares elements with the module, untracked.
  EXPECT_EQ(first.state_dict().at("encoder.hidden.bias").at({0}), 9.0);
  EXPECT_FALSE(first.state_dict().at("encoder.hidden.bias").requires_grad());
}

TEST(Module, LoadConvertsFloatingDtypes) {
  nn::Linear narrow(2, 2), wide(2, 2, {.dtype = ag::float64});
  narrow.load_state_dict(wide.state_dict());
  EXPECT_EQ(narrow.weight.dtype(), ag::float32);
  EXPECT_TRUE(ag::allclose(ag::to(narrow.weight, ag::float64), wide.weight, 1e-6));
}

TEST(Module, LoadIsStrictAndChangesNothingWhenItThrows) {
  Mlp model;
  const std::vector<double> before = nn_test::values(model.hidden.weight);
  nn::StateDict state;
  state.insert("hidden.weight", ag::ones({5, 4}));
  state.insert("hidden.bias", ag::ones({4}));
  state.insert("output.bias", ag::ones({3}, ag::int64));
  state.insert("output.gain", ag::ones({3}));
  state.insert("step", ag::ones({}));
  expect_message<ag::ValueError>(
      "load_state_dict: the state does not fit the module: missing scale, output.weight; "
      "unexpected output.gain, step; misshapen hidden.bias is float32 [4] and not float32 [5], "
      "output.bias is int64 [3] and not float32 [3]; need the names, shapes and dtypes of "
      "state_dict() (2 missing, 2 unexpected, 2 misshapen)",
      [&] { model.load_state_dict(state); });
  expect_values(model.hidden.weight, before, 0);
  nn::StateDict undefined = Mlp().state_dict();
  undefined.erase("scale");
  undefined.insert("scale", ag::Tensor());
  EXPECT_THROW(model.load_state_dict(undefined), ag::ValueError);
}

TEST(Module, ZeroGrad) {
  Mlp model;
  nn_test::deposit(model.parameters(), [&] { return ag::sum(model(ag::ones({2, 4}))); });
  EXPECT_TRUE(model.hidden.weight.has_grad());
  model.zero_grad();
  for (const ag::Tensor& p : model.parameters()) EXPECT_FALSE(p.has_grad());
}

TEST(Module, BadRegistrations) {
  nn::Module module, other;
  module.register_parameter("w", ag::ones({2}));
  expect_message<ag::ValueError>(
      "register_parameter: the name is taken: 'w'; need one name for each parameter, buffer and "
      "module",
      [&] { module.register_parameter("w", ag::ones({2})); });
  expect_message<ag::ValueError>(
      "register_buffer: the name has a dot: 'a.b'; need a name without one (dots separate modules)",
      [&] { module.register_buffer("a.b", ag::ones({2})); });
  EXPECT_THROW(module.register_buffer("", ag::ones({2})), ag::ValueError);
  EXPECT_THROW(module.register_module("w", other), ag::ValueError);
  EXPECT_THROW(module.register_parameter("i", ag::ones({2}, ag::int64)), ag::TypeError);
  EXPECT_THROW(module.register_parameter("u", ag::Tensor()), ag::ValueError);
  EXPECT_THROW(module.register_buffer("u", ag::Tensor()), ag::ValueError);
  module.register_module("other", other);
  EXPECT_THROW(module.register_module("other", other), ag::ValueError);
  expect_message<ag::ValueError>(
      "register_module: a module cannot contain itself: 'loop'; need another module",
      [&] { other.register_module("loop", module); });
  EXPECT_THROW(module.register_module("self", module), ag::ValueError);
  EXPECT_EQ(names(module.state_dict()), "w");
}

TEST(Module, VectorsOfLayers) {
  struct Stack : nn::Module {
    std::vector<nn::Linear> layers;
    Stack() {
      for (int i = 0; i < 3; ++i) {
        layers.emplace_back(2, 2, nn::LinearOptions{.bias = false});
        register_module("layers." + std::to_string(i), layers.back());
      }
    }
  };
  EXPECT_EQ(names(Stack().named_parameters()), "layers.0.weight layers.1.weight layers.2.weight");
}

TEST(StateDict, ACloneKeepsWeightsAsTheyAre) {
  nn::Linear layer(2, 1, {.bias = false});
  nn::constant_(layer.weight, 3.0);
  nn::StateDict best = layer.state_dict().clone();
  nn::constant_(layer.weight, 5.0);
  expect_values(best.at("weight"), {3, 3});
  EXPECT_FALSE(best.at("weight").requires_grad());
  layer.load_state_dict(best);
  expect_values(layer.weight, {3, 3});
  best.insert("ids", ag::tensor({1, 2}, ag::int64));
  best.insert("none", ag::Tensor());
  const nn::StateDict again = best.clone();
  EXPECT_EQ(names(again), "weight ids none");
  EXPECT_EQ(again.at("ids").dtype(), ag::int64);
  EXPECT_FALSE(again.at("none").defined());
}

TEST(StateDict, Entries) {
  nn::StateDict state;
  EXPECT_TRUE(state.empty());
  for (const char* name : {"b", "a", "c"}) state.insert(name, ag::ones({1}));
  state.erase("b");
  EXPECT_EQ(names(state), "a c");
  EXPECT_TRUE(state.contains("c"));
  EXPECT_EQ(state.at("c").numel(), 1);
  state.insert("b", ag::zeros({2}));
  EXPECT_EQ(names(state), "a c b");
  EXPECT_EQ(state.at("b").numel(), 2);
  EXPECT_THROW(state.insert("a", ag::ones({1})), ag::ValueError);
  EXPECT_THROW(state.erase("x"), ag::ValueError);
  expect_message<ag::ValueError>(
      "StateDict.at: no such name: 'x'; need one of the 3 names it holds", [&] { state.at("x"); });
}

// A hostile file may have a million names, each a megabyte of commands to the terminal.
TEST(Module, NamesOfAFileInMessages) {
  nn::Linear model(1, 1);
  nn::StateDict state = model.state_dict();
  state.insert("\x1b[2J" + std::string(1000, 'x'), ag::ones({1}));
  for (int i = 0; i < 1000; ++i) state.insert("u" + std::to_string(i), ag::ones({1}));
  std::string shown = "\\x1b[2J" + std::string(96, 'x') + "...";
  for (int i = 0; i < 99; ++i) shown += ", u" + std::to_string(i);
  nn_test::expect_message<ag::ValueError>(
      "load_state_dict: the state does not fit the module: unexpected " + shown +
          ", and 901 more; need the names, shapes and dtypes of state_dict() (0 missing, 1001 "
          "unexpected, 0 misshapen)",
      [&] { model.load_state_dict(state); });
  nn_test::expect_message<ag::ValueError>(
      "StateDict.at: no such name: 'a\\x00'; need one of the 1003 names it holds",
      [&] { state.at(std::string("a\0", 2)); });
}

}  // namespace
