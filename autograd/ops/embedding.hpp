// SPDX-License-Identifier: Apache-2.0
// Looking up rows of a table, and the adjoint: adding rows up.
#pragma once

#include "op.hpp"

namespace autograd::ops {

// Recorded. index: int64; `skip` is the row that takes part in no gradient, -1: none.
Tensor embed(const Tensor& weight, const Attribute& index, std::int64_t skip, bool skip_values);
Tensor embed_gradient(const Tensor& dy, const Attribute& index, const Shape& weight,
                      std::int64_t skip);

struct Embedding {
  static constexpr OpInfo info{"embedding", "the rows of a weight at an index",
                               "embedding_gradient(dy), dense", "no gradient for padding_idx"};
  static std::vector<OpCase> cases();
  Attribute index;
  Shape from;  // of the weight
  std::int64_t skip = -1;
  bool skip_values = false;  // zeros in place of row `skip`: the adjoint of the gradient

  Saves saved() const { return Saves::nothing; }
  Tensor forward(const Tensor& weight) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};
struct EmbeddingGradient {
  static constexpr OpInfo info{"embedding_gradient", "zeros with rows added at an index",
                               "embedding(dy), 0 at padding_idx"};
  static std::vector<OpCase> cases();
  Attribute index;
  Shape to;
  std::int64_t skip = -1;

  Saves saved() const { return Saves::nothing; }
  Tensor forward(const Tensor& y) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};

}  // namespace autograd::ops
