// SPDX-License-Identifier: Apache-2.0
// Convolution by unfolding: column p of the matrix [channels * taps, outputs] holds what output p reads,
// so that y = w columns, with neither the image nor the weights laid out anew. The product has as many
// vectors as an output row has pixels, where pixels as rows of a few channels would fill none.
// Blocks of output rows keep the matrix in cache.
#include <algorithm>
#include <cstring>

#include "conv_plan.hpp"
#include "gemm.hpp"
#include "scratch.hpp"

namespace autograd::kernels {

namespace {

constexpr std::size_t kBlockBytes = 256 * 1024;

/// Some output rows of an image.
struct Rows {
  Int first, count, outputs;
};

template <class T, class F> void for_each_block(const Plan& p, F&& f) {
  const std::size_t row_bytes = size(p.c * p.taps * p.s.out[2]) * sizeof(T);
  const Int step =
      std::max<Int>(1, static_cast<Int>(kBlockBytes / std::max<std::size_t>(row_bytes, 1)));
  for (Int row = 0; row < p.out_rows; row += step) {
    const Int count = std::min(step, p.out_rows - row);
    f(Rows{row, count, count * p.s.out[2]});
  }
}
template <class T> T* column_scratch(const Plan& p) {
  Int most = 0;
  for_each_block<T>(p, [&](const Rows& rows) { most = std::max(most, rows.outputs); });
  return scratch<T>(Scratch::conv_x, size(p.c * p.taps * most));
}

// Calls f(column element, image element or -1, count) for stretches of one tap and output row: `count`
// outputs in a row, inside of the image (their inputs a stride apart) or outside.
template <class F> void for_each_stretch(const Plan& p, const Rows& rows, F&& f) {
  const ConvShape& s = p.s;
  const Int first_depth = rows.first / s.out[1], first_height = rows.first % s.out[1];
  for (Int k = 0; k < p.c * p.taps; ++k) {
    const Int c = k / p.taps, tap = k % p.taps;
    const Int tap_row = tap / s.kernel[2];
    const Int depth_offset = tap_row / s.kernel[1] * s.dilation[0] - s.padding[0];
    const Int height_offset = tap_row % s.kernel[1] * s.dilation[1] - s.padding[1];
    const Int offset = tap % s.kernel[2] * s.dilation[2] - s.padding[2];
    const Range range(s.in[2], s.out[2], s.stride[2], offset);
    // No divisions in here: a stretch is a few elements long.
    Int depth = first_depth, height = first_height;
    for (Int i = 0; i < rows.count; ++i) {
      const Int d = depth * s.stride[0] + depth_offset, h = height * s.stride[1] + height_offset;
      if (++height == s.out[1]) ++depth, height = 0;
      const Int to = k * rows.outputs + i * s.out[2];
      if (d < 0 || d >= s.in[0] || h < 0 || h >= s.in[1]) {
        f(to, -1, s.out[2]);
        continue;
      }
      if (range.low > 0) f(to, -1, range.low);
      if (range.high > range.low) {
        const Int from =
            (c * p.in_rows + d * s.in[1] + h) * s.in[2] + range.low * s.stride[2] + offset;
        f(to + range.low, from, range.high - range.low);
      }
      if (range.high < s.out[2]) f(to + range.high, -1, s.out[2] - range.high);
    }
  }
}

// Stretches are a few elements long: a call of the C library would cost more than the copy.
template <class T> void copy_short(const T* from, Int count, T* to) {
  constexpr Int kPiece = 32 / sizeof(T);
  Int i = 0;
  for (; i + kPiece <= count; i += kPiece) std::memcpy(to + i, from + i, 32);
  for (; i < count; ++i) to[i] = from[i];
}

template <class T> void unfold(const Plan& p, const Rows& rows, const T* x, T* columns) {
  const Int stride = p.s.stride[2];
  for_each_stretch(p, rows, [&](Int to, Int from, Int count) {
    if (from < 0) {
      std::fill_n(columns + to, count, T(0));
    } else if (stride == 1) {
      copy_short(x + from, count, columns + to);
    } else {
      for (Int i = 0; i < count; ++i) columns[to + i] = x[from + i * stride];
    }
  });
}
template <class T> void fold_add(const Plan& p, const Rows& rows, const T* columns, T* x) {
  const Int stride = p.s.stride[2];
  for_each_stretch(p, rows, [&](Int from, Int to, Int count) {
    if (to < 0) return;
    if (stride == 1) {
      for (Int i = 0; i < count; ++i) x[to + i] += columns[from + i];
    } else {
      for (Int i = 0; i < count; ++i) x[to + i * stride] += columns[from + i];
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
          .c = result + rows.first * p.s.out[2],
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
          .b = y + (image * p.s.groups + group) * p.o * p.y_plane() + rows.first * p.s.out[2],
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
          .a = y + (image * p.s.groups + group) * p.o * p.y_plane() + rows.first * p.s.out[2],
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
