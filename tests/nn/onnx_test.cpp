// SPDX-License-Identifier: Apache-2.0
// What save_onnx writes, read back with a minimal reader of protocol buffers, and what it refuses.
// Whether other programs compute the same is asked by onnx_check.py.
#include <cstring>
#include <map>

#include "files_support.hpp"

namespace {

using nn_test::expect_message;
using nn_test::Folder;
using nn_test::slurp;
using nn_test::spill;

/// A message: the values of each field, numbers or bytes, in their order.
struct Message {
  std::map<int, std::vector<std::uint64_t>> numbers;
  std::map<int, std::vector<std::string>> texts;

  explicit Message(const std::string& bytes) {
    std::size_t at = 0;
    const auto varint = [&] {
      std::uint64_t value = 0;
      for (int shift = 0;; shift += 7) {
        const auto byte = static_cast<unsigned char>(bytes.at(at++));
        value |= std::uint64_t{byte & 127u} << shift;
        if (byte < 128) return value;
      }
    };
    while (at < bytes.size()) {
      const std::uint64_t key = varint();
      const int field = static_cast<int>(key >> 3);
      if ((key & 7) == 0) {
        numbers[field].push_back(varint());
      } else {
        const std::size_t length = (key & 7) == 5 ? 4 : (key & 7) == 1 ? 8 : varint();
        if (length > bytes.size() - at) throw std::out_of_range("a field ends behind its message");
        texts[field].push_back(bytes.substr(at, length));
        at += length;
      }
    }
  }
  std::uint64_t number(int field) const { return numbers.at(field).at(0); }
  const std::string& text(int field) const { return texts.at(field).at(0); }
  Message inner(int field, std::size_t i = 0) const { return Message(texts.at(field).at(i)); }
};

/// GraphProto of a file, whose frame is checked.
Message graph_of(const std::string& path) {
  const Message model(slurp(path));
  EXPECT_EQ(model.number(1), 7u);  // ir_version
  EXPECT_EQ(model.inner(8).text(1), "");
  EXPECT_EQ(model.inner(8).number(2), 13u);  // operator set
  return model.inner(7);
}

/// "Op(inputs) -> output" of each node.
std::vector<std::string> nodes_of(const Message& graph) {
  std::vector<std::string> lines;
  for (const std::string& bytes : graph.texts.at(1)) {
    const Message node(bytes);
    std::string line = node.text(4) + "(";
    for (const std::string& input : node.texts.at(1)) {
      line += (line.ends_with("(") ? "" : ", ") + input;
    }
    lines.push_back(line + ") -> " + node.text(2));
  }
  return lines;
}

/// The extents of a ValueInfoProto with its name and type: "input 1 [batch, 8]".
std::string described(const Message& value) {
  const Message tensor = value.inner(2).inner(1);
  const Message shape = tensor.inner(2);
  std::string text = value.text(1) + " " + std::to_string(tensor.number(1)) + " [";
  for (const std::string& bytes : shape.texts.at(1)) {
    const Message extent(bytes);
    text += text.ends_with("[") ? "" : ", ";
    text += extent.numbers.empty() ? extent.text(2) : std::to_string(extent.number(1));
  }
  return text + "]";
}

using Strings = std::vector<std::string>;

TEST(Onnx, NodesWeightsInputsAndOutputs) {
  const Folder folder;
  nn::Sequential model{nn::Linear(8, 16), nn::ReLU(), nn::Dropout(0.5), nn::Linear(16, 4)};
  nn::save_onnx(folder / "m.onnx", model, {2, 8});
  const Message graph = graph_of(folder / "m.onnx");
  EXPECT_EQ(nodes_of(graph),
            (Strings{"Gemm(input, 0.weight, 0.bias) -> /0/Gemm", "Relu(/0/Gemm) -> /1/Relu",
                     "Gemm(/1/Relu, 3.weight, 3.bias) -> output"}));
  EXPECT_EQ(described(graph.inner(11)), "input 1 [batch, 8]");
  EXPECT_EQ(described(graph.inner(12)), "output 1 [batch, 4]");
  ASSERT_EQ(graph.texts.at(5).size(), 4u);
  const Message weight = graph.inner(5);  // dims, data_type, name, raw_data
  EXPECT_EQ(weight.text(8), "0.weight");
  EXPECT_EQ(weight.numbers.at(1), (std::vector<std::uint64_t>{16, 8}));
  EXPECT_EQ(weight.number(2), 1u);
  const auto values = model[0].as<nn::Linear>().weight.data<float>();
  ASSERT_EQ(weight.text(9).size(), values.size_bytes());
  EXPECT_EQ(std::memcmp(weight.text(9).data(), values.data(), values.size_bytes()), 0);
  const Message attribute = graph.inner(1).inner(5);  // name, i, type
  EXPECT_EQ(attribute.text(1), "transB");
  EXPECT_EQ(attribute.number(3), 1u);
  EXPECT_EQ(attribute.number(20), 2u);
}

/// The numbers of the attribute of that name: ints, i.
std::vector<std::int64_t> attribute_of(const Message& node, const std::string& name) {
  for (const std::string& bytes : node.texts.at(5)) {
    const Message attribute(bytes);
    if (attribute.text(1) != name) continue;
    const auto& numbers = attribute.numbers.at(attribute.number(20) == 7 ? 8 : 3);
    return {numbers.begin(), numbers.end()};
  }
  ADD_FAILURE() << "no attribute " << name;
  return {};
}

TEST(Onnx, NestedAndNamedLayers) {
  const Folder folder;
  nn::Sequential features, model;
  features.append("conv", nn::Conv2d(1, 3, {3, 2}, {.stride = {2, 1}, .padding = {1, 0}}));
  features.append("norm", nn::BatchNorm2d(3)).append(nn::ReLU());
  model.append("features", features).append(nn::Flatten());
  nn::save_onnx(folder / "m.onnx", model, {2, 1, 5, 4});
  const Message graph = graph_of(folder / "m.onnx");
  EXPECT_EQ(nodes_of(graph),
            (Strings{"Conv(input, features.conv.weight, features.conv.bias) -> /features.conv/Conv",
                     "BatchNormalization(/features.conv/Conv, features.norm.weight, "
                     "features.norm.bias, features.norm.running_mean, features.norm.running_var) "
                     "-> /features.norm/BatchNormalization",
                     "Relu(/features.norm/BatchNormalization) -> /features.2/Relu",
                     "Flatten(/features.2/Relu) -> output"}));
  const Message conv = graph.inner(1);
  EXPECT_EQ(attribute_of(conv, "kernel_shape"), (std::vector<std::int64_t>{3, 2}));
  EXPECT_EQ(attribute_of(conv, "strides"), (std::vector<std::int64_t>{2, 1}));
  EXPECT_EQ(attribute_of(conv, "pads"), (std::vector<std::int64_t>{1, 0, 1, 0}));
  EXPECT_EQ(described(graph.inner(12)), "output 1 [batch, 27]");
}

TEST(Onnx, FixedBatchNamesAndFloat64) {
  const Folder folder;
  const nn::Sequential model{nn::Linear(8, 4, {.dtype = ag::float64})};
  nn::save_onnx(folder / "m.onnx", model, {2, 8},
                {.dtype = ag::float64,
                 .dynamic_batch = false,
                 .input_name = "digits",
                 .output_name = "scores"});
  const Message graph = graph_of(folder / "m.onnx");
  EXPECT_EQ(nodes_of(graph), Strings{"Gemm(digits, 0.weight, 0.bias) -> scores"});
  EXPECT_EQ(described(graph.inner(11)), "digits 11 [2, 8]");
  EXPECT_EQ(described(graph.inner(12)), "scores 11 [2, 4]");
  const Message bias = graph.inner(5, 1);
  const auto values = model[0].as<nn::Linear>().bias.data<double>();
  ASSERT_EQ(bias.text(10).size(), values.size_bytes());  // double_data
  EXPECT_EQ(std::memcmp(bias.text(10).data(), values.data(), values.size_bytes()), 0);
}

TEST(Onnx, SharedWeightsAreWrittenOnceAndFilesRepeat) {
  const Folder folder;
  nn::Linear tied(6, 6);
  const nn::Sequential model{tied, nn::ReLU(), tied};
  nn::save_onnx(folder / "m.onnx", model, {2, 6});
  const Message graph = graph_of(folder / "m.onnx");
  EXPECT_EQ(nodes_of(graph).back(), "Gemm(/1/Relu, 0.weight, 0.bias) -> output");
  EXPECT_EQ(graph.texts.at(5).size(), 2u);
  const std::string first = slurp(folder / "m.onnx");
  nn::save_onnx(folder / "m.onnx", model, {2, 6});
  EXPECT_EQ(slurp(folder / "m.onnx"), first);
  EXPECT_EQ(folder.files(), 1u);
}

TEST(Onnx, ModelWithoutNodes) {
  const Folder folder;
  nn::save_onnx(folder / "m.onnx", nn::Sequential(), {1, 3});
  EXPECT_EQ(nodes_of(graph_of(folder / "m.onnx")), Strings{"Identity(input) -> output"});
}

TEST(Onnx, WritesEvaluationAndChangesNothing) {
  const Folder folder;
  ag::Generator generator(3);
  const nn::Sequential model{nn::Conv2d(1, 2, 3), nn::BatchNorm2d(2), nn::Dropout(0.5, generator)};
  const nn::BatchNorm2d norm = model[1].as<nn::BatchNorm2d>();
  const nn::StateDict streams = model.generator_state();
  nn::save_onnx(folder / "m.onnx", model, {2, 1, 5, 5});
  EXPECT_EQ(nodes_of(graph_of(folder / "m.onnx")).size(), 2u);
  EXPECT_TRUE(model.is_training());
  EXPECT_TRUE(ag::equal(norm.running_mean, ag::zeros({2})));
  EXPECT_EQ(norm.num_batches_tracked.item(), 0);
  ASSERT_EQ(streams.size(), 1u);
  EXPECT_TRUE(ag::equal(streams.begin()->second, model.generator_state().begin()->second));
}

/// The export throws an E of this message and leaves the old file.
template <class E>
void refuses(const nn::Sequential& model, const ag::Shape& shape, const std::string& message,
             const nn::OnnxOptions& options = {}) {
  const Folder folder;
  const std::string path = folder / "m.onnx";
  spill(path, "old");
  expect_message<E>("save_onnx: " + message, [&] { nn::save_onnx(path, model, shape, options); });
  EXPECT_EQ(slurp(path), "old");
  EXPECT_EQ(folder.files(), 1u);
  EXPECT_TRUE(model.is_training());
}

struct Twice : nn::Module {
  ag::Tensor operator()(const ag::Tensor& x) const {
    ADD_FAILURE() << "called, although it cannot be exported";
    return x * 2.0;
  }
};

TEST(Onnx, LayersThatCannotBeExported) {
  const auto twice = [](const ag::Tensor& x) { return x * 2.0; };
  refuses<ag::TypeError>(nn::Sequential{nn::Linear(2, 3), nn::ReLU(), twice}, {1, 2},
                         "Sequential '2': a layer that cannot be exported: lambda; need a layer of "
                         "nn that save_onnx lists");
  nn::Sequential model;
  model.append("body", nn::Sequential{nn::ReLU(), Twice()});
  refuses<ag::TypeError>(model, {1, 2},
                         "Sequential 'body.1': a layer that cannot be exported: Twice; need a "
                         "layer of nn that save_onnx lists");
}

TEST(Onnx, SettingsThatCannotBeExported) {
  using ag::ValueError;
  const auto fails = [](auto layer, const ag::Shape& shape, const std::string& message) {
    refuses<ValueError>(nn::Sequential{layer}, shape, "Sequential '0' " + message);
  };
  fails(nn::BatchNorm1d(3, {.track_running_stats = false}), {2, 3},
        "(BatchNorm1d): statistics of the batch: track_running_stats is false; need running "
        "statistics");
  fails(nn::Conv1d(1, 2, 3, {.padding = 1, .padding_mode = nn::PaddingMode::circular}), {2, 1, 5},
        "(Conv1d): padding that operator set 13 has not: circular; need zeros, reflection or "
        "replication");
  fails(nn::AdaptiveAvgPool1d(3), {2, 1, 11},
        "(AdaptiveAvgPool1d): windows of several sizes: input is [2, 1, 11]; need extents that the "
        "3 windows share out evenly (11)");
  fails(nn::Conv2d(1, 2, 3), {1, 5, 5},
        "(Conv2d): input without a batch axis: input is [1, 5, 5]; need 4 axes (3)");
  fails(nn::ConstantPad1d(1), {5},
        "(ConstantPad1d): input without a batch axis: input is [5]; need 2 to 8 axes (1)");
  fails(nn::Linear(3, 2), {3},
        "(Linear): input without a batch axis: input is [3]; need 2 to 8 axes (1)");
  fails(nn::Flatten(0), {2, 3},
        "(Flatten): flattening along the batch axis: input is [2, 3]; need another axis, or "
        "dynamic_batch = false");
  fails(nn::GLU(0), {2, 3},
        "(GLU): halves along the batch axis: input is [2, 3]; need another axis, or dynamic_batch "
        "= false");
  fails(nn::LayerNorm({2, 3}), {2, 3},
        "(LayerNorm): a mean along the batch axis: input is [2, 3]; need another axis, or "
        "dynamic_batch = false");
  fails(nn::Linear(3, 0), {2, 3},
        "(Linear): an output without elements: output is [2, 0]; need extents of at least 1");
}

TEST(Onnx, WrongArguments) {
  const nn::Sequential model{nn::Linear(3, 2)};
  refuses<ag::ValueError>(model, {0, 3},
                          "an input without axes or elements: input_shape is [0, 3]; need a batch "
                          "axis, extents of at least 1");
  refuses<ag::ValueError>(
      model, {},
      "an input without axes or elements: input_shape is []; need a batch axis, "
      "extents of at least 1");
  refuses<ag::TypeError>(model, {2, 3}, "wrong dtype of the input: int64; need float32 or float64",
                         {.dtype = ag::int64});
  for (const char* name : {"", "a.b", "a/b", "\xff"}) {
    refuses<ag::ValueError>(model, {2, 3},
                            "not a name for the output: " + nn::detail::quote(name) +
                                "; need UTF-8, one character or more, without dots and slashes",
                            {.output_name = name});
  }
  refuses<ag::ValueError>(model, {2, 3}, "one name for input and output: 'x'; need two names",
                          {.input_name = "x", .output_name = "x"});
  nn::Sequential named;
  named.append("\xff", nn::ReLU());
  refuses<ag::ValueError>(named, {2, 3},
                          "a name that is not UTF-8: that of layer 0 of Sequential ''; need UTF-8");
  const Folder folder;
  expect_message<ag::ShapeError>(
      "Linear '0': input has the wrong size: input is [2, 4]; need input.shape[-1] == 3 (4 != 3)",
      [&] {
        nn::save_onnx(folder / "m.onnx", model, {2, 4});
      });
  EXPECT_EQ(folder.files(), 0u);
  EXPECT_THROW(nn::save_onnx(folder / "none/m.onnx", model, {2, 3}), ag::IoError);
}

}  // namespace
