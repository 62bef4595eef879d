// SPDX-License-Identifier: Apache-2.0
// Padding, and patches of images as columns and back.
#include <algorithm>

#include "apply.hpp"
#include "create.hpp"
#include "indexing.hpp"
#include "shaping.hpp"

namespace autograd {

using ops::SliceMap, ops::WindowMap;

namespace {

// What pad does to one axis.
struct Amount {
  std::int64_t before = 0, after = 0;
};

[[noreturn]] void throw_amounts(const Tensor& x, int axis, Amount pad, const char* need) {
  throw ValueError("pad: amounts out of range: " + std::to_string(pad.before) + " and " +
                   std::to_string(pad.after) + " for axis " + std::to_string(axis) + " of " +
                   to_string(x.shape()) + "; need " + need);
}

void check_amount(const Tensor& x, int axis, Amount pad, PadMode mode) {
  const std::int64_t n = x.shape()[axis], most = std::int64_t{1} << 48;
  if (pad.before > most || pad.after > most) throw_amounts(x, axis, pad, "at most 2^48");
  const bool cut_too_much =
      pad.before < -n || pad.after < -n ||
      std::min<std::int64_t>(pad.before, 0) + std::min<std::int64_t>(pad.after, 0) < -n;
  if (cut_too_much) throw_amounts(x, axis, pad, "at most the extent cut away");
  const std::int64_t widest = std::max(pad.before, pad.after);
  if (mode == PadMode::reflect && widest >= n && widest > 0) {
    throw_amounts(x, axis, pad, "less than the extent to reflect");
  }
  if (mode == PadMode::circular && widest > n) {
    throw_amounts(x, axis, pad, "at most the extent to go around");
  }
  if (mode == PadMode::replicate && widest > 0 && n == 0) {
    throw_amounts(x, axis, pad, "an element to repeat");
  }
}

Tensor pad_constant(const Tensor& x, const std::vector<Amount>& amounts, double value) {
  SliceMap cut = SliceMap::whole(x.shape()), place = cut;
  Shape shape = x.shape();
  bool cuts = false;
  for (int i = 0; i < x.dim(); ++i) {
    const auto [before, after] = amounts[static_cast<std::size_t>(i)];
    const std::int64_t first = std::max<std::int64_t>(-before, 0);
    const std::int64_t left = x.shape()[i] - first - std::max<std::int64_t>(-after, 0);
    cuts = cuts || left != x.shape()[i];
    cut.set(i, first, left);
    place.set(i, std::max<std::int64_t>(before, 0), left);
    shape[i] = left + std::max<std::int64_t>(before, 0) + std::max<std::int64_t>(after, 0);
  }
  (void)shape.numel();  // throws for too many elements
  return unview(cuts ? view(x, cut) : x, place, shape, value);
}

// Where element i of the padded axis comes from, i counted from x's first element.
std::int64_t source_of(std::int64_t i, std::int64_t n, PadMode mode) {
  switch (mode) {
    case PadMode::reflect: return i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i;
    case PadMode::circular: return i < 0 ? i + n : i >= n ? i - n : i;
    default: return std::clamp<std::int64_t>(i, 0, n - 1);
  }
}

// Counts of windows of one axis of an image, checked.
std::int64_t window_count(const char* function, std::int64_t extent, const UnfoldOptions& options,
                          std::size_t k) {
  const std::int64_t size = options.kernel_size[k], dilation = options.dilation[k];
  const std::int64_t padding = options.padding[k], step = options.stride[k];
  constexpr std::int64_t kMost = std::int64_t{1} << 48;
  const std::string axis = k == 0 ? "height" : "width";
  if (size < 1 || dilation < 1 || step < 1 || padding < 0 || padding > kMost || extent < 0 ||
      extent > kMost) {
    throw ValueError(std::string(function) + ": option out of range: along the " + axis + " " +
                     std::to_string(extent) + " kernel_size " + std::to_string(size) +
                     ", dilation " + std::to_string(dilation) + ", padding " +
                     std::to_string(padding) + ", stride " + std::to_string(step) +
                     "; need at least 1 (padding: 0)");
  }
  const std::int64_t padded = extent + 2 * padding;
  if (size > padded || (size - 1) > (padded - 1) / dilation) {
    throw ValueError(std::string(function) + ": the kernel does not fit: along the " + axis +
                     " kernel_size " + std::to_string(size) + ", dilation " +
                     std::to_string(dilation) + "; need its reach to be at most " +
                     std::to_string(padded));
  }
  return (padded - (dilation * (size - 1) + 1)) / step + 1;
}

}  // namespace

Tensor pad(const Tensor& x, const std::vector<std::int64_t>& amounts, PadOptions options) {
  if (amounts.size() % 2 != 0 || static_cast<int>(amounts.size() / 2) > x.dim()) {
    throw ValueError("pad: wrong number of amounts: " + std::to_string(amounts.size()) +
                     " for shape " + to_string(x.shape()) + "; need two for each axis, from the " +
                     "last on, and at most " + std::to_string(2 * x.dim()));
  }
  std::vector<Amount> of_axis(static_cast<std::size_t>(x.dim()));
  for (std::size_t k = 0; k < amounts.size(); k += 2) {
    const int axis = x.dim() - 1 - static_cast<int>(k / 2);
    of_axis[static_cast<std::size_t>(axis)] = {amounts[k], amounts[k + 1]};
    check_amount(x, axis, {amounts[k], amounts[k + 1]}, options.mode);
  }
  if (options.mode == PadMode::constant) return pad_constant(x, of_axis, options.value);
  Tensor y = x;
  for (int axis = 0; axis < x.dim(); ++axis) {
    const auto [before, after] = of_axis[static_cast<std::size_t>(axis)];
    if (before == 0 && after == 0) continue;
    const std::int64_t n = x.shape()[axis];
    Tensor index = empty({n + before + after}, int64);
    std::int64_t i = -before;
    for (std::int64_t& from : index.mutable_data<std::int64_t>()) {
      from = source_of(i++, n, options.mode);
    }
    y = index_select(y, axis, index);
  }
  return y.node() == x.node() ? apply(ops::Contiguous{}, x) : y;
}

Tensor unfold(const Tensor& x, const UnfoldOptions& options) {
  if (x.dim() != 3 && x.dim() != 4) {
    throw ShapeError("unfold: wrong number of axes: x is " + to_string(x.shape()) +
                     "; need [n, c, h, w] or [c, h, w]");
  }
  if (x.dim() == 3) return squeeze(unfold(unsqueeze(x, 0), options), 0);
  const Shape& s = x.shape();
  const std::int64_t rows = window_count("unfold", s[2], options, 0);
  const std::int64_t columns = window_count("unfold", s[3], options, 1);
  const auto [kh, kw] = options.kernel_size;
  const auto [ph, pw] = options.padding;
  const Tensor padded = ph || pw ? pad(x, {pw, pw, ph, ph}) : x;
  // [n, c, rows, columns, kh, kw]
  const Tensor windows =
      view(view(padded, WindowMap{2, kh, options.stride[0], options.dilation[0]}),
           WindowMap{3, kw, options.stride[1], options.dilation[1]});
  return reshape(permute(windows, {0, 1, 4, 5, 2, 3}), Shape{s[0], s[1] * kh * kw, rows * columns});
}

Tensor fold(const Tensor& x, std::array<std::int64_t, 2> size, const UnfoldOptions& options) {
  if (x.dim() != 2 && x.dim() != 3) {
    throw ShapeError("fold: wrong number of axes: x is " + to_string(x.shape()) +
                     "; need [n, c kh kw, patches] or [c kh kw, patches]");
  }
  const std::int64_t rows = window_count("fold", size[0], options, 0);
  const std::int64_t columns = window_count("fold", size[1], options, 1);
  const auto [kh, kw] = options.kernel_size;
  const auto [ph, pw] = options.padding;
  const std::int64_t height = size[0] + 2 * ph, width = size[1] + 2 * pw;
  const std::int64_t taps = Shape{kh, kw}.numel(), patches = Shape{rows, columns}.numel();
  if (x.shape()[x.dim() - 2] % taps != 0 || x.shape().back() != patches) {
    throw ShapeError("fold: the columns do not fit: x is " + to_string(x.shape()) +
                     "; need [..., a multiple of " + std::to_string(taps) + ", " +
                     std::to_string(patches) + "]");
  }
  if (x.dim() == 2) return squeeze(fold(unsqueeze(x, 0), size, options), 0);
  const std::int64_t n = x.shape()[0], c = x.shape()[1] / taps;
  const Shape whole{n, c, height, width};
  (void)whole.numel();  // throws for too many elements
  const Tensor windows = permute(reshape(x, Shape{n, c, kh, kw, rows, columns}),
                                 {0, 1, 4, 5, 2, 3});  // [n, c, rows, columns, kh, kw]
  const Tensor lines = unview(windows, WindowMap{3, kw, options.stride[1], options.dilation[1]},
                              {n, c, rows, width, kh});
  const Tensor y = unview(lines, WindowMap{2, kh, options.stride[0], options.dilation[0]}, whole);
  return ph || pw ? pad(y, {-pw, -pw, -ph, -ph}) : y;
}

}  // namespace autograd
