// SPDX-License-Identifier: Apache-2.0
// What the definitions of the structured operations are written with. A family's checks are in a file
// values_<family>.cpp, in a function that is declared here and called by structured_value_test.cpp.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "support.hpp"

namespace ops_test {

/// By the name of the op: compares its values with the definition.
using Checks = std::map<std::string, std::function<void()>>;
void add_network_checks(Checks& checks);
void add_index_checks(Checks& checks);

using autograd::float64;
using autograd::Shape;
using Index = std::vector<std::int64_t>;

constexpr double kTight = 1e-13;

// Calls f(index) for every element of a tensor of that shape, in row-major order.
template <class F> void for_each_index(const Shape& shape, F&& f) {
  Index index(static_cast<std::size_t>(shape.dim()), 0);
  for (std::int64_t left = shape.numel(); left > 0; --left) {
    f(index);
    for (int i = shape.dim() - 1; i >= 0; --i) {
      if (++index[static_cast<std::size_t>(i)] < shape[i]) break;
      index[static_cast<std::size_t>(i)] = 0;
    }
  }
}

// The element of x at an index of a shape that x broadcasts to.
inline double at(const Tensor& x, const Index& index) {
  std::int64_t offset = 0;
  const std::size_t lead = index.size() - static_cast<std::size_t>(x.dim());
  const std::vector<std::int64_t> strides = x.strides();
  for (int i = 0; i < x.dim(); ++i) {
    const auto k = static_cast<std::size_t>(i);
    if (x.shape()[i] != 1) offset += index[lead + k] * strides[k];
  }
  return static_cast<const double*>(x.node()->data)[offset];
}

// A tensor of that shape whose elements are f(index).
template <class F> Tensor built(const Shape& shape, F&& f) {
  Doubles elements;
  for_each_index(shape, [&](const Index& index) { elements.push_back(f(index)); });
  return autograd::tensor(elements, shape);
}

inline Tensor random(const Shape& shape, std::uint64_t seed = 11) {
  autograd::Generator generator(seed);
  return draw(shape, generator, {-2, 2});
}

// x and views of other strides and of repeated elements, with three axes.
inline std::vector<Tensor> layouts() {
  const Tensor x = random({3, 4, 5});
  return {x,
          autograd::transpose(x),
          autograd::transpose(x, 0, 2),
          autograd::transpose(x, 0, 1),
          autograd::broadcast_to(random({4, 1}), {3, 4, 5}),
          random({1, 1, 1}),
          random({2, 1, 3})};
}

/// Walks every layout and every set of axes; `fold` makes one element of a line of them.
void check_reduction(
    const std::function<Tensor(const Tensor&, const autograd::Axes&, autograd::ReduceOptions)>& f,
    const std::function<double(const Doubles&)>& fold, bool empty_too);
/// Walks every layout and axis; `f_line` turns one line along the axis into another.
void check_along_axis(const std::function<Tensor(const Tensor&, std::int64_t)>& f,
                      const std::function<Doubles(const Doubles&)>& f_line);

// One for each family file.
void add_reduction_checks(Checks& checks);
// Of values_<family>.cpp.
void add_linalg_checks(Checks& checks);

}  // namespace ops_test
