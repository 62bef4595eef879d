// SPDX-License-Identifier: Apache-2.0
// The operators and functions of differentiable scalars, one line each: the row of the operation
// (ops/elementwise.hpp) says everything else. Each kind of scalar names a Family that says how a row
// acts on it: an expression of Vars records its slopes, a number carries none.
//
// To add a function: its row, one line here, its double form in scalar_math.hpp.
#pragma once

#include <concepts>
#include <type_traits>

#include "inline.hpp"
#include "ops/elementwise.hpp"
#include "scalar_math.hpp"

namespace autograd {

namespace detail {

// What an expression becomes when it is assigned; other types are that already.
template <class T> struct AssignedOf { using type = T; };
template <class T>
  requires requires { typename T::Assigned; }
struct AssignedOf<T> {
  using type = typename T::Assigned;
};

// B is what an A consists of, at some depth: A is a Dual, say, and B its value.
template <class A, class B> inline constexpr bool kNests = false;
template <class A, class B>
  requires requires { typename A::Value; }
inline constexpr bool kNests<A, B> =
    std::same_as<typename A::Value, typename AssignedOf<B>::type> || kNests<typename A::Value, B>;

template <class A, class B> struct FamilyOfPair {};
template <Differentiable A, Differentiable B>
  requires std::same_as<typename A::Family, typename B::Family>
struct FamilyOfPair<A, B> {
  using type = typename A::Family;
};
template <Differentiable A, Differentiable B>
  requires kNests<A, B>
struct FamilyOfPair<A, B> {
  using type = typename A::Family;
};
template <Differentiable A, Differentiable B>
  requires kNests<B, A>
struct FamilyOfPair<A, B> {
  using type = typename B::Family;
};
template <Differentiable A, Arithmetic B> struct FamilyOfPair<A, B> {
  using type = typename A::Family;
};
template <Arithmetic A, Differentiable B> struct FamilyOfPair<A, B> {
  using type = typename B::Family;
};
template <class A, class B> using Family = typename FamilyOfPair<A, B>::type;

}  // namespace detail

/// Two scalars of which one carries derivatives; the other may be a number.
template <class A, class B>
concept DifferentiablePair = requires {
  typename detail::Family<A, B>;
};

#define AUTOGRAD_BINARY(function, Row)                                                      \
  template <class A, class B>                                                               \
  requires DifferentiablePair<A, B> AUTOGRAD_INLINE auto function(const A& a, const B& b) { \
    return detail::Family<A, B>::template apply<ops::Row>(a, b);                            \
  }
#define AUTOGRAD_UNARY(function, Row)                                     \
  template <Differentiable A> AUTOGRAD_INLINE auto function(const A& a) { \
    return A::Family::template apply<ops::Row>(a);                        \
  }
#define AUTOGRAD_COMPARE(op)                                                                   \
  template <class A, class B>                                                                  \
  requires DifferentiablePair<A, B> AUTOGRAD_INLINE bool operator op(const A& a, const B& b) { \
    return plain_value(a) op plain_value(b);                                                   \
  }

AUTOGRAD_BINARY(operator+, Add)
AUTOGRAD_BINARY(operator-, Sub)
AUTOGRAD_BINARY(operator*, Mul)
AUTOGRAD_BINARY(operator/, Div)
AUTOGRAD_BINARY(pow, Pow)
AUTOGRAD_BINARY(max, Maximum)
AUTOGRAD_BINARY(min, Minimum)
AUTOGRAD_BINARY(fmax, Fmax)
AUTOGRAD_BINARY(fmin, Fmin)
AUTOGRAD_BINARY(fdim, Fdim)
AUTOGRAD_BINARY(hypot, Hypot)
AUTOGRAD_BINARY(atan2, Atan2)
AUTOGRAD_BINARY(logaddexp, LogAddExp)
AUTOGRAD_BINARY(ldexp, Ldexp)
AUTOGRAD_BINARY(fmod, Fmod)
AUTOGRAD_BINARY(remainder, IeeeRemainder)
AUTOGRAD_BINARY(ieee_remainder, IeeeRemainder)
AUTOGRAD_BINARY(copysign, Copysign)
AUTOGRAD_BINARY(nextafter, NextAfter)
AUTOGRAD_BINARY(beta, Beta)
AUTOGRAD_BINARY(direction, Direction)
AUTOGRAD_BINARY(digamma_step, DigammaStep)
AUTOGRAD_BINARY(trigamma_step, TrigammaStep)
AUTOGRAD_BINARY(scalbn, Ldexp)
AUTOGRAD_BINARY(scalbln, Ldexp)
AUTOGRAD_BINARY(polygamma, Polygamma)
AUTOGRAD_BINARY(nexttoward, NextAfter)
AUTOGRAD_UNARY(operator-, Neg)
AUTOGRAD_UNARY(exp, Exp)
AUTOGRAD_UNARY(log, Log)
AUTOGRAD_UNARY(log1p, Log1p)
AUTOGRAD_UNARY(expm1, Expm1)
AUTOGRAD_UNARY(sqrt, Sqrt)
AUTOGRAD_UNARY(square, Square)
AUTOGRAD_UNARY(abs, Abs)
AUTOGRAD_UNARY(sin, Sin)
AUTOGRAD_UNARY(cos, Cos)
AUTOGRAD_UNARY(tan, Tan)
AUTOGRAD_UNARY(asin, Asin)
AUTOGRAD_UNARY(acos, Acos)
AUTOGRAD_UNARY(atan, Atan)
AUTOGRAD_UNARY(sinh, Sinh)
AUTOGRAD_UNARY(cosh, Cosh)
AUTOGRAD_UNARY(tanh, Tanh)
AUTOGRAD_UNARY(sigmoid, Sigmoid)
AUTOGRAD_UNARY(relu, Relu)
AUTOGRAD_UNARY(softplus, Softplus)
AUTOGRAD_UNARY(exp2, Exp2)
AUTOGRAD_UNARY(log2, Log2)
AUTOGRAD_UNARY(log10, Log10)
AUTOGRAD_UNARY(cbrt, Cbrt)
AUTOGRAD_UNARY(asinh, Asinh)
AUTOGRAD_UNARY(acosh, Acosh)
AUTOGRAD_UNARY(atanh, Atanh)
AUTOGRAD_UNARY(erf, Erf)
AUTOGRAD_UNARY(erfc, Erfc)
AUTOGRAD_UNARY(normal_cdf, NormalCdf)
AUTOGRAD_UNARY(normal_icdf, NormalIcdf)
AUTOGRAD_UNARY(tgamma, Tgamma)
AUTOGRAD_UNARY(lgamma, Lgamma)
AUTOGRAD_UNARY(digamma, Digamma)
AUTOGRAD_UNARY(sign, Sign)
AUTOGRAD_UNARY(floor, Floor)
AUTOGRAD_UNARY(ceil, Ceil)
AUTOGRAD_UNARY(trunc, Trunc)
AUTOGRAD_UNARY(round, Round)
AUTOGRAD_UNARY(rint, Rint)
AUTOGRAD_UNARY(nearbyint, Rint)
AUTOGRAD_UNARY(fabs, Abs)
AUTOGRAD_UNARY(log1pexp, Softplus)
AUTOGRAD_COMPARE(<)
AUTOGRAD_COMPARE(<=)
AUTOGRAD_COMPARE(>)
AUTOGRAD_COMPARE(>=)
AUTOGRAD_COMPARE(==)
AUTOGRAD_COMPARE(!=)

#undef AUTOGRAD_BINARY
#undef AUTOGRAD_UNARY
#undef AUTOGRAD_COMPARE

template <Differentiable A> AUTOGRAD_INLINE auto operator+(const A& a) {
  return A::Family::same(a);
}

/// c ? a : b. The side not taken gets no gradient, also when its derivative is NaN or infinite.
template <class A, class B>
requires DifferentiablePair<A, B> AUTOGRAD_INLINE auto where(bool c, const A& a, const B& b) {
  return detail::Family<A, B>::select(c, a, b);
}

}  // namespace autograd
