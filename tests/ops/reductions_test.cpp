// SPDX-License-Identifier: Apache-2.0
// What reductions.hpp adds to the op list: integers, truth values, options, positions, messages.
// Values and derivatives of the ops are checked in structured_value_test.cpp and op_walk_test.cpp.
#include "support.hpp"

#include <algorithm>
#include <numeric>

namespace ops_test {
namespace {

using namespace autograd;

constexpr std::int64_t kLarge = (std::int64_t{1} << 53) + 1;  // no double

std::int64_t integer(const Tensor& x) { return to_vector<std::int64_t>(x).at(0); }
Tensor truth(const NestedList& list) { return tensor(list, boolean); }

TEST(Reductions, IntegersAreExact) {
  const Tensor x = tensor(std::vector<std::int64_t>{kLarge, 2, -3});
  EXPECT_EQ(integer(sum(x)), kLarge - 1);
  EXPECT_EQ(integer(max(x)), kLarge);
  EXPECT_EQ(integer(amin(-1 * x)), -kLarge);
  EXPECT_EQ(integer(max(x, 0).values), kLarge);
  EXPECT_EQ(integer(sort(x, 0, {.descending = true}).values), kLarge);
  EXPECT_EQ(integer(cumsum(x, 0, {.reverse = true})), kLarge - 1);
  EXPECT_EQ(integer(prod(tensor(std::vector<std::int64_t>{kLarge, -1}))), -kLarge);
  expect_same(cumprod(i64({2, 3, 4}), 0), i64({2, 6, 24}));
  expect_same(sum(i64({{1, 2, 3}, {4, 5, 6}}), {0}), i64({5, 7, 9}));
  expect_same(sum(transpose(i64({{1, 2, 3}, {4, 5, 6}})), {0}, {.keepdim = true}), i64({{6, 15}}));
  expect_same(prod(i64({{1, 2, 3}, {4, 5, 6}}), {-1}), i64({6, 120}));
  expect_same(median(i64({3, 1, 2, 9})), tensor(2, autograd::int64));
  expect_same(var(i64({1, 2, 3})), tensor(1.0));
  expect_same(norm(i64({3, 4})), tensor(5.0));
  const Tensor most =
      tensor(std::vector<std::int64_t>{std::numeric_limits<std::int64_t>::max(), 1});
  EXPECT_EQ(integer(sum(most)), std::numeric_limits<std::int64_t>::min());  // wraps around
}

TEST(Reductions, TruthValues) {
  const Tensor x = truth({{1, 0, 1}, {1, 1, 1}});
  expect_same(sum(x, {1}), i64({2, 3}));
  expect_same(cumsum(x, 1), i64({{1, 1, 2}, {1, 2, 3}}));
  expect_same(prod(x, {1}), i64({0, 1}));
  expect_same(max(x, {1}), truth({1, 1}));
  expect_same(min(x, {1}), truth({0, 1}));
  expect_same(argmin(x, 1), i64({1, 0}));
  expect_same(sort(x, 1).values, truth({{0, 1, 1}, {1, 1, 1}}));
  expect_same(sort(x, 1).indices, i64({{1, 0, 2}, {0, 1, 2}}));
}

TEST(Reductions, AnyAllAndCounts) {
  const Tensor x = f64({{0, -0.0, 0}, {1, kNan, 0}, {2, -1, kInf}});
  expect_same(any(x), truth(1));
  expect_same(all(x), truth(0));
  expect_same(any(x, {1}), truth({0, 1, 1}));
  expect_same(all(x, {1}, {.keepdim = true}), truth({{0}, {0}, {1}}));
  expect_same(all(x, {0, 1}), truth(0));
  expect_same(count_nonzero(x), tensor(5, autograd::int64));
  expect_same(count_nonzero(x, {0}), i64({2, 2, 1}));
  expect_same(any(truth({0, 1})), truth(1));
  expect_same(all(i64({3, kLarge})), truth(1));
  Tape tape;
  const Tensor tracked = tape.input(f64({1, 2}));
  const std::size_t size = tape.size();
  count_nonzero(tracked);
  any(tracked);
  argmax(tracked);
  argsort(tracked);
  EXPECT_EQ(tape.size(), size);
}

TEST(Reductions, WithoutNans) {
  const Tensor x = f64({{1, kNan, 3}, {kNan, kNan, kNan}});
  expect_same(nansum(x), tensor(4.0, float64));
  expect_same(nansum(x, {1}), f64({4, 0}));
  expect_same(nanmean(x, {1}, {.keepdim = true}), f64({{2}, {kNan}}));
  expect_values(gradient([](const Tensor& t) { return nanmean(t); }, x), {0.5, 0, 0.5, 0, 0, 0});
  expect_same(nansum(i64({1, 2})), tensor(3, autograd::int64));
  expect_same(nanmean(i64({1, 2})), tensor(1.5));
}

TEST(Reductions, ExtremesAndTheirPositions) {
  const Tensor x = f64({{3, 9, 9}, {-1, -5, -5}});
  expect_same(argmax(x), tensor(1, autograd::int64));
  expect_same(argmin(transpose(x)), tensor(3, autograd::int64));
  expect_same(argmax(x, 1), i64({1, 0}));
  expect_same(argmin(x, -2, {.keepdim = true}), i64({{1, 1, 1}}));
  const auto [values, indices] = max(x, 1, {.keepdim = true});
  expect_same(values, f64({{9}, {-1}}));
  expect_same(indices, i64({{1}, {0}}));
  expect_same(min(x, 0).values, f64({-1, -5, -5}));
  expect_same(min(x, {0}), f64({-1, -5, -5}));  // over axes: no positions
  expect_same(amax(x, {1}), f64({9, -1}));
  expect_same(amax(x), tensor(9.0, float64));
  expect_same(argmax(f64({1, kNan, 5, kNan})), tensor(1, autograd::int64));
  expect_same(std_mean(x, {1}).mean, mean(x, {1}));
}

// Many lines of random numbers with repetitions, beside the standard library.
template <class T> void check_orders(DType dtype) {
  Generator generator(7);
  for (std::int64_t n : {1, 2, 17, 300, 5000}) {
    const Tensor x = to(randint(-n / 4 - 1, n / 4 + 2, {3, n, 2}, generator), dtype);
    for (bool descending : {false, true}) {
      const auto [values, indices] = sort(x, 1, {.descending = descending});
      const std::int64_t k = n / 3;
      const auto top = topk(x, k, 1, {.largest = descending});
      for (std::int64_t o = 0; o < 3; ++o) {
        for (std::int64_t i = 0; i < 2; ++i) {
          std::vector<std::int64_t> order(static_cast<std::size_t>(n));
          std::iota(order.begin(), order.end(), 0);
          std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
            const double p = x.at({o, a, i}), q = x.at({o, b, i});
            return descending ? p > q : p < q;
          });
          bool same = true;
          for (std::int64_t e = 0; e < n; ++e) {
            const auto want = static_cast<double>(order[static_cast<std::size_t>(e)]);
            same = same && indices.at({o, e, i}) == want;
            same = same && values.at({o, e, i}) == x.at({o, order[static_cast<std::size_t>(e)], i});
            if (e < k) same = same && top.indices.at({o, e, i}) == want;
          }
          EXPECT_TRUE(same) << n << " elements of " << name(dtype);
          if (descending) continue;
          const auto middle = static_cast<std::size_t>((n - 1) / 2);
          EXPECT_EQ(median(x, 1).indices.at({o, i}), static_cast<double>(order[middle]));
          EXPECT_EQ(kthvalue(x, n, 1).indices.at({o, i}), static_cast<double>(order.back()));
        }
      }
    }
  }
}
TEST(Reductions, OrdersAgreeWithAStableSort) {
  check_orders<float>(float32);
  check_orders<double>(float64);
  check_orders<std::int64_t>(autograd::int64);
}

TEST(Reductions, OrdersOfEveryRank) {
  const Tensor x = f64({{3, 1, 2}, {4, 6, 5}});
  expect_same(topk(x, 2, 0).values, f64({{4, 6, 5}, {3, 1, 2}}));
  expect_same(topk(x, 0).values, zeros({2, 0}, float64));
  expect_same(kthvalue(x, 2, -1, {.keepdim = true}).values, f64({{2}, {5}}));
  expect_same(median(x, 0).values, f64({3, 1, 2}));
  expect_same(median(x, 1, {.keepdim = true}).indices, i64({{2}, {2}}));
  expect_same(sort(transpose(x), 0).values, f64({{1, 4}, {2, 5}, {3, 6}}));
  expect_same(sort(broadcast_to(f64({2}), {2, 2})).indices, i64({{0, 1}, {0, 1}}));
  expect_same(sort(zeros({2, 0})).indices, zeros({2, 0}, autograd::int64));
}

// A loop over 2^40 lines of nothing would take an hour.
TEST(Reductions, ManyLinesOfNothing) {
  const std::vector<std::function<Tensor(const Tensor&)>> functions = {
      [](auto& t) { return cumsum(t, 1); },
      [](auto& t) { return cumprod(t, 0); },
      [](auto& t) { return logcumsumexp(t, 1); },
      [](auto& t) { return sort(t, 1).values; },
      [](auto& t) { return topk(t, 0, 1).values; },
      [](auto& t) { return sort(t, 0).values; },
      [](auto& t) { return prod(t); },
      [](auto& t) { return norm(t); },
      [](auto& t) { return autograd::std(t); },
      [](auto& t) { return median(t); },
      [](auto& t) { return max(t, 0).values; },
      [](auto& t) { return nansum(t, {0}); },
      [](auto& t) { return prod(t, {0}); }};
  const Tensor x = zeros({std::int64_t{1} << 40, 0});
  for (const auto& f : functions) EXPECT_EQ(gradient(f, x).shape(), x.shape());
  EXPECT_EQ(cumsum(zeros(x.shape(), autograd::int64), 1).shape(), x.shape());
  EXPECT_EQ(integer(count_nonzero(x)), 0);
}

TEST(Reductions, SameBitsForAnyNumberOfThreads) {
  const int before = num_threads();
  Generator generator(3);
  const Tensor x = randn({37, 501, 29}, generator);
  const std::vector<std::function<Tensor(const Tensor&)>> functions = {
      [](auto& t) { return prod(t, {1}); },       [](auto& t) { return cumsum(t, 1); },
      [](auto& t) { return cumprod(t, 2); },      [](auto& t) { return logcumsumexp(t, 1); },
      [](auto& t) { return norm(t, 3, {0, 2}); }, [](auto& t) { return autograd::std(t, {1}); },
      [](auto& t) { return sort(t, 1).values; },  [](auto& t) { return median(t, 2).values; }};
  for (const auto& f : functions) {
    set_num_threads(1);
    const Tensor y = f(x), dx = gradient(f, x);
    set_num_threads(7);
    EXPECT_TRUE(equal(f(x), y));
    EXPECT_TRUE(equal(gradient(f, x), dx));
  }
  set_num_threads(before);
}

// Each message where nothing records and on a tape, on which nothing may have been recorded.
template <class E>
void expect_error(const std::string& message, const std::function<void(const Tensor&)>& f) {
  const Tensor value = f64({{1, 2, 3}, {4, 5, 6}});
  expect_message<E>(message, [&] { f(value); });
  Tape tape;
  const Tensor x = tape.input(value);
  expect_message<E>(message, [&] { f(x); });
  EXPECT_EQ(tape.size(), 1u);
}

TEST(Reductions, Messages) {
  using Reduction = void (*)(const Tensor&, const Axes&);
  const std::pair<std::string, Reduction> reductions[] = {
      {"prod", [](auto& x, auto& axes) { prod(x, axes); }},
      {"amax", [](auto& x, auto& axes) { amax(x, axes); }},
      {"amin", [](auto& x, auto& axes) { amin(x, axes); }},
      {"min", [](auto& x, auto& axes) { min(x, axes); }},
      {"any", [](auto& x, auto& axes) { any(x, axes); }},
      {"all", [](auto& x, auto& axes) { all(x, axes); }},
      {"count_nonzero", [](auto& x, auto& axes) { count_nonzero(x, axes); }},
      {"nansum", [](auto& x, auto& axes) { nansum(x, axes); }},
      {"nanmean", [](auto& x, auto& axes) { nanmean(x, axes); }},
      {"norm", [](auto& x, auto& axes) { norm(x, 2, axes); }},
      {"var", [](auto& x, auto& axes) { var(x, axes); }},
      {"std", [](auto& x, auto& axes) { autograd::std(x, axes); }},
      {"var_mean", [](auto& x, auto& axes) { var_mean(x, axes); }},
      {"std_mean", [](auto& x, auto& axes) { std_mean(x, axes); }}};
  for (const auto& [word, f] : reductions) {
    const Reduction call = f;
    expect_error<ValueError>(word + ": axis out of range: 2; need at least -2 and less than 2",
                             [&](const Tensor& x) {
                               call(x, {0, 2});
                             });
    expect_error<ValueError>(word + ": axis given twice: -1; need each axis once",
                             [&](const Tensor& x) {
                               call(x, {1, -1});
                             });
  }
  using Line = void (*)(const Tensor&, std::int64_t);
  const std::pair<std::string, Line> lines[] = {
      {"cumsum", [](auto& x, auto axis) { cumsum(x, axis); }},
      {"cumprod", [](auto& x, auto axis) { cumprod(x, axis); }},
      {"logcumsumexp", [](auto& x, auto axis) { logcumsumexp(x, axis); }},
      {"max", [](auto& x, auto axis) { max(x, axis); }},
      {"min", [](auto& x, auto axis) { min(x, axis); }},
      {"argmax", [](auto& x, auto axis) { argmax(x, axis); }},
      {"argmin", [](auto& x, auto axis) { argmin(x, axis); }},
      {"sort", [](auto& x, auto axis) { sort(x, axis); }},
      {"argsort", [](auto& x, auto axis) { argsort(x, axis); }},
      {"topk", [](auto& x, auto axis) { topk(x, 1, axis); }},
      {"kthvalue", [](auto& x, auto axis) { kthvalue(x, 1, axis); }},
      {"median", [](auto& x, auto axis) { median(x, axis); }}};
  for (const auto& [word, f] : lines) {
    const Line call = f;
    expect_error<ValueError>(word + ": axis out of range: -3; need at least -2 and less than 2",
                             [&](const Tensor& x) { call(x, -3); });
    expect_error<ValueError>(word + ": axis out of range: 1; need at least -1 and less than 1",
                             [&](const Tensor&) { call(tensor(1.0), 1); });
    EXPECT_THROW(call(Tensor(), 0), ValueError);
  }
}

TEST(Reductions, MessagesOfValues) {
  expect_error<ValueError>(
      "topk: k out of range: 4; need at least 0 and at most 3, the extent of axis 1",
      [](const Tensor& x) { topk(x, 4); });
  expect_error<ValueError>(
      "topk: k out of range: -1; need at least 0 and at most 2, the extent of axis 0",
      [](const Tensor& x) { topk(x, -1, 0); });
  expect_error<ValueError>(
      "kthvalue: k out of range: 0; need at least 1 and at most 3, the extent of axis 1",
      [](const Tensor& x) { kthvalue(x, 0); });
  expect_error<ValueError>("norm: p is nan; need a number or an infinity",
                           [](const Tensor& x) { norm(x, kNan); });
  const auto nothing = [](const std::string& function, const std::string& shape) {
    return function + ": no elements along the reduced axes: x is " + shape + "; need at least one";
  };
  expect_error<ValueError>(nothing("amin", "[0]"), [](const Tensor&) { amin(zeros({0})); });
  expect_error<ValueError>(nothing("min", "[2, 0]"), [](const Tensor&) {
    min(zeros({2, 0}), {1});
  });
  expect_error<ValueError>(nothing("max", "[0]"),
                           [](const Tensor&) { max(zeros({0}, autograd::int64)); });
  expect_error<ValueError>(nothing("max", "[2, 0]"), [](const Tensor&) { max(zeros({2, 0}), 1); });
  expect_error<ValueError>(nothing("argmax", "[2, 0]"), [](const Tensor&) {
    argmax(zeros({2, 0}));
  });
  expect_error<ValueError>(nothing("median", "[0]"), [](const Tensor&) { median(zeros({0}), 0); });
  expect_error<ValueError>(nothing("median", "[0]"),
                           [](const Tensor&) { median(zeros({0}, autograd::int64)); });
  expect_error<ValueError>(nothing("norm", "[2, 0]"), [](const Tensor&) {
    norm(zeros({2, 0}), -1);
  });
}

// The sum overflows, or two parts of it against each other, where the mean does not.
TEST(Reductions, MeanOfLargeNumbers) {
  for (const DType dtype : {autograd::float32, autograd::float64}) {
    const double large = dtype == autograd::float32 ? 3e38 : 1.5e308;
    const Tensor x = tensor({{large, large, large, large}, {large, large, -large, -large}}, dtype);
    const Tensor y = mean(x, {1});
    EXPECT_NEAR(y.at({0}) / large, 1, 1e-6);
    EXPECT_EQ(y.at({1}), 0);
    EXPECT_NEAR(mean(x).item() / large, 0.5, 1e-6);
    const Tensor global = autograd::adaptive_avg_pool1d(x, 1);
    EXPECT_NEAR(global.at({0, 0}) / large, 1, 1e-6);
    const double inf = std::numeric_limits<double>::infinity();
    EXPECT_EQ(mean(tensor({inf, 1.0}, dtype)).item(), inf);
    EXPECT_TRUE(std::isnan(mean(tensor({inf, -inf}, dtype)).item()));
  }
}

TEST(Reductions, IntegersHaveNoGradient) {
  Tape tape;
  const Tensor x = tape.input(f64({1, 2}));
  const Tensor counted = cumsum(to(x, autograd::int64), 0);
  EXPECT_EQ(tape.size(), 1u);
  EXPECT_EQ(counted.dtype(), autograd::int64);
  EXPECT_EQ(sort(x).indices.dtype(), autograd::int64);
}

}  // namespace
}  // namespace ops_test
