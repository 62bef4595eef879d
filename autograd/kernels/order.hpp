// SPDX-License-Identifier: Apache-2.0
// Positions by size along one axis of a contiguous array seen as [outer, extent, inner]: sorting,
// selection, the largest and smallest, and moving elements by such positions. Equal elements keep their
// order (-0 equals 0), NaN is greater than everything, so that every result is unique and the same for
// any number of threads. T is float, double, std::int64_t or bool.
#pragma once

#include <cstddef>
#include <cstdint>

#include "scan.hpp"

namespace autograd::kernels {

/// index[o, r, i] = position of the element of rank r < k, in ascending or descending order.
template <class T>
void top_positions(const T* x, std::int64_t* index, Lines lines, std::size_t k, bool descending);
/// index[o, i] = position of the element of rank `rank` in ascending order; with nan_first that of the
/// first NaN where there is one.
template <class T>
void rank_positions(const T* x, std::int64_t* index, Lines lines, std::size_t rank, bool nan_first);
/// top[o, i] = the largest (or smallest) element, NaN where there is one; index[o, i] = position of the
/// first element that it is. extent > 0.
template <class T>
void extreme_positions(const T* x, std::int64_t* index, T* top, Lines lines, bool largest);

/// y[o, r, i] = x[o, index[o, r, i], i] for r < k. False where an index is not in [0, extent): no other
/// element is touched then, but y is not finished.
template <class T>
bool take_along(const T* x, const std::int64_t* index, T* y, Lines lines, std::size_t k);
/// x[o, index[o, r, i], i] += y[o, r, i], in the order of r; false as above. T: float, double.
template <class T>
bool add_along(const T* y, const std::int64_t* index, T* x, Lines lines, std::size_t k);
/// y[o, r] = x[o, index[r]] for o < rows and r < n, x: [rows, extent]; nothing is checked.
template <class T>
void take_columns(const T* x, const std::int64_t* index, T* y, std::size_t rows, std::size_t extent,
                  std::size_t n);

}  // namespace autograd::kernels
