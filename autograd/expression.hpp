// SPDX-License-Identifier: Apache-2.0
// Expressions of differentiable scalars, before they are assigned to one. Internal; included by var.hpp.
//
// An expression holds its operands by value, {value, index, stamp}, and never refers to a variable:
// `auto e = a * b;` is safe to keep, and its derivative is that of the a and b it was made of. Copy
// constructors are written out member by member: defaulted aggregate copies defeat GCC's scalar
// replacement and cost up to 2x.
//
// R is the type of values and partial derivatives: double for Var, a Dual for forward over reverse,
// and a BasicVar again for reverse over reverse. `store` writes m times the partial derivative by
// each variable; m is a plain double for as long as nothing but constants was met, because the zero
// tangents of a constant R are not folded away by the compiler.
#pragma once

#include <concepts>
#include <type_traits>

#include "inline.hpp"
#include "ops/elementwise.hpp"
#include "recorder.hpp"
#include "scalar_functions.hpp"

namespace autograd {

template <class R> class BasicVar;
template <int N, class T, class Level> class Dual;
namespace detail {
template <class R> struct ExpressionFamily;

// True when nothing can come of a partial derivative or an adjoint, not even a derivative. The others
// are in statement_sweep.hpp.
AUTOGRAD_INLINE bool is_zero(double a) { return a == 0; }
template <class R> AUTOGRAD_INLINE bool is_zero(const BasicVar<R>& a);
template <int N, class T, class L> AUTOGRAD_INLINE bool is_zero(const Dual<N, T, L>& a);
}  // namespace detail

/// Base of all expressions over R; being here it lets their operators and functions be found.
template <class R> struct ExpressionOf : DifferentiableBase {
  using Family = detail::ExpressionFamily<R>;
  using Value = R;
  using Assigned = BasicVar<R>;
};

namespace detail {

template <class T> inline constexpr bool kAlwaysFalse = false;

// The row's value; operands of an R other than double may be numbers among R.
template <class Row, class R, class... A> AUTOGRAD_INLINE R value_of_row(const A&... args) {
  if constexpr (std::same_as<R, double>) {
    return Row::value(args...);
  } else {
    return R(R::Family::template apply<Row>(args...));
  }
}

// A constant times a partial derivative: nothing at all for 1, as products of Duals are not.
template <int N, class T, class L>
AUTOGRAD_INLINE Dual<N, T, L> scaled_by(double m, const Dual<N, T, L>& slope);
template <class R> AUTOGRAD_INLINE BasicVar<R> scaled_by(double m, const BasicVar<R>& slope);

// a times b: a double while both are.
template <class R, class A, class B> AUTOGRAD_INLINE auto times(const A& a, const B& b) {
  if constexpr (std::same_as<A, double> && std::same_as<B, double>) {
    return a * b;
  } else if constexpr (std::same_as<A, double>) {
    return scaled_by(a, b);
  } else if constexpr (std::same_as<B, double>) {
    return scaled_by(b, a);
  } else {
    return R(R::Family::template apply<ops::Mul>(a, b));
  }
}

// The slopes of a row by its operands: a double where they are a number, else an R.
template <class Row>
inline constexpr bool kConstantSlope = Row::info.reads == Reads::nothing && !Row::info.selects;

template <class Row, class R, class A> AUTOGRAD_INLINE auto slope_of(const A& a, const R& y) {
  if constexpr (std::same_as<R, double>) {
    return Row::slope(a, y);
  } else if constexpr (kConstantSlope<Row>) {
    return Row::slope(0.0, 0.0);
  } else {
    return R(Row::slope(R(a), y));
  }
}
template <class Row, class R, class A, class B>
AUTOGRAD_INLINE auto slope_of_a(const A& a, const B& b, const R& y) {
  if constexpr (std::same_as<R, double>) {
    return Row::slope_a(a, b, y);
  } else if constexpr (kConstantSlope<Row>) {
    return Row::slope_a(0.0, 0.0, 0.0);
  } else if constexpr (std::same_as<Row, ops::Mul>) {
    return b;
  } else if constexpr (std::same_as<Row, ops::Div> && std::same_as<B, double>) {
    return 1.0 / b;
  } else {
    return R(Row::slope_a(R(a), R(b), y));
  }
}
template <class Row, class R, class A, class B>
AUTOGRAD_INLINE auto slope_of_b(const A& a, const B& b, const R& y) {
  if constexpr (std::same_as<R, double>) {
    return Row::slope_b(a, b, y);
  } else if constexpr (kConstantSlope<Row>) {
    return Row::slope_b(0.0, 0.0, 0.0);
  } else if constexpr (std::same_as<Row, ops::Mul>) {
    return a;
  } else {
    return R(Row::slope_b(R(a), R(b), y));
  }
}

// Rows whose slope is often exactly zero.
template <class Row>
inline constexpr bool kVanishes =
    std::is_same_v<Row, ops::Mul> || std::is_same_v<Row, ops::Square> ||
    std::is_same_v<Row, ops::Pow> || std::is_same_v<Row, ops::Abs>;
template <class A> inline constexpr bool kIsLeaf = false;

// Stores the partials below an operand whose slope is given. Below a zero partial nothing is
// multiplied, as nothing is below a zero adjoint in the sweep: 0.0 * sqrt(x) at 0 has derivative 0 in
// one statement or in two. (Tested after every row it would cost 5 to 10 %.) An operand that a row does
// not select is skipped, so that an infinite adjoint does not become NaN there.
template <class Row, int At, bool Join, class R, class A, class M, class S>
AUTOGRAD_INLINE void store_slope(const A& a, BasicEntry<R>* entries, const M& m, const S& slope) {
  if constexpr (Row::info.selects) {
    if (plain_value(slope) == 0) return a.template skip<At>(entries);
  }
  const auto partial = times<R>(m, slope);
  if constexpr (kVanishes<Row> && !kIsLeaf<A>) {
    if (is_zero(partial)) return a.template skip<At>(entries);
  }
  a.template store<At, Join>(entries, partial);
}

// A constant inside an expression over R: a number (C = double), or a value of a type inside R (C = R).
template <class R, class C> struct Constant : ExpressionOf<R> {
  static constexpr int kCount = 0;
  C value_;

  AUTOGRAD_INLINE explicit Constant(const C& value) : value_(value) {}
  AUTOGRAD_INLINE Constant(const Constant& o) : ExpressionOf<R>(), value_(o.value_) {}
  Constant& operator=(const Constant&) = delete;
  AUTOGRAD_INLINE C value() const { return value_; }
  AUTOGRAD_INLINE Tag tags() const { return 0; }
  AUTOGRAD_INLINE int joined() const { return 0; }
  template <int, bool, class M> AUTOGRAD_INLINE void store(BasicEntry<R>*, const M&) const {}
  template <int> AUTOGRAD_INLINE void skip(BasicEntry<R>*) const {}
  AUTOGRAD_INLINE void store_tags(Tag*) const {}
};

// A variable as it was when the expression was made.
template <class R> struct Leaf : ExpressionOf<R> {
  static constexpr int kCount = 1;
  R value_;
  Tag tag_;

  AUTOGRAD_INLINE explicit Leaf(const BasicVar<R>& variable)
      : value_(variable.value()), tag_(variable.tag()) {
    if (tag_ == fusable_of<R>()) fusable_of<R>() = 0;
  }
  AUTOGRAD_INLINE Leaf(const Leaf& o) : ExpressionOf<R>(), value_(o.value_), tag_(o.tag_) {}
  Leaf& operator=(const Leaf&) = delete;
  AUTOGRAD_INLINE R value() const { return value_; }
  AUTOGRAD_INLINE Tag tags() const { return tag_; }
  AUTOGRAD_INLINE int joined() const { return 0; }
  template <class M> AUTOGRAD_INLINE M partial(const M& m) const { return m; }
  template <int At, bool, class M>
  AUTOGRAD_INLINE void store(BasicEntry<R>* entries, const M& partial) const {
    entries[At].set(partial);
    entries[At].index = index_of(tag_);
  }
  // Index 0 collects what nobody reads: the side of a where() that was not taken.
  template <int At> AUTOGRAD_INLINE void skip(BasicEntry<R>* entries) const {
    entries[At].set(0.0);
    entries[At].index = 0;
  }
  AUTOGRAD_INLINE void store_tags(Tag* tags) const { *tags = tag_; }
};

template <class R> inline constexpr bool kIsLeaf<Leaf<R>> = true;

// A variable times numbers: its partial(m) is m times the derivative by the variable.
template <class A> inline constexpr bool kIsScaledLeaf = kIsLeaf<A>;

template <class R, class T> struct OperandOf { using type = Constant<R, R>; };
template <class R, class T>
  requires std::derived_from<T, ExpressionOf<R>>
struct OperandOf<R, T> {
  using type = T;
};
template <class R> struct OperandOf<R, BasicVar<R>> { using type = Leaf<R>; };
template <class R, Arithmetic T> struct OperandOf<R, T> { using type = Constant<R, double>; };
template <class R, class T> using Operand = typename OperandOf<R, T>::type;

// What cannot be done to an expression that is not a Var.
template <class T> constexpr void refuse_assignment() {
  static_assert(
      kAlwaysFalse<T>,
      "an expression kept with auto cannot be assigned to: write autograd::Var instead of "
      "auto for a variable that changes");
}

// y = Row(a).
template <class Row, class R, class A> struct Unary : ExpressionOf<R> {
  static constexpr int kCount = A::kCount;
  static_assert(ops::UnaryRows::index_of<Row>() < ops::UnaryRows::size);
  A a_;
  R value_;

  template <class X>
  AUTOGRAD_INLINE explicit Unary(const X& a) : a_(a), value_(value_of_row<Row, R>(a_.value())) {}
  AUTOGRAD_INLINE Unary(const Unary& o) : ExpressionOf<R>(), a_(o.a_), value_(o.value_) {}
  void operator=(const Unary&) { refuse_assignment<Unary>(); }
  template <class T> void operator=(const T&) { refuse_assignment<T>(); }
  template <class T> void operator+=(const T&) { refuse_assignment<T>(); }
  AUTOGRAD_INLINE R value() const { return value_; }
  AUTOGRAD_INLINE Tag tags() const { return a_.tags(); }
  AUTOGRAD_INLINE int joined() const { return a_.joined(); }
  template <int At, bool Join, class M>
  AUTOGRAD_INLINE void store(BasicEntry<R>* entries, const M& m) const {
    store_slope<Row, At, Join>(a_, entries, m, slope_of<Row, R>(a_.value(), value_));
  }
  template <int At> AUTOGRAD_INLINE void skip(BasicEntry<R>* entries) const {
    a_.template skip<At>(entries);
  }
  AUTOGRAD_INLINE void store_tags(Tag* tags) const { a_.store_tags(tags); }
};

// y = row(a), for a row with parameters.
template <class Row, class R, class A> struct UnaryWith : ExpressionOf<R> {
  static constexpr int kCount = A::kCount;
  static_assert(ops::UnaryRows::index_of<Row>() < ops::UnaryRows::size);
  Row row_;
  A a_;
  R value_;

  template <class X>
  AUTOGRAD_INLINE UnaryWith(const Row& row, const X& a) : row_(row), a_(a), value_(value_of()) {}
  AUTOGRAD_INLINE UnaryWith(const UnaryWith& o)
      : ExpressionOf<R>(), row_(o.row_), a_(o.a_), value_(o.value_) {}
  void operator=(const UnaryWith&) { refuse_assignment<UnaryWith>(); }
  template <class T> void operator=(const T&) { refuse_assignment<T>(); }
  template <class T> void operator+=(const T&) { refuse_assignment<T>(); }
  AUTOGRAD_INLINE R value() const { return value_; }
  AUTOGRAD_INLINE Tag tags() const { return a_.tags(); }
  AUTOGRAD_INLINE int joined() const { return a_.joined(); }
  template <int At, bool Join, class M>
  AUTOGRAD_INLINE void store(BasicEntry<R>* entries, const M& m) const {
    store_slope<Row, At, Join>(a_, entries, m, R(row_.slope(R(a_.value()), value_)));
  }
  template <int At> AUTOGRAD_INLINE void skip(BasicEntry<R>* entries) const {
    a_.template skip<At>(entries);
  }
  AUTOGRAD_INLINE void store_tags(Tag* tags) const { a_.store_tags(tags); }

 private:
  AUTOGRAD_INLINE R value_of() const {
    if constexpr (std::same_as<R, double>) {
      return row_.value(a_.value());
    } else {
      return R(R::Family::apply_with(row_, a_.value()));
    }
  }
};

// y = Row(a, b).
template <class Row, class R, class A, class B> struct Binary : ExpressionOf<R> {
  static constexpr int kCount = A::kCount + B::kCount;
  // x * x, 3.0 * x * x: one entry when both are the same variable.
  static constexpr bool kSquare = std::same_as<R, double> && std::same_as<Row, ops::Mul> &&
                                  kIsScaledLeaf<A> && kIsScaledLeaf<B>;
  static_assert(ops::BinaryRows::index_of<Row>() < ops::BinaryRows::size);
  A a_;
  B b_;
  R value_;

  template <class X, class Y>
  AUTOGRAD_INLINE Binary(const X& a, const Y& b)
      : a_(a), b_(b), value_(value_of_row<Row, R>(a_.value(), b_.value())) {}
  AUTOGRAD_INLINE Binary(const Binary& o)
      : ExpressionOf<R>(), a_(o.a_), b_(o.b_), value_(o.value_) {}
  void operator=(const Binary&) { refuse_assignment<Binary>(); }
  template <class T> void operator=(const T&) { refuse_assignment<T>(); }
  template <class T> void operator+=(const T&) { refuse_assignment<T>(); }
  AUTOGRAD_INLINE R value() const { return value_; }
  AUTOGRAD_INLINE Tag tags() const { return a_.tags() | b_.tags(); }
  AUTOGRAD_INLINE int joined() const {
    if constexpr (kSquare) {
      return a_.tags() == b_.tags();
    } else {
      return a_.joined() + b_.joined();
    }
  }
  // Of a scaled leaf.
  template <class M> AUTOGRAD_INLINE M partial(const M& m) const {
    if constexpr (A::kCount > 0) {
      return a_.partial(m * b_.value());
    } else {
      return b_.partial(m * a_.value());
    }
  }
  template <int At, bool Join, class M>
  AUTOGRAD_INLINE void store(BasicEntry<R>* entries, const M& m) const {
    if constexpr (Join && kSquare) {
      // Of equal variables, not of equal values: y = x, y += 1.0 is the same variable still.
      if (a_.tags() == b_.tags()) {
        entries[At].set(a_.partial(m * b_.value()) + b_.partial(m * a_.value()));
        entries[At].index = index_of(a_.tags());
        return;
      }
    }
    // The slope by a constant is not computed: log(a) of pow(a, 2.0) would be NaN for a < 0.
    if constexpr (A::kCount > 0) {
      store_slope<Row, At, Join>(a_, entries, m,
                                 slope_of_a<Row, R>(a_.value(), b_.value(), value_));
    }
    if constexpr (B::kCount > 0) {
      store_slope<Row, At + A::kCount, Join>(b_, behind<Join>(entries), m,
                                             slope_of_b<Row, R>(a_.value(), b_.value(), value_));
    }
  }
  template <int At> AUTOGRAD_INLINE void skip(BasicEntry<R>* entries) const {
    a_.template skip<At>(entries);
    b_.template skip<At + A::kCount>(entries);
  }
  AUTOGRAD_INLINE void store_tags(Tag* tags) const {
    a_.store_tags(tags);
    b_.store_tags(tags + A::kCount);
  }

 private:
  // Where b's entries count from: a may have fewer than A::kCount.
  template <bool Join> AUTOGRAD_INLINE BasicEntry<R>* behind(BasicEntry<R>* entries) const {
    if constexpr (Join && !kSquare) {
      return entries - a_.joined();
    } else {
      return entries;
    }
  }
};
template <class R, class A, class C>
inline constexpr bool kIsScaledLeaf<Binary<ops::Mul, R, A, Constant<R, C>>> = kIsScaledLeaf<A>;
template <class R, class A, class C>
inline constexpr bool kIsScaledLeaf<Binary<ops::Mul, R, Constant<R, C>, A>> = kIsScaledLeaf<A>;

// y = c ? a : b. The side not taken is skipped, not multiplied by zero.
template <class R, class A, class B> struct Select : ExpressionOf<R> {
  static constexpr int kCount = A::kCount + B::kCount;
  bool condition_;
  A a_;
  B b_;

  template <class X, class Y>
  AUTOGRAD_INLINE Select(bool condition, const X& a, const Y& b)
      : condition_(condition), a_(a), b_(b) {}
  AUTOGRAD_INLINE Select(const Select& o)
      : ExpressionOf<R>(), condition_(o.condition_), a_(o.a_), b_(o.b_) {}
  void operator=(const Select&) { refuse_assignment<Select>(); }
  template <class T> void operator=(const T&) { refuse_assignment<T>(); }
  template <class T> void operator+=(const T&) { refuse_assignment<T>(); }
  AUTOGRAD_INLINE R value() const { return condition_ ? R(a_.value()) : R(b_.value()); }
  AUTOGRAD_INLINE Tag tags() const { return a_.tags() | b_.tags(); }
  AUTOGRAD_INLINE int joined() const { return a_.joined() + b_.joined(); }
  template <int At, bool Join, class M>
  AUTOGRAD_INLINE void store(BasicEntry<R>* entries, const M& m) const {
    BasicEntry<R>* behind = Join ? entries - a_.joined() : entries;
    if (condition_) {
      a_.template store<At, Join>(entries, m);
      b_.template skip<At + A::kCount>(behind);
    } else {
      a_.template skip<At>(entries);
      b_.template store<At + A::kCount, Join>(behind, m);
    }
  }
  template <int At> AUTOGRAD_INLINE void skip(BasicEntry<R>* entries) const {
    a_.template skip<At>(entries);
    b_.template skip<At + A::kCount>(entries);
  }
  AUTOGRAD_INLINE void store_tags(Tag* tags) const {
    a_.store_tags(tags);
    b_.store_tags(tags + A::kCount);
  }
};

// How the functions of scalar_functions.hpp act on expressions over R.
template <class R> struct ExpressionFamily {
  template <class Row, class A> static AUTOGRAD_INLINE auto apply(const A& a) {
    return Unary<Row, R, Operand<R, A>>(a);
  }
  template <class Row, class A, class B> static AUTOGRAD_INLINE auto apply(const A& a, const B& b) {
    return Binary<Row, R, Operand<R, A>, Operand<R, B>>(a, b);
  }
  template <class Row, class A> static AUTOGRAD_INLINE auto apply_with(const Row& row, const A& a) {
    return UnaryWith<Row, R, Operand<R, A>>(row, a);
  }
  template <class A, class B>
  static AUTOGRAD_INLINE auto select(bool condition, const A& a, const B& b) {
    return Select<R, Operand<R, A>, Operand<R, B>>(condition, a, b);
  }
  template <class A> static AUTOGRAD_INLINE auto same(const A& a) { return Operand<R, A>(a); }
};

}  // namespace detail
}  // namespace autograd
