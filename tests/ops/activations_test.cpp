// SPDX-License-Identifier: Apache-2.0
// The functions of activations.hpp and elementwise.hpp that are not rows by themselves: parameters
// other than those that the walk over all rows takes, integers, comparisons, logic, and messages.
#include "support.hpp"

namespace ops_test {
namespace {

using namespace autograd;

// Value against the scalar, gradient, second order, and that a wrong gradient would be noticed.
void check(const char* name, const TensorFunction& f, const std::function<double(double)>& scalar,
           const Tensor& x) {
  SCOPED_TRACE(name);
  Doubles want;
  for (double element : values(x)) want.push_back(scalar(element));
  expect_values(f({x}), want, 1e-14);
  expect_values(f({to(x, float32)}), want, 2e-6);
  const GradcheckOptions options{.name = name};
  const auto first = gradcheck(f, {x}, options), second = gradgradcheck(f, {x}, options);
  EXPECT_TRUE(first) << first.message();
  EXPECT_TRUE(second) << second.message();
  EXPECT_FALSE(autograd::detail::gradcheck_changed(f, {x}, options, 1.001, 0));
}

#define CHECK_BOTH(x, ...)             \
  check(                               \
      #__VA_ARGS__,                    \
      [](const Inputs& in) -> Tensor { \
        const auto& t = in[0];         \
        return __VA_ARGS__;            \
      },                               \
      [](double t) -> double { return __VA_ARGS__; }, x)

TEST(Activations, OtherParameters) {
  const Tensor x = f64({{-4.5, -2.25, -1.1, -0.3}, {0.2, 0.9, 2.6, 5.5}});
  CHECK_BOTH(x, leaky_relu(t, 0.3));
  CHECK_BOTH(x, leaky_relu(t, -0.5));
  CHECK_BOTH(x, elu(t, 0.7));
  CHECK_BOTH(x, elu(t, -1.3));
  CHECK_BOTH(x, celu(t, 0.6));
  CHECK_BOTH(x, celu(t, -0.8));
  CHECK_BOTH(x, hardtanh(t, -2, 3));
  CHECK_BOTH(x, hardtanh(t, 0, 1));
  CHECK_BOTH(x, softplus(t, {.beta = 0.5, .threshold = 1}));
  CHECK_BOTH(x, softplus(t, {.beta = 5}));
  CHECK_BOTH(x, clamp(t, -2.0, 3.0));
  CHECK_BOTH(x, clamp(t, -kInf, 0.5));
  CHECK_BOTH(0.5 + 0.08 * x, logit(t, 0.25));
  CHECK_BOTH(0.5 + 0.08 * x, logit(t, 0));
  CHECK_BOTH(x, gelu_tanh(t));
}

TEST(Activations, DefaultsArePyTorchs) {
  const Tensor x = f64({-2, 3});
  expect_values(leaky_relu(x), {-0.02, 3}, 1e-15);
  expect_same(elu(x), elu(x, 1));
  expect_same(celu(x), celu(x, 1));
  expect_same(hardtanh(x), clamp(x, -1, 1));
  expect_same(softplus(x, {}), softplus(x), 1e-15);
  expect_same(gelu(x, {.approximate = GeluApproximation::tanh}), gelu_tanh(x));
  expect_values(softplus(x, {.threshold = 2}), {std::log1p(std::exp(-2.0)), 3}, 1e-15);
}

TEST(Activations, ManyElementsOnAllThreads) {
  Generator generator(3);
  const Tensor x = draw({300, 301}, generator, {-5, 5});
  const int threads = num_threads();
  for (const auto& f : {TensorFunction([](const Inputs& in) { return elu(in[0], 0.3); }),
                        TensorFunction([](const Inputs& in) { return gelu(in[0]); })}) {
    set_num_threads(1);
    const auto [y, dx] = vjp(f, {x}, x);
    set_num_threads(4);
    const auto [y_many, dx_many] = vjp(f, {x}, x);
    EXPECT_TRUE(equal(y, y_many));
    EXPECT_TRUE(equal(dx[0], dx_many[0]));
  }
  set_num_threads(threads);
}

// Vars of Duals, and the trace that finds the sparsity, take rows with parameters too.
TEST(Activations, SecondDerivativesOfScalars) {
  const auto f = [](const auto& x) {
    using V = std::decay_t<decltype(x[0])>;
    const V first = elu(x[0] * x[1], 1.5) + celu(x[2], 0.5) * gelu(x[1]);
    return V(first + leaky_relu(first) + xlogy(silu(x[0]), softplus(x[2], {.beta = 2})));
  };
  const std::vector<double> x = {-0.7, 0.9, -1.2};
  const TensorFunction same = [](const Inputs& in) {
    const Tensor first = elu(in[0] * in[1], 1.5) + celu(in[2], 0.5) * gelu(in[1]);
    return first + leaky_relu(first) + xlogy(silu(in[0]), softplus(in[2], {.beta = 2}));
  };
  Inputs wants = {f64(x[0]), f64(x[1]), f64(x[2])};
  const Tensor by_scalars = hessian(f, x), by_sparsity = sparse_hessian(f, x).dense();
  for (std::size_t i = 0; i < 3; ++i) {
    const Inputs row =
        grad([&](const Inputs& in) { return grad(same, in)[i]; }, wants, {.allow_unused = true});
    for (std::size_t j = 0; j < 3; ++j) {
      EXPECT_NEAR(by_scalars.data<double>()[3 * i + j], row[j].item(), 1e-14);
      EXPECT_NEAR(by_sparsity.data<double>()[3 * i + j], row[j].item(), 1e-14);
    }
  }
}

TEST(Elementwise, Composites) {
  Generator generator(4);
  const auto checked = [&](const char* name, const TensorFunction& f,
                           const std::vector<Shape>& shapes) {
    Inputs inputs;
    for (const Shape& shape : shapes) inputs.push_back(draw(shape, generator, {-2, 2}));
    const GradcheckOptions options{.name = name};
    const auto first = gradcheck(f, inputs, options), second = gradgradcheck(f, inputs, options);
    EXPECT_TRUE(first) << first.message();
    EXPECT_TRUE(second) << second.message();
    EXPECT_FALSE(autograd::detail::gradcheck_changed(f, inputs, options, 1.001, 0)) << name;
  };
  const TensorFunction by_weights = [](const Inputs& in) { return lerp(in[0], in[1], in[2]); };
  checked("lerp", by_weights, {{2, 3}, {2, 3}, {2, 3}});
  checked("lerp, repeated", by_weights, {{2, 1}, {3}, Shape{}});
  checked("lerp, strided", [](const Inputs& in) { return lerp(transpose(in[0]), in[1], in[2]); },
          {{3, 2}, {2, 3}, {3}});
  checked("lerp by a number", [](const Inputs& in) { return lerp(in[0], in[1], 0.25); },
          {{2, 3}, {3}});
  const TensorFunction between = [](const Inputs& in) { return clamp(in[0], in[1], in[2]); };
  checked("clamp", between, {{4, 3}, {4, 3}, {4, 3}});
  checked("clamp, repeated", between, {{4, 1}, {3}, Shape{}});
  checked("add", [](const Inputs& in) { return add(in[0], in[1], {.alpha = -3}); }, {{2, 3}, {3}});
  checked("sub", [](const Inputs& in) { return sub(in[0], in[1], {.alpha = 3}); }, {{2, 3}, {3}});
}

TEST(Elementwise, LerpMeetsItsEnds) {
  const Tensor a = f64({0.1, 1e17}), b = f64({0.7, 1});
  for (double weight : {0.0, 1.0}) {
    expect_same(lerp(a, b, weight), weight == 0 ? a : b);
    expect_same(lerp(a, b, f64(weight)), weight == 0 ? a : b);
  }
}

TEST(Elementwise, OperatorsByName) {
  const Tensor a = f64({6, -5}), b = f64({4, 2});
  expect_same(neg(a), f64({-6, 5}));
  expect_same(add(a, b, {.alpha = 2}), f64({14, -1}));
  expect_same(add(a, 3, {.alpha = 2}), f64({12, 1}));
  expect_same(sub(a, b, {.alpha = 2}), f64({-2, -9}));
  expect_same(sub(a, 1), f64({5, -6}));
  expect_same(mul(a, b), f64({24, -10}));
  expect_same(mul(a, 2), f64({12, -10}));
  expect_same(div(a, b), f64({1.5, -2.5}));
  expect_same(div(a, 4, {.rounding = Rounding::floor}), f64({1, -2}));
  expect_same(div(a, 4, {.rounding = Rounding::trunc}), f64({1, -1}));
  expect_same(xlogy(2, b), f64({2 * std::log(4.0), 2 * std::log(2.0)}), 1e-15);
  expect_same(xlogy(b, 2), f64({4 * std::log(2.0), 2 * std::log(2.0)}), 1e-15);
}

TEST(Elementwise, IntegersStayIntegers) {
  const auto expect_int = [](const Tensor& y, std::int64_t want) {
    EXPECT_EQ(to_vector<std::int64_t>(y), std::vector<std::int64_t>{want});
  };
  const Tensor x = i64({-3, 0, 2});
  expect_same(neg(x), i64({3, 0, -2}));
  expect_same(abs(x), i64({3, 0, 2}));
  expect_same(sign(x), i64({-1, 0, 1}));
  expect_same(square(x), i64({9, 0, 4}));
  expect_same(relu(x), i64({0, 0, 2}));
  expect_same(floor(x), x);
  expect_same(round(x), x);
  expect_same(fmod(x, 2), i64({-1, 0, 0}));
  expect_same(remainder(x, 2), i64({1, 0, 0}));
  expect_same(remainder(x, -2), i64({-1, 0, 0}));
  expect_same(pow(x, 2), i64({9, 0, 4}));
  expect_same(pow(i64({3, -2}), i64({4, 3})), i64({81, -8}));
  expect_same(clamp(x, -1, 1), i64({-1, 0, 1}));
  expect_same(clamp(x, ClampOptions{.min = 0}), i64({0, 0, 2}));
  expect_same(clamp(x, -1.5, 1), tensor({-1.5, 0.0, 1.0}));
  expect_same(nan_to_num(x), x);
  expect_same(div(x, i64(2)), tensor({-1.5, 0.0, 1.0}));
  expect_same(div(x, i64(2), {.rounding = Rounding::floor}), i64({-2, 0, 1}));
  expect_same(div(x, i64(2), {.rounding = Rounding::trunc}), i64({-1, 0, 1}));
  expect_int(neg(i64({std::int64_t{9007199254740993}})), -9007199254740993);
  EXPECT_EQ(gelu(x).dtype(), float32);
  const std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
  const Tensor smallest = tensor(std::vector<std::int64_t>{lowest});
  for (const Tensor& y :
       {neg(smallest), abs(smallest), div(smallest, i64(-1), {Rounding::floor})}) {
    expect_int(y, lowest);  // wraps around
  }
  expect_int(remainder(smallest, i64(-1)), 0);
}

TEST(Elementwise, ComparisonsAndLogic) {
  const Tensor a = f64({1, 2, 3, kNan}), b = f64({2, 2, 2, 2});
  const auto truth = [](const Tensor& x) { return to(x, int64); };
  expect_same(truth(eq(a, b)), i64({0, 1, 0, 0}));
  expect_same(truth(ne(a, b)), i64({1, 0, 1, 1}));
  expect_same(truth(lt(a, b)), i64({1, 0, 0, 0}));
  expect_same(truth(le(a, b)), i64({1, 1, 0, 0}));
  expect_same(truth(gt(a, b)), i64({0, 0, 1, 0}));
  expect_same(truth(ge(a, b)), i64({0, 1, 1, 0}));
  for (const auto& [by_number, by_tensor] :
       std::vector<std::pair<Tensor, Tensor>>{{eq(a, 2), eq(a, b)},
                                              {ne(a, 2), ne(a, b)},
                                              {lt(a, 2), lt(a, b)},
                                              {le(a, 2), le(a, b)},
                                              {gt(a, 2), gt(a, b)},
                                              {ge(a, 2), ge(a, b)}}) {
    expect_same(by_number, by_tensor);
    EXPECT_EQ(by_number.dtype(), boolean);
  }
  const Tensor p = f64({{0}, {kNan}}), q = i64({0, -5});  // numbers count as true unless 0
  expect_same(truth(logical_and(p, q)), i64({{0, 0}, {0, 1}}));
  expect_same(truth(logical_or(p, q)), i64({{0, 1}, {1, 1}}));
  expect_same(truth(logical_xor(p, q)), i64({{0, 1}, {1, 0}}));
  expect_same(truth(logical_not(p)), i64({{1}, {0}}));
  EXPECT_EQ(logical_not(zeros({0, 2})).shape(), (Shape{0, 2}));
}

TEST(Elementwise, TestsOfNumbers) {
  const Tensor x = transpose(f64({{kNan, 1, -kInf}, {kInf, -0.0, 2}}));
  for (const DType dtype : {float32, float64}) {
    expect_values(isnan(to(x, dtype)), {1, 0, 0, 0, 0, 0});
    expect_values(isinf(to(x, dtype)), {0, 1, 0, 0, 1, 0});
    expect_values(isfinite(to(x, dtype)), {0, 0, 1, 1, 0, 1});
  }
  expect_values(isfinite(i64({1, 2})), {1, 1});
  expect_values(isnan(i64({1, 2})), {0, 0});
  EXPECT_EQ(isinf(x).dtype(), boolean);
  Tape tape;  // nothing is recorded of them
  const Tensor input = tape.input(x);
  const std::size_t size = tape.size();
  logical_and(isnan(input), ge(input, 0));
  EXPECT_EQ(tape.size(), size);
}

TEST(Elementwise, NanToNum) {
  const Tensor x = f64({kNan, kInf, -kInf, 2});
  const double largest = std::numeric_limits<double>::max();
  expect_values(nan_to_num(x), {0, largest, -largest, 2});
  const double narrow = double{std::numeric_limits<float>::max()};
  expect_values(nan_to_num(to(x, float32)), {0, narrow, -narrow, 2});
  expect_values(nan_to_num(x, {.nan = 1, .posinf = 3, .neginf = -4}), {1, 3, -4, 2});
}

TEST(Elementwise, Messages) {
  const Tensor x = f64({1, 2}), other = f64({1, 2, 3});
  Tape tape;
  const Tensor input = tape.input(x);
  const std::size_t size = tape.size();
  expect_message<ValueError>("celu: alpha is 0; need another number", [&] { celu(input, 0); });
  expect_message<ValueError>("softplus: beta is 0; need another number",
                             [&] { softplus(input, {.beta = 0}); });
  expect_message<ValueError>("hardtanh: the bounds are 2 and 1; need low <= high",
                             [&] { hardtanh(input, 2, 1); });
  expect_message<ValueError>("logit: eps is 0.6; need 0 <= eps <= 0.5", [&] { logit(input, 0.6); });
  expect_message<ValueError>("logit: eps is nan; need 0 <= eps <= 0.5",
                             [&] { logit(input, kNan); });
  expect_message<ValueError>(
      "clamp: a bound is NaN: min is nan, max is 1; need numbers (infinities for no bound)",
      [&] { clamp(input, kNan, 1); });
  expect_message<ValueError>("clamp: both bounds are undefined; need at least one",
                             [&] { clamp(input, Tensor(), Tensor()); });
  EXPECT_THROW(clamp(input, other, Tensor()), ShapeError);
  EXPECT_THROW(clamp(input, Tensor(), other), ShapeError);
  EXPECT_THROW(lerp(input, x, other), ShapeError);
  EXPECT_THROW(logical_and(input, other), ShapeError);
  EXPECT_EQ(tape.size(), size);
  expect_message<ValueError>(
      "div: a divisor is 0: element 1 of the result; need a divisor other than 0 (or "
      "floating-point operands)",
      [&] {
        div(i64({1, 2}), i64({1, 0}), {.rounding = Rounding::floor});
      });
  expect_message<ValueError>(
      "remainder: a divisor is 0; need another number (or floating-point operands)",
      [&] { remainder(i64({1}), i64({0})); });
  expect_message<ValueError>(
      "pow: a negative exponent of an integer: -1; need an exponent >= 0 (or floating-point "
      "operands)",
      [&] { pow(i64({2}), i64({-1})); });
}

}  // namespace
}  // namespace ops_test
