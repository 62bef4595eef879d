// SPDX-License-Identifier: Apache-2.0
// What the tests of nn share: comparing with golden numbers, exceptions with their exact message, and
// the gradient check of a module's parameters, which autograd::gradcheck cannot reach because they are
// not arguments.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

namespace ag = autograd;

namespace nn_test {

/// The elements of x, row-major, as doubles.
inline std::vector<double> values(const ag::Tensor& x) {
  return ag::to_vector<double>(ag::contiguous(ag::to(ag::detach(x), ag::float64)));
}

/// |got - want| <= tolerance max(1, |want|) for every element; NaN fails.
inline void expect_values(const ag::Tensor& got, const std::vector<double>& want,
                          double tolerance = 1e-12) {
  const std::vector<double> have = values(got);
  ASSERT_EQ(have.size(), want.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    EXPECT_LE(std::abs(have[i] - want[i]), tolerance * std::max(1.0, std::abs(want[i])))
        << "element " << i << ": " << have[i] << ", want " << want[i];
  }
}

/// f throws an E with exactly this message.
template <class E, class F> void expect_message(const std::string& message, F&& f) {
  try {
    f();
    ADD_FAILURE() << "nothing thrown, want: " << message;
  } catch (const E& error) {
    EXPECT_EQ(error.what(), message);
  }
}

inline ag::Tensor float64(const ag::NestedList& list) { return ag::tensor(list, ag::float64); }
inline ag::Tensor labels(const ag::NestedList& list) { return ag::tensor(list, ag::int64); }

/// The gradient of the one-element tensor f() with respect to each leaf.
template <class F> void deposit(const std::vector<ag::Tensor>& leaves, F&& f) {
  for (ag::Tensor leaf : leaves) leaf.zero_grad();
  ag::Tape tape;
  tape.backward(f());
}

/// The largest error over tolerance 1e-6 + 1e-6 |numeric| of the gradients of f() with respect to
/// float64 parameters, against central differences; the gradients are first multiplied by `wrong`.
template <class F>
double parameter_error(const std::vector<ag::Tensor>& parameters, F&& f, double wrong = 1.0) {
  deposit(parameters, f);
  double worst = 0;
  for (ag::Tensor p : parameters) {
    const std::vector<double> analytic = values(p.grad());
    const std::span<double> x = p.mutable_data<double>();
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double at = x[i], h = std::cbrt(2.2e-16) * std::max(1.0, std::abs(at));
      x[i] = at + h;
      const double above = f().item();
      x[i] = at - h;
      const double below = f().item();
      x[i] = at;
      const double numeric = (above - below) / (2 * h);
      const double error =
          std::abs(wrong * analytic[i] - numeric) / (1e-6 + 1e-6 * std::abs(numeric));
      if (!(error <= worst)) worst = error;  // NaN stays: nothing compares with it
    }
  }
  return worst;
}

/// The check and its negative control.
template <class F>
void expect_parameter_gradients(const std::vector<ag::Tensor>& parameters, F&& f) {
  const double error = parameter_error(parameters, f);
  EXPECT_TRUE(error <= 1.0) << "error over tolerance: " << error;
  EXPECT_GT(parameter_error(parameters, f, 1.001), 1.0) << "a wrong gradient was not noticed";
}

}  // namespace nn_test
