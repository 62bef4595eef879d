// SPDX-License-Identifier: Apache-2.0
// Numbers of fields and of enumerations are those of onnx/onnx.proto.
#include "onnx_graph.hpp"

#include <algorithm>

#include "../utf8.hpp"

namespace nn::detail {

using autograd::ValueError;

namespace {

enum AttributeType { kFloat = 1, kInt = 2, kString = 3, kInts = 7 };

int data_type(DType dtype) {
  return dtype == autograd::float32 ? 1 : dtype == autograd::float64 ? 11 : 7;  // else int64
}

/// AttributeProto: 1 name, 2 f, 3 i, 4 s, 8 ints, 20 type.
OnnxAttribute attribute(const char* name, AttributeType type) {
  OnnxAttribute made;
  made.message.text(1, name).integer(20, type);
  return made;
}

/// TensorProto: 1 dims, 2 data_type, 8 name, 9 raw_data, 10 double_data, both little-endian. OpenCV 4.6
/// reads numbers of float64 from the latter alone.
ProtoMessage tensor_message(const std::string& name, const Tensor& tensor) {
  ProtoMessage message;
  for (const std::int64_t extent : tensor.shape()) message.integer(1, extent);
  message.integer(2, data_type(tensor.dtype())).text(8, name);
  const Tensor values = autograd::contiguous(autograd::detach(tensor));
  autograd::dispatch(values.dtype(), [&]<class T>(T) {
    const auto bytes = std::as_bytes(values.data<T>());
    message.text(tensor.dtype() == autograd::float64 ? 10 : 9,
                 {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  });
  return message;
}

}  // namespace

OnnxAttribute OnnxAttribute::integer(const char* name, std::int64_t value) {
  OnnxAttribute made = attribute(name, kInt);
  made.message.integer(3, value);
  return made;
}

OnnxAttribute OnnxAttribute::number(const char* name, double value) {
  OnnxAttribute made = attribute(name, kFloat);
  made.message.number(2, static_cast<float>(value));
  return made;
}

OnnxAttribute OnnxAttribute::text(const char* name, std::string_view value) {
  OnnxAttribute made = attribute(name, kString);
  made.message.text(4, value);
  return made;
}

OnnxAttribute OnnxAttribute::integers(const char* name, const std::vector<std::int64_t>& values) {
  OnnxAttribute made = attribute(name, kInts);
  for (const std::int64_t value : values) made.message.integer(8, value);
  return made;
}

// --- graph

std::string OnnxGraph::unused(const std::string& name) {
  std::string free = name;
  for (int n = 1; !used_.insert(free).second; ++n) free = name + "_" + std::to_string(n);
  return free;
}

std::string OnnxGraph::node(const std::string& place, const char* op,
                            std::vector<std::string> inputs, const OnnxAttributes& attributes) {
  const std::string name = unused("/" + place + (place.empty() ? "" : "/") + op);
  nodes_.push_back({name, name, op, std::move(inputs), attributes});
  return name;
}

std::string OnnxGraph::weight(const std::string& name, const Tensor& values) {
  const auto [at, added] = names_.try_emplace(values.node());
  if (!added) return at->second;
  at->second = unused(name);
  weights_.emplace_back(at->second, values);  // which keeps the address from being another's
  size_ += static_cast<std::uint64_t>(values.numel()) * autograd::item_size(values.dtype());
  return at->second;
}

/// ValueInfoProto: 1 name, 2 type (TypeProto: 1 tensor_type (1 elem_type, 2 shape (1 dim (1 dim_value,
/// 2 dim_param)))).
ProtoMessage OnnxGraph::value_message(const std::string& name, const Shape& shape,
                                      DType dtype) const {
  ProtoMessage shape_message;
  for (int axis = 0; axis < shape.dim(); ++axis) {
    ProtoMessage extent;
    if (axis == 0 && dynamic_batch_) {
      extent.text(2, "batch");
    } else {
      extent.integer(1, shape[axis]);
    }
    shape_message.message(1, extent);
  }
  const auto tensor = ProtoMessage().integer(1, data_type(dtype)).message(2, shape_message);
  return ProtoMessage().text(1, name).message(2, ProtoMessage().message(1, tensor));
}

/// GraphProto: 1 node, 2 name, 5 initializer, 11 input, 12 output.
/// NodeProto: 1 input, 2 output, 3 name, 4 op_type, 5 attribute.
ProtoMessage OnnxGraph::message(const std::string& input, const Shape& in,
                                const std::string& output, const Shape& out, DType dtype) {
  ProtoMessage graph;
  nodes_.back().output = output;  // nobody's input
  for (const Node& node : nodes_) {
    ProtoMessage one;
    for (const std::string& name : node.inputs) one.text(1, name);
    one.text(2, node.output).text(3, node.name).text(4, node.op);
    for (const OnnxAttribute& attribute : node.attributes) one.message(5, attribute.message);
    graph.message(1, one);
  }
  graph.text(2, "model");
  for (const auto& [name, values] : weights_) graph.message(5, tensor_message(name, values));
  graph.message(11, value_message(input, in, dtype));
  graph.message(12, value_message(output, out, dtype));
  return graph;
}

// --- one layer

std::string OnnxStep::scalar(double value) {
  return graph.weight("/" + place + "/constant", autograd::full({}, value, dtype));
}

std::string OnnxStep::integers(const std::vector<std::int64_t>& values) {
  Tensor tensor = autograd::zeros({static_cast<std::int64_t>(values.size())}, autograd::int64);
  std::copy(values.begin(), values.end(), tensor.mutable_data<std::int64_t>().begin());
  return graph.weight("/" + place + "/constant", tensor);
}

std::vector<std::int64_t> OnnxStep::target(const Shape& shape) const {
  std::vector<std::int64_t> extents(shape.begin(), shape.end());
  if (graph.dynamic_batch()) extents[0] = 0;
  return extents;
}

std::string OnnxStep::reshaped(const std::string& from, const std::vector<std::int64_t>& extents) {
  return node("Reshape", {from, integers(extents)});
}

std::vector<std::int64_t> onnx_each(const PerAxis& values, int axes) {
  std::vector<std::int64_t> all;
  for (int i = 0; i < axes; ++i) all.push_back(values[i]);
  return all;
}

bool onnx_any(const std::vector<std::int64_t>& values) {
  return std::any_of(values.begin(), values.end(), [](std::int64_t v) { return v != 0; });
}

std::vector<std::int64_t> onnx_both(const PerAxis& margin, int axes) {
  std::vector<std::int64_t> all = onnx_each(margin, axes);
  for (int i = 0; i < axes; ++i) all.push_back(margin[i]);
  return all;
}

std::vector<std::int64_t> onnx_margins(const std::vector<std::int64_t>& amounts, int dim) {
  std::vector<std::int64_t> all(2 * static_cast<std::size_t>(dim), 0);
  for (std::size_t i = 0; i < amounts.size() / 2; ++i) {
    const std::size_t axis = static_cast<std::size_t>(dim) - 1 - i;
    all[axis] = amounts[2 * i];
    all[axis + static_cast<std::size_t>(dim)] = amounts[2 * i + 1];
  }
  return all;
}

std::string OnnxStep::padded(const std::vector<std::int64_t>& amounts, autograd::PadMode mode,
                             double value) {
  using autograd::PadMode;
  if (mode == PadMode::circular) {
    refuse("padding that operator set 13 has not", "circular", "zeros, reflection or replication");
  }
  const char* name = mode == PadMode::constant  ? "constant"
                     : mode == PadMode::reflect ? "reflect"
                                                : "edge";
  std::vector<std::string> inputs = {x, integers(onnx_margins(amounts, in.dim()))};
  if (mode == PadMode::constant) inputs.push_back(scalar(value));
  return node("Pad", inputs, {OnnxAttribute::text("mode", name)});
}

void OnnxStep::need_axes(int least, int most) const {
  if (in.dim() >= least && in.dim() <= most) return;
  const std::string axes =
      least == most ? std::to_string(least) : std::to_string(least) + " to " + std::to_string(most);
  refuse("input without a batch axis", "input is " + to_string(in),
         axes + " axes (" + std::to_string(in.dim()) + ")");
}

void OnnxStep::need_not_batch(int axis, const char* what) const {
  if (axis != 0 || !graph.dynamic_batch()) return;
  refuse(std::string(what) + " along the batch axis", "input is " + to_string(in),
         "another axis, or dynamic_batch = false");
}

void OnnxStep::refuse(const std::string& what, const std::string& values,
                      const std::string& need) const {
  throw ValueError("save_onnx: Sequential " + detail::quote(place) + " (" + type + "): " + what +
                   ": " + values + "; need " + need);
}

}  // namespace nn::detail
