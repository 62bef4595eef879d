// SPDX-License-Identifier: Apache-2.0
// Walking two strided operands and a contiguous result in rows: what elementwise ops are looped with.
#pragma once

#include <array>
#include <cstdint>

#include "../tensor.hpp"

namespace autograd::ops {

/// The loops that remain after neighboring axes are merged. Strides are in elements; those of the
/// innermost axis are 0 or 1 (operands are made contiguous before otherwise).
struct Loops {
  int dim = 0;  // outer axes
  std::array<std::int64_t, kMaxDim> extent{}, a{}, b{};
  std::int64_t inner = 1;
  int inner_a = 1, inner_b = 1;
};

/// Loops over `shape` for operands that broadcast to it. False when an operand's innermost stride is
/// neither 0 nor 1, or when rows would be shorter than the operand deserves: copy it first.
bool plan_loops(const Shape& shape, const Tensor& a, const Tensor& b, Loops& loops);

inline std::int64_t row_count(const Loops& loops) {
  std::int64_t rows = 1;
  for (int i = 0; i < loops.dim; ++i) rows *= loops.extent[static_cast<std::size_t>(i)];
  return rows;
}

/// Calls f(offset_a, offset_b, offset_y) for rows [first, last) of loops.inner elements each.
template <class F>
void for_each_row(const Loops& loops, std::int64_t first, std::int64_t last, F&& f) {
  std::array<std::int64_t, kMaxDim> index{};
  std::int64_t a = 0, b = 0, y = first * loops.inner, rest = first;
  for (int i = loops.dim - 1; i >= 0 && rest > 0; --i) {
    const auto k = static_cast<std::size_t>(i);
    index[k] = rest % loops.extent[k];
    rest /= loops.extent[k];
    a += index[k] * loops.a[k];
    b += index[k] * loops.b[k];
  }
  for (std::int64_t row = first; row < last; ++row) {
    f(a, b, y);
    y += loops.inner;
    for (int i = loops.dim - 1; i >= 0; --i) {
      const auto k = static_cast<std::size_t>(i);
      a += loops.a[k];
      b += loops.b[k];
      if (++index[k] < loops.extent[k]) break;
      a -= loops.a[k] * loops.extent[k];
      b -= loops.b[k] * loops.extent[k];
      index[k] = 0;
    }
  }
}

/// The same for all rows.
template <class F> void for_each_row(const Loops& loops, F&& f) {
  for_each_row(loops, 0, row_count(loops), f);
}

/// A call of any f(offset_a, offset_b, offset_y), without owning f.
class RowFunction {
 public:
  template <class F>
  RowFunction(const F& f)
      : object_(&f), call_([](const void* object, std::int64_t a, std::int64_t b, std::int64_t y) {
          (*static_cast<const F*>(object))(a, b, y);
        }) {}
  void operator()(std::int64_t a, std::int64_t b, std::int64_t y) const { call_(object_, a, b, y); }

 private:
  const void* object_;
  void (*call_)(const void*, std::int64_t, std::int64_t, std::int64_t);
};

/// The same, shared out among threads where there is enough to do: f is called concurrently, and
/// must write nothing but its row of y.
void for_each_row_on_threads(const Loops& loops, RowFunction f);

}  // namespace autograd::ops
