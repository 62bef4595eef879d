// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <optional>

#include "apply.hpp"
#include "functions.hpp"
#include "network.hpp"
#include "ops/attention.hpp"
#include "spatial.hpp"
#include "text.hpp"

namespace autograd {

namespace {

constexpr const char* kName = "scaled_dot_product_attention";

Shape lead_of(const Shape& shape) {
  Shape lead;
  for (int i = 0; i + 2 < shape.dim(); ++i) lead.push_back(shape[i]);
  return lead;
}

// The leading axes of the result.
Shape check_operands(const Tensor& q, const Tensor& k, const Tensor& v) {
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
  try {
    return broadcast_shapes(kName, broadcast_shapes(kName, lead_of(a), lead_of(b)), lead_of(c));
  } catch (const ShapeError&) {  // it names batch axes alone, of two operands
    throw ShapeError(std::string(kName) + ": batch axes do not broadcast: query is " +
                     to_string(a) + ", key is " + to_string(b) + ", value is " + to_string(c) +
                     "; need equal extents or 1 in the axes before the matrices");
  }
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
    throw ValueError(std::string(kName) + ": scale is " + detail::text(options.scale) +
                     "; need a finite number (0: 1 / sqrt(e))");
  }
  if (!(options.dropout_p >= 0 && options.dropout_p <= 1)) {
    throw ValueError(std::string(kName) + ": dropout_p out of range: " +
                     detail::text(options.dropout_p) + "; need 0 to 1");
  }
}

// options.attend with two axes or more, once it is known to fit the scores.
std::optional<ops::Attribute> mask_of(const AttentionOptions& options, const Shape& scores) {
  if (options.mask != AttentionMask::attend_where) return {};
  const Tensor mask = detach(options.attend);
  if (!broadcasts_to(mask.shape(), scores)) {
    throw ShapeError(std::string(kName) + ": attend does not fit the scores: attend is " +
                     to_string(mask.shape()) + ", scores are " + to_string(scores) +
                     "; need a shape that broadcasts to them");
  }
  if (mask.dim() >= 2) return mask;
  return reshape(mask, Shape{1, mask.dim() == 1 ? mask.shape()[0] : 1});
}

// x with these leading axes.
Tensor with_lead(const Tensor& x, Shape lead) {
  if (lead_of(x.shape()) == lead) return x;
  lead.push_back(x.shape()[x.dim() - 2]);
  lead.push_back(x.shape().back());
  return broadcast_to(x, lead);
}

}  // namespace

Tensor scaled_dot_product_attention(const Tensor& query, const Tensor& key, const Tensor& value,
                                    Generator& generator, const AttentionOptions& options) {
  const Shape lead = check_operands(query, key, value);
  check_options(options);
  Shape scores = lead;
  scores.push_back(query.shape()[query.dim() - 2]);
  scores.push_back(key.shape()[key.dim() - 2]);
  const double e = static_cast<double>(query.shape().back());
  ops::Attention op{.scale = options.scale != 0 ? options.scale : 1 / std::sqrt(e),
                    .causal = options.mask == AttentionMask::causal,
                    .attend = mask_of(options, scores),
                    .p = options.dropout_p};
  if (op.p > 0) {
    op.seed = generator.seed();
    op.first_block = generator.reserve(static_cast<std::uint64_t>((scores.numel() + 3) / 4));
  }
  return apply(op, with_lead(query, lead), with_lead(key, lead), with_lead(value, lead));
}

Tensor scaled_dot_product_attention(const Tensor& query, const Tensor& key, const Tensor& value,
                                    const AttentionOptions& options) {
  return scaled_dot_product_attention(query, key, value, default_generator(), options);
}

}  // namespace autograd
