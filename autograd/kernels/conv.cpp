// SPDX-License-Identifier: Apache-2.0
#include "conv.hpp"

#include <algorithm>

#include "conv_plan.hpp"
#include "gemm.hpp"
#include "scratch.hpp"
#include "transpose.hpp"

namespace autograd::kernels {
namespace {

// planes: [channels, rows, width]  pixels: [rows, width + 2 pad, channels], zeros in the padding.
// A few channels at a time: memory keeps up with so many planes side by side (stride 2: 8 % of forward).
template <class T>
void to_pixels(const T* planes, Int channels, Int rows, Int width, Int pad, T* pixels) {
  constexpr Int kSome = 16;
  const Int plane = rows * width, side = pad * channels, pitch = width * channels + 2 * side;
  for (Int row = 0; pad > 0 && row < rows; ++row) {
    std::fill_n(pixels + row * pitch, side, T(0));
    std::fill_n(pixels + (row + 1) * pitch - side, side, T(0));
  }
  const Int lines = pad > 0 ? rows : 1, length = pad > 0 ? width : plane;
  for (Int c = 0; c < channels; c += kSome) {
    for (Int line = 0; line < lines; ++line) {
      transpose(planes + c * plane + line * length, size(plane),
                size(std::min(kSome, channels - c)), size(length), pixels + line * pitch + side + c,
                size(channels));
    }
  }
}

// pixels: [count, channels]  planes: [channels, count]
template <class T> void to_planes(const T* pixels, Int channels, Int count, T* planes) {
  transpose(pixels, size(channels), size(count), size(channels), planes, size(count));
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

// w: [groups, filters, channels, taps]  packed: [groups, taps, filters, channels], or the taps reversed
template <class T> void pack_transposed(const Plan& p, const T* w, bool reversed, T* packed) {
  const Int matrix = p.c * p.o;
  for (Int row = 0; row < p.s.groups * matrix; ++row) {
    T* to = packed + row / matrix * matrix * p.taps + row % matrix;
    for (Int tap = 0; tap < p.taps; ++tap) {
      to[(reversed ? p.taps - 1 - tap : tap) * matrix] = w[row * p.taps + tap];
    }
  }
}

// w: [groups, filters, channels, taps]  reversed: [groups, channels, filters, taps reversed]
template <class T> void reverse_weights(const Plan& p, const T* w, T* reversed) {
  for (Int g = 0; g < p.s.groups; ++g) {
    for (Int c = 0; c < p.c; ++c) {
      for (Int o = 0; o < p.o; ++o, reversed += p.taps) {
        std::reverse_copy(w + ((g * p.o + o) * p.c + c) * p.taps,
                          w + ((g * p.o + o) * p.c + c + 1) * p.taps, reversed);
      }
    }
  }
}

// --- Padding or dilation out of proportion to the image: rows are added to rows in place, as copies with the
// padding would be.

bool is_thin(const Plan& p) { return !fits_directly(p.s); }

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

// --- One tap, strides of 1 and no padding: the planes as they are, by the weights as they are.

bool is_pointwise(const Plan& p) {
  return p.taps == 1 && p.s.in == p.s.out && p.s.stride == ConvShape::Axes{1, 1, 1};
}

/// to = bias + w from, or, where adjoint, w^T from; bias null: none.
template <class T>
void pointwise_planes(const Plan& p, bool adjoint, const T* from, const T* w, const T* bias,
                      T* to) {
  const Int plane = p.y_plane(), rows = adjoint ? p.c : p.o, depth = adjoint ? p.o : p.c;
  for_each_image(p, [&](Int image, Int group) {
    const Int at = image * p.s.groups + group;
    T* planes = to + at * rows * plane;
    for (Int row = 0; bias != nullptr && row < rows; ++row) {
      std::fill_n(planes + row * plane, plane, bias[group * rows + row]);
    }
    gemm(GemmCall<T>{.transpose_a = adjoint,
                     .m = size(rows),
                     .n = size(plane),
                     .k = size(depth),
                     .a = w + group * p.o * p.c,
                     .lda = size(p.c),
                     .b = from + at * depth * plane,
                     .ldb = size(plane),
                     .c = planes,
                     .ldc = size(plane),
                     .accumulate = bias != nullptr,
                     .cold_b = true});
  });
}

template <class T> void pointwise_weight(const Plan& p, const T* x, const T* y, T* w) {
  const Int plane = p.y_plane(), pieces = weight_pieces(p);
  T* sums = scratch<T>(Scratch::conv_weight, size(pieces) * p.weights());
  std::fill_n(sums, size(pieces) * p.weights(), T(0));
  for_each_piece(p, pieces, [&](Int image, Int group, Int piece) {
    const Int at = image * p.s.groups + group;
    gemm(GemmCall<T>{.transpose_b = true,
                     .m = size(p.o),
                     .n = size(p.c),
                     .k = size(plane),
                     .a = y + at * p.o * plane,
                     .lda = size(plane),
                     .b = x + at * p.c * plane,
                     .ldb = size(plane),
                     .c = sums + (piece * p.s.groups + group) * p.o * p.c,
                     .ldc = size(p.c),
                     .accumulate = true});
  });
  add_pieces(pieces, p.weights(), sums);
  std::copy_n(sums, p.weights(), w);
}

// y = bias + x * w with the weights in the order of pack_weights; bias null: none.
template <class T>
void pixels_forward(const Plan& p, const T* x, const T* packed, const T* bias, T* y) {
  const ConvShape& s = p.s;
  for_each_image(p, [&](Int image, Int group) {
    T* pixels = scratch<T>(Scratch::conv_x, p.pixels());
    T* result = scratch<T>(Scratch::conv_y, p.results());
    to_pixels(x + (image * s.groups + group) * p.c * p.x_plane(), p.c, p.in_rows, s.in[2], p.pad,
              pixels);
    if (bias == nullptr) std::fill_n(result, p.results(), T(0));
    for (Int i = 0; bias && i < p.y_plane(); ++i) {
      std::copy_n(bias + group * p.o, p.o, result + i * p.o);
    }
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

// With strides of 1 the adjoint is a convolution of y with the kernel reversed, if that pads at all.
bool adjoint(const ConvShape& s, ConvShape& reversed) {
  reversed = s;
  std::swap(reversed.channels, reversed.filters);
  std::swap(reversed.in, reversed.out);
  bool possible = true;
  for (std::size_t a = 0; a < 3; ++a) {
    reversed.padding[a] = s.dilation[a] * (s.kernel[a] - 1) - s.padding[a];
    possible &= s.stride[a] == 1 && reversed.padding[a] >= 0 &&
                s.out[a] == s.in[a] + 2 * s.padding[a] - s.dilation[a] * (s.kernel[a] - 1);
  }
  return possible;
}

// Over pixels the vectors are channels: these have to fill some, products of a kernel row must not be
// tiny, and the image is turned for them, which a kernel of one tap does not pay for. Over planes the
// vectors run on from row to row through the padding: little of it where rows are wide, and weights that
// are read once for many rows where these are short. Measured, GF/s over pixels and over planes: 3x3, 64 to
// 64, 32 wide 99 and 102, 14 wide 99 and 92; 512 to 512, 7 wide 46 and 72.
bool better_directly(const Plan& p) {
  if (p.taps == 1 || p.c < 16 || p.o < 16 || (p.c < 32 && p.o < 32)) return true;
  if (p.taps * p.c * p.o >= Int{1} << 20) return p.s.out[2] <= 8;
  const Int wide = std::min(p.c, p.o) < 32 ? 28 : 32;
  return p.s.stride == ConvShape::Axes{1, 1, 1} && p.s.in[2] >= wide && p.c <= 64 && p.o <= 64 &&
         p.taps <= 9;
}

// Of few channels or filters. As a convolution of y the data's gradient has a row of the product for
// each channel: with one to three, tiles wait for their own sums. It multiplies with padding where y is
// much smaller than x, while folding multiplies what there is, well where filters are many.
bool better_folded(const Plan& p, bool stride_one) {
  if (p.c >= 16 && p.o >= 16) return false;
  return !stride_one || p.o >= 32 || (p.c < 4 && p.o >= 16) || 2 * p.y_plane() < p.x_plane();
}

}  // namespace

template <class T>
void conv_forward(const ConvShape& s, const T* x, const T* w, const T* bias, T* y) {
  if (const Plan tap_by_tap(s, false); is_thin(tap_by_tap)) {
    return thin_forward(tap_by_tap, x, w, bias, y);
  }
  const Plan p(s, true);
  if (is_pointwise(p)) return pointwise_planes(p, false, x, w, bias, y);
  if (better_directly(p)) return direct_forward(p, x, w, bias, y);
  T* packed = scratch<T>(Scratch::conv_weight, p.weights());
  pack_weights(p, w, packed);
  pixels_forward(p, x, packed, bias, y);
}

// Tap by tap where strides are not 1: what neighboring taps add to overlaps.
template <class T> void conv_data(const ConvShape& s, const T* y, const T* w, T* x) {
  const Plan p(s, false);
  if (is_thin(p)) return thin_data(p, y, w, x);
  constexpr const T* kNoBias = nullptr;
  if (is_pointwise(p)) return pointwise_planes(p, true, y, w, kNoBias, x);
  ConvShape reversed;
  const bool stride_one = adjoint(s, reversed);
  if (better_folded(p, stride_one)) return folded_data(p, y, w, x);
  if (const Plan q(reversed, true); stride_one && better_directly(q)) {
    T* turned = scratch<T>(Scratch::conv_reversed, p.weights());  // direct_forward packs them again
    reverse_weights(p, w, turned);
    return direct_forward(q, y, turned, kNoBias, x);
  }
  T* packed = scratch<T>(Scratch::conv_weight, p.weights());
  pack_transposed(p, w, stride_one, packed);
  if (stride_one) return pixels_forward(Plan(reversed, true), y, packed, kNoBias, x);
  for_each_image(p, [&](Int image, Int group) {
    T* pixels = scratch<T>(Scratch::conv_x, p.pixels());
    T* from = scratch<T>(Scratch::conv_y, p.results());
    to_pixels(y + (image * s.groups + group) * p.o * p.y_plane(), p.o, p.out_rows, s.out[2], 0,
              from);
    std::fill_n(pixels, p.pixels(), T(0));
    const T* weights = packed + group * p.taps * p.c * p.o;
    p.for_each_row([&](Int out, Int in, Int tap_row) {
      p.for_each_segment([&](const Segment& segment) {
        // a: [outputs, filters]  b: [filters, channels]
        gemm(GemmCall<T>{
            .m = size(segment.high - segment.low),
            .n = size(p.c),
            .k = size(p.o),
            .a = from + (out * s.out[2] + segment.low) * p.o,
            .lda = size(p.o),
            .b = weights + (tap_row * s.kernel[2] + segment.tap) * p.c * p.o,
            .ldb = size(p.c),
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
  const Plan p(s, false);
  if (is_thin(p)) return thin_weight(p, x, y, w);
  is_pointwise(p) ? pointwise_weight(p, x, y, w) : direct_weight(p, x, y, w);
}

template void conv_forward(const ConvShape&, const float*, const float*, const float*, float*);
template void conv_forward(const ConvShape&, const double*, const double*, const double*, double*);
template void conv_data(const ConvShape&, const float*, const float*, float*);
template void conv_data(const ConvShape&, const double*, const double*, double*);
template void conv_weight(const ConvShape&, const float*, const float*, float*);
template void conv_weight(const ConvShape&, const double*, const double*, double*);

}  // namespace autograd::kernels
