// SPDX-License-Identifier: Apache-2.0
// The parts of Layer and Sequential that are not templates.
#include "sequential.hpp"
#include "../utf8.hpp"

#include <algorithm>

namespace nn {

using autograd::ValueError;

void Layer::throw_other_type(const char* wanted, const char* held) {
  const std::string is = detail::readable_type(held), asked = detail::readable_type(wanted);
  throw autograd::TypeError("Layer.as: another type: the layer is " + is + ", asked for " +
                            (is == asked ? "another of that name" : asked) +
                            "; need the type it was made from");
}

std::string Layer::type_name() const { return detail::readable_type(type_->name()); }

std::string Sequential::summary(const autograd::Shape& input_shape, SummaryOptions options) const {
  return nn::summary(*this, input_shape, options);
}

Sequential::Sequential()
    : layers_(std::make_shared<std::vector<Layer>>()),
      names_(std::make_shared<std::vector<std::string>>()) {}

Sequential& Sequential::append_layer(const std::string& name, Layer layer) {
  if (name.empty() || name.find('.') != std::string::npos ||
      std::find(names_->begin(), names_->end(), name) != names_->end()) {
    throw ValueError("Sequential: not a name for a layer: " + detail::quote(name) +
                     "; need one that is not empty, not taken and has no dot");
  }
  layers_->reserve(layers_->size() + 1);  // so that nothing throws once the name is taken
  names_->reserve(names_->size() + 1);
  std::string kept = name;
  if (layer.module() != nullptr) register_module(name, *layer.module());
  layers_->push_back(std::move(layer));
  names_->push_back(std::move(kept));
  return *this;
}

void Sequential::check_index(std::size_t i) const {
  if (i < size()) return;
  throw ValueError("Sequential: no such layer: index " + std::to_string(i) +
                   "; need index < size() (" + std::to_string(i) + " >= " + std::to_string(size()) +
                   ")");
}

const Layer& Sequential::operator[](std::size_t i) const {
  check_index(i);
  return (*layers_)[i];
}

const std::string& Sequential::name(std::size_t i) const {
  check_index(i);
  return (*names_)[i];
}

const Layer& Sequential::at(std::string_view path) const {
  const std::size_t dot = path.find('.');
  const std::string_view name = path.substr(0, dot);
  const auto found = std::find(names_->begin(), names_->end(), name);
  if (found == names_->end()) {
    throw ValueError("Sequential: no such layer: " + detail::quote(path) +
                     "; need the name of one of its " + std::to_string(size()) + " layers");
  }
  const Layer& layer = (*layers_)[static_cast<std::size_t>(found - names_->begin())];
  return dot == std::string_view::npos ? layer : layer.as<Sequential>().at(path.substr(dot + 1));
}

// Layer by layer, so that every one has an output to be seen; modules show theirs by themselves.
Tensor Sequential::watched(const Tensor& x) const {
  Tensor y = x;
  const std::string front = path().empty() ? "" : path() + ".";
  for (std::size_t i = 0; i < layers_->size(); ++i) {
    const Layer& layer = (*layers_)[i];
    y = layer(y);
    if (layer.module() == nullptr) {
      detail::observer->saw(front + (*names_)[i], layer.type_name(), y);
    }
  }
  observe("Sequential", y);
  return y;
}

}  // namespace nn
