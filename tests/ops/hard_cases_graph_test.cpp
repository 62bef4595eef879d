// SPDX-License-Identifier: Apache-2.0
// Rows 74, 78 and 80 of the list of hard cases: ownership, threads, recomputation. Others about graphs
// are in graph_edge_test.cpp.
#include <thread>

#include "support.hpp"

namespace ops_test {
namespace {

using namespace autograd;

Tensor point() { return f64({{0.5, -1, 2}, {1.5, 0.25, -0.75}}); }

// Gradients are plain tensors: they own nothing of the tape that made them, and it nothing of them.
// Whatever is recorded, swept at second order, kept and dropped in any order leaves no byte behind.
TEST(HardCases, 74_no_cycles) {
  const auto second_order = [](bool gradient_first) {
    Tensor x = point();
    x.set_requires_grad();
    auto outer = std::make_unique<Tape>();
    Tensor g, kept;
    {
      Tape inner;
      const Tensor y = sum(exp(x) * sin(x));
      inner.backward(y);
      g = x.grad();
      kept = y;
    }
    outer->backward(sum(g * g));
    if (gradient_first) g = Tensor();
    outer.reset();
    x.zero_grad();
  };
  second_order(false);  // what the thread keeps for itself is there from now on
  second_order(true);
  const std::size_t before = memory_stats().current_bytes;
  for (int i = 0; i < 50; ++i) second_order(i % 2 == 0);
  EXPECT_EQ(memory_stats().current_bytes, before);
}

// Sweeps of several threads share parameters: each has a tape and gradients of its own, from the
// functional drivers, and who merges them in a fixed order gets the same bits every time. (Deposits
// into .grad are the caller's to synchronize: tape.hpp.)
TEST(HardCases, 78_threads_that_share_leaves) {
  const Tensor w = point(), b = f64({0.5, -0.25});
  constexpr int kParts = 8;
  const auto gradients_of_part = [&](int part) {
    Generator generator(static_cast<std::uint64_t>(part));
    const Tensor x = randn({16, 3}, generator, float64);
    return autograd::grad(
        [&](const Inputs& in) { return mean(square(tanh(linear(x, in[0], in[1])))); }, {w, b});
  };
  const auto total = [&](int threads) {
    std::vector<Inputs> parts(kParts);
    std::vector<std::thread> workers;
    for (int t = 0; t < threads; ++t) {
      workers.emplace_back([&, t] {
        for (int part = t; part < kParts; part += threads) {
          parts[static_cast<std::size_t>(part)] = gradients_of_part(part);
        }
      });
    }
    for (std::thread& worker : workers) worker.join();
    Inputs sum = {zeros_like(w), zeros_like(b)};
    for (const Inputs& part : parts) {
      for (std::size_t k = 0; k < sum.size(); ++k) add_(sum[k], part[k]);
    }
    return sum;
  };
  const Inputs want = total(1);
  EXPECT_FALSE(w.has_grad());
  for (int threads : {2, 3, 8}) {
    const Inputs got = total(threads);
    for (std::size_t k = 0; k < got.size(); ++k) expect_same(got[k], want[k]);
  }
}

// The recomputation of a checkpoint draws what the first run drew.
TEST(HardCases, 80_checkpoint_and_dropout) {
  const TensorFunction block = [](const Inputs& in) {
    return dropout(sin(in[0]), {.p = 0.5}) * dropout(in[0], {.p = 0.25});
  };
  const auto twice = [&](bool checkpointed, const Tensor& at) {
    manual_seed(80);
    const TensorFunction f = [&](const Inputs& in) {
      if (!checkpointed) return block({dropout(block(in))});
      const Tensor h = checkpoint(block, in);
      return checkpoint(block, {dropout(h)});
    };
    Inputs result = vjp(f, {at}, ones_like(at)).second;
    result.push_back(rand({4}, float64));  // the stream goes on where it was
    return result;
  };
  const Tensor at = full({5, 7}, 0.75, float64);
  const Inputs want = twice(false, at), got = twice(true, at);
  expect_same(got[0], want[0]);
  expect_same(got[1], want[1]);
  EXPECT_GT(sum(abs(want[0])).item(), 0.1);
  // Nested, and of second order.
  const TensorFunction deep = [&](const Inputs& in) {
    return checkpoint([&](const Inputs& x) { return checkpoint(block, {block(x)}); }, in);
  };
  const TensorFunction shallow = [&](const Inputs& in) { return block({block(in)}); };
  const auto seconds = [&](const TensorFunction& f) {
    manual_seed(81);
    return hvp([&](const Inputs& in) { return sum(f(in)); }, {at}, {ones_like(at)})[0];
  };
  expect_same(seconds(deep), seconds(shallow), 1e-14);
  // A generator inside f starts anew by itself; one outside is not where it was, which throws.
  const auto with = [&](Generator& generator) {
    Tape tape;
    const Tensor x = tape.input(at);
    const Tensor y =
        checkpoint([&](const Inputs& in) { return dropout(in[0], generator, {.p = 0.5}); }, {x});
    tape.backward(sum(y));
    return x.grad();
  };
  Generator outside(3);
  EXPECT_THROW(with(outside), TapeError);
  Tape tape;
  const Tensor x = tape.input(at);
  const Tensor y = checkpoint(
      [](const Inputs& in) {
        Generator inside(3);
        return dropout(in[0], inside, {.p = 0.5});
      },
      {x});
  tape.backward(sum(y));
  expect_same(x.grad(), detach(y) / 0.75);
}

TEST(HardCases, 80_checkpoints_of_scalars_draw_again) {
  manual_seed(82);
  Tape tape;
  const Var x = tape.input(2.0);
  double drawn = 0;
  const Var y = checkpoint(
      [&](std::span<const Var> in) {
        drawn = default_generator().uniform();
        return in[0] * in[0] * drawn;
      },
      {x});
  const double first = drawn, next = default_generator().uniform();
  tape.backward(y);
  EXPECT_EQ(drawn, first);
  EXPECT_EQ(x.grad(), 4 * first);
  manual_seed(82);
  (void)default_generator().uniform();
  EXPECT_EQ(default_generator().uniform(), next);
}

}  // namespace
}  // namespace ops_test
