// SPDX-License-Identifier: Apache-2.0
// Sequential with names, ModuleList, ModuleDict, tied parameters, and the table of summary().
#include "support.hpp"

namespace {

using nn_test::expect_message;
using nn_test::expect_values;

std::string names(const nn::NamedTensors& all) {
  std::string text;
  for (const auto& [name, tensor] : all) text += (text.empty() ? "" : " ") + name;
  return text;
}

TEST(Sequential, NamesAndNestedPaths) {
  nn::Sequential encoder, model;
  encoder.append("fc1", nn::Linear(2, 3)).append("act", nn::ReLU()).append(nn::Linear(3, 4));
  model.append("encoder", encoder).append("head", nn::Linear(4, 1));
  EXPECT_EQ(names(model.named_parameters()),
            "encoder.fc1.weight encoder.fc1.bias encoder.2.weight encoder.2.bias head.weight "
            "head.bias");
  EXPECT_EQ(model.at("encoder.fc1").as<nn::Linear>().weight.shape(), (ag::Shape{3, 2}));
  EXPECT_EQ(model.at("encoder.2").as<nn::Linear>().weight.shape(), (ag::Shape{4, 3}));
  EXPECT_EQ(model.at("encoder.act").type_name(), "ReLU");
  EXPECT_EQ(encoder.name(1) + " " + encoder.name(2), "act 2");
  EXPECT_THROW(encoder.name(3), ag::ValueError);
  std::size_t layers = 0;
  for (const nn::Layer& layer : encoder) layers += layer.module() != nullptr ? 10 : 1;
  EXPECT_EQ(layers, 21u);
  expect_message<ag::ValueError>(
      "Sequential: no such layer: 'body.0'; need the name of one of its 2 layers",
      [&] { model.at("body.0"); });
  EXPECT_THROW(model.at("head.0"), ag::TypeError);
  for (const char* bad : {"", "head", "a.b"}) {
    EXPECT_THROW(model.append(bad, nn::Linear(1, 1)), ag::ValueError) << bad;
  }
  EXPECT_EQ(model.size(), 2u);
  expect_message<ag::ShapeError>(
      "Linear 'encoder.fc1': input has the wrong size: input is [1, 3]; need input.shape[-1] == 2 "
      "(3 != 2)",
      [&] {
        model(ag::ones({1, 3}));
      });
}

struct Blocks : nn::Module {
  nn::ModuleList<nn::Linear> blocks;
  nn::ModuleDict<nn::Linear> heads;
  Blocks() {
    for (int i = 0; i < 3; ++i) blocks.emplace(2, 2);
    heads.insert("left", nn::Linear(2, 1)).insert("right", nn::Linear(2, 3));
    register_module("blocks", blocks);
    register_module("heads", heads);
  }
  ag::Tensor operator()(const ag::Tensor& x, const std::string& head) const {
    ag::Tensor y = x;
    for (const nn::Linear& block : blocks) y = ag::tanh(block(y));
    return heads[head](y);
  }
};

TEST(ModuleList, KeepsAndRegistersItsMembers) {
  Blocks model;
  EXPECT_EQ(names(model.named_parameters()),
            "blocks.0.weight blocks.0.bias blocks.1.weight blocks.1.bias blocks.2.weight "
            "blocks.2.bias heads.left.weight heads.left.bias heads.right.weight heads.right.bias");
  EXPECT_EQ(model(ag::ones({4, 2}), "right").shape(), (ag::Shape{4, 3}));
  const nn::Linear& first = model.blocks[0];
  const Blocks copy = model;
  model.blocks.emplace(2, 2);
  EXPECT_EQ(copy.blocks.size(), 4u);    // copies share
  EXPECT_EQ(&first, &model.blocks[0]);  // and members stay where they are
  EXPECT_TRUE(model.heads.contains("left"));
  EXPECT_FALSE(model.heads.contains("middle"));
  model.eval();
  EXPECT_FALSE(copy.blocks[3].is_training());
  expect_message<ag::ValueError>("ModuleList: no such member: index 4; need one of its 4",
                                 [&] { model.blocks[4]; });
  expect_message<ag::ValueError>("ModuleDict: no such member: 'middle'; need one of its 2",
                                 [&] { model.heads["middle"]; });
  EXPECT_THROW(model.heads.insert("left", nn::Linear(1, 1)), ag::ValueError);
  EXPECT_THROW(model.heads.insert("", nn::Linear(1, 1)), ag::ValueError);
  EXPECT_EQ(model.heads.size(), 2u);
  EXPECT_EQ(model.blocks[1].path(), "blocks.1");
}

TEST(ModuleList, HoldsLayersOfAnyType) {
  const nn::ModuleList mixed{nn::Linear(2, 3), nn::ReLU(), nn::LayerNorm(3)};
  static_assert(std::is_same_v<decltype(mixed), const nn::ModuleList<nn::Layer>>);
  const nn::ModuleList equal{nn::Linear(2, 3), nn::Linear(3, 2)};
  static_assert(std::is_same_v<decltype(equal), const nn::ModuleList<nn::Linear>>);
  const nn::ModuleList copy = equal;
  EXPECT_EQ(names(copy.named_parameters()), "0.weight 0.bias 1.weight 1.bias");
  EXPECT_EQ(names(mixed.named_parameters()), "0.weight 0.bias 2.weight 2.bias");
  ag::Tensor y = ag::ones({1, 2});
  for (const nn::Layer& layer : mixed) y = layer(y);
  EXPECT_EQ(y.shape(), (ag::Shape{1, 3}));
  nn::ModuleDict<nn::Layer> by_name;
  by_name.insert("norm", nn::LayerNorm(3)).insert("act", nn::ReLU());
  EXPECT_EQ(names(by_name.named_parameters()), "norm.weight norm.bias");
  EXPECT_EQ(by_name["norm"](y).shape(), y.shape());
}

struct Tied : nn::Module {
  nn::Embedding embedding{5, 3};
  nn::Linear output{3, 5};
  Tied() {
    register_module("embedding", embedding);
    register_module("output", output);
    output.share_parameter(output.weight, embedding.weight);
  }
  ag::Tensor operator()(const ag::Tensor& x) const { return output(embedding(x)); }
};

TEST(Module, SharedParameters) {
  Tied model;
  EXPECT_EQ(model.parameters().size(), 2u);  // once
  EXPECT_EQ(names(model.named_parameters()), "embedding.weight output.bias");
  const nn::StateDict state = model.state_dict();  // under each name
  EXPECT_EQ(state.size(), 3u);
  EXPECT_TRUE(ag::equal(state.at("embedding.weight"), state.at("output.weight")));
  const ag::Tensor index = ag::tensor({0, 4}, ag::int64);
  nn_test::deposit(model.parameters(), [&] { return ag::sum(ag::square(model(index))); });
  // Both uses: of rows 1 to 3 only the output's is left.
  const ag::Tensor gradient = model.embedding.weight.grad();
  EXPECT_NE(ag::max(ag::abs(gradient(1))).item(), 0.0);
  Tied other;
  other.load_state_dict(state);
  EXPECT_TRUE(ag::equal(other(index), model(index)));
  nn::Linear narrow(2, 5), wide(3, 5, {.dtype = ag::float64});
  expect_message<ag::ShapeError>(
      "share_parameter: shapes differ: 'weight' is [5, 2], the other is [5, 3]; need one shape",
      [&] { narrow.share_parameter(narrow.weight, model.embedding.weight); });
  EXPECT_THROW(wide.share_parameter(wide.weight, model.embedding.weight), ag::TypeError);
  EXPECT_THROW(narrow.share_parameter(wide.weight, wide.weight), ag::ValueError);
  EXPECT_THROW(narrow.share_parameter(narrow.weight, nn::Parameter()), ag::ValueError);
}

struct Net : nn::Module {
  nn::Sequential features{nn::Conv2d(1, 6, 5), nn::BatchNorm2d(6), nn::ReLU(), nn::MaxPool2d(2),
                          nn::Flatten()};
  nn::Linear head{216, 10}, unused{3, 3};
  nn::Parameter scale{ag::ones({2})};
  Net() {
    register_module("features", features);
    register_module("head", head);
    register_module("unused", unused);
    register_parameter("scale", scale);
  }
  ag::Tensor operator()(const ag::Tensor& x) const { return head(features(x)); }
};

TEST(Summary, ListsLayersInOrder) {
  Net model;
  model.eval();
  model.features.train();
  const char* const want =
      "layer       type         output          parameters\n"
      "---------------------------------------------------\n"
      "(model)     Net          [2, 10]                  2\n"
      "features    Sequential   [2, 216]                 -\n"
      "features.0  Conv2d       [2, 6, 12, 12]         156\n"
      "features.1  BatchNorm2d  [2, 6, 12, 12]          12\n"
      "features.2  ReLU         [2, 6, 12, 12]           -\n"
      "features.3  MaxPool2d    [2, 6, 6, 6]             -\n"
      "features.4  Flatten      [2, 216]                 -\n"
      "head        Linear       [2, 10]              2,170\n"
      "unused                   -                       12\n"
      "---------------------------------------------------\n"
      "2,352 parameters, 9.1 KiB\n";
  EXPECT_EQ(nn::summary(model, {2, 1, 16, 16}), want);
  // Nothing was learned or switched, and a member of another model is described by itself.
  EXPECT_EQ(model.features.state_dict().at("1.num_batches_tracked").item(), 0);
  EXPECT_TRUE(model.features.is_training());
  EXPECT_FALSE(model.is_training());
  EXPECT_NE(model.features.summary({1, 1, 16, 16}).find("\n3        MaxPool2d "), std::string::npos)
      << model.features.summary({1, 1, 16, 16});
}

TEST(Summary, OtherInputsAndErrors) {
  const nn::LSTM lstm(3, 4);
  EXPECT_NE(nn::summary(lstm, {5, 2, 3}).find("LSTM  [5, 2, 4]"), std::string::npos);
  const Tied tied;
  const std::string table = nn::summary(tied, {2, 7}, {.dtype = ag::int64});
  EXPECT_NE(table.find("\n20 parameters, 80 B\n"), std::string::npos) << table;
  const nn::Bilinear bilinear(2, 3, 4);
  EXPECT_NE(nn::summary(bilinear, [&] { return bilinear(ag::ones({2}), ag::ones({3})); })
                .find("Bilinear  [4]"),
            std::string::npos);
  Net model;
  EXPECT_THROW(nn::summary(model, {2, 2, 16, 16}), ag::Error);
  EXPECT_TRUE(model.is_training());  // nobody watches any more
}

}  // namespace
