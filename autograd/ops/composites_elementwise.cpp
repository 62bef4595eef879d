// SPDX-License-Identifier: Apache-2.0
// Composites and constant functions of elementwise.hpp. Its comparisons by name are operators' and
// stand with those in composites.cpp.
#include "composites.hpp"

#if __has_include("../elementwise.hpp")
#include "../elementwise.hpp"

namespace autograd::ops {

namespace {

using Inputs = std::vector<Tensor>;
using detail::composite;

OpEntry predicate(const char* name, const char* value, Tensor (*f)(const Tensor&)) {
  return detail::constant_function(
      name, value, {{"matrix", {{2, 3}}, [f](const Inputs& in) { return f(in[0]); }}}, "bool");
}
OpEntry logic(const char* name, const char* value, Tensor (*f)(const Tensor&, const Tensor&)) {
  return detail::constant_function(
      name, value,
      {{"broadcast", {{2, 1}, {3}}, [f](const Inputs& in) { return f(in[0], in[1]); }}}, "bool");
}

}  // namespace

std::vector<OpEntry> elementwise_composites() {
  return {
      composite(
          "lerp", "a + weight (b - a)", Dtypes::floating,
          {{"number", {{2, 3}, {2, 3}}, [](const Inputs& in) { return lerp(in[0], in[1], 0.75); }},
           {"tensor",
            {{2, 3}, {3}, {2, 1}},
            [](const Inputs& in) { return lerp(in[0], in[1], in[2]); }}},
          "1 - weight, weight, b - a", "exactly b for weight 1"),
  };
}

std::vector<OpEntry> elementwise_constants() {
  return {
      predicate("isnan", "x is NaN", isnan),
      predicate("isinf", "x is inf or -inf", isinf),
      predicate("isfinite", "x is a number and finite", isfinite),
      predicate("logical_not", "x is 0", logical_not),
      logic("logical_and", "neither is 0", logical_and),
      logic("logical_or", "one is not 0", logical_or),
      logic("logical_xor", "just one is not 0", logical_xor),
  };
}

}  // namespace autograd::ops

#else
namespace autograd::ops {
std::vector<OpEntry> elementwise_composites() { return {}; }
std::vector<OpEntry> elementwise_constants() { return {}; }
}  // namespace autograd::ops
#endif
