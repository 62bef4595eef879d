// SPDX-License-Identifier: Apache-2.0
// Var: a differentiable scalar, and the expressions that it is assigned from.
//
// An expression holds its operands by value, {value, index, stamp}, and never refers to a variable:
// `auto e = a * b;` is safe to keep, and its derivative is that of the a and b it was made of.
// Assigning it to a Var records one statement, with the partial derivative by every operand.
// The functions and operators are in scalar_functions.hpp. Copy constructors are written out member by member: defaulted aggregate copies defeat GCC's scalar
// replacement and cost up to 2x.
//
// Threads: a Var belongs to the tape, and so to the thread, that recorded it.
#pragma once

#include <concepts>
#include <cstdint>
#include <type_traits>

#include "error.hpp"
#include "inline.hpp"
#include "ops/elementwise.hpp"
#include "recorder.hpp"
#include "scalar_functions.hpp"

namespace autograd {

class Var;
namespace detail {
struct ExpressionFamily;
}

/// Base of all expressions; being here it lets their operators and functions be found.
struct ExpressionBase : DifferentiableBase {
  using Family = detail::ExpressionFamily;
};

namespace detail {

template <class T> inline constexpr bool kAlwaysFalse = false;

// A number inside an expression.
struct Constant : ExpressionBase {
  static constexpr int kCount = 0;
  double value_;

  AUTOGRAD_INLINE explicit Constant(double value) : value_(value) {}
  AUTOGRAD_INLINE Constant(const Constant& o) : ExpressionBase(), value_(o.value_) {}
  Constant& operator=(const Constant&) = delete;
  AUTOGRAD_INLINE double value() const { return value_; }
  AUTOGRAD_INLINE Tag tags() const { return 0; }
  template <int> AUTOGRAD_INLINE void store(Entry*, double) const {}
  template <int> AUTOGRAD_INLINE void skip(Entry*) const {}
  AUTOGRAD_INLINE void store_tags(Tag*) const {}
};

// A variable as it was when the expression was made.
struct Leaf : ExpressionBase {
  static constexpr int kCount = 1;
  double value_;
  Tag tag_;

  AUTOGRAD_INLINE explicit Leaf(const Var& variable);
  AUTOGRAD_INLINE Leaf(const Leaf& o) : ExpressionBase(), value_(o.value_), tag_(o.tag_) {}
  Leaf& operator=(const Leaf&) = delete;
  AUTOGRAD_INLINE double value() const { return value_; }
  AUTOGRAD_INLINE Tag tags() const { return tag_; }
  template <int At> AUTOGRAD_INLINE void store(Entry* entries, double partial) const {
    entries[At].partial = partial;
    entries[At].index = index_of(tag_);
  }
  // Index 0 collects what nobody reads: the side of a where() that was not taken.
  template <int At> AUTOGRAD_INLINE void skip(Entry* entries) const {
    entries[At].partial = 0;
    entries[At].index = 0;
  }
  AUTOGRAD_INLINE void store_tags(Tag* tags) const { *tags = tag_; }
};

template <class T> struct OperandOf { using type = T; };
template <> struct OperandOf<Var> { using type = Leaf; };
template <Arithmetic T> struct OperandOf<T> { using type = Constant; };
template <class T> using Operand = typename OperandOf<T>::type;

// What cannot be done to an expression that is not a Var.
template <class T> constexpr void refuse_assignment() {
  static_assert(
      kAlwaysFalse<T>,
      "an expression kept with auto cannot be assigned to: write autograd::Var instead of "
      "auto for a variable that changes");
}

// Rows whose slope is often exactly zero.
template <class Row>
inline constexpr bool kVanishes =
    std::is_same_v<Row, ops::Mul> || std::is_same_v<Row, ops::Square> ||
    std::is_same_v<Row, ops::Pow> || std::is_same_v<Row, ops::Abs>;

// Stores the partials below an operand whose slope is given. Below a zero partial nothing is
// multiplied, as nothing is below a zero adjoint in the sweep: 0.0 * sqrt(x) at 0 has derivative 0 in
// one statement or in two. (Tested after every row it cost 0 to 14 % on four workloads of a noisy machine.) An operand that a row does
// not select is skipped, so that an infinite adjoint does not become NaN there.
template <class Row, int At, class A>
AUTOGRAD_INLINE void store_slope(const A& a, Entry* entries, double m, double slope) {
  if constexpr (Row::info.selects) {
    if (slope == 0) return a.template skip<At>(entries);
  }
  const double partial = m * slope;
  if constexpr (kVanishes<Row> && !std::is_same_v<A, Leaf>) {
    if (partial == 0) return a.template skip<At>(entries);
  }
  a.template store<At>(entries, partial);
}

// y = Row(a).
template <class Row, class A> struct Unary : ExpressionBase {
  static constexpr int kCount = A::kCount;
  static_assert(ops::UnaryRows::index_of<Row>() < ops::UnaryRows::size);
  A a_;
  double value_;

  template <class X>
  AUTOGRAD_INLINE explicit Unary(const X& a) : a_(a), value_(Row::value(a_.value())) {}
  AUTOGRAD_INLINE Unary(const Unary& o) : ExpressionBase(), a_(o.a_), value_(o.value_) {}
  void operator=(const Unary&) { refuse_assignment<Unary>(); }
  template <class T> void operator=(const T&) { refuse_assignment<T>(); }
  template <class T> void operator+=(const T&) { refuse_assignment<T>(); }
  AUTOGRAD_INLINE double value() const { return value_; }
  AUTOGRAD_INLINE Tag tags() const { return a_.tags(); }
  template <int At> AUTOGRAD_INLINE void store(Entry* entries, double m) const {
    store_slope<Row, At>(a_, entries, m, Row::slope(a_.value(), value_));
  }
  template <int At> AUTOGRAD_INLINE void skip(Entry* entries) const {
    a_.template skip<At>(entries);
  }
  AUTOGRAD_INLINE void store_tags(Tag* tags) const { a_.store_tags(tags); }
};

// y = Row(a, b).
template <class Row, class A, class B> struct Binary : ExpressionBase {
  static constexpr int kCount = A::kCount + B::kCount;
  static_assert(ops::BinaryRows::index_of<Row>() < ops::BinaryRows::size);
  A a_;
  B b_;
  double value_;

  template <class X, class Y>
  AUTOGRAD_INLINE Binary(const X& a, const Y& b)
      : a_(a), b_(b), value_(Row::value(a_.value(), b_.value())) {}
  AUTOGRAD_INLINE Binary(const Binary& o)
      : ExpressionBase(), a_(o.a_), b_(o.b_), value_(o.value_) {}
  void operator=(const Binary&) { refuse_assignment<Binary>(); }
  template <class T> void operator=(const T&) { refuse_assignment<T>(); }
  template <class T> void operator+=(const T&) { refuse_assignment<T>(); }
  AUTOGRAD_INLINE double value() const { return value_; }
  AUTOGRAD_INLINE Tag tags() const { return a_.tags() | b_.tags(); }
  template <int At> AUTOGRAD_INLINE void store(Entry* entries, double m) const {
    // The slope by a constant is not computed: log(a) of pow(a, 2.0) would be NaN for a < 0.
    if constexpr (A::kCount > 0) {
      store_slope<Row, At>(a_, entries, m, Row::slope_a(a_.value(), b_.value(), value_));
    }
    if constexpr (B::kCount > 0) {
      store_slope<Row, At + A::kCount>(b_, entries, m,
                                       Row::slope_b(a_.value(), b_.value(), value_));
    }
  }
  template <int At> AUTOGRAD_INLINE void skip(Entry* entries) const {
    a_.template skip<At>(entries);
    b_.template skip<At + A::kCount>(entries);
  }
  AUTOGRAD_INLINE void store_tags(Tag* tags) const {
    a_.store_tags(tags);
    b_.store_tags(tags + A::kCount);
  }
};

// y = c ? a : b. The side not taken is skipped, not multiplied by zero.
template <class A, class B> struct Select : ExpressionBase {
  static constexpr int kCount = A::kCount + B::kCount;
  bool condition_;
  A a_;
  B b_;

  template <class X, class Y>
  AUTOGRAD_INLINE Select(bool condition, const X& a, const Y& b)
      : condition_(condition), a_(a), b_(b) {}
  AUTOGRAD_INLINE Select(const Select& o)
      : ExpressionBase(), condition_(o.condition_), a_(o.a_), b_(o.b_) {}
  void operator=(const Select&) { refuse_assignment<Select>(); }
  template <class T> void operator=(const T&) { refuse_assignment<T>(); }
  template <class T> void operator+=(const T&) { refuse_assignment<T>(); }
  AUTOGRAD_INLINE double value() const { return condition_ ? a_.value() : b_.value(); }
  AUTOGRAD_INLINE Tag tags() const { return a_.tags() | b_.tags(); }
  template <int At> AUTOGRAD_INLINE void store(Entry* entries, double m) const {
    if (condition_) {
      a_.template store<At>(entries, m);
      b_.template skip<At + A::kCount>(entries);
    } else {
      a_.template skip<At>(entries);
      b_.template store<At + A::kCount>(entries, m);
    }
  }
  template <int At> AUTOGRAD_INLINE void skip(Entry* entries) const {
    a_.template skip<At>(entries);
    b_.template skip<At + A::kCount>(entries);
  }
  AUTOGRAD_INLINE void store_tags(Tag* tags) const {
    a_.store_tags(tags);
    b_.store_tags(tags + A::kCount);
  }
};

}  // namespace detail

/// A Var, or an expression of Vars that has not been assigned to one yet.
template <class E>
concept Expression = std::derived_from<std::remove_cvref_t<E>, ExpressionBase>;

namespace detail {

// How the functions of scalar_functions.hpp act on expressions.
struct ExpressionFamily {
  template <class Row, class A> static AUTOGRAD_INLINE auto apply(const A& a) {
    return Unary<Row, Operand<A>>(a);
  }
  template <class Row, class A, class B> static AUTOGRAD_INLINE auto apply(const A& a, const B& b) {
    return Binary<Row, Operand<A>, Operand<B>>(a, b);
  }
  template <class A, class B>
  static AUTOGRAD_INLINE auto select(bool condition, const A& a, const B& b) {
    return Select<Operand<A>, Operand<B>>(condition, a, b);
  }
  template <class A> static AUTOGRAD_INLINE auto same(const A& a) { return Operand<A>(a); }
};

}  // namespace detail

/// A differentiable scalar. Made of a number it is passive: a constant that no tape tracks. Made by
/// Tape::input it is an input; assigned from an expression it is recorded on the tape in scope, or
/// passive when there is none. 16 bytes.
class Var : public ExpressionBase {
 public:
  AUTOGRAD_INLINE Var() : Var(0.0) {}
  AUTOGRAD_INLINE Var(double value) : value_(value), tag_(detail::kPassive) {}
  // A copy shares the index; the statement behind it may no longer be extended.
  AUTOGRAD_INLINE Var(const Var& o) : ExpressionBase(), value_(o.value_), tag_(o.tag_) {
    detail::fusable = 0;
  }
  AUTOGRAD_INLINE Var& operator=(const Var& o) {
    value_ = o.value_;
    tag_ = o.tag_;
    detail::fusable = 0;
    return *this;
  }
  /// Records the expression. Throws TapeError for operands of another tape or a consumed recording.
  template <Expression E> AUTOGRAD_INLINE Var(const E& e) { record(e); }
  template <Expression E> AUTOGRAD_INLINE Var& operator=(const E& e) {
    record(e);
    return *this;
  }

  AUTOGRAD_INLINE double value() const { return value_; }

  /// dy/d(this) for what has been swept: accumulated over sweeps for an input, of the last retained
  /// sweep for other values. Throws TapeError, saying why, when no sweep has reached it.
  double grad() const;
  bool has_grad() const;

  /// The same as x = x + e; consecutive ones are recorded as one statement.
  template <class E>
  requires Expression<E> || Arithmetic<E> AUTOGRAD_INLINE Var& operator+=(const E& e) {
    return accumulate<ops::Add>(e, 1.0);
  }
  template <class E>
  requires Expression<E> || Arithmetic<E> AUTOGRAD_INLINE Var& operator-=(const E& e) {
    return accumulate<ops::Sub>(e, -1.0);
  }
  template <class E>
  requires Expression<E> || Arithmetic<E> AUTOGRAD_INLINE Var& operator*=(const E& e);
  template <class E>
  requires Expression<E> || Arithmetic<E> AUTOGRAD_INLINE Var& operator/=(const E& e);

  // Internal: position on the tape.
  AUTOGRAD_INLINE detail::Tag tag() const { return tag_; }
  AUTOGRAD_INLINE Var(double value, detail::Tag tag) : value_(value), tag_(tag) {}

 private:
  template <class E> AUTOGRAD_INLINE void record(const E& e);
  template <class E> AUTOGRAD_COLD static detail::Tag record_cold(const E& e);
  template <class Row, class E> AUTOGRAD_INLINE Var& accumulate(const E& e, double sign);

  double value_;
  detail::Tag tag_;
};

AUTOGRAD_INLINE detail::Leaf::Leaf(const Var& variable)
    : value_(variable.value()), tag_(variable.tag()) {
  if (tag_ == fusable) fusable = 0;
}

template <class E> AUTOGRAD_INLINE void Var::record(const E& e) {
  static_assert(E::kCount <= detail::kMaxArguments, "split this expression: too many variables");
  detail::Recorder& r = *detail::recorder;
  if (e.tags() & r.foreign) [[unlikely]] {
    const E copy(e);  // only the copy has an address: e and *this stay in registers
    tag_ = record_cold(copy);
    value_ = e.value();
    return;
  }
  if (!detail::has_room(r, E::kCount)) [[unlikely]]
    detail::grow(r);
  e.template store<0>(reinterpret_cast<detail::Entry*>(r.top), 1.0);
  r.top += E::kCount * sizeof(detail::Entry);
  *--r.counts = detail::Count{E::kCount};
  detail::fusable = tag_ = ++r.last;
  value_ = e.value();
}

template <class E> AUTOGRAD_COLD detail::Tag Var::record_cold(const E& e) {
  detail::Entry entries[E::kCount];
  detail::Tag tags[E::kCount];
  e.template store<0>(entries, 1.0);
  e.store_tags(tags);
  return detail::record_mixed(entries, tags, E::kCount);
}

template <class Row, class E> AUTOGRAD_INLINE Var& Var::accumulate(const E& e, double sign) {
  if constexpr (Arithmetic<E>) {
    value_ += sign * static_cast<double>(e);  // a constant changes no derivative: same statement
    return *this;
  } else {
    using Node = detail::Operand<E>;
    const Node node(e);  // a leaf of this variable ends fusion here, as it must
    detail::Recorder& r = *detail::recorder;
    if (tag_ == detail::fusable && !(node.tags() & r.foreign) &&
        static_cast<int>(*r.counts) + Node::kCount <= detail::kMaxArguments &&
        detail::has_room(r, Node::kCount)) {
      node.template store<0>(reinterpret_cast<detail::Entry*>(r.top), sign);
      r.top += Node::kCount * sizeof(detail::Entry);
      *r.counts = static_cast<detail::Count>(static_cast<int>(*r.counts) + Node::kCount);
      value_ += sign * node.value();
      return *this;
    }
    record(detail::Binary<Row, detail::Leaf, Node>(*this, node));
    return *this;
  }
}

template <class E>
requires Expression<E> || Arithmetic<E> AUTOGRAD_INLINE Var& Var::operator*=(const E& e) {
  record(*this * e);
  return *this;
}
template <class E>
requires Expression<E> || Arithmetic<E> AUTOGRAD_INLINE Var& Var::operator/=(const E& e) {
  record(*this / e);
  return *this;
}

}  // namespace autograd
