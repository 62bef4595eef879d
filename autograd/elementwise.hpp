// SPDX-License-Identifier: Apache-2.0
// Elementwise functions of tensors beyond those of functions.hpp: PyTorch's names of the operators,
// bounds, tests of numbers, comparisons and logic. Operands broadcast, and meet in their result_type, as
// everywhere. Results that are bool are never differentiated.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>

#include "tensor.hpp"

namespace autograd {

// --- Rows of the op table.
Tensor reciprocal(const Tensor& x);  ///< 1 / x
Tensor rsqrt(const Tensor& x);       ///< 1 / sqrt(x)
Tensor erfinv(const Tensor& x);      ///< the inverse of erf; infinite at -1 and 1, NaN beyond
Tensor frac(const Tensor& x);        ///< x - trunc(x); slope 1
/// ln(x / (1 - x)): -inf at 0 and inf at 1, there with slope inf; NaN beyond.
Tensor logit(const Tensor& x);
/// The same of x held between eps and 1 - eps; slope 0 beyond. Throws ValueError unless
/// 0 <= eps <= 1/2.
Tensor logit(const Tensor& x, double eps);
/// a ln b, and 0 where a is 0 (NaN where b is). At a = 0 the slope by a is ln b, but 0 for b <= 0; the
/// slope by b is 0 where both are 0.
Tensor xlogy(const Tensor& a, const Tensor& b);
Tensor xlogy(const Tensor& a, double b);
Tensor xlogy(double a, const Tensor& b);

// --- Bounds.
/// min(max(x, min), max): all max where min > max. Slope 1 at the bounds, 0 beyond and for NaN, which
/// stays NaN. Infinities are no bounds. Integers stay integers if the bounds are. Throws ValueError
/// for a NaN among the bounds.
Tensor clamp(const Tensor& x, double min, double max);
struct ClampOptions {
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
};
Tensor clamp(const Tensor& x, ClampOptions options);
/// Bounds that broadcast against x; one of them may be undefined. The gradient goes to whichever was
/// taken: to x at the bounds, to max where min > max. A NaN among x or the bounds is taken.
Tensor clamp(const Tensor& x, const Tensor& min, const Tensor& max);

struct NanToNumOptions {
  double nan = 0;
  std::optional<double> posinf = {};  ///< not given: the largest number of the dtype
  std::optional<double> neginf = {};  ///< not given: its negative
};
/// x with numbers in place of NaN and infinities; slope 0 there, 1 elsewhere. Integers as they are.
Tensor nan_to_num(const Tensor& x, NanToNumOptions options = {});

// --- Between two tensors: a + weight (b - a), exactly b for weight 1. Gradients by all three.
Tensor lerp(const Tensor& a, const Tensor& b, double weight);
Tensor lerp(const Tensor& a, const Tensor& b, const Tensor& weight);

// --- The operators by name.
struct AddOptions {
  double alpha = 1;  ///< factor of b
};
enum class Rounding : std::uint8_t { none, trunc, floor };
struct DivOptions {
  Rounding rounding = Rounding::none;  ///< of the quotient; its derivative is then 0
};
Tensor neg(const Tensor& x);
Tensor add(const Tensor& a, const Tensor& b, AddOptions options = {});
Tensor add(const Tensor& a, double b, AddOptions options = {});
Tensor sub(const Tensor& a, const Tensor& b, AddOptions options = {});
Tensor sub(const Tensor& a, double b, AddOptions options = {});
Tensor mul(const Tensor& a, const Tensor& b);
Tensor mul(const Tensor& a, double b);
/// a / b, floating-point also for integers; rounded quotients of integers are integers, and throw
/// ValueError for a divisor 0. Rounding::floor is Python's a // b.
Tensor div(const Tensor& a, const Tensor& b, DivOptions options = {});
Tensor div(const Tensor& a, double b, DivOptions options = {});

// --- Comparisons: bool; false where an operand is NaN, but ne true.
Tensor eq(const Tensor& a, const Tensor& b);
Tensor ne(const Tensor& a, const Tensor& b);
Tensor lt(const Tensor& a, const Tensor& b);
Tensor le(const Tensor& a, const Tensor& b);
Tensor gt(const Tensor& a, const Tensor& b);
Tensor ge(const Tensor& a, const Tensor& b);
Tensor eq(const Tensor& a, double b);
Tensor ne(const Tensor& a, double b);
Tensor lt(const Tensor& a, double b);
Tensor le(const Tensor& a, double b);
Tensor gt(const Tensor& a, double b);
Tensor ge(const Tensor& a, double b);

// --- Tests of numbers, and logic: bool. A number counts as true unless it is 0, NaN included.
Tensor isnan(const Tensor& x);
Tensor isinf(const Tensor& x);
Tensor isfinite(const Tensor& x);
Tensor logical_and(const Tensor& a, const Tensor& b);
Tensor logical_or(const Tensor& a, const Tensor& b);
Tensor logical_xor(const Tensor& a, const Tensor& b);
Tensor logical_not(const Tensor& x);

namespace detail {
/// clamp of integers between whole numbers or infinities.
Tensor clamp_integers(const Tensor& x, double min, double max);
}  // namespace detail

}  // namespace autograd
