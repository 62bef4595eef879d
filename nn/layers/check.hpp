// SPDX-License-Identifier: Apache-2.0
// Checks that the constructors of layers share, and drawing a weight and its bias. Internal.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>

#include "../init.hpp"
#include "../module.hpp"

namespace nn::detail {

/// Throws ValueError "<layer>: <what> out of range: <value>; need at least <low>".
inline void check_at_least(const char* layer, const char* what, std::int64_t value,
                           std::int64_t low) {
  if (value >= low) return;
  throw autograd::ValueError(std::string(layer) + ": " + what + " out of range: " +
                             std::to_string(value) + "; need at least " + std::to_string(low));
}

/// Throws ValueError unless one number was given or one for each axis, none below `low`.
inline void check_per_axis(const char* layer, const char* what, const autograd::PerAxis& values,
                           int axes, std::int64_t low) {
  if (values.count() != 1 && values.count() != axes) {
    throw autograd::ValueError(std::string(layer) + ": " + what + " has " +
                               std::to_string(values.count()) + " numbers; need 1 or " +
                               std::to_string(axes));
  }
  for (int i = 0; i < axes; ++i) check_at_least(layer, what, values[i], low);
}

/// Throws ValueError unless p is in [0, 1].
inline void check_probability(const char* layer, double p) {
  if (p >= 0 && p <= 1) return;
  throw autograd::ValueError(std::string(layer) + ": p out of range: " + autograd::detail::text(p) +
                             "; need 0 to 1");
}

/// A parameter of that shape, registered, uniform on (-bound, bound).
inline Parameter uniform_parameter(Module& module, const std::string& name,
                                   const autograd::Shape& shape, double bound, Generator& generator,
                                   autograd::DType dtype) {
  Parameter p(autograd::empty(shape, dtype));
  uniform_(p, -bound, bound, generator);
  module.register_parameter(name, p);
  return p;
}
inline Parameter constant_parameter(Module& module, const std::string& name,
                                    const autograd::Shape& shape, double value,
                                    autograd::DType dtype) {
  Parameter p(autograd::full(shape, value, dtype));
  module.register_parameter(name, p);
  return p;
}

/// 1 / sqrt(fan), and 0 for none.
inline double bound_of(std::int64_t fan) {
  return fan > 0 ? 1.0 / std::sqrt(static_cast<double>(fan)) : 0.0;
}

}  // namespace nn::detail
