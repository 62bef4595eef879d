// SPDX-License-Identifier: Apache-2.0
// Rows of attention, the transformer and positions.
#include "layer_rows.hpp"

namespace nn_test {

namespace {

using ag::DType;
using ag::Generator;
using nn::MultiheadAttention;

/// True behind each sequence's end: [n, length].
ag::Tensor padding(std::int64_t length, const std::vector<double>& ends) {
  const auto n = static_cast<std::int64_t>(ends.size());
  return ag::arange(length, ag::float64) >= ag::tensor(ends, {n, 1});
}
ag::Tensor causal(std::int64_t length) { return ag::triu(ag::ones({length, length}), 1) > 0.5; }

Tensors list(const nn::AttentionResult& result) {
  return result.weights.defined() ? Tensors{result.output, result.weights} : Tensors{result.output};
}

template <class Call>
LayerRow attention(const std::string& name, std::int64_t heads,
                   nn::MultiheadAttentionOptions options, ag::Shape bad, Call call) {
  return {name, "MultiheadAttention",
          [=](DType t, Generator& g) mutable {
            options.dtype = t;
            return made(MultiheadAttention(4, heads, g, options), call);
          },
          zeros64(bad)};
}

std::vector<LayerRow> attention_alone() {
  return {
      attention("MultiheadAttention", 2, {}, {3, 2, 5},
                [](const MultiheadAttention& l, const Tensors& in) {
                  return list(l(in[0], in[1], in[2]));
                }),
      attention("MultiheadAttention,padding", 2, {.batch_first = true}, {3, 3, 4},
                [](const MultiheadAttention& l, const Tensors& in) {
                  return list(l(in[0], in[0], in[0], {.key_padding_mask = padding(3, {3, 1})}));
                }),
      attention("MultiheadAttention,causal", 2, {.batch_first = true}, {4},
                [](const MultiheadAttention& l, const Tensors& in) {
                  return list(l(in[0], in[0], in[0], {.is_causal = true, .need_weights = false}));
                }),
      attention("MultiheadAttention,kdim", 2, {.bias = false, .kdim = 3, .vdim = 2}, {2, 3, 4},
                [](const MultiheadAttention& l, const Tensors& in) {
                  return list(
                      l(in[0], in[1], in[2], {.attn_mask = in[3], .average_attn_weights = false}));
                }),
      attention("MultiheadAttention,unbatched", 1, {}, {3, 2, 4},
                [](const MultiheadAttention& l, const Tensors& in) {
                  return list(l(in[0], in[1], in[1]));
                }),
  };
}

nn::TransformerLayerOptions small(DType t) {
  return {.dim_feedforward = 6, .dropout = 0, .dtype = t};
}

std::vector<LayerRow> layers() {
  return {
      {"TransformerEncoderLayer", "MultiheadAttention",
       [](DType t, Generator& g) { return made(nn::TransformerEncoderLayer(4, 2, g, small(t))); },
       zeros64({3, 2, 3})},
      {"TransformerEncoderLayer,first", "LayerNorm",
       [](DType t, Generator& g) {
         nn::TransformerLayerOptions options = small(t);
         options.activation = nn::TransformerActivation::gelu;
         options.batch_first = options.norm_first = true;
         return made(nn::TransformerEncoderLayer(4, 2, g, options),
                     [](const nn::TransformerEncoderLayer& l, const Tensors& in) {
                       return l(in[0], {.mask = causal(3), .key_padding_mask = padding(3, {3, 2})});
                     });
       },
       zeros64({2, 3, 3})},
      {"TransformerDecoderLayer", "MultiheadAttention",
       [](DType t, Generator& g) {
         return made(nn::TransformerDecoderLayer(4, 2, g, small(t)),
                     [](const nn::TransformerDecoderLayer& l, const Tensors& in) {
                       return l(
                           in[0], in[1],
                           {.memory_key_padding_mask = padding(2, {2, 1}), .tgt_is_causal = true});
                     });
       },
       zeros64({3, 3, 4})},
      {"TransformerDecoderLayer,first", "LayerNorm",
       [](DType t, Generator& g) {
         nn::TransformerLayerOptions options = small(t);
         options.batch_first = options.norm_first = true;
         return made(nn::TransformerDecoderLayer(4, 2, g, options));
       },
       zeros64({2, 2, 5})},
  };
}

std::vector<LayerRow> stacks_and_positions() {
  return {
      {"TransformerEncoder", "MultiheadAttention",
       [](DType t, Generator& g) {
         return made(nn::TransformerEncoder(2, 4, 2, g, {.layer = small(t), .norm = true}));
       },
       zeros64({2})},
      {"TransformerDecoder", "MultiheadAttention",
       [](DType t, Generator& g) {
         return made(nn::TransformerDecoder(2, 4, 2, g, {.layer = small(t)}));
       },
       zeros64({2, 2, 5})},
      {"Transformer", "MultiheadAttention",
       [](DType t, Generator& g) {
         return made(
             nn::Transformer(4, 2, g,
                             {.num_encoder_layers = 1, .num_decoder_layers = 1, .layer = small(t)}),
             [](const nn::Transformer& l, const Tensors& in) {
               return l(in[0], in[1], {}, {.tgt_is_causal = true});
             });
       },
       zeros64({3, 2, 5})},
      {"PositionalEncoding", "PositionalEncoding",
       [](DType t, Generator&) {
         return made(nn::PositionalEncoding(5, {.max_len = 3, .dtype = t}));
       },
       zeros64({4, 2, 5})},
      {"LearnedPositionalEncoding", "LearnedPositionalEncoding",
       [](DType t, Generator& g) {
         return made(nn::LearnedPositionalEncoding(4, 3, g, {.batch_first = true, .dtype = t}));
       },
       zeros64({2, 2, 4})},
  };
}

}  // namespace

std::vector<LayerRow> attention_rows() {
  std::vector<LayerRow> all = attention_alone();
  for (const auto& more : {layers(), stacks_and_positions()}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

}  // namespace nn_test
