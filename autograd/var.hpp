// SPDX-License-Identifier: Apache-2.0
// Var: a differentiable scalar. Assigning an expression to it (expression.hpp) records one statement,
// with the partial derivative by every operand; functions and operators are in scalar_functions.hpp.
//
// Var is BasicVar<double>. The drivers record on tapes of their own over other types R of value and
// partial derivative, BasicVar<Dual<...>> and BasicVar<Var>, through the same code (tape_of.hpp).
//
// Threads: a Var belongs to the tape, and so to the thread, that recorded it.
#pragma once

#include <concepts>
#include <cstdint>
#include <type_traits>

#include "error.hpp"
#include "expression.hpp"
#include "inline.hpp"
#include "ops/elementwise.hpp"
#include "recorder.hpp"
#include "scalar_functions.hpp"

namespace autograd {

/// A Var, or an expression of Vars that has not been assigned to one yet.
template <class E>
concept Expression = std::derived_from<std::remove_cvref_t<E>, ExpressionOf<double>>;

namespace detail {

template <class E, class R>
concept ExpressionOver = std::derived_from<E, ExpressionOf<R>>;
/// What a BasicVar<R> takes as a constant.
template <class C, class R>
concept ConstantFor = Arithmetic<C> || kNests<BasicVar<R>, C>;

}  // namespace detail

/// A differentiable scalar. Made of a number it is passive: a constant that no tape tracks. Made by
/// Tape::input it is an input; assigned from an expression it is recorded on the tape in scope, or
/// passive when there is none. Var is 16 bytes.
template <class R> class BasicVar : public ExpressionOf<R> {
 public:
  AUTOGRAD_INLINE BasicVar() : BasicVar(0.0) {}
  AUTOGRAD_INLINE BasicVar(double value) : value_(value), tag_(detail::kPassive) {}
  /// A constant of an inner type.
  template <class C>
    requires(!Arithmetic<C> && detail::kNests<BasicVar, C>)
  AUTOGRAD_INLINE BasicVar(const C& value) : value_(value), tag_(detail::kPassive) {}
  // A copy shares the index; the statement behind it may no longer be extended.
  AUTOGRAD_INLINE BasicVar(const BasicVar& o) : ExpressionOf<R>(), value_(o.value_), tag_(o.tag_) {
    detail::fusable_of<R>() = 0;
  }
  AUTOGRAD_INLINE BasicVar& operator=(const BasicVar& o) {
    value_ = o.value_;
    tag_ = o.tag_;
    detail::fusable_of<R>() = 0;
    return *this;
  }
  /// Records the expression. Throws TapeError for operands of another tape or a consumed recording.
  template <detail::ExpressionOver<R> E> AUTOGRAD_INLINE BasicVar(const E& e) { record(e); }
  template <detail::ExpressionOver<R> E> AUTOGRAD_INLINE BasicVar& operator=(const E& e) {
    record(e);
    return *this;
  }

  AUTOGRAD_INLINE R value() const { return value_; }

  /// dy/d(this) for what has been swept: accumulated over sweeps for an input, of the last retained
  /// sweep for other values. Throws TapeError, saying why, when no sweep has reached it. Var only.
  R grad() const;
  bool has_grad() const;

  /// The same as x = x + e; consecutive ones are recorded as one statement.
  template <class E>
  requires detail::ExpressionOver<E, R> || detail::ConstantFor<E, R> AUTOGRAD_INLINE BasicVar&
  operator+=(const E& e) {
    return accumulate<ops::Add>(e, 1.0);
  }
  template <class E>
  requires detail::ExpressionOver<E, R> || detail::ConstantFor<E, R> AUTOGRAD_INLINE BasicVar&
  operator-=(const E& e) {
    return accumulate<ops::Sub>(e, -1.0);
  }
  template <class E>
  requires detail::ExpressionOver<E, R> || detail::ConstantFor<E, R> AUTOGRAD_INLINE BasicVar&
  operator*=(const E& e) {
    record<false>(*this * e);  // y *= y is rare
    return *this;
  }
  template <class E>
  requires detail::ExpressionOver<E, R> || detail::ConstantFor<E, R> AUTOGRAD_INLINE BasicVar&
  operator/=(const E& e) {
    record(*this / e);
    return *this;
  }

  // Internal: position on the tape.
  AUTOGRAD_INLINE detail::Tag tag() const { return tag_; }
  AUTOGRAD_INLINE BasicVar(const R& value, detail::Tag tag) : value_(value), tag_(tag) {}

 private:
  template <bool Join = true, class E> AUTOGRAD_INLINE void record(const E& e);
  template <class E>
  AUTOGRAD_COLD static detail::Tag record_cold(const E& e) noexcept(std::same_as<R, double>);
  template <class Row, class E> AUTOGRAD_INLINE BasicVar& accumulate(const E& e, double sign);

  R value_;
  detail::Tag tag_;
};

using Var = BasicVar<double>;
template <> double Var::grad() const;  // in tape.hpp
template <> bool Var::has_grad() const;

template <class R>
template <bool Join, class E>
AUTOGRAD_INLINE void BasicVar<R>::record(const E& e) {
  static_assert(E::kCount <= detail::kMaxArguments, "split this expression: too many variables");
  // Every path from here sets `fusable`, the cold ones before they call anything: what the operands wrote
  // to it is never read, so that the compiler leaves out their tests of it.
  detail::Recorder& r = detail::recorder_of<R>();
  if (e.tags() & r.foreign && !detail::takes_constants<R>(e.tags(), r.foreign)) [[unlikely]] {
    detail::fusable_of<R>() = 0;
    const E copy(e);  // only the copy has an address: e and *this stay in registers
    const detail::Tag tag = record_cold(copy);
    if (tag == detail::kFailed) [[unlikely]]
      detail::throw_failure();
    tag_ = tag;
    value_ = e.value();
    return;
  }
  if (!detail::has_room<R>(r, E::kCount)) [[unlikely]] {
    detail::fusable_of<R>() = 0;
    if constexpr (std::same_as<R, double>) {
      if (!detail::grow(r)) detail::throw_failure();
    } else {
      detail::grow_of<R>(r);
    }
  }
  e.template store<0, Join>(reinterpret_cast<detail::BasicEntry<R>*>(r.top), 1.0);
  const int count = E::kCount - (Join ? e.joined() : 0);
  r.top += static_cast<std::size_t>(count) * sizeof(detail::BasicEntry<R>);
  *--r.counts = static_cast<detail::Count>(count);
  detail::fusable_of<R>() = tag_ = ++r.last;
  value_ = e.value();
}

template <class R>
template <class E>
AUTOGRAD_COLD detail::Tag BasicVar<R>::record_cold(const E& e) noexcept(std::same_as<R, double>) {
  detail::BasicEntry<R> entries[E::kCount];
  detail::Tag tags[E::kCount];
  e.template store<0, false>(entries, 1.0);
  e.store_tags(tags);
  if constexpr (std::same_as<R, double>) {
    return detail::record_mixed(entries, tags, E::kCount);
  } else {
    return detail::record_mixed_of<R>(entries, tags, E::kCount);
  }
}

template <class R>
template <class Row, class E>
AUTOGRAD_INLINE BasicVar<R>& BasicVar<R>::accumulate(const E& e, double sign) {
  if constexpr (Arithmetic<E>) {
    value_ += sign * static_cast<double>(e);  // a constant changes no derivative: same statement
    return *this;
  } else if constexpr (!detail::ExpressionOver<E, R>) {
    value_ += sign * R(e);
    return *this;
  } else {
    using Node = detail::Operand<R, E>;
    const Node node(e);  // a leaf of this variable ends fusion here, as it must
    detail::Recorder& r = detail::recorder_of<R>();
    if (tag_ == detail::fusable_of<R>() && !(node.tags() & r.foreign) &&
        static_cast<int>(*r.counts) + Node::kCount <= detail::kMaxArguments &&
        detail::has_room<R>(r, Node::kCount)) {
      node.template store<0, false>(reinterpret_cast<detail::BasicEntry<R>*>(r.top), sign);
      r.top += Node::kCount * sizeof(detail::BasicEntry<R>);
      *r.counts = static_cast<detail::Count>(static_cast<int>(*r.counts) + Node::kCount);
      value_ += sign * node.value();
      return *this;
    }
    record(detail::Binary<Row, R, detail::Leaf<R>, Node>(*this, node));
    return *this;
  }
}

/// c, in the type of the first argument; rows use it for constants.
template <class R> AUTOGRAD_INLINE BasicVar<R> constant(const BasicVar<R>&, double c) {
  return BasicVar<R>(c);
}

}  // namespace autograd
