// SPDX-License-Identifier: Apache-2.0
// Multi-head attention (Vaswani et al. 2017) with its projections, key names and masks as
// torch.nn.MultiheadAttention. Keys and values can be projected once and attended to many times, which
// is what decoding word by word needs.
#pragma once

#include <cstdint>

#include "dropout.hpp"
#include "linear.hpp"

namespace nn {

struct MultiheadAttentionOptions {
  double dropout = 0.0;  ///< of the attention weights, in training
  bool bias = true;
  std::int64_t kdim = 0, vdim = 0;  ///< features of keys and values; 0: embed_dim
  bool batch_first = false;         ///< [n, l, e] instead of [l, n, e]
  autograd::DType dtype = autograd::float32;
};

/// What true means in a bool mask. PyTorch's MultiheadAttention ignores where it is true, its
/// scaled_dot_product_attention (and autograd's) attends there: say which one a mask was made for.
enum class MaskMeaning : std::uint8_t { ignore_where, attend_where };

/// How one call attends. Masks are bool, or floating and then added to the scores.
struct AttendOptions {
  Tensor attn_mask = {};         ///< [l, s], or [n heads, l, s]
  Tensor key_padding_mask = {};  ///< [n, s], or [s] without a batch
  MaskMeaning meaning = MaskMeaning::ignore_where;
  bool is_causal = false;            ///< query i attends to keys 0 to past + i, besides the masks
  std::int64_t past = 0;             ///< keys from before the first query
  bool need_weights = true;          ///< false is faster
  bool average_attn_weights = true;  ///< over the heads
};

struct AttentionResult {
  Tensor output;   ///< of query's shape
  Tensor weights;  ///< [n, l, s], or [n, heads, l, s] unless averaged; undefined unless needed
};

/// Projected keys and values, [n, heads, s, e / heads] each.
struct KeysAndValues {
  Tensor keys, values;
  /// These, followed by those of later positions.
  KeysAndValues followed_by(const KeysAndValues& more) const;
  /// The batch's rows at the int64 index [m]: what a beam search keeps.
  KeysAndValues rows(const Tensor& index) const;
};

/// softmax(Q K^T / sqrt(e / heads)) V for each head of the projected inputs, projected once more.
/// query [l, n, e], key [s, n, kdim], value [s, n, vdim] (batch_first: [n, l, e] ...; without a batch
/// no n). The projections of all three start by Xavier's rule, biases at 0. A query that may attend to
/// nothing gets weights 0 where PyTorch has NaN. Throws ShapeError and ValueError for what does not fit.
struct MultiheadAttention : Module {
  Parameter in_proj_weight;  ///< [3 e, e], of query, key and value; undefined with kdim or vdim
  Parameter q_proj_weight, k_proj_weight, v_proj_weight;  ///< then these
  Parameter in_proj_bias;                                 ///< [3 e]; undefined without bias
  Linear out_proj;
  Dropout dropout;

  MultiheadAttention(std::int64_t embed_dim, std::int64_t num_heads, Generator& generator,
                     const MultiheadAttentionOptions& options = {});
  /// Draws from the default generator of this thread.
  MultiheadAttention(std::int64_t embed_dim, std::int64_t num_heads,
                     const MultiheadAttentionOptions& options = {});
  AttentionResult operator()(const Tensor& query, const Tensor& key, const Tensor& value,
                             const AttendOptions& options = {}) const;

  /// The first half of a call, and the second.
  KeysAndValues project(const Tensor& key, const Tensor& value) const;
  AttentionResult attend(const Tensor& query, const KeysAndValues& to,
                         const AttendOptions& options = {}) const;

 private:
  struct Scores;
  Tensor in_front(const Tensor& x) const;
  Tensor projected(const Tensor& x, int which, int count) const;
  KeysAndValues pair_of(const Tensor& key, const Tensor& value) const;
  Tensor heads_of(const Tensor& x) const;
  void check(const char* what, const Tensor& x, std::int64_t features) const;
  void check_call(const Tensor& query, const Tensor& key, const Tensor& value) const;
  void check_lengths(const Tensor& key, const Tensor& value) const;
  AttentionResult attended(const Tensor& q, const KeysAndValues& to, bool batched,
                           const AttendOptions& options) const;
  AttentionResult weighed(const Tensor& q, const KeysAndValues& to, const Scores& scores,
                          const AttendOptions& options) const;

  std::int64_t embed_dim_, heads_, kdim_, vdim_;
  bool batch_first_;
};

}  // namespace nn
