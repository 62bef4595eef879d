// SPDX-License-Identifier: Apache-2.0
// The model is walked as it runs: each layer is called on what the one before it made, so that shapes are
// those of the layers themselves, and becomes nodes of the graph.
#include "onnx.hpp"

#include "../layers/sequential.hpp"
#include "file.hpp"
#include "onnx_graph.hpp"

namespace nn {

using autograd::Shape;
using autograd::TypeError;
using autograd::ValueError;

namespace {

constexpr int kIrVersion = 7, kOperatorSet = 13;
constexpr std::uint64_t kMostBytes = (std::uint64_t{1} << 31) - 1;  // of a message of protobuf

/// Modules act as in evaluation while somebody watches.
class Evaluation : public detail::Observer {
 public:
  Evaluation() : before_(detail::observer) { detail::observer = this; }
  ~Evaluation() override { detail::observer = before_; }
  Evaluation(const Evaluation&) = delete;
  Evaluation& operator=(const Evaluation&) = delete;
  void saw(const std::string&, const std::string& type, const Tensor&) override { seen_ = type; }
  /// The type of a layer that was just called: what a ConvNd says of itself, "Conv2d".
  std::string type_of(const Layer& layer) const {
    const std::string type = layer.type_name();
    if (!type.ends_with("Nd")) return type;
    return seen_.find(type.substr(0, type.size() - 2)) == std::string::npos ? type : seen_;
  }

 private:
  std::string seen_;
  detail::Observer* before_;
};

struct Value {
  std::string name;
  Tensor tensor;
};

void check_name(const char* what, const std::string& name) {
  if (!name.empty() && detail::is_utf8(name) && name.find_first_of("./") == std::string::npos) {
    return;
  }
  throw ValueError(std::string("save_onnx: not a name for the ") + what + ": " +
                   detail::quote(name) +
                   "; need UTF-8, one character or more, without dots and slashes");
}

void check(const Shape& shape, const OnnxOptions& options) {
  check_name("input", options.input_name);
  check_name("output", options.output_name);
  if (options.input_name == options.output_name) {
    throw ValueError("save_onnx: one name for input and output: " +
                     detail::quote(options.input_name) + "; need two names");
  }
  if (options.dtype != autograd::float32 && options.dtype != autograd::float64) {
    throw TypeError(std::string("save_onnx: wrong dtype of the input: ") + name(options.dtype) +
                    "; need float32 or float64");
  }
  if (shape.dim() == 0 || shape.numel() == 0) {
    throw ValueError("save_onnx: an input without axes or elements: input_shape is " +
                     to_string(shape) + "; need a batch axis, extents of at least 1");
  }
}

detail::OnnxWriter writer_of(const Layer& layer) {
  for (const auto of : {detail::onnx_activation, detail::onnx_pool, detail::onnx_layer}) {
    if (const detail::OnnxWriter writer = of(layer)) return writer;
  }
  return nullptr;
}

/// Before anything is computed: whether all layers can be exported, under names that files can have.
void check_layers(const Sequential& model, const std::string& prefix) {
  for (std::size_t i = 0; i < model.size(); ++i) {
    const std::string place = prefix + model.name(i);
    if (!detail::is_utf8(place)) {
      throw ValueError("save_onnx: a name that is not UTF-8: that of layer " + std::to_string(i) +
                       " of Sequential " + detail::quote(prefix) + "; need UTF-8");
    }
    if (const auto* inner = model[i].get_if<Sequential>()) {
      check_layers(*inner, place + ".");
    } else if (writer_of(model[i]) == nullptr) {
      throw TypeError("save_onnx: Sequential " + detail::quote(place) +
                      ": a layer that cannot be exported: " + model[i].type_name() +
                      "; need a layer of nn that save_onnx lists");
    }
  }
}

Value write_layer(detail::OnnxGraph& graph, const Layer& layer, const std::string& place,
                  const Value& x) {
  const Evaluation evaluation;
  const Tensor y = layer(x.tensor);
  detail::OnnxStep step{
      graph,     place,           evaluation.type_of(layer), x.name, x.tensor.shape(),
      y.shape(), x.tensor.dtype()};
  if (y.numel() == 0) {
    step.refuse("an output without elements", "output is " + to_string(y.shape()),
                "extents of at least 1");
  }
  return {writer_of(layer)(step, layer), y};
}

Value walk(detail::OnnxGraph& graph, const Sequential& model, const std::string& prefix, Value x) {
  for (std::size_t i = 0; i < model.size(); ++i) {
    const std::string place = prefix + model.name(i);
    const auto* inner = model[i].get_if<Sequential>();
    x = inner ? walk(graph, *inner, place + ".", x) : write_layer(graph, model[i], place, x);
  }
  return x;
}

}  // namespace

void save_onnx(const std::string& path, const Sequential& model, const Shape& input_shape,
               const OnnxOptions& options) {
  check(input_shape, options);
  check_layers(model, "");
  detail::OnnxGraph graph(options.dynamic_batch);
  const Tensor x = autograd::zeros(input_shape, options.dtype);
  const Value y = walk(graph, model, "", {options.input_name, x});
  if (graph.nodes() == 0) graph.node("", "Identity", {options.input_name}, {});
  const auto too_large = [&](std::uint64_t bytes) {
    throw ValueError("save_onnx: a model too large for one file: " + std::to_string(bytes) +
                     " bytes; need at most " + std::to_string(kMostBytes));
  };
  if (graph.size() > kMostBytes) too_large(graph.size());
  // ModelProto: 1 ir_version, 2 producer_name, 7 graph, 8 opset_import (OperatorSetIdProto: 2 version).
  detail::ProtoMessage head;
  head.integer(1, kIrVersion).text(2, "autograd");
  head.message(8, detail::ProtoMessage().text(1, "").integer(2, kOperatorSet));
  const detail::ProtoMessage body = graph.message(
      options.input_name, input_shape, options.output_name, y.tensor.shape(), options.dtype);
  head.open(7, body.bytes().size());
  const std::uint64_t bytes = head.bytes().size() + body.bytes().size();
  if (bytes > kMostBytes) too_large(bytes);
  detail::OutputFile file("save_onnx", path);
  file.write(head.bytes());
  file.write(body.bytes());
  file.commit();
}

}  // namespace nn
