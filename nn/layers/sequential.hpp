// SPDX-License-Identifier: Apache-2.0
// Layers in a row, chosen at run time: modules, activations, lambdas, anything that maps a tensor to a
// tensor. A layer is one indirect call (2 ns); no virtual functions, no std::function.
// Build with braces: they evaluate left to right, so every compiler draws the same random weights.
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

#include "../module.hpp"
#include "activation.hpp"
#include "linear.hpp"

namespace nn {

/// What Sequential takes as a layer.
template <class L>
concept LayerLike = std::copy_constructible<std::decay_t<L>> && std::is_invocable_r_v < Tensor,
        std::decay_t<L>
&, const Tensor& > ;

/// One layer of a Sequential, of whatever type. Copies share the layer.
class Layer {
 public:
  // The type is compared first: asking whether a Layer is copyable would ask this constructor again.
  template <class L>
    requires(!std::same_as<std::decay_t<L>, Layer> && LayerLike<L>)
  explicit Layer(L&& layer) : Layer(std::make_shared<std::decay_t<L>>(std::forward<L>(layer))) {}

  Tensor operator()(const Tensor& x) const { return call_(object_.get(), x); }
  /// True when the layer and the activation behind it are computed in one step.
  bool joins(const Layer& next) const { return call_then_ && next.activation_ != Activation::none; }
  Tensor operator()(const Tensor& x, const Layer& next) const {
    return call_then_(object_.get(), x, next.activation_);
  }
  /// The layer itself, shared: model[0].as<nn::Linear>().weight. Throws TypeError for another type.
  template <class L> L& as() const {
    if (typeid(L) != *type_) throw_other_type(typeid(L).name(), type_->name());
    return *static_cast<L*>(object_.get());
  }

 private:
  template <class L>
  explicit Layer(std::shared_ptr<L> layer)
      : call_(
            [](void* object, const Tensor& x) -> Tensor { return (*static_cast<L*>(object))(x); }),
        type_(&typeid(L)) {
    if constexpr (std::derived_from<L, Module>) module_ = layer.get();
    if constexpr (std::same_as<L, Linear>) {
      call_then_ = [](void* object, const Tensor& x, Activation activation) {
        return static_cast<Linear*>(object)->then(x, activation);
      };
    }
    if constexpr (std::same_as<L, Sigmoid> || std::same_as<L, Tanh> || std::same_as<L, ReLU>) {
      activation_ = L::kActivation;
    }
    object_ = std::move(layer);
  }
  [[noreturn]] static void throw_other_type(const char* wanted, const char* held);

  using Activation = autograd::Activation;

  friend class Sequential;
  Tensor (*call_)(void*, const Tensor&);
  Tensor (*call_then_)(void*, const Tensor&, Activation) = nullptr;
  Activation activation_ = Activation::none;  // of a layer that is one
  std::shared_ptr<void> object_;
  Module* module_ = nullptr;  // the same object, when it is a module
  const std::type_info* type_;
};

/// y = layer_n(... layer_1(x)); x itself when there are none. Layers that are modules are registered
/// under their positions ("0.weight"). A Linear and the Sigmoid, Tanh or ReLU behind it are one step. Copies share the layers, also those appended later.
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
    const std::vector<Layer>& layers = *layers_;
    if (layers.empty()) return x;
    Tensor y;
    const Tensor* input = &x;
    for (std::size_t i = 0; i < layers.size(); ++i) {
      if (i + 1 < layers.size() && layers[i].joins(layers[i + 1])) {
        y = layers[i](*input, layers[i + 1]);
        ++i;
      } else {
        y = layers[i](*input);
      }
      input = &y;
    }
    return y;
  }

  /// Adds a layer at the end; a module given by name is shared with the caller's.
  template <LayerLike L> Sequential& append(L&& layer) {
    return append_layer(Layer(std::forward<L>(layer)));
  }
  /// Builds an L from the arguments at the end.
  template <LayerLike L, class... Args> Sequential& emplace(Args&&... args) {
    return append(L(std::forward<Args>(args)...));
  }

  std::size_t size() const { return layers_->size(); }
  /// Throws ValueError unless i < size().
  const Layer& operator[](std::size_t i) const;

 private:
  Sequential& append_layer(Layer layer);

  std::shared_ptr<std::vector<Layer>> layers_;
};

}  // namespace nn
