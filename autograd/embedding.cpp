// SPDX-License-Identifier: Apache-2.0
#include "apply.hpp"
#include "network.hpp"
#include "spatial.hpp"

namespace autograd {

Tensor ops::embed(const Tensor& weight, const Attribute& index, std::int64_t skip,
                  bool skip_values) {
  return apply(Embedding{index, weight.shape(), skip, skip_values}, weight);
}
Tensor ops::embed_gradient(const Tensor& dy, const Attribute& index, const Shape& weight,
                           std::int64_t skip) {
  return apply(EmbeddingGradient{index, weight, skip}, dy);
}

Tensor embedding(const Tensor& index, const Tensor& weight, EmbeddingOptions options) {
  if (weight.dim() != 2) {
    throw ShapeError("embedding: weight has the wrong number of axes: weight is " +
                     to_string(weight.shape()) + "; need 2");
  }
  detail::check_floating("embedding", weight);
  if (index.dtype() != int64) {
    throw TypeError(std::string("embedding: the index is ") + name(index.dtype()) + "; need int64");
  }
  if (index.dim() == kMaxDim) {
    throw ShapeError("embedding: the index has too many axes: index is " +
                     to_string(index.shape()) + "; need at most 7");
  }
  const std::int64_t rows = weight.shape()[0];
  std::int64_t skip = options.padding_idx;
  if (skip == EmbeddingOptions::kNoPadding) {
    skip = -1;
  } else if (skip < -rows || skip >= rows) {
    throw ValueError("embedding: padding_idx out of range: " + std::to_string(skip) +
                     "; need at least " + std::to_string(-rows) + " and less than " +
                     std::to_string(rows));
  } else if (skip < 0) {
    skip += rows;
  }
  const Tensor flat = ops::row_major(index);
  const auto values = flat.data<std::int64_t>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] < 0 || values[i] >= rows) {
      throw ValueError("embedding: index out of range: " + std::to_string(values[i]) +
                       " at position " + std::to_string(i) + "; need at least 0 and less than " +
                       std::to_string(rows));
    }
  }
  return ops::embed(weight, index, skip, false);
}

}  // namespace autograd
