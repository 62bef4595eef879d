// SPDX-License-Identifier: Apache-2.0
// What the ways to convolve share: the geometry of one group, its loops, and its tasks. Internal to
// conv.cpp, conv_direct.cpp and conv_columns.cpp.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "conv.hpp"
#include "conv_ahead.hpp"
#include "parallel.hpp"

namespace autograd::kernels {

using Int = std::int64_t;

constexpr std::size_t size(Int n) { return static_cast<std::size_t>(n); }

// Outputs [low, high) whose input, output * stride + offset, lies in [0, in).
struct Range {
  Int low, high;
  Range(Int in, Int out, Int stride, Int offset)
      : low(offset >= 0 ? 0 : (-offset + stride - 1) / stride),
        high(offset >= in ? 0 : std::min(out, (in - 1 - offset) / stride + 1)) {
    low = std::min(low, out);
    high = std::max(low, high);
  }
};

// Neighboring taps of one kernel row and the outputs of a row that they serve.
struct Segment {
  Int tap, taps;  // the first one, and how many
  Int low, high;  // outputs
  Int pixel;      // of the (padded) image row: what the first tap of output `low` reads
};

// One convolution of one group, pixels being rows of channels.
struct Plan {
  const ConvShape& s;
  Int c, o;               // channels and filters of a group
  Int in_rows, out_rows;  // of an image: all but the last axis
  Int tap_rows, taps;     // of the kernel
  bool merged;            // a kernel row is one segment
  Int pad, width;         // sideways, of the image rows; the width with padding

  // A row whose padding is most of it is read tap by tap: the memory would be out of proportion.
  Plan(const ConvShape& shape, bool may_merge)
      : s(shape),
        c(shape.channels / shape.groups),
        o(shape.filters / shape.groups),
        in_rows(shape.in[0] * shape.in[1]),
        out_rows(shape.out[0] * shape.out[1]),
        tap_rows(shape.kernel[0] * shape.kernel[1]),
        taps(tap_rows * shape.kernel[2]),
        merged(may_merge && (shape.dilation[2] == 1 || shape.kernel[2] == 1) &&
               shape.padding[2] <= shape.in[2] + 2 * shape.kernel[2]),
        pad(merged ? shape.padding[2] : 0),
        width(shape.in[2] + 2 * pad) {}

  Int x_plane() const { return in_rows * s.in[2]; }
  Int y_plane() const { return out_rows * s.out[2]; }
  std::size_t pixels() const { return size(in_rows * width * c); }
  std::size_t results() const { return size(y_plane() * o); }
  std::size_t weights() const { return size(s.groups * taps * c * o); }

  // Tasks that are worth a thread's while.
  std::size_t grain() const {
    const double work = static_cast<double>(y_plane()) * static_cast<double>(taps * c * o);
    return work >= 1 << 18 ? 1 : size(static_cast<Int>((1 << 18) / std::max(work, 1.0)));
  }

  template <class F> void for_each_segment(F&& f) const {
    if (merged) return f(Segment{0, s.kernel[2], 0, s.out[2], 0});
    for (Int tap = 0; tap < s.kernel[2]; ++tap) {
      const Int offset = tap * s.dilation[2] - s.padding[2];
      const Range range(s.in[2], s.out[2], s.stride[2], offset);
      if (range.low == range.high) continue;
      f(Segment{tap, 1, range.low, range.high, range.low * s.stride[2] + offset});
    }
  }

  // Calls f(row of outputs, row of inputs, row of taps) for all that meet inside of the image.
  template <class F> void for_each_row(F&& f) const {
    for (Int row = 0; row < out_rows; ++row) {
      const Int i = row / s.out[1], j = row % s.out[1];
      for (Int tap = 0; tap < tap_rows; ++tap) {
        const Int d = i * s.stride[0] + tap / s.kernel[1] * s.dilation[0] - s.padding[0];
        const Int h = j * s.stride[1] + tap % s.kernel[1] * s.dilation[1] - s.padding[1];
        if (d < 0 || d >= s.in[0] || h < 0 || h >= s.in[1]) continue;
        f(row, d * s.in[1] + h, tap);
      }
    }
  }
};

/// Number `i` of the batch, or its beginning: more would drive out of the cache what it is there for.
template <class T> Ahead ahead(const Plan& p, const T* batch, Int elements, Int i) {
  if (i >= p.s.images * p.s.groups) return {};
  return {batch + i * elements, std::min(size(elements) * sizeof(T), std::size_t{1} << 18)};
}

// Calls f(image, group) for all of them, on several threads.
template <class F> void for_each_image(const Plan& p, F&& f) {
  parallel_for(size(p.s.images * p.s.groups), p.grain(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      f(static_cast<Int>(i) / p.s.groups, static_cast<Int>(i) % p.s.groups);
    }
  });
}

/// Pieces of the batch with sums of weights of their own, few enough for their memory not to matter.
inline Int weight_pieces(const Plan& p) {
  Int pieces = std::clamp<Int>(p.s.images, 1, 8);
  while (pieces > 1 && size(pieces) * p.weights() > std::size_t{1} << 22) pieces /= 2;
  return pieces;
}
/// Calls f(image, group, piece) for all images, those of a piece in order and by one thread.
template <class F> void for_each_piece(const Plan& p, Int pieces, F&& f) {
  const auto groups = p.s.groups;
  parallel_for(size(pieces * groups), p.grain(), [&](std::size_t begin, std::size_t end) {
    for (Int task = static_cast<Int>(begin); task < static_cast<Int>(end); ++task) {
      const Int piece = task / groups, last = (piece + 1) * p.s.images / pieces;
      for (Int image = piece * p.s.images / pieces; image < last; ++image) {
        f(image, task % groups, piece);
      }
    }
  });
}

/// Adds the sums of all pieces to those of the first.
template <class T> void add_pieces(Int pieces, std::size_t count, T* sums) {
  for (Int piece = 1; piece < pieces; ++piece) {
    const T* more = sums + size(piece) * count;
    for (std::size_t i = 0; i < count; ++i) sums[i] += more[i];
  }
}

// --- In conv_direct.cpp: over copies of the image with its padding.

/// Whether these are in proportion to the images: not with padding or dilation many times as large.
bool fits_directly(const ConvShape& s);
/// bias null: none.
template <class T> void direct_forward(const Plan& p, const T* x, const T* w, const T* bias, T* y);
template <class T> void direct_weight(const Plan& p, const T* x, const T* y, T* w);

// --- In conv_columns.cpp.
template <class T> void folded_data(const Plan& p, const T* y, const T* w, T* x);

}  // namespace autograd::kernels
