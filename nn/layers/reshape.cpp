// SPDX-License-Identifier: Apache-2.0
#include "reshape.hpp"

namespace nn {

Tensor Flatten::operator()(const Tensor& x) const {
  return guard("Flatten", [&] { return autograd::flatten(x, first_, last_); });
}

Tensor Unflatten::operator()(const Tensor& x) const {
  return guard("Unflatten", [&] { return autograd::unflatten(x, axis_, extents_); });
}

Tensor Upsample::operator()(const Tensor& x) const {
  return guard("Upsample", [&] { return autograd::interpolate(x, options_); });
}

}  // namespace nn
