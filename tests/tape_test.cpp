// SPDX-License-Identifier: Apache-2.0
// The life of a tape, line by line as SEMANTICS says: inputs live on and accumulate, statements die
// with backward unless retained, marks, seeds, sizes, gradients of scalars and tensors. What goes
// wrong is in misuse_test.cpp, nesting in nested_test.cpp.
#include <gtest/gtest.h>
#include <autograd/autograd.hpp>

#include <memory>
#include <random>
#include <vector>

#include "check.hpp"

namespace autograd {
namespace {

using check::message_of;

std::vector<double> numbers(const Tensor& x) {
  return to_vector<double>(to(contiguous(x), float64));
}
using Numbers = std::vector<double>;

TEST(TapeTest, InputsLiveOnAndAccumulate) {
  Tape tape;
  const Var x = tape.input(3.0);
  const Tensor w = tape.input(ones({2}, float64));
  for (int i = 1; i <= 3; ++i) {
    tape.backward(x * x);
    EXPECT_EQ(x.grad(), 6 * i);
    tape.backward(sum(w * w));
    EXPECT_EQ(numbers(w.grad()), (Numbers{2.0 * i, 2.0 * i}));
  }
  tape.zero_grad();
  EXPECT_EQ(x.grad(), 0);
  EXPECT_FALSE(w.has_grad());
  tape.backward(x * 5.0);
  EXPECT_EQ(x.grad(), 5);
  EXPECT_FALSE(w.has_grad());  // none is not zero
}

TEST(TapeTest, RetainedRecordingsAreSweptAgain) {
  Tape tape;
  const Var x = tape.input(3.0);
  const Var h = x * x, y = h * 2.0;
  tape.backward(y, {.retain = true});
  EXPECT_EQ(h.grad(), 2);
  EXPECT_EQ(y.grad(), 1);
  tape.backward(h, {.seed = 10.0, .retain = true});
  EXPECT_EQ(h.grad(), 10);  // of the last retained sweep
  EXPECT_EQ(y.grad(), 0);
  EXPECT_EQ(x.grad(), 12 + 60);
  tape.backward(y, {.seed = -1});
  EXPECT_EQ(x.grad(), 60);
  EXPECT_FALSE(h.has_grad());
  EXPECT_THROW(h.grad(), TapeError);
}

// Adjoints move when inputs are added or marks are taken; they stay readable.
TEST(TapeTest, GradientsBetweenSurviveLaterInputsAndMarks) {
  Tape tape;
  const Var x = tape.input(3.0);
  const Var h = x * x;
  tape.backward(h * 2.0, {.retain = true});
  for (int i = 0; i < 100000; ++i) tape.input(1.0);
  (void)tape.mark();
  EXPECT_EQ(h.grad(), 2);
  EXPECT_EQ(x.grad(), 12);
}

TEST(TapeTest, Seeds) {
  Tape tape;
  const Var x = tape.input(3.0);
  tape.backward(x * x, {.seed = 0.5});
  EXPECT_EQ(x.grad(), 3);
  const Tensor w = tape.input(tensor({1, 2, 3}));
  const Tensor seed = tensor({1, 10, 100});
  tape.backward(w * w, {.seed = seed});
  EXPECT_EQ(numbers(w.grad()), (Numbers{2, 40, 600}));
  EXPECT_EQ(numbers(seed), (Numbers{1, 10, 100}));
  const Tensor v = tape.input(tensor({1, 2, 3}));
  tape.backward(v, {.seed = seed});  // an input itself
  tape.backward(v, {.seed = seed});
  EXPECT_EQ(numbers(v.grad()), (Numbers{2, 20, 200}));
  EXPECT_EQ(numbers(seed), (Numbers{1, 10, 100}));  // the gradient is no alias of it
}

TEST(TapeTest, OneElementOfAnyShapeNeedsNoSeed) {
  for (const DType dtype : {float32, float64}) {
    Tape tape;
    const Tensor x = tape.input(full({1, 1}, 3.0, dtype));
    tape.backward(x * x);
    EXPECT_EQ(x.grad().dtype(), dtype);
    EXPECT_EQ(x.grad().item(), 6);
  }
}

TEST(TapeTest, SizeCountsInputsStatementsAndRecords) {
  Tape tape;
  EXPECT_EQ(tape.size(), 0u);
  const Var x = tape.input(1.0);
  const Tensor w = tape.input(ones({2}));
  EXPECT_EQ(tape.size(), 2u);
  const Var y = x * x + sin(x) * 2.0;
  const Var copy = y;
  (void)copy;
  EXPECT_EQ(tape.size(), 3u);
  const Tensor z = exp(w) * w;
  EXPECT_EQ(tape.size(), 5u);
  const Tensor untracked = exp(ones({2}));
  EXPECT_EQ(tape.size(), 5u);
  tape.backward(y);
  EXPECT_EQ(tape.size(), 2u);
}

TEST(TapeTest, MemoryIsKeptForTheNextRecording) {
  Tape tape;
  const Var x = tape.input(1.0);
  const auto run = [&] {
    Var y = x;
    for (int i = 0; i < 100000; ++i) y = y * x + 1.0;
    tape.backward(y);
  };
  run();
  const std::size_t held = tape.memory();
  EXPECT_GT(held, 100000u * 25);
  for (int i = 0; i < 5; ++i) run();
  EXPECT_EQ(tape.memory(), held);
}

TEST(TapeTest, InputsMayBeMadeLate) {
  Tape tape;
  const Var x = tape.input(2.0);
  Var y = x * x;
  const Var late = tape.input(5.0);
  y = y * late;
  tape.backward(y);
  EXPECT_EQ(late.grad(), 4);
  EXPECT_EQ(x.grad(), 20);
  const Var later = tape.input(7.0);
  EXPECT_FALSE(later.has_grad());
  EXPECT_NE(message_of<TapeError>([&] { later.grad(); }).find("no sweep has reached"),
            std::string::npos);
  tape.backward(later * x);
  EXPECT_EQ(later.grad(), 2);
  EXPECT_EQ(x.grad(), 27);
  EXPECT_EQ(late.grad(), 4);
}

TEST(TapeTest, AZeroAdjointOfAScalarIsNoError) {
  Tape tape;
  const Var x = tape.input(2.0), unused = tape.input(3.0);
  tape.backward(x * 1.0);
  EXPECT_TRUE(unused.has_grad());
  EXPECT_EQ(unused.grad(), 0);
}

// --- Marks.

// A live chain among values that the output does not depend on: statements of up to nine arguments, some
// of 200, some made by a tensor. The sweep passes over stretches of them.
Numbers gradient_among(bool dead, unsigned seed) {
  Tape tape;
  std::vector<Var> x;
  for (int i = 0; i < 9; ++i) x.push_back(tape.input(0.1 * i + 0.5));
  std::mt19937 live_random(seed), dead_random(seed + 1);
  Var y = x[0];
  for (int step = 0; step < 1000; ++step) {
    const std::size_t i = live_random() % x.size();
    y = y * 0.9 + sin(x[i]) * x[0];
    if (live_random() % 2) y = exp(-y);
    for (unsigned run = dead ? dead_random() % 40 : 0; run > 0; --run) {
      const unsigned kind = dead_random() % 64;
      Var d = y + x[0];
      if (kind == 0) {
        for (std::size_t k = 0; k < 200; ++k) d += x[k % x.size()] * 2.0;
      } else if (kind == 1) {
        d = unstack(stack({y, x[1]}) * 2.0)[1];
      } else {
        for (std::size_t k = 1; k < kind % 9; ++k) d += y * x[k];
      }
    }
  }
  tape.backward(y);
  Numbers result;
  for (const Var& input : x) result.push_back(input.grad());
  return result;
}

TEST(TapeTest, StretchesThatTheOutputDoesNotDependOn) {
  for (unsigned seed = 0; seed < 10; ++seed) {
    EXPECT_EQ(gradient_among(true, seed), gradient_among(false, seed)) << "seed " << seed;
  }
}

// y = v + 2 (v or x) + 4 (v or x) + ..., one statement: v at any of the places, itself the statement
// just before or an earlier one. All numbers are exact.
TEST(TapeTest, ArgumentsThatComeAgain) {
  for (int count = 1; count <= 12; ++count) {
    for (unsigned places = 0; places >> (count - 1) == 0; ++places) {
      for (const bool previous : {true, false}) {
        Tape tape;
        const Var a = tape.input(1.0), x = tape.input(1.0);
        const Var v = a * 3.0;
        Var between;
        if (!previous) between = a * 0.5;
        const std::size_t before = tape.size();
        Var y = v * 1.0;
        double want[2] = {3, 0};
        for (int i = 1; i < count; ++i) {
          const double c = 1 << i;
          const bool again = places >> (i - 1) & 1;
          if (again) {
            y += v * c;
          } else {
            y += x * c;
          }
          want[again ? 0 : 1] += again ? 3 * c : c;
        }
        ASSERT_EQ(tape.size(), before + 1);
        tape.backward(y);
        ASSERT_EQ(a.grad(), want[0]) << count << " arguments, places " << places;
        if (count > 1) {
          ASSERT_EQ(x.has_grad() ? x.grad() : 0, want[1])
              << count << " arguments, places " << places;
        }
      }
    }
  }
}

TEST(TapeTest, RewindForgets) {
  Tape tape;
  const Var x = tape.input(2.0);
  const Var h = x * x;
  const Tensor w = tape.input(ones({2}));
  const Tensor v = w * 3.0;
  const Tape::Mark mark = tape.mark();
  const std::size_t size = tape.size();
  for (int i = 0; i < 1000; ++i) {
    Var y = h;
    for (int k = 0; k < 50; ++k) y = y * x;
    const Tensor u = exp(v) * v;
    tape.rewind(mark);
    EXPECT_EQ(tape.size(), size);
  }
  tape.backward(h * x, {.retain = true});
  EXPECT_EQ(x.grad(), 12);
  tape.backward(sum(v));
  EXPECT_EQ(numbers(w.grad()), (Numbers{3, 3}));
}

// sum_i f_i as many sweeps to a mark, against one big sweep.
TEST(TapeTest, TermsEqualOneBigBackward) {
  const auto common = [](const Var& x, const Var& y) { return exp(x * 0.1) * y; };
  const auto term = [](const Var& h, const Var& x, int i) {
    Var t = h;
    for (int k = 0; k < 5; ++k) t = sin(t * x + static_cast<double>(i));
    return t;
  };
  double want[2];
  {
    Tape tape;
    const Var x = tape.input(1.2), y = tape.input(-0.7), h = common(x, y);
    Var sum = 0.0;
    for (int i = 0; i < 20; ++i) sum += term(h, x, i) * 0.5;
    tape.backward(sum);
    want[0] = x.grad();
    want[1] = y.grad();
  }
  Tape tape;
  const Var x = tape.input(1.2), y = tape.input(-0.7), h = common(x, y);
  const Tape::Mark mark = tape.mark();
  for (int i = 0; i < 20; ++i) tape.backward_to(term(h, x, i), mark, 0.5);
  tape.backward_from(mark);
  EXPECT_NEAR(x.grad(), want[0], 1e-12);
  EXPECT_NEAR(y.grad(), want[1], 1e-12);
}

TEST(TapeTest, TermsOfTensors) {
  Tape tape;
  const Tensor x = tape.input(tensor({1, 2}, float64));
  const Tensor h = x * x;
  const Tape::Mark mark = tape.mark();
  for (int i = 1; i <= 3; ++i) tape.backward_to(sum(h * x), mark, full({}, i, float64));
  EXPECT_EQ(numbers(x.grad()), (Numbers{6, 24}));  // what does not pass the mark is there already
  tape.backward_from(mark);
  EXPECT_EQ(numbers(x.grad()), (Numbers{18, 72}));  // 6 * 3 x^2
}

TEST(TapeTest, NestedMarks) {
  Tape tape;
  const Var x = tape.input(2.0);
  const Var a = x * x;
  const Tape::Mark outer = tape.mark();
  for (int i = 0; i < 2; ++i) {
    const Var b = a * a;
    const Tape::Mark inner = tape.mark();
    for (int k = 0; k < 3; ++k) tape.backward_to(b * x, inner);
    const Var rest = a * 0.0;
    tape.backward_to(rest + b * 0.0, outer);  // carries what was gathered at b
  }
  tape.backward_from(outer);
  EXPECT_DOUBLE_EQ(x.grad(), 6 * 5 * 16);  // six times x^5
}

// A retained sweep between the mark and backward_to leaves nothing behind in the sum.
TEST(TapeTest, ARetainedSweepDoesNotDisturbGathering) {
  Tape tape;
  const Var x = tape.input(2.0);
  const Var h = x * x;
  const Tape::Mark mark = tape.mark();
  tape.backward(h * 3.0, {.retain = true});
  EXPECT_EQ(x.grad(), 12);
  tape.backward_to(h * 5.0, mark);
  tape.backward_from(mark);
  EXPECT_EQ(x.grad(), 12 + 20);
}

TEST(TapeTest, RewindingPastWhatWasGatheredDropsIt) {
  Tape tape;
  const Var x = tape.input(2.0);
  const Tape::Mark start = tape.mark();
  const Var h = x * x;
  const Tape::Mark mark = tape.mark();
  tape.backward_to(h * 3.0, mark);
  tape.rewind(start);
  tape.backward(x * x * x);
  EXPECT_EQ(x.grad(), 12);
}

TEST(TapeTest, ZeroGradDropsWhatWasGathered) {
  Tape tape;
  const Var x = tape.input(2.0);
  const Var h = x * x;
  const Tape::Mark mark = tape.mark();
  tape.backward_to(h * 3.0 + x, mark);
  tape.zero_grad();
  EXPECT_EQ(x.grad(), 0);
  tape.backward(h * 1.0);
  EXPECT_EQ(x.grad(), 4);
}

TEST(TapeTest, InputsMadeAfterAMark) {
  Tape tape;
  const Var x = tape.input(2.0);
  const Tape::Mark mark = tape.mark();
  const Var path = tape.input(3.0);
  tape.backward_to(x * path, mark);
  EXPECT_EQ(x.grad(), 3);
  EXPECT_THROW(path.grad(), TapeError);  // forgotten with the rest
  EXPECT_EQ(tape.size(), 1u);
}

// --- Between scalars and tensors.

TEST(TapeTest, StackAndUnstack) {
  Tape tape;
  const Var x = tape.input(2.0), y = tape.input(3.0);
  const Tensor v = stack({x * y, y, 7.0, x});
  EXPECT_EQ(v.dtype(), float64);
  EXPECT_EQ(numbers(v), (Numbers{6, 3, 7, 2}));
  const std::vector<Var> s = unstack(v * v);
  ASSERT_EQ(s.size(), 4u);
  tape.backward(s[0] + s[1] * x + s[2] + s[3]);  // (x y)^2 + y^2 x + 49 + x^2
  EXPECT_EQ(x.grad(), 2 * 2 * 9 + 9 + 4);
  EXPECT_EQ(y.grad(), 2 * 4 * 3 + 2 * 3 * 2);
}

TEST(TapeTest, RoundTripsOfFloat32) {
  Tape tape;
  const Tensor w = tape.input(tensor({0.5, -2, 3}));
  Tensor v = w;
  for (int i = 0; i < 50; ++i) v = to(stack(unstack(v)), float32) * 1.0;
  tape.backward(sum(v * v));
  EXPECT_EQ(w.grad().dtype(), float32);
  EXPECT_EQ(numbers(w.grad()), (Numbers{1, -4, 6}));
}

TEST(TapeTest, EmptyAndUntracked) {
  Tape tape;
  EXPECT_EQ(stack(std::vector<Var>{}).numel(), 0);
  EXPECT_TRUE(unstack(tape.input(zeros({0}))).empty());
  const std::vector<Var> s = unstack(tensor({1, 2}));
  EXPECT_FALSE(s[1].has_grad());
  EXPECT_EQ(s[1].value(), 2);
  EXPECT_EQ(tape.size(), 2u);
}

TEST(TapeTest, AStridedVectorComesApart) {
  Tape tape;
  const Tensor w = tape.input(tensor({{1, 2}, {3, 4}}, float64));
  const std::vector<Var> s = unstack(reshape(transpose(w), {4}));
  EXPECT_EQ(s[1].value(), 3);
  tape.backward(s[1] * s[1] + s[2]);
  EXPECT_EQ(numbers(w.grad()), (Numbers{0, 1, 6, 0}));
}

// --- Parameters.

TEST(TapeTest, ParametersJoinEveryTapeThatUsesThem) {
  Tensor p = tensor({1, 2}, float64);
  p.set_requires_grad();
  EXPECT_FALSE(p.has_grad());
  for (int i = 1; i <= 3; ++i) {
    Tape tape;
    tape.backward(sum(p * p));
    EXPECT_EQ(numbers(p.grad()), (Numbers{2.0 * i, 4.0 * i}));
    tape.zero_grad();  // of inputs; parameters are the optimizer's
    EXPECT_TRUE(p.has_grad());
  }
  p.zero_grad();
  EXPECT_FALSE(p.has_grad());
}

TEST(TapeTest, DepositedGradientsAreNoAliases) {
  Tensor p = ones({2}, float64), q = ones({2}, float64);
  p.set_requires_grad();
  q.set_requires_grad();
  Tape tape;
  const Tensor x = tape.input(ones({2}, float64));
  tape.backward(sum(p + q + x));
  fill_(detach(p.grad()), 100);
  EXPECT_EQ(numbers(q.grad()), (Numbers{1, 1}));
  EXPECT_EQ(numbers(x.grad()), (Numbers{1, 1}));
  const Tensor kept = q.grad();
  tape.backward(sum(q * 2.0));
  EXPECT_EQ(numbers(q.grad()), (Numbers{3, 3}));
  EXPECT_EQ(numbers(kept), (Numbers{1, 1}));  // a handle the user kept is not added to
}

TEST(TapeTest, TapesEndInAnyOrder) {
  auto a = std::make_unique<Tape>();
  const Var x = a->input(2.0);
  auto b = std::make_unique<Tape>();
  auto c = std::make_unique<Tape>();
  const Var z = c->input(3.0);
  b.reset();  // the one in the middle
  c->backward(z * z);
  EXPECT_EQ(z.grad(), 6);
  c.reset();
  a->backward(x * x);
  EXPECT_EQ(x.grad(), 4);
  auto d = std::make_unique<Tape>();
  const Var y = d->input(5.0);
  a.reset();  // the outer one first
  d->backward(y * y);
  EXPECT_EQ(y.grad(), 10);
  d.reset();
  EXPECT_FALSE(Var(y * 2.0).has_grad());  // nothing records any more
}

}  // namespace
}  // namespace autograd
