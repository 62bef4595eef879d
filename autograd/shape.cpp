// SPDX-License-Identifier: Apache-2.0
#include "shape.hpp"

#include <ostream>

#include "dtype.hpp"

namespace autograd {

void throw_not_floating(const char* function, DType dtype) {
  throw TypeError(std::string(function) + ": not defined for " + name(dtype) +
                  "; need float32 or float64 (convert with to(x, autograd::float32))");
}

std::ostream& operator<<(std::ostream& out, DType dtype) { return out << name(dtype); }

namespace {

[[noreturn]] AUTOGRAD_COLD void throw_too_many_axes(std::size_t axes) {
  throw ShapeError("Shape: too many axes: " + std::to_string(axes) + " axes; need at most 8");
}

// The first dim_a axes of a with the first dim_b of b; fail(extent of a, extent of b) throws.
template <class F>
Shape broadcast(const Shape& a, int dim_a, const Shape& b, int dim_b, const F& fail) {
  const int dim = std::max(dim_a, dim_b);
  Shape y;
  for (int i = 0; i < dim; ++i) {
    const int ia = i - (dim - dim_a), ib = i - (dim - dim_b);
    const std::int64_t ea = ia < 0 ? 1 : a[ia], eb = ib < 0 ? 1 : b[ib];
    if (ea != eb && ea != 1 && eb != 1) fail(ea, eb);
    y.push_back(ea == 1 ? eb : ea);
  }
  return y;
}

[[noreturn]] AUTOGRAD_COLD void throw_no_broadcast(const char* function, const char* what,
                                                   const Shape& a, const Shape& b,
                                                   const char* where, std::int64_t of_a,
                                                   std::int64_t of_b) {
  throw ShapeError(std::string(function) + ": " + what + " do not broadcast: a is " + to_string(a) +
                   ", b is " + to_string(b) + "; need equal extents or 1 " + where + " (" +
                   std::to_string(of_a) + " and " + std::to_string(of_b) + ")");
}

}  // namespace

Shape::Shape(std::span<const std::int64_t> extents) {
  if (extents.size() > kMaxDim) throw_too_many_axes(extents.size());
  for (std::int64_t extent : extents) push_back(extent);
}

void Shape::push_back(std::int64_t extent) {
  if (extent < 0) {
    throw ShapeError("Shape: negative extent: " + std::to_string(extent) + "; need >= 0");
  }
  if (dim_ == kMaxDim) throw_too_many_axes(kMaxDim + 1);
  extents_[static_cast<std::size_t>(dim_++)] = extent;
}

std::int64_t Shape::numel() const {
  constexpr std::int64_t kMost = std::int64_t{1} << 48;
  std::int64_t n = 1;
  bool too_many = false;
  for (std::int64_t extent : *this) {
    if (extent == 0) return 0;
    too_many = too_many || n > kMost / extent;
    n = too_many ? n : n * extent;
  }
  if (too_many) {
    throw ValueError("Shape: too many elements: " + to_string(*this) + "; need at most 2^48");
  }
  return n;
}

std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (int i = 0; i < shape.dim(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

std::ostream& operator<<(std::ostream& out, const Shape& shape) { return out << to_string(shape); }

Shape broadcast_shapes(const char* function, const Shape& a, const Shape& b) {
  return broadcast(a, a.dim(), b, b.dim(), [&](std::int64_t of_a, std::int64_t of_b) {
    throw_no_broadcast(function, "shapes", a, b, "from the last axis on", of_a, of_b);
  });
}

bool broadcasts_to(const Shape& from, const Shape& to) {
  const int more = to.dim() - from.dim();
  bool fits = more >= 0;
  for (int i = 0; fits && i < from.dim(); ++i) fits = from[i] == 1 || from[i] == to[more + i];
  return fits;
}

Shape broadcast_batches(const char* function, const Shape& a, int inner_a, const Shape& b,
                        int inner_b) {
  const auto fail = [&](std::int64_t of_a, std::int64_t of_b) {
    throw_no_broadcast(function, "batch axes", a, b, "in the axes before the matrices", of_a, of_b);
  };
  return broadcast(a, a.dim() - inner_a, b, b.dim() - inner_b, fail);
}

int normalize_axis(const char* function, std::int64_t axis, int dim) {
  if (axis < -dim || axis >= dim) {
    throw ValueError(std::string(function) + ": axis out of range: " + std::to_string(axis) +
                     "; need at least " + std::to_string(-dim) + " and less than " +
                     std::to_string(dim));
  }
  return static_cast<int>(axis < 0 ? axis + dim : axis);
}

}  // namespace autograd
