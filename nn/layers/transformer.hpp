// SPDX-License-Identifier: Apache-2.0
// The transformer's layers and stacks (Vaswani et al. 2017), with torch.nn's key names and defaults;
// norm_first is Xiong et al. 2020. Unlike PyTorch's stacks, whose layers start as copies of one, every
// layer draws its own parameters. step() decodes position by position over cached keys and values.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "attention.hpp"
#include "containers.hpp"
#include "norm.hpp"

namespace nn {

enum class TransformerActivation : std::uint8_t { relu, gelu };

struct TransformerLayerOptions {
  std::int64_t dim_feedforward = 2048;
  double dropout = 0.1;
  TransformerActivation activation = TransformerActivation::relu;
  double layer_norm_eps = 1e-5;
  bool batch_first = false;  ///< [n, l, e] instead of [l, n, e]
  bool norm_first = false;   ///< norms before attention and feed-forward instead of behind
  autograd::DType dtype = autograd::float32;
};

/// Masks as those of MultiheadAttention.
struct EncoderCall {
  Tensor mask = {}, key_padding_mask = {};
  bool is_causal = false;
  MaskMeaning meaning = MaskMeaning::ignore_where;
};

/// Self-attention, then two linear layers, each added to its input and normalized.
/// x [l, n, e], [n, l, e] (batch_first) or [l, e]; the result has its shape.
struct TransformerEncoderLayer : Module {
  MultiheadAttention self_attn;
  Linear linear1, linear2;
  LayerNorm norm1, norm2;
  Dropout dropout, dropout1, dropout2;

  TransformerEncoderLayer(std::int64_t d_model, std::int64_t nhead, Generator& generator,
                          const TransformerLayerOptions& options = {});
  TransformerEncoderLayer(std::int64_t d_model, std::int64_t nhead,
                          const TransformerLayerOptions& options = {});
  Tensor operator()(const Tensor& x, const EncoderCall& call = {}) const;
  /// Of the positions that follow those in `cache`, which they are added to; they attend to all that
  /// came before them, and to one another as `call` says: causally, or by a mask [l, l] of the new ones
  /// (or [l, s] of all); a padding mask covers all s positions.
  Tensor step(const Tensor& x, KeysAndValues& cache, const EncoderCall& call = {}) const;

 private:
  Tensor run(const Tensor& x, const EncoderCall& call, KeysAndValues* cache) const;

  TransformerActivation activation_;
  bool norm_first_;
};

struct DecoderCall {
  Tensor tgt_mask = {}, tgt_key_padding_mask = {};
  Tensor memory_mask = {}, memory_key_padding_mask = {};
  bool tgt_is_causal = false;
  MaskMeaning meaning = MaskMeaning::ignore_where;
};

/// What a decoder layer has projected: of the positions so far, and of the encoder's output.
struct DecoderCache {
  KeysAndValues self, memory;
  /// The batch's rows at the int64 index, for beam search.
  DecoderCache rows(const Tensor& index) const;
};

/// Self-attention, attention to the encoder's output, two linear layers.
struct TransformerDecoderLayer : Module {
  MultiheadAttention self_attn, multihead_attn;
  Linear linear1, linear2;
  LayerNorm norm1, norm2, norm3;
  Dropout dropout, dropout1, dropout2, dropout3;

  TransformerDecoderLayer(std::int64_t d_model, std::int64_t nhead, Generator& generator,
                          const TransformerLayerOptions& options = {});
  TransformerDecoderLayer(std::int64_t d_model, std::int64_t nhead,
                          const TransformerLayerOptions& options = {});
  Tensor operator()(const Tensor& tgt, const Tensor& memory, const DecoderCall& call = {}) const;
  /// The cache before the first position.
  DecoderCache start(const Tensor& memory) const {
    return {{}, multihead_attn.project(memory, memory)};
  }
  /// As TransformerEncoderLayer::step.
  Tensor step(const Tensor& tgt, DecoderCache& cache, const DecoderCall& call = {}) const;

 private:
  template <class Cross>
  Tensor run(const Tensor& x, const DecoderCall& call, KeysAndValues* cache, Cross&& cross) const;

  TransformerActivation activation_;
  bool norm_first_;
};

struct TransformerStackOptions {
  TransformerLayerOptions layer = {};
  bool norm = false;  ///< a last norm, as stacks of norm_first layers need
};

struct TransformerEncoder : Module {
  ModuleList<TransformerEncoderLayer> layers;
  std::optional<LayerNorm> norm;

  TransformerEncoder(std::int64_t num_layers, std::int64_t d_model, std::int64_t nhead,
                     Generator& generator, const TransformerStackOptions& options = {});
  TransformerEncoder(std::int64_t num_layers, std::int64_t d_model, std::int64_t nhead,
                     const TransformerStackOptions& options = {});
  Tensor operator()(const Tensor& x, const EncoderCall& call = {}) const;
  /// One cache a layer; an empty vector starts.
  Tensor step(const Tensor& x, std::vector<KeysAndValues>& caches,
              const EncoderCall& call = {}) const;
};

struct TransformerDecoder : Module {
  ModuleList<TransformerDecoderLayer> layers;
  std::optional<LayerNorm> norm;

  TransformerDecoder(std::int64_t num_layers, std::int64_t d_model, std::int64_t nhead,
                     Generator& generator, const TransformerStackOptions& options = {});
  TransformerDecoder(std::int64_t num_layers, std::int64_t d_model, std::int64_t nhead,
                     const TransformerStackOptions& options = {});
  Tensor operator()(const Tensor& tgt, const Tensor& memory, const DecoderCall& call = {}) const;
  std::vector<DecoderCache> start(const Tensor& memory) const;
  Tensor step(const Tensor& tgt, std::vector<DecoderCache>& caches,
              const DecoderCall& call = {}) const;
};

struct TransformerOptions {
  std::int64_t num_encoder_layers = 6, num_decoder_layers = 6;
  TransformerLayerOptions layer = {};
};

/// An encoder and a decoder, each with a last norm; all matrices start by Xavier's rule, as
/// torch.nn.Transformer. Of `source` and `target` the features are d_model; `call` masks the target and
/// the encoder's output, `source_call` the source.
struct Transformer : Module {
  TransformerEncoder encoder;
  TransformerDecoder decoder;

  Transformer(std::int64_t d_model, std::int64_t nhead, Generator& generator,
              const TransformerOptions& options = {});
  Transformer(std::int64_t d_model, std::int64_t nhead, const TransformerOptions& options = {});
  Tensor operator()(const Tensor& source, const Tensor& target, const EncoderCall& source_call = {},
                    const DecoderCall& call = {}) const;
};

}  // namespace nn
