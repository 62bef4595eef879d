// SPDX-License-Identifier: Apache-2.0
#include "shape.hpp"

#include <ostream>

#include "dtype.hpp"

namespace autograd {

void throw_not_floating(const char* function, DType dtype) {
  throw TypeError(std::string(function) + ": not defined for " + name(dtype) +
                  "; need float32 or float64 (convert with to(x, autograd::float32))");
}

Shape::Shape(std::span<const std::int64_t> extents) {
  for (std::int64_t extent : extents) push_back(extent);
}

void Shape::push_back(std::int64_t extent) {
  if (extent < 0) {
    throw ShapeError("Shape: negative extent: " + std::to_string(extent) + "; need >= 0");
  }
  if (dim_ == kMaxDim) throw ShapeError("Shape: too many axes; need at most 8");
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
  const int dim = std::max(a.dim(), b.dim());
  Shape y;
  for (int i = 0; i < dim; ++i) {
    const int ia = i - (dim - a.dim()), ib = i - (dim - b.dim());
    const std::int64_t ea = ia < 0 ? 1 : a[ia], eb = ib < 0 ? 1 : b[ib];
    if (ea != eb && ea != 1 && eb != 1) {
      throw ShapeError(std::string(function) + ": shapes do not broadcast: a is " + to_string(a) +
                       ", b is " + to_string(b) +
                       "; need equal extents or 1 from the last axis on (" + std::to_string(ea) +
                       " and " + std::to_string(eb) + ")");
    }
    y.push_back(ea == 1 ? eb : ea);
  }
  return y;
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
