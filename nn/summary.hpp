// SPDX-License-Identifier: Apache-2.0
// A table of a model's layers: path, type, shape of the output, parameters. The model is run once, as
// in evaluation, on zeros; layers of this library and those in a Sequential are listed in the order in
// which they are reached, members of other modules by what they contain.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <string>
#include <type_traits>
#include <typeinfo>

#include "module.hpp"

namespace nn {

struct SummaryOptions {
  autograd::DType dtype = autograd::float32;  ///< of the input; int64 for a model that embeds
};

namespace detail {
std::string summarize(const Module& model, const std::string& type,
                      const std::function<Tensor()>& call);
std::string readable_type(const char* name);
}  // namespace detail

/// The table for model(x) with x zeros of this shape, batch included. Parameters of a row are its own
/// and those of its members that have no row; each is counted once, however many names it has. Throws
/// what the model throws. Call it where no tape records.
template <class M>
  requires std::derived_from<M, Module> && std::invocable<const M&, const Tensor&> std::string
  summary(const M& model, const autograd::Shape& input_shape, SummaryOptions options = {}) {
    const Tensor x = autograd::zeros(input_shape, options.dtype);
    return detail::summarize(model, detail::readable_type(typeid(M).name()), [&]() -> Tensor {
      if constexpr (std::is_convertible_v<decltype(model(x)), Tensor>) {
        return model(x);
      } else {
        return model(x).output;
      }
    });
  }
/// The same for a model of several or other inputs: summary(model, [&] { return model(a, b); }).
template <class M, class F>
  requires std::derived_from<M, Module> && std::is_invocable_r_v<Tensor, F&> std::string summary(
      const M& model, F&& call) {
    return detail::summarize(model, detail::readable_type(typeid(M).name()), call);
  }

}  // namespace nn
