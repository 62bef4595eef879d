// SPDX-License-Identifier: Apache-2.0
// Choosing elements: x(...) with numbers, slices and tensors, and the functions of int64 indices.
//
//   x(0)                      the first of the outermost axis         x[0] in Python
//   x(slice(1, 5, 2), -1)     places 1, 3 of axis 0, the last of 1    x[1:5:2, -1]
//   x(slice(), slice({}, 3))  of all rows the first three             x[:, :3]
//   x(ellipsis, slice({}, {}, -1), newaxis)                           x[..., ::-1, None]
//   x(rows, columns)          int64 tensors: elements [rows[i], columns[i]]
//   x(mask)                   bool tensors: the elements where it is true
//
// Numbers and slices of positive step make a view, tensors and negative steps a copy. Negative numbers
// count from the end. Tensors broadcast against each other; their axes come where the first of them
// stood, or in front when something else stands between them. Integer results of nonzero and the like,
// and indices, are never differentiated. What is out of range throws before anything is recorded.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <vector>

#include "tensor.hpp"

namespace autograd {

/// start, start + step, ... before stop, as in Python: ends left out are those of the axis, negative
/// ones count from its end, and ends beyond it are cut.
struct Slice {
  std::optional<std::int64_t> start, stop;
  std::int64_t step = 1;
};
/// slice() is everything, slice(2) all from 2 on, slice({}, 2) all before 2.
inline Slice slice(std::optional<std::int64_t> start = {}, std::optional<std::int64_t> stop = {},
                   std::int64_t step = 1) {
  return {start, stop, step};
}
/// As many whole axes as there are left.
struct Ellipsis {};
inline constexpr Ellipsis ellipsis{};
/// A new axis of extent 1.
struct NewAxis {};
inline constexpr NewAxis newaxis{};

/// One place of an index: made of what x(...) takes.
struct Index {
  enum class Kind : std::uint8_t { number, slice, rest, new_axis, tensor };
  Kind kind;
  std::int64_t number = 0;
  Slice slice{};
  Tensor tensor{};

  template <std::integral T>
    requires(!std::same_as<T, bool>)
  Index(T i) : kind(Kind::number), number(static_cast<std::int64_t>(i)) {}
  Index(const Slice& s) : kind(Kind::slice), slice(s) {}
  Index(Ellipsis) : kind(Kind::rest) {}
  Index(NewAxis) : kind(Kind::new_axis) {}
  Index(const Tensor& t) : kind(Kind::tensor), tensor(t) {}
};

/// x(...) with the places in a list.
Tensor index(const Tensor& x, const std::vector<Index>& places);
template <class... Places> Tensor Tensor::operator()(const Places&... places) const {
  return index(*this, std::vector<Index>{Index(places)...});
}

struct IndexPutOptions {
  bool accumulate = false;  ///< add instead of replacing
};
/// A copy of x with `values`, broadcast, at x(places...). Of elements that replace one another the last
/// wins, and only it gets a gradient; accumulated ones add in order.
Tensor index_put(const Tensor& x, const std::vector<Index>& places, const Tensor& values,
                 IndexPutOptions options = {});

// --- The same index for whole slices along an axis. `index` is int64 with one axis (or a scalar),
// elements from 0 to extent - 1.
/// x[..., index[i], ...]. Repeated indices add their adjoints in order.
Tensor index_select(const Tensor& x, std::int64_t axis, const Tensor& index);
struct IndexAddOptions {
  double alpha = 1;
};
/// A copy of x with alpha source[..., i, ...] added at index[i]; repeated indices add in order.
Tensor index_add(const Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source,
                 IndexAddOptions options = {});
/// A copy of x with source[..., i, ...] at index[i]. Of repeated indices the last wins, and only it
/// gets a gradient.
Tensor index_copy(const Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source);

// --- An index for each element. `index` has x's number of axes, and extents of at most x's but along
// `axis`; elements from 0 to extent - 1.
/// y[p] = x[p, the axis' place replaced by index[p]]; repeated indices add their adjoints in order.
Tensor gather(const Tensor& x, std::int64_t axis, const Tensor& index);
/// A copy of x with source[p] at [p, the axis' place replaced by index[p]]. The source may be larger than
/// the index. Of repeated indices the last wins, and only it gets a gradient.
Tensor scatter(const Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source);
Tensor scatter(const Tensor& x, std::int64_t axis, const Tensor& index, double value);
/// The same, adding; repeated indices add in order.
Tensor scatter_add(const Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source);
/// gather with x and index broadcast along the other axes.
Tensor take_along_dim(const Tensor& x, const Tensor& index, std::int64_t axis);
/// Elements of x taken as one line; negative indices count from its end. The shape is that of the index.
Tensor take(const Tensor& x, const Tensor& index);

// --- Masks: bool tensors, broadcast.
/// x where the mask is false, the number where it is true. The elements replaced get gradient 0.
Tensor masked_fill(const Tensor& x, const Tensor& mask, double value);
/// The elements of x where the mask is true, in row-major order: [number of them].
Tensor masked_select(const Tensor& x, const Tensor& mask);

// --- Integer results.
/// The places of the elements that are not 0: int64 [number of them, axes of x].
Tensor nonzero(const Tensor& x);
/// int64 of x's shape and `classes` more: 1 at each element's place, else 0. classes -1: the largest
/// element and one.
Tensor one_hot(const Tensor& x, std::int64_t classes = -1);

}  // namespace autograd
