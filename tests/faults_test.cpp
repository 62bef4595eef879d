// SPDX-License-Identifier: Apache-2.0
// Exceptions while recording and while sweeping: from user code, from operator new (replaced here) and
// from the pool (set_memory_limit). Gradients stay what they were, and the tape is usable afterwards.
// A backward that throws has consumed its recording unless told to retain it.
#include <gtest/gtest.h>
#include <autograd/autograd.hpp>

#include <cstdlib>
#include <new>
#include <thread>

#include "check.hpp"

namespace {

thread_local long allocations_left = -1;  // those that still succeed; -1: all of them

}  // namespace

// Not inlined: GCC would warn that free() is given what operator new returned.
__attribute__((noinline)) void* operator new(std::size_t bytes) {
  if (allocations_left == 0) throw std::bad_alloc();
  if (allocations_left > 0) --allocations_left;
  if (void* block = std::malloc(bytes ? bytes : 1)) return block;
  throw std::bad_alloc();
}
__attribute__((noinline)) void operator delete(void* block) noexcept { std::free(block); }
__attribute__((noinline)) void operator delete(void* block, std::size_t) noexcept {
  std::free(block);
}

namespace autograd {
namespace {

using Inputs = std::vector<Tensor>;
using Numbers = std::vector<double>;

Numbers numbers(const Tensor& x) { return to_vector<double>(to(contiguous(x), float64)); }

// x that throws in its backward pass while `*fail` is set.
TensorFunction fuse(const bool* fail) {
  return custom_function([](const Inputs& in) { return in[0] * 1.0; },
                         [fail](const Inputs&, const Tensor&, const Tensor& dy) {
                           if (*fail) throw ValueError("blown");
                           return Inputs{dy * 1.0};
                         });
}

// Two scalars, an input tensor, and a parameter; a loss in which all of them meet, in both worlds.
struct Problem {
  Var x, y;
  Tensor w;
  Tensor p = tensor(Numbers{0.5, -1.5, 2});
  bool fail = false;

  explicit Problem(Tape& tape)
      : x(tape.input(1.5)), y(tape.input(-0.5)), w(tape.input(tensor(Numbers{1, 2, 3}))) {
    p.set_requires_grad();
  }
  Var loss() const {
    const Tensor v = fuse(&fail)({stack({x, y, x * y})});
    const std::vector<Var> parts = unstack(v * w + exp(p * 0.1) * v);
    Var s = x * y;
    for (const Var& part : parts) s += part * x + sin(part * y);
    return s;
  }
  Numbers gradients() const {
    Numbers all{x.has_grad() ? x.grad() : 0, y.has_grad() ? y.grad() : 0};
    for (const Tensor& t : {w, p}) {
      const Numbers g = t.has_grad() ? numbers(t.grad()) : Numbers(3, 0.0);
      all.insert(all.end(), g.begin(), g.end());
    }
    return all;
  }
};

void expect_times(const Numbers& got, const Numbers& one, double factor) {
  ASSERT_EQ(got.size(), one.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_TRUE(check::close(got[i], factor * one[i], 1e-12)) << i << ": " << got[i];
  }
}

TEST(FaultsTest, TheProblemIsRight) {
  Tape tape;
  Problem problem(tape);
  tape.backward(problem.loss());
  const auto f = [&](const Numbers& v) {
    const double in[3] = {v[0], v[1], v[0] * v[1]};
    double s = v[0] * v[1];
    for (std::size_t i = 0; i < 3; ++i) {
      const double part = in[i] * v[2 + i] + std::exp(v[5 + i] * 0.1) * in[i];
      s += part * v[0] + std::sin(part * v[1]);
    }
    return s;
  };
  const Numbers want = check::differences(f, {1.5, -0.5, 1, 2, 3, 0.5, -1.5, 2});
  const Numbers got = problem.gradients();
  for (std::size_t i = 0; i < want.size(); ++i) EXPECT_TRUE(check::close(got[i], want[i])) << i;
}

TEST(FaultsTest, ABackwardRuleThrows) {
  for (const bool retain : {false, true}) {
    Tape tape;
    Problem problem(tape);
    tape.backward(problem.loss());
    const Numbers before = problem.gradients();
    problem.fail = true;
    const Var loss = problem.loss();
    EXPECT_THROW(tape.backward(loss, {.retain = retain}), ValueError);
    EXPECT_EQ(problem.gradients(), before);
    problem.fail = false;
    if (retain) {
      tape.backward(loss);  // the recording is still there
    } else {
      EXPECT_THROW(tape.backward(loss), TapeError);
      tape.backward(problem.loss());
    }
    expect_times(problem.gradients(), before, 2);
    EXPECT_EQ(tape.size(), 3u);
  }
}

TEST(FaultsTest, ABackwardRuleThrowsBeforeAMark) {
  Tape tape;
  Problem problem(tape);
  const Var h = problem.x * problem.y;
  const Tape::Mark mark = tape.mark();
  problem.fail = true;
  EXPECT_THROW(tape.backward_to(problem.loss() * h, mark), ValueError);
  EXPECT_EQ(problem.gradients(), Numbers(8, 0.0));
  problem.fail = false;
  tape.backward_to(h * problem.x, mark);  // nothing had been gathered: h is still there
  tape.backward_from(mark);
  EXPECT_EQ(problem.x.grad(), 2 * 1.5 * -0.5);
  EXPECT_EQ(problem.y.grad(), 1.5 * 1.5);
}

// The terms gathered so far are lost, so carrying on must not be possible.
TEST(FaultsTest, ABackwardRuleThrowsAfterGathering) {
  Tape tape;
  Problem problem(tape);
  const Var h = problem.x * problem.y;
  const Tape::Mark mark = tape.mark();
  tape.backward_to(h * problem.x, mark);
  problem.fail = true;
  EXPECT_THROW(tape.backward_to(problem.loss() * h, mark), ValueError);
  EXPECT_THROW(tape.backward_from(mark), TapeError);
  EXPECT_THROW((void)Var(h * 2.0), TapeError);
  tape.zero_grad();
  problem.fail = false;
  tape.backward(problem.loss());
  EXPECT_NE(problem.x.grad(), 0);
}

TEST(FaultsTest, ThroughNestedTapes) {
  Tape outer;
  Problem problem(outer);
  const Numbers before = problem.gradients();
  problem.fail = true;
  {
    Tape inner;
    const Tensor x = inner.input(problem.w);
    const Tensor y = sum(fuse(&problem.fail)({x * problem.p}));
    EXPECT_THROW(inner.backward(y), ValueError);
    EXPECT_FALSE(x.has_grad());
    inner.backward(sum(x * x));
    EXPECT_EQ(numbers(x.grad()), (Numbers{2, 4, 6}));
  }
  EXPECT_THROW(grad([&](const Inputs& in) { return sum(fuse(&problem.fail)(in)); }, {problem.w}),
               ValueError);
  EXPECT_EQ(problem.gradients(), before);
  problem.fail = false;
  outer.backward(problem.loss());
  EXPECT_TRUE(problem.p.has_grad());
}

TEST(FaultsTest, AnExceptionBetweenStatements) {
  Tape tape;
  const Var x = tape.input(2.0);
  Var s = x * x;
  try {
    s += x;
    Tape inner;
    (void)inner.input(1.0);
    throw ValueError("mine");
  } catch (const ValueError&) {
  }
  s += x;
  tape.backward(s);
  EXPECT_EQ(x.grad(), 6);
}

// Runs `step` with the n-th allocation failing, n = 0, 1, ..., until it succeeds. Every failure must
// leave the gradients as they were; a repetition must succeed. Each round has a thread of its own,
// whose tape starts without any memory.
template <class Step> void fail_every_allocation(Step step) {
  bool succeeded = false;
  long n = 0;
  for (; !succeeded; ++n) {
    ASSERT_LT(n, 10000);
    std::thread([&] {
      Tape tape;
      Problem problem(tape);
      tape.backward(problem.x * problem.y + unstack(problem.w * problem.p)[0]);
      const Numbers before = problem.gradients();
      const std::size_t size = tape.size();
      try {
        allocations_left = n;
        step(tape, problem);
        succeeded = true;
      } catch (const std::bad_alloc&) {
      }
      allocations_left = -1;
      if (!succeeded) {
        EXPECT_EQ(problem.gradients(), before) << "allocation " << n;
        step(tape, problem);
      }
      tape.zero_grad();
      problem.p.zero_grad();
      tape.backward(problem.loss());
      const Numbers one = problem.gradients();
      tape.backward(problem.loss());
      expect_times(problem.gradients(), one, 2);
      EXPECT_EQ(tape.size(), size);
    }).join();
  }
  EXPECT_GT(n, 10);  // a step does allocate
}

TEST(FaultsTest, EveryAllocationFailsOnce) {
  fail_every_allocation([](Tape& tape, Problem& problem) { tape.backward(problem.loss()); });
}

// Enough of them that the tape looks them up by address.
TEST(FaultsTest, EveryAllocationOfManyParametersFailsOnce) {
  fail_every_allocation([](Tape& tape, Problem& problem) {
    std::vector<Tensor> many;
    const Tape::Mark mark = tape.mark();
    Tensor sum_of = problem.w * 0.0;
    for (int i = 0; i < 70; ++i) {
      many.push_back(ones({3}, float64).set_requires_grad());
      sum_of = sum_of + many.back() * static_cast<double>(i);
    }
    tape.backward_to(sum(sum_of), mark);
    for (int i = 0; i < 70; ++i) {
      EXPECT_EQ(numbers(many[static_cast<std::size_t>(i)].grad()), Numbers(3, i));
    }
  });
}

TEST(FaultsTest, EveryAllocationOfATapeFailsOnce) {
  bool succeeded = false;
  for (long n = 0; !succeeded; ++n) {
    ASSERT_LT(n, 1000);
    std::thread([&] {
      try {
        allocations_left = n;
        Tape tape;
        const Var x = tape.input(3.0);
        tape.backward(x * x);
        const bool right = x.grad() == 6;
        allocations_left = -1;
        EXPECT_TRUE(right);
        succeeded = true;
      } catch (const std::bad_alloc&) {
        allocations_left = -1;
        EXPECT_FALSE(Var(Var(1.0) * 2.0).has_grad());
      }
      Tape tape;
      const Var x = tape.input(3.0);
      tape.backward(x * x);
      EXPECT_EQ(x.grad(), 6);
    }).join();
  }
}

// --- The pool.

struct Limit {
  explicit Limit(std::size_t more) {
    empty_cache();
    const MemoryStats stats = memory_stats();
    set_memory_limit(stats.current_bytes + stats.cached_bytes + more);
  }
  ~Limit() { set_memory_limit(~std::size_t{0}); }
  Limit(const Limit&) = delete;
  Limit& operator=(const Limit&) = delete;
};

TEST(FaultsTest, LargeTensorsWhileRecordingAndSweeping) {
  constexpr std::int64_t kElements = 200000;
  for (std::size_t room = 0, succeeded = 0; !succeeded; room += 1 << 20) {
    ASSERT_LT(room, std::size_t{1} << 30);
    Tape tape;
    const Var s = tape.input(2.0);
    const Tensor x = tape.input(ones({kElements}, float64));
    tape.backward(sum(x * 3.0));
    const auto step = [&] {
      const Tensor h = exp(x) * x;
      tape.backward(stack({s}) * sum(h * h));
    };
    try {
      const Limit limit(room);
      step();
      succeeded = 1;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("cannot get"), std::string::npos) << error.what();
      EXPECT_EQ(x.grad().at({kElements - 1}), 3);
      EXPECT_EQ(s.has_grad() ? s.grad() : 0, 0);
      step();
    }
    EXPECT_NEAR(x.grad().at({kElements - 1}), 3 + 2 * 4 * std::exp(2.0), 1e-9);
    EXPECT_NEAR(s.grad() / kElements, std::exp(2.0), 1e-6);
  }
}

TEST(FaultsTest, ScalarsUntilMemoryIsShort) {
  Tape tape;
  const Var x = tape.input(1.0);
  Var y = x;
  long n = 0;
  try {
    const Limit limit(3 << 20);
    for (; n < 100000000; ++n) y = y * x + 1e-9;
  } catch (const Error&) {
  }
  EXPECT_GT(n, 50000);
  EXPECT_LT(n, 1000000);
  EXPECT_NEAR(y.value(), 1 + 1e-9 * static_cast<double>(n), 1e-6);  // the last complete statement
  y = y * x;
  tape.backward(y);
  EXPECT_NEAR(x.grad() / static_cast<double>(n + 2), 1, 1e-3);
}

TEST(FaultsTest, ImpossibleSizes) {
  Tape tape;
  const Tensor x = tape.input(ones({1}, float64));
  EXPECT_THROW((void)(broadcast_to(x, {std::int64_t{1} << 45}) * 2.0), Error);
  EXPECT_THROW((void)contiguous(broadcast_to(x, {std::int64_t{1} << 30, std::int64_t{1} << 20})),
               Error);
  tape.backward(sum(x * 2.0));
  EXPECT_EQ(x.grad().item(), 2);
}

}  // namespace
}  // namespace autograd
