// SPDX-License-Identifier: Apache-2.0
// Public names of arithmetic, comparisons and choice.
#include <algorithm>
#include <cmath>
#include <type_traits>

#include "elementwise_apply.hpp"

namespace autograd {

using detail::binary;

DType result_type(const Tensor& a, const Tensor& b) {
  const auto kind = [](DType dtype) { return dtype == boolean ? 0 : dtype == int64 ? 1 : 2; };
  const DType p = a.dtype(), q = b.dtype();
  if (a.dim() == 0 && b.dim() > 0 && kind(p) <= kind(q)) return q;
  if (b.dim() == 0 && a.dim() > 0 && kind(q) <= kind(p)) return p;
  return promote(p, q);
}

Tensor constant(const Tensor& x, double value) {
  const bool integer = value == std::floor(value) && std::abs(value) < 0x1p63;
  const DType dtype = is_floating(x.dtype()) ? x.dtype() : integer ? int64 : float32;
  Tensor y = ops::make(Shape{}, dtype);
  dispatch(dtype, [&]<class T>(T) { *ops::data<T>(y) = static_cast<T>(value); });
  return y;
}

Tensor operator+(const Tensor& a, const Tensor& b) { return binary<ops::Add>(a, b); }
Tensor operator-(const Tensor& a, const Tensor& b) { return binary<ops::Sub>(a, b); }
Tensor operator*(const Tensor& a, const Tensor& b) { return binary<ops::Mul>(a, b); }
Tensor operator/(const Tensor& a, const Tensor& b) { return binary<ops::Div>(a, b); }

namespace {

/// True for a temporary above 64 bytes that no one but the caller can see, like the other operand.
bool reusable(const Tensor& x, const Tensor& other) {
  const detail::Node *p = x.node(), *q = other.node();
  return p && q && p->block_bytes && !detail::modes && ops::exclusive(p) && !p->requires_grad &&
         !p->grad && is_floating(p->dtype) && p->dtype == q->dtype && p->shape == q->shape &&
         !detail::is_batched(q);
}

/// row(a, b) by the operators above, which are too large to be here four times over.
template <class Row> Tensor called(const Tensor& a, const Tensor& b) {
  if constexpr (std::is_same_v<Row, ops::Add>) {
    return a + b;
  } else if constexpr (std::is_same_v<Row, ops::Sub>) {
    return a - b;
  } else if constexpr (std::is_same_v<Row, ops::Mul>) {
    return a * b;
  } else {
    static_assert(std::is_same_v<Row, ops::Div>);
    return a / b;
  }
}

/// row(a, b) in the storage of x, which is one of them. A record may name its slot, but has not saved
/// its elements, or it would be shared. Only under a tape that has none around it, which might know x
/// under another slot.
template <class Row> Tensor in_storage_of(Tensor& x, const Tensor& a, const Tensor& b) {
  using Op = ops::BinaryOp<Row>;
  Tape* tape = detail::recorder->tape;
  if (tape && tape->parent()) return called<Row>(a, b);
  const std::array<detail::Node*, 2> in{a.node(), b.node()};
  std::array<std::int32_t, 2> slots{};
  const bool tracked = tape && detail::find_slots<Op>(*tape, in, slots);
  if (tracked && Op::saved() != ops::Saves::nothing) return called<Row>(a, b);
  const ops::Dense p(a), q(b);
  Tensor y = x;
  dispatch_floating(Op::info.name, y.dtype(), [&]<class T>(T) {
    kernels::binary<Row, T>(p.data<T>(), 1, q.data<T>(), 1, ops::data<T>(y), ops::count(y));
  });
  y.node()->generation = 0;
  if (tracked) detail::record_on(*tape, Op{}, in, slots, y.node());
  x = Tensor();
  return y;
}

template <class Row> Tensor of_left(Tensor& a, const Tensor& b) {
  return reusable(a, b) ? in_storage_of<Row>(a, a, b) : called<Row>(a, b);
}
template <class Row> Tensor of_right(const Tensor& a, Tensor& b) {
  return reusable(b, a) ? in_storage_of<Row>(b, a, b) : called<Row>(a, b);
}
template <class Row> Tensor of_either(Tensor& a, Tensor& b) {
  return reusable(a, b) ? in_storage_of<Row>(a, a, b) : of_right<Row>(a, b);
}

}  // namespace

Tensor operator+(Tensor&& a, const Tensor& b) { return of_left<ops::Add>(a, b); }
Tensor operator+(const Tensor& a, Tensor&& b) { return of_right<ops::Add>(a, b); }
Tensor operator+(Tensor&& a, Tensor&& b) { return of_either<ops::Add>(a, b); }
Tensor operator-(Tensor&& a, const Tensor& b) { return of_left<ops::Sub>(a, b); }
Tensor operator-(const Tensor& a, Tensor&& b) { return of_right<ops::Sub>(a, b); }
Tensor operator-(Tensor&& a, Tensor&& b) { return of_either<ops::Sub>(a, b); }
Tensor operator*(Tensor&& a, const Tensor& b) { return of_left<ops::Mul>(a, b); }
Tensor operator*(const Tensor& a, Tensor&& b) { return of_right<ops::Mul>(a, b); }
Tensor operator*(Tensor&& a, Tensor&& b) { return of_either<ops::Mul>(a, b); }
Tensor operator/(Tensor&& a, const Tensor& b) { return of_left<ops::Div>(a, b); }
Tensor operator/(const Tensor& a, Tensor&& b) { return of_right<ops::Div>(a, b); }
Tensor operator/(Tensor&& a, Tensor&& b) { return of_either<ops::Div>(a, b); }

Tensor pow(const Tensor& a, const Tensor& b) { return binary<ops::Pow>(a, b); }
Tensor maximum(const Tensor& a, const Tensor& b) { return binary<ops::Maximum>(a, b); }
Tensor minimum(const Tensor& a, const Tensor& b) { return binary<ops::Minimum>(a, b); }
Tensor max(const Tensor& a, const Tensor& b) { return binary<ops::Maximum>(a, b); }
Tensor min(const Tensor& a, const Tensor& b) { return binary<ops::Minimum>(a, b); }
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
  const DType dtype = result_type(a, b);
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
Tensor operator<(double a, const Tensor& b) { return b > a; }
Tensor operator<=(double a, const Tensor& b) { return b >= a; }
Tensor operator>(double a, const Tensor& b) { return b < a; }
Tensor operator>=(double a, const Tensor& b) { return b <= a; }
Tensor operator==(const Tensor& a, double b) { return a == constant(a, b); }
Tensor operator!=(const Tensor& a, double b) { return a != constant(a, b); }

Tensor where(const Tensor& c, const Tensor& a, const Tensor& b) {
  if (c.dtype() != boolean) {
    throw TypeError(std::string("where: the condition is ") + name(c.dtype()) +
                    "; need bool (a comparison, or to(c, boolean))");
  }
  const DType dtype = result_type(a, b);
  if (a.dtype() != b.dtype()) {  // throws before a conversion is recorded
    broadcast_shapes("where", c.shape(), broadcast_shapes("where", a.shape(), b.shape()));
  }
  const Tensor x = to(a, dtype), y = to(b, dtype);
  return apply(ops::Where{c, x.shape(), y.shape()}, x, y);
}
Tensor where(const Tensor& c, const Tensor& a, double b) { return where(c, a, constant(a, b)); }
Tensor where(const Tensor& c, double a, double b) {
  return where(c, full(Shape{}, a), full(Shape{}, b));
}
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
