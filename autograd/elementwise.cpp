// SPDX-License-Identifier: Apache-2.0
// Elementwise functions that are made of others, or that nothing is recorded of. Those that are one row
// each are in activations.cpp and elementwise_functions.cpp.
#include "elementwise.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "create.hpp"
#include "functions.hpp"
#include "ops/op.hpp"

namespace autograd {

namespace {

// x in row-major order as the first operand of a loop; nothing is recorded.
Tensor repeated(const Tensor& x, DType dtype, const Shape& shape) {
  return contiguous(broadcast_to(to(detach(x), dtype), shape));
}

// f(a, b) of the truth of both.
template <class F>
Tensor logical(const char* function, const Tensor& a, const Tensor& b, const F& f) {
  const Shape shape = broadcast_shapes(function, a.shape(), b.shape());
  const Tensor p = repeated(a, boolean, shape), q = repeated(b, boolean, shape);
  Tensor y = empty(shape, boolean);
  for (std::size_t i = 0; i < ops::count(y); ++i) {
    ops::data<bool>(y)[i] = f(ops::data<bool>(p)[i], ops::data<bool>(q)[i]);
  }
  return y;
}

// f(x), which is `integers` for every integer.
template <class F> Tensor classified(const Tensor& x, bool integers, const F& f) {
  if (!is_floating(x.dtype())) return full(x.shape(), integers, boolean);
  const Tensor source = contiguous(detach(x));
  Tensor y = empty(x.shape(), boolean);
  dispatch_floating("isfinite", x.dtype(), [&]<class T>(T) {
    for (std::size_t i = 0; i < ops::count(y); ++i) {
      ops::data<bool>(y)[i] = f(ops::data<T>(source)[i]);
    }
  });
  return y;
}

// The quotient of integers, rounded down or toward 0.
std::int64_t quotient(std::int64_t a, std::int64_t b, Rounding rounding) {
  if (b == -1) return static_cast<std::int64_t>(0 - static_cast<std::uint64_t>(a));  // no overflow
  const std::int64_t towards_zero = a / b;
  const bool below = rounding == Rounding::floor && a % b != 0 && (a < 0) != (b < 0);
  return towards_zero - (below ? 1 : 0);
}

Tensor integer_div(const Tensor& a, const Tensor& b, Rounding rounding) {
  const Shape shape = broadcast_shapes("div", a.shape(), b.shape());
  const Tensor p = repeated(a, int64, shape), q = repeated(b, int64, shape);
  Tensor y = empty(shape, int64);
  for (std::size_t i = 0; i < ops::count(y); ++i) {
    const std::int64_t divisor = ops::data<std::int64_t>(q)[i];
    if (divisor == 0) {
      throw ValueError("div: a divisor is 0: element " + std::to_string(i) +
                       " of the result; need a divisor other than 0 (or floating-point operands)");
    }
    ops::data<std::int64_t>(y)[i] = quotient(ops::data<std::int64_t>(p)[i], divisor, rounding);
  }
  return y;
}

// How often b goes into a, rounded down: the remainder is exact, a / b might round up to an integer.
Tensor floor_div(const Tensor& a, const Tensor& b) {
  const Tensor whole = rint((a - remainder(a, b)) / b);
  return where(isfinite(whole), whole, floor(a / b));
}

Tensor with_factor(const Tensor& b, double alpha) { return alpha == 1 ? b : b * alpha; }

}  // namespace

Tensor xlogy(const Tensor& a, double b) { return xlogy(a, constant(a, b)); }
Tensor xlogy(double a, const Tensor& b) { return xlogy(constant(b, a), b); }

Tensor clamp(const Tensor& x, ClampOptions options) { return clamp(x, options.min, options.max); }

// The choices are those of min(max(x, min), max), and `where` passes the gradient by choice.
Tensor clamp(const Tensor& x, const Tensor& min, const Tensor& max) {
  if (!min.defined() && !max.defined()) {
    throw ValueError("clamp: both bounds are undefined; need at least one");
  }
  Shape shape = x.shape();  // throws before anything is recorded
  if (min.defined()) shape = broadcast_shapes("clamp", shape, min.shape());
  if (max.defined()) shape = broadcast_shapes("clamp", shape, max.shape());
  Tensor y = x;
  if (min.defined()) y = where(logical_or(x < min, isnan(min)), min, y);
  if (max.defined()) y = where(logical_or(y > max, isnan(max)), max, y);
  return y;
}

Tensor detail::clamp_integers(const Tensor& x, double min, double max) {
  constexpr double kEnd = 0x1p63;
  constexpr auto kLowest = std::numeric_limits<std::int64_t>::min();
  constexpr auto kLargest = std::numeric_limits<std::int64_t>::max();
  const auto whole = [](double bound) {
    return bound < -kEnd ? kLowest : bound >= kEnd ? kLargest : static_cast<std::int64_t>(bound);
  };
  Tensor y = to(contiguous(detach(x)), int64);
  const std::int64_t low = whole(min), high = whole(max);
  Tensor result = empty(x.shape(), int64);
  for (std::size_t i = 0; i < ops::count(y); ++i) {
    const std::int64_t value = ops::data<std::int64_t>(y)[i];
    ops::data<std::int64_t>(result)[i] = std::min(std::max(value, low), high);
  }
  return result;
}

// From weight 1/2 on seen from b, so that weight 1 gives b.
Tensor lerp(const Tensor& a, const Tensor& b, double weight) {
  return weight < 0.5 ? a + weight * (b - a) : b - (1 - weight) * (b - a);
}
Tensor lerp(const Tensor& a, const Tensor& b, const Tensor& weight) {
  broadcast_shapes("lerp", broadcast_shapes("lerp", a.shape(), b.shape()), weight.shape());
  const Tensor step = b - a;
  return where(weight < 0.5, a + weight * step, b - (1.0 - weight) * step);
}

Tensor neg(const Tensor& x) { return -x; }
Tensor add(const Tensor& a, const Tensor& b, AddOptions options) {
  return a + with_factor(b, options.alpha);
}
Tensor add(const Tensor& a, double b, AddOptions options) { return a + options.alpha * b; }
Tensor sub(const Tensor& a, const Tensor& b, AddOptions options) {
  return a - with_factor(b, options.alpha);
}
Tensor sub(const Tensor& a, double b, AddOptions options) { return a - options.alpha * b; }
Tensor mul(const Tensor& a, const Tensor& b) { return a * b; }
Tensor mul(const Tensor& a, double b) { return a * b; }
Tensor div(const Tensor& a, const Tensor& b, DivOptions options) {
  if (options.rounding == Rounding::none) return a / b;
  if (!is_floating(a.dtype()) && !is_floating(b.dtype())) {
    return integer_div(a, b, options.rounding);
  }
  return options.rounding == Rounding::floor ? floor_div(a, b) : trunc(a / b);
}
Tensor div(const Tensor& a, double b, DivOptions options) {
  return div(a, constant(a, b), options);
}

Tensor eq(const Tensor& a, const Tensor& b) { return a == b; }
Tensor ne(const Tensor& a, const Tensor& b) { return a != b; }
Tensor lt(const Tensor& a, const Tensor& b) { return a < b; }
Tensor le(const Tensor& a, const Tensor& b) { return a <= b; }
Tensor gt(const Tensor& a, const Tensor& b) { return a > b; }
Tensor ge(const Tensor& a, const Tensor& b) { return a >= b; }
Tensor eq(const Tensor& a, double b) { return a == b; }
Tensor ne(const Tensor& a, double b) { return a != b; }
Tensor lt(const Tensor& a, double b) { return a < b; }
Tensor le(const Tensor& a, double b) { return a <= b; }
Tensor gt(const Tensor& a, double b) { return a > b; }
Tensor ge(const Tensor& a, double b) { return a >= b; }

Tensor isnan(const Tensor& x) {
  return classified(x, false, [](auto value) { return std::isnan(value); });
}
Tensor isinf(const Tensor& x) {
  return classified(x, false, [](auto value) { return std::isinf(value); });
}
Tensor isfinite(const Tensor& x) {
  return classified(x, true, [](auto value) { return std::isfinite(value); });
}

namespace {

void require_bool(const char* function, const Tensor& a, const Tensor& b) {
  for (const Tensor* x : {&a, &b}) {
    if (x->dtype() == boolean) continue;
    throw TypeError(std::string("operator") + function + ": an operand is " + name(x->dtype()) +
                    "; need bool (or logical_and and its kin, which take any dtype)");
  }
}

}  // namespace

Tensor operator&(const Tensor& a, const Tensor& b) {
  require_bool("&", a, b);
  return logical_and(a, b);
}
Tensor operator|(const Tensor& a, const Tensor& b) {
  require_bool("|", a, b);
  return logical_or(a, b);
}
Tensor operator^(const Tensor& a, const Tensor& b) {
  require_bool("^", a, b);
  return logical_xor(a, b);
}
Tensor operator~(const Tensor& a) {
  require_bool("~", a, a);
  return logical_not(a);
}
Tensor logical_and(const Tensor& a, const Tensor& b) {
  return logical("logical_and", a, b, [](bool p, bool q) { return p && q; });
}
Tensor logical_or(const Tensor& a, const Tensor& b) {
  return logical("logical_or", a, b, [](bool p, bool q) { return p || q; });
}
Tensor logical_xor(const Tensor& a, const Tensor& b) {
  return logical("logical_xor", a, b, [](bool p, bool q) { return p != q; });
}
Tensor logical_not(const Tensor& x) {
  return logical("logical_not", x, x, [](bool p, bool) { return !p; });
}

}  // namespace autograd
