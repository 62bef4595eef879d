// SPDX-License-Identifier: Apache-2.0
// What the tests of operations share: the rows as functions that can be called at run time, random
// arguments from their intervals, and comparisons. Nothing here knows an operation by name, so that a
// new row or op is tested without a change to any test.
#pragma once

#include <gtest/gtest.h>
#include <autograd/autograd.hpp>
#include <autograd/ops/composites.hpp>
#include <autograd/ops/list.hpp>

#include <cctype>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace ops_test {

using autograd::Tensor;
using Inputs = std::vector<Tensor>;
using Doubles = std::vector<double>;

inline constexpr double kInf = std::numeric_limits<double>::infinity();
inline constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// One row of ops/elementwise.hpp: its op on tensors and its formulas for plain numbers.
struct RowCalls {
  autograd::RowInfo info;
  int arity = 1;
  autograd::TensorFunction f;
  std::function<double(double, double)> value;               // b is unused for arity 1
  std::function<double(int, double, double, double)> slope;  // argument, a, b, y
};

/// All rows; in rows.cpp, because compiling every row takes a minute.
const std::vector<RowCalls>& all_rows();

inline const RowCalls* find_row(const std::string& name) {
  for (const RowCalls& row : all_rows()) {
    if (name == row.info.name) return &row;
  }
  return nullptr;
}

/// float64, uniform on the interval, or on both in turn where there is a second one.
inline Tensor draw(const autograd::Shape& shape, autograd::Generator& generator,
                   autograd::Interval first, autograd::Interval second = {0, 0}) {
  Tensor x = autograd::empty(shape, autograd::float64);
  bool other = false;
  for (double& value : x.mutable_data<double>()) {
    const autograd::Interval& range = other ? second : first;
    value = range.low + (range.high - range.low) * generator.uniform();
    if (second.low < second.high) other = !other;
  }
  return x;
}

/// The elements of x, row-major, as doubles.
inline Doubles values(const Tensor& x) {
  return autograd::to_vector<double>(
      autograd::contiguous(autograd::to(autograd::detach(x), autograd::float64)));
}

/// Equal infinities, both NaN, or |got - want| <= tolerance max(1, |want|).
inline bool near(double got, double want, double tolerance) {
  if (std::isnan(want)) return std::isnan(got);
  return got == want || std::abs(got - want) <= tolerance * std::max(1.0, std::abs(want));
}

inline void expect_values(const Tensor& got, const Doubles& want, double tolerance = 0) {
  const Doubles have = values(got);
  ASSERT_EQ(have.size(), want.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    EXPECT_TRUE(near(have[i], want[i], tolerance))
        << "element " << i << ": " << have[i] << ", want " << want[i];
  }
}

/// The same for a tensor whose shape counts too.
inline void expect_same(const Tensor& got, const Tensor& want, double tolerance = 0) {
  EXPECT_EQ(got.shape(), want.shape());
  EXPECT_EQ(got.dtype(), want.dtype());
  expect_values(got, values(want), tolerance);
}

/// f throws an E with exactly this message.
template <class E, class F> void expect_message(const std::string& message, F&& f) {
  try {
    f();
    ADD_FAILURE() << "nothing thrown, want: " << message;
  } catch (const E& error) {
    EXPECT_EQ(error.what(), message);
  } catch (const std::exception& error) {
    ADD_FAILURE() << "another type of exception: " << error.what() << "\nwant: " << message;
  }
}

/// The gradient of sum(f(x)) at x.
inline Tensor gradient(const std::function<Tensor(const Tensor&)>& f, const Tensor& x) {
  return autograd::grad([&](const Inputs& in) { return autograd::sum(f(in[0])); }, {x})[0];
}

/// The derivative of f(x), a scalar function, at x.
template <class F> double derivative(F&& f, double x) {
  autograd::Tape tape;
  autograd::Var input = tape.input(x);
  autograd::Var y = f(input);
  tape.backward(y);
  return input.grad();
}

inline Tensor f64(const autograd::NestedList& list) {
  return autograd::tensor(list, autograd::float64);
}
inline Tensor i64(const autograd::NestedList& list) {
  return autograd::tensor(list, autograd::int64);
}

/// A name of GoogleTest's alphabet.
inline std::string test_name(std::string name) {
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
}

}  // namespace ops_test
