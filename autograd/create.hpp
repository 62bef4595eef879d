// SPDX-License-Identifier: Apache-2.0
// Making tensors: from nested braces, vectors, constants and random numbers.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

#include "generator.hpp"
#include "tensor.hpp"

namespace autograd {

/// A number, or a list of lists of numbers: what tensor({{1, 2}, {3, 4}}) is made of.
class NestedList {
 public:
  template <std::floating_point T>
  NestedList(T value) : kind_(Kind::real), real_(static_cast<double>(value)) {}
  template <std::integral T>
  NestedList(T value) : kind_(Kind::integer), integer_(static_cast<std::int64_t>(value)) {}
  NestedList(std::initializer_list<NestedList> items) : kind_(Kind::list), items_(items) {}

  enum class Kind : std::uint8_t { real, integer, list };
  Kind kind() const { return kind_; }
  double real() const { return kind_ == Kind::integer ? static_cast<double>(integer_) : real_; }
  std::int64_t integer() const {
    return kind_ == Kind::integer ? integer_ : static_cast<std::int64_t>(real_);
  }
  const std::vector<NestedList>& items() const { return items_; }

 private:
  Kind kind_;
  double real_ = 0;
  std::int64_t integer_ = 0;
  std::vector<NestedList> items_;
};

/// tensor({{1, 2, 3}, {4, 5, 6}}) has shape [2, 3]; tensor(2.5) has shape []. float32 by default,
/// integers too; int64 lists keep integers beyond 2^53. Throws ShapeError for ragged lists.
Tensor tensor(const NestedList& values, DType dtype = float32);
/// One axis; the dtype of T (int is stored as int64). Copies.
template <class T> Tensor tensor(const std::vector<T>& values);
/// The same elements under another shape; throws ShapeError unless the counts agree. Copies.
template <class T> Tensor tensor(const std::vector<T>& values, const Shape& shape);

Tensor empty(const Shape& shape, DType dtype = float32);  ///< elements uninitialized
Tensor full(const Shape& shape, double value, DType dtype = float32);
Tensor zeros(const Shape& shape, DType dtype = float32);
Tensor ones(const Shape& shape, DType dtype = float32);
Tensor empty_like(const Tensor& x);  ///< of x's shape and dtype; the same below
Tensor full_like(const Tensor& x, double value);
Tensor zeros_like(const Tensor& x);
Tensor ones_like(const Tensor& x);
/// 0, 1, ..., n - 1.
Tensor arange(std::int64_t n, DType dtype = float32);

/// Uniform on [0, 1): 24 random bits for float32, 53 for float64.
Tensor rand(const Shape& shape, Generator& generator, DType dtype = float32);
Tensor rand(const Shape& shape, DType dtype = float32);
/// Standard normal, by Box and Muller's transform.
Tensor randn(const Shape& shape, Generator& generator, DType dtype = float32);
Tensor randn(const Shape& shape, DType dtype = float32);
/// Integers from low to high - 1, uniform; int64.
Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape, Generator& generator);

/// The elements in row-major order; T must be the dtype's type.
template <class T> std::vector<T> to_vector(const Tensor& x);

}  // namespace autograd
