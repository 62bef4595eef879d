// SPDX-License-Identifier: Apache-2.0
// Kinks, ties, saturation, singular points, NaN and infinity, nothing at all: the rows of the list of
// hard cases that concern values and slopes, for scalars and for tensors. Each test has the number of
// its row. Those about shapes, graphs and lifetime are in graph_edge_test.cpp.
#include "support.hpp"

namespace ops_test {
namespace {

using namespace autograd;

// The slope of the row at x: of a Var, of a float64 and of a float32 tensor, all of which must agree.
template <class F> void expect_slope(F&& f, double x, double want, double tolerance = 1e-15) {
  const double scalar = derivative(f, x);
  EXPECT_TRUE(near(scalar, want, tolerance))
      << "Var at " << x << ": " << scalar << ", want " << want;
  const auto of_tensor = [&](const Tensor& t) -> Tensor { return f(t); };
  SCOPED_TRACE("tensor at " + std::to_string(x));
  expect_values(gradient(of_tensor, f64({x, x})), {want, want}, tolerance);
  expect_values(gradient(of_tensor, tensor({x, x})), {want, want}, std::max(tolerance, 1e-6));
}

// The two slopes of f(a, b).
template <class F>
void expect_slopes(F&& f, double a, double b, double want_a, double want_b,
                   double tolerance = 1e-15) {
  Tape tape;
  const Var va = tape.input(a), vb = tape.input(b);
  const Var y = f(va, vb);
  tape.backward(y);
  EXPECT_TRUE(near(va.grad(), want_a, tolerance)) << "Var: " << va.grad() << ", want " << want_a;
  EXPECT_TRUE(near(vb.grad(), want_b, tolerance)) << "Var: " << vb.grad() << ", want " << want_b;
  const auto dx =
      autograd::grad([&](const Inputs& in) { return sum(f(in[0], in[1])); }, {f64({a}), f64({b})});
  expect_values(dx[0], {want_a}, tolerance);
  expect_values(dx[1], {want_b}, tolerance);
}

// d2f/dx2 of a function of tensors at a point.
double second_derivative(const std::function<Tensor(const Tensor&)>& f, double x) {
  return gradient([&](const Tensor& t) { return gradient(f, t); }, f64({x})).item();
}

TEST(HardCases, 1_where_hides_the_side_not_taken) {
  const auto f = [](const auto& x) { return where(x > 0.0, sqrt(x), x * 3.0); };
  expect_slope(f, 0, 3);
  expect_slope(f, 4, 0.25);
  expect_slope([](const auto& x) { return where(x > 0.0, log(x) / x, 0.0 * x); }, 0, 0);
  expect_slope([](const auto& x) { return where(x < 1.0, x, 1.0 / (x - x)); }, 0.5, 1);
  // Named before the choice, and in the second derivative.
  Tape tape;
  const Var x = tape.input(0.0);
  const Var root = sqrt(x), quotient = 1.0 / x;
  const Var y = where(x > 0.0, root * quotient, x);
  tape.backward(y);
  EXPECT_EQ(x.grad(), 1);
  EXPECT_EQ(
      second_derivative([](const Tensor& t) { return where(t > 0.0, sqrt(t), square(t)); }, 0), 2);
}

TEST(HardCases, 2_masks_select) {
  const Tensor c = f64({1, 0}) > 0.5;
  const TensorFunction f = [&](const Inputs& in) { return where(c, in[0], in[1]); };
  for (double dy : {kInf, -kInf, kNan}) {
    const Inputs dx = vjp(f, {f64({1, 1}), f64({2, 2})}, f64({dy, dy})).second;
    expect_values(dx[0], {dy, 0});
    expect_values(dx[1], {0, dy});
  }
}

TEST(HardCases, 3_sqrt_at_0) {
  expect_slope([](const auto& x) { return sqrt(x); }, 0, kInf);
  expect_slope([](const auto& x) { return sqrt(x); }, -1, kNan);
}

TEST(HardCases, 4_sqrt_of_a_square_at_0) {
  expect_slope([](const auto& x) { return sqrt(square(x)); }, 0, kNan);
  expect_slope([](const auto& x) { return sqrt(square(x)); }, -2, -1);
}

TEST(HardCases, 7_abs_at_0) {
  for (double zero : {0.0, -0.0}) expect_slope([](const auto& x) { return abs(x); }, zero, 0);
  expect_slope([](const auto& x) { return abs(x); }, -1e-30, -1);
}

TEST(HardCases, 8_relu_at_0) {
  for (double zero : {0.0, -0.0}) expect_slope([](const auto& x) { return relu(x); }, zero, 0);
  expect_slope([](const auto& x) { return relu(x); }, 1e-30, 1);
  expect_values(relu(f64({kNan, -kInf, kInf})), {kNan, 0, kInf});
}

TEST(HardCases, 10_ties_of_max_and_min) {
  expect_slopes([](const auto& a, const auto& b) { return max(a, b); }, 2, 2, 0.5, 0.5);
  expect_slopes([](const auto& a, const auto& b) { return min(a, b); }, 2, 2, 0.5, 0.5);
  expect_slopes([](const auto& a, const auto& b) { return max(a, b); }, 0.0, -0.0, 0.5, 0.5);
  expect_slopes([](const auto& a, const auto& b) { return max(a, b); }, 1, 2, 0, 1);
  expect_slopes([](const auto& a, const auto& b) { return min(a, b); }, 1, 2, 1, 0);
  expect_slope([](const auto& x) { return max(x, x); }, 2, 1);
  expect_values(max(f64({kNan, 1}), f64({1, kNan})), {kNan, kNan});
  expect_values(min(f64({kNan, 1}), f64({1, kNan})), {kNan, kNan});
}

TEST(HardCases, 11_ties_of_the_largest_element) {
  const auto top = [](const Tensor& x) { return max(x); };
  expect_values(gradient(top, f64({3, 1, 3, 3})), {1.0 / 3, 0, 1.0 / 3, 1.0 / 3}, 1e-15);
  expect_values(gradient([](const Tensor& x) { return max(x, {1}); }, f64({{2, 2}, {1, 5}})),
                {0.5, 0.5, 0, 1});
  expect_values(gradient(top, f64({-kInf, -kInf})), {0.5, 0.5});
  expect_values(gradient(top, f64({1, kNan, 2})), {0, 1, 0});  // one NaN does not spoil the others
  expect_values(max(f64({1, kNan, 2})), {kNan});
}

TEST(HardCases, 12_power_of_0) {
  const auto power = [](const auto& a, const auto& b) { return pow(a, b); };
  expect_slope([](const auto& x) { return pow(x, 0.0); }, 0, 0);
  expect_slope([](const auto& x) { return pow(x, 1.0); }, 0, 1);
  expect_slope([](const auto& x) { return pow(x, 2.0); }, 0, 0);
  expect_slope([](const auto& x) { return pow(x, -1.0); }, 0, -kInf);
  expect_slopes(power, 0, 0, 0, 0);
}

TEST(HardCases, 13_exponent_of_0) {
  const auto power = [](const auto& a, const auto& b) { return pow(a, b); };
  expect_slopes(power, 0, 2, 0, 0);
  expect_slopes(power, 0, 0.5, kInf, 0);
  expect_slopes(power, 0, -1, -kInf, -kInf);
  expect_slope([](const auto& y) { return pow(0.0, y); }, 3, 0);
}

TEST(HardCases, 14_exponent_of_a_negative_number) {
  expect_slopes([](const auto& a, const auto& b) { return pow(a, b); }, -2, 3, 12, kNan);
  expect_slope([](const auto& x) { return pow(x, 3.0); }, -2,
               12);  // nobody asks for the exponent's
  expect_slope([](const auto& x) { return pow(x, 0.5); }, -2, kNan);
}

TEST(HardCases, 15_second_derivative_of_a_square_at_0) {
  EXPECT_EQ(second_derivative([](const Tensor& x) { return pow(x, 2.0); }, 0), 2);
  EXPECT_EQ(second_derivative([](const Tensor& x) { return square(x); }, 0), 2);
  EXPECT_EQ(second_derivative([](const Tensor& x) { return pow(x, 1.0); }, 0), 0);
  EXPECT_EQ(second_derivative([](const Tensor& x) { return pow(x, 0.0); }, 0), 0);
  EXPECT_EQ(second_derivative([](const Tensor& x) { return pow(x, 3.0); }, 0), 0);
  EXPECT_EQ(second_derivative([](const Tensor& x) { return pow(x, 2.0); }, -3), 2);
}

TEST(HardCases, 16_log_at_0_and_below) {
  expect_slope([](const auto& x) { return log(x); }, 0, kInf);
  expect_slope([](const auto& x) { return log(x); }, -1, -1);
  expect_slope([](const auto& x) { return log1p(x); }, -1, kInf);
  expect_values(log(f64({0, -1})), {-kInf, kNan});
}

TEST(HardCases, 18_asin_and_acos_at_their_ends) {
  for (double end : {-1.0, 1.0}) {
    expect_slope([](const auto& x) { return asin(x); }, end, kInf);
    expect_slope([](const auto& x) { return acos(x); }, end, -kInf);
    expect_slope([](const auto& x) { return asin(x); }, 2 * end, kNan);
  }
}

TEST(HardCases, 19_softplus_and_its_kind_far_out) {
  const auto soft = [](const auto& x) { return softplus(x); };
  expect_slope(soft, 1000, 1);
  expect_slope(soft, -1000, 0);
  expect_slope(soft, 0, 0.5);
  expect_slope([](const auto& x) { return sigmoid(x); }, 1000, 0);
  expect_slope([](const auto& x) { return sigmoid(x); }, -1000, 0);
  expect_values(softplus(f64({1000, -1000, 25, -40})),
                {1000, 0, 25 + std::exp(-25.0), std::exp(-40.0)}, 1e-15);
  EXPECT_NEAR(softplus(f64({-40})).item() / std::exp(-40.0), 1, 1e-14);  // relative, out there
  expect_values(sigmoid(f64({1000, -1000})), {1, 0});
  const auto loss = [](const Tensor& x) {
    return binary_cross_entropy_with_logits(x, f64({1, 1, 0}));
  };
  expect_values(loss(f64({1000, -1000, 1000})), {0, 1000, 1000});
  expect_values(gradient(loss, f64({1000, -1000, 1000})), {0, -1, 1});
}

TEST(HardCases, 20_small_arguments_and_tails) {
  const double tiny = 1e-20;
  EXPECT_EQ(log1p(f64({tiny})).item(), tiny);
  EXPECT_EQ(expm1(f64({tiny})).item(), tiny);
  expect_slope([](const auto& x) { return log1p(x); }, tiny, 1);
  Tape tape;
  const Var x = tape.input(-50.0);
  const Var y = expm1(x);
  tape.backward(y);
  EXPECT_NEAR(x.grad() / std::exp(-50.0), 1, 1e-14);
  EXPECT_NEAR(
      gradient([](const Tensor& t) { return expm1(t); }, f64({-50})).item() / std::exp(-50.0), 1,
      1e-14);
  // sigmoid' keeps its digits in the lower tail.
  EXPECT_NEAR(
      gradient([](const Tensor& t) { return sigmoid(t); }, f64({-300})).item() / std::exp(-300.0),
      1, 1e-13);
}

TEST(HardCases, 24_division_by_0) {
  const auto quotient = [](const auto& a, const auto& b) { return a / b; };
  expect_slopes(quotient, 1, 0, kInf, -kInf);
  expect_slopes(quotient, 0, 0, kInf, kNan);
  expect_values(f64({1, -1, 0}) / f64({0, 0, 0}), {kInf, -kInf, kNan});
}

TEST(HardCases, 25_reductions_of_nothing) {
  const Tensor nothing = zeros({0}, float64), rows = zeros({2, 0}, float64);
  EXPECT_EQ(sum(nothing).item(), 0);
  EXPECT_TRUE(std::isnan(mean(nothing).item()));
  EXPECT_THROW(max(nothing), ValueError);
  expect_same(sum(rows, {1}), f64({0, 0}));
  expect_same(mean(rows, {-1}), f64({kNan, kNan}));
  EXPECT_EQ(max(rows, {0}).shape(), Shape{0});  // no element, but none is asked for
  EXPECT_EQ(sum(rows, {0}).shape(), Shape{0});
  for (const auto& f :
       {std::function<Tensor(const Tensor&)>([](auto& x) { return sum(x); }),
        std::function<Tensor(const Tensor&)>([](auto& x) { return mean(x); }),
        std::function<Tensor(const Tensor&)>([](auto& x) { return max(x, {0}); })}) {
    EXPECT_EQ(gradient(f, rows).shape(), Shape({2, 0}));
  }
  expect_same(logsumexp(rows, 1), f64({-kInf, -kInf}));
}

TEST(HardCases, 32_large_logits) {
  const Tensor logits = f64({{1e4, 1e4 + 0.5, 9999}, {-1e4, -1e4 - 0.25, -1e4}, {1e4, -1e4, 0}});
  EXPECT_NEAR(sum(softmax(logits, 1)).item(), 3, 1e-14);
  for (const TensorFunction& f :
       {TensorFunction([](const Inputs& in) { return softmax(in[0], 1); }),
        TensorFunction([](const Inputs& in) { return log_softmax(in[0], 1); }),
        TensorFunction([](const Inputs& in) { return logsumexp(in[0], 1); })}) {
    // h for |x| = 1e4 would be 0.06, a step that sees the curvature.
    const auto report = gradcheck(f, {logits}, {.step = 1e-4});
    EXPECT_TRUE(report) << report.message();
  }
}

TEST(HardCases, 33_logsumexp_of_minus_infinities) {
  const Tensor x = f64({{-kInf, -kInf}, {-kInf, 1}});
  const auto f = [](const Tensor& t) { return logsumexp(t, 1); };
  expect_values(f(x), {-kInf, 1});
  expect_values(gradient(f, x), {0, 0, 0, 1});
}

TEST(HardCases, 34_logsumexp_of_infinities) {
  const Tensor x = f64({{kInf, 1, kInf}, {1, 2, 3}});
  const auto f = [](const Tensor& t) { return logsumexp(t, 1); };
  const Tensor weights = softmax(f64({1, 2, 3}), 0);
  expect_values(gradient(f, x), {0.5, 0, 0.5, weights.at({0}), weights.at({1}), weights.at({2})},
                1e-15);
  EXPECT_EQ(f(x).at({0}), kInf);
}

TEST(HardCases, 35_softmax_of_a_masked_row) {
  const Tensor x = f64({{-kInf, -kInf}, {-kInf, 1}});
  expect_values(softmax(x, 1), {0, 0, 0, 1});
  expect_values(gradient(
                    [](const Tensor& t) {
                      return softmax(t, 1) * f64({1, 2});
                    },
                    x),
                {0, 0, 0, 0});
}

// Every row as <cmath> has it, in value and slope, wherever there is something special.
TEST(Special, RowsFollowTheirFormulas) {
  const Doubles special = {kNan, kInf,  -kInf,  0.0,    -0.0, 1,   -1,
                           0.5,  1e300, -1e300, 5e-324, 710,  -746};
  for (const RowCalls& row : all_rows()) {
    Doubles a, b;
    for (double x : special) {
      for (double z : row.arity == 2 ? special : Doubles{0}) {
        a.push_back(x);
        b.push_back(z);
      }
    }
    const Inputs inputs = row.arity == 1 ? Inputs{tensor(a)} : Inputs{tensor(a), tensor(b)};
    const auto [y, dx] = vjp(row.f, inputs, ones({static_cast<std::int64_t>(a.size())}, float64));
    const Doubles got = values(y);
    for (std::size_t i = 0; i < a.size(); ++i) {
      const double value = row.value(a[i], b[i]);
      // The losses subtract terms of the size of their arguments, far outside of where they are used.
      const double size = row.info.ulp > 4 ? 1 + std::abs(a[i]) + std::abs(b[i]) : 1;
      EXPECT_TRUE(near(got[i], value, 1e-14 * size))
          << row.info.name << "(" << a[i] << ", " << b[i] << "): " << got[i] << ", want " << value;
      for (std::size_t k = 0; k < dx.size(); ++k) {
        const double have = values(dx[k])[i],
                     slope = row.slope(static_cast<int>(k), a[i], b[i], value);
        EXPECT_TRUE(near(have, slope, 1e-13))
            << row.info.name << " slope " << k << " at (" << a[i] << ", " << b[i] << "): " << have
            << ", want " << slope;
      }
    }
  }
}

// NaN and infinities through every structured case, forward and backward: results of the right shape,
// or, from a decomposition, a message of what it needs.
TEST(Special, StructuredOpsSurviveNanAndInfinity) {
  for (const ops::OpEntry& op : ops::differentiable_functions()) {
    for (const ops::OpCase& c : op.cases) {
      SCOPED_TRACE(op.name + ", " + c.label);
      for (double value : {kNan, kInf, -kInf}) {
        Inputs inputs;
        for (const Shape& shape : c.inputs) inputs.push_back(full(shape, value, float64));
        try {
          const Tensor y = c.f(inputs);
          const Inputs dx = vjp(c.f, inputs, ones_like(y)).second;
          for (std::size_t k = 0; k < dx.size(); ++k) EXPECT_EQ(dx[k].shape(), c.inputs[k]);
        } catch (const ValueError& error) {
          EXPECT_NE(std::string(error.what()).find("; need "), std::string::npos) << error.what();
        }
      }
    }
  }
}

// Nothing at all through every structured op: forward, backward and second order.
TEST(Special, StructuredOpsTakeEmptyTensors) {
  const auto check = [](const char* name, const std::vector<Shape>& shapes, const TensorFunction& f,
                        const Shape& result) {
    SCOPED_TRACE(name);
    Inputs inputs;
    for (const Shape& shape : shapes) inputs.push_back(full(shape, 0.5, float64));
    EXPECT_EQ(f(inputs).shape(), result);
    const auto first = gradcheck(f, inputs), second = gradgradcheck(f, inputs);
    EXPECT_TRUE(first) << first.message();
    EXPECT_TRUE(second) << second.message();
  };
  check("sum", {{0, 3}}, [](auto& in) { return sum(in[0]); }, {});
  check("sum, rows", {{0, 3}}, [](auto& in) { return sum(in[0], {0}); }, {3});
  check("sum, columns", {{0, 3}}, [](auto& in) { return sum(in[0], {1}); }, {0});
  check("mean, columns", {{0, 3}}, [](auto& in) { return mean(in[0], {1}); }, {0});
  check("max, columns", {{0, 3}}, [](auto& in) { return max(in[0], {1}); }, {0});
  check("sum_to", {{0, 3}}, [](auto& in) { return sum_to(in[0], {1, 3}); }, {1, 3});
  check("logsumexp", {{0, 3}}, [](auto& in) { return logsumexp(in[0], 1); }, {0});
  check("softmax, rows", {{0, 3}}, [](auto& in) { return softmax(in[0], 0); }, {0, 3});
  check("softmax, columns", {{0, 3}}, [](auto& in) { return softmax(in[0], 1); }, {0, 3});
  check("log_softmax", {{0, 3}}, [](auto& in) { return log_softmax(in[0], 1); }, {0, 3});
  const TensorFunction product = [](auto& in) { return matmul(in[0], in[1]); };
  check("matmul, no rows", {{0, 3}, {3, 2}}, product, {0, 2});
  check("matmul, no columns", {{2, 3}, {3, 0}}, product, {2, 0});
  check("matmul, nothing to sum", {{2, 0}, {0, 3}}, product, {2, 3});
  check("matmul, no batch", {{0, 2, 3}, {3, 2}}, product, {0, 2, 2});
  check("matmul, vectors", {{0}, {0}}, product, {});
  const TensorFunction layer = [](auto& in) { return linear(in[0], in[1], in[2]); };
  check("linear, no rows", {{0, 3}, {2, 3}, {2}}, layer, {0, 2});
  check("linear, no outputs", {{4, 3}, {0, 3}, {0}}, layer, {4, 0});
  check("linear, no inputs", {{4, 0}, {2, 0}, {2}}, layer, {4, 2});
  check("transpose", {{0, 3}}, [](auto& in) { return transpose(in[0]) * 1.0; }, {3, 0});
  check("reshape", {{0, 3}}, [](auto& in) { return reshape(in[0], Shape{2, 0}); }, {2, 0});
  check("broadcast_to", {{1, 3}}, [](auto& in) { return broadcast_to(in[0], {0, 3}); }, {0, 3});
  check("contiguous", {{0, 3}}, [](auto& in) { return contiguous(transpose(in[0])); }, {3, 0});
  check("where", {{0, 3}, {3}}, [](auto& in) { return where(in[0] > 0.0, in[0], in[1]); }, {0, 3});
  check("pick", {{0, 3}}, [](auto& in) { return pick(in[0], zeros({0}, autograd::int64)); }, {0});
  check("unpick", {{0}}, [](auto& in) { return unpick(in[0], zeros({0}, autograd::int64), 3); },
        {0, 3});
}

TEST(Special, NumbersBesideIntegerTensors) {
  expect_same(i64({1, 2}) + 2.0, i64({3, 4}));
  expect_values(i64({1, 2}) + 0.5, {1.5, 2.5});
  expect_values(i64({1, 2}) + kInf, {kInf, kInf});
  expect_values(i64({1, 2}) * 1e30, {1e30, 2e30}, 1e-6);
  EXPECT_EQ((i64({1}) * 1e30).dtype(), float32);
}

}  // namespace
}  // namespace ops_test
