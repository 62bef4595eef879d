// SPDX-License-Identifier: Apache-2.0
// softmax(q k^T scale) v for a batch of matrices. The weights of some rows of queries exist at a time, in
// scratch memory; the backward pass computes them again. Threads get batches and, forward, rows: the
// bits do not depend on their number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace autograd::kernels {

/// Matrices with contiguous rows anywhere in memory: where each begins, and the distance of its rows.
struct MatrixBatch {
  std::vector<std::int64_t> at;
  std::int64_t row = 0;
};

struct AttentionShape {
  std::size_t queries = 0, keys = 0, e = 0, v = 0;
  MatrixBatch q, k, val,
      mask;  // [queries, e], [keys, e], [keys, v], [queries, keys], of each batch
  std::int64_t mask_column = 0;
  const bool* attend = nullptr;  // null: every query attends to every key
  bool causal = false;           // query i attends to keys 0 to i; without `attend`
  double scale = 1;
  // Dropout of the weights, element i of [batches, queries, keys] by word i of this stream.
  double p = 0;
  std::uint64_t seed = 0, first_block = 0;

  std::size_t batches() const { return q.at.size(); }
};

/// y: [batches, queries, v]
template <class T>
void attention_forward(const AttentionShape& s, const T* q, const T* k, const T* v, T* y);

/// [batches, queries, e], [batches, keys, e], [batches, keys, v]; null: not wanted.
template <class T> struct AttentionGradients { T *q, *k, *v; };
template <class T>
void attention_backward(const AttentionShape& s, const T* q, const T* k, const T* v, const T* dy,
                        const AttentionGradients<T>& to);

}  // namespace autograd::kernels
