// SPDX-License-Identifier: Apache-2.0
// Layer: one value for anything that maps a tensor to a tensor: modules, activations, lambdas. A call
// is one indirect call (2 ns); no virtual functions, no std::function.
#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include "activation.hpp"
#include "linear.hpp"

namespace nn {

/// What containers take as a layer.
template <class L>
concept LayerLike = std::copy_constructible<std::decay_t<L>> && std::is_invocable_r_v < Tensor,
        std::decay_t<L>
&, const Tensor& > ;

/// A layer of whatever type; a module is shared with the caller's. Copies share the layer.
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
  /// The same object where it is a module, else null.
  Module* module() const { return module_; }
  /// The name of its type without namespaces: "Conv2d".
  std::string type_name() const;
  /// The layer itself, shared: model[0].as<nn::Linear>().weight. Throws TypeError for another type.
  template <class L> L& as() const {
    if (L* layer = get_if<L>()) return *layer;
    throw_other_type(typeid(L).name(), type_->name());
  }
  /// The same, or null for another type.
  template <class L> L* get_if() const {
    return typeid(L) == *type_ ? static_cast<L*>(object_.get()) : nullptr;
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

  Tensor (*call_)(void*, const Tensor&);
  Tensor (*call_then_)(void*, const Tensor&, Activation) = nullptr;
  Activation activation_ = Activation::none;  // of a layer that is one
  std::shared_ptr<void> object_;
  Module* module_ = nullptr;  // the same object, when it is a module
  const std::type_info* type_;
};

}  // namespace nn
