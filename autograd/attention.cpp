// SPDX-License-Identifier: Apache-2.0
// Attention as a composition of recorded functions. Masks select, before the softmax: what is masked
// takes no part in values or gradients.
#include <cmath>
#include <limits>

#include "functions.hpp"
#include "network.hpp"
#include "ops/op.hpp"
#include "spatial.hpp"

namespace autograd {

namespace {

constexpr const char* kName = "scaled_dot_product_attention";

Shape lead_of(const Shape& shape) {
  Shape lead;
  for (int i = 0; i + 2 < shape.dim(); ++i) lead.push_back(shape[i]);
  return lead;
}

void check_operands(const Tensor& q, const Tensor& k, const Tensor& v) {
  detail::check_floating(kName, q);
  if (k.dtype() != q.dtype() || v.dtype() != q.dtype()) {
    throw TypeError(std::string(kName) + ": dtypes differ: query is " + name(q.dtype()) +
                    ", key is " + name(k.dtype()) + ", value is " + name(v.dtype()) +
                    "; need one dtype (convert with to)");
  }
  const Shape &a = q.shape(), &b = k.shape(), &c = v.shape();
  const bool axes = a.dim() >= 2 && b.dim() >= 2 && c.dim() >= 2;
  if (!axes || a.back() != b.back() || a.back() < 1 || b[b.dim() - 2] != c[c.dim() - 2]) {
    throw ShapeError(std::string(kName) + ": shapes do not fit: query is " + to_string(a) +
                     ", key is " + to_string(b) + ", value is " + to_string(c) +
                     "; need [..., l, e], [..., s, e] and [..., s, v] with e >= 1");
  }
  // Also throws what the products would, before anything is recorded.
  (void)broadcast_shapes(kName, broadcast_shapes(kName, lead_of(a), lead_of(b)), lead_of(c));
}

void check_options(const AttentionOptions& options) {
  const bool given = options.attend.defined();
  if (given != (options.mask == AttentionMask::attend_where)) {
    throw ValueError(std::string(kName) +
                     (given ? ": attend is given, but mask is not attend_where"
                            : ": mask is attend_where, but attend is not given") +
                     "; need both or neither");
  }
  if (given && options.attend.dtype() != boolean) {
    throw TypeError(std::string(kName) + ": attend is " + name(options.attend.dtype()) +
                    "; need bool, true where a query attends to a key");
  }
  if (!std::isfinite(options.scale)) {
    throw ValueError(std::string(kName) + ": scale is " + std::to_string(options.scale) +
                     "; need a finite number (0: 1 / sqrt(e))");
  }
  if (!(options.dropout_p >= 0 && options.dropout_p <= 1)) {
    throw ValueError(std::string(kName) + ": dropout_p out of range: " +
                     std::to_string(options.dropout_p) + "; need 0 to 1");
  }
}

Tensor causal_mask(std::int64_t queries, std::int64_t keys) {
  Tensor mask = ops::make({queries, keys}, boolean);
  bool* to = ops::data<bool>(mask);
  for (std::int64_t i = 0; i < queries; ++i) {
    for (std::int64_t j = 0; j < keys; ++j) *to++ = j <= i;
  }
  return mask;
}

// The mask with two axes or more, once it is known to fit the scores.
Tensor mask_of(const AttentionOptions& options, const Shape& scores) {
  const std::int64_t queries = scores[scores.dim() - 2], keys = scores.back();
  if (options.mask == AttentionMask::none) return {};
  if (options.mask == AttentionMask::causal) return causal_mask(queries, keys);
  const Tensor mask = detach(options.attend);
  if (mask.dim() > scores.dim() || !(broadcast_shapes(kName, mask.shape(), scores) == scores)) {
    throw ShapeError(std::string(kName) + ": attend does not fit the scores: attend is " +
                     to_string(mask.shape()) + ", scores are " + to_string(scores) +
                     "; need a shape that broadcasts to them");
  }
  if (mask.dim() >= 2) return mask;
  return reshape(mask, Shape{1, mask.dim() == 1 ? mask.shape()[0] : 1});
}

// [..., keys, 1]: the key counts for some query. Undefined when all of them do.
Tensor used_keys(const Tensor& mask, std::int64_t keys) {
  if (mask.numel() == 0) return {};
  Shape wide = mask.shape();
  wide[wide.dim() - 1] = keys;
  const Tensor most = max(to(broadcast_to(mask, wide), float32), {-2}, {.keepdim = true});
  if (most.numel() == 0 || -max(-most).item() > 0) return {};
  return transpose(most) > 0.5;
}

}  // namespace

Tensor scaled_dot_product_attention(const Tensor& query, const Tensor& key, const Tensor& value,
                                    Generator& generator, const AttentionOptions& options) {
  check_operands(query, key, value);
  check_options(options);
  Shape scores_shape = broadcast_shapes(kName, lead_of(query.shape()), lead_of(key.shape()));
  const std::int64_t keys = key.shape()[key.dim() - 2];
  scores_shape.push_back(query.shape()[query.dim() - 2]);
  scores_shape.push_back(keys);
  const Tensor mask = mask_of(options, scores_shape);
  Tensor k = key, v = value;
  if (mask.defined()) {
    if (const Tensor used = used_keys(mask, keys); used.defined()) {
      k = where(used, key, 0.0);
      v = where(used, value, 0.0);
    }
  }
  const double e = static_cast<double>(query.shape().back());
  const double scale = options.scale != 0 ? options.scale : 1 / std::sqrt(e);
  Tensor scores = matmul(query * scale, transpose(k));
  if (mask.defined()) {
    scores = where(mask, scores, -std::numeric_limits<double>::infinity());
  }
  const Tensor weights =
      dropout(softmax(scores, -1), generator, {.p = options.dropout_p, .training = true});
  return matmul(weights, v);
}

Tensor scaled_dot_product_attention(const Tensor& query, const Tensor& key, const Tensor& value,
                                    const AttentionOptions& options) {
  return scaled_dot_product_attention(query, key, value, default_generator(), options);
}

}  // namespace autograd
