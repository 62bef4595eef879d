// SPDX-License-Identifier: Apache-2.0
// Checkpoints give the gradients of the same computation recorded whole, nest, and hold little memory.
#include <gtest/gtest.h>
#include <autograd/autograd.hpp>

#include <cmath>

#include "check.hpp"

namespace autograd {
namespace {

using check::message_of;
using Scalars = std::span<const Var>;

// The state (x, v, k) of a driven pendulum after one step; k stays.
template <class T> std::vector<T> step(std::span<const T> s, int i) {
  const T v = s[1] - 0.01 * s[2] * sin(s[0]) + 0.001 * std::cos(0.1 * i);
  return {s[0] + 0.01 * v, v, s[2]};
}
std::vector<Var> start(Tape& tape) { return {tape.input(0.5), tape.input(-0.1), tape.input(1.3)}; }

TEST(CheckpointTest, OneOutput) {
  Tape tape;
  const Var a = tape.input(0.7), b = tape.input(1.1);
  const auto f = [](Scalars x) { return sin(x[0]) * exp(x[1]) + x[0]; };
  const Var y = checkpoint(f, {a * 2.0, b, 5.0});
  EXPECT_EQ(tape.size(), 5u);  // two inputs, a statement, the record and its value
  tape.backward(y * y, {.retain = true});
  const double da = a.grad(), db = b.grad();
  tape.zero_grad();
  const Var z = f(std::vector<Var>{a * 2.0, b, 5.0});
  EXPECT_EQ(y.value(), z.value());
  tape.backward(z * z);
  EXPECT_NEAR(da, a.grad(), 1e-13 * std::abs(da));
  EXPECT_NEAR(db, b.grad(), 1e-13 * std::abs(db));
}

TEST(CheckpointTest, NestedAndSeveralOutputs) {
  const auto inner = [](Scalars s) { return step(s, 3); };
  const auto outer = [&](Scalars s) { return checkpoint(inner, checkpoint(inner, s)); };
  Tape tape;
  const std::vector<Var> s = start(tape);
  const std::vector<Var> y = checkpoint(outer, checkpoint(outer, s));
  tape.backward(y[0] * y[1] + y[2]);
  Tape whole;
  const std::vector<Var> t = start(whole);
  const std::vector<Var> z = inner(inner(inner(inner(t))));
  whole.backward(z[0] * z[1] + z[2]);
  std::vector<double> want;
  for (const Var& v : t) want.push_back(v.grad());
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(y[i].value(), z[i].value());
    EXPECT_NEAR(want[i], whole.gradient_of(t[i]), 0);
    EXPECT_NEAR(tape.gradient_of(s[i]), want[i], 1e-13);
  }
}

TEST(CheckpointTest, StepsAgreeWithTheWholeRecording) {
  for (const int n : {0, 1, 2, 3, 10, 1000}) {
    Tape tape;
    const std::vector<Var> s = start(tape);
    std::vector<Var> y = s;
    for (int i = 0; i < n; ++i) y = step(Scalars(y), i);
    tape.backward(y[0] * y[1]);
    std::vector<double> want;
    for (const Var& v : s) want.push_back(v.grad());
    tape.zero_grad();
    const std::vector<Var> z = checkpoint_steps(&step<Var>, n, s);
    EXPECT_EQ(z[0].value(), y[0].value());
    tape.backward(z[0] * z[1]);
    for (std::size_t i = 0; i < 3; ++i) ASSERT_NEAR(s[i].grad(), want[i], 1e-12) << n;
  }
}

// Recorded whole, a million steps would take 150 MB.
TEST(CheckpointTest, AMillionStepsInLittleMemory) {
  const std::size_t before = memory_stats().current_bytes;
  set_memory_limit(before + memory_stats().cached_bytes + (std::size_t{4} << 20));
  {
    Tape tape;
    const std::vector<Var> s = start(tape);
    const std::vector<Var> y = checkpoint_steps(&step<Var>, 1000000, s);
    tape.backward(y[0]);
    EXPECT_TRUE(std::isfinite(s[0].grad()));
    EXPECT_NE(s[2].grad(), 0);
    EXPECT_LT(tape.memory(), std::size_t{2} << 20);
  }
  set_memory_limit(~std::size_t{0});
}

TEST(CheckpointTest, TermByTermMemoryStaysFlat) {
  Tape tape;
  const Var x = tape.input(0.3);
  const Tape::Mark mark = tape.mark();
  std::size_t memory = 0;
  for (int i = 0; i < 100000; ++i) {
    tape.backward_to(checkpoint([](Scalars in) { return in[0] * in[0]; }, {x}), mark);
    if (i == 100) memory = tape.memory();
  }
  EXPECT_EQ(tape.memory(), memory);
  EXPECT_NEAR(x.grad(), 60000, 1e-6);
}

TEST(CheckpointTest, OtherScalarsRunThrough) {
  const auto f = [](auto x) { return x[0] * x[0]; };
  EXPECT_EQ(checkpoint(f, std::vector{3.0}), 9);
  EXPECT_EQ(checkpoint(f, std::vector{Dual<1>::variable(3.0)}).tangent(), 6);
  EXPECT_EQ(checkpoint(f, {Var(3.0)}).value(), 9);  // no tape
  Tape tape;
  EXPECT_EQ(checkpoint(f, {Var(3.0)}).value(), 9);  // nothing tracked
  EXPECT_EQ(tape.size(), 0u);
}

TEST(CheckpointTest, ConstantsAndUnusedInputs) {
  Tape tape;
  const Var x = tape.input(2.0), unused = tape.input(1.0);
  const Var y = checkpoint([](Scalars in) { return in[0].value() > 0 ? Var(4.0) : in[0]; }, {x});
  const Var z = checkpoint([](Scalars in) { return in[0] * 3.0; }, {x, unused});
  tape.backward(y + z);
  EXPECT_EQ(x.grad(), 3);
  EXPECT_EQ(unused.grad(), 0);
}

TEST(CheckpointTest, Errors) {
  Tape tape;
  const Var x = tape.input(2.0), other = tape.input(3.0);
  const std::size_t size = tape.size();
  EXPECT_NE(message_of<TapeError>([&] {
              checkpoint([&](Scalars in) { return in[0] * other; }, {x});
            }).find("another tape"),
            std::string::npos);
  EXPECT_EQ(message_of<ValueError>(
                [&] { checkpoint([](Scalars) -> Var { throw ValueError("f: no"); }, {x}); }),
            "f: no");
  EXPECT_EQ(message_of<ValueError>([&] {
              checkpoint_steps(
                  [](Scalars in, int) { return std::vector<Var>(in.begin(), in.end()); }, -5,
                  std::vector<Var>{x});
            }),
            "checkpoint_steps: steps out of range: -5; need steps >= 0");
  EXPECT_EQ(tape.size(), size);  // nothing was recorded
  double factor = 2;
  const Var y = checkpoint([&](Scalars in) { return in[0] * factor; }, {x});
  factor = 3;
  EXPECT_EQ(message_of<TapeError>([&] { tape.backward(y); }),
            "checkpoint: f is not a function of its inputs alone: output 0 was 4 and is "
            "6 in the sweep; need all that changes among the inputs");
  bool refuse = false;
  const Var z = checkpoint(
      [&](Scalars in) {
        if (refuse) throw ValueError("f: not now");
        return in[0] * in[0];
      },
      {x});
  refuse = true;
  EXPECT_EQ(message_of<ValueError>([&] { tape.backward(z + x); }), "f: not now");
  EXPECT_FALSE(x.has_grad());
  tape.backward(x * other);
  EXPECT_EQ(x.grad(), 3);
}

// --- Tensors.

TensorFunction layer() {
  return [](const std::vector<Tensor>& in) { return tanh(matmul(in[0], in[1])) * in[0]; };
}

TEST(CheckpointTest, TensorsOfEveryOrder) {
  const Tensor x = tensor({{0.1, 0.4}, {-0.3, 0.8}}, float64);
  const Tensor w = tensor({{0.5, -0.2}, {0.7, 0.3}}, float64);
  const TensorFunction plain = [](const std::vector<Tensor>& in) {
    return sum(layer()({layer()(in), in[1]}));
  };
  const TensorFunction saved = [](const std::vector<Tensor>& in) {
    return sum(checkpoint(layer(), {checkpoint(layer(), in), in[1]}));
  };
  const auto want = grad(plain, {x, w}), got = grad(saved, {x, w});
  const auto second = [](const TensorFunction& f) {
    return [f](const std::vector<Tensor>& in) {
      const auto g = grad(f, in);
      return sum(g[0] * g[1]);
    };
  };
  const auto want2 = grad(second(plain), {x, w}), got2 = grad(second(saved), {x, w});
  for (std::size_t k = 0; k < 2; ++k) {
    for (std::int64_t i = 0; i < 4; ++i) {
      EXPECT_NEAR(got[k].at({i / 2, i % 2}), want[k].at({i / 2, i % 2}), 1e-14);
      EXPECT_NEAR(got2[k].at({i / 2, i % 2}), want2[k].at({i / 2, i % 2}), 1e-13);
    }
  }
}

TEST(CheckpointTest, TensorsThatAreNoInputsThrow) {
  Tensor p = ones({2}, float64);
  p.set_requires_grad();
  Tape tape;
  const Tensor x = tape.input(ones({2}, float64)), h = x * 2.0;
  const auto with = [&](const Tensor& t) {
    return message_of<TapeError>(
        [&] { checkpoint([&](const std::vector<Tensor>& in) { return in[0] * t; }, {x}); });
  };
  EXPECT_NE(with(p).find("a parameter that is not among its inputs"), std::string::npos) << with(p);
  EXPECT_NE(with(h).find("detach"), std::string::npos) << with(h);
  EXPECT_THROW(checkpoint(TensorFunction(), {x}), ValueError);
  tape.backward(sum(checkpoint([](const auto& in) { return in[0] * in[1]; }, {x, p})));
  EXPECT_EQ(p.grad().at({0}), 1);
}

}  // namespace
}  // namespace autograd
