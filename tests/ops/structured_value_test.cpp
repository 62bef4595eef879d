// SPDX-License-Identifier: Apache-2.0
// Values of the structured operations against loops that follow the definition, on the shapes where
// fast code goes wrong: strided, repeated, empty, every set of axes. Each op has an entry in checks();
// one without an entry fails. To add a family: a file values_<family>.cpp with add_<family>_checks.
#include "structured_values.hpp"

namespace ops_test {
void check_reduction(
    const std::function<Tensor(const Tensor&, const autograd::Axes&, autograd::ReduceOptions)>& f,
    const std::function<double(const Doubles&)>& fold, bool empty_too) {
  std::vector<Tensor> tensors = layouts();
  if (empty_too) tensors.insert(tensors.end(), {random({2, 0, 3}), random({0, 2, 2})});
  for (const Tensor& x : tensors) {
    for (unsigned mask = 1; mask < 8; ++mask) {
      autograd::Axes axes;
      Shape kept, dropped;
      for (int i = 0; i < 3; ++i) {
        if (mask >> i & 1) axes.push_back(i % 2 ? i - 3 : i);  // negative ones among them
        kept.push_back(mask >> i & 1 ? 1 : x.shape()[i]);
        if (!(mask >> i & 1)) dropped.push_back(x.shape()[i]);
      }
      SCOPED_TRACE(to_string(x.shape()) + " axes " + std::to_string(mask));
      const Tensor want = built(kept, [&](const Index& result) {
        Doubles line;
        for_each_index(x.shape(), [&](const Index& index) {
          for (std::size_t i = 0; i < 3; ++i) {
            if (!(mask >> i & 1) && index[i] != result[i]) return;
          }
          line.push_back(at(x, index));
        });
        return fold(line);
      });
      expect_same(f(x, axes, {.keepdim = true}), want, kTight);
      expect_same(f(x, axes, {}), autograd::reshape(want, dropped), kTight);
    }
  }
}

void check_along_axis(const std::function<Tensor(const Tensor&, std::int64_t)>& f,
                      const std::function<Doubles(const Doubles&)>& f_line) {
  std::vector<Tensor> tensors = layouts();
  tensors.insert(tensors.end(), {random({2, 0, 3}), random({0, 2, 2}), 400.0 * random({2, 3, 2})});
  for (const Tensor& x : tensors) {
    for (std::size_t axis = 0; axis < 3; ++axis) {
      SCOPED_TRACE(to_string(x.shape()) + " axis " + std::to_string(axis));
      const Tensor want = built(x.shape(), [&](Index index) {
        const auto place = static_cast<std::size_t>(index[axis]);
        Doubles line;
        for (index[axis] = 0; index[axis] < x.shape()[static_cast<int>(axis)]; ++index[axis]) {
          line.push_back(at(x, index));
        }
        return f_line(line)[place];
      });
      expect_same(f(x, static_cast<std::int64_t>(axis)), want, kTight);
      expect_same(f(x, static_cast<std::int64_t>(axis) - 3), want, kTight);
    }
  }
}

namespace {

double sum_of(const Doubles& line) {
  long double total = 0;
  for (double x : line) total += x;
  return static_cast<double>(total);
}
double logsumexp_of(const Doubles& line) {
  double top = -kInf;
  for (double x : line) top = std::max(top, x);
  if (std::isinf(top)) return top;
  long double total = 0;
  for (double x : line) total += std::exp(static_cast<long double>(x) - top);
  return static_cast<double>(top + std::log(total));
}

// [..., m, k] by [..., k, n].
Tensor product(const Tensor& a, const Tensor& b, const Shape& shape) {
  const auto last = static_cast<std::size_t>(shape.dim() - 1);
  const std::int64_t inner = a.shape().back();
  return built(shape, [&](const Index& index) {
    long double total = 0;
    Index left = index, right = index;
    for (std::int64_t p = 0; p < inner; ++p) {
      left[last] = right[last - 1] = p;
      total += static_cast<long double>(at(a, left)) * at(b, right);
    }
    return static_cast<double>(total);
  });
}

void check_matmul() {
  const auto check = [](const Tensor& a, const Tensor& b, const Shape& shape) {
    SCOPED_TRACE(to_string(a.shape()) + " by " + to_string(b.shape()));
    expect_same(autograd::matmul(a, b), product(a, b, shape), 1e-12);
  };
  const std::int64_t sizes[] = {0, 1, 2, 3, 8, 17, 65};
  for (std::int64_t m : sizes) {
    for (std::int64_t k : sizes) {
      for (std::int64_t n : sizes) {
        check(random({m, k}), random({k, n}), {m, n});
        check(autograd::transpose(random({k, m})), autograd::transpose(random({n, k})), {m, n});
      }
    }
  }
  check(random({2, 3, 4}), random({2, 4, 5}), {2, 3, 5});
  check(random({2, 1, 3, 4}), random({3, 4, 2}), {2, 3, 3, 2});
  check(random({3, 4}), random({0, 4, 2}), {0, 3, 2});
  check(autograd::transpose(random({5, 3, 2}), 0, 2), random({2, 5, 4}), {2, 3, 4});
  check(autograd::broadcast_to(random({4}), {3, 4}), random({4, 2}), {3, 2});
  check(random({3, 4}), autograd::broadcast_to(random({4, 1}), {4, 5}), {3, 5});
  const Tensor row = random({4}), matrix = random({4, 3}), column = random({3});
  const Tensor tall = autograd::reshape(row, Shape{1, 4});
  expect_same(autograd::matmul(row, matrix),
              autograd::reshape(product(tall, matrix, {1, 3}), Shape{3}), kTight);
  expect_same(
      autograd::matmul(matrix, column),
      autograd::reshape(product(matrix, autograd::reshape(column, Shape{3, 1}), {4, 1}), Shape{4}),
      kTight);
  EXPECT_NEAR(autograd::matmul(row, row).item(),
              product(tall, autograd::reshape(row, Shape{4, 1}), {1, 1}).item(), kTight);
}

void check_linear(bool with_bias) {
  const Shape inputs[] = {{4}, {3, 4}, {2, 3, 4}, {0, 4}, {1, 4}};
  for (const Shape& shape : inputs) {
    for (std::int64_t n : {0, 1, 5}) {
      SCOPED_TRACE(to_string(shape) + " to " + std::to_string(n));
      const Tensor x = random(shape), weight = random({n, 4}), bias = random({n});
      Shape result = shape;
      result[result.dim() - 1] = n;
      const Tensor want = built(result, [&](const Index& index) {
        long double total = with_bias ? at(bias, {index.back()}) : 0;
        Index from = index;
        for (std::int64_t p = 0; p < 4; ++p) {
          from.back() = p;
          total += static_cast<long double>(at(x, from)) * at(weight, {index.back(), p});
        }
        return static_cast<double>(total);
      });
      expect_same(autograd::linear(x, weight, with_bias ? bias : Tensor()), want, kTight);
    }
  }
}

// One step and two give the same bits, values and gradients alike, for every layout and size.
template <class F> void check_linear_then(autograd::Activation activation, const F& f) {
  for (const std::int64_t m : {1, 4, 33}) {
    for (const std::int64_t n : {1, 2, 40}) {
      const Tensor weight = random({n, 5}, 3), bias = random({n}, 4);
      for (const Tensor& x : {random({m, 5}), autograd::transpose(random({5, m})),
                              autograd::reshape(random({m, 5}), Shape{m, 1, 5})}) {
        const auto joined = autograd::value_and_grad(
            [&](const std::vector<Tensor>& in) {
              return sum(square(linear(in[0], in[1], in[2], activation)));
            },
            {x, weight, bias});
        const auto two_steps = autograd::value_and_grad(
            [&](const std::vector<Tensor>& in) {
              return sum(square(f(linear(in[0], in[1], in[2]))));
            },
            {x, weight, bias});
        expect_same(joined.first, two_steps.first, 0);
        for (std::size_t i = 0; i < 3; ++i) {
          expect_same(joined.second[i], two_steps.second[i], 0);
        }
        const Tensor no_bias = linear(x, weight, Tensor(), activation);
        expect_same(no_bias, f(linear(x, weight, Tensor())), 0);
      }
    }
  }
}

void check_moves() {
  for (const Tensor& x : layouts()) {
    const Shape& s = x.shape();
    expect_same(autograd::transpose(x, 0, -1), built({s[2], s[1], s[0]}, [&](const Index& i) {
                  return at(x, {i[2], i[1], i[0]});
                }));
    const Tensor copy = built(s, [&](const Index& i) { return at(x, i); });
    expect_same(autograd::contiguous(x), copy);
    EXPECT_TRUE(autograd::contiguous(x).is_contiguous());
    EXPECT_EQ(values(autograd::reshape(x, {-1})), values(copy));
    EXPECT_EQ(values(autograd::reshape(x, Shape{s[0] * s[1], 1, s[2]})), values(copy));
    EXPECT_EQ(values(autograd::reshape(x, {s[0], -1, 1})), values(copy));
    expect_same(autograd::broadcast_to(x, {2, s[0], s[1], s[2]}),
                built({2, s[0], s[1], s[2]}, [&](const Index& i) { return at(x, i); }));
  }
  EXPECT_EQ(autograd::reshape(random({0, 3}), {3, 0, 2}).shape(), Shape({3, 0, 2}));
  EXPECT_EQ(autograd::broadcast_to(random({1, 3}), {0, 3}).shape(), Shape({0, 3}));
}

void check_cast() {
  const Tensor x = f64({-2.75, -0.5, 0, 0.5, 2.75, 1e10});
  expect_same(autograd::to(x, autograd::int64), i64({-2, 0, 0, 0, 2, 10000000000}));
  expect_values(autograd::to(x, autograd::boolean), {1, 1, 0, 1, 1, 1});
  expect_values(autograd::to(x, autograd::float32), {-2.75, -0.5, 0, 0.5, 2.75, 1e10});
  expect_values(autograd::to(f64({0.1}), autograd::float32), {double{0.1f}});
  expect_values(autograd::to(f64({kNan, kInf, -kInf}), autograd::int64), {0, 0x1p63, -0x1p63});
  EXPECT_EQ(autograd::to(x, float64).node(), x.node());  // the same tensor, not a copy
}

void check_where() {
  const Tensor a = random({3, 1}, 3), b = random({4}, 4), x = random({3, 4}, 5);
  const Tensor c = x > 0.0;
  expect_same(autograd::where(c, a, b),
              built({3, 4}, [&](const Index& i) { return at(x, i) > 0 ? at(a, i) : at(b, i); }));
  const Tensor strided = autograd::transpose(random({4, 3}, 6));
  expect_same(autograd::where(autograd::transpose(strided) > 0.0, autograd::transpose(x), 7.0),
              built({4, 3}, [&](const Index& i) {
                return at(strided, {i[1], i[0]}) > 0 ? at(x, {i[1], i[0]}) : 7.0;
              }));
}

void check_pick() {
  const Tensor x = autograd::transpose(random({4, 3})), index = i64({3, 0, 3});
  expect_same(autograd::pick(x, index), built({3}, [&](const Index& i) {
                return x.at({i[0], i[0] == 1 ? 0 : 3});
              }));
  const Tensor y = f64({1, 2, 3});
  expect_same(autograd::unpick(y, index, 4), f64({{0, 0, 0, 1}, {2, 0, 0, 0}, {0, 0, 0, 3}}));
}

void check_mean_squared_error() {
  const Tensor a = autograd::transpose(random({4, 3}, 1)), b = random({3, 4}, 2);
  long double total = 0;
  for_each_index(b.shape(), [&](const Index& i) {
    total += (at(a, i) - at(b, i)) * static_cast<long double>(at(a, i) - at(b, i));
  });
  EXPECT_NEAR(autograd::mean_squared_error(a, b).item(), static_cast<double>(total / 12), kTight);
  EXPECT_TRUE(std::isnan(autograd::mean_squared_error(random({0}), random({0})).item()));
}

void check_cross_entropy() {
  const double nan = std::nan("");
  Tensor x = autograd::transpose(random({5, 4}, 1));
  autograd::copy_(autograd::select(x, 0, 2), f64({nan, nan, nan, nan, nan}));  // does not count
  const Tensor label = i64({4, 0, -1, 2});
  for (const double smoothing : {0.0, 0.1, 1.0}) {
    expect_same(autograd::cross_entropy(x, label, smoothing),
                built({4},
                      [&](const Index& i) {
                        if (i[0] == 2) return 0.0;
                        double total = 0, own = 0, mean = 0;
                        for (std::int64_t k = 0; k < 5; ++k) total += std::exp(x.at({i[0], k}));
                        for (std::int64_t k = 0; k < 5; ++k) {
                          const double logarithm = x.at({i[0], k}) - std::log(total);
                          if (label.at({i[0]}) == static_cast<double>(k)) own = logarithm;
                          mean += logarithm / 5;
                        }
                        return -(1 - smoothing) * own - smoothing * mean;
                      }),
                kTight);
  }
  EXPECT_EQ(autograd::cross_entropy(random({0, 3}), i64({})).shape(), Shape{0});
  EXPECT_EQ(autograd::cross_entropy(autograd::ones({1, 1}, autograd::int64), i64({0})).dtype(),
            autograd::float32);
}

Checks first_checks() {
  using autograd::Axes, autograd::ReduceOptions;
  return {
      {"sum",
       [] {
         check_reduction([](auto& x, auto& axes, auto o) { return autograd::sum(x, axes, o); },
                         sum_of, true);
       }},
      {"mean",
       [] {
         check_reduction([](auto& x, auto& axes, auto o) { return autograd::mean(x, axes, o); },
                         [](const Doubles& line) {
                           return line.empty() ? kNan
                                               : sum_of(line) / static_cast<double>(line.size());
                         },
                         true);
       }},
      {"max",
       [] {
         check_reduction(
             [](auto& x, auto& axes, auto o) { return autograd::max(x, axes, o); },
             [](const Doubles& line) { return *std::max_element(line.begin(), line.end()); },
             false);
       }},
      {"sum_to",
       [] {
         check_reduction(
             [](const Tensor& x, const Axes& axes, ReduceOptions options) {
               Shape kept = x.shape(), dropped;
               for (std::int64_t axis : axes)
                 kept[static_cast<int>(axis < 0 ? axis + 3 : axis)] = 1;
               const Tensor y = autograd::sum_to(x, kept);
               for (int i = 0; i < 3; ++i) {
                 bool gone = false;
                 for (std::int64_t axis : axes) gone = gone || (axis < 0 ? axis + 3 : axis) == i;
                 if (!gone) dropped.push_back(kept[i]);
               }
               return options.keepdim ? y : autograd::reshape(y, dropped);
             },
             sum_of, true);
       }},
      {"logsumexp",
       [] {
         check_along_axis(
             [](const Tensor& x, std::int64_t axis) {
               return autograd::broadcast_to(autograd::logsumexp(x, axis, {.keepdim = true}),
                                             x.shape());
             },
             [](const Doubles& line) { return Doubles(line.size(), logsumexp_of(line)); });
       }},
      {"softmax",
       [] {
         check_along_axis(&autograd::softmax, [](Doubles line) {
           const double total = logsumexp_of(line);
           for (double& x : line) x = std::exp(x - total);
           return line;
         });
       }},
      {"log_softmax",
       [] {
         check_along_axis(&autograd::log_softmax, [](Doubles line) {
           const double total = logsumexp_of(line);
           for (double& x : line) x -= total;
           return line;
         });
       }},
      {"matmul", check_matmul},
      {"linear", [] { check_linear(true); }},
      {"linear, no bias", [] { check_linear(false); }},
      {"linear, sigmoid",
       [] {
         check_linear_then(autograd::Activation::sigmoid,
                           [](const Tensor& x) { return sigmoid(x); });
       }},
      {"linear, tanh",
       [] {
         check_linear_then(autograd::Activation::tanh, [](const Tensor& x) { return tanh(x); });
       }},
      {"linear, relu",
       [] {
         check_linear_then(autograd::Activation::relu, [](const Tensor& x) { return relu(x); });
       }},
      {"transpose", check_moves},
      {"reshape", check_moves},
      {"broadcast_to", check_moves},
      {"contiguous", check_moves},
      {"to", check_cast},
      {"where", check_where},
      {"pick", check_pick},
      {"unpick", check_pick},
      {"mean_squared_error", check_mean_squared_error},
      {"cross_entropy", check_cross_entropy},
  };
}

const Checks& checks() {
  static const Checks list = [] {
    Checks all = first_checks();
    add_network_checks(all);
    add_reduction_checks(all);
    add_index_checks(all);
    add_linalg_checks(all);
    return all;
  }();
  return list;
}

TEST(StructuredValues, EveryOpAgreesWithItsDefinition) {
  for (const autograd::ops::OpEntry& op : autograd::ops::all_ops()) {
    if (op.arity != 0) continue;
    SCOPED_TRACE(op.name);
    const auto check = checks().find(op.name);
    if (check == checks().end()) {
      ADD_FAILURE() << op.name << " has no naive value to compare with; add it to checks()";
    } else {
      check->second();
    }
  }
}

}  // namespace
}  // namespace ops_test
