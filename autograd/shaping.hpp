// SPDX-License-Identifier: Apache-2.0
// Functions that move elements without computing: views, and tensors put together or taken apart. All
// are differentiable in x. Names, arguments and results are PyTorch's; axes are counted from the front,
// negative ones from the end. What is out of range throws before anything is recorded.
//
// A *view* shares elements and version counter with x. In-place changes are never recorded: changing a
// view changes x, and from then on the tape refuses x and every view of it that it had recorded. That
// holds for each of the views that split, chunk and unbind return, which PyTorch would not let you
// change at all. Views that repeat elements (expand, overlapping windows) cannot be changed in place.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "functions.hpp"
#include "tensor.hpp"

namespace autograd {

// --- Axes.
/// Axis i of the result is axis order[i] of x. A view.
Tensor permute(const Tensor& x, const Axes& order);
/// Axis from[i] of x becomes axis to[i] of the result; the others keep their order. A view.
Tensor movedim(const Tensor& x, const Axes& from, const Axes& to);
Tensor movedim(const Tensor& x, std::int64_t from, std::int64_t to);
/// x without its axes of extent 1, or without one axis if its extent is 1. A view.
Tensor squeeze(const Tensor& x);
Tensor squeeze(const Tensor& x, std::int64_t axis);
/// x with a new axis of extent 1 that becomes `axis` of the result. A view.
Tensor unsqueeze(const Tensor& x, std::int64_t axis);
/// Axes first to last (included) as one; a scalar becomes [1]. A view where strides allow, else a copy.
Tensor flatten(const Tensor& x, std::int64_t first = 0, std::int64_t last = -1);
/// One axis as several of these extents, one of which may be -1. A view where strides allow.
Tensor unflatten(const Tensor& x, std::int64_t axis, const std::vector<std::int64_t>& extents);
/// x repeated along axes of extent 1 and new ones in front; -1 keeps an extent. A view.
Tensor expand(const Tensor& x, const std::vector<std::int64_t>& shape);
/// x with axes of extent 1 around it, until it has one, two, three: as NumPy's. Views.
Tensor atleast_1d(const Tensor& x);
Tensor atleast_2d(const Tensor& x);
Tensor atleast_3d(const Tensor& x);

// --- Parts of x; all of them views.
/// Elements start to start + length - 1 along an axis; a negative start counts from the end.
Tensor narrow(const Tensor& x, std::int64_t axis, std::int64_t start, std::int64_t length);
/// The elements at place i of an axis, which is dropped; a negative i counts from the end.
Tensor select(const Tensor& x, std::int64_t axis, std::int64_t i);
/// Parts of `size` along an axis, the last one perhaps smaller; or parts of these sizes, which add up
/// to the extent. The adjoints of n parts are gathered in time proportional to x, not to n times x.
std::vector<Tensor> split(const Tensor& x, std::int64_t size, std::int64_t axis = 0);
std::vector<Tensor> split(const Tensor& x, const std::vector<std::int64_t>& sizes,
                          std::int64_t axis = 0);
/// At most n parts of equal size, the last one perhaps smaller.
std::vector<Tensor> chunk(const Tensor& x, std::int64_t n, std::int64_t axis = 0);
/// Every place of an axis, which is dropped.
std::vector<Tensor> unbind(const Tensor& x, std::int64_t axis = 0);
struct DiagonalOptions {
  std::int64_t offset = 0;  ///< above the main diagonal; below when negative
  std::int64_t axis1 = 0, axis2 = 1;
};
/// x[i, i + offset] of two axes, as the last axis. Outside of x: no elements.
Tensor diagonal(const Tensor& x, DiagonalOptions options = {});
/// All windows of `size` elements along an axis, one every `step`: the axis counts them, a new last
/// axis holds their elements. Gradients of shared elements add up.
Tensor unfold(const Tensor& x, std::int64_t axis, std::int64_t size, std::int64_t step);

// --- Tensors put together; copies. Mixed dtypes meet in the widest.
/// One after the other along an axis; their other extents agree.
Tensor cat(const std::vector<Tensor>& tensors, std::int64_t axis = 0);
/// The same along a new axis; all extents agree.
Tensor stack(const std::vector<Tensor>& tensors, std::int64_t axis = 0);
enum class MeshIndexing { ij, xy };
struct MeshgridOptions {
  MeshIndexing indexing = MeshIndexing::ij;  ///< xy exchanges the first two axes
};
/// Tensors of one axis (or scalars) as coordinates of the grid they span. Views, which repeat elements.
std::vector<Tensor> meshgrid(const std::vector<Tensor>& tensors, MeshgridOptions options = {});

// --- Arranged anew; copies.
/// x repeated times[i] times along axis i, as a whole; new axes come in front.
Tensor repeat(const Tensor& x, const std::vector<std::int64_t>& times);
/// The same with the last times for the last axes: as many as there are.
Tensor tile(const Tensor& x, const std::vector<std::int64_t>& times);
/// Each element along an axis n times, or times[i] times (int64, [extent]).
Tensor repeat_interleave(const Tensor& x, std::int64_t n, std::int64_t axis);
Tensor repeat_interleave(const Tensor& x, const Tensor& times, std::int64_t axis);
/// The axes from back to front.
Tensor flip(const Tensor& x, const Axes& axes);
/// Elements moved by shifts[i] along axes[i]; what leaves at the end comes back at the start.
Tensor roll(const Tensor& x, const Axes& shifts, const Axes& axes);
/// The same with x taken as one line of elements.
Tensor roll(const Tensor& x, std::int64_t shift);
/// The elements of matrices on and below (tril), or on and above (triu), a diagonal; 0 elsewhere.
Tensor tril(const Tensor& x, std::int64_t diagonal = 0);
Tensor triu(const Tensor& x, std::int64_t diagonal = 0);
struct DiagEmbedOptions {
  std::int64_t offset = 0;
  std::int64_t axis1 = -2, axis2 = -1;  ///< of the result
};
/// The last axis of x on a diagonal of square matrices, 0 elsewhere.
Tensor diag_embed(const Tensor& x, DiagEmbedOptions options = {});
/// Of a vector the matrix with that diagonal (a copy), of a matrix the diagonal (a view).
Tensor diag(const Tensor& x, std::int64_t offset = 0);

enum class PadMode { constant, reflect, replicate, circular };
struct PadOptions {
  PadMode mode = PadMode::constant;
  double value = 0;  ///< of constant padding
};
/// `amounts` is {before, after} of the last axis, then of the one before it, ...; negative amounts cut.
/// reflect does not repeat the edge and needs amounts below the extent. Unlike PyTorch every mode takes
/// any axes. Gradients of elements that appear several times add up.
Tensor pad(const Tensor& x, const std::vector<std::int64_t>& amounts, PadOptions options = {});

/// {height, width} of everything.
struct UnfoldOptions {
  std::array<std::int64_t, 2> kernel_size{1, 1};
  std::array<std::int64_t, 2> dilation{1, 1};
  std::array<std::int64_t, 2> padding{0, 0};
  std::array<std::int64_t, 2> stride{1, 1};
};
/// Patches of images [n, c, h, w] or [c, h, w] as columns: [n, c kh kw, number of patches].
Tensor unfold(const Tensor& x, const UnfoldOptions& options);
/// The adjoint of that: columns added up to images of height and width `size`.
Tensor fold(const Tensor& x, std::array<std::int64_t, 2> size, const UnfoldOptions& options);

}  // namespace autograd
