// SPDX-License-Identifier: Apache-2.0
// The rows of the list of hard cases that concern shapes, graphs, mutation and lifetime, for tensors
// and, where it applies, for scalars. Each test has the number of its row; kinks and singular points are
// in edge_test.cpp.
#include <optional>

#include "support.hpp"

namespace ops_test {
namespace {

using namespace autograd;

const Tensor& point() {
  static const Tensor x = f64({1, 2, 3});
  return x;
}

TEST(HardCases, 48_gradients_of_broadcast_operands_are_summed) {
  Generator generator(48);
  for (int trial = 0; trial < 60; ++trial) {
    // Random shapes that broadcast: drop leading axes of either, make some extents 1.
    Shape a, b;
    const int dim = static_cast<int>(generator.uniform() * 4) + 1;
    const int skip_a = static_cast<int>(generator.uniform() * (dim + 1));
    const int skip_b = static_cast<int>(generator.uniform() * (dim + 1));
    for (int i = 0; i < dim; ++i) {
      const auto extent = static_cast<std::int64_t>(generator.uniform() * 4);
      if (i >= skip_a) a.push_back(generator.uniform() < 0.3 ? 1 : extent);
      if (i >= skip_b) b.push_back(generator.uniform() < 0.3 ? 1 : extent);
    }
    SCOPED_TRACE(to_string(a) + " and " + to_string(b));
    const Inputs inputs = {draw(a, generator, {0.5, 2}), draw(b, generator, {0.5, 2})};
    for (const TensorFunction& f :
         {TensorFunction([](const Inputs& in) { return in[0] * in[1]; }),
          TensorFunction([](const Inputs& in) { return in[0] - in[1]; }),
          TensorFunction([](const Inputs& in) { return pow(in[0], in[1]); }),
          TensorFunction([](const Inputs& in) { return where(in[0] > in[1], in[0], in[1]); })}) {
      const auto first = gradcheck(f, inputs), second = gradgradcheck(f, inputs);
      EXPECT_TRUE(first) << first.message();
      EXPECT_TRUE(second) << second.message();
    }
  }
}

TEST(HardCases, 49_broadcast_with_no_elements) {
  const auto dx = autograd::grad([](const Inputs& in) { return sum(in[0] * in[1]); },
                                 {ones({2, 1}, float64), ones({2, 0}, float64)});
  expect_same(dx[0], zeros({2, 1}, float64));
  expect_same(dx[1], zeros({2, 0}, float64));
}

TEST(HardCases, 51_scalars_are_tensors_without_axes) {
  const Tensor x = tensor(2.5, float64);
  EXPECT_EQ(x.dim(), 0);
  EXPECT_EQ(x.numel(), 1);
  EXPECT_EQ((x + x).shape(), Shape{});
  EXPECT_EQ(reshape(x, Shape{1, 1}).shape(), Shape({1, 1}));
  EXPECT_EQ(reshape(reshape(x, Shape{1, 1}), Shape{}).shape(), Shape{});
  EXPECT_EQ(sum(x).item(), 2.5);
  EXPECT_EQ(max(x).item(), 2.5);
  EXPECT_EQ(mean(x).shape(), Shape{});
  const Tensor g = gradient([](const Tensor& t) { return reshape(square(t), Shape{1}); }, x);
  expect_same(g, tensor(5.0, float64));
}

TEST(HardCases, 53_the_same_tensor_twice) {
  const Tensor x = point(), square_matrix = f64({{1, 2}, {3, 4}});
  expect_values(gradient([](const Tensor& t) { return t * t; }, x), {2, 4, 6});
  expect_values(gradient([](const Tensor& t) { return t + t; }, x), {2, 2, 2});
  expect_values(gradient([](const Tensor& t) { return t - t; }, x), {0, 0, 0});
  expect_values(gradient([](const Tensor& t) { return t / t; }, x), {0, 0, 0}, 1e-15);
  expect_values(gradient([](const Tensor& t) { return where(t > 1.5, t, t); }, x), {1, 1, 1});
  expect_values(gradient(
                    [](const Tensor& t) {
                      return t * reshape(t, Shape{3, 1});
                    },
                    x),
                {12, 12, 12});
  for (const TensorFunction& f :
       {TensorFunction([](const Inputs& in) { return matmul(in[0], in[0]); }),
        TensorFunction([](const Inputs& in) { return linear(in[0], in[0], Tensor()); }),
        TensorFunction([](const Inputs& in) { return matmul(in[0], transpose(in[0])); })}) {
    EXPECT_TRUE(gradcheck(f, {square_matrix})) << gradcheck(f, {square_matrix}).message();
    EXPECT_TRUE(gradgradcheck(f, {square_matrix}));
  }
  EXPECT_EQ(derivative([](const Var& v) { return v * v * v; }, 2), 12);
  EXPECT_EQ(derivative([](const Var& v) { return max(v, v); }, 2), 1);
}

TEST(HardCases, 54_diamonds_and_fan_out) {
  const auto doubled = [](auto x) {
    for (int i = 0; i < 60; ++i) x = x + x;  // 2^60 paths
    return x;
  };
  EXPECT_EQ(gradient([&](const Tensor& t) { return doubled(t); }, f64({1})).item(), 0x1p60);
  EXPECT_EQ(derivative([&](const Var& v) { return doubled(v); }, 1), 0x1p60);
  const int n = 100000;
  EXPECT_EQ(derivative(
                [&](const Var& v) {
                  Var total = 0.0;
                  for (int i = 0; i < n; ++i) total += v * 2.0;
                  return total;
                },
                1),
            2 * n);
  EXPECT_EQ(gradient(
                [&](const Tensor& t) {
                  Tensor total = t;
                  for (int i = 1; i < n; ++i) total = total + t;
                  return total;
                },
                f64({1}))
                .item(),
            n);
}

TEST(HardCases, 55_duplicate_indices_accumulate) {
  // Rows of x are picked through a repeated view: each column collects what every row sends.
  const TensorFunction f = [](const Inputs& in) {
    return pick(broadcast_to(in[0], {4, 3}), i64({2, 0, 2, 2})) * f64({1, 10, 100, 1000});
  };
  const Inputs dx = vjp(f, {point()}, ones({4}, float64)).second;
  expect_values(dx[0], {10, 0, 1101});
}

TEST(HardCases, 58_integers_have_no_gradients) {
  Tape tape;
  EXPECT_THROW(tape.input(i64({1})), TypeError);
  EXPECT_THROW(tape.input(zeros({1}, boolean)), TypeError);
  EXPECT_THROW(i64({1}).set_requires_grad(), TypeError);
}

TEST(HardCases, 59_gradients_have_the_dtype_of_their_input) {
  const auto dx = autograd::grad([](const Inputs& in) { return sum(in[0] * in[1] * 2.0); },
                                 {ones({2}), ones({2}, float64)});
  EXPECT_EQ(dx[0].dtype(), float32);
  EXPECT_EQ(dx[1].dtype(), float64);
  EXPECT_EQ((ones({2}) * 2.0).dtype(), float32);  // numbers do not promote
}

TEST(HardCases, 60_matrix_products_of_every_rank) {
  const std::pair<Shape, Shape> shapes[] = {{{3}, {3}},
                                            {{3}, {3, 2}},
                                            {{2, 3}, {3}},
                                            {{2, 3}, {3, 4}},
                                            {{3}, {2, 3, 4}},
                                            {{2, 4, 3}, {3}},
                                            {{2, 2, 3}, {3, 4}},
                                            {{2, 3}, {4, 3, 2}},
                                            {{4, 1, 2, 3}, {2, 3, 1}},
                                            {{1, 2, 3}, {5, 3, 2}},
                                            {{2, 0, 3}, {3, 2}},
                                            {{2, 3}, {0, 3, 2}}};
  const TensorFunction f = [](const Inputs& in) { return matmul(in[0], in[1]); };
  Generator generator(60);
  for (const auto& [a, b] : shapes) {
    SCOPED_TRACE(to_string(a) + " by " + to_string(b));
    const Inputs inputs = {draw(a, generator, {-1, 1}), draw(b, generator, {-1, 1})};
    const auto first = gradcheck(f, inputs), second = gradgradcheck(f, inputs);
    EXPECT_TRUE(first) << first.message();
    EXPECT_TRUE(second) << second.message();
  }
}

TEST(HardCases, 63_backward_needs_a_seed) {
  Tape tape;
  const Tensor x = tape.input(point());
  const Tensor y = x * 2.0;
  expect_message<TapeError>(
      "backward: the output has more than one element: shape is [3]; need one element (use sum) or "
      "a seed of that shape ({.seed = dy})",
      [&] { tape.backward(y); });
  EXPECT_FALSE(x.has_grad());
  tape.backward(y, {.seed = f64({1, 10, 100})});
  expect_values(x.grad(), {2, 20, 200});
}

TEST(HardCases, 64_backward_twice) {
  Tape tape;
  const Tensor x = tape.input(point());
  const Tensor y = sum(square(x));
  tape.backward(y, {.retain = true});
  tape.backward(y);
  expect_values(x.grad(), {4, 8, 12});
  expect_message<TapeError>(
      "backward: the recording of this output is gone, or is on another tape; need a value "
      "recorded on this tape since the last sweep (pass {.retain = true} to sweep twice)",
      [&] { tape.backward(y); });
  const Var v = tape.input(3.0);
  const Var w = v * v;
  tape.backward(w, {.retain = true});
  tape.backward(w);
  EXPECT_EQ(v.grad(), 12);
  EXPECT_THROW(tape.backward(w), TapeError);
  EXPECT_EQ(v.grad(), 12);
  expect_values(x.grad(), {4, 8, 12});
}

TEST(HardCases, 65_gradients_accumulate_and_grad_leaves_them_alone) {
  Tape tape;
  const Tensor x = tape.input(point());
  const Var v = tape.input(2.0);
  for (int i = 1; i <= 3; ++i) {
    tape.backward(sum(x * x));
    tape.backward(v * v);
    expect_values(x.grad(), {2.0 * i, 4.0 * i, 6.0 * i});
    EXPECT_EQ(v.grad(), 4.0 * i);
  }
  autograd::grad([](const Inputs& in) { return sum(in[0]); }, {x});
  expect_values(x.grad(), {6, 12, 18});
  tape.zero_grad();
  EXPECT_FALSE(x.has_grad());
  EXPECT_EQ(v.grad(), 0);
}

TEST(HardCases, 66_unused_inputs) {
  const TensorFunction f = [](const Inputs& in) { return sum(in[0]); };
  EXPECT_THROW(autograd::grad(f, {point(), point()}), TapeError);
  const auto dx = autograd::grad(f, {point(), point()}, {.allow_unused = true});
  expect_same(dx[1], zeros({3}, float64));
  // None is not zero: an input that the sweep did not reach has none, one of slope 0 has zeros.
  Tape tape;
  const Tensor used = tape.input(point()), unused = tape.input(point());
  tape.backward(sum(used * 0.0));
  EXPECT_FALSE(unused.has_grad());
  EXPECT_THROW(unused.grad(), TapeError);
  expect_values(used.grad(), {0, 0, 0});
}

TEST(HardCases, 67_backward_from_what_no_input_reaches) {
  const std::string message =
      "backward: no input reaches this output; need a value computed from tape.input(...) or from "
      "a parameter (requires_grad) while this tape records";
  Tape tape;
  const Tensor x = tape.input(point());
  expect_message<TapeError>(message, [&] { tape.backward(sum(detach(x))); });
  expect_message<TapeError>(message, [&] { tape.backward(detach(sum(x))); });
  expect_message<TapeError>(message, [&] { tape.backward(Var(3.0)); });
  tape.backward(sum(x * detach(x)));
  expect_values(x.grad(), {1, 2, 3});
}

TEST(HardCases, 68_changes_of_saved_values) {
  const auto changed = [](const std::string& op, const std::string& shape, const char* by) {
    return "backward of " + op + ": a tensor of shape " + shape +
           " that it had saved was changed in "
           "place by " +
           by + "; need backward before the change, or a change of a copy (clone)";
  };
  Tape tape;
  const Tensor x = tape.input(point());
  Tensor h = exp(x);
  Tensor y = sum(h);
  fill_(h, 0);
  expect_message<TapeError>(changed("exp", "[3]", "fill_"), [&] { tape.backward(y); });
  EXPECT_FALSE(x.has_grad());
  // A constant that an operand was multiplied with.
  Tensor constant_factor = ones({3}, float64);
  y = sum(x * constant_factor);
  add_(constant_factor, x);
  expect_message<TapeError>(changed("mul", "[3]", "add_"), [&] { tape.backward(y); });
  // The step of an optimizer between forward and backward.
  Tensor weight = f64({1, 1, 1});
  weight.set_requires_grad();
  y = sum(x * weight);
  add_(detach(weight), ones({3}, float64), -0.1);
  expect_message<TapeError>(changed("mul", "[3]", "add_"), [&] { tape.backward(y); });
  // What an op did not save may be changed: a sum needs no operand.
  Tensor addend = ones({3}, float64);
  y = sum(x + addend);
  fill_(addend, 7);
  tape.backward(y);
  expect_values(x.grad(), {1, 1, 1});
}

TEST(HardCases, 68_changes_of_conditions_and_indices) {
  Tape tape;
  const Tensor x = tape.input(f64({{1, 2}, {3, 4}}));
  Tensor condition = x > 2.0, index = i64({0, 1});
  const Tensor chosen = sum(where(condition, x, x * 10.0));
  fill_(condition, 0);
  EXPECT_THROW(tape.backward(chosen), TapeError);
  const Tensor picked = sum(pick(x, index));
  fill_(index, 0);
  EXPECT_THROW(tape.backward(picked), TapeError);
  EXPECT_FALSE(x.has_grad());
}

TEST(HardCases, 69_leaves_are_not_changed_in_place) {
  Tensor weight = f64({1, 2});
  weight.set_requires_grad();
  fill_(weight, 3);  // no tape uses it yet
  Tape tape;
  Tensor x = tape.input(point());
  EXPECT_THROW(fill_(x, 0), TapeError);
  const Tensor y = sum(weight * 2.0);
  EXPECT_THROW(add_(weight, weight), TapeError);
  EXPECT_THROW(copy_(weight, weight), TapeError);
  tape.backward(y);
  add_(detach(weight), weight.grad(), -0.5);
  expect_values(weight, {2, 2});
}

// The backward pass of reshape gives an adjoint another shape: only one that nobody else sees.
TEST(Reshape, AnAdjointThatOthersSeeKeepsItsShape) {
  Tensor x = f64({{3, 1, 2}, {0, 5, 4}}), w = f64({2, 2, 1, 1, 3, 3});
  x.set_requires_grad();
  w.set_requires_grad();
  const Tensor seed = f64({1, 2, 3, 4, 5, 6});
  Tape tape;
  tape.backward(reshape(x, {-1}) + w, {.seed = seed});
  EXPECT_EQ(seed.shape(), Shape({6}));
  expect_same(w.grad(), seed);
  expect_same(x.grad(), f64({{1, 2, 3}, {4, 5, 6}}));
  x.grad().mutable_data<double>()[0] = 9;
  expect_same(w.grad(), seed);
  tape.backward(reshape(x, {-1}) * w * w, {.seed = seed});  // on top of what is there
  expect_same(x.grad(), f64({{13, 10, 6}, {8, 50, 60}}));
}

TEST(HardCases, 71_repeated_memory_is_not_changed_in_place) {
  Tensor row = f64({1, 2});
  EXPECT_THROW(fill_(broadcast_to(row, {3, 2}), 0), TapeError);
  expect_values(row, {1, 2});
  fill_(broadcast_to(row, {1, 2}), 7);  // repeats nothing
  expect_values(row, {7, 7});
  fill_(zeros({2, 0}), 1);
}

TEST(HardCases, 72_assignment_to_the_same_name) {
  const auto power = [](auto y) {
    for (int i = 0; i < 10; ++i) y = y * 2.0;
    return y;
  };
  EXPECT_EQ(gradient([&](const Tensor& t) { return power(t); }, f64({1})).item(), 1024);
  EXPECT_EQ(derivative([&](const Var& v) { return power(v); }, 1), 1024);
  EXPECT_EQ(derivative([](Var x) { return x += x, x; }, 3), 2);
  EXPECT_EQ(derivative([](Var x) { return x *= x, x; }, 3), 6);
  EXPECT_EQ(derivative([](Var x) { return x -= x, x; }, 3), 0);
  EXPECT_EQ(derivative([](Var x) { return x /= x, x; }, 3), 0);
  EXPECT_EQ(derivative(
                [](Var s) {
                  auto kept = s * 2.0;
                  s += s * s;
                  return Var(kept + s);
                },
                3),
            9);
}

TEST(HardCases, 73_long_chains) {
  const int n = 1000000;
  EXPECT_EQ(derivative(
                [&](const Var& v) {
                  Var y = v;
                  for (int i = 0; i < n; ++i) y = y * 1.0;
                  return y;
                },
                2),
            1);
  Tape tape;
  const Tensor x = tape.input(f64({1, 2}));
  Tensor y = x;
  for (int i = 0; i < n / 5; ++i) y = y + 1.0;
  tape.backward(sum(y));
  expect_values(x.grad(), {1, 1});
}

TEST(HardCases, 75_backward_rules_written_in_functions_are_differentiable) {
  const TensorFunction cube =
      custom_function([](const Inputs& in) { return in[0] * in[0] * in[0]; },
                      [](const Inputs& in, const Tensor&, const Tensor& dy) {
                        return Inputs{dy * 3.0 * square(in[0])};
                      });
  EXPECT_TRUE(gradgradcheck(cube, {point()})) << gradgradcheck(cube, {point()}).message();
}

TEST(HardCases, 76_no_gradient_from_a_custom_function) {
  const TensorFunction f = custom_function([](const Inputs& in) { return in[0] * in[1]; },
                                           [](const Inputs& in, const Tensor&, const Tensor& dy) {
                                             return Inputs{dy * in[1], Tensor()};
                                           });
  Tape tape;
  const Tensor a = tape.input(point()), b = tape.input(point());
  tape.backward(sum(f({a, b})));
  expect_values(a.grad(), {1, 2, 3});
  EXPECT_FALSE(b.has_grad());
}

TEST(HardCases, 77_values_that_outlive_their_tape) {
  const std::string stale =
      ": an operand was recorded on a tape that has ended, was rewound or consumed, or belongs to "
      "another thread; need a value of the tape in scope (compute it anew, or pass detach(x) to "
      "use it as a constant)";
  Tensor kept;
  {
    Tape tape;
    kept = exp(tape.input(point()));
  }
  EXPECT_NEAR(kept.at({0}), std::exp(1.0), 1e-15);
  EXPECT_EQ(values(kept * 2.0).size(), 3u);  // free where nothing records
  Tape tape;
  const Tensor x = tape.input(point());
  expect_message<TapeError>("sin" + stale, [&] { sin(kept); });
  expect_message<TapeError>("sum" + stale, [&] { sum(kept); });
  tape.backward(sum(x * detach(kept)));
  expect_values(x.grad(), values(kept));
  // An exception thrown in the middle of recording leaves what was recorded.
  const Tensor y = sum(square(x));
  try {
    Tape inner;
    const Tensor z = inner.input(x) * 2.0;
    (void)z;
    throw ValueError("the user's");
  } catch (const ValueError&) {
  }
  tape.zero_grad();
  tape.backward(y, {.seed = tensor(1.0, float64)});
}

TEST(HardCases, 79_nested_differentiation_does_not_confuse_levels) {
  // d/dx [x d/dy (x + y)] = 1, and d/dx [x d/dy (x y)] = 2 x.
  const auto nested = [](const TensorFunction& inner, double at) {
    return gradient(
               [&](const Tensor& x) {
                 const Tensor dy = gradient(
                     [&](const Tensor& y) {
                       return inner({x, y});
                     },
                     f64(1.0));
                 return x * dy;
               },
               f64(at))
        .item();
  };
  EXPECT_EQ(nested([](const Inputs& in) { return in[0] + in[1]; }, 3), 1);
  EXPECT_EQ(nested([](const Inputs& in) { return in[0] * in[1]; }, 3), 6);
  // The third derivative of x^4, by three tapes.
  const auto fourth = [](const Tensor& x) { return square(square(x)); };
  const auto d1 = [&](const Tensor& x) { return gradient(fourth, x); };
  const auto d2 = [&](const Tensor& x) { return gradient(d1, x); };
  EXPECT_EQ(gradient(d2, f64({2})).item(), 48);
}

}  // namespace
}  // namespace ops_test
