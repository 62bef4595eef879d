// SPDX-License-Identifier: Apache-2.0
// The checker itself, row 101 of the hard cases: what it accepts, what it finds, what it says. The
// functions under test are custom functions whose derivatives are wrong on purpose.
#include <gtest/gtest.h>
#include <autograd/autograd.hpp>

#include <limits>

namespace autograd {
namespace {

using Inputs = std::vector<Tensor>;

template <class E, class F> std::string message_of(F&& f) {
  try {
    f();
  } catch (const E& error) {
    return error.what();
  }
  return "no such exception was thrown";
}

Tensor f64(const NestedList& list) { return tensor(list, float64); }

// f with a derivative of the caller's making.
TensorFunction with_backward(TensorFunction f,
                             std::function<Tensor(const Inputs&, const Tensor&)> dx) {
  return custom_function(std::move(f), [dx](const Inputs& in, const Tensor&, const Tensor& dy) {
    return Inputs{dx(in, dy)};
  });
}

// x^3 whose derivative is off by `factor`, but at one element only when `element` is not negative.
TensorFunction wrong_cube(double factor, std::int64_t element = -1) {
  return with_backward([](const Inputs& in) { return in[0] * in[0] * in[0]; },
                       [=](const Inputs& in, const Tensor& dy) {
                         Tensor scale = full(in[0].shape(), element < 0 ? factor : 1.0, float64);
                         if (element >= 0)
                           scale.mutable_data<double>()[static_cast<std::size_t>(element)] = factor;
                         return dy * 3.0 * square(in[0]) * scale;
                       });
}

const Tensor kPoint = f64({0.5, -1.25, 2, 0.75});

TEST(HardCases, 101_right_derivatives_pass) {
  const TensorFunction f = [](const Inputs& in) { return sin(in[0]) * exp(in[1]); };
  const Inputs inputs = {f64({{0.5, 1}, {2, -1}}), f64({0.25, -0.5})};
  const GradcheckReport report = gradcheck(f, inputs, {.name = "sin exp"});
  EXPECT_TRUE(report);
  EXPECT_EQ(report.message(), "sin exp: 6 derivatives agree with central differences");
  EXPECT_TRUE(report.failures().empty());
  EXPECT_GT(report.largest_gradient(), 0.1);
  EXPECT_TRUE(gradgradcheck(f, inputs)) << gradgradcheck(f, inputs).message();
}

TEST(HardCases, 101_float32_input_names_the_fix) {
  const TensorFunction f = [](const Inputs& in) { return in[0] * in[1]; };
  EXPECT_EQ(
      message_of<TypeError>([&] {
        gradcheck(f, {kPoint, ones({4})}, {.name = "product"});
      }),
      "gradcheck of product: input 1 is float32; need float64 (differences of float32 have no "
      "digits left; use to(x, float64))");
  EXPECT_EQ(message_of<TypeError>([&] {
              gradgradcheck(f, {zeros({4}, int64), kPoint});
            }),
            "gradcheck of f: input 0 is int64; need float64 (differences of float32 have no digits "
            "left; use to(x, float64))");
}

TEST(HardCases, 101_repeated_memory_is_refused) {
  const TensorFunction f = [](const Inputs& in) { return exp(in[0]); };
  const Tensor row = f64({1, 2, 3});
  EXPECT_EQ(
      message_of<ValueError>([&] {
        gradcheck(f, {broadcast_to(row, {2, 3})});
      }),
      "gradcheck of f: input 0 repeats elements: shape [2, 3]; need memory of its own, so that "
      "one element can be changed alone");
  EXPECT_TRUE(gradcheck(f, {broadcast_to(row, {1, 3})}));  // repeats nothing
  EXPECT_TRUE(gradcheck(f, {transpose(f64({{1, 2, 3}, {4, 5, 6}}))}));
  EXPECT_TRUE(gradcheck(f, {zeros({2, 0}, float64)}));
}

TEST(HardCases, 101_what_cannot_be_checked_throws) {
  EXPECT_EQ(message_of<TypeError>([&] {
              gradcheck([](const Inputs& in) { return to(in[0], int64); }, {kPoint},
                        {.name = "round"});
            }),
            "gradcheck of round: f returns int64; need float32 or float64");
  const TensorFunction f = [](const Inputs& in) { return in[0]; };
  const std::string none = "gradcheck of f: no inputs; need at least one to differentiate by";
  EXPECT_EQ(message_of<ValueError>([&] { gradcheck(f, {}); }), none);
  EXPECT_EQ(message_of<ValueError>([&] { gradgradcheck(f, {}); }), none);
  const std::string undefined =
      "Tensor: undefined: no tensor was assigned; need one (make it with tensor(...))";
  EXPECT_EQ(message_of<ValueError>([&] { gradcheck(f, {Tensor()}); }), undefined);
  EXPECT_EQ(
      message_of<ValueError>([&] { gradcheck([](const Inputs&) { return Tensor(); }, {kPoint}); }),
      undefined);
}

TEST(HardCases, 101_fast_mode_agrees_and_finds_a_wrong_derivative) {
  const GradcheckOptions fast{.fast = true};
  EXPECT_TRUE(gradcheck(wrong_cube(1.0), {kPoint}, fast));
  EXPECT_TRUE(gradgradcheck(wrong_cube(1.0), {kPoint}, fast));
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const GradcheckOptions options{.fast = true, .seed = seed, .name = "cube"};
    const GradcheckReport report = gradcheck(wrong_cube(1.001), {kPoint}, options);
    ASSERT_FALSE(report) << "seed " << seed;
    EXPECT_EQ(report.failures()[0].what, "gradient along a direction");
    EXPECT_FALSE(gradcheck(wrong_cube(1.01, 2), {kPoint}, options)) << "seed " << seed;
  }
}

TEST(HardCases, 101_a_kink_is_called_one) {
  const TensorFunction f = [](const Inputs& in) { return relu(in[0]); };
  const GradcheckReport report = gradcheck(f, {f64({1, 0, -1})}, {.name = "relu"});
  ASSERT_FALSE(report);
  ASSERT_EQ(report.failures().size(), 1u);
  EXPECT_EQ(report.failures()[0].what, "gradient at a kink");
  EXPECT_EQ(report.failures()[0].element, 1);
  EXPECT_EQ(report.failures()[0].analytic, 0);
  EXPECT_NE(
      report.message().find("relu: wrong gradient at a kink of input 0, element 1: analytic 0"),
      std::string::npos)
      << report.message();
  EXPECT_NE(
      report.message().find("(the one-sided slopes differ: move the input away from the kink)"),
      std::string::npos)
      << report.message();
  // A derivative that is wrong where the function is smooth is not taken for a kink.
  EXPECT_EQ(gradcheck(wrong_cube(1.5), {kPoint}).failures()[0].what, "gradient");
}

TEST(HardCases, 101_a_nondeterministic_function_is_reported) {
  int calls = 0;
  const TensorFunction f = [&](const Inputs& in) { return in[0] * static_cast<double>(++calls); };
  const GradcheckReport report = gradcheck(f, {kPoint}, {.name = "counting"});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.failures()[0].what, "nondeterministic value");
  EXPECT_NE(report.message().find("counting: nondeterministic value"), std::string::npos)
      << report.message();
  // The check can be turned off, for a function that draws the same numbers anew, say.
  calls = 0;
  const TensorFunction pure = [&](const Inputs& in) { return in[0] * 2.0; };
  EXPECT_TRUE(gradcheck(pure, {kPoint}, {.check_determinism = false}));
}

TEST(HardCases, 101_nan_fails) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const TensorFunction wrong =
      with_backward([](const Inputs& in) { return in[0] * 2.0; },
                    [nan](const Inputs&, const Tensor& dy) { return dy * nan; });
  EXPECT_FALSE(gradcheck(wrong, {kPoint}));
  EXPECT_FALSE(gradcheck(wrong, {kPoint}, {.fast = true}));
  EXPECT_FALSE(gradcheck([](const Inputs& in) { return log(in[0]); }, {f64({-1, 1})}));
  // One NaN among larger finite errors is what the message is about.
  const TensorFunction mixed = with_backward([](const Inputs& in) { return in[0] * 2.0; },
                                             [nan](const Inputs&, const Tensor& dy) {
                                               return dy * f64({9, nan, 9, 9});
                                             });
  const GradcheckReport report = gradcheck(mixed, {kPoint});
  EXPECT_EQ(report.failures()[0].element, 1);
  EXPECT_NE(report.message().find("analytic nan"), std::string::npos) << report.message();
}

TEST(HardCases, 101_report_names_everything) {
  const TensorFunction f = [](const Inputs& in) {
    return sum(in[0]) + wrong_cube(2.0, 2)({in[1]});
  };
  const GradcheckReport report = gradcheck(f, {f64({1, 2}), kPoint}, {.name = "my cube"});
  ASSERT_FALSE(report);
  ASSERT_EQ(report.failures().size(), 1u);
  const GradcheckReport::Failure& failure = report.failures()[0];
  EXPECT_EQ(failure.what, "gradient");
  EXPECT_EQ(failure.input, 1);
  EXPECT_EQ(failure.element, 2);
  EXPECT_NEAR(failure.analytic / failure.numeric, 2, 1e-6);
  const double tolerance = 1e-6 + 1e-6 * std::abs(failure.numeric);
  EXPECT_NEAR(failure.error_over_tolerance,
              std::abs(failure.analytic - failure.numeric) / tolerance,
              1e-9 * failure.error_over_tolerance);
  std::ostringstream want;
  want.precision(12);
  want << "my cube: wrong gradient of input 1, element 2: analytic " << failure.analytic
       << ", numeric " << failure.numeric << ", error " << failure.error_over_tolerance
       << " times the tolerance";
  EXPECT_EQ(report.message(), want.str());
}

TEST(HardCases, 101_one_wrong_element_is_located) {
  for (std::int64_t element = 0; element < 4; ++element) {
    const GradcheckReport report = gradcheck(wrong_cube(1.001, element), {kPoint});
    ASSERT_FALSE(report);
    ASSERT_EQ(report.failures().size(), 1u);
    EXPECT_EQ(report.failures()[0].element, element);
    EXPECT_EQ(report.message().find("elements fail"), std::string::npos) << report.message();
  }
  const GradcheckReport all = gradcheck(wrong_cube(1.001), {kPoint});
  EXPECT_NE(all.message().find("; 4 of 4 elements fail"), std::string::npos) << all.message();
  // Row-major, whatever the strides of the input.
  const GradcheckReport strided = gradcheck(
      [](const Inputs& in) {
        return where(f64({{0, 0, 0}, {1, 0, 0}}) > 0.0, relu(in[0]), in[0]);
      },
      {transpose(f64({{1, 0}, {2, 4}, {3, 5}}))});
  ASSERT_FALSE(strided);
  EXPECT_EQ(strided.failures()[0].element, 3);
}

TEST(HardCases, 101_a_missing_gradient_is_found) {
  const TensorFunction f = [](const Inputs& in) { return in[0] * detach(in[1]); };
  const GradcheckReport report = gradcheck(f, {kPoint, kPoint});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.failures()[0].input, 1);
  EXPECT_EQ(report.failures()[0].analytic, 0);
}

TEST(HardCases, 101_a_recording_tape_is_not_disturbed) {
  Tape tape;
  Var s = tape.input(3.0);
  const Tensor x = tape.input(kPoint);
  Var total = s * s;
  const Tensor y = sum(exp(x));
  const std::size_t size = tape.size();
  // Of tracked and untracked inputs, and closing over what the tape recorded.
  EXPECT_TRUE(gradcheck([](const Inputs& in) { return square(in[0]); }, {x}));
  EXPECT_TRUE(gradgradcheck([](const Inputs& in) { return exp(in[0]); }, {x}));
  EXPECT_TRUE(gradcheck([](const Inputs& in) { return sin(in[0]); }, {f64({1, 2})}));
  EXPECT_FALSE(gradcheck(wrong_cube(2.0), {kPoint}));
  EXPECT_THROW(gradcheck([](const Inputs& in) { return in[0]; }, {ones({2})}), TypeError);
  EXPECT_EQ(tape.size(), size);
  total += s;
  tape.backward(total, {.retain = true});
  EXPECT_EQ(s.grad(), 7.0);
  tape.backward(y);
  EXPECT_TRUE(allclose(x.grad(), exp(kPoint)));
}

TEST(HardCases, 101_inputs_and_parameters_are_left_alone) {
  const Tensor x = f64({0.5, 1.5});
  Tensor weight = f64({2, 3});
  weight.set_requires_grad();
  EXPECT_TRUE(gradcheck([&](const Inputs& in) { return in[0] * weight; }, {x}));
  EXPECT_TRUE(equal(x, f64({0.5, 1.5})));
  EXPECT_FALSE(x.has_grad());
  EXPECT_FALSE(weight.has_grad());
}

TEST(HardCases, 101_a_wrong_second_derivative_is_found) {
  // x^2 with the right derivative 2 x dy, computed by a function whose own derivative is wrong.
  const TensorFunction slope =
      with_backward([](const Inputs& in) { return in[0] * 2.0; },
                    [](const Inputs&, const Tensor& dy) { return dy * 2.5; });
  const TensorFunction f =
      with_backward([](const Inputs& in) { return in[0] * in[0]; },
                    [slope](const Inputs& in, const Tensor& dy) { return slope({in[0]}) * dy; });
  EXPECT_TRUE(gradcheck(f, {kPoint}));
  const GradcheckReport report = gradgradcheck(f, {kPoint}, {.name = "square"});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.failures()[0].input, 0);
  EXPECT_NE(report.message().find("the gradient of square: wrong gradient of input 0"),
            std::string::npos)
      << report.message();
  EXPECT_NEAR(report.failures()[0].analytic / report.failures()[0].numeric, 1.25, 1e-6);
}

TEST(HardCases, 101_tolerance_and_step_are_the_options) {
  EXPECT_TRUE(gradcheck(wrong_cube(1.001), {kPoint}, {.rtol = 1e-2}));
  EXPECT_TRUE(gradcheck(wrong_cube(1.001), {kPoint}, {.atol = 1}));
  EXPECT_FALSE(gradcheck(wrong_cube(1.0), {kPoint}, {.step = 0.1}));  // too coarse for a cube
}

TEST(HardCases, 101_changed_gradients_fail) {
  const TensorFunction f = [](const Inputs& in) { return in[0] * 3.0; };
  const TensorFunction flat = [](const Inputs& in) { return in[0] * 0.0; };
  EXPECT_TRUE(detail::gradcheck_changed(f, {kPoint}, {}, 1, 0));
  EXPECT_FALSE(detail::gradcheck_changed(f, {kPoint}, {}, 1.001, 0));
  EXPECT_TRUE(detail::gradcheck_changed(flat, {kPoint}, {}, 1.001, 0));
  EXPECT_FALSE(detail::gradcheck_changed(flat, {kPoint}, {}, 1, 0.001));
}

TEST(Gradcheck, RefusesOptionsOutOfRange) {
  const TensorFunction cube = [](const Inputs& in) { return in[0] * in[0] * in[0]; };
  const Inputs at = {f64({1, 2})};
  EXPECT_EQ(message_of<ValueError>([&] { gradcheck(cube, at, {.rtol = -1}); }),
            "gradcheck of f: rtol out of range: -1; need a finite number of at least 0");
  EXPECT_EQ(message_of<ValueError>(
                [&] { gradcheck(cube, at, {.atol = std::numeric_limits<double>::quiet_NaN()}); }),
            "gradcheck of f: atol out of range: nan; need a finite number of at least 0");
  EXPECT_EQ(message_of<ValueError>([&] { gradgradcheck(cube, at, {.step = -1e-9}); }),
            "gradcheck of f: step out of range: -1e-09; need a finite number of at least 0");
}

TEST(Text, FewestDigitsThatReadBack) {
  using detail::text;
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(text(500), "500");
  EXPECT_EQ(text(-1), "-1");
  EXPECT_EQ(text(0), "0");
  EXPECT_EQ(text(1000000), "1000000");
  EXPECT_EQ(text(0.1), "0.1");
  EXPECT_EQ(text(-1e-9), "-1e-09");
  EXPECT_EQ(text(1e300), "1e+300");
  EXPECT_EQ(text(infinity), "inf");
  EXPECT_EQ(text(-std::numeric_limits<double>::quiet_NaN()), "nan");
  EXPECT_EQ(std::stod(text(1.0 / 3)), 1.0 / 3);
  EXPECT_EQ(text(-2.2250738585072014e-308), "-2.2250738585072014e-308");
}

}  // namespace
}  // namespace autograd
