// SPDX-License-Identifier: Apache-2.0
// Rows of the recurrent layers and cells.
#include "layer_rows.hpp"

namespace nn_test {

namespace {

using ag::DType;
using ag::Generator;

// The state is inputs 1 and 2 where there are any.
template <class L>
LayerRow recurrent(const std::string& name, const std::string& type, nn::RecurrentOptions options,
                   ag::Shape bad, std::vector<std::int64_t> lengths = {}) {
  return {name, type,
          [=](DType t, Generator& g) mutable {
            options.dtype = t;
            return made(L(3, 2, g, options), [lengths](const L& l, const Tensors& in) -> Tensors {
              nn::RecurrentCall call{.lengths = lengths};
              if (in.size() > 1) call.h = in[1];
              if (in.size() > 2) call.c = in[2];
              const nn::RecurrentResult result = l(in[0], call);
              if (result.c.defined()) return {result.output, result.h, result.c};
              return {result.output, result.h};
            });
          },
          zeros64(bad)};
}

}  // namespace

std::vector<LayerRow> recurrent_rows() {
  using nn::GRU, nn::LSTM, nn::RNN;
  return {
      recurrent<RNN>("RNN", "RNN",
                     {.num_layers = 2, .bias = false, .nonlinearity = nn::RnnNonlinearity::relu},
                     {3, 2, 2}),
      recurrent<RNN>("RNN,packed", "RNN",
                     {.num_layers = 2, .batch_first = true, .bidirectional = true}, {2, 4, 3},
                     {2, 4, 1}),
      recurrent<LSTM>("LSTM", "LSTM", {.num_layers = 2}, {3, 3, 3}),
      recurrent<LSTM>("LSTM,packed", "LSTM", {.num_layers = 2, .bidirectional = true}, {3, 3, 3},
                      {3, 4, 2}),
      recurrent<LSTM>("LSTM,unbatched", "LSTM", {.bidirectional = true}, {3}),
      recurrent<GRU>("GRU", "GRU", {.num_layers = 2, .batch_first = true}, {2, 0, 3}),
      recurrent<GRU>("GRU,packed", "GRU", {.num_layers = 2, .bidirectional = true}, {4, 2, 3},
                     {1, 4, 3}),
      {"RNNCell", "RNNCell",
       [](DType t, Generator& g) { return made(nn::RNNCell(3, 2, g, {.dtype = t})); },
       zeros64({2, 4})},
      {"LSTMCell", "LSTMCell",
       [](DType t, Generator& g) {
         return made(nn::LSTMCell(3, 2, g, {.dtype = t}),
                     [](const nn::LSTMCell& l, const Tensors& in) -> Tensors {
                       const nn::LstmState next = l(in[0], {in[1], in[2]});
                       return {next.h, next.c};
                     });
       },
       zeros64({3, 3})},
      {"GRUCell", "GRUCell",
       [](DType t, Generator& g) {
         return made(nn::GRUCell(3, 2, g, {.bias = false, .dtype = t}));
       },
       zeros64({2, 2, 3})},
  };
}

}  // namespace nn_test
