// SPDX-License-Identifier: Apache-2.0
// Layers in a row, chosen at run time: modules, activations, lambdas, anything that maps a tensor to a
// tensor; by position or by name.
// Build with braces: they evaluate left to right, so every compiler draws the same random weights.
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "../module.hpp"
#include "../summary.hpp"
#include "layer.hpp"

namespace nn {

/// y = layer_n(... layer_1(x)); x itself when there are none. Layers that are modules are registered
/// under their names, which are their positions unless given ("0.weight"). A Linear and the Sigmoid,
/// Tanh or ReLU behind it are one step. Copies share the layers, also those appended later.
/// Sequential{another} is a copy; append(another) nests.
class Sequential : public Module {
 public:
  Sequential();
  template <class First, class... Rest>
    requires((sizeof...(Rest) > 0 ||
              !std::same_as<std::decay_t<First>, Sequential>)&&LayerLike<First> &&
             (LayerLike<Rest> && ...))
  explicit Sequential(First&& first, Rest&&... rest) : Sequential() {
    append(std::forward<First>(first));
    (append(std::forward<Rest>(rest)), ...);
  }

  Tensor operator()(const Tensor& x) const {
    if (detail::observer != nullptr) [[unlikely]]
      return watched(x);
    const Layer* layer = layers_->data();
    const Layer* const end = layer + layers_->size();
    if (layer == end) return x;
    Tensor y;
    const Tensor* input = &x;
    while (layer != end) {
      if (layer + 1 != end && layer->joins(layer[1])) {
        y = (*layer)(*input, layer[1]);
        layer += 2;
      } else {
        y = (*layer)(*input);
        ++layer;
      }
      input = &y;
    }
    return y;
  }

  /// Adds a layer at the end; a module given by name is shared with the caller's.
  template <LayerLike L> Sequential& append(L&& layer) {
    return append_layer(std::to_string(size()), Layer(std::forward<L>(layer)));
  }
  /// The same under a name of its own: "conv1.weight". Throws ValueError for a name that is empty,
  /// taken or has a dot.
  template <LayerLike L> Sequential& append(const std::string& name, L&& layer) {
    return append_layer(name, Layer(std::forward<L>(layer)));
  }
  /// Builds an L from the arguments at the end.
  template <LayerLike L, class... Args> Sequential& emplace(Args&&... args) {
    return append(L(std::forward<Args>(args)...));
  }

  std::size_t size() const { return layers_->size(); }
  /// Throws ValueError unless i < size().
  const Layer& operator[](std::size_t i) const;
  /// The layer of that name; "encoder.0" is layer "0" of the Sequential that is layer "encoder".
  /// Throws ValueError when there is none.
  const Layer& at(std::string_view path) const;
  /// The name of a layer: its position unless it was given one. Throws ValueError unless i < size().
  const std::string& name(std::size_t i) const;
  /// nn::summary of this model.
  std::string summary(const autograd::Shape& input_shape, SummaryOptions options = {}) const;
  std::vector<Layer>::const_iterator begin() const { return layers_->begin(); }
  std::vector<Layer>::const_iterator end() const { return layers_->end(); }

 private:
  Sequential& append_layer(const std::string& name, Layer layer);
  Tensor watched(const Tensor& x) const;
  void check_index(std::size_t i) const;

  std::shared_ptr<std::vector<Layer>> layers_;
  std::shared_ptr<std::vector<std::string>> names_;
};

}  // namespace nn
