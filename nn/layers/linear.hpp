// SPDX-License-Identifier: Apache-2.0
// The fully connected layer.
#pragma once

#include <cstdint>

#include "../module.hpp"

namespace nn {

struct LinearOptions {
  bool bias = true;
  autograd::DType dtype = autograd::float32;
};

/// y = x W^T + b: x [..., in], W [out, in], b [out], y [..., out].
/// W and b start uniform on (-1/sqrt(in), 1/sqrt(in)), W drawn first, as torch.nn.Linear (Kaiming's
/// rule with a = sqrt(5)). Throws ValueError for a negative size, ShapeError when x does not fit.
struct Linear : Module {
  Parameter weight;  ///< [out, in]
  Parameter bias;    ///< [out]; undefined without bias

  Linear(std::int64_t in, std::int64_t out, Generator& generator, LinearOptions options = {});
  /// Draws from the default generator of this thread.
  Linear(std::int64_t in, std::int64_t out, LinearOptions options = {});

  Tensor operator()(const Tensor& x) const { return then(x, autograd::Activation::none); }
  /// The activation of y, in one step with the product.
  Tensor then(const Tensor& x, autograd::Activation activation) const {
    if (nn::detail::observer != nullptr) [[unlikely]]
      return watched(x, activation);
    return product(x, activation);
  }

 private:
  AUTOGRAD_COLD Tensor watched(const Tensor& x, autograd::Activation activation) const {
    Tensor y = product(x, activation);
    observe("Linear", y);
    return y;
  }
  Tensor product(const Tensor& x, autograd::Activation activation) const {
    try {
      return autograd::linear(x, weight, bias, activation);
    } catch (const autograd::Error&) {
      explain(x);
    }
  }
  [[noreturn]] void explain(const Tensor& x) const;
};

}  // namespace nn
