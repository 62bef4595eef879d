// SPDX-License-Identifier: Apache-2.0
// Loops over plain arrays that are not rows: filling, comparison, choice and conversion of dtypes, on
// all threads. Strides sa, sb, sc are 0 (one value for all) or 1. An output may be the
// same array as an input of its type, but must not overlap one otherwise.
#pragma once

#include <cstddef>
#include <cstdint>

#include "dispatch.hpp"

namespace autograd::kernels {

enum class Comparison { equal, not_equal, less, less_equal, greater, greater_equal };

/// y[i] = value. T: float, double, int64_t, bool.
template <class T> void fill(T* y, T value, std::size_t n);
/// y[i] = a[i sa] <kind> b[i sb]; false for NaN except not_equal. T: float, double, int64_t, bool.
template <class T>
void compare(Comparison kind, const T* a, int sa, const T* b, int sb, bool* y, std::size_t n);
/// y[i] = c[i sc] ? a[i sa] : b[i sb]. T: float, double, int64_t, bool.
template <class T>
void select(const bool* c, int sc, const T* a, int sa, const T* b, int sb, T* y, std::size_t n);
/// y[i] = To(x[i]) between float, double, int64_t and bool. To bool: x != 0 (NaN is true). To
/// int64: toward zero, saturating, NaN is 0.
template <class To, class From> void convert(const From* x, To* y, std::size_t n);

}  // namespace autograd::kernels
