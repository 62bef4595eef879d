// SPDX-License-Identifier: Apache-2.0
// What holds for every layer: values and gradients of inputs and parameters as PyTorch's, its key
// names, gradients against central differences, a round trip through state_dict(), PyTorch's weights from
// its file, and messages that name the module's path. The rows are in layer_rows_*.cpp, PyTorch's numbers
// in golden/layers.txt, its weights in golden/layers.safetensors.
#include <cstring>
#include <map>
#include <set>

#include "layer_golden.hpp"

namespace nn_test {
namespace {

MadeLayer make(const LayerRow& row, ag::DType dtype, std::uint64_t seed = 1) {
  ag::Generator generator(seed);
  MadeLayer layer = row.make(dtype, generator);
  layer.module->train(!row.eval());
  return layer;
}

const LayerCase* find_case(const std::string& name) {
  for (const LayerCase& c : layer_cases()) {
    if (c.name == name) return &c;
  }
  return nullptr;
}

Tensors convert(const Tensors& inputs, ag::DType dtype) {
  Tensors converted;
  for (const ag::Tensor& x : inputs) {
    // A copy, so that a row's inputs never collect gradients of another.
    converted.push_back(ag::is_floating(x.dtype()) ? ag::to(x * 1.0, dtype) : x);
  }
  return converted;
}

Tensors differentiable(const Tensors& inputs) {
  Tensors some;
  for (const ag::Tensor& x : inputs) {
    if (ag::is_floating(x.dtype())) some.push_back(x);
  }
  return some;
}

/// sum over the outputs of sum(dy y).
ag::Tensor contracted(const Tensors& outputs) {
  ag::Tensor total;
  for (const ag::Tensor& y : outputs) {
    const ag::Tensor part = ag::sum(y * golden_file::cotangent(y.shape(), y.dtype()));
    total = total.defined() ? total + part : part;
  }
  return total;
}

std::vector<std::string> keys_of(const nn::StateDict& state) {
  std::vector<std::string> keys;
  for (const auto& [key, tensor] : state) {
    if (ag::is_floating(tensor.dtype())) keys.push_back(key);
  }
  return keys;
}

/// The golden parameters and buffers; other entries stay as they are.
void set_state(nn::Module& module, const LayerCase& c) {
  const nn::StateDict state = module.state_dict();
  for (const auto* list : {&c.parameters, &c.buffers}) {
    for (const auto& [key, value] : *list) ag::copy_(ag::detach(state.at(key)), value);
  }
}

/// Relative to the larger of |want| and a tenth of the largest or of 3, whichever is more: gradients that
/// cancel, as of a key's bias, are what rounding left of terms of that size.
void expect_close(const ag::Tensor& got, const ag::Tensor& want, ag::DType dtype) {
  ASSERT_EQ(got.shape(), want.shape());
  const std::vector<double> have = values(got), wanted = values(want);
  double largest = 0;
  for (const double w : wanted) largest = std::max(largest, std::abs(w));
  const double tolerance = dtype == ag::float32 ? 1e-5 : 1e-12;
  for (std::size_t i = 0; i < have.size(); ++i) {
    const double allowed = tolerance * std::max(std::abs(wanted[i]), 0.1 * std::max(largest, 3.0));
    EXPECT_TRUE(std::abs(have[i] - wanted[i]) <= allowed)
        << "element " << i << ": " << have[i] << ", want " << wanted[i];
  }
}

void check_golden_layer(const LayerRow& row, const LayerCase& c, ag::DType dtype) {
  const MadeLayer layer = make(row, dtype);
  EXPECT_EQ(keys_of(layer.module->state_dict()), c.keys);
  set_state(*layer.module, c);
  const Tensors inputs = convert(c.inputs, dtype);
  const Tensors leaves = differentiable(inputs);
  for (ag::Tensor leaf : leaves) leaf.set_requires_grad();
  Tensors outputs;
  {
    ag::Tape tape;
    outputs = layer.call(inputs);
    tape.backward(contracted(outputs));
  }
  ASSERT_EQ(outputs.size(), c.outputs.size());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    SCOPED_TRACE("output " + std::to_string(i));
    EXPECT_EQ(outputs[i].dtype(), dtype);
    expect_close(outputs[i], c.outputs[i], dtype);
  }
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    SCOPED_TRACE("gradient of input " + std::to_string(i));
    expect_close(leaves[i].grad(), c.input_gradients[i], dtype);
  }
  std::map<std::string, ag::Tensor> parameters;
  for (const auto& [key, p] : layer.module->named_parameters()) parameters[key] = p;
  EXPECT_EQ(parameters.size(), c.gradients.size());
  for (const auto& [key, want] : c.gradients) {
    SCOPED_TRACE("gradient of " + key);
    ASSERT_TRUE(parameters.contains(key));
    expect_close(parameters[key].grad(), want, dtype);
  }
  const nn::StateDict state = layer.module->state_dict();
  for (const auto& [key, want] : c.after) {
    SCOPED_TRACE("after the call " + key);
    expect_close(state.at(key), want, dtype);
  }
}

TEST(LayerTable, GoldenValuesAndGradients) {
  std::set<std::string> seen;
  for (const LayerRow& row : layer_rows()) {
    const LayerCase* c = find_case(row.name);
    ASSERT_NE(c, nullptr) << row.name;
    seen.insert(row.name);
    for (const ag::DType dtype : {ag::float32, ag::float64}) {
      SCOPED_TRACE(row.name + " " + ag::name(dtype));
      check_golden_layer(row, *c, dtype);
    }
  }
  for (const LayerCase& c : layer_cases()) EXPECT_TRUE(seen.contains(c.name)) << c.name;
}

// Inputs and parameters are drawn, which keeps them off kinks and ties.
TEST(LayerTable, Gradcheck) {
  for (const LayerRow& row : layer_rows()) {
    if (!row.gradcheck) continue;
    SCOPED_TRACE(row.name);
    const MadeLayer layer = make(row, ag::float64);
    ag::Generator generator(7);
    Tensors inputs = find_case(row.name)->inputs;
    Tensors leaves = layer.module->parameters();
    for (const ag::Tensor& p : leaves) {
      ag::copy_(ag::detach(p), p + ag::randn(p.shape(), generator, ag::float64) * 0.3);
    }
    for (ag::Tensor& x : inputs) {
      if (!ag::is_floating(x.dtype())) continue;
      x = ag::randn(x.shape(), generator, ag::float64);
      leaves.push_back(x.set_requires_grad());
    }
    expect_parameter_gradients(leaves, [&] { return contracted(layer.call(inputs)); });
  }
}

TEST(LayerTable, RoundTripThroughStateDict) {
  for (const LayerRow& row : layer_rows()) {
    SCOPED_TRACE(row.name);
    const MadeLayer a = make(row, ag::float32, 1), b = make(row, ag::float32, 2);
    const Tensors inputs = convert(find_case(row.name)->inputs, ag::float32);
    set_state(*a.module, *find_case(row.name));
    b.module->load_state_dict(a.module->state_dict());
    a.module->eval();
    b.module->eval();
    const Tensors ya = a.call(inputs), yb = b.call(inputs);
    for (std::size_t i = 0; i < ya.size(); ++i) EXPECT_TRUE(ag::equal(ya[i], yb[i]));
  }
}

/// What the file has of one layer, in its order.
struct TorchLayer {
  nn::StateDict state;
  Tensors inputs, outputs;
};

std::map<std::string, TorchLayer> torch_layers() {
  std::map<std::string, TorchLayer> all;
  const std::string path = std::string(AUTOGRAD_TESTS_DIR) + "/golden/layers.safetensors";
  for (const auto& [name, tensor] : nn::load_safetensors(path)) {
    const std::size_t first = name.find('/'), second = name.find('/', first + 1);
    TorchLayer& layer = all[name.substr(0, first)];
    const std::string part = name.substr(first + 1, second - first - 1);
    if (part == "state") {
      layer.state.insert(name.substr(second + 1), tensor);
    } else {
      (part == "x" ? layer.inputs : layer.outputs).push_back(tensor);
    }
  }
  return all;
}

TEST(LayerTable, WeightsOfPyTorchGiveItsOutputs) {
  std::map<std::string, TorchLayer> torch;
  try {
    torch = torch_layers();
  } catch (const ag::IoError& error) {
    if (std::strstr(error.what(), "built without")) GTEST_SKIP() << error.what();
    throw;
  }
  EXPECT_GT(torch.size(), 45u);
  for (const LayerRow& row : layer_rows()) {
    SCOPED_TRACE(row.name);
    const MadeLayer layer = make(row, ag::float32);
    if (layer.module->state_dict().empty()) continue;
    ASSERT_TRUE(torch.contains(row.name));
    const TorchLayer& want = torch[row.name];
    layer.module->load_state_dict(want.state);
    layer.module->eval();
    const Tensors outputs = layer.call(want.inputs);
    ASSERT_EQ(outputs.size(), want.outputs.size());
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      EXPECT_EQ(outputs[i].shape(), want.outputs[i].shape());
      expect_values(outputs[i], values(want.outputs[i]), 1e-5);
    }
    torch.erase(row.name);
  }
  for (const auto& [name, layer] : torch) ADD_FAILURE() << "no row loads " << name;
}

TEST(LayerTable, MessagesNameThePath) {
  for (const LayerRow& row : layer_rows()) {
    SCOPED_TRACE(row.name);
    const MadeLayer layer = make(row, ag::float64);
    nn::Module model, encoder;
    encoder.register_module("fc2", *layer.module);
    model.register_module("encoder", encoder);
    Tensors inputs = find_case(row.name)->inputs;
    inputs[0] = row.bad;
    const nn::StateDict before = layer.module->state_dict();
    std::vector<std::string> texts;
    for (const auto& [key, tensor] : before) texts.push_back(ag::to_string(tensor));
    ag::Tape tape;
    try {
      layer.call(inputs);
      ADD_FAILURE() << "nothing thrown";
    } catch (const ag::Error& error) {
      const std::string message = error.what(), front = row.type + " 'encoder.fc2";
      EXPECT_EQ(message.substr(0, front.size()), front);
      EXPECT_EQ(message.find("encoder.fc2", front.size()), std::string::npos) << message;
      EXPECT_NE(message.find("need "), std::string::npos) << message;
    }
    std::size_t i = 0;  // nothing was learned from it
    for (const auto& [key, tensor] : before) EXPECT_EQ(ag::to_string(tensor), texts[i++]) << key;
  }
}

}  // namespace
}  // namespace nn_test
