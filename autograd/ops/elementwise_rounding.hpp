// SPDX-License-Identifier: Apache-2.0
// Rows: rounding, remainders, and the parts of a floating-point number. See elementwise.hpp. Slopes are
// those between the jumps.
#if !defined(AUTOGRAD_ROWS_ROUNDING) || defined(AUTOGRAD_SIMD_ROWS)
#define AUTOGRAD_ROWS_ROUNDING

#include "row_words.hpp"

#ifdef AUTOGRAD_SIMD_ROWS
HWY_BEFORE_NAMESPACE();
namespace autograd::kernels::HWY_NAMESPACE {
#else
namespace autograd::ops {
#endif

struct Floor {
  static constexpr RowInfo info{.name = "floor",
                                .value = "the largest integer <= x",
                                .slope = "0",
                                .cases = {{0.1, 0.4}, {-1.9, -1.6}},
                                .ulp = 0,
                                .reads = Reads::nothing,
                                .selects = true};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return floor(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) {
    return constant(x, 0.0);
  }
};
struct Ceil {
  static constexpr RowInfo info{.name = "ceil",
                                .value = "the smallest integer >= x",
                                .slope = "0",
                                .cases = {{0.1, 0.4}, {-1.9, -1.6}},
                                .ulp = 0,
                                .reads = Reads::nothing,
                                .selects = true};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return ceil(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) {
    return constant(x, 0.0);
  }
};
struct Trunc {
  static constexpr RowInfo info{.name = "trunc",
                                .value = "x without its fraction",
                                .slope = "0",
                                .cases = {{0.1, 0.4}, {-1.9, -1.6}},
                                .ulp = 0,
                                .lanes = true,
                                .reads = Reads::nothing,
                                .selects = true};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return trunc(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) {
    return constant(x, 0.0);
  }
};
struct Frac {
  static constexpr RowInfo info{.name = "frac",
                                .value = "x - trunc(x)",
                                .slope = "1",
                                .cases = {{0.1, 0.9}, {-1.9, -1.1}},
                                .ulp = 0,
                                .lanes = true,
                                .reads = Reads::nothing};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return x - trunc(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) {
    return constant(x, 1.0);
  }
};
struct Rint {
  static constexpr RowInfo info{.name = "rint",
                                .value = "the nearest integer",
                                .slope = "0",
                                .cases = {{0.1, 0.4}, {-1.9, -1.6}},
                                .ulp = 0,
                                .reads = Reads::nothing,
                                .selects = true,
                                .note = "ties to even; round(x) of tensors"};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return rint(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) {
    return constant(x, 0.0);
  }
};
struct Round {
  static constexpr RowInfo info{.name = "round",
                                .value = "the nearest integer",
                                .slope = "0",
                                .cases = {{0.1, 0.4}, {-1.9, -1.6}},
                                .ulp = 0,
                                .lanes = true,
                                .reads = Reads::nothing,
                                .selects = true,
                                .note = "ties away from zero; round(x) of scalars"};
  template <class T> static AUTOGRAD_INLINE T value(const T& x) { return round(x); }
  template <class T> static AUTOGRAD_INLINE T slope(const T& x, const T&) {
    return constant(x, 0.0);
  }
};
// The quotient that a remainder subtracts, which a / b may round to the next integer, follows from y.
struct Fmod {
  static constexpr RowInfo info{.name = "fmod",
                                .value = "a - b trunc(a / b)",
                                .slope = "1, -trunc(a / b)",
                                .cases = {{0.3, 3}},
                                .ulp = 0,
                                .lanes = true,
                                .reads = Reads::both};
  template <class T> static AUTOGRAD_INLINE T value(const T& a, const T& b) { return fmod(a, b); }
  template <class T> static AUTOGRAD_INLINE T slope_a(const T& a, const T&, const T&) {
    return constant(a, 1.0);
  }
  template <class T> static AUTOGRAD_INLINE T slope_b(const T& a, const T& b, const T& y) {
    return -rint((a - y) / b);
  }
};
struct Remainder {
  static constexpr RowInfo info{.name = "remainder",
                                .value = "a - b floor(a / b)",
                                .slope = "1, -floor(a / b)",
                                .cases = {{0.3, 3}},
                                .ulp = 0.5,
                                .lanes = true,
                                .reads = Reads::both,
                                .note = "the sign of b, as PyTorch and Python; tensors only"};
  template <class T> static AUTOGRAD_INLINE T value(const T& a, const T& b) {
    const T r = fmod(a, b);
    return where((r < 0.0 && b > 0.0) || (r > 0.0 && b < 0.0), r + b, r);
  }
  template <class T> static AUTOGRAD_INLINE T slope_a(const T& a, const T&, const T&) {
    return constant(a, 1.0);
  }
  template <class T> static AUTOGRAD_INLINE T slope_b(const T& a, const T& b, const T& y) {
    return -rint((a - y) / b);
  }
};
struct IeeeRemainder {
  static constexpr RowInfo info{.name = "ieee_remainder",
                                .value = "a - b rint(a / b)",
                                .slope = "1, -rint(a / b)",
                                .cases = {{0.3, 3}},
                                .ulp = 0,
                                .lanes = true,
                                .reads = Reads::both,
                                .note = "remainder(a, b) of scalars, as std::remainder"};
  template <class T> static AUTOGRAD_INLINE T value(const T& a, const T& b) {
    return ieee_remainder(a, b);
  }
  template <class T> static AUTOGRAD_INLINE T slope_a(const T& a, const T&, const T&) {
    return constant(a, 1.0);
  }
  template <class T> static AUTOGRAD_INLINE T slope_b(const T& a, const T& b, const T& y) {
    return -rint((a - y) / b);
  }
};
struct Copysign {
  static constexpr RowInfo info{.name = "copysign",
                                .value = "|a| with the sign of b",
                                .slope = "1 or -1, 0",
                                .cases = {{-3, -0.1}, {0.1, 3}},
                                .ulp = 0,
                                .lanes = true,
                                .reads = Reads::both,
                                .note = "slope 0 at a = 0"};
  template <class T> static AUTOGRAD_INLINE T value(const T& a, const T& b) {
    return copysign(a, b);
  }
  template <class T> static AUTOGRAD_INLINE T slope_a(const T& a, const T&, const T& y) {
    return sign(a) * sign(y);
  }
  template <class T> static AUTOGRAD_INLINE T slope_b(const T& a, const T&, const T&) {
    return constant(a, 0.0);
  }
};
struct NextAfter {
  static constexpr RowInfo info{.name = "nextafter",
                                .value = "the number next to a towards b",
                                .slope = "1, 0",
                                .cases = {{-3, 3}},
                                .ulp = 0,
                                .lanes = true,
                                .reads = Reads::nothing};
  template <class T> static AUTOGRAD_INLINE T value(const T& a, const T& b) {
    return nextafter(a, b);
  }
  template <class T> static AUTOGRAD_INLINE T slope_a(const T& a, const T&, const T&) {
    return constant(a, 1.0);
  }
  template <class T> static AUTOGRAD_INLINE T slope_b(const T& a, const T&, const T&) {
    return constant(a, 0.0);
  }
};

#ifdef AUTOGRAD_SIMD_ROWS
}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#else
}  // namespace autograd::ops
#endif
#endif
