// SPDX-License-Identifier: Apache-2.0
#include "embedding.hpp"

#include <algorithm>
#include <bit>
#include <span>

#include "../create.hpp"
#include "../kernels/parallel.hpp"
#include "../network.hpp"
#include "../zero_rows.hpp"

namespace autograd::ops {

namespace {

using Inputs = std::vector<Tensor>;

// A table from this size on is worth knowing the rows that are used, when there are few.
constexpr std::int64_t kLargeTable = 1 << 15;  // elements
constexpr std::size_t kFew = 4;                // at most a fourth

/// The rows at an index, ascending, each once, without `skip`.
std::vector<std::int64_t> distinct(std::span<const std::int64_t> index, std::int64_t rows,
                                   std::int64_t skip) {
  std::vector<std::uint64_t> used(static_cast<std::size_t>(rows) / 64 + 1);
  for (const std::int64_t i : index) used[static_cast<std::size_t>(i) / 64] |= 1ull << (i % 64);
  if (skip >= 0) used[static_cast<std::size_t>(skip) / 64] &= ~(1ull << (skip % 64));
  std::vector<std::int64_t> list;
  list.reserve(index.size());
  for (std::size_t word = 0; word < used.size(); ++word) {
    for (std::uint64_t bits = used[word]; bits; bits &= bits - 1) {
      list.push_back(static_cast<std::int64_t>(word) * 64 + std::countr_zero(bits));
    }
  }
  return list;
}

/// Zeros of a table of which the rows at an index are going to be written.
Tensor zeros_for(std::span<const std::int64_t> index, const Shape& table, DType dtype,
                 std::int64_t skip) {
  const auto rows = static_cast<std::size_t>(table[0]);
  if (table.numel() < kLargeTable || index.size() > rows / kFew) return zeros(table, dtype);
  return detail::zeros_but_rows(table[0], table[1], dtype, distinct(index, table[0], skip));
}

Tensor some_index() { return tensor({{2, 0, 2}, {1, 1, 2}}, int64); }

}  // namespace

Tensor Embedding::forward(const Tensor& weight) const {
  const Tensor rows = row_major(index.tensor());
  const Dense table(weight);
  const std::int64_t d = from[1];
  Shape shape = rows.shape();
  shape.push_back(d);
  Tensor y = make(shape, weight.dtype());
  const std::int64_t* at = data<std::int64_t>(rows);
  dispatch_floating(info.name, weight.dtype(), [&]<class T>(T) {
    const auto grain = static_cast<std::size_t>(20000 / std::max<std::int64_t>(d, 1) + 1);
    kernels::parallel_for(count(rows), grain, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) {
        T* to = data<T>(y) + static_cast<std::int64_t>(i) * d;
        if (skip_values && at[i] == skip) {
          std::fill_n(to, d, T(0));
        } else {
          std::copy_n(table.data<T>() + at[i] * d, d, to);
        }
      }
    });
  });
  return y;
}
void Embedding::backward(const Saved<1>&, const Tensor& dy, Gradients<1>& dx) const {
  (void)index.unchanged(info.name);
  dx.set(0, embed_gradient(dy, index, from, skip));
}
std::vector<OpCase> Embedding::cases() {
  return {
      {"matrix of indices",
       {{4, 3}},
       [](const Inputs& in) { return embedding(some_index(), in[0]); }},
      {"one index, strided weight",
       {{2, 3}},
       [](const Inputs& in) { return embedding(tensor(1, int64), transpose(in[0])); }},
      {"padding that does not occur",
       {{4, 2}},
       [](const Inputs& in) { return embedding(some_index(), in[0], {.padding_idx = -1}); }},
      {"no index", {{3, 2}}, [](const Inputs& in) { return embedding(zeros({0}, int64), in[0]); }}};
}

Tensor EmbeddingGradient::forward(const Tensor& y) const {
  const Tensor rows = row_major(index.tensor());
  const Dense source(y);
  Tensor sums = zeros_for(rows.data<std::int64_t>(), to, y.dtype(), skip);
  const std::int64_t d = to[1];
  const std::int64_t* at = data<std::int64_t>(rows);
  // Threads get columns, so that each row is summed in the order of the index.
  dispatch_floating(info.name, y.dtype(), [&]<class T>(T) {
    const std::size_t grain =
        std::max<std::size_t>(16, 20000 / std::max<std::size_t>(1, count(rows)));
    kernels::parallel_for(static_cast<std::size_t>(d), grain, [&](std::size_t b, std::size_t e) {
      for (std::size_t i = 0; i < count(rows); ++i) {
        if (at[i] == skip) continue;
        const T* from = source.data<T>() + static_cast<std::int64_t>(i) * d;
        T* row = data<T>(sums) + at[i] * d;
        for (std::size_t k = b; k < e; ++k) row[k] += from[k];
      }
    });
  });
  return sums;
}
void EmbeddingGradient::backward(const Saved<1>&, const Tensor& dy, Gradients<1>& dx) const {
  (void)index.unchanged(info.name);
  dx.set(0, embed(dy, index, skip, true));
}
std::vector<OpCase> EmbeddingGradient::cases() {
  return {{"padding among them",
           {{2, 3, 2}},
           [](const Inputs& in) {
             return embed_gradient(in[0], some_index(), {4, 2}, 1);
           }},
          {"no padding", {{2, 3, 1}}, [](const Inputs& in) {
             return embed_gradient(in[0], some_index(), {3, 1}, -1);
           }}};
}

}  // namespace autograd::ops
