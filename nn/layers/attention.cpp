// SPDX-License-Identifier: Apache-2.0
// Inside, everything is [n, heads, l, e / heads], and masks say where to attend. Without weights and
// floating masks autograd::scaled_dot_product_attention does the work.
#include "attention.hpp"

#include <limits>

#include "check.hpp"

namespace nn {

namespace {

using autograd::Shape;
using autograd::ShapeError;
using autograd::TypeError;
using autograd::ValueError;

constexpr const char* kName = "MultiheadAttention";

/// A mask with its four axes, [n or 1, heads or 1, l or 1, s].
Tensor four_axes(const char* what, const Tensor& mask, const Shape& shape,
                 const std::vector<Shape>& allowed) {
  for (const Shape& fits : allowed) {
    if (mask.shape() == fits) return autograd::reshape(mask, shape);
  }
  std::string need;
  for (const Shape& fits : allowed) need += (need.empty() ? "" : " or ") + to_string(fits);
  throw ShapeError(std::string(what) + " has the wrong shape: it is " + to_string(mask.shape()) +
                   "; need " + need);
}

Tensor both(const Tensor& a, const Tensor& b) {
  if (!a.defined()) return b;
  return b.defined() ? a & b : a;
}

}  // namespace

/// What is done to the scores before the softmax.
struct MultiheadAttention::Scores {
  Tensor attend;  // bool; undefined: everywhere
  Tensor added;   // floating; undefined: nothing
  bool causal_alone = false;

  void take(const char* what, const Tensor& mask, MaskMeaning meaning, autograd::DType dtype) {
    if (mask.dtype() == autograd::boolean) {
      attend = both(attend, meaning == MaskMeaning::attend_where ? mask : ~mask);
    } else if (autograd::is_floating(mask.dtype())) {
      const Tensor x = autograd::to(mask, dtype);
      added = added.defined() ? added + x : x;
    } else {
      throw TypeError(std::string(what) + " is " + autograd::name(mask.dtype()) +
                      "; need bool or a floating dtype");
    }
  }

  Scores(const AttendOptions& options, std::int64_t n, std::int64_t heads, std::int64_t l,
         std::int64_t s, bool batched, autograd::DType dtype) {
    if (const Tensor& mask = options.attn_mask; mask.defined()) {
      const bool each = mask.dim() == 3;
      take("attn_mask",
           four_axes("attn_mask", mask, each ? Shape{n, heads, l, s} : Shape{1, 1, l, s},
                     {{l, s}, {n * heads, l, s}}),
           options.meaning, dtype);
    }
    if (const Tensor& mask = options.key_padding_mask; mask.defined()) {
      take("key_padding_mask",
           four_axes("key_padding_mask", mask, {n, 1, 1, s}, {batched ? Shape{n, s} : Shape{s}}),
           options.meaning, dtype);
    }
    const std::int64_t past = options.past;
    if (past < 0) {
      throw ValueError("past is " + std::to_string(past) + "; need a number of keys, >= 0");
    }
    if (!options.is_causal || past + 1 >= s) return;  // then the first query sees all keys
    causal_alone = past == 0 && !attend.defined() && !added.defined() && !options.need_weights;
    if (!causal_alone) {
      attend = both(attend, autograd::tril(autograd::ones({l, s}), past) > 0.5);
    }
  }
};

KeysAndValues KeysAndValues::followed_by(const KeysAndValues& more) const {
  if (!keys.defined()) return more;
  return {autograd::cat({keys, more.keys}, 2), autograd::cat({values, more.values}, 2)};
}

KeysAndValues KeysAndValues::rows(const Tensor& index) const {
  return {autograd::index_select(keys, 0, index), autograd::index_select(values, 0, index)};
}

MultiheadAttention::MultiheadAttention(std::int64_t embed_dim, std::int64_t num_heads,
                                       Generator& generator,
                                       const MultiheadAttentionOptions& options)
    : out_proj(std::max<std::int64_t>(embed_dim, 0), std::max<std::int64_t>(embed_dim, 0),
               generator, {.bias = options.bias, .dtype = options.dtype}),
      dropout(options.dropout, generator),
      embed_dim_(embed_dim),
      heads_(num_heads),
      kdim_(options.kdim == 0 ? embed_dim : options.kdim),
      vdim_(options.vdim == 0 ? embed_dim : options.vdim),
      batch_first_(options.batch_first) {
  detail::check_at_least(kName, "embed_dim", embed_dim, 1);
  detail::check_at_least(kName, "num_heads", num_heads, 1);
  detail::check_at_least(kName, "kdim", kdim_, 1);
  detail::check_at_least(kName, "vdim", vdim_, 1);
  if (embed_dim % num_heads != 0) {
    throw ValueError(std::string(kName) + ": the heads do not share embed_dim evenly: embed_dim " +
                     "is " + std::to_string(embed_dim) + ", num_heads is " +
                     std::to_string(num_heads) + "; need a divisor");
  }
  const auto weight = [&](const char* name, std::int64_t rows, std::int64_t columns) {
    Parameter w(autograd::empty({rows, columns}, options.dtype));
    xavier_uniform_(w, {}, generator);
    register_parameter(name, w);
    return w;
  };
  if (kdim_ == embed_dim && vdim_ == embed_dim) {
    in_proj_weight = weight("in_proj_weight", 3 * embed_dim, embed_dim);
  } else {
    q_proj_weight = weight("q_proj_weight", embed_dim, embed_dim);
    k_proj_weight = weight("k_proj_weight", embed_dim, kdim_);
    v_proj_weight = weight("v_proj_weight", embed_dim, vdim_);
  }
  if (options.bias) {
    in_proj_bias =
        detail::constant_parameter(*this, "in_proj_bias", {3 * embed_dim}, 0, options.dtype);
    constant_(out_proj.bias, 0.0);
  }
  register_module("out_proj", out_proj);
  register_module("dropout", dropout);
}

MultiheadAttention::MultiheadAttention(std::int64_t embed_dim, std::int64_t num_heads,
                                       const MultiheadAttentionOptions& options)
    : MultiheadAttention(embed_dim, num_heads, autograd::default_generator(), options) {}

void MultiheadAttention::check(const char* what, const Tensor& x, std::int64_t features) const {
  if ((x.dim() == 2 || x.dim() == 3) && x.shape().back() == features) return;
  throw ShapeError(std::string(what) + " has the wrong shape: it is " + to_string(x.shape()) +
                   "; need " + (batch_first_ ? "[n, l, " : "[l, n, ") + std::to_string(features) +
                   "], or [l, " + std::to_string(features) + "] without a batch");
}

void MultiheadAttention::check_call(const Tensor& query, const Tensor& key,
                                    const Tensor& value) const {
  check("query", query, embed_dim_);
  check("key", key, kdim_);
  check("value", value, vdim_);
  check_lengths(key, value);
  const int n = batch_first_ ? 0 : 1;
  const Shape &a = query.shape(), &b = key.shape();
  if (a.dim() == b.dim() && (a.dim() == 2 || a[n] == b[n])) return;
  throw ShapeError("query and key do not fit: query is " + to_string(a) + ", key is " +
                   to_string(b) + "; need the same batch");
}

void MultiheadAttention::check_lengths(const Tensor& key, const Tensor& value) const {
  const Shape &a = key.shape(), &b = value.shape();
  if (a.dim() == b.dim() && a[0] == b[0] && (a.dim() == 2 || a[1] == b[1])) return;
  throw ShapeError("key and value do not fit: key is " + to_string(a) + ", value is " +
                   to_string(b) + "; need a value for each key");
}

// x as [n, l, features].
Tensor MultiheadAttention::in_front(const Tensor& x) const {
  if (x.dim() == 2) return autograd::unsqueeze(x, 0);
  return batch_first_ ? x : autograd::transpose(x, 0, 1);
}

// x by `count` projections, from number `which` of query, key and value on.
Tensor MultiheadAttention::projected(const Tensor& x, int which, int count) const {
  const std::int64_t from = which * embed_dim_, rows = count * embed_dim_;
  const Tensor* own[] = {&q_proj_weight, &k_proj_weight, &v_proj_weight};
  const auto part = [&](const Tensor& t) {
    return rows == t.shape()[0] || !t.defined() ? t : autograd::narrow(t, 0, from, rows);
  };
  const Tensor w = in_proj_weight.defined() ? part(in_proj_weight) : *own[which];
  return autograd::linear(x, w, in_proj_bias.defined() ? part(in_proj_bias) : Tensor());
}

// [n, l, e] as [n, heads, l, e / heads].
Tensor MultiheadAttention::heads_of(const Tensor& x) const {
  const Shape& shape = x.shape();
  return autograd::transpose(
      autograd::reshape(x, {shape[0], shape[1], heads_, embed_dim_ / heads_}), 1, 2);
}

KeysAndValues MultiheadAttention::pair_of(const Tensor& key, const Tensor& value) const {
  if (key.node() == value.node() && in_proj_weight.defined()) {
    const auto parts = autograd::chunk(projected(in_front(key), 1, 2), 2, 2);
    return {heads_of(parts[0]), heads_of(parts[1])};
  }
  return {heads_of(projected(in_front(key), 1, 1)), heads_of(projected(in_front(value), 2, 1))};
}

KeysAndValues MultiheadAttention::project(const Tensor& key, const Tensor& value) const {
  try {
    check("key", key, kdim_);
    check("value", value, vdim_);
    check_lengths(key, value);
    return pair_of(key, value);
  } catch (const autograd::Error&) {
    rethrow(kName);
  }
}

AttentionResult MultiheadAttention::attend(const Tensor& query, const KeysAndValues& to,
                                           const AttendOptions& options) const {
  try {
    check("query", query, embed_dim_);
    return attended(heads_of(projected(in_front(query), 0, 1)), to, query.dim() == 3, options);
  } catch (const autograd::Error&) {
    rethrow(kName);
  }
}

AttentionResult MultiheadAttention::operator()(const Tensor& query, const Tensor& key,
                                               const Tensor& value,
                                               const AttendOptions& options) const {
  try {
    check_call(query, key, value);
    const bool batched = query.dim() == 3;
    if (query.node() == key.node() && key.node() == value.node() && in_proj_weight.defined()) {
      const auto parts = autograd::chunk(projected(in_front(query), 0, 3), 3, 2);
      return attended(heads_of(parts[0]), {heads_of(parts[1]), heads_of(parts[2])}, batched,
                      options);
    }
    const KeysAndValues to = pair_of(key, value);
    return attended(heads_of(projected(in_front(query), 0, 1)), to, batched, options);
  } catch (const autograd::Error&) {
    rethrow(kName);
  }
}

AttentionResult MultiheadAttention::attended(const Tensor& q, const KeysAndValues& to, bool batched,
                                             const AttendOptions& options) const {
  const Shape &a = q.shape(), &b = to.keys.shape();
  const std::int64_t n = a[0], l = a[2], s = b[2];
  if (b.dim() != 4 || b[0] != n || b[1] != heads_ || !(b == to.values.shape())) {
    throw ShapeError("keys and values do not fit: queries are " + to_string(a) + ", keys are " +
                     to_string(b) + ", values are " + to_string(to.values.shape()) +
                     "; need what project() returns for the same batch");
  }
  const Scores scores(options, n, heads_, l, s, batched, q.dtype());
  AttentionResult result = weighed(q, to, scores, options);
  // [n, heads, l, e / heads] as [n, l, e]
  result.output = autograd::reshape(autograd::transpose(result.output, 1, 2), {n, l, embed_dim_});
  result.output = autograd::linear(result.output, out_proj.weight, out_proj.bias);
  if (!batched) {
    result.output = autograd::squeeze(result.output, 0);
  } else if (!batch_first_) {
    result.output = autograd::transpose(result.output, 0, 1);
  }
  if (result.weights.defined()) {
    if (options.average_attn_weights) result.weights = autograd::mean(result.weights, 1);
    if (!batched) result.weights = autograd::squeeze(result.weights, 0);
  }
  observe(kName, result.output);
  return result;
}

// The output of each head, and its weights if they are needed.
AttentionResult MultiheadAttention::weighed(const Tensor& q, const KeysAndValues& to,
                                            const Scores& scores,
                                            const AttendOptions& options) const {
  const double p = is_training() ? dropout.p() : 0.0;
  const std::int64_t words = q.shape()[0] * heads_ * q.shape()[2] * to.keys.shape()[2];
  Generator generator = p > 0 ? dropout.take(words) : Generator();
  if (!options.need_weights && !scores.added.defined()) {
    autograd::AttentionOptions all{.dropout_p = p};
    if (scores.attend.defined()) {
      all.mask = autograd::AttentionMask::attend_where;
      all.attend = scores.attend;
    } else if (scores.causal_alone) {
      all.mask = autograd::AttentionMask::causal;
    }
    return {autograd::scaled_dot_product_attention(q, to.keys, to.values, generator, all), {}};
  }
  const double scale = 1 / std::sqrt(static_cast<double>(q.shape()[3]));
  Tensor k = to.keys, v = to.values;
  if (scores.attend.defined()) {  // NaN in keys that nobody attends to stays out of everything
    const Tensor wide = autograd::broadcast_to(
        scores.attend,
        autograd::broadcast_shapes(kName, scores.attend.shape(), {1, 1, 1, k.shape()[2]}));
    const Tensor used = autograd::transpose(autograd::any(wide, {-2}, {.keepdim = true}));
    k = autograd::where(used, k, 0.0);
    v = autograd::where(used, v, 0.0);
  }
  Tensor s = autograd::matmul(q * scale, autograd::transpose(k));
  if (scores.added.defined()) s = s + scores.added;
  if (scores.attend.defined()) {
    s = autograd::where(scores.attend, s, -std::numeric_limits<double>::infinity());
  }
  const Tensor weights =
      autograd::dropout(autograd::softmax(s, -1), generator, {.p = p, .training = p > 0});
  return {autograd::matmul(weights, v), options.need_weights ? weights : Tensor()};
}

}  // namespace nn
