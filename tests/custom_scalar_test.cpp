// SPDX-License-Identifier: Apache-2.0
// Scalars whose derivative the caller gives: as numbers (statements) and as a function (records).
#include <gtest/gtest.h>
#include <autograd/autograd.hpp>

#include <cmath>
#include <numeric>

#include "check.hpp"

namespace autograd {
namespace {

using check::message_of;

TEST(CustomScalarTest, KnownPartials) {
  Tape tape;
  const Var a = tape.input(0.5), b = tape.input(2.0);
  const Var y = precomputed_gradients(std::hypot(0.5, 2.0), {a, 3.0, b, a},
                                      {0.5 / std::hypot(0.5, 2.0), 9.0, 0.75, 0.25});
  EXPECT_EQ(tape.size(), 3u);  // two inputs, one statement
  tape.backward(y * y);
  EXPECT_NEAR(a.grad(), 2 * y.value() * (0.5 / y.value() + 0.25), 1e-14);
  EXPECT_NEAR(b.grad(), 2 * y.value() * 0.75, 1e-14);
}

TEST(CustomScalarTest, AnyNumberOfInputs) {
  for (const std::size_t n : {0u, 1u, 249u, 250u, 251u, 499u, 500u, 2000u}) {
    Tape tape;
    std::vector<Var> x;
    std::vector<double> partials;
    for (std::size_t i = 0; i < n; ++i) {
      x.push_back(i % 7 == 3 ? Var(1.0) : tape.input(1.0));
      partials.push_back(static_cast<double>(i) + 1);
    }
    const Var y = precomputed_gradients(5.0, x, partials);
    EXPECT_EQ(y.value(), 5.0);
    if (n == 0) {
      EXPECT_THROW(tape.backward(y), TapeError);
      continue;
    }
    tape.backward(y * 2.0);
    for (std::size_t i = 0; i < n; ++i) {
      if (i % 7 != 3) {
        ASSERT_EQ(x[i].grad(), 2 * partials[i]);
      }
    }
  }
}

TEST(CustomScalarTest, FusionGoesOnFromThere) {
  Tape tape;
  const Var x = tape.input(3.0);
  Var y = precomputed_gradients(9.0, {x}, {6.0});
  y += x * 2.0;
  const Var z = y * x;
  tape.backward(z);
  EXPECT_EQ(z.value(), 45);
  EXPECT_EQ(x.grad(), 15 + 3 * 8);
}

TEST(CustomScalarTest, Jacobian) {
  Tape tape;
  const std::vector<Var> x{tape.input(2.0), tape.input(3.0), 4.0};
  const std::vector<Var> y =
      precomputed_jacobian(std::vector{6.0, 14.0}, x, std::vector{3.0, 2.0, 0.0, 1.0, 4.0, 3.0});
  tape.backward(y[0] * 10.0 + y[1]);
  EXPECT_EQ(x[0].grad(), 31);
  EXPECT_EQ(x[1].grad(), 24);
}

// (s, p) = (sum, product), whose vjp is a function.
std::vector<Var> sum_and_product(std::span<const Var> x, int& calls) {
  double sum = 0, product = 1;
  std::vector<double> at;
  for (const Var& v : x) {
    at.push_back(v.value());
    sum += v.value();
    product *= v.value();
  }
  return custom_vjp(std::vector{sum, product}, x,
                    [at, product, &calls](std::span<const double> dy, std::span<double> dx) {
                      ++calls;
                      for (std::size_t i = 0; i < dx.size(); ++i) {
                        dx[i] += dy[0] + dy[1] * product / at[i];
                      }
                    });
}

TEST(CustomScalarTest, SeveralOutputsOfOneRecord) {
  int calls = 0;
  Tape tape;
  const Var a = tape.input(2.0), b = tape.input(5.0);
  const std::vector<Var> y = sum_and_product(std::vector<Var>{a, b * 2.0, 3.0}, calls);
  EXPECT_EQ(y[0].value(), 15);
  EXPECT_EQ(y[1].value(), 60);
  tape.backward(sin(y[0]) + y[1] * b, {.retain = true});
  EXPECT_EQ(calls, 1);
  EXPECT_NEAR(a.grad(), std::cos(15.0) + 5 * 30, 1e-12);
  EXPECT_NEAR(b.grad(), 2 * std::cos(15.0) + 60 + 5 * 2 * 6, 1e-12);
  tape.zero_grad();
  tape.backward(b * 1.0);  // reaches none of them
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(b.grad(), 1);
}

TEST(CustomScalarTest, RewoundLikeAnyRecord) {
  int calls = 0;
  Tape tape;
  const Var a = tape.input(2.0), b = tape.input(5.0);
  const Tape::Mark mark = tape.mark();
  std::size_t memory = 0;
  for (int i = 0; i < 10000; ++i) {
    if (i == 10) memory = tape.memory();
    const auto y = sum_and_product(std::vector<Var>{a, b}, calls);
    if (i % 2) {
      tape.rewind(mark);
    } else {
      tape.backward_to(y[1], mark);
    }
  }
  EXPECT_EQ(calls, 5000);
  EXPECT_EQ(a.grad(), 5000 * 5);
  EXPECT_EQ(tape.memory(), memory);
}

TEST(CustomScalarTest, WithoutATape) {
  int calls = 0;
  const auto y = sum_and_product(std::vector<Var>{2.0, 3.0}, calls);
  EXPECT_EQ(y[1].value(), 6);
  EXPECT_EQ(precomputed_gradients(4.0, {Var(2.0)}, {4.0}).value(), 4);
  Tape tape;  // constants record nothing
  (void)sum_and_product(std::vector<Var>{2.0, 3.0}, calls);
  EXPECT_EQ(tape.size(), 0u);
}

TEST(CustomScalarTest, Errors) {
  Var stale;
  {
    Tape tape;
    stale = tape.input(1.0) * 2.0;
  }
  Tape tape;
  const Var x = tape.input(2.0);
  const std::vector<Var> mixed{x, stale};
  const std::size_t size = tape.size();
  EXPECT_EQ(
      message_of<ShapeError>([&] {
        precomputed_gradients(1.0, {x}, {1.0, 2.0});
      }),
      "precomputed_gradients: 2 partial derivatives of 1 outputs by 1 inputs; need one for each "
      "pair (1)");
  EXPECT_THROW(precomputed_jacobian(std::vector{1.0, 2.0}, mixed, std::vector{1.0}), ShapeError);
  EXPECT_THROW(precomputed_gradients(1.0, mixed, std::vector{1.0, 1.0}), TapeError);
  EXPECT_THROW(custom_vjp(std::vector{1.0}, mixed, [](auto, auto) {}), TapeError);
  EXPECT_THROW(custom_vjp(std::vector{1.0}, mixed, {}), ValueError);
  EXPECT_EQ(tape.size(), size);
  // What vjp throws ends the sweep, and leaves gradients and tape as they were.
  const auto y = custom_vjp(std::vector{1.0}, std::vector<Var>{x},
                            [](auto, auto) { throw ValueError("vjp: no"); });
  EXPECT_EQ(message_of<ValueError>([&] { tape.backward(y[0] + x); }), "vjp: no");
  EXPECT_FALSE(x.has_grad());
  tape.backward(x * x);
  EXPECT_EQ(x.grad(), 4);
}

}  // namespace
}  // namespace autograd
