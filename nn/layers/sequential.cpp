// SPDX-License-Identifier: Apache-2.0
// The parts of Sequential that are not templates.
#include "sequential.hpp"

namespace nn {

void Layer::throw_other_type(const char* wanted, const char* held) {
  throw autograd::TypeError(std::string("Layer.as: another type: the layer is ") + held +
                            ", asked for " + wanted + "; need the type it was made from");
}

Sequential::Sequential() : layers_(std::make_shared<std::vector<Layer>>()) {}

Sequential& Sequential::append_layer(Layer layer) {
  layers_->reserve(layers_->size() + 1);  // so that nothing throws once the name is taken
  if (layer.module_ != nullptr) register_module(std::to_string(layers_->size()), *layer.module_);
  layers_->push_back(std::move(layer));
  return *this;
}

const Layer& Sequential::operator[](std::size_t i) const {
  if (i >= layers_->size()) {
    throw autograd::ValueError("Sequential: no such layer: index " + std::to_string(i) +
                               "; need index < size() (" + std::to_string(i) +
                               " >= " + std::to_string(layers_->size()) + ")");
  }
  return (*layers_)[i];
}

}  // namespace nn
