// SPDX-License-Identifier: Apache-2.0
// The rows of the list of hard cases that concern norms, variances, products, scans and orders; each
// test has the number of its row. Sums, maxima and softmax are in edge_test.cpp.
#include "support.hpp"

namespace ops_test {
namespace {

using namespace autograd;

using Function = std::function<Tensor(const Tensor&)>;

void expect_gradient(const Function& f, const Tensor& x, const Doubles& want, double tol = 1e-14) {
  expect_values(gradient(f, x), want, tol);
  expect_values(gradient(f, to(x, float32)), want, std::max(tol, 1e-6));
}

// The gradient of the sum of the gradient; zeros where that does not depend on x.
Doubles second(const Function& f, const Tensor& x) {
  const TensorFunction first = [&](const Inputs& in) { return sum(gradient(f, in[0])); };
  return values(autograd::grad(first, {x}, {.allow_unused = true})[0]);
}

// First and second derivatives against differences.
void expect_checks(const TensorFunction& f, const Tensor& x) {
  const auto first = gradcheck(f, {x});
  EXPECT_TRUE(first) << first.message();
  const auto both = gradgradcheck(f, {x});
  EXPECT_TRUE(both) << both.message();
}

TEST(HardCases, 4_norm_in_place_of_the_square_root_of_a_square) {
  const auto f = [](const Tensor& x) { return norm(x); };
  expect_gradient(f, f64({0}), {0});
  expect_gradient(f, f64({-2}), {-1});
}

TEST(HardCases, 5_norm_at_0) {
  for (double p : {0.5, 1.0, 1.5, 2.0, 3.0, kInf, -kInf, -1.0, 0.0}) {
    SCOPED_TRACE(p);
    const auto f = [&](const Tensor& x) { return norm(x, p, {1}); };
    const Tensor x = f64({{0, 0, 0}, {0, -0.0, 0}});
    expect_values(f(x), {0, 0});
    expect_gradient(f, x, {0, 0, 0, 0, 0, 0});
    expect_values(tensor(second(f, x)), {0, 0, 0, 0, 0, 0});
  }
  // An element at 0 beside others that are not.
  expect_gradient([](const Tensor& x) { return norm(x); }, f64({3, 0, -4}), {0.6, 0, -0.8});
  expect_gradient([](const Tensor& x) { return norm(x, 0.5); }, f64({1, 0, 1}), {2, 0, 2});
  expect_gradient([](const Tensor& x) { return norm(x, 1); }, f64({3, 0, -4}), {1, 0, -1});
  expect_gradient([](const Tensor& x) { return norm(x, -1); }, f64({3, 0, -4}), {0, 0, 0});
  expect_gradient([](const Tensor& x) { return norm(x, 0); }, f64({3, 0, -4}), {0, 0, 0});
}

TEST(HardCases, 5_norm_neither_overflows_nor_underflows) {
  for (double p : {1.5, 2.0, 3.0, 50.0, -2.0}) {
    SCOPED_TRACE(p);
    for (double size : {3e25, 3e-25, 1e-40}) {
      const Tensor x = tensor({size, -size, size, size});  // float32
      const double one = x.at({0}), want = one * std::pow(4.0, 1 / p);
      EXPECT_NEAR(norm(x, p).item() / want, 1, one < 1e-38 ? 1e-4 : 1e-6);
      const double slope = std::pow(4.0, (1 - p) / p);
      expect_values(gradient([&](const Tensor& t) { return norm(t, p); }, x),
                    {slope, -slope, slope, slope}, one < 1e-38 ? 1e-4 : 1e-5);
    }
    for (double size : {1e200, 1e-200}) {
      const double want = size * std::pow(2.0, 1 / p);
      EXPECT_NEAR(norm(f64({size, size}), p).item() / want, 1, 1e-14);
    }
  }
  expect_values(norm(f64({{kInf, 1}, {kNan, 1}, {0, 1e300}}), 2, {1}), {kInf, kNan, 1e300});
  EXPECT_EQ(norm(f64({kInf, 1}), 3).item(), kInf);
  EXPECT_TRUE(std::isnan(norm(f64({kNan, 1}), kInf).item()));
}

TEST(HardCases, 6_ties_of_the_infinity_norm) {
  const auto top = [](const Tensor& x) { return norm(x, kInf, {0}); };
  expect_gradient(top, f64({3, -3, 1, 3}), {1.0 / 3, -1.0 / 3, 0, 1.0 / 3}, 1e-15);
  const auto bottom = [](const Tensor& x) { return norm(x, -kInf); };
  expect_gradient(bottom, f64({3, -1, 1, 2}), {0, -0.5, 0.5, 0});
}

TEST(HardCases, 11_ties_share_but_an_index_takes_all) {
  const Tensor x = f64({{2, 5, 5}, {1, 1, 0}});
  expect_gradient([](const Tensor& t) { return amax(t, {1}); }, x, {0, 0.5, 0.5, 0.5, 0.5, 0});
  expect_gradient([](const Tensor& t) { return max(t, 1).values; }, x, {0, 1, 0, 1, 0, 0});
  expect_gradient([](const Tensor& t) { return min(t, 1).values; }, x, {1, 0, 0, 0, 0, 1});
  expect_gradient([](const Tensor& t) { return amin(t); }, f64({3, 1, 1}), {0, 0.5, 0.5});
  // One NaN spoils neither another line nor its own line's other elements.
  const Tensor y = f64({{1, kNan, 3}, {4, 5, 6}});
  expect_values(max(y, 1).values, {kNan, 6});
  expect_same(max(y, 1).indices, i64({1, 2}));
  expect_same(min(y, 1).indices, i64({1, 0}));
  expect_gradient([](const Tensor& t) { return amin(t, {1}); }, y, {0, 1, 0, 1, 0, 0});
}

TEST(HardCases, 25_other_reductions_of_nothing) {
  const Tensor nothing = zeros({0}, float64), rows = zeros({2, 0}, float64);
  EXPECT_EQ(prod(nothing).item(), 1);
  expect_same(prod(rows, {1}), f64({1, 1}));
  EXPECT_EQ(prod(rows, {0}).shape(), Shape{0});
  EXPECT_EQ(prod(zeros({0}, autograd::int64)).item(), 1);
  EXPECT_EQ(norm(nothing).item(), 0);
  EXPECT_EQ(norm(nothing, kInf).item(), 0);
  EXPECT_TRUE(std::isnan(var(nothing).item()));
  EXPECT_TRUE(std::isnan(autograd::std(nothing).item()));
  EXPECT_TRUE(std::isnan(median(nothing).item()));
  EXPECT_TRUE(std::isnan(nanmean(nothing).item()));
  EXPECT_EQ(nansum(nothing).item(), 0);
  EXPECT_EQ(any(nothing).item(), 0);
  EXPECT_EQ(all(nothing).item(), 1);
  EXPECT_EQ(count_nonzero(nothing).item(), 0);
  EXPECT_THROW(amax(nothing), ValueError);
  EXPECT_THROW(amin(rows, {1}), ValueError);
  EXPECT_THROW(max(rows, 1), ValueError);
  EXPECT_THROW(argmin(nothing), ValueError);
  EXPECT_EQ(max(rows, 0).indices.shape(), Shape{0});
  const std::vector<Function> all_of_them = {
      [](auto& x) { return prod(x); },          [](auto& x) { return norm(x, 3); },
      [](auto& x) { return median(x); },        [](auto& x) { return min(x, {0}); },
      [](auto& x) { return var(x, {0}); },      [](auto& x) { return sort(x).values; },
      [](auto& x) { return topk(x, 0).values; }};
  for (const Function& f : all_of_them) EXPECT_EQ(gradient(f, rows).shape(), Shape({2, 0}));
}

TEST(HardCases, 26_prod_with_zeros) {
  const TensorFunction rows = [](const Inputs& in) { return prod(in[0], {1}); };
  const TensorFunction every = [](const Inputs& in) { return prod(in[0]); };
  const Tensor x = f64({{2, 0, 3, -1}, {0, 5, 0, 2}, {0, 0, 0, 1}, {1, 2, 3, 4}});
  expect_gradient([&](const Tensor& t) { return rows({t}); }, x,
                  {0, -6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 24, 12, 8, 6});
  expect_checks(rows, x);
  expect_checks(every, f64({2, 0, 3, -1}));
  expect_checks(every, f64({{2, 0, 3}, {-1, 0, 2}}));
  // d2/dx0dx2 of x0 x1 x2 x3 at two zeros is the product of the others.
  const auto cross = [&](const Tensor& t) {
    return gradient([](const Tensor& s) { return prod(s); }, t) * f64({1, 0, 0, 0});
  };
  expect_values(gradient(cross, f64({0, 5, 0, 2})), {0, 0, 10, 0});
}

TEST(HardCases, 27_cumprod_with_zeros) {
  const TensorFunction f = [](const Inputs& in) { return cumprod(in[0], 1); };
  const TensorFunction back = [](const Inputs& in) { return cumprod(in[0], 1, {.reverse = true}); };
  const Tensor x = f64({{2, 0, 3, -1}, {0, 5, 0, 2}, {0, 0, 0, 1}, {1, 2, 3, 0}});
  expect_checks(f, x);
  expect_checks(back, x);
  expect_gradient([&](const Tensor& t) { return f({t}); }, f64({{2, 0, 3}}), {1, 8, 0});
  // Linear time: a quadratic rule would need 10^12 steps.
  const Tensor ones_and_zero =
      where(arange(1000000, float64) == 500000.0, 0.0, ones({1000000}, float64));
  const Tensor dx = gradient([](const Tensor& t) { return cumprod(t, 0); }, ones_and_zero);
  EXPECT_EQ(dx.at({0}), 500000);
  EXPECT_EQ(dx.at({500000}), 500000);
  EXPECT_EQ(dx.at({500001}), 0);
}

TEST(HardCases, 28_scans_of_scalars_and_of_nothing) {
  using Scan = Tensor (*)(const Tensor&, std::int64_t, ScanOptions);
  for (Scan f : {Scan{&cumsum}, Scan{&cumprod}, Scan{&logcumsumexp}}) {
    for (int axis : {0, -1}) {
      expect_same(f(tensor(3.0, float64), axis, {}), tensor(3.0, float64));
      expect_gradient([&](const Tensor& x) { return f(x, axis, {}); }, tensor(3.0, float64), {1});
    }
    for (const Shape& shape : {Shape{0}, Shape{2, 0}, Shape{0, 3}, Shape{2, 0, 3}}) {
      const Tensor nothing = zeros(shape, float64);
      expect_same(f(nothing, -1, {}), nothing);
      EXPECT_EQ(gradient([&](const Tensor& x) { return f(x, 0, {}); }, nothing).shape(), shape);
    }
  }
  expect_same(sort(tensor(3.0)).values, tensor(3.0));
  expect_same(max(tensor(3.0), 0).indices, tensor(0, autograd::int64));
}

TEST(HardCases, 29_correction_of_variances) {
  const Tensor x = f64({1, 2, 4, 9});
  EXPECT_NEAR(var(x).item(), 38.0 / 3, 1e-14);
  EXPECT_NEAR(var(x, {}, {.correction = 0}).item(), 38.0 / 4, 1e-14);
  EXPECT_NEAR(var(x, {}, {.correction = 2}).item(), 38.0 / 2, 1e-14);
  EXPECT_NEAR(autograd::std(x, {}, {.correction = 0}).item(), std::sqrt(38.0 / 4), 1e-14);
  const auto [v, m] = var_mean(x, {0}, {.keepdim = true});
  expect_values(v, {38.0 / 3}, 1e-14);
  expect_same(m, f64({4}));
}

TEST(HardCases, 30_variance_without_degrees_of_freedom) {
  const auto both = [](const Tensor& x, std::int64_t correction) {
    for (const Function& f :
         {Function([=](const Tensor& t) { return var(t, {}, {.correction = correction}); }),
          Function(
              [=](const Tensor& t) { return autograd::std(t, {}, {.correction = correction}); })}) {
      EXPECT_TRUE(std::isnan(f(x).item()));
      for (double dx : values(gradient(f, x))) EXPECT_TRUE(std::isnan(dx));
    }
  };
  both(f64({3}), 1);
  both(f64({3, 4}), 2);
  both(f64({3, 4}), 5);
}

TEST(HardCases, 31_std_of_a_constant) {
  const auto f = [](const Tensor& x) { return autograd::std(x, {1}); };
  const Tensor x = f64({{0.1, 0.1, 0.1}, {1, 2, 3}});
  expect_values(f(x), {0, 1}, 1e-15);
  expect_gradient(f, x, {0, 0, 0, -0.5, 0, 0.5});
  for (double h : second(f, f64({{7, 7, 7}}))) EXPECT_EQ(h, 0);
  expect_gradient([](const Tensor& t) { return autograd::std(t, {}, {.correction = 0}); }, f64({3}),
                  {0});
  expect_gradient([](const Tensor& t) { return var(t); }, f64({5, 5}), {0, 0});
}

// What varies by little around a large value keeps its digits, also in float32.
TEST(HardCases, 31_std_far_from_0) {
  const Tensor x = tensor({4096.25, 4096.5, 4096.75, 4097.0});
  EXPECT_NEAR(var(x).item(), 0.3125 / 3, 1e-8);
  expect_values(gradient([](const Tensor& t) { return var(t); }, x),
                {-0.25, -0.25 / 3, 0.25 / 3, 0.25}, 1e-7);
}

TEST(HardCases, 33_logcumsumexp_of_infinities) {
  const auto f = [](const Tensor& x) { return logcumsumexp(x, 1); };
  const double share = 1 / (1 + std::exp(1.0));
  const Tensor x = f64({{-kInf, -kInf, 1}, {-kInf, 1, 2}, {1, kInf, kInf}, {0, 0, -kInf}});
  const double ln2 = std::log(2.0);
  expect_values(
      f(x), {-kInf, -kInf, 1, -kInf, 1, 2 + std::log1p(std::exp(-1.0)), 1, kInf, kInf, 0, ln2, ln2},
      1e-15);
  expect_gradient(f, x, {0, 0, 1, 0, 1 + share, 1 - share, 1, 1.5, 0.5, 2, 1, 0});
  for (double h : second(f, x)) EXPECT_TRUE(std::isfinite(h));
  // In both directions and far apart.
  EXPECT_EQ(logcumsumexp(f64({1, 1e4}), 0, {.reverse = true}).at({0}), 1e4);
  expect_gradient([](const Tensor& t) { return logcumsumexp(t, 0); }, f64({1e4, -1e4, 0}),
                  {3, 0, 0});
  expect_checks([](const Inputs& in) { return logcumsumexp(in[0], 0); }, f64({-5, 3, 30, -20}));
}

TEST(HardCases, 33_second_derivative_of_logsumexp_of_infinities) {
  const auto f = [](const Tensor& t) { return logsumexp(t, 1); };
  const Tensor x = f64({{-kInf, -kInf}, {-kInf, 1}, {kInf, 1}});
  for (double h : second(f, x)) EXPECT_TRUE(std::isfinite(h));
}

TEST(HardCases, 37_orders_route_the_gradient_to_the_elements) {
  const Tensor x = f64({{3, 1, 2}, {5, 5, 4}}), w = f64({1, 10, 100});
  expect_gradient([&](const Tensor& t) { return sort(t).values * to(w, t.dtype()); }, x,
                  {100, 1, 10, 10, 100, 1});
  expect_gradient([](const Tensor& t) { return topk(t, 2, 1).values; }, x, {1, 0, 1, 1, 1, 0});
  expect_gradient([](const Tensor& t) { return kthvalue(t, 2, 1).values; }, x, {0, 0, 1, 1, 0, 0});
  expect_gradient([](const Tensor& t) { return median(t, 0).values; }, x, {1, 1, 1, 0, 0, 0});
  expect_gradient([](const Tensor& t) { return median(t); }, f64({2, 1, 2, 3, 2}),
                  {1.0 / 3, 0, 1.0 / 3, 0, 1.0 / 3}, 1e-15);
  EXPECT_EQ(median(f64({4, 1, 3, 2})).item(), 2);  // the lower of two
  const TensorFunction curved = [&](const Inputs& in) {
    return sort(square(in[0]), 0).values * in[0];
  };
  expect_checks(curved, f64({{3, 1, 2}, {5, -4, 4}}));
}

TEST(HardCases, 37_orders_are_stable) {
  const Tensor x = f64({1, -0.0, kNan, 0, 1, -kInf, kNan, kInf});
  expect_same(argsort(x), i64({5, 1, 3, 0, 4, 7, 2, 6}));
  expect_same(argsort(x, 0, {.descending = true}), i64({2, 6, 7, 0, 4, 1, 3, 5}));
  expect_same(topk(x, 4).indices, i64({2, 6, 7, 0}));
  expect_same(topk(x, 3, 0, {.largest = false}).indices, i64({5, 1, 3}));
  expect_same(kthvalue(x, 4).indices, tensor(0, autograd::int64));
  EXPECT_TRUE(std::isnan(median(x).item()));
  expect_same(median(x, 0).indices, tensor(2, autograd::int64));
}

// The indices are handed out: changing them after the forward pass is noticed.
TEST(HardCases, 68_indices_changed_before_backward) {
  Tape tape;
  const Tensor x = tape.input(f64({3, 1, 2}));
  auto [values, indices] = sort(x);
  fill_(indices, 0);
  EXPECT_THROW(tape.backward(sum(values)), TapeError);
}

}  // namespace
}  // namespace ops_test
