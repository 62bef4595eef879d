// SPDX-License-Identifier: Apache-2.0
// Forward mode: Dual, a value and its derivatives along N directions that are fixed when it compiles.
// The rows of ops/elementwise.hpp give value and slope, through the functions and operators of
// scalar_functions.hpp, as for Var; here a slope is multiplied into the tangents at once, and no tape
// is needed. T may be a Dual itself: each level gives one more order of derivatives.
//
// A zero tangent stays zero whatever the slope is, so that the side of a where() that was not taken
// and sqrt at 0 leak no NaN. Numbers, and values of the inner type, carry no tangent.
// Threads: a Dual is a plain value.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstring>
#include <type_traits>
#include <utility>

#include "inline.hpp"
#include "ops/elementwise.hpp"
#include "scalar_functions.hpp"

namespace autograd {

/// Level tells derivatives of different origin apart: the drivers put the type of their function there,
/// and Duals of different levels do not mix.
template <int N, class T = double, class Level = void> class Dual;

template <class R> class BasicVar;

namespace detail {

template <int N, class T, class Level> struct DualFamily;

// 16 bytes of tangents, which every x86-64 has registers for. An array of numbers in their place
// makes GCC 12 compare and select them one by one: 1.4 to 2.9 times slower for N = 4 and 8 (-O2).
template <class T> struct PackOf;
template <> struct PackOf<double> {
  typedef double type __attribute__((vector_size(16), aligned(8)));
};
template <> struct PackOf<float> {
  typedef float type __attribute__((vector_size(16), aligned(4)));
};
template <class T, int N>
concept Packed = std::floating_point<T> &&(N > 1);

// Of Vars, for forward mode inside reverse mode: defined in statement_sweep.hpp.
template <class R> BasicVar<R> along(const BasicVar<R>& tangent, const BasicVar<R>& slope);
template <class R> BasicVar<R> scaled(const BasicVar<R>& tangent, double slope);
// A tangent times a slope: zero where the tangent is. Of nested tangents every component counts.
template <std::floating_point T> AUTOGRAD_INLINE T along(T tangent, T slope) {
  const T product = tangent * slope;
  return tangent == T(0) ? T(0) : product;
}
template <int N, class T, class L>
AUTOGRAD_INLINE Dual<N, T, L> along(const Dual<N, T, L>& tangent, const Dual<N, T, L>& slope) {
  return {along(tangent.value(), slope.value()),
          along(tangent.tangents(), slope.value()) + along(tangent.value(), slope.tangents())};
}
// The same for a finite constant.
template <std::floating_point T> AUTOGRAD_INLINE T scaled(T tangent, double slope) {
  return tangent * static_cast<T>(slope);
}
template <int N, class T, class L>
AUTOGRAD_INLINE Dual<N, T, L> scaled(const Dual<N, T, L>& tangent, double slope) {
  return {scaled(tangent.value(), slope), scaled(tangent.tangents(), slope)};
}

// Copied whole, as structures are, the parts of a Dual would be read in other pieces than they were
// written in, and wait for the store buffer each time (3x in the sweep of a Hessian).
template <class P> AUTOGRAD_INLINE void store_part(std::byte* to, const P& part) {
  if constexpr (requires { part.store(to); }) {
    part.store(to);
  } else {
    std::memcpy(to, static_cast<const void*>(&part), sizeof part);
  }
}
template <class P> AUTOGRAD_INLINE P load_part(const std::byte* from) {
  if constexpr (requires { P::load(from); }) {
    return P::load(from);
  } else {
    P part;
    std::memcpy(static_cast<void*>(&part), from, sizeof part);
    return part;
  }
}

/// The N tangents of a Dual. Every loop over them is written out by an index pack: with constant
/// indices GCC keeps them in registers.
template <int N, class T> class Tangents {
  using Part = T;
  static constexpr int kCount = N, kPartBytes = sizeof(T);
  template <class F, int... I>
  AUTOGRAD_INLINE Tangents(F&& f, std::integer_sequence<int, I...>) : of_{f(I)...} {}
  template <class F> static AUTOGRAD_INLINE Tangents each(F&& f) {
    return Tangents(f, std::make_integer_sequence<int, kCount>());
  }
  T of_[static_cast<std::size_t>(kCount)];

 public:
  AUTOGRAD_INLINE Tangents() : of_{} {}
  AUTOGRAD_INLINE Tangents(const Tangents& o)
      : Tangents([&](int i) AUTOGRAD_ALWAYS_INLINE { return o.of_[i]; },
                 std::make_integer_sequence<int, kCount>()) {}
  AUTOGRAD_INLINE Tangents& operator=(const Tangents& o) {
    for (int i = 0; i < kCount; ++i) of_[i] = o.of_[i];
    return *this;
  }
  /// To and from memory of any alignment, in the parts that registers hold.
  AUTOGRAD_INLINE void store(std::byte* to) const {
    for (int i = 0; i < kCount; ++i) store_part(to + i * kPartBytes, of_[i]);
  }
  static AUTOGRAD_INLINE Tangents load(const std::byte* from) {
    return each([&](int i)
                    AUTOGRAD_ALWAYS_INLINE { return load_part<Part>(from + i * kPartBytes); });
  }
  /// Tangent i is f(i).
  template <class F> static AUTOGRAD_INLINE Tangents filled(F&& f) { return each(f); }
  AUTOGRAD_INLINE T get(int i) const { return of_[i]; }
  AUTOGRAD_INLINE void set(int i, const T& tangent) { of_[i] = tangent; }

  friend AUTOGRAD_INLINE Tangents operator+(const Tangents& a, const Tangents& b) {
    return each([&](int i) AUTOGRAD_ALWAYS_INLINE { return a.of_[i] + b.of_[i]; });
  }
  friend AUTOGRAD_INLINE Tangents along(const Tangents& t, const T& slope) {
    return each([&](int i) AUTOGRAD_ALWAYS_INLINE { return along(t.of_[i], slope); });
  }
  friend AUTOGRAD_INLINE Tangents along(const T& tangent, const Tangents& slopes) {
    return each([&](int i) AUTOGRAD_ALWAYS_INLINE { return along(tangent, slopes.of_[i]); });
  }
  friend AUTOGRAD_INLINE Tangents scaled(const Tangents& t, double slope) {
    return each([&](int i) AUTOGRAD_ALWAYS_INLINE { return scaled(t.of_[i], slope); });
  }
};

template <int N, class T>
  requires Packed<T, N>
class Tangents<N, T> {
  using Pack = typename PackOf<T>::type;
  static constexpr int kLanes = 16 / sizeof(T);
  static constexpr int kCount = (N + kLanes - 1) / kLanes, kPartBytes = sizeof(Pack);
  template <class F, int... I>
  AUTOGRAD_INLINE Tangents(F&& f, std::integer_sequence<int, I...>) : of_{f(I)...} {}
  template <class F> static AUTOGRAD_INLINE Tangents each(F&& f) {
    return Tangents(f, std::make_integer_sequence<int, kCount>());
  }
  // 0 where t is, else the product.
  static AUTOGRAD_INLINE Pack masked(Pack t, Pack product) {
    return t != Pack{} ? product : Pack{};
  }
  Pack of_[static_cast<std::size_t>(kCount)];

 public:
  AUTOGRAD_INLINE Tangents()
      : Tangents([](int) AUTOGRAD_ALWAYS_INLINE { return Pack{}; },
                 std::make_integer_sequence<int, kCount>()) {}
  AUTOGRAD_INLINE Tangents(const Tangents& o)
      : Tangents([&](int i) AUTOGRAD_ALWAYS_INLINE { return o.of_[i]; },
                 std::make_integer_sequence<int, kCount>()) {}
  AUTOGRAD_INLINE Tangents& operator=(const Tangents& o) {
    for (int i = 0; i < kCount; ++i) of_[i] = o.of_[i];
    return *this;
  }
  /// To and from memory of any alignment, in the parts that registers hold. Not by store_part: a template
  /// argument loses the alignment of Pack.
  AUTOGRAD_INLINE void store(std::byte* to) const {
    for (int i = 0; i < kCount; ++i) std::memcpy(to + i * kPartBytes, &of_[i], kPartBytes);
  }
  static AUTOGRAD_INLINE Tangents load(const std::byte* from) {
    return each([&](int i) AUTOGRAD_ALWAYS_INLINE {
      Pack part;
      std::memcpy(&part, from + i * kPartBytes, kPartBytes);
      return part;
    });
  }
  template <class F> static AUTOGRAD_INLINE Tangents filled(F&& f) {
    return each([&](int i) AUTOGRAD_ALWAYS_INLINE {
      Pack part{};
      for (int lane = 0; lane < kLanes && i * kLanes + lane < N; ++lane) {
        part[lane] = f(i * kLanes + lane);
      }
      return part;
    });
  }
  AUTOGRAD_INLINE T get(int i) const { return of_[i / kLanes][i % kLanes]; }
  AUTOGRAD_INLINE void set(int i, T tangent) { of_[i / kLanes][i % kLanes] = tangent; }

  friend AUTOGRAD_INLINE Tangents operator+(const Tangents& a, const Tangents& b) {
    return each([&](int i) AUTOGRAD_ALWAYS_INLINE { return a.of_[i] + b.of_[i]; });
  }
  friend AUTOGRAD_INLINE Tangents along(const Tangents& t, T slope) {
    return each([&](int i) AUTOGRAD_ALWAYS_INLINE { return masked(t.of_[i], t.of_[i] * slope); });
  }
  friend AUTOGRAD_INLINE Tangents along(T tangent, const Tangents& slopes) {
    const Pack t = tangent - Pack{};
    return each([&](int i) AUTOGRAD_ALWAYS_INLINE { return masked(t, t * slopes.of_[i]); });
  }
  friend AUTOGRAD_INLINE Tangents scaled(const Tangents& t, double slope) {
    const T s = static_cast<T>(slope);
    return each([&](int i) AUTOGRAD_ALWAYS_INLINE { return t.of_[i] * s; });
  }
};

// A number, or a value of a type further in, as a value of the inner type T.
template <class T, class C> AUTOGRAD_INLINE T inner_constant(const C& c) {
  if constexpr (Arithmetic<T> || std::same_as<T, C>) {
    return static_cast<T>(c);
  } else {
    return T(c);
  }
}

/// What a Dual D can be combined with besides another D: it carries no tangent of D's level.
template <class C, class D>
concept PassiveFor = Arithmetic<C> || kNests<D, C>;
template <class C, class D>
concept OperandOfDual = std::same_as<C, D> || PassiveFor<C, D>;

// The row's value in the type T, of operands of which one is a T and the other may be a number.
template <class Row, class T, class... Args> AUTOGRAD_INLINE T row_value(const Args&... args) {
  if constexpr (Arithmetic<T>) {
    return Row::value(static_cast<T>(args)...);
  } else {
    return T::Family::template apply<Row>(args...);
  }
}

}  // namespace detail

/// A number with N tangents: a derivative along each of N directions. Made of a number, or of a value
/// of the inner type T, it is a constant. Kinks as for Var. 8 (N + 1) bytes for T = double and an even
/// N or N = 1.
template <int N, class T, class Level> class Dual : public DifferentiableBase {
  static_assert(N >= 1, "a Dual has at least one direction");

 public:
  using Family = detail::DualFamily<N, T, Level>;
  using Value = T;
  using Tangents = detail::Tangents<N, T>;
  static constexpr int kDirections = N;

  AUTOGRAD_INLINE Dual() : Dual(0.0) {}
  AUTOGRAD_INLINE Dual(const Dual& o)
      : DifferentiableBase(), value_(o.value_), tangents_(o.tangents_) {}
  AUTOGRAD_INLINE Dual& operator=(const Dual& o) {
    value_ = o.value_;
    tangents_ = o.tangents_;
    return *this;
  }
  template <class C>
    requires detail::PassiveFor<C, Dual> AUTOGRAD_INLINE Dual(const C& c)
        : value_(detail::inner_constant<T>(c)) {}

    /// The variable that direction `direction` (0 to N - 1) differentiates by.
    static AUTOGRAD_INLINE Dual variable(const T& value, int direction = 0) {
      Dual x(value);
      x.set_tangent(direction, T(1.0));
      return x;
    }

    AUTOGRAD_INLINE const T& value() const { return value_; }
    /// The derivative along direction i (0 to N - 1).
    AUTOGRAD_INLINE T tangent(int i = 0) const { return tangents_.get(i); }
    AUTOGRAD_INLINE void set_tangent(int i, const T& tangent) { tangents_.set(i, tangent); }

    template <class B>
    requires detail::OperandOfDual<B, Dual> AUTOGRAD_INLINE Dual& operator+=(const B& b) {
      return *this = Family::template apply<ops::Add>(*this, b);
    }
    template <class B>
    requires detail::OperandOfDual<B, Dual> AUTOGRAD_INLINE Dual& operator-=(const B& b) {
      return *this = Family::template apply<ops::Sub>(*this, b);
    }
    template <class B>
    requires detail::OperandOfDual<B, Dual> AUTOGRAD_INLINE Dual& operator*=(const B& b) {
      return *this = Family::template apply<ops::Mul>(*this, b);
    }
    template <class B>
    requires detail::OperandOfDual<B, Dual> AUTOGRAD_INLINE Dual& operator/=(const B& b) {
      return *this = Family::template apply<ops::Div>(*this, b);
    }

    // Internal: all tangents at once.
    AUTOGRAD_INLINE Dual(const T& value, const Tangents& tangents)
        : value_(value), tangents_(tangents) {}
    AUTOGRAD_INLINE const Tangents& tangents() const { return tangents_; }
    AUTOGRAD_INLINE void store(std::byte* to) const {
      detail::store_part(to, value_);
      tangents_.store(to + sizeof(T));
    }
    static AUTOGRAD_INLINE Dual load(const std::byte* from) {
      return {detail::load_part<T>(from), Tangents::load(from + sizeof(T))};
    }

   private:
    T value_;
    Tangents tangents_;
};

namespace detail {

// How the functions of scalar_functions.hpp act on a Dual<N, T, Level>.
template <int N, class T, class Level> struct DualFamily {
  using D = Dual<N, T, Level>;

  template <class Row, class A> static AUTOGRAD_INLINE D apply(const A& a) {
    static_assert(ops::UnaryRows::index_of<Row>() < ops::UnaryRows::size);
    const T y = row_value<Row, T>(a.value());
    return {y, times_slope<Row>(a, Row::slope(a.value(), y))};
  }

  template <class Row> static AUTOGRAD_INLINE D apply_with(const Row& row, const D& a) {
    static_assert(ops::UnaryRows::index_of<Row>() < ops::UnaryRows::size);
    T y;
    if constexpr (Arithmetic<T>) {
      y = row.value(a.value());
    } else {
      y = T::Family::apply_with(row, a.value());
    }
    return {y, times_slope<Row>(a, row.slope(a.value(), y))};
  }

  // One of the operands may be a number or a value of the inner type.
  template <class Row, class A, class B> static AUTOGRAD_INLINE D apply(const A& a, const B& b) {
    static_assert(ops::BinaryRows::index_of<Row>() < ops::BinaryRows::size);
    const auto& p = inner(a);
    const auto& q = inner(b);
    const T y = row_value<Row, T>(p, q);
    // The slope by a constant is not computed: log(a) of pow(a, 2.0) would be NaN for a < 0.
    if constexpr (!std::same_as<B, D>) {
      return {y, times_slope<Row>(a, Row::slope_a(p, inner_constant<T>(q), y))};
    } else if constexpr (!std::same_as<A, D>) {
      return {y, times_slope<Row>(b, Row::slope_b(inner_constant<T>(p), q, y))};
    } else {
      return {y, times_slope<Row>(a, Row::slope_a(p, q, y)) +
                     times_slope<Row>(b, Row::slope_b(p, q, y))};
    }
  }

  template <class A, class B>
  static AUTOGRAD_INLINE D select(bool condition, const A& a, const B& b) {
    return condition ? D(a) : D(b);
  }
  static AUTOGRAD_INLINE D same(const D& a) { return a; }

 private:
  template <class A> static AUTOGRAD_INLINE const auto& inner(const A& a) {
    if constexpr (std::same_as<A, D>) {
      return a.value();
    } else {
      return a;
    }
  }
  // The slopes of rows that read nothing are constants, and finite.
  template <class Row>
  static AUTOGRAD_INLINE Tangents<N, T> times_slope(const D& a, const T& slope) {
    if constexpr (Row::info.reads == Reads::nothing && !Row::info.selects) {
      return scaled(a.tangents(), plain_value(slope));
    } else if constexpr (Row::info.selects) {
      return plain_value(slope) == 0.0 ? Tangents<N, T>() : along(a.tangents(), slope);
    } else {
      return along(a.tangents(), slope);
    }
  }
};

}  // namespace detail

/// c without tangents, in the type of its first argument; rows use it for constants.
template <int N, class T, class L>
AUTOGRAD_INLINE Dual<N, T, L> constant(const Dual<N, T, L>&, double c) {
  return Dual<N, T, L>(c);
}

}  // namespace autograd
