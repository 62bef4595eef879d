// SPDX-License-Identifier: Apache-2.0
// The image's gradient by folding: the product of the transposed weights and y has a row for each channel
// and tap, which is added to the stretch of the image that the tap reads. Where channels are few this
// beats the products over pixels of conv.cpp, whose vectors would be nearly empty.
// Blocks of output rows keep the product in cache.
#include <algorithm>

#include "conv_plan.hpp"
#include "conv_tile.hpp"
#include "gemm.hpp"
#include "scratch.hpp"

namespace autograd::kernels {

namespace {

constexpr std::size_t kBlockBytes = 256 * 1024;

/// Some output rows of an image, all at one depth.
struct Rows {
  Int depth, first, count, outputs;
  Int number(const Plan& p) const { return depth * p.s.out[1] + first; }
};

template <class T, class F> void for_each_block(const Plan& p, F&& f) {
  const std::size_t row_bytes = size(p.c * p.taps * p.s.out[2]) * sizeof(T);
  const Int step =
      std::max<Int>(1, static_cast<Int>(kBlockBytes / std::max<std::size_t>(row_bytes, 1)));
  for (Int depth = 0; depth < p.s.out[0]; ++depth) {
    for (Int row = 0; row < p.s.out[1]; row += step) {
      const Int count = std::min(step, p.s.out[1] - row);
      f(Rows{depth, row, count, count * p.s.out[2]});
    }
  }
}
template <class T> T* column_scratch(const Plan& p) {
  Int most = 0;
  for_each_block<T>(p, [&](const Rows& rows) { most = std::max(most, rows.outputs); });
  return scratch<T>(Scratch::conv_x, size(p.c * p.taps * most));
}

/// What one channel and tap takes part in of the outputs of a block: those in rows [top, bottom) and columns
/// [left, right) read elements of the image that lie a stride apart, the others padding.
struct Tap {
  Int top, bottom, left, right;
  Int from;  // the element that output (top, left) reads
};

// Calls f(row of the matrix, tap) for all rows. The divisions are outside of the loop over channels.
template <class F> void for_each_tap(const Plan& p, const Rows& rows, F&& f) {
  const ConvShape& s = p.s;
  for (Int tap = 0; tap < p.taps; ++tap) {
    const Int tap_row = tap / s.kernel[2];
    const Int depth =
        rows.depth * s.stride[0] + tap_row / s.kernel[1] * s.dilation[0] - s.padding[0];
    const Int down = tap_row % s.kernel[1] * s.dilation[1] - s.padding[1];
    const Int across = tap % s.kernel[2] * s.dilation[2] - s.padding[2];
    const Range vertical(s.in[1], s.out[1], s.stride[1], down);
    const Range horizontal(s.in[2], s.out[2], s.stride[2], across);
    Tap t{std::clamp<Int>(vertical.low - rows.first, 0, rows.count),
          std::clamp<Int>(vertical.high - rows.first, 0, rows.count), horizontal.low,
          horizontal.high, 0};
    if (depth < 0 || depth >= s.in[0] || t.left == t.right) t.top = t.bottom = 0;
    const Int height = (rows.first + t.top) * s.stride[1] + down;
    t.from = (depth * s.in[1] + height) * s.in[2] + t.left * s.stride[2] + across;
    for (Int c = 0; c < p.c; ++c, t.from += p.x_plane()) f(c * p.taps + tap, t);
  }
}

template <class T> void fold_add(const Plan& p, const Rows& rows, const T* columns, T* x) {
  const Int stride = p.s.stride[2], down = p.s.stride[1] * p.s.in[2], width = p.s.out[2];
  const ConvTable<T>& table = conv_table(T());
  for_each_tap(p, rows, [&](Int k, const Tap& t) {
    const T* from = columns + k * rows.outputs + t.top * width + t.left;
    T* to = x + t.from;
    const Int count = t.right - t.left;
    if (stride == 1) return table.add(from, width, size(count), t.bottom - t.top, to, down);
    for (Int row = t.top; row < t.bottom; ++row, from += width, to += down) {
      if (stride == 2) {
        table.add_second(from, count, to);
      } else {
        for (Int i = 0; i < count; ++i) to[i * stride] += from[i];
      }
    }
  });
}

}  // namespace

template <class T> void folded_data(const Plan& p, const T* y, const T* w, T* x) {
  const Int k = p.c * p.taps;
  for_each_image(p, [&](Int image, Int group) {
    T* columns = column_scratch<T>(p);
    T* result = x + (image * p.s.groups + group) * p.c * p.x_plane();
    std::fill_n(result, p.c * p.x_plane(), T(0));
    for_each_block<T>(p, [&](const Rows& rows) {
      gemm(GemmCall<T>{
          .transpose_a = true,
          .m = size(k),
          .n = size(rows.outputs),
          .k = size(p.o),
          .a = w + group * p.o * k,
          .lda = size(k),
          .b = y + (image * p.s.groups + group) * p.o * p.y_plane() + rows.number(p) * p.s.out[2],
          .ldb = size(p.y_plane()),
          .c = columns,
          .ldc = size(rows.outputs),
      });
      fold_add(p, rows, columns, result);
    });
  });
}

template void folded_data(const Plan&, const float*, const float*, float*);
template void folded_data(const Plan&, const double*, const double*, double*);

}  // namespace autograd::kernels
