// SPDX-License-Identifier: Apache-2.0
// Long chains and long runs: ten million scalar statements and a million tensor operations are
// recorded, swept and destroyed on a stack of 256 KiB; bytes per statement; no growth over many tapes,
// rewinds and sweeps. HARD_CASES rows 54 and 73.
#include <gtest/gtest.h>
#include <pthread.h>
#include <autograd/autograd.hpp>

#include <cstdio>
#include <functional>

#include "check.hpp"

namespace autograd {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kShrink = 20;  // instrumented code is slow, and its frames are large
constexpr std::size_t kStack = std::size_t{2} << 20;
#else
constexpr int kShrink = 1;
constexpr std::size_t kStack = std::size_t{256} << 10;
#endif

// Runs f in a thread with a small stack.
void on_small_stack(std::function<void()> f) {
  pthread_attr_t attributes;
  ASSERT_EQ(pthread_attr_init(&attributes), 0);
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, kStack), 0);
  pthread_t thread;
  const auto run = [](void* argument) -> void* {
    (*static_cast<std::function<void()>*>(argument))();
    return nullptr;
  };
  ASSERT_EQ(pthread_create(&thread, &attributes, run, &f), 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

TEST(DepthTest, TenMillionScalarStatements) {
  on_small_stack([] {
    const long n = 10000000 / kShrink;
    Tape tape;
    const Var x = tape.input(1.0), b = tape.input(1e-9);
    Var y = x;
    for (long i = 0; i < n; ++i) y = y + b;
    EXPECT_EQ(tape.size(), static_cast<std::size_t>(n) + 2);
    tape.backward(y);
    EXPECT_EQ(x.grad(), 1);
    EXPECT_EQ(b.grad(), static_cast<double>(n));
  });
}

TEST(DepthTest, ScalarStatementsDestroyedUnswept) {
  on_small_stack([] {
    Tape tape;
    Var y = tape.input(1.0);
    for (long i = 0; i < 10000000 / kShrink; ++i) y = sin(y);
  });
}

TEST(DepthTest, AMillionTensorOperations) {
  on_small_stack([] {
    const int n = 1000000 / kShrink;
    Tape tape;
    const Tensor x = tape.input(ones({2}, float64)), b = tape.input(full({2}, 1e-9, float64));
    Tensor y = x;
    for (int i = 0; i < n; ++i) y = y + b;
    tape.backward(sum(y));
    EXPECT_EQ(x.grad().at({1}), 1);
    EXPECT_EQ(b.grad().at({1}), n);
  });
}

// Every operation saves its operand, views hold their base, and nothing is swept.
TEST(DepthTest, TensorOperationsDestroyedUnswept) {
  on_small_stack([] {
    Tensor y = ones({2}, float64);
    {
      Tape tape;
      y = tape.input(y);
      for (int i = 0; i < 500000 / kShrink; ++i) y = reshape(y * y, {2});
    }
    EXPECT_EQ(y.at({0}), 1);
  });
}

TEST(DepthTest, AlternatingScalarsAndTensors) {
  on_small_stack([] {
    const int n = 200000 / kShrink;
    Tape tape;
    const Var x = tape.input(1.0);
    Var y = x;
    for (int i = 0; i < n; ++i) y = unstack(stack({y}) * 1.0)[0] + x;
    tape.backward(y);
    EXPECT_EQ(x.grad(), n + 1.0);
  });
}

TEST(DepthTest, FanOut) {
  const int n = 200000 / kShrink;
  Tape tape;
  const Tensor x = tape.input(ones({2}, float64));
  const Tensor h = x * 2.0;
  Tensor sum_of = h;
  for (int i = 1; i < n; ++i) sum_of = sum_of + h;
  tape.backward(sum(sum_of));
  EXPECT_EQ(x.grad().at({0}), 2.0 * n);
}

// --- Memory.

// In a thread of its own: the memory of earlier tapes of this one would hide the growth.
TEST(DepthTest, BytesPerStatement) {
  on_small_stack([] {
    Tape tape;
    const Var b = tape.input(1e-9);
    Var y = tape.input(1.0);
    const std::size_t empty = tape.memory();
    const long n = 4000000;
    for (long i = 0; i < n; ++i) y = y * b;
    // Of the last chunk any part may be empty.
    const auto per_statement = [&] {
      return static_cast<double>(tape.memory() - empty - detail::kHugePage) / n;
    };
    const double recorded = per_statement();
    tape.backward(y);
    const double swept = per_statement();
    std::printf("bytes per two-argument statement: %.2f, with its adjoint %.2f\n", recorded, swept);
    EXPECT_GE(recorded, 24.4);
    EXPECT_LE(recorded, 25.0);
    EXPECT_LE(swept, 33.0);
  });
}

TEST(DepthTest, AHundredThousandTapes) {
  Tensor p = ones({2, 2});
  p.set_requires_grad();
  std::size_t memory = 0;
  MemoryStats stats;
  for (int i = 0; i < 100000; ++i) {
    Tape tape;
    const Var x = tape.input(2.0);
    const Tensor y = sum(matmul(p, p)) * 2.0;
    tape.backward(y);
    tape.backward(x * x + unstack(stack({x, x * 2.0}))[1]);
    ASSERT_EQ(x.grad(), 6);
    p.zero_grad();
    if (i == 100) {
      memory = tape.memory();
      stats = memory_stats();
    }
    if (i > 100) {
      ASSERT_EQ(tape.memory(), memory) << i;
    }
  }
  EXPECT_EQ(memory_stats().system_allocations, stats.system_allocations);
  EXPECT_LE(memory_stats().current_bytes, stats.current_bytes);
}

TEST(DepthTest, AMillionRewinds) {
  Tape tape;
  const Var x = tape.input(2.0);
  const Var h = x * x;
  const Tensor w = tape.input(ones({2}, float64));
  const Tape::Mark mark = tape.mark();
  std::size_t memory = 0;
  MemoryStats stats;
  for (int i = 0; i < 1000000; ++i) {
    const Var y = h * x + sin(h);
    if (i % 8 == 0) {
      const Tensor v = w * w;
      tape.backward_to(sum(v), mark);
    } else if (i % 8 == 1) {
      tape.backward_to(y, mark);
    } else {
      tape.rewind(mark);
    }
    if (i == 100) {
      memory = tape.memory();
      stats = memory_stats();
    }
  }
  EXPECT_EQ(tape.memory(), memory);
  EXPECT_EQ(memory_stats().current_bytes, stats.current_bytes);
  EXPECT_EQ(memory_stats().system_allocations, stats.system_allocations);
  tape.backward_from(mark);
  EXPECT_NEAR(x.grad(), 125000 * (12 + 4 * std::cos(4.0)), 1e-3);
  EXPECT_EQ(w.grad().at({0}), 250000);
}

// One tape for a whole training run.
TEST(DepthTest, ManySweepsOfOneTape) {
  Tape tape;
  const Var x = tape.input(2.0);
  std::size_t memory = 0;
  for (int i = 0; i < 200000; ++i) {
    tape.backward(x * x);
    if (i == 100) memory = tape.memory();
  }
  EXPECT_EQ(x.grad(), 800000);
  EXPECT_EQ(tape.memory(), memory);
  EXPECT_EQ(tape.size(), 1u);
}

}  // namespace
}  // namespace autograd
