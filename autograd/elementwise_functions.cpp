// SPDX-License-Identifier: Apache-2.0
// Public names of the elementwise operations: one line each. Promotion of dtypes happens here.
#include "apply.hpp"
#include "create.hpp"
#include "elementwise.hpp"
#include "functions.hpp"

namespace autograd {

namespace {

// Of a number without a fraction: what an integer row gives, wrapping around where it overflows.
template <class Row> std::int64_t of_integer(std::int64_t x) {
  const auto bits = static_cast<std::uint64_t>(x);
  if constexpr (std::is_same_v<Row, ops::Neg>) return static_cast<std::int64_t>(0 - bits);
  if constexpr (std::is_same_v<Row, ops::Abs>) {
    return static_cast<std::int64_t>(x < 0 ? 0 - bits : bits);
  }
  if constexpr (std::is_same_v<Row, ops::Square>) return static_cast<std::int64_t>(bits * bits);
  if constexpr (std::is_same_v<Row, ops::Sign>) return (x > 0) - (x < 0);
  if constexpr (std::is_same_v<Row, ops::Relu>) return std::max<std::int64_t>(x, 0);
  return x;  // rounding
}

template <class Row>
constexpr bool kKeepsIntegers =
    RowList<ops::Neg, ops::Abs, ops::Square, ops::Sign, ops::Relu, ops::Floor, ops::Ceil,
            ops::Trunc, ops::Rint>::contains<Row>;

template <class Row> AUTOGRAD_COLD Tensor unary_of_integers(const Tensor& x) {
  if constexpr (kKeepsIntegers<Row>) {
    const Tensor source = to(contiguous(detach(x)), int64);
    Tensor result = empty(x.shape(), int64);
    const auto values = result.mutable_data<std::int64_t>();
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = of_integer<Row>(source.data<std::int64_t>()[i]);
    }
    return result;
  } else {
    return apply(ops::UnaryOp<Row>{}, to(x, float32));
  }
}

template <class Row> AUTOGRAD_INLINE Tensor unary(const Tensor& x) {
  if (!is_floating(x.dtype())) [[unlikely]]
    return unary_of_integers<Row>(x);
  return apply(ops::UnaryOp<Row>{}, x);
}

template <class Row>
constexpr bool kIntegers = RowList<ops::Add, ops::Sub, ops::Mul, ops::Maximum, ops::Minimum,
                                   ops::Pow, ops::Fmod, ops::Remainder>::contains<Row>;

// a^b by repeated squaring, wrapping around.
std::uint64_t integer_power(std::uint64_t a, std::int64_t b) {
  if (b < 0) {
    throw ValueError("pow: a negative exponent of an integer: " + std::to_string(b) +
                     "; need an exponent >= 0 (or floating-point operands)");
  }
  std::uint64_t y = 1;
  for (; b > 0; b /= 2, a *= a) {
    if (b % 2) y *= a;
  }
  return y;
}

// a modulo b, with the sign of a, or of b for ops::Remainder.
template <class Row> std::int64_t integer_remainder(std::int64_t a, std::int64_t b) {
  if (b == 0) {
    throw ValueError(std::string(Row::info.name) +
                     ": a divisor is 0; need another number (or floating-point operands)");
  }
  const std::int64_t rest =
      b == -1 ? 0 : a % b;  // of the smallest integer and -1 it would overflow
  const bool other_sign = rest != 0 && (rest < 0) != (b < 0);
  return std::is_same_v<Row, ops::Remainder> && other_sign ? rest + b : rest;
}

// Unsigned arithmetic wraps around where signed would be undefined.
template <class Row> std::int64_t of_integers(std::int64_t a, std::int64_t b) {
  const auto p = static_cast<std::uint64_t>(a), q = static_cast<std::uint64_t>(b);
  if constexpr (std::is_same_v<Row, ops::Maximum>) return std::max(a, b);
  if constexpr (std::is_same_v<Row, ops::Minimum>) return std::min(a, b);
  if constexpr (std::is_same_v<Row, ops::Add>) return static_cast<std::int64_t>(p + q);
  if constexpr (std::is_same_v<Row, ops::Sub>) return static_cast<std::int64_t>(p - q);
  if constexpr (std::is_same_v<Row, ops::Mul>) return static_cast<std::int64_t>(p * q);
  if constexpr (std::is_same_v<Row, ops::Pow>) {
    return static_cast<std::int64_t>(integer_power(p, b));
  }
  return integer_remainder<Row>(a, b);
}

template <class Row> AUTOGRAD_COLD Tensor integer_binary(const Tensor& a, const Tensor& b) {
  const Shape shape = broadcast_shapes(Row::info.name, a.shape(), b.shape());
  const Tensor x = contiguous(broadcast_to(to(a, int64), shape));
  const Tensor y = contiguous(broadcast_to(to(b, int64), shape));
  Tensor result = empty(shape, int64);
  const auto values = result.mutable_data<std::int64_t>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = of_integers<Row>(x.data<std::int64_t>()[i], y.data<std::int64_t>()[i]);
  }
  return result;
}

template <class Row> AUTOGRAD_INLINE Tensor same_dtype_binary(const Tensor& a, const Tensor& b) {
  if (a.node()->shape == b.node()->shape) [[likely]]
    return apply(ops::BinaryOp<Row>{}, a, b);
  return apply(ops::BroadcastOp<Row>{}, a, b);
}

template <class Row> AUTOGRAD_COLD Tensor mixed_binary(const Tensor& a, const Tensor& b) {
  DType dtype = promote(a.dtype(), b.dtype());
  if constexpr (kIntegers<Row>) {
    if (!is_floating(dtype)) return integer_binary<Row>(a, b);
  }
  if (!is_floating(dtype)) dtype = float32;
  broadcast_shapes(Row::info.name, a.shape(), b.shape());  // throws before a conversion is recorded
  return same_dtype_binary<Row>(to(a, dtype), to(b, dtype));
}

template <class Row> AUTOGRAD_INLINE Tensor binary(const Tensor& a, const Tensor& b) {
  if constexpr (ops::kPlainArithmetic<Row>) {
    const detail::Node *p = a.node(), *q = b.node();
    if (p && q && ops::both_tiny(p, q) && p->shape == q->shape) [[likely]]
      return apply(ops::BinaryOp<Row>{}, a, b);
  }
  if (a.dtype() != b.dtype() || !is_floating(a.dtype())) [[unlikely]]
    return mixed_binary<Row>(a, b);
  return same_dtype_binary<Row>(a, b);
}

}  // namespace

Tensor constant(const Tensor& x, double value) {
  const bool integer = value == std::floor(value) && std::abs(value) < 0x1p63;
  const DType dtype = is_floating(x.dtype()) ? x.dtype() : integer ? int64 : float32;
  Tensor y = ops::make(Shape{}, dtype);
  dispatch(dtype, [&]<class T>(T) { *ops::data<T>(y) = static_cast<T>(value); });
  return y;
}

Tensor operator-(const Tensor& x) { return unary<ops::Neg>(x); }
Tensor exp(const Tensor& x) { return unary<ops::Exp>(x); }
Tensor log(const Tensor& x) { return unary<ops::Log>(x); }
Tensor log1p(const Tensor& x) { return unary<ops::Log1p>(x); }
Tensor expm1(const Tensor& x) { return unary<ops::Expm1>(x); }
Tensor sqrt(const Tensor& x) { return unary<ops::Sqrt>(x); }
Tensor square(const Tensor& x) { return unary<ops::Square>(x); }
Tensor abs(const Tensor& x) { return unary<ops::Abs>(x); }
Tensor sin(const Tensor& x) { return unary<ops::Sin>(x); }
Tensor cos(const Tensor& x) { return unary<ops::Cos>(x); }
Tensor tan(const Tensor& x) { return unary<ops::Tan>(x); }
Tensor asin(const Tensor& x) { return unary<ops::Asin>(x); }
Tensor acos(const Tensor& x) { return unary<ops::Acos>(x); }
Tensor atan(const Tensor& x) { return unary<ops::Atan>(x); }
Tensor sinh(const Tensor& x) { return unary<ops::Sinh>(x); }
Tensor cosh(const Tensor& x) { return unary<ops::Cosh>(x); }
Tensor tanh(const Tensor& x) { return unary<ops::Tanh>(x); }
Tensor sigmoid(const Tensor& x) { return unary<ops::Sigmoid>(x); }
Tensor relu(const Tensor& x) { return unary<ops::Relu>(x); }
Tensor softplus(const Tensor& x) { return unary<ops::Softplus>(x); }
Tensor exp2(const Tensor& x) { return unary<ops::Exp2>(x); }
Tensor log2(const Tensor& x) { return unary<ops::Log2>(x); }
Tensor log10(const Tensor& x) { return unary<ops::Log10>(x); }
Tensor cbrt(const Tensor& x) { return unary<ops::Cbrt>(x); }
Tensor asinh(const Tensor& x) { return unary<ops::Asinh>(x); }
Tensor acosh(const Tensor& x) { return unary<ops::Acosh>(x); }
Tensor atanh(const Tensor& x) { return unary<ops::Atanh>(x); }
Tensor erf(const Tensor& x) { return unary<ops::Erf>(x); }
Tensor erfc(const Tensor& x) { return unary<ops::Erfc>(x); }
Tensor normal_cdf(const Tensor& x) { return unary<ops::NormalCdf>(x); }
Tensor normal_icdf(const Tensor& x) { return unary<ops::NormalIcdf>(x); }
Tensor tgamma(const Tensor& x) { return unary<ops::Tgamma>(x); }
Tensor lgamma(const Tensor& x) { return unary<ops::Lgamma>(x); }
Tensor digamma(const Tensor& x) { return unary<ops::Digamma>(x); }
Tensor sign(const Tensor& x) { return unary<ops::Sign>(x); }
Tensor floor(const Tensor& x) { return unary<ops::Floor>(x); }
Tensor ceil(const Tensor& x) { return unary<ops::Ceil>(x); }
Tensor trunc(const Tensor& x) { return unary<ops::Trunc>(x); }
Tensor round(const Tensor& x) { return unary<ops::Rint>(x); }
Tensor rint(const Tensor& x) { return unary<ops::Rint>(x); }

Tensor operator+(const Tensor& a, const Tensor& b) { return binary<ops::Add>(a, b); }
Tensor operator-(const Tensor& a, const Tensor& b) { return binary<ops::Sub>(a, b); }
Tensor operator*(const Tensor& a, const Tensor& b) { return binary<ops::Mul>(a, b); }
Tensor operator/(const Tensor& a, const Tensor& b) { return binary<ops::Div>(a, b); }
Tensor pow(const Tensor& a, const Tensor& b) { return binary<ops::Pow>(a, b); }
Tensor maximum(const Tensor& a, const Tensor& b) { return binary<ops::Maximum>(a, b); }
Tensor minimum(const Tensor& a, const Tensor& b) { return binary<ops::Minimum>(a, b); }
Tensor max(const Tensor& a, const Tensor& b) { return binary<ops::Maximum>(a, b); }
Tensor min(const Tensor& a, const Tensor& b) { return binary<ops::Minimum>(a, b); }
Tensor fmax(const Tensor& a, const Tensor& b) { return binary<ops::Fmax>(a, b); }
Tensor fmin(const Tensor& a, const Tensor& b) { return binary<ops::Fmin>(a, b); }
Tensor fdim(const Tensor& a, const Tensor& b) { return binary<ops::Fdim>(a, b); }
Tensor hypot(const Tensor& a, const Tensor& b) { return binary<ops::Hypot>(a, b); }
Tensor atan2(const Tensor& a, const Tensor& b) { return binary<ops::Atan2>(a, b); }
Tensor logaddexp(const Tensor& a, const Tensor& b) { return binary<ops::LogAddExp>(a, b); }
Tensor ldexp(const Tensor& a, const Tensor& b) { return binary<ops::Ldexp>(a, b); }
Tensor fmod(const Tensor& a, const Tensor& b) { return binary<ops::Fmod>(a, b); }
Tensor remainder(const Tensor& a, const Tensor& b) { return binary<ops::Remainder>(a, b); }
Tensor ieee_remainder(const Tensor& a, const Tensor& b) { return binary<ops::IeeeRemainder>(a, b); }
Tensor copysign(const Tensor& a, const Tensor& b) { return binary<ops::Copysign>(a, b); }
Tensor nextafter(const Tensor& a, const Tensor& b) { return binary<ops::NextAfter>(a, b); }
Tensor beta(const Tensor& a, const Tensor& b) { return binary<ops::Beta>(a, b); }
Tensor xlogy(const Tensor& a, const Tensor& b) { return binary<ops::Xlogy>(a, b); }
Tensor direction(const Tensor& a, const Tensor& b) { return binary<ops::Direction>(a, b); }
Tensor digamma_step(const Tensor& a, const Tensor& b) { return binary<ops::DigammaStep>(a, b); }
Tensor trigamma_step(const Tensor& a, const Tensor& b) { return binary<ops::TrigammaStep>(a, b); }
Tensor polygamma(const Tensor& n, const Tensor& x) { return binary<ops::Polygamma>(n, x); }
Tensor polygamma(int n, const Tensor& x) {
  if (n < 0) {
    throw ValueError("polygamma: the order is " + std::to_string(n) + "; need n >= 0");
  }
  return polygamma(constant(is_floating(x.dtype()) ? x : to(x, float32), n), x);
}
Tensor chain(const Tensor& dy, const Tensor& slope) { return binary<ops::Chain>(dy, slope); }
Tensor squared_difference(const Tensor& a, const Tensor& b) {
  return binary<ops::SquaredDifference>(a, b);
}
Tensor binary_cross_entropy(const Tensor& p, const Tensor& t) {
  return binary<ops::BinaryCrossEntropy>(p, t);
}
Tensor binary_cross_entropy_with_logits(const Tensor& x, const Tensor& t) {
  return binary<ops::BinaryCrossEntropyWithLogits>(x, t);
}

Tensor operator+(const Tensor& a, double b) { return a + constant(a, b); }
Tensor operator+(double a, const Tensor& b) { return constant(b, a) + b; }
Tensor operator-(const Tensor& a, double b) { return a - constant(a, b); }
Tensor operator-(double a, const Tensor& b) { return constant(b, a) - b; }
Tensor operator*(const Tensor& a, double b) { return a * constant(a, b); }
Tensor operator*(double a, const Tensor& b) { return constant(b, a) * b; }
Tensor operator/(const Tensor& a, double b) { return a / constant(a, b); }
Tensor operator/(double a, const Tensor& b) { return constant(b, a) / b; }
Tensor pow(const Tensor& a, double b) { return pow(a, constant(a, b)); }
Tensor pow(double a, const Tensor& b) { return pow(constant(b, a), b); }
Tensor maximum(const Tensor& a, double b) { return maximum(a, constant(a, b)); }
Tensor minimum(const Tensor& a, double b) { return minimum(a, constant(a, b)); }
Tensor fmod(const Tensor& a, double b) { return fmod(a, constant(a, b)); }
Tensor remainder(const Tensor& a, double b) { return remainder(a, constant(a, b)); }
Tensor copysign(const Tensor& a, double b) { return copysign(a, constant(a, b)); }

// --- Comparisons and choice.

namespace {

Tensor compare(kernels::Comparison kind, const Tensor& a, const Tensor& b) {
  if (const auto* scope = detail::modes ? detail::batch_scope({a, b}) : nullptr) [[unlikely]] {
    const detail::BatchOperand x = detail::operand_of(a.node(), *scope);
    const detail::BatchOperand y = detail::operand_of(b.node(), *scope);
    const int dim = std::max(x.dim, y.dim);
    return detail::batched(compare(kind, aligned(x, dim), aligned(y, dim)), *scope);
  }
  const DType dtype = promote(a.dtype(), b.dtype());
  const Shape shape = broadcast_shapes("compare", a.shape(), b.shape());
  const Tensor x = contiguous(broadcast_to(to(detach(a), dtype), shape));
  const Tensor z = contiguous(broadcast_to(to(detach(b), dtype), shape));
  Tensor y = ops::make(shape, boolean);
  dispatch(dtype, [&]<class T>(T) {
    kernels::compare<T>(kind, ops::data<T>(x), 1, ops::data<T>(z), 1, ops::data<bool>(y),
                        ops::count(y));
  });
  return y;
}

}  // namespace

using kernels::Comparison;
Tensor operator<(const Tensor& a, const Tensor& b) { return compare(Comparison::less, a, b); }
Tensor operator<=(const Tensor& a, const Tensor& b) {
  return compare(Comparison::less_equal, a, b);
}
Tensor operator>(const Tensor& a, const Tensor& b) { return compare(Comparison::greater, a, b); }
Tensor operator>=(const Tensor& a, const Tensor& b) {
  return compare(Comparison::greater_equal, a, b);
}
Tensor operator==(const Tensor& a, const Tensor& b) { return compare(Comparison::equal, a, b); }
Tensor operator!=(const Tensor& a, const Tensor& b) { return compare(Comparison::not_equal, a, b); }
Tensor operator<(const Tensor& a, double b) { return a < constant(a, b); }
Tensor operator<=(const Tensor& a, double b) { return a <= constant(a, b); }
Tensor operator>(const Tensor& a, double b) { return a > constant(a, b); }
Tensor operator>=(const Tensor& a, double b) { return a >= constant(a, b); }
Tensor operator==(const Tensor& a, double b) { return a == constant(a, b); }
Tensor operator!=(const Tensor& a, double b) { return a != constant(a, b); }

Tensor where(const Tensor& c, const Tensor& a, const Tensor& b) {
  if (c.dtype() != boolean) {
    throw TypeError(std::string("where: the condition is ") + name(c.dtype()) +
                    "; need bool (a comparison, or to(c, boolean))");
  }
  const DType dtype = promote(a.dtype(), b.dtype());
  if (a.dtype() != b.dtype()) {  // throws before a conversion is recorded
    broadcast_shapes("where", c.shape(), broadcast_shapes("where", a.shape(), b.shape()));
  }
  const Tensor x = to(a, dtype), y = to(b, dtype);
  return apply(ops::Where{c, x.shape(), y.shape()}, x, y);
}
Tensor where(const Tensor& c, const Tensor& a, double b) { return where(c, a, constant(a, b)); }
Tensor where(const Tensor& c, double a, const Tensor& b) { return where(c, constant(b, a), b); }

bool equal(const Tensor& a, const Tensor& b) {
  if (!(a.shape() == b.shape()) || a.dtype() != b.dtype()) return false;
  const Tensor x = contiguous(detach(a)), y = contiguous(detach(b));
  return dispatch(a.dtype(), [&]<class T>(T) {
    return std::equal(ops::data<T>(x), ops::data<T>(x) + x.numel(), ops::data<T>(y));
  });
}

bool allclose(const Tensor& a, const Tensor& b, double rtol, double atol) {
  if (!(a.shape() == b.shape())) {
    throw ShapeError("allclose: shapes differ: a is " + to_string(a.shape()) + ", b is " +
                     to_string(b.shape()) + "; need equal shapes");
  }
  const Tensor x = contiguous(to(detach(a), float64)), y = contiguous(to(detach(b), float64));
  for (std::size_t i = 0; i < ops::count(x); ++i) {
    const double p = ops::data<double>(x)[i], q = ops::data<double>(y)[i];
    if (p == q) continue;  // infinities
    if (!(std::abs(p - q) <= atol + rtol * std::abs(q))) return false;
  }
  return true;
}

}  // namespace autograd
