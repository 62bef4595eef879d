// SPDX-License-Identifier: Apache-2.0
#include "transformer.hpp"

#include "check.hpp"

namespace nn {

namespace {

using Options = TransformerLayerOptions;

MultiheadAttentionOptions attention_options(const Options& options) {
  return {.dropout = options.dropout, .batch_first = options.batch_first, .dtype = options.dtype};
}

LayerNorm norm_of(std::int64_t d_model, const Options& options) {
  return LayerNorm(d_model, {.eps = options.layer_norm_eps, .dtype = options.dtype});
}

Linear widening(std::int64_t d_model, Generator& generator, const Options& options) {
  return Linear(d_model, options.dim_feedforward, generator, {.dtype = options.dtype});
}

Linear narrowing(std::int64_t d_model, Generator& generator, const Options& options) {
  return Linear(options.dim_feedforward, d_model, generator, {.dtype = options.dtype});
}

// f and dropout added to their input, with the norm before or behind.
template <class F>
Tensor residual(const Tensor& x, const LayerNorm& norm, const Dropout& dropout, bool norm_first,
                F&& f) {
  return norm_first ? x + dropout(f(norm(x))) : norm(x + dropout(f(x)));
}

// A mask between new positions, which attend to `past` others before them as well.
Tensor reaching_back(const Tensor& mask, std::int64_t past, MaskMeaning meaning) {
  autograd::Shape shape = mask.shape();
  shape[shape.dim() - 1] = past;
  const bool attend = mask.dtype() == autograd::boolean && meaning == MaskMeaning::attend_where;
  return autograd::cat({autograd::full(shape, attend ? 1 : 0, mask.dtype()), mask}, -1);
}

// Attention of x to itself or, with a cache, to what is in there and x, which is added to it.
Tensor attend_to_itself(const MultiheadAttention& attention, const Tensor& x, AttendOptions options,
                        KeysAndValues* cache) {
  if (cache == nullptr) return attention(x, x, x, options).output;
  const KeysAndValues more = attention.project(x, x);
  if (cache->keys.defined()) options.past = cache->keys.shape()[2];
  const Tensor& mask = options.attn_mask;
  if (options.past > 0 && mask.defined() && mask.dim() > 0 &&
      mask.shape()[mask.dim() - 1] == more.keys.shape()[2]) {
    options.attn_mask = reaching_back(mask, options.past, options.meaning);
  }
  *cache = cache->followed_by(more);
  return attention.attend(x, *cache, options).output;
}

template <class Layer>
Tensor feed_forward(const Layer& layer, const Tensor& x, TransformerActivation activation) {
  const Tensor wide = activation == TransformerActivation::relu
                          ? layer.linear1.then(x, autograd::Activation::relu)
                          : autograd::gelu(layer.linear1(x));
  return layer.linear2(layer.dropout(wide));
}

AttendOptions self_options(const EncoderCall& call) {
  return {.attn_mask = call.mask,
          .key_padding_mask = call.key_padding_mask,
          .meaning = call.meaning,
          .is_causal = call.is_causal,
          .need_weights = false};
}
AttendOptions self_options(const DecoderCall& call) {
  return {.attn_mask = call.tgt_mask,
          .key_padding_mask = call.tgt_key_padding_mask,
          .meaning = call.meaning,
          .is_causal = call.tgt_is_causal,
          .need_weights = false};
}
AttendOptions memory_options(const DecoderCall& call) {
  return {.attn_mask = call.memory_mask,
          .key_padding_mask = call.memory_key_padding_mask,
          .meaning = call.meaning,
          .need_weights = false};
}

template <class Layer, class Stack>
void fill_stack(Stack& stack, const char* name, std::int64_t num_layers, std::int64_t d_model,
                std::int64_t nhead, Generator& generator, const TransformerStackOptions& options) {
  detail::check_at_least(name, "num_layers", num_layers, 0);
  for (std::int64_t i = 0; i < num_layers; ++i) {
    stack.layers.append(Layer(d_model, nhead, generator, options.layer));
  }
  stack.register_module("layers", stack.layers);
  if (!options.norm) return;
  stack.norm = norm_of(d_model, options.layer);
  stack.register_module("norm", *stack.norm);
}

// Every layer's step, then the last norm. `next` replaces `caches` once all went well.
template <class Stack, class Caches, class Call>
Tensor step_through(const Stack& stack, const char* name, const Tensor& x, Caches& caches,
                    Caches next, const Call& call) {
  const std::size_t n = stack.layers.size();
  if (next.size() != n) {
    throw autograd::ValueError(stack.describe(name) +
                               ": a wrong number of caches: " + std::to_string(next.size()) +
                               "; need one for each layer (" + std::to_string(n) + ")");
  }
  Tensor y = x;
  for (std::size_t i = 0; i < n; ++i) y = stack.layers[i].step(y, next[i], call);
  caches = std::move(next);
  return stack.norm ? (*stack.norm)(y) : y;
}

}  // namespace

TransformerEncoderLayer::TransformerEncoderLayer(std::int64_t d_model, std::int64_t nhead,
                                                 Generator& generator, const Options& options)
    : self_attn(d_model, nhead, generator, attention_options(options)),
      linear1(widening(d_model, generator, options)),
      linear2(narrowing(d_model, generator, options)),
      norm1(norm_of(d_model, options)),
      norm2(norm_of(d_model, options)),
      dropout(options.dropout, generator),
      dropout1(options.dropout, generator),
      dropout2(options.dropout, generator),
      activation_(options.activation),
      norm_first_(options.norm_first) {
  register_module("self_attn", self_attn);
  register_module("linear1", linear1);
  register_module("dropout", dropout);
  register_module("linear2", linear2);
  register_module("norm1", norm1);
  register_module("norm2", norm2);
  register_module("dropout1", dropout1);
  register_module("dropout2", dropout2);
}

TransformerEncoderLayer::TransformerEncoderLayer(std::int64_t d_model, std::int64_t nhead,
                                                 const Options& options)
    : TransformerEncoderLayer(d_model, nhead, autograd::default_generator(), options) {}

Tensor TransformerEncoderLayer::run(const Tensor& x, const EncoderCall& call,
                                    KeysAndValues* cache) const {
  Tensor y = residual(x, norm1, dropout1, norm_first_, [&](const Tensor& in) {
    return attend_to_itself(self_attn, in, self_options(call), cache);
  });
  y = residual(y, norm2, dropout2, norm_first_,
               [&](const Tensor& in) { return feed_forward(*this, in, activation_); });
  observe("TransformerEncoderLayer", y);
  return y;
}

Tensor TransformerEncoderLayer::operator()(const Tensor& x, const EncoderCall& call) const {
  return run(x, call, nullptr);
}

Tensor TransformerEncoderLayer::step(const Tensor& x, KeysAndValues& cache,
                                     const EncoderCall& call) const {
  KeysAndValues next = cache;
  const Tensor y = run(x, call, &next);
  cache = next;  // nothing advances when a block throws
  return y;
}

DecoderCache DecoderCache::rows(const Tensor& index) const {
  return {self.keys.defined() ? self.rows(index) : self, memory.rows(index)};
}

TransformerDecoderLayer::TransformerDecoderLayer(std::int64_t d_model, std::int64_t nhead,
                                                 Generator& generator, const Options& options)
    : self_attn(d_model, nhead, generator, attention_options(options)),
      multihead_attn(d_model, nhead, generator, attention_options(options)),
      linear1(widening(d_model, generator, options)),
      linear2(narrowing(d_model, generator, options)),
      norm1(norm_of(d_model, options)),
      norm2(norm_of(d_model, options)),
      norm3(norm_of(d_model, options)),
      dropout(options.dropout, generator),
      dropout1(options.dropout, generator),
      dropout2(options.dropout, generator),
      dropout3(options.dropout, generator),
      activation_(options.activation),
      norm_first_(options.norm_first) {
  register_module("self_attn", self_attn);
  register_module("multihead_attn", multihead_attn);
  register_module("linear1", linear1);
  register_module("dropout", dropout);
  register_module("linear2", linear2);
  register_module("norm1", norm1);
  register_module("norm2", norm2);
  register_module("norm3", norm3);
  register_module("dropout1", dropout1);
  register_module("dropout2", dropout2);
  register_module("dropout3", dropout3);
}

TransformerDecoderLayer::TransformerDecoderLayer(std::int64_t d_model, std::int64_t nhead,
                                                 const Options& options)
    : TransformerDecoderLayer(d_model, nhead, autograd::default_generator(), options) {}

template <class Cross>
Tensor TransformerDecoderLayer::run(const Tensor& x, const DecoderCall& call, KeysAndValues* cache,
                                    Cross&& cross) const {
  Tensor y = residual(x, norm1, dropout1, norm_first_, [&](const Tensor& in) {
    return attend_to_itself(self_attn, in, self_options(call), cache);
  });
  y = residual(y, norm2, dropout2, norm_first_, cross);
  y = residual(y, norm3, dropout3, norm_first_,
               [&](const Tensor& in) { return feed_forward(*this, in, activation_); });
  observe("TransformerDecoderLayer", y);
  return y;
}

Tensor TransformerDecoderLayer::operator()(const Tensor& tgt, const Tensor& memory,
                                           const DecoderCall& call) const {
  return run(tgt, call, nullptr, [&](const Tensor& in) {
    return multihead_attn(in, memory, memory, memory_options(call)).output;
  });
}

Tensor TransformerDecoderLayer::step(const Tensor& tgt, DecoderCache& cache,
                                     const DecoderCall& call) const {
  KeysAndValues next = cache.self;
  const Tensor y = run(tgt, call, &next, [&](const Tensor& in) {
    return multihead_attn.attend(in, cache.memory, memory_options(call)).output;
  });
  cache.self = next;
  return y;
}

TransformerEncoder::TransformerEncoder(std::int64_t num_layers, std::int64_t d_model,
                                       std::int64_t nhead, Generator& generator,
                                       const TransformerStackOptions& options) {
  fill_stack<TransformerEncoderLayer>(*this, "TransformerEncoder", num_layers, d_model, nhead,
                                      generator, options);
}

TransformerEncoder::TransformerEncoder(std::int64_t num_layers, std::int64_t d_model,
                                       std::int64_t nhead, const TransformerStackOptions& options)
    : TransformerEncoder(num_layers, d_model, nhead, autograd::default_generator(), options) {}

Tensor TransformerEncoder::operator()(const Tensor& x, const EncoderCall& call) const {
  Tensor y = x;
  for (const TransformerEncoderLayer& layer : layers) y = layer(y, call);
  if (norm) y = (*norm)(y);
  observe("TransformerEncoder", y);
  return y;
}

Tensor TransformerEncoder::step(const Tensor& x, std::vector<KeysAndValues>& caches,
                                const EncoderCall& call) const {
  return step_through(*this, "TransformerEncoder", x, caches,
                      caches.empty() ? std::vector<KeysAndValues>(layers.size()) : caches, call);
}

TransformerDecoder::TransformerDecoder(std::int64_t num_layers, std::int64_t d_model,
                                       std::int64_t nhead, Generator& generator,
                                       const TransformerStackOptions& options) {
  fill_stack<TransformerDecoderLayer>(*this, "TransformerDecoder", num_layers, d_model, nhead,
                                      generator, options);
}

TransformerDecoder::TransformerDecoder(std::int64_t num_layers, std::int64_t d_model,
                                       std::int64_t nhead, const TransformerStackOptions& options)
    : TransformerDecoder(num_layers, d_model, nhead, autograd::default_generator(), options) {}

Tensor TransformerDecoder::operator()(const Tensor& tgt, const Tensor& memory,
                                      const DecoderCall& call) const {
  Tensor y = tgt;
  for (const TransformerDecoderLayer& layer : layers) y = layer(y, memory, call);
  if (norm) y = (*norm)(y);
  observe("TransformerDecoder", y);
  return y;
}

std::vector<DecoderCache> TransformerDecoder::start(const Tensor& memory) const {
  std::vector<DecoderCache> caches;
  for (const TransformerDecoderLayer& layer : layers) caches.push_back(layer.start(memory));
  return caches;
}

Tensor TransformerDecoder::step(const Tensor& tgt, std::vector<DecoderCache>& caches,
                                const DecoderCall& call) const {
  return step_through(*this, "TransformerDecoder", tgt, caches, caches, call);
}

Transformer::Transformer(std::int64_t d_model, std::int64_t nhead, Generator& generator,
                         const TransformerOptions& options)
    : encoder(options.num_encoder_layers, d_model, nhead, generator,
              {.layer = options.layer, .norm = true}),
      decoder(options.num_decoder_layers, d_model, nhead, generator,
              {.layer = options.layer, .norm = true}) {
  register_module("encoder", encoder);
  register_module("decoder", decoder);
  for (const Tensor& p : parameters()) {
    if (p.dim() > 1) xavier_uniform_(p, {}, generator);
  }
}

Transformer::Transformer(std::int64_t d_model, std::int64_t nhead,
                         const TransformerOptions& options)
    : Transformer(d_model, nhead, autograd::default_generator(), options) {}

Tensor Transformer::operator()(const Tensor& source, const Tensor& target,
                               const EncoderCall& source_call, const DecoderCall& call) const {
  const Tensor y = decoder(target, encoder(source, source_call), call);
  observe("Transformer", y);
  return y;
}

}  // namespace nn
