// SPDX-License-Identifier: Apache-2.0
// Convolution without unfolding and without turning the image: what a tap reads for neighboring outputs
// is a stretch of the image, so that y = w X with rows of X that overlap in memory, found through a
// table of offsets. For that the image is copied once with its padding, and with strides every stride-th
// row and column to an image of its own, where neighbors are neighbors again.
// Outputs of several rows are computed in one go, the few between one row's end and the next row's start
// in vain: that fills vectors also where rows are short. The weights' gradient sums over the same
// stretches.
#include <algorithm>
#include <utility>
#include <vector>

#include "conv_plan.hpp"
#include "conv_tile.hpp"
#include "scratch.hpp"
#include "transpose.hpp"

namespace autograd::kernels {

namespace {

Int floor_divide(Int a, Int b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }

/// Where a tap reads along one axis: output o reads element o + shift of the part of that number, which
/// holds the source's elements part, part + stride, ...
struct Read {
  Int tap, part, shift;
};

/// How one axis of an image is copied: `parts` lists the parts in use, element i of a part being the
/// source's (i - lead) stride + part, zero outside.
struct Axis {
  Int in, stride, lead = 0, extent = 0;
  std::vector<Int> parts;

  Axis(Int source, Int step) : in(source), stride(step) {}
  void include(const std::vector<Read>& reads, Int outputs) {
    for (const Read& r : reads) {
      if (std::find(parts.begin(), parts.end(), r.part) == parts.end()) parts.push_back(r.part);
      lead = std::max(lead, -r.shift);
      last_ = std::max(last_, r.shift + outputs);
    }
    extent = lead + last_;
  }
  Int count() const { return static_cast<Int>(parts.size()); }
  Int index(Int part) const { return std::find(parts.begin(), parts.end(), part) - parts.begin(); }
  /// The element of the source at a position of a part, -1: none.
  Int element(Int part, Int position) const {
    const Int at = (position - lead) * stride + part;
    return at < in ? std::max<Int>(at, -1) : -1;
  }

 private:
  Int last_ = 0;
};

/// A copy of an image: [channels, depth parts, row parts, column parts, depths, rows, columns].
struct Layout {
  Axis axes[3];

  Int row() const { return axes[2].extent; }
  Int plane() const { return axes[1].extent * row(); }
  Int part() const { return axes[0].extent * plane(); }
  Int channel() const { return axes[0].count() * axes[1].count() * axes[2].count() * part(); }
  Int offset(const Read& d, const Read& h, const Read& w) const {
    const Int parts =
        (axes[0].index(d.part) * axes[1].count() + axes[1].index(h.part)) * axes[2].count() +
        axes[2].index(w.part);
    return parts * part() + (d.shift + axes[0].lead) * plane() + (h.shift + axes[1].lead) * row() +
           w.shift + axes[2].lead;
  }
};

using Reads = std::array<std::vector<Read>, 3>;

// Offsets of all channels and taps, in the order of the weights.
std::vector<Int> offsets(const Layout& to, const Reads& reads, Int channels) {
  std::vector<Int> result;
  for (Int c = 0; c < channels; ++c) {
    for (const Read& d : reads[0]) {
      for (const Read& h : reads[1]) {
        for (const Read& w : reads[2]) result.push_back(c * to.channel() + to.offset(d, h, w));
      }
    }
  }
  return result;
}

/// How the lines of one column part are copied: [low, high) of `extent` are elements of the source.
struct Line {
  Int low, high, extent, stride, part;

  Line(const Axis& axis, Int number)
      : low(std::min(axis.lead, axis.extent)),
        high(std::clamp<Int>(axis.lead + floor_divide(axis.in - 1 - number, axis.stride) + 1, low,
                             axis.extent)),
        extent(axis.extent),
        stride(axis.stride),
        part(number) {}
};

template <class T> void copy_line(const T* from, const Line& line, T* to) {
  std::fill(to, to + line.low, T(0));
  if (line.stride == 2) {
    conv_table(T()).copy_second(from + line.part, line.high - line.low, to + line.low);
  } else {
    for (Int i = line.low; i < line.high; ++i, from += line.stride) to[i] = from[line.part];
  }
  std::fill(to + line.high, to + line.extent, T(0));
}

// One part of the copy of a plane. x: [rows, columns]
template <class T>
void copy_plane(const Layout& l, const std::array<Int, 3>& part, const T* x, T* to) {
  const auto& [depths, rows, columns] = l.axes;
  const Line line(columns, part[2]), lines(rows, part[1]);
  T *first = to + lines.low * l.row(), *behind = to + lines.high * l.row(), *end = to + l.plane();
  if (line.low == line.high || first == behind) return std::fill(to, end, T(0));
  std::fill(to, first + line.low, T(0));
  x += part[1] * columns.in;
  if (line.stride == 1) {
    conv_table(T()).copy_rows(x, rows.stride * columns.in, line.high - line.low,
                              lines.high - lines.low, first + line.low, l.row());
  } else {
    for (; first != behind; first += l.row(), x += rows.stride * columns.in) {
      copy_line(x, line, first);
    }
  }
  if (behind < end) std::fill(behind, end, T(0));
}

// One part of the copy of a channel. x: [depths, rows, columns]
template <class T>
void copy_part(const Layout& l, const std::array<Int, 3>& part, const T* x, T* to) {
  const auto& [depths, rows, columns] = l.axes;
  for (Int i = 0; i < depths.extent; ++i, to += l.plane()) {
    const Int depth = depths.element(part[0], i);
    if (depth < 0) {
      std::fill_n(to, l.plane(), T(0));
    } else {
      copy_plane(l, part, x + depth * rows.in * columns.in, to);
    }
  }
}
template <class T> void copy_image(const Layout& l, Int channels, const T* x, T* to) {
  const auto& [depths, rows, columns] = l.axes;
  for (Int c = 0; c < channels; ++c, x += depths.in * rows.in * columns.in) {
    for (const Int d : depths.parts) {
      for (const Int h : rows.parts) {
        for (const Int w : columns.parts) {
          copy_part(l, {d, h, w}, x, to);
          to += l.part();
        }
      }
    }
  }
}

// What output o of an axis reads: element o stride + tap dilation - padding of the image.
std::vector<Read> reads_of_image(const ConvShape& s, std::size_t a) {
  std::vector<Read> result;
  for (Int tap = 0; tap < s.kernel[a]; ++tap) {
    const Int at = tap * s.dilation[a] - s.padding[a], shift = floor_divide(at, s.stride[a]);
    result.push_back({tap, at - shift * s.stride[a], shift});
  }
  return result;
}
/// The copy of the image, and where taps read in it.
struct ImageReads {
  Reads reads;
  Layout layout;

  explicit ImageReads(const ConvShape& s)
      : layout{{{s.in[0], s.stride[0]}, {s.in[1], s.stride[1]}, {s.in[2], s.stride[2]}}} {
    for (std::size_t a = 0; a < 3; ++a) {
      reads[a] = reads_of_image(s, a);
      layout.axes[a].include(reads[a], s.out[a]);
    }
  }
};

// Zeroed slack behind the copy: tiles read whole vectors, and rows are copied with the zeros behind them.
template <class T> T* image_scratch(const Layout& l, Int channels) {
  const std::size_t count = size(channels * l.channel()),
                    slack = 2 * conv_table(T()).lanes + size(l.axes[2].lead);
  T* copy = scratch<T>(Scratch::conv_x, count + slack);
  std::fill_n(copy + count, slack, T(0));
  return copy;
}

}  // namespace

bool fits_directly(const ConvShape& s) {
  const auto volume = [](const ConvShape::Axes& a) {
    return static_cast<double>(a[0]) * static_cast<double>(a[1]) * static_cast<double>(a[2]);
  };
  double copy = 1;
  for (std::size_t a = 0; a < 3; ++a) {
    const auto parts = static_cast<double>(std::min(s.stride[a], s.kernel[a]));
    copy *= static_cast<double>(s.out[a]) * parts +
            static_cast<double>(s.dilation[a]) * static_cast<double>(s.kernel[a] - 1);
  }
  return copy <= 64 * (volume(s.in) + volume(s.out)) + 65536;
}

template <class T> void direct_forward(const Plan& p, const T* x, const T* w, const T* bias, T* y) {
  const ConvTable<T>& table = conv_table(T());
  const ImageReads image(p.s);
  const Layout& l = image.layout;
  const std::vector<Int> offset = offsets(l, image.reads, p.c);
  const std::size_t k = offset.size(), weights = size(p.o) * k;
  T* packed = scratch<T>(Scratch::conv_weight, p.weights());
  for (Int group = 0; group < p.s.groups; ++group) {
    table.pack(size(p.o), k, w + size(group) * weights, k, 1, packed + size(group) * weights);
  }
  for_each_image(p, [&](Int number, Int group) {
    T* copy = image_scratch<T>(l, p.c);
    copy_image(l, p.c, x + (number * p.s.groups + group) * p.c * p.x_plane(), copy);
    OffsetProduct<T> product{.m = size(p.o),
                             .k = k,
                             .a = packed + size(group) * weights,
                             .bias = bias != nullptr ? bias + group * p.o : nullptr,
                             .offset = offset.data(),
                             .rows = p.s.out[1],
                             .width = p.s.out[2],
                             .pitch = l.row(),
                             .y_plane = p.y_plane()};
    for (Int depth = 0; depth < p.s.out[0]; ++depth) {
      product.ahead =
          depth == 0 ? ahead(p, x, p.c * p.x_plane(), number * p.s.groups + group + 1) : Ahead{};
      product.x = copy + depth * l.plane();
      product.y =
          y + (number * p.s.groups + group) * p.o * p.y_plane() + depth * p.s.out[1] * p.s.out[2];
      table.product(product);
    }
  });
}

namespace {

// The weights' gradient, its sums for a few filters in the order of the weights.
template <class T> void weight_by_dots(const Plan& p, const T* x, const T* y, T* w) {
  const ConvTable<T>& table = conv_table(T());
  const ImageReads image(p.s);
  const Layout& l = image.layout;
  const std::vector<Int> offset = offsets(l, image.reads, p.c);
  const std::size_t k = offset.size(), per_group = size(p.o) * k;
  const Int pieces = weight_pieces(p);
  T* sums = scratch<T>(Scratch::conv_weight, size(pieces) * p.weights());
  std::fill_n(sums, size(pieces) * p.weights(), T(0));
  for_each_piece(p, pieces, [&](Int number, Int group, Int piece) {
    T* copy = image_scratch<T>(l, p.c);
    const Int at = number * p.s.groups + group;
    copy_image(l, p.c, x + at * p.c * p.x_plane(), copy);
    for (Int depth = 0; depth < p.s.out[0]; ++depth) {
      table.dots({.k = k,
                  .filters = size(p.o),
                  .x = copy + depth * l.plane(),
                  .offset = offset.data(),
                  .rows = p.s.out[1],
                  .width = p.s.out[2],
                  .pitch = l.row(),
                  .y = y + at * p.o * p.y_plane() + depth * p.s.out[1] * p.s.out[2],
                  .y_plane = p.y_plane(),
                  .sum = sums + size(piece) * p.weights() + size(group) * per_group});
    }
  });
  add_pieces(pieces, p.weights(), sums);
  std::copy_n(sums, p.weights(), w);
}

}  // namespace

template <class T> void direct_weight(const Plan& p, const T* x, const T* y, T* w) {
  constexpr Int kFewFilters = 6;  // vectors of filters would be less than half full
  if (p.o <= kFewFilters) return weight_by_dots(p, x, y, w);
  const ConvTable<T>& table = conv_table(T());
  const ImageReads image(p.s);
  const Layout& l = image.layout;
  const std::vector<Int> offset = offsets(l, image.reads, p.c);
  const std::size_t k = offset.size(), pixels = size(p.s.out[1] * p.s.out[2]);
  const std::size_t ld = (size(p.o) + table.lanes - 1) / table.lanes * table.lanes;
  const Int pieces = weight_pieces(p);
  const std::size_t per_group = k * ld, per_piece = size(p.s.groups) * per_group;
  T* sums = scratch<T>(Scratch::conv_weight, size(pieces) * per_piece);
  std::fill_n(sums, size(pieces) * per_piece, T(0));
  for_each_piece(p, pieces, [&](Int number, Int group, Int piece) {
    T* copy = image_scratch<T>(l, p.c);
    copy_image(l, p.c, x + (number * p.s.groups + group) * p.c * p.x_plane(), copy);
    T* turned = scratch<T>(Scratch::conv_y, pixels * ld);
    if (ld != size(p.o)) std::fill_n(turned, pixels * ld, T(0));
    const T* from = y + (number * p.s.groups + group) * p.o * p.y_plane();
    const Int next = (number + 1) * p.s.groups + group;
    Ahead x_ahead = ahead(p, x, p.c * p.x_plane(), next);
    Ahead y_ahead = ahead(p, y, p.o * p.y_plane(), next);
    for (Int depth = 0; depth < p.s.out[0]; ++depth, from += pixels) {
      transpose(from, size(p.y_plane()), size(p.o), pixels, turned, ld);
      table.sums({.k = k,
                  .x = copy + depth * l.plane(),
                  .offset = offset.data(),
                  .rows = p.s.out[1],
                  .width = p.s.out[2],
                  .pitch = l.row(),
                  .y = turned,
                  .ld = ld,
                  .sum = sums + size(piece) * per_piece + size(group) * per_group,
                  .ahead = {std::exchange(x_ahead, {}), std::exchange(y_ahead, {})}});
    }
  });
  add_pieces(pieces, per_piece, sums);
  for (Int group = 0; group < p.s.groups; ++group) {
    transpose(sums + size(group) * per_group, ld, k, size(p.o), w + size(group * p.o) * k, k);
  }
}

template void direct_forward(const Plan&, const float*, const float*, const float*, float*);
template void direct_forward(const Plan&, const double*, const double*, const double*, double*);
template void direct_weight(const Plan&, const float*, const float*, float*);
template void direct_weight(const Plan&, const double*, const double*, double*);

}  // namespace autograd::kernels
