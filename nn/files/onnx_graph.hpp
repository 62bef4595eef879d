// SPDX-License-Identifier: Apache-2.0
// A graph of ONNX being made: nodes and weights with their names. Internal; see onnx.hpp.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <autograd/autograd.hpp>

#include "../layers/layer.hpp"
#include "protobuf.hpp"

namespace nn::detail {

using autograd::DType;
using autograd::PerAxis;
using autograd::Shape;

/// An attribute of a node, encoded. Floats are float32 in ONNX.
struct OnnxAttribute {
  static OnnxAttribute integer(const char* name, std::int64_t value);
  static OnnxAttribute number(const char* name, double value);
  static OnnxAttribute text(const char* name, std::string_view value);
  static OnnxAttribute integers(const char* name, const std::vector<std::int64_t>& values);
  ProtoMessage message;
};
using OnnxAttributes = std::vector<OnnxAttribute>;

class OnnxGraph {
 public:
  explicit OnnxGraph(bool dynamic_batch) : dynamic_batch_(dynamic_batch) {}

  /// Adds a node; returns the name of its output: "/features.0/Conv" for one of layer "features.0".
  std::string node(const std::string& place, const char* op, std::vector<std::string> inputs,
                   const OnnxAttributes& attributes);
  /// Adds a constant under this name, or one like it; returns its name. The same tensor is added once.
  std::string weight(const std::string& name, const Tensor& values);

  bool dynamic_batch() const { return dynamic_batch_; }
  std::size_t nodes() const { return nodes_.size(); }
  /// Bytes of all weights.
  std::uint64_t size() const { return size_; }
  /// GraphProto, with the output of the last node under the name `output`.
  ProtoMessage message(const std::string& input, const Shape& in, const std::string& output,
                       const Shape& out, DType dtype);

 private:
  struct Node {
    std::string name, output;
    const char* op;
    std::vector<std::string> inputs;
    OnnxAttributes attributes;
  };
  std::string unused(const std::string& name);
  ProtoMessage value_message(const std::string& name, const Shape& shape, DType dtype) const;

  bool dynamic_batch_;
  std::vector<Node> nodes_;
  std::vector<std::pair<std::string, Tensor>> weights_;
  std::map<const void*, std::string> names_;  // of the tensors in weights_
  std::set<std::string> used_;
  std::uint64_t size_ = 0;
};

/// One layer on its way into the graph: where it is, what it was given, what it made of that.
struct OnnxStep {
  OnnxGraph& graph;
  std::string place;  ///< in the model: "features.0"
  std::string type;
  std::string x;  ///< the name of its input
  Shape in, out;
  DType dtype;

  std::string node(const char* op, std::vector<std::string> inputs,
                   const OnnxAttributes& attributes = {}) {
    return graph.node(place, op, std::move(inputs), attributes);
  }
  /// A parameter or buffer of the layer, under its name there.
  std::string weight(const char* name, const Tensor& values) {
    return graph.weight(place + "." + name, values);
  }
  std::string scalar(double value);
  std::string integers(const std::vector<std::int64_t>& values);
  /// x with these extents, the batch kept.
  std::string reshaped(const std::string& from, const std::vector<std::int64_t>& extents);
  /// x with margins; amounts as autograd::pad takes them.
  std::string padded(const std::vector<std::int64_t>& amounts, autograd::PadMode mode,
                     double value);
  /// The extents, with 0, which keeps an extent, for that of a dynamic batch.
  std::vector<std::int64_t> target(const Shape& shape) const;

  /// ValueError unless the input has from `least` to `most` axes, the batch's included.
  void need_axes(int least, int most) const;
  /// ValueError where the batch is dynamic and `axis`, from 0, is its axis.
  void need_not_batch(int axis, const char* what) const;
  /// Throws ValueError "save_onnx: Sequential 'features.0' (Conv2d): <what>: <values>; need <need>".
  [[noreturn]] void refuse(const std::string& what, const std::string& values,
                           const std::string& need) const;
};

/// One number for each axis.
std::vector<std::int64_t> onnx_each(const PerAxis& values, int axes);
/// As much in front of every axis as behind it; ONNX lists the fronts first.
std::vector<std::int64_t> onnx_both(const PerAxis& margin, int axes);
/// Whether one of them is not 0.
bool onnx_any(const std::vector<std::int64_t>& values);
/// Amounts as autograd::pad takes them in that order, for the last axes of so many.
std::vector<std::int64_t> onnx_margins(const std::vector<std::int64_t>& amounts, int dim);

/// Writes a layer of one type; returns the name of its output.
using OnnxWriter = std::string (*)(OnnxStep& step, const Layer& layer);
/// The one for this layer's type; null for a type of another file or none.
OnnxWriter onnx_activation(const Layer& layer);
OnnxWriter onnx_pool(const Layer& layer);
OnnxWriter onnx_layer(const Layer& layer);

template <class L, class F> std::string write_onnx_as(OnnxStep& step, const Layer& layer) {
  return F()(step, layer.as<L>());
}
/// The first of these types that the layer is of; F calls write() for it.
template <class... L, class F> OnnxWriter onnx_writer(const Layer& layer, F) {
  OnnxWriter found = nullptr;
  ((layer.get_if<L>() != nullptr && (found = &write_onnx_as<L, F>)) || ...);
  return found;
}

}  // namespace nn::detail
