// SPDX-License-Identifier: Apache-2.0
// A kernel call for every row of the result, and for several short rows at once: an operand that does
// not lie like the result is laid out on the stack first, a block of whole rows at a time. A call of
// three elements costs 5 ns, laying them out 0.5.
#include "broadcast_values.hpp"

#include <algorithm>
#include <array>
#include <tuple>

#include "../dtype.hpp"
#include "../kernels/parallel.hpp"
#include "broadcast.hpp"
#include "op.hpp"

namespace autograd::ops {

namespace {

constexpr std::int64_t kShortRow = 32;  // elements; from here on a call pays for itself
constexpr std::int64_t kBlock = 1024;   // elements that the first cache holds with their results
constexpr std::int64_t kPiece = 4;      // elements stored at once

using OuterStrides = std::array<std::int64_t, kMaxDim>;

// `rows` rows of `width` elements, `stride` apart, each element its neighbor's (step 0) or its own:
// written side by side, and up to kPiece - 1 elements beyond.
template <class T>
void copy_short_rows(const T* x, std::int64_t stride, int step, std::int64_t rows,
                     std::int64_t width, T* to) {
  for (std::int64_t r = 0; r < rows; ++r, to += width) {
    const T* from = x + r * stride;
    if (step != 0) {
      for (std::int64_t i = 0; i < width; ++i) to[i] = from[i];
      continue;
    }
    const T value = *from;
    for (std::int64_t i = 0; i < width; i += kPiece) {
      for (std::int64_t k = 0; k < kPiece; ++k) to[i + k] = value;
    }
  }
}

// One operand of loops with short rows.
template <class T> class ShortRows {
 public:
  ShortRows(const Loops& loops, const T* x, const OuterStrides& strides, int step)
      : loops_(loops), x_(x), strides_(strides), step_(step) {
    std::int64_t next = loops.inner;
    for (int i = loops.dim - 1; i >= 0; --i) {
      const auto k = static_cast<std::size_t>(i);
      dense_ = dense_ && strides[k] == next;
      repeated_ = repeated_ && strides[k] == 0;
      next *= loops.extent[k];
    }
    dense_ = dense_ && step == 1;
  }

  // Rows [first, first + rows) side by side: those of the operand itself, or of `block`.
  const T* lay_out(std::int64_t first, std::int64_t rows, T* block) {
    if (dense_) return x_ + first * loops_.inner;
    if (laid_out_ >= rows) return block;
    if (repeated_) laid_out_ = rows;  // the same for every block
    const auto last = static_cast<std::size_t>(loops_.dim - 1);
    OuterStrides index{};
    std::int64_t at = 0;
    for (std::size_t i = last + 1, rest = static_cast<std::size_t>(first); i-- > 0;) {
      const auto extent = static_cast<std::size_t>(loops_.extent[i]);
      index[i] = static_cast<std::int64_t>(rest % extent);
      rest /= extent;
      at += index[i] * strides_[i];
    }
    for (T* to = block; rows > 0;) {
      const std::int64_t n = std::min(rows, loops_.extent[last] - index[last]);
      copy_short_rows(x_ + at, strides_[last], step_, n, loops_.inner, to);
      to += n * loops_.inner;
      rows -= n;
      at -= index[last] * strides_[last];
      index[last] = 0;
      for (std::size_t i = last; i-- > 0;) {
        at += strides_[i];
        if (++index[i] < loops_.extent[i]) break;
        at -= strides_[i] * loops_.extent[i];
        index[i] = 0;
      }
    }
    return block;
  }

 private:
  const Loops& loops_;
  const T* x_;
  const OuterStrides& strides_;
  int step_;
  bool dense_ = true, repeated_ = true;
  std::int64_t laid_out_ = 0;
};

// Calls f(a, step_a, b, step_b, offset_y, n) until all of y was named.
template <class T, class F>
void for_each_piece(const Loops& loops, const T* a, const T* b, const F& f) {
  if (loops.dim == 0 || loops.inner >= kShortRow) {
    return for_each_row_on_threads(loops, [&](std::int64_t i, std::int64_t j, std::int64_t at) {
      f(a + i, loops.inner_a, b + j, loops.inner_b, at, static_cast<std::size_t>(loops.inner));
    });
  }
  const std::int64_t block = kBlock / loops.inner;
  constexpr std::size_t kTaskElements = 1 << 15;  // enough to outweigh starting a task
  kernels::parallel_for(
      static_cast<std::size_t>(row_count(loops)),
      kTaskElements / static_cast<std::size_t>(loops.inner),
      [&](std::size_t begin, std::size_t end) {
        T block_a[kBlock + kPiece], block_b[kBlock + kPiece];
        ShortRows<T> rows_a(loops, a, loops.a, loops.inner_a);
        ShortRows<T> rows_b(loops, b, loops.b, loops.inner_b);
        const auto last = static_cast<std::int64_t>(end);
        for (auto first = static_cast<std::int64_t>(begin); first < last; first += block) {
          const std::int64_t rows = std::min(block, last - first);
          f(rows_a.lay_out(first, rows, block_a), 1, rows_b.lay_out(first, rows, block_b), 1,
            first * loops.inner, static_cast<std::size_t>(rows * loops.inner));
        }
      });
}

}  // namespace

Tensor broadcast_values(const RowKernels& row, const Tensor& a, const Tensor& b) {
  Tensor y = make(broadcast_shapes(row.name, a.shape(), b.shape()), a.dtype());
  if (y.numel() == 0) return y;
  Loops loops;
  if (!plan_loops(y.shape(), a, b, loops)) {
    return broadcast_values(row, row_major(a), row_major(b));
  }
  dispatch_floating(row.name, a.dtype(), [&]<class T>(T) {
    for_each_piece(loops, data<T>(a), data<T>(b),
                   [&](const T* p, int sp, const T* q, int sq, std::int64_t at, std::size_t n) {
                     std::get<kernels::BinaryKernel<T>>(row.value)(p, sp, q, sq, data<T>(y) + at,
                                                                   n);
                   });
  });
  return y;
}

Tensor broadcast_gradient(const RowKernels& row, int k, const Tensor& a, const Tensor& b,
                          const Tensor& y, const Tensor& dy) {
  Tensor result = make(dy.shape(), dy.dtype());
  if (result.numel() == 0) return result;
  Loops loops;
  if (!plan_loops(dy.shape(), a, b, loops)) {
    return broadcast_gradient(row, k, row_major(a), row_major(b), y, dy);
  }
  dispatch_floating(row.name, dy.dtype(), [&]<class T>(T) {
    for_each_piece(loops, data<T>(a), data<T>(b),
                   [&](const T* p, int sp, const T* q, int sq, std::int64_t at, std::size_t n) {
                     std::get<RowKernels::Backward<T>>(row.backward)(
                         k, p, sp, q, sq, data<T>(y) + at, data<T>(dy) + at, data<T>(result) + at,
                         n);
                   });
  });
  return result;
}

}  // namespace autograd::ops
