// SPDX-License-Identifier: Apache-2.0
// Derivatives of functions of scalars. f is generic: it takes a std::vector of any of the library's
// scalars, `f(const auto& x)`, and returns one scalar or a std::vector of them. x is a vector or span
// of doubles; results are new, nothing is deposited anywhere, and a tape that the caller has in scope
// is left alone. A component that f does not use gets 0. (Functions of tensors: grad.hpp.)
//
// Drivers nest: inside f, x consists of Vars, Duals or Vars of Duals, and a driver called with such an
// x differentiates once more. Each level is a type of its own, and its values are constants to the
// levels further in, so that no level mistakes another's derivative for its own:
//   grad([](const auto& x) { return grad(g, x)[0]; }, at)   // a row of the Hessian of g
// An x of doubles inside f starts afresh, and its variables must not be mixed with those of f: Vars
// throw TapeError then, other scalars do not compile.
//
// Cost: forward over reverse (hvp, hessian) runs f on Vars of Duals: at most some 2.2 gradients for
// one direction, and several directions share one recording in hessian. Threads: any, at once.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "driver_call.hpp"
#include "dual.hpp"
#include "tape.hpp"
#include "tape_of.hpp"
#include "tensor.hpp"
#include "var.hpp"

namespace autograd {

namespace detail {

/// One call of f, recorded over R: a Tape for doubles, a TapeOf<R> for what carries derivatives.
template <class R> class Recorded {
 public:
  template <class F> Recorded(F& f, std::span<const R> x) {
    inputs_.reserve(x.size());
    for (const R& value : x) inputs_.push_back(tape_.input(value));
    outputs_ = call<BasicVar<R>>(f, inputs_);
  }
  /// The adjoints of x for seeds of the outputs.
  std::vector<R> pull(std::span<const R> seeds) {
    if constexpr (std::same_as<R, double>) {
      std::vector<double> dx(inputs_.size());
      tape_.pull(outputs_, seeds, dx.data(), false);
      return dx;
    } else {
      return tape_.pull(outputs_, seeds);
    }
  }
  std::vector<R> values() const { return values_of<R>(outputs_); }
  const std::vector<BasicVar<R>>& outputs() const { return outputs_; }
  auto& tape() { return tape_; }

 private:
  std::conditional_t<std::same_as<R, double>, Tape, TapeOf<R>> tape_;
  std::vector<BasicVar<R>> inputs_, outputs_;
};

// The forward-mode type of a driver's function F: no other driver's.
template <int N, class T, class F> using Forward = Dual<N, T, std::remove_cvref_t<F>>;

// x with tangents: direction `lane` of element i is seeds(i, lane).
template <class D, class T, class Seeds>
std::vector<D> with_tangents(std::span<const T> x, const Seeds& seeds) {
  std::vector<D> result;
  result.reserve(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    result.push_back(D(x[i], D::Tangents::filled([&](int lane) { return seeds(i, lane); })));
  }
  return result;
}
template <class D, class T, class V>
std::vector<D> along_direction(const char* driver, std::span<const T> x, const V& v) {
  const auto direction = elements_of(v);
  check_length(driver, "the direction", direction.size(), "x", x.size());
  return with_tangents<D>(x, [&](std::size_t i, int) { return T(direction[i]); });
}
// Unit directions first, first + 1, ...
template <class D> std::vector<D> along_axes(std::span<const double> x, std::size_t first) {
  return with_tangents<D>(x, [&](std::size_t i, int lane) {
    return i == first + static_cast<std::size_t>(lane) ? 1.0 : 0.0;
  });
}

// Directions that share one pass: 8 took 0.75 to 0.85 of the time of 4 on a network, LIBOR and
// rosenbrock, and 1.2 of it on heston. A sparse Hessian often has three or four colors.
inline constexpr int kHessianLanes = 8;
inline constexpr int kSparseLanes = 4;
inline constexpr int kJacobianLanes = 8;

}  // namespace detail

/// f(x) and its gradient; f returns one scalar.
template <class F, ScalarList X> auto value_and_grad(F&& f, const X& x) {
  using T = ElementOf<X>;
  detail::Recorded<T> recorded(f, detail::elements_of(x));
  detail::require_scalar<F, BasicVar<T>>();
  const T one(1.0);
  auto gradient = recorded.pull({&one, 1});
  return std::pair<T, std::vector<T>>(recorded.values()[0], std::move(gradient));
}

/// The gradient of f at x.
template <class F, ScalarList X> auto grad(F&& f, const X& x) {
  return value_and_grad(f, x).second;
}

/// f(x) and its derivative along v, in forward mode: {y, tangent}, both as f returns it, a scalar or a
/// vector. Throws ShapeError unless v is as long as x.
template <class F, ScalarList X, ScalarList V> auto jvp(F&& f, const X& x, const V& v) {
  using T = ElementOf<X>;
  using D = detail::Forward<1, T, F>;
  const auto inputs = detail::along_direction<D>("jvp", detail::elements_of(x), v);
  const std::vector<D> y = detail::call<D>(f, inputs);
  std::vector<T> values, tangents;
  for (const D& element : y) {
    values.push_back(element.value());
    tangents.push_back(element.tangent());
  }
  return detail::as_returned<F, D>(std::move(values), std::move(tangents));
}

/// f(x) and w^T J, in reverse mode: {y, cotangent}; w has as many elements as f returns, a number when
/// f returns a scalar. Throws ShapeError otherwise.
template <class F, ScalarList X, class W> auto vjp(F&& f, const X& x, const W& w) {
  using T = ElementOf<X>;
  detail::Recorded<T> recorded(f, detail::elements_of(x));
  std::vector<T> seeds;
  if constexpr (ScalarList<W>) {
    for (const auto& seed : detail::elements_of(w)) seeds.push_back(T(seed));
  } else {
    seeds.push_back(T(w));
  }
  detail::check_length("vjp", "the cotangent", seeds.size(), "the result of f",
                       recorded.outputs().size());
  auto cotangent = recorded.pull(seeds);
  return detail::with_value<F, BasicVar<T>>(recorded.values(), std::move(cotangent));
}

/// The second derivatives of f times v, forward over reverse; f returns one scalar. Throws ShapeError
/// unless v is as long as x.
template <class F, ScalarList X, ScalarList V> auto hvp(F&& f, const X& x, const V& v) {
  using T = ElementOf<X>;
  using D = detail::Forward<1, T, F>;
  const auto inputs = detail::along_direction<D>("hvp", detail::elements_of(x), v);
  detail::Recorded<D> recorded(f, std::span<const D>(inputs));
  detail::require_scalar<F, BasicVar<D>>();
  const D one(1.0);
  std::vector<T> product;
  for (const D& adjoint : recorded.pull({&one, 1})) product.push_back(adjoint.tangent());
  return product;
}

/// All second derivatives of f at x: float64 of shape [n, n].
template <class F, DoubleList X> Tensor hessian(F&& f, const X& x) {
  constexpr int kLanes = detail::kHessianLanes;
  using D = detail::Forward<kLanes, double, F>;
  detail::require_scalar<F, BasicVar<D>>();
  const std::span<const double> at = detail::elements_of(x);
  detail::Matrix result(at.size(), at.size());
  for (std::size_t first = 0; first < at.size(); first += kLanes) {
    const auto inputs = detail::along_axes<D>(at, first);
    detail::Recorded<D> recorded(f, std::span<const D>(inputs));
    const D one(1.0);
    const auto adjoints = recorded.pull({&one, 1});
    const std::size_t lanes = std::min<std::size_t>(kLanes, at.size() - first);
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      for (std::size_t i = 0; i < at.size(); ++i) {
        result.at(i, first + lane) = adjoints[i].tangent(static_cast<int>(lane));
      }
    }
  }
  return result.tensor();
}

/// All first derivatives of f at x: float64 of shape [outputs, inputs], one row when f returns a
/// scalar. Forward where there are fewer inputs than outputs, else reverse, eight directions at once;
/// always reverse for an f that takes only Vars.
template <class F, DoubleList X> Tensor jacobian(F&& f, const X& x) {
  constexpr int kLanes = detail::kJacobianLanes;
  using D = detail::Forward<kLanes, double, F>;
  constexpr bool kForward = std::invocable<F&, const std::vector<D>&>;
  const std::span<const double> at = detail::elements_of(x);
  if (!kForward || at.size() > kLanes) {
    detail::Recorded<double> recorded(f, at);
    const std::size_t m = recorded.outputs().size();
    if (!kForward || m <= at.size()) {
      detail::Matrix result(m, at.size());
      recorded.tape().pull_rows(recorded.outputs(), result.data());
      return result.tensor();
    }
  }
  detail::Matrix result;
  if constexpr (kForward) {
    for (std::size_t first = 0; first == 0 || first < at.size(); first += kLanes) {
      const auto y = detail::call<D>(f, detail::along_axes<D>(at, first));
      if (first == 0) result = detail::Matrix(y.size(), at.size());
      const std::size_t lanes = std::min<std::size_t>(kLanes, at.size() - first);
      for (std::size_t i = 0; i < y.size(); ++i) {
        for (std::size_t lane = 0; lane < lanes; ++lane) {
          result.at(i, first + lane) = y[i].tangent(static_cast<int>(lane));
        }
      }
    }
  }
  return result.tensor();
}

}  // namespace autograd
