// SPDX-License-Identifier: Apache-2.0
// What the drivers over scalars share: which arguments they take, how they call f, the shape of what
// they return. Internal; included by drivers.hpp and sparse.hpp.
#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <iterator>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "dual.hpp"
#include "scalar_functions.hpp"
#include "tensor.hpp"
#include "var.hpp"

namespace autograd {

namespace detail {

template <class T> inline constexpr bool kIsScalar = std::same_as<T, double>;
template <class R> inline constexpr bool kIsScalar<BasicVar<R>> = true;
template <int N, class T, class L> inline constexpr bool kIsScalar<Dual<N, T, L>> = true;

template <class X>
using DataOf = std::remove_cvref_t<decltype(*std::data(std::declval<const X&>()))>;

}  // namespace detail

/// A vector, array or span of doubles, or of scalars that carry derivatives: the x of a driver.
template <class X>
concept ScalarList = requires(const X& x) {
  std::data(x);
  { std::size(x) } -> std::convertible_to<std::size_t>;
}
&&detail::kIsScalar<detail::DataOf<X>>;

/// The same of doubles alone.
template <class X>
concept DoubleList = ScalarList<X> && std::same_as < detail::DataOf<X>,
double > ;

template <ScalarList X> using ElementOf = detail::DataOf<X>;

namespace detail {

template <class X> std::span<const DataOf<X>> elements_of(const X& x) {
  return {std::data(x), static_cast<std::size_t>(std::size(x))};
}

// What f returns for a std::vector<E>.
template <class F, class E>
using ReturnOf = std::remove_cvref_t<std::invoke_result_t<F&, const std::vector<E>&>>;

template <class Y>
concept ReturnsList = requires(const Y& y) {
  std::data(y);
  std::size(y);
};

// The gradient of a list is a Jacobian.
template <class F, class E> constexpr void require_scalar() {
  static_assert(!ReturnsList<ReturnOf<F, E>>,
                "this driver needs an f that returns one scalar; use jacobian, jvp or vjp for an f "
                "that returns a list");
}

/// Calls f and gives what it returns as a vector of E; a number is a constant.
template <class E, class F> std::vector<E> call(F& f, const std::vector<E>& x) {
  using Y = ReturnOf<F, E>;
  if constexpr (std::same_as<Y, std::vector<E>>) {
    return std::invoke(f, x);
  } else {
    decltype(auto) y = std::invoke(f, x);
    std::vector<E> result;
    if constexpr (ReturnsList<Y>) {
      const auto n = static_cast<std::size_t>(std::size(y));
      for (std::size_t i = 0; i < n; ++i) result.push_back(E(std::data(y)[i]));
    } else {
      result.push_back(E(y));
    }
    return result;
  }
}

template <class R> std::vector<R> values_of(const std::vector<BasicVar<R>>& y) {
  std::vector<R> values;
  values.reserve(y.size());
  for (const BasicVar<R>& element : y) values.push_back(element.value());
  return values;
}

/// {values, second}, where the value of a scalar f is a scalar.
template <class F, class E, class T, class Second>
auto with_value(std::vector<T>&& values, Second&& second) {
  if constexpr (ReturnsList<ReturnOf<F, E>>) {
    return std::pair<std::vector<T>, std::remove_cvref_t<Second>>(std::move(values),
                                                                  std::forward<Second>(second));
  } else {
    return std::pair<T, std::remove_cvref_t<Second>>(values[0], std::forward<Second>(second));
  }
}
/// {values, tangents}, both scalars for a scalar f.
template <class F, class E, class T>
auto as_returned(std::vector<T>&& values, std::vector<T>&& tangents) {
  if constexpr (ReturnsList<ReturnOf<F, E>>) {
    return std::pair(std::move(values), std::move(tangents));
  } else {
    return std::pair<T, T>(values[0], tangents[0]);
  }
}

/// Throws ShapeError unless n == m.
void check_length(const char* driver, const char* what, std::size_t n, const char* other,
                  std::size_t m);

/// A float64 tensor of shape [rows, columns] while it is filled, zeros at first.
class Matrix {
 public:
  Matrix() = default;
  Matrix(std::size_t rows, std::size_t columns);
  double& at(std::size_t i, std::size_t j) { return data_[i * columns_ + j]; }
  double* data() { return data_; }
  Tensor tensor() const { return tensor_; }

 private:
  Tensor tensor_;
  double* data_ = nullptr;
  std::size_t columns_ = 0;
};

}  // namespace detail

}  // namespace autograd
