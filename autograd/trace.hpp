// SPDX-License-Identifier: Apache-2.0
// Traced: a scalar that notes which values it was computed from and where it enters nonlinearly, for
// the sparsity pattern of a Hessian. Internal; used by sparse.hpp.
//
// One node for each operation of two variables or with curvature; sums with constants and multiples
// depend on what their operand depends on and need none. Which side of a branch or of where() was
// taken, and so the pattern, belongs to the point of evaluation.
// Threads: a trace belongs to the thread that made it.
#pragma once

#include <concepts>
#include <cstdint>

#include "dual.hpp"
#include "inline.hpp"
#include "ops/elementwise.hpp"
#include "scalar_functions.hpp"
#include "tape_storage.hpp"

namespace autograd::detail {

/// The nodes of one evaluation: inputs are 1 to n, 0 is a constant.
class Trace {
 public:
  struct Node {
    std::int32_t a, b;        // b is 0 for one operand
    std::uint32_t curvature;  // second derivatives other than zero: 1 aa, 2 ab, 4 bb
  };

  Trace() : outer_(current) { current = this; }
  ~Trace() { stop(); }
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;
  void stop() {
    if (current == this) current = outer_;
  }

  std::int32_t input() { return add(0, 0, 0); }
  AUTOGRAD_INLINE std::int32_t add(std::int32_t a, std::int32_t b, std::uint32_t curvature) {
    nodes_.push_back({a, b, curvature});
    return static_cast<std::int32_t>(nodes_.size());
  }
  const Node& operator[](std::int32_t i) const { return nodes_[static_cast<std::size_t>(i - 1)]; }
  std::int32_t size() const { return static_cast<std::int32_t>(nodes_.size()); }

  static constinit inline thread_local Trace* current = nullptr;

 private:
  Trace* outer_;
  Pile<Node> nodes_;
};

// Rows whose slopes are constant, or constant piece by piece. For what is not named here curvature is
// assumed, which costs a sweep and never an entry.
template <class Row>
inline constexpr bool kStraight =
    Row::info.reads == Reads::nothing || std::same_as<Row, ops::Abs> ||
    std::same_as<Row, ops::Relu> || std::same_as<Row, ops::LeakyRelu> ||
    std::same_as<Row, ops::Maximum> || std::same_as<Row, ops::Minimum> ||
    std::same_as<Row, ops::Fmax> || std::same_as<Row, ops::Fmin> || std::same_as<Row, ops::Fdim>;

struct TraceFamily;

class Traced : public DifferentiableBase {
 public:
  using Family = TraceFamily;

  AUTOGRAD_INLINE Traced() : Traced(0.0) {}
  AUTOGRAD_INLINE Traced(double value) : Traced(value, 0) {}
  AUTOGRAD_INLINE Traced(double value, std::int32_t node) : value_(value), node_(node) {}
  AUTOGRAD_INLINE double value() const { return value_; }
  AUTOGRAD_INLINE std::int32_t node() const { return node_; }

  template <class B> AUTOGRAD_INLINE Traced& operator+=(const B& b) { return *this = *this + b; }
  template <class B> AUTOGRAD_INLINE Traced& operator-=(const B& b) { return *this = *this - b; }
  template <class B> AUTOGRAD_INLINE Traced& operator*=(const B& b) { return *this = *this * b; }
  template <class B> AUTOGRAD_INLINE Traced& operator/=(const B& b) { return *this = *this / b; }

 private:
  double value_;
  std::int32_t node_;
};

struct TraceFamily {
  template <class Row, class A> static AUTOGRAD_INLINE Traced apply(const A& a) {
    static_assert(ops::UnaryRows::index_of<Row>() < ops::UnaryRows::size);
    return {Row::value(a.value()), curved<kStraight<Row>>(a.node())};
  }
  template <class Row> static AUTOGRAD_INLINE Traced apply_with(const Row& row, const Traced& a) {
    static_assert(ops::UnaryRows::index_of<Row>() < ops::UnaryRows::size);
    return {row.value(a.value()), curved<kStraight<Row>>(a.node())};
  }
  template <class Row, class A, class B>
  static AUTOGRAD_INLINE Traced apply(const A& a, const B& b) {
    static_assert(ops::BinaryRows::index_of<Row>() < ops::BinaryRows::size);
    const double y = Row::value(plain_value(a), plain_value(b));
    constexpr bool kProduct = std::same_as<Row, ops::Mul>;
    constexpr bool kQuotient = std::same_as<Row, ops::Div>;
    const std::int32_t i = node_of(a), j = node_of(b);
    if (j == 0) return {y, curved < kStraight<Row> || kProduct || kQuotient > (i)};
    if (i == 0) return {y, curved < kStraight<Row> || kProduct > (j)};
    if (i == j) return {y, curved<kStraight<Row>>(i)};
    constexpr std::uint32_t kCurvature = kStraight<Row> ? 0 : kProduct ? 2 : kQuotient ? 6 : 7;
    return {y, Trace::current->add(i, j, kCurvature)};
  }
  template <class A, class B>
  static AUTOGRAD_INLINE Traced select(bool condition, const A& a, const B& b) {
    return condition ? Traced(a) : Traced(b);
  }
  static AUTOGRAD_INLINE Traced same(const Traced& a) { return a; }

 private:
  static AUTOGRAD_INLINE std::int32_t node_of(const Traced& a) { return a.node(); }
  static AUTOGRAD_INLINE std::int32_t node_of(double) { return 0; }
  template <bool straight> static AUTOGRAD_INLINE std::int32_t curved(std::int32_t a) {
    if constexpr (straight) {
      return a;
    } else {
      return a == 0 ? 0 : Trace::current->add(a, 0, 1);
    }
  }
};

}  // namespace autograd::detail
