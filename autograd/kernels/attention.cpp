// SPDX-License-Identifier: Apache-2.0
#include "attention.hpp"

#include <algorithm>
#include <limits>

#include "gemm.hpp"
#include "parallel.hpp"
#include "random.hpp"
#include "reduce.hpp"
#include "scratch.hpp"

namespace autograd::kernels {
namespace {

constexpr std::size_t kWeights = std::size_t{1} << 16;  // that exist at a time: 256 KiB of float
constexpr std::size_t kWords = 1024;                    // of a random stream at a time

using Int = std::int64_t;

std::size_t rows_at_a_time(const AttentionShape& s) {
  return std::clamp<std::size_t>(kWeights / std::max<std::size_t>(s.keys, 1), 1, s.queries);
}

std::size_t task_grain(const AttentionShape& s, std::size_t rows) {
  return (std::size_t{1} << 16) / std::max<std::size_t>(rows * s.keys * (s.e + s.v), 1) + 1;
}

/// Keys and values of one batch. Those that no query attends to are zeros, in a copy: what is there, NaN
/// perhaps, must not reach a product.
template <class T> struct Attended {
  const T *k, *v;
  Int k_row, v_row;
  std::vector<bool> unused;  // empty: none

  Attended(const AttentionShape& s, std::size_t batch, const T* keys, const T* values)
      : k(keys + s.k.at[batch]), v(values + s.val.at[batch]), k_row(s.k.row), v_row(s.val.row) {
    find_unused(s, batch);
    if (unused.empty()) return;
    k = with_zeros(k, k_row, s.e, scratch<T>(Scratch::attention_keys, s.keys * s.e));
    v = with_zeros(v, v_row, s.v, scratch<T>(Scratch::attention_values, s.keys * s.v));
    k_row = static_cast<Int>(s.e);
    v_row = static_cast<Int>(s.v);
  }

 private:
  void find_unused(const AttentionShape& s, std::size_t batch) {
    std::vector<bool> none(s.keys, true);
    if (s.causal) {
      std::fill_n(none.begin(), std::min(s.queries, s.keys), false);
    } else if (s.attend != nullptr) {
      for (std::size_t i = 0; i < s.queries; ++i) {
        const bool* row = s.attend + s.mask.at[batch] + static_cast<Int>(i) * s.mask.row;
        for (std::size_t j = 0; j < s.keys; ++j) {
          if (row[static_cast<Int>(j) * s.mask_column]) none[j] = false;
        }
        if (s.mask.row == 0) break;
      }
    } else {
      return;
    }
    if (std::find(none.begin(), none.end(), true) != none.end()) unused = std::move(none);
  }
  const T* with_zeros(const T* from, Int row, std::size_t width, T* to) const {
    for (std::size_t j = 0; j < unused.size(); ++j) {
      T* place = to + j * width;
      unused[j] ? std::fill_n(place, width, T(0))
                : std::copy_n(from + static_cast<Int>(j) * row, width, place);
    }
    return to;
  }
};

// Sets to `value` what queries [first, first + rows) of a batch do not attend to. x: [rows, keys]
template <class T>
void set_masked(const AttentionShape& s, std::size_t batch, std::size_t first, std::size_t rows,
                T value, T* x) {
  for (std::size_t i = first; i < first + rows; ++i, x += s.keys) {
    if (s.causal) {
      std::fill(x + std::min(i + 1, s.keys), x + s.keys, value);
    } else if (s.attend != nullptr) {
      const bool* row = s.attend + s.mask.at[batch] + static_cast<Int>(i) * s.mask.row;
      for (std::size_t j = 0; j < s.keys; ++j) {
        x[j] = row[static_cast<Int>(j) * s.mask_column] ? x[j] : value;
      }
    }
  }
}

// Dropout of elements [first, first + n) of all weights; y may be x.
template <class T>
void drop_weights(const AttentionShape& s, std::size_t first, std::size_t n, const T* x, T* y) {
  if (s.p >= 1) {
    std::fill_n(y, n, T(0));
    return;
  }
  const auto limit = static_cast<std::uint32_t>(s.p * 0x1p32);
  const auto factor = static_cast<T>(1 / (1 - s.p));
  std::uint32_t words[kWords];
  for (std::size_t done = 0; done < n;) {
    const std::size_t lead = (first + done) % 4, m = std::min(n - done, kWords - lead);
    random_words(s.seed, s.first_block + (first + done) / 4, lead + m, words);
    drop(x + done, words + lead, limit, factor, y + done, m);
    done += m;
  }
}

// Some rows of queries of one batch, scaled, and their weights.
template <class T> struct Rows {
  const AttentionShape& s;
  const Attended<T>& of;
  std::size_t batch, first, count;
  T *q, *weights;  // [count, e], [count, keys]

  Rows(const AttentionShape& shape, const Attended<T>& attended, std::size_t b, std::size_t from,
       std::size_t n, const T* queries)
      : s(shape),
        of(attended),
        batch(b),
        first(from),
        count(n),
        q(scratch<T>(Scratch::attention_queries, n * shape.e)),
        weights(scratch<T>(Scratch::attention_weights, n * shape.keys)) {
    const T* source = queries + s.q.at[batch] + static_cast<Int>(first) * s.q.row;
    const auto scale = static_cast<T>(s.scale);
    for (std::size_t i = 0; i < count; ++i, source += s.q.row) {
      for (std::size_t c = 0; c < s.e; ++c) q[i * s.e + c] = source[c] * scale;
    }
    product({.transpose_b = true, .n = s.keys, .k = s.e, .a = q, .lda = s.e}, of.k, of.k_row,
            weights, s.keys);
    set_masked(s, batch, first, count, -std::numeric_limits<T>::infinity(), weights);
    softmax(weights, weights, count, s.keys, 1);
  }
  std::size_t size() const { return count * s.keys; }
  void drop(const T* x, T* y) const {
    drop_weights(s, (batch * s.queries + first) * s.keys, size(), x, y);
  }
  // [count, ...] products.
  void product(GemmCall<T> call, const T* b, Int b_row, T* c, std::size_t c_row) const {
    call.m = count;
    call.b = b;
    call.ldb = static_cast<std::size_t>(b_row);
    call.c = c;
    call.ldc = c_row;
    gemm(call);
  }
  // to: [keys, width] += x^T y; x: [count, keys], y: [count, width]
  void add_transposed(const T* x, const T* y, std::size_t width, T* to) const {
    gemm(GemmCall<T>{.transpose_a = true,
                     .m = s.keys,
                     .n = width,
                     .k = count,
                     .a = x,
                     .lda = s.keys,
                     .b = y,
                     .ldb = width,
                     .c = to,
                     .ldc = width,
                     .accumulate = true});
  }

  void forward(T* y) const {
    if (s.p > 0) drop(weights, weights);
    product({.n = s.v, .k = s.keys, .a = weights, .lda = s.keys}, of.v, of.v_row, y, s.v);
  }
  /// dy: [count, v]; the gradients of this batch, keys and values summed so far.
  void backward(const T* dy, const AttentionGradients<T>& to) const {
    T* slopes = scratch<T>(Scratch::attention_slopes, size());
    if (to.v != nullptr) {
      if (s.p > 0) drop(weights, slopes);
      add_transposed(s.p > 0 ? slopes : weights, dy, s.v, to.v);
    }
    if (to.q == nullptr && to.k == nullptr) return;
    product({.transpose_b = true, .n = s.keys, .k = s.v, .a = dy, .lda = s.v}, of.v, of.v_row,
            slopes, s.keys);
    if (s.p > 0) drop(slopes, slopes);
    softmax_backward(weights, slopes, slopes, count, s.keys, 1);
    set_masked(s, batch, first, count, T(0), slopes);
    if (to.k != nullptr) add_transposed(slopes, q, s.e, to.k);
    if (to.q != nullptr) {
      T* dq = to.q + first * s.e;
      product({.n = s.e, .k = s.keys, .a = slopes, .lda = s.keys}, of.k, of.k_row, dq, s.e);
      for (std::size_t i = 0; i < count * s.e; ++i) dq[i] *= static_cast<T>(s.scale);
    }
  }
};

}  // namespace

template <class T>
void attention_forward(const AttentionShape& s, const T* q, const T* k, const T* v, T* y) {
  if (s.queries == 0) return;
  const std::size_t rows = rows_at_a_time(s), blocks = (s.queries + rows - 1) / rows;
  parallel_for(s.batches() * blocks, task_grain(s, rows), [&](std::size_t begin, std::size_t end) {
    for (std::size_t task = begin; task < end; ++task) {
      const std::size_t batch = task / blocks, first = task % blocks * rows;
      const Attended<T> attended(s, batch, k, v);
      const Rows<T> some(s, attended, batch, first, std::min(rows, s.queries - first), q);
      some.forward(y + (batch * s.queries + first) * s.v);
    }
  });
}

template <class T>
void attention_backward(const AttentionShape& s, const T* q, const T* k, const T* v, const T* dy,
                        const AttentionGradients<T>& to) {
  parallel_for(s.batches(), task_grain(s, s.queries), [&](std::size_t begin, std::size_t end) {
    for (std::size_t batch = begin; batch < end; ++batch) {
      const auto own = [batch](T* all, std::size_t each) {
        return all != nullptr ? all + batch * each : nullptr;
      };
      const AttentionGradients<T> part = {own(to.q, s.queries * s.e), own(to.k, s.keys * s.e),
                                          own(to.v, s.keys * s.v)};
      if (part.k != nullptr) std::fill_n(part.k, s.keys * s.e, T(0));
      if (part.v != nullptr) std::fill_n(part.v, s.keys * s.v, T(0));
      const Attended<T> attended(s, batch, k, v);
      const std::size_t rows = s.queries > 0 ? rows_at_a_time(s) : 1;
      for (std::size_t first = 0; first < s.queries; first += rows) {
        const Rows<T> some(s, attended, batch, first, std::min(rows, s.queries - first), q);
        some.backward(dy + (batch * s.queries + first) * s.v, part);
      }
      for (std::size_t j = 0; j < attended.unused.size(); ++j) {
        if (!attended.unused[j]) continue;
        if (part.k != nullptr) std::fill_n(part.k + j * s.e, s.e, T(0));
        if (part.v != nullptr) std::fill_n(part.v + j * s.v, s.v, T(0));
      }
    }
  });
}

template void attention_forward(const AttentionShape&, const float*, const float*, const float*,
                                float*);
template void attention_forward(const AttentionShape&, const double*, const double*, const double*,
                                double*);
template void attention_backward(const AttentionShape&, const float*, const float*, const float*,
                                 const float*, const AttentionGradients<float>&);
template void attention_backward(const AttentionShape&, const double*, const double*, const double*,
                                 const double*, const AttentionGradients<double>&);

}  // namespace autograd::kernels
