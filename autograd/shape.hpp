// SPDX-License-Identifier: Apache-2.0
// Extents of a tensor: up to eight axes held in place, so that making one never allocates.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <span>
#include <string>
#include <vector>

#include "error.hpp"
#include "inline.hpp"

namespace autograd {

inline constexpr int kMaxDim = 8;

/// Extents, outermost first. `{}` is the shape of a scalar. Prints as [2, 3].
class Shape {
 public:
  Shape() {}
  Shape(std::initializer_list<std::int64_t> extents)
      : Shape(std::span<const std::int64_t>(extents.begin(), extents.size())) {}
  Shape(const std::vector<std::int64_t>& extents) : Shape(std::span<const std::int64_t>(extents)) {}
  /// Throws ShapeError for more than 8 axes or a negative extent.
  explicit Shape(std::span<const std::int64_t> extents);
  Shape(const Shape& other) { assign(other); }
  Shape& operator=(const Shape& other) {
    assign(other);
    return *this;
  }

  int dim() const { return dim_; }
  std::int64_t operator[](int axis) const { return extents_[static_cast<std::size_t>(axis)]; }
  std::int64_t& operator[](int axis) { return extents_[static_cast<std::size_t>(axis)]; }
  const std::int64_t* begin() const { return extents_.data(); }
  const std::int64_t* end() const { return extents_.data() + dim_; }
  std::int64_t back() const { return extents_[static_cast<std::size_t>(dim_ - 1)]; }
  void push_back(std::int64_t extent);

  /// Product of the extents; throws ValueError when it exceeds 2^48.
  std::int64_t numel() const;

  /// Takes over at most two extents, one by one: a vector load of what was just written that way would
  /// have to wait for it.
  AUTOGRAD_INLINE void copy_two(const Shape& other) {
    dim_ = other.dim_;
    extents_[0] = other.extents_[0];
    asm volatile("");
    extents_[1] = other.extents_[1];
  }
  /// [rows, columns], both known to be at least 0; no checks and no loop.
  static AUTOGRAD_INLINE Shape matrix(std::int64_t rows, std::int64_t columns) {
    Shape shape;
    shape.dim_ = 2;
    shape.extents_[0] = rows;
    shape.extents_[1] = columns;
    return shape;
  }
  /// [n], known to be at least 0.
  static AUTOGRAD_INLINE Shape vector(std::int64_t n) {
    Shape shape;
    shape.dim_ = 1;
    shape.extents_[0] = n;
    return shape;
  }

  friend bool operator==(const Shape& a, const Shape& b) {
    if (a.dim_ != b.dim_) return false;
    for (int i = 0; i < a.dim_; ++i) {  // a loop of its own: std::equal calls memcmp
      if (a[i] != b[i]) return false;
    }
    return true;
  }

 private:
  // Every node has a shape: copying 8 extents, and as vectors just after they were written one by
  // one, took longer than all else in a small tensor's allocation.
  AUTOGRAD_INLINE void assign(const Shape& other) {
    dim_ = other.dim_;
    if (dim_ > 0) extents_[0] = other.extents_[0];
    if (dim_ > 1) extents_[1] = other.extents_[1];
    for (std::size_t i = 2; static_cast<int>(i) < dim_; ++i) extents_[i] = other.extents_[i];
  }

  int dim_ = 0;
  std::array<std::int64_t, kMaxDim> extents_;  // those from dim_ on are never read
};

std::string to_string(const Shape& shape);
std::ostream& operator<<(std::ostream& out, const Shape& shape);

/// NumPy's rule: shapes are aligned at the last axis; extents must be equal or 1.
/// Throws ShapeError in the name of `function`.
Shape broadcast_shapes(const char* function, const Shape& a, const Shape& b);
/// Whether a tensor of shape `from` can be broadcast to shape `to`.
bool broadcasts_to(const Shape& from, const Shape& to);
/// broadcast_shapes of the axes in front of a's last `inner_a` and b's last `inner_b`: the batches of matrices and
/// vectors. The error shows the whole shapes.
Shape broadcast_batches(const char* function, const Shape& a, int inner_a, const Shape& b,
                        int inner_b);

/// The axis counted from the front; throws ValueError when it is outside [-dim, dim).
int normalize_axis(const char* function, std::int64_t axis, int dim);

}  // namespace autograd
