// SPDX-License-Identifier: Apache-2.0
// Views: some elements of x, under other axes. A *map* turns the layout of x into that of the view; it
// is affine in x's strides, so that the same map finds the elements in a fresh tensor too. That gives
// each map two ops that are adjoint to each other:
//   View<Map>    y = the elements that the map finds in x; a view (a copy where Map::kCopies)
//   Unview<Map>  x = `fill` everywhere but y's elements where the map finds them
// To add a view: a map with info, adjoint, cases, unview_cases and operator(), in the list and among
// the instances of shaping.cpp. A map with inverse() is its own inverse's adjoint and needs no Unview.
#pragma once

#include "layout.hpp"
#include "op.hpp"

namespace autograd {

/// The recorded functions behind every view; internal, defined in shaping.cpp.
template <class Map> Tensor view(const Tensor& x, const Map& map);
template <class Map>
Tensor unview(const Tensor& y, const Map& map, const Shape& shape, double fill = 0);

}  // namespace autograd

namespace autograd::ops {

template <class Map>
concept Invertible = requires(const Map& map) {
  map.inverse();
};

/// A view of x where the layout (relative to x's first element) says.
Tensor view_at(const Tensor& x, const Layout& layout);
/// A dense copy of y.
Tensor copied(const Tensor& y);
/// A tensor of that shape filled with `fill`, y's elements set or added where the layout says.
Tensor placed(const Tensor& y, const Shape& shape, const Layout& at, double fill, bool add);
/// Adds y to the elements of x, which nothing else holds, that lie where the layout says.
void add_at(detail::Node* x, const Layout& at, const Tensor& y);

template <class Map> struct View {
  static constexpr OpInfo info = Map::info;
  static std::vector<OpCase> cases() { return Map::cases(); }
  Map map;
  Shape from;  // of x

  static constexpr Saves saved() { return Saves::nothing; }
  Tensor forward(const Tensor& x) const {
    Tensor y = view_at(x, map(layout_of(x)));
    if constexpr (Map::kCopies) return copied(y);
    return y;
  }
  void backward(const Saved<1>&, const Tensor& dy, Gradients<1>& dx) const {
    if constexpr (Invertible<Map>) {
      dx.set(0, view(dy, map.inverse()));
    } else if (detail::Node* sum = dx.recorded() ? nullptr : dx.sum(0)) {
      // The adjoint of one of many views of x: adding in place, n views take time n and not n^2.
      add_at(sum, map(row_major_layout(from)), dy);
    } else {
      dx.set(0, unview(dy, map, from));
    }
  }
};

template <class Map> struct Unview {
  static constexpr OpInfo info = Map::adjoint;
  static std::vector<OpCase> cases() { return Map::unview_cases(); }
  Map map;
  Shape shape;  // of x
  double fill = 0;

  static constexpr Saves saved() { return Saves::nothing; }
  Tensor forward(const Tensor& y) const {
    return placed(y, shape, map(row_major_layout(shape)), fill, Map::kOverlaps);
  }
  void backward(const Saved<1>&, const Tensor& dy, Gradients<1>& dx) const {
    dx.set(0, view(dy, map));
  }
};

/// Output axis i is axis order[i] of x.
struct PermuteMap {
  static constexpr OpInfo info{"permute", "x with its axes in another order",
                               "dy with the axes put back", "a view"};
  static std::vector<OpCase> cases();
  static constexpr bool kCopies = false;
  std::array<std::int8_t, kMaxDim> order{};

  Layout operator()(const Layout& x) const;
  PermuteMap inverse() const;
};

/// Of axis i of x the elements start[i] + k step[i], k < extent[i]. Axes in `dropped` (a bit for each
/// of x's) are left out, axes of extent 1 are put in where `added` (a bit for each of y's) says.
struct SliceMap {
  static constexpr OpInfo info{"slice", "x[start : stop : step] along axes", "dy there, else 0",
                               "a view"};
  static constexpr OpInfo adjoint{"unslice", "y at x[start : stop : step], a number elsewhere",
                                  "slice(dy)"};
  static std::vector<OpCase> cases();
  static std::vector<OpCase> unview_cases();
  static constexpr bool kCopies = false, kOverlaps = false;
  Strides start{}, step{};
  Shape extent;
  std::uint32_t dropped = 0, added = 0;

  /// All of x.
  static SliceMap whole(const Shape& x);
  void set(int axis, std::int64_t first, std::int64_t count, std::int64_t by = 1);
  Layout operator()(const Layout& x) const;
};

/// x[..., i, ..., i + offset, ...] of two axes, which become one, the last.
struct DiagonalMap {
  static constexpr OpInfo info{"diagonal", "x[..., i, i + offset]", "dy on the diagonal, else 0",
                               "a view"};
  static constexpr OpInfo adjoint{"diag_embed", "y on a diagonal, else 0", "diagonal(dy)"};
  static std::vector<OpCase> cases();
  static std::vector<OpCase> unview_cases();
  static constexpr bool kCopies = false, kOverlaps = false;
  std::int64_t offset = 0;
  int axis0 = 0, axis1 = 1;

  Layout operator()(const Layout& x) const;
};

/// Runs of `size` elements, `dilation` apart, that start every `step` along an axis: the axis counts
/// the runs, and a new last axis the elements of one.
struct WindowMap {
  static constexpr OpInfo info{"unfold", "windows that slide along an axis",
                               "dy, added where windows overlap", "a view"};
  static constexpr OpInfo adjoint{"fold", "windows, added where they overlap", "unfold(dy)"};
  static std::vector<OpCase> cases();
  static std::vector<OpCase> unview_cases();
  static constexpr bool kCopies = false, kOverlaps = true;
  int axis = 0;
  std::int64_t size = 1, step = 1, dilation = 1;

  Layout operator()(const Layout& x) const;
};

/// The axes whose bit is set, from back to front.
struct FlipMap {
  static constexpr OpInfo info{"flip", "x with axes from back to front", "flip(dy)"};
  static std::vector<OpCase> cases();
  static constexpr bool kCopies = true;
  std::uint32_t axes = 0;

  Layout operator()(const Layout& x) const;
  FlipMap inverse() const { return *this; }
};

}  // namespace autograd::ops
