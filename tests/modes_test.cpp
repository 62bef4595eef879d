// SPDX-License-Identifier: Apache-2.0
// The rows of the hard cases about nested sweeps, user-defined rules, threads and checkpoints.
#include <gtest/gtest.h>
#include <autograd/autograd.hpp>

#include <thread>
#include <vector>

#include "check.hpp"

namespace {

namespace ag = autograd;
using ag::float64;
using ag::Tape;
using ag::Tensor;
using Inputs = std::vector<Tensor>;
using autograd::check::message_of;

// A gradient that is recorded refers to what it was computed from, never the other way round: nothing is
// left when the handles are gone.
TEST(HardCases, 74_gradients_of_gradients_make_no_cycles) {
  Tensor x = ag::tensor({1, 2}, float64);
  x.set_requires_grad();
  const auto round = [&] {
    Tape outer;
    Tensor g;
    {
      Tape inner;
      inner.backward(ag::sum(x * x * x));
      g = x.grad();
    }
    outer.backward(ag::sum(g * g));
    x.zero_grad();
  };
  round();
  const auto before = ag::memory_stats().current_bytes;
  for (int i = 0; i < 100; ++i) round();
  EXPECT_EQ(ag::memory_stats().current_bytes, before);
}

// x^2 with a backward rule on plain numbers: right once, refused where it would be a constant.
TEST(HardCases, 75_a_rule_on_plain_numbers_is_refused_in_second_order) {
  const auto rule = [](bool detached) {
    return [detached](const Inputs& in, const Tensor&, const Tensor& dy) {
      const Tensor x = detached ? ag::detach(in[0]) : in[0];
      return Inputs{dy * (2 * x.data<double>()[0])};
    };
  };
  const auto forward = [](const Inputs& in) { return in[0] * in[0]; };
  const Tensor x = ag::tensor({3.0}, float64);
  const auto f = ag::custom_function(forward, rule(false));
  EXPECT_EQ(ag::grad(f, {x})[0].item(), 6);
  EXPECT_EQ(message_of<ag::TapeError>([&] { (void)ag::hessian(f, {x}); }),
            "custom_function: backward reads elements of a tensor that an outer tape tracks: shape "
            "[1]; need functions of tensors, for derivatives of higher order (or detach(x), to say "
            "that it is a constant there)");
  // Said to be a constant.
  const auto g = ag::custom_function(forward, rule(true));
  EXPECT_EQ(ag::hessian(g, {x})[0][0].item(), 0);
  // And the same through item().
  const auto h =
      ag::custom_function(forward, [](const Inputs& in, const Tensor&, const Tensor& dy) {
        return Inputs{dy * (2 * in[0].item())};
      });
  EXPECT_THROW((void)ag::hvp(h, {x}, {x}), ag::TapeError);
  EXPECT_EQ(x.item(), 3);  // reading is allowed again
}

TEST(HardCases, 78_gradients_of_threads_merge_in_order) {
  const Tensor w = ag::tensor({0.1, 0.2, 0.3}, float64);
  std::vector<Tensor> parts(8);
  const auto run = [&] {
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      threads.emplace_back([&, i] {
        const double scale = 1.0 / static_cast<double>(i + 3);
        parts[i] =
            ag::grad([&](const Inputs& in) { return ag::sum(ag::sin(in[0] * scale)); }, {w})[0];
      });
    }
    for (std::thread& thread : threads) thread.join();
    Tensor total = parts[0];
    for (std::size_t i = 1; i < parts.size(); ++i) total = total + parts[i];
    return total;
  };
  const Tensor first = run();
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(ag::equal(run(), first));
}

TEST(HardCases, 80_checkpoint_with_dropout) {
  const Tensor x = ag::ones({64}, float64);
  ag::Generator generator(4);
  const ag::Generator start = generator;
  // The function draws from a generator of its own, so that it draws the same in the sweep.
  const auto f = [start](const Inputs& in) {
    ag::Generator own = start;
    return ag::dropout(ag::square(in[0]), own, {.p = 0.5});
  };
  Tape tape;
  const Tensor in = tape.input(x);
  const Tensor y = ag::checkpoint(f, {in});
  tape.backward(ag::sum(y));
  EXPECT_TRUE(ag::equal(in.grad(), ag::detach(y) * 2.0));  // the same mask
}

TEST(Modes, CheckpointsOfTensorsNestAndHaveEveryOrder) {
  const auto cube = [](const Inputs& in) { return in[0] * in[0] * in[0]; };
  const auto f = [&](const Inputs& in) {
    return ag::sum(ag::checkpoint(
        [&](const Inputs& x) { return ag::exp(ag::checkpoint(cube, {x[0]}) * 0.1); }, {in[0]}));
  };
  const auto plain = [&](const Inputs& in) { return ag::sum(ag::exp(cube(in) * 0.1)); };
  const Tensor x = ag::tensor({0.5, -1.5}, float64);
  EXPECT_TRUE(ag::allclose(ag::grad(f, {x})[0], ag::grad(plain, {x})[0], 1e-14));
  EXPECT_TRUE(ag::allclose(ag::hessian(f, {x})[0][0], ag::hessian(plain, {x})[0][0], 1e-13));
  // A function that branches on a value is right there, too.
  const auto branching = [](const Inputs& in) {
    return in[0].at({0}) > 0 ? ag::square(in[0]) : in[0];
  };
  const auto g = [&](const Inputs& in) { return ag::sum(ag::checkpoint(branching, {in[0]})); };
  EXPECT_EQ(ag::hessian(g, {x})[0][0].at({1, 1}), 2);
  EXPECT_TRUE(autograd::gradgradcheck(f, {x}));
}

}  // namespace
