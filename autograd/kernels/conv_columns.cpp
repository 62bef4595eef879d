// SPDX-License-Identifier: Apache-2.0
// Convolution by unfolding: column p of the matrix [channels * taps, outputs] holds what output p reads,
// so that y = w columns, with neither the image nor the weights laid out anew. The product has as many
// vectors as an output row has pixels, where pixels as rows of a few channels would fill none.
// Blocks of output rows keep the matrix in cache.
#include <algorithm>
#include <cstring>

#include "../inline.hpp"
#include "conv_plan.hpp"
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

/// What one channel and tap gives to the outputs of a block: those in rows [top, bottom) and columns
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

// Rows are a few elements long: a call of the C library would cost more than the copy.
template <class T> AUTOGRAD_INLINE void copy_short(const T* from, Int count, T* to) {
  constexpr Int kPiece = 32 / sizeof(T);
  Int i = 0;
  for (; i + kPiece <= count; i += kPiece) std::memcpy(to + i, from + i, 32);
  for (; i < count; ++i) to[i] = from[i];
}

template <class T> void unfold(const Plan& p, const Rows& rows, const T* x, T* columns) {
  const Int stride = p.s.stride[2], down = p.s.stride[1] * p.s.in[2], width = p.s.out[2];
  for_each_tap(p, rows, [&](Int k, const Tap& t) {
    T* to = columns + k * rows.outputs;
    std::fill_n(to, t.top * width, T(0));
    std::fill_n(to + t.bottom * width, (rows.count - t.bottom) * width, T(0));
    const T* from = x + t.from;
    const Int count = t.right - t.left;
    for (Int row = t.top; row < t.bottom; ++row, from += down) {
      T* line = to + row * width;
      for (Int i = 0; i < t.left; ++i) line[i] = T(0);
      if (stride == 1) {
        copy_short(from, count, line + t.left);
      } else {
        for (Int i = 0; i < count; ++i) line[t.left + i] = from[i * stride];
      }
      for (Int i = t.right; i < width; ++i) line[i] = T(0);
    }
  });
}
template <class T> void fold_add(const Plan& p, const Rows& rows, const T* columns, T* x) {
  const Int stride = p.s.stride[2], down = p.s.stride[1] * p.s.in[2], width = p.s.out[2];
  for_each_tap(p, rows, [&](Int k, const Tap& t) {
    const T* from = columns + k * rows.outputs + t.top * width + t.left;
    T* to = x + t.from;
    const Int count = t.right - t.left;
    for (Int row = t.top; row < t.bottom; ++row, from += width, to += down) {
      if (stride == 1) {
        for (Int i = 0; i < count; ++i) to[i] += from[i];
      } else {
        for (Int i = 0; i < count; ++i) to[i * stride] += from[i];
      }
    }
  });
}

}  // namespace

bool better_unfolded(const Plan& p) { return p.c < 16 || p.o < 16; }

template <class T>
void unfolded_forward(const Plan& p, const T* x, const T* w, const T* bias, T* y) {
  const Int k = p.c * p.taps;
  for_each_image(p, [&](Int image, Int group) {
    T* columns = column_scratch<T>(p);
    T* result = y + (image * p.s.groups + group) * p.o * p.y_plane();
    for (Int o = 0; o < p.o; ++o) {
      std::fill_n(result + o * p.y_plane(), p.y_plane(), bias[group * p.o + o]);
    }
    for_each_block<T>(p, [&](const Rows& rows) {
      unfold(p, rows, x + (image * p.s.groups + group) * p.c * p.x_plane(), columns);
      gemm(GemmCall<T>{
          .m = size(p.o),
          .n = size(rows.outputs),
          .k = size(k),
          .a = w + group * p.o * k,
          .lda = size(k),
          .b = columns,
          .ldb = size(rows.outputs),
          .c = result + rows.number(p) * p.s.out[2],
          .ldc = size(p.y_plane()),
          .accumulate = true,
      });
    });
  });
}

template <class T> void unfolded_data(const Plan& p, const T* y, const T* w, T* x) {
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

template <class T> void unfolded_weight(const Plan& p, const T* x, const T* y, T* w) {
  const Int k = p.c * p.taps, pieces = weight_pieces(p);
  // The first piece adds up in place.
  T* sums = scratch<T>(Scratch::conv_weight, size(pieces) * p.weights());
  std::fill_n(w, p.weights(), T(0));
  std::fill_n(sums, size(pieces) * p.weights(), T(0));
  for_each_piece(p, pieces, [&](Int image, Int group, Int piece) {
    T* columns = column_scratch<T>(p);
    T* sum = (piece == 0 ? w : sums + size(piece) * p.weights()) + group * p.o * k;
    for_each_block<T>(p, [&](const Rows& rows) {
      unfold(p, rows, x + (image * p.s.groups + group) * p.c * p.x_plane(), columns);
      gemm(GemmCall<T>{
          .transpose_b = true,
          .m = size(p.o),
          .n = size(k),
          .k = size(rows.outputs),
          .a = y + (image * p.s.groups + group) * p.o * p.y_plane() + rows.number(p) * p.s.out[2],
          .lda = size(p.y_plane()),
          .b = columns,
          .ldb = size(rows.outputs),
          .c = sum,
          .ldc = size(k),
          .accumulate = true,
      });
    });
  });
  for (Int piece = 1; piece < pieces; ++piece) {
    const T* sum = sums + size(piece) * p.weights();
    for (std::size_t i = 0; i < p.weights(); ++i) w[i] += sum[i];
  }
}

template void unfolded_forward(const Plan&, const float*, const float*, const float*, float*);
template void unfolded_forward(const Plan&, const double*, const double*, const double*, double*);
template void unfolded_data(const Plan&, const float*, const float*, float*);
template void unfolded_data(const Plan&, const double*, const double*, double*);
template void unfolded_weight(const Plan&, const float*, const float*, float*);
template void unfolded_weight(const Plan&, const double*, const double*, double*);

}  // namespace autograd::kernels
