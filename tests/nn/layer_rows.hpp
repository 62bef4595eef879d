// SPDX-License-Identifier: Apache-2.0
// The table of layers: each row is built, called and checked by the tests of layer_table_test.cpp, by
// name against tests/golden/layers.txt. A new layer is a row in layer_rows_*.hpp and a case there.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "support.hpp"

namespace nn_test {

using Tensors = std::vector<ag::Tensor>;

/// A layer of whatever type: the module, and how it is called.
struct MadeLayer {
  std::shared_ptr<nn::Module> module;
  std::function<Tensors(const Tensors&)> call;
};

struct LayerRow {
  std::string name;  ///< of the golden case
  std::string type;  ///< as messages call it
  std::function<MadeLayer(ag::DType, ag::Generator&)> make;
  ag::Tensor bad;  ///< a first input that does not fit
  /// The derivative is not that of the value (padding rows take no gradient).
  bool gradcheck = true;

  bool eval() const { return name.size() > 5 && name.substr(name.size() - 5) == ",eval"; }
};

template <class L, class Call> MadeLayer made(L layer, Call call) {
  const auto kept = std::make_shared<L>(std::move(layer));
  return {kept, [kept, call](const Tensors& in) -> Tensors {
            if constexpr (std::is_same_v<decltype(call(*kept, in)), Tensors>) {
              return call(*kept, in);
            } else {
              return {call(*kept, in)};
            }
          }};
}
/// Called with as many inputs as there are, from 1 to 3.
template <class L> MadeLayer made(L layer) {
  return made(std::move(layer), [](const L& l, const Tensors& in) {
    if constexpr (std::is_invocable_v<const L&, ag::Tensor, ag::Tensor, ag::Tensor>) {
      if (in.size() == 3) return l(in[0], in[1], in[2]);
    }
    if constexpr (std::is_invocable_v<const L&, ag::Tensor, ag::Tensor>) {
      if (in.size() == 2) return l(in[0], in[1]);
    }
    if constexpr (std::is_invocable_v<const L&, ag::Tensor>) {
      return l(in[0]);
    } else {
      throw ag::ValueError("layer rows: a wrong number of inputs");
    }
  });
}

inline ag::Tensor zeros64(const ag::Shape& shape) { return ag::zeros(shape, ag::float64); }
inline ag::Tensor integers(const ag::Shape& shape, double value = 0) {
  return ag::full(shape, value, ag::int64);
}

std::vector<LayerRow> plain_rows();
std::vector<LayerRow> attention_rows();
std::vector<LayerRow> recurrent_rows();

inline const std::vector<LayerRow>& layer_rows() {
  static const std::vector<LayerRow> rows = [] {
    std::vector<LayerRow> all = plain_rows();
    for (const auto& more : {attention_rows(), recurrent_rows()}) {
      all.insert(all.end(), more.begin(), more.end());
    }
    return all;
  }();
  return rows;
}

}  // namespace nn_test
