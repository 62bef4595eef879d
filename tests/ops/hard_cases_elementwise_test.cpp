// SPDX-License-Identifier: Apache-2.0
// The hard cases of the functions of activations.hpp and elementwise.hpp, each under its number in the
// list that the design keeps: kinks, bounds, domains' ends, saturation, infinities that arrive. Every
// slope is that of a Var, of a Dual and of tensors of both types, whatever is left of a vector.
#include "support.hpp"

namespace ops_test {
namespace {

using namespace autograd;

// The slope of f at x, by all kinds of arguments.
template <class F> void expect_slope(F&& f, double x, double want, double tolerance = 1e-15) {
  SCOPED_TRACE("at " + std::to_string(x));
  const double reverse = derivative(f, x);
  EXPECT_TRUE(near(reverse, want, tolerance)) << "Var: " << reverse << ", want " << want;
  const double forward = Dual<1>(f(Dual<1>::variable(x))).tangent();
  EXPECT_TRUE(near(forward, want, tolerance)) << "Dual: " << forward << ", want " << want;
  const auto of_tensor = [&](const Tensor& t) -> Tensor { return f(t); };
  const Doubles wants(21, want);
  expect_values(gradient(of_tensor, full({21}, x, float64)), wants, tolerance);
  expect_values(gradient(of_tensor, full({21}, x)), wants, std::max(tolerance, 1e-6));
}

// The value of f at x, by numbers and by tensors.
template <class F> void expect_value(F&& f, double x, double want, double tolerance = 1e-15) {
  SCOPED_TRACE("at " + std::to_string(x));
  EXPECT_TRUE(near(f(x), want, tolerance)) << f(x) << ", want " << want;
  expect_values(f(full({21}, x, float64)), Doubles(21, want), tolerance);
  expect_values(f(full({21}, x)), Doubles(21, want), std::max(tolerance, 1e-6));
}

// What arrives at x when dy arrives at f(x).
template <class F> Doubles arriving(F&& f, const Tensor& x, double dy) {
  const TensorFunction of_inputs = [&](const Inputs& in) -> Tensor { return f(in[0]); };
  return values(vjp(of_inputs, {x}, full(x.shape(), dy, x.dtype())).second[0]);
}

// The gradients of f by all of its operands.
Doubles gradients(const TensorFunction& f, const Inputs& operands) {
  Doubles all;
  for (const Tensor& dx : grad([&](const Inputs& in) { return sum(f(in)); }, operands)) {
    for (double element : values(dx)) all.push_back(element);
  }
  return all;
}

TEST(HardCases, 2_infinity_arrives_at_a_masked_element) {
  const Tensor x = f64({-9, -9, -9, -9, -9, -9, -9, -9, -9, 0.5});
  const auto expect_zeros = [&](const auto& f) {
    Doubles dx = arriving(f, x, kInf);
    dx.pop_back();  // the last element may pass it
    for (double element : dx) EXPECT_EQ(element, 0);
  };
  expect_zeros([](const Tensor& t) { return relu6(t); });
  expect_zeros([](const Tensor& t) { return leaky_relu(t, 0); });
  expect_zeros([](const Tensor& t) { return hardtanh(t); });
  expect_zeros([](const Tensor& t) { return hardsigmoid(t); });
  expect_zeros([](const Tensor& t) { return hardswish(t); });
  expect_zeros([](const Tensor& t) { return clamp(t, -1, 1); });
  expect_zeros([](const Tensor& t) { return clamp(t, f64(-1), f64(1)); });
  expect_zeros([](const Tensor& t) { return nan_to_num(log(t), {.nan = 1}); });
  EXPECT_EQ(arriving([](const Tensor& t) { return clamp(t, -1, 1); }, f64({-9, 0, 1, 9}), kNan)[0],
            0);
}

TEST(HardCases, 8_left_slope_at_zero) {
  for (double zero : {0.0, -0.0}) {
    expect_slope([](const auto& x) { return leaky_relu(x, 0.25); }, zero, 0.25);
    expect_slope([](const auto& x) { return leaky_relu(x, 0); }, zero, 0);
    expect_slope([](const auto& x) { return elu(x, 2); }, zero, 2);
    expect_slope([](const auto& x) { return celu(x, 2); }, zero, 1);
    expect_slope([](const auto& x) { return selu(x); }, zero, 1.7580993408473766);
  }
}

TEST(HardCases, 9_bounds) {
  const auto hold = [](const auto& x) { return clamp(x, -1, 2); };
  for (double inside : {-1.0, 0.0, 2.0}) expect_slope(hold, inside, 1);
  for (double beyond : {-1.5, 2.5, -kInf, kInf}) expect_slope(hold, beyond, 0);
  for (double bound : {0.0, 6.0}) expect_slope([](const auto& x) { return relu6(x); }, bound, 0);
  for (double bound : {-1.0, 1.0}) {
    expect_slope([](const auto& x) { return hardtanh(x); }, bound, 0);
  }
  for (double bound : {-3.0, 3.0}) {
    expect_slope([](const auto& x) { return hardsigmoid(x); }, bound, 0);
  }
  expect_slope([](const auto& x) { return hardswish(x); }, -3, -0.5);
  expect_slope([](const auto& x) { return hardswish(x); }, 3, 1);
  // Infinities are no bounds; all max where min > max.
  expect_values(clamp(f64({-kInf, 3, kInf}), -kInf, kInf), {-kInf, 3, kInf});
  expect_values(clamp(f64({0, 1, 2}), 1.5, 0.5), {0.5, 0.5, 0.5});
  expect_values(gradient([](const Tensor& x) { return clamp(x, 1.5, 0.5); }, f64({0, 1, 2})),
                {0, 0, 0});
}

// The gradient goes to whichever is taken: x at the bounds, max where min > max.
TEST(HardCases, 9_bounds_that_are_tensors) {
  const Inputs operands = {f64({0, 1, 2, -1, 0.5}), f64({0, 0, 0, 0, 1}), f64({1, 1, 1, 1, 0})};
  const TensorFunction f = [](const Inputs& in) { return clamp(in[0], in[1], in[2]); };
  expect_values(f(operands), {0, 1, 1, 0, 0});
  EXPECT_EQ(gradients(f, operands), (Doubles{1, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1}));
  const TensorFunction below = [](const Inputs& in) { return clamp(in[0], {}, in[1]); };
  EXPECT_EQ(gradients(below, {f64({0, 2}), f64(1)}), (Doubles{1, 0, 1}));
  EXPECT_TRUE(std::isnan(clamp(f64(1), f64(kNan), {}).item()));
  EXPECT_TRUE(std::isnan(clamp(f64(kNan), f64(0), f64(1)).item()));
}

TEST(HardCases, 16_logarithms_of_zero) {
  const TensorFunction f = [](const Inputs& in) { return xlogy(in[0], in[1]); };
  const auto at = [&](double a, double b) {
    Doubles all = values(f({f64({a}), f64({b})}));
    for (double slope : gradients(f, {f64({a}), f64({b})})) all.push_back(slope);
    Tape tape;  // the same of scalars
    const Var p = tape.input(a), q = tape.input(b), y = xlogy(p, q);
    tape.backward(y);
    EXPECT_TRUE(near(y.value(), all[0], 0) && near(p.grad(), all[1], 0) &&
                near(q.grad(), all[2], 0))
        << y.value() << " " << p.grad() << " " << q.grad();
    return all;
  };
  EXPECT_EQ(at(0, 0), (Doubles{0, 0, 0}));
  EXPECT_EQ(at(0, 2), (Doubles{0, std::log(2.0), 0}));
  EXPECT_EQ(at(0, -1), (Doubles{0, 0, 0}));
  EXPECT_EQ(at(0, kInf), (Doubles{0, kInf, 0}));
  EXPECT_EQ(at(1, 0), (Doubles{-kInf, -kInf, kInf}));
  EXPECT_TRUE(std::isnan(at(0, kNan)[0]) && std::isnan(at(1, -1)[0]));
}

TEST(HardCases, 18_ends_of_domains) {
  const auto by_logit = [](const auto& x) { return logit(x); };
  for (double end : {0.0, 1.0}) expect_slope(by_logit, end, kInf);
  for (double beyond : {-0.1, 1.1}) expect_slope(by_logit, beyond, kNan);
  expect_value(by_logit, 0, -kInf);
  expect_value(by_logit, 1, kInf);
  expect_value(by_logit, -0.1, kNan);
  expect_value(by_logit, 0.5, 0);
  const auto held = [](const auto& x) { return logit(x, 0.125); };
  expect_slope(held, 0.125, 1 / (0.125 * 0.875), 1e-15);
  for (double beyond : {0.0, 1.0, -3.0, 0.1}) expect_slope(held, beyond, 0);
  expect_value(held, 0, std::log(0.125 / 0.875));
  const auto by_erfinv = [](const auto& x) { return erfinv(x); };
  for (double end : {-1.0, 1.0}) {
    expect_slope(by_erfinv, end, kInf);
    expect_value(by_erfinv, end, end * kInf);
  }
  expect_value(by_erfinv, 1.5, kNan);
  expect_slope([](const auto& x) { return rsqrt(x); }, 0, -kInf);
  expect_slope([](const auto& x) { return reciprocal(x); }, 0, -kInf);
}

TEST(HardCases, 19_saturation) {
  const auto check = [](const auto& f, double left, double right_slope) {
    expect_value(f, -kInf, left);
    expect_slope(f, -kInf, 0);
    expect_slope(f, kInf, right_slope);
    expect_value(f, kInf, kInf);
    for (double large : {60.0, 1e4, 1e30}) {
      expect_value(f, large, large, 1e-15);
      expect_slope(f, large, right_slope);
      expect_value(f, -large, left, 1e-13);
      expect_slope(f, -large, 0, 1e-13);
    }
    expect_value(f, kNan, kNan);
  };
  check([](const auto& x) { return silu(x); }, 0, 1);
  check([](const auto& x) { return gelu(x); }, 0, 1);
  check([](const auto& x) { return gelu_tanh(x); }, 0, 1);
  check([](const auto& x) { return mish(x); }, 0, 1);
  check([](const auto& x) { return elu(x, 2); }, -2, 1);
  check([](const auto& x) { return celu(x, 2); }, -2, 1);
  for (double x : {-1000.0, -40.0, 40.0, 1000.0}) {
    const auto f = [](const auto& t) { return logsigmoid(t); };
    expect_value(f, x, x < 0 ? x : 0, 1e-15);
    expect_slope(f, x, x < 0 ? 1 : 0, 1e-15);
  }
}

// The digits that the textbook formulas lose.
TEST(HardCases, 20_small_numbers) {
  EXPECT_NEAR(erfinv(1e-300) / (1e-300 / (2 * std::numbers::inv_sqrtpi)), 1, 1e-15);
  EXPECT_NEAR(std::erfc(erfinv(1 - 0x1p-50)) / 0x1p-50, 1, 1e-13);
  for (double x : {-0.9999, -0.7, 0.1, 0.6, 0.86, 0.99999}) {
    EXPECT_NEAR(std::erf(erfinv(x)), x, 1e-16);
  }
  EXPECT_NEAR(logit(0.5 + 0x1p-40), 0x1p-38, 1e-27);
  EXPECT_NEAR(logit(1e-300), std::log(1e-300), 1e-12);
  const double tail = gelu(full({21}, -30, float64)).data<double>()[20];
  EXPECT_NEAR(tail / (-30 * normal_cdf(-30)), 1, 1e-15);
}

TEST(HardCases, 21_no_slope) {
  const auto floor_of = [](const Tensor& x) {
    return div(x, f64(2), {.rounding = Rounding::floor});
  };
  expect_values(gradient(floor_of, f64({3, -3})), {0, 0});
  expect_slope([](const auto& x) { return frac(x); }, 2, 1);
  expect_values(
      gradient([](const Tensor& x) { return nan_to_num(x); }, f64({kNan, kInf, -kInf, 1})),
      {0, 0, 0, 1});
}

TEST(HardCases, 24_division_by_zero) {
  const auto quotient = [](double a, double b, Rounding rounding) {
    return div(f64(a), f64(b), {.rounding = rounding}).item();
  };
  EXPECT_EQ(quotient(1, 0, Rounding::floor), kInf);
  EXPECT_EQ(quotient(-1, 0, Rounding::trunc), -kInf);
  EXPECT_TRUE(std::isnan(quotient(0, 0, Rounding::floor)));
  EXPECT_EQ(quotient(1, 0.1, Rounding::floor), 9);  // as Python: 0.1 is above a tenth
  EXPECT_EQ(quotient(-7, 2, Rounding::floor), -4);
  EXPECT_EQ(quotient(-7, 2, Rounding::trunc), -3);
}

}  // namespace
}  // namespace ops_test
