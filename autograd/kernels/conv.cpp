// SPDX-License-Identifier: Apache-2.0
#include "conv.hpp"

#include <algorithm>

#include "gemm.hpp"
#include "parallel.hpp"
#include "scratch.hpp"

namespace autograd::kernels {
namespace {

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

// planes: [channels, rows, width]  pixels: [rows, width + 2 pad, channels], zeros in the padding
template <class T>
void to_pixels(const T* planes, Int channels, Int rows, Int width, Int pad, T* pixels) {
  const Int plane = rows * width;
  for (Int row = 0; row < rows; ++row) {
    T* to = pixels + row * (width + 2 * pad) * channels;
    std::fill_n(to, pad * channels, T(0));
    to += pad * channels;
    for (Int c = 0; c < channels; ++c) {
      const T* from = planes + c * plane + row * width;
      for (Int i = 0; i < width; ++i) to[i * channels + c] = from[i];
    }
    std::fill_n(to + width * channels, pad * channels, T(0));
  }
}

// pixels: [count, channels]  planes: [channels, count]
template <class T> void to_planes(const T* pixels, Int channels, Int count, T* planes) {
  constexpr Int kBlock = 64;
  for (Int first = 0; first < count; first += kBlock) {
    const Int last = std::min(count, first + kBlock);
    for (Int c = 0; c < channels; ++c) {
      for (Int i = first; i < last; ++i) planes[c * count + i] = pixels[i * channels + c];
    }
  }
}

// w: [groups, filters, channels, taps]  packed: [groups, taps, channels, filters]
template <class T> void pack_weights(const Plan& p, const T* w, T* packed) {
  for (Int g = 0; g < p.s.groups; ++g) {
    for (Int o = 0; o < p.o; ++o) {
      for (Int c = 0; c < p.c; ++c) {
        const T* from = w + ((g * p.o + o) * p.c + c) * p.taps;
        T* to = packed + g * p.taps * p.c * p.o + c * p.o + o;
        for (Int tap = 0; tap < p.taps; ++tap) to[tap * p.c * p.o] = from[tap];
      }
    }
  }
}

// sums: [pieces, groups, taps, channels, filters]  w: [groups, filters, channels, taps], their total
template <class T> void unpack_weights(const Plan& p, const T* sums, Int pieces, T* w) {
  const Int per_group = p.taps * p.c * p.o;
  for (Int i = 0; i < static_cast<Int>(p.weights()); ++i) {
    const Int tap = i % p.taps, c = i / p.taps % p.c, o = i / p.taps / p.c % p.o;
    const T* from = sums + i / per_group * per_group + (tap * p.c + c) * p.o + o;
    T total = from[0];
    for (Int k = 1; k < pieces; ++k) total += from[size(k) * p.weights()];
    w[i] = total;
  }
}

// Calls f(image, group) for all of them, on several threads.
template <class F> void for_each_image(const Plan& p, F&& f) {
  parallel_for(size(p.s.images * p.s.groups), p.grain(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      f(static_cast<Int>(i) / p.s.groups, static_cast<Int>(i) % p.s.groups);
    }
  });
}

// --- Few channels by few filters, as where each channel has filters of its own: a product would be all
// overhead, so that rows are added to rows in place (depthwise 3x3: 40 times faster).

bool is_thin(const Plan& p) { return p.c * p.o <= 4; }

// Calls f(weight, offset in x, offset in y, outputs) for every tap and row of one image and group;
// neighboring outputs read pixels that are a stride apart.
template <class F> void for_each_thin_row(const Plan& p, Int image, Int group, F&& f) {
  const Int x = (image * p.s.groups + group) * p.c * p.x_plane();
  const Int y = (image * p.s.groups + group) * p.o * p.y_plane();
  p.for_each_row([&](Int out, Int in, Int tap_row) {
    p.for_each_segment([&](const Segment& segment) {
      for (Int k = 0; k < p.o * p.c; ++k) {
        const Int o = k / p.c, c = k % p.c;
        f((group * p.o * p.c + k) * p.taps + tap_row * p.s.kernel[2] + segment.tap,
          x + c * p.x_plane() + in * p.s.in[2] + segment.pixel,
          y + o * p.y_plane() + out * p.s.out[2] + segment.low, segment.high - segment.low);
      }
    });
  });
}

template <class T> void thin_forward(const Plan& p, const T* x, const T* w, const T* bias, T* y) {
  const Int stride = p.s.stride[2];
  for_each_image(p, [&](Int image, Int group) {
    for (Int o = group * p.o; o < (group + 1) * p.o; ++o) {
      std::fill_n(y + (image * p.s.filters + o) * p.y_plane(), p.y_plane(), bias[o]);
    }
    for_each_thin_row(p, image, group, [&](Int weight, Int from, Int to, Int n) {
      const T factor = w[weight], *in = x + from;
      T* out = y + to;
      if (stride == 1) {
        for (Int i = 0; i < n; ++i) out[i] += factor * in[i];
      } else {
        for (Int i = 0; i < n; ++i) out[i] += factor * in[i * stride];
      }
    });
  });
}

template <class T> void thin_data(const Plan& p, const T* y, const T* w, T* x) {
  const Int stride = p.s.stride[2];
  for_each_image(p, [&](Int image, Int group) {
    std::fill_n(x + (image * p.s.groups + group) * p.c * p.x_plane(), p.c * p.x_plane(), T(0));
    for_each_thin_row(p, image, group, [&](Int weight, Int to, Int from, Int n) {
      const T factor = w[weight], *out = y + from;
      T* in = x + to;
      if (stride == 1) {
        for (Int i = 0; i < n; ++i) in[i] += factor * out[i];
      } else {
        for (Int i = 0; i < n; ++i) in[i * stride] += factor * out[i];
      }
    });
  });
}

// Groups to threads: each weight is one sum over the images in their order.
template <class T> void thin_weight(const Plan& p, const T* x, const T* y, T* w) {
  const Int stride = p.s.stride[2];
  std::fill_n(w, p.weights(), T(0));
  parallel_for(size(p.s.groups), p.grain(), [&](std::size_t begin, std::size_t end) {
    for (Int task = static_cast<Int>(begin) * p.s.images; task < static_cast<Int>(end) * p.s.images;
         ++task) {
      const Int group = task / p.s.images, image = task % p.s.images;
      for_each_thin_row(p, image, group, [&](Int weight, Int left, Int right, Int n) {
        constexpr Int kLanes = 8;
        T lanes[kLanes] = {};
        const T *a = x + left, *b = y + right;
        for (Int i = 0; i < n; i += kLanes) {
          const Int m = std::min(kLanes, n - i);
          for (Int k = 0; k < m; ++k) lanes[k] += a[(i + k) * stride] * b[i + k];
        }
        w[weight] += ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) +
                     ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]));
      });
    }
  });
}

}  // namespace

template <class T>
void conv_forward(const ConvShape& s, const T* x, const T* w, const T* bias, T* y) {
  if (const Plan tap_by_tap(s, false); is_thin(tap_by_tap)) {
    return thin_forward(tap_by_tap, x, w, bias, y);
  }
  const Plan p(s, true);
  T* packed = scratch<T>(Scratch::conv_weight, p.weights());
  pack_weights(p, w, packed);
  for_each_image(p, [&](Int image, Int group) {
    T* pixels = scratch<T>(Scratch::conv_x, p.pixels());
    T* result = scratch<T>(Scratch::conv_y, p.results());
    to_pixels(x + (image * s.groups + group) * p.c * p.x_plane(), p.c, p.in_rows, s.in[2], p.pad,
              pixels);
    for (Int i = 0; i < p.y_plane(); ++i) std::copy_n(bias + group * p.o, p.o, result + i * p.o);
    const T* weights = packed + group * p.taps * p.c * p.o;
    p.for_each_row([&](Int out, Int in, Int tap_row) {
      p.for_each_segment([&](const Segment& segment) {
        // a: [outputs, taps * channels], rows overlap  b: [taps * channels, filters]
        gemm(GemmCall<T>{
            .m = size(segment.high - segment.low),
            .n = size(p.o),
            .k = size(segment.taps * p.c),
            .a = pixels + (in * p.width + segment.pixel) * p.c,
            .lda = size(s.stride[2] * p.c),
            .b = weights + (tap_row * s.kernel[2] + segment.tap) * p.c * p.o,
            .ldb = size(p.o),
            .c = result + (out * s.out[2] + segment.low) * p.o,
            .ldc = size(p.o),
            .accumulate = true,
        });
      });
    });
    to_planes(result, p.o, p.y_plane(), y + (image * s.groups + group) * p.o * p.y_plane());
  });
}

// Tap by tap: what neighboring taps add to overlaps.
template <class T> void conv_data(const ConvShape& s, const T* y, const T* w, T* x) {
  const Plan p(s, false);
  if (is_thin(p)) return thin_data(p, y, w, x);
  T* packed = scratch<T>(Scratch::conv_weight, p.weights());
  pack_weights(p, w, packed);
  for_each_image(p, [&](Int image, Int group) {
    T* pixels = scratch<T>(Scratch::conv_x, p.pixels());
    T* from = scratch<T>(Scratch::conv_y, p.results());
    to_pixels(y + (image * s.groups + group) * p.o * p.y_plane(), p.o, p.out_rows, s.out[2], 0,
              from);
    std::fill_n(pixels, p.pixels(), T(0));
    const T* weights = packed + group * p.taps * p.c * p.o;
    p.for_each_row([&](Int out, Int in, Int tap_row) {
      p.for_each_segment([&](const Segment& segment) {
        // a: [outputs, filters]  b, stored: [channels, filters]
        gemm(GemmCall<T>{
            .transpose_b = true,
            .m = size(segment.high - segment.low),
            .n = size(p.c),
            .k = size(p.o),
            .a = from + (out * s.out[2] + segment.low) * p.o,
            .lda = size(p.o),
            .b = weights + (tap_row * s.kernel[2] + segment.tap) * p.c * p.o,
            .ldb = size(p.o),
            .c = pixels + (in * p.width + segment.pixel) * p.c,
            .ldc = size(s.stride[2] * p.c),
            .accumulate = true,
        });
      });
    });
    to_planes(pixels, p.c, p.x_plane(), x + (image * s.groups + group) * p.c * p.x_plane());
  });
}

template <class T> void conv_weight(const ConvShape& s, const T* x, const T* y, T* w) {
  if (const Plan tap_by_tap(s, false); is_thin(tap_by_tap)) {
    return thin_weight(tap_by_tap, x, y, w);
  }
  const Plan p(s, true);
  // Pieces of the batch with sums of their own, few enough for their memory not to matter.
  Int pieces = std::clamp<Int>(s.images, 1, 8);
  while (pieces > 1 && size(pieces) * p.weights() > std::size_t{1} << 22) pieces /= 2;
  T* sums = scratch<T>(Scratch::conv_weight, size(pieces) * p.weights());
  std::fill_n(sums, size(pieces) * p.weights(), T(0));
  const auto add_image = [&](Int image, Int group, T* sum) {
    T* pixels = scratch<T>(Scratch::conv_x, p.pixels());
    T* from = scratch<T>(Scratch::conv_y, p.results());
    to_pixels(x + (image * s.groups + group) * p.c * p.x_plane(), p.c, p.in_rows, s.in[2], p.pad,
              pixels);
    to_pixels(y + (image * s.groups + group) * p.o * p.y_plane(), p.o, p.out_rows, s.out[2], 0,
              from);
    p.for_each_row([&](Int out, Int in, Int tap_row) {
      p.for_each_segment([&](const Segment& segment) {
        // a, stored: [outputs, taps * channels], rows overlap  b: [outputs, filters]
        gemm(GemmCall<T>{
            .transpose_a = true,
            .m = size(segment.taps * p.c),
            .n = size(p.o),
            .k = size(segment.high - segment.low),
            .a = pixels + (in * p.width + segment.pixel) * p.c,
            .lda = size(s.stride[2] * p.c),
            .b = from + (out * s.out[2] + segment.low) * p.o,
            .ldb = size(p.o),
            .c = sum + (tap_row * s.kernel[2] + segment.tap) * p.c * p.o,
            .ldc = size(p.o),
            .accumulate = true,
        });
      });
    });
  };
  const Int per_group = p.taps * p.c * p.o;
  parallel_for(size(pieces * s.groups), p.grain(), [&](std::size_t begin, std::size_t end) {
    for (Int task = static_cast<Int>(begin); task < static_cast<Int>(end); ++task) {
      const Int piece = task / s.groups, group = task % s.groups;
      T* sum = sums + (piece * s.groups + group) * per_group;
      const Int last = (piece + 1) * s.images / pieces;
      for (Int image = piece * s.images / pieces; image < last; ++image) {
        add_image(image, group, sum);
      }
    }
  });
  unpack_weights(p, sums, pieces, w);
}

template void conv_forward(const ConvShape&, const float*, const float*, const float*, float*);
template void conv_forward(const ConvShape&, const double*, const double*, const double*, double*);
template void conv_data(const ConvShape&, const float*, const float*, float*);
template void conv_data(const ConvShape&, const double*, const double*, double*);
template void conv_weight(const ConvShape&, const float*, const float*, float*);
template void conv_weight(const ConvShape&, const double*, const double*, double*);

}  // namespace autograd::kernels
