// SPDX-License-Identifier: Apache-2.0
// Gradients of which few rows are not zero (autograd/zero_rows.hpp): nobody can tell them from dense ones
// but by the time they take, whatever else is written to them and whoever gives them back.
#include <gtest/gtest.h>
#include <autograd/autograd.hpp>
#include <autograd/zero_rows.hpp>
#include <nn/nn.hpp>

#include <cstring>
#include <memory>
#include <thread>
#include <vector>

namespace autograd {
namespace {

constexpr std::int64_t kRows = 5000, kWidth = 8;

using Rows = std::vector<std::int64_t>;

/// The gradient of the sum of seed * table(index), made without looking a row up.
Tensor dense_gradient(const Rows& index, double seed = 1) {
  Tensor g = zeros({kRows, kWidth});
  for (const std::int64_t i : index)
    for (std::int64_t k = 0; k < kWidth; ++k)
      g.mutable_data<float>()[static_cast<std::size_t>(i * kWidth + k)] += static_cast<float>(seed);
  return g;
}

void sweep(const Tensor& table, const Rows& index, double seed = 1) {
  Tape tape;
  tape.backward(sum(embedding(tensor(index), table)) * seed);
}

Tensor parameter(std::uint64_t seed) {
  Generator generator(seed);
  return randn({kRows, kWidth}, generator).set_requires_grad();
}

bool same_bits(const Tensor& a, const Tensor& b) {
  const auto x = a.data<float>(), y = b.data<float>();
  return x.size() == y.size() && std::memcmp(x.data(), y.data(), x.size_bytes()) == 0;
}

const Rows* known(const Tensor& x) { return detail::nonzero_rows(x.node()); }

TEST(ZeroRows, AGradientOfFewRowsKnowsThem) {
  const Tensor table = parameter(1);
  sweep(table, {4999, 7, 64, 7, 63, 0});
  ASSERT_NE(known(table.grad()), nullptr);
  EXPECT_EQ(*known(table.grad()), (Rows{0, 7, 63, 64, 4999}));
  EXPECT_TRUE(same_bits(table.grad(), dense_gradient({4999, 7, 64, 7, 63, 0})));
}

TEST(ZeroRows, NotWhereManyAreUsedOrTheTableIsSmall) {
  const Tensor table = parameter(1), small = randn({100, 8}).set_requires_grad();
  sweep(table, to_vector<std::int64_t>(arange(0, kRows / 2, 1, int64)));
  EXPECT_EQ(known(table.grad()), nullptr);
  sweep(small, {3});
  EXPECT_EQ(known(small.grad()), nullptr);
}

TEST(ZeroRows, PaddingIsNotAmongThem) {
  const Tensor table = parameter(1);
  {
    Tape tape;
    tape.backward(sum(embedding(tensor(Rows{5, 9, 5}), table, {.padding_idx = 5})));
  }
  EXPECT_EQ(*known(table.grad()), Rows{9});
  EXPECT_TRUE(same_bits(table.grad(), dense_gradient({9})));
}

// The block of one step is the next step's, whose other rows have to be zero again.
TEST(ZeroRows, BlocksComeBackClean) {
  const Tensor table = parameter(1);
  const void* block = nullptr;
  for (std::int64_t step = 0; step < 5; ++step) {
    const Rows index{step, 100 * step + 50, 4000};
    sweep(table, index, 2);
    EXPECT_TRUE(same_bits(table.grad(), dense_gradient(index, 2))) << step;
    EXPECT_TRUE(step == 0 || table.grad().data<float>().data() == block);
    block = table.grad().data<float>().data();
    Tensor(table).zero_grad();
  }
}

// Each way to write to a gradient, to rows that no index had.
TEST(ZeroRows, WhatElseIsWrittenIsNotForgotten) {
  using Change = void (*)(Tensor&);
  const Change changes[] = {
      [](Tensor& g) { fill_(g, 3); },
      [](Tensor& g) {
        add_(g, ones({kRows, kWidth}));
      },
      [](Tensor& g) { copy_(select(g, 0, 77), ones({kWidth})); },
      [](Tensor& g) { g.mutable_data<float>()[77 * kWidth] = 3; },
      [](Tensor& g) { reshape(g, {-1}).mutable_data<float>()[77 * kWidth] = 3; },
      [](Tensor& g) { detach(g).mutable_data<float>()[77 * kWidth] = 3; },
  };
  for (const Change change : changes) {
    Tensor table = parameter(1);
    sweep(table, {7, 8});
    Tensor g = table.grad();
    change(g);
    EXPECT_EQ(known(g), nullptr);
    Tensor copy = parameter(1);
    copy.set_grad(contiguous(g) * 1);
    nn::SGD({table}, {.lr = 0.1}).step();
    nn::SGD({copy}, {.lr = 0.1}).step();
    EXPECT_TRUE(same_bits(table, copy));
    table.zero_grad();
    g = Tensor();
    sweep(table, {9});
    EXPECT_TRUE(same_bits(table.grad(), dense_gradient({9})));
  }
}

TEST(ZeroRows, GradientsAddUp) {
  Tensor table = parameter(1);
  sweep(table, {7, 8});
  const Tensor first = table.grad();
  sweep(table, {8, 9});
  EXPECT_TRUE(same_bits(table.grad(), dense_gradient({7, 8, 8, 9})));
  EXPECT_TRUE(same_bits(first, dense_gradient({7, 8}))) << "who holds the first sees it as it was";
  {
    Tape tape;  // two look-ups and a dense use on one tape
    tape.backward(sum(embedding(tensor(Rows{1}), table)) + sum(table) +
                  sum(embedding(tensor(Rows{2}), table)));
  }
  EXPECT_TRUE(same_bits(table.grad(), dense_gradient({7, 8, 8, 9, 1, 2}) + 1));
}

TEST(ZeroRows, BehindFurtherOperations) {
  const Tensor table = parameter(1), scale = parameter(2);
  Tape tape;
  tape.backward(sum(embedding(tensor(Rows{3, 4}), relu(table * scale) * 2)));
  const Tensor used = dense_gradient({3, 4}) * 2 * (table * scale > 0);
  EXPECT_TRUE(same_bits(table.grad() + 0, used * scale + 0));
  EXPECT_TRUE(same_bits(scale.grad() + 0, used * table + 0));
}

TEST(ZeroRows, DerivativesOfHigherOrder) {
  Generator generator(3);
  const Tensor table = randn({kRows, kWidth}, generator, float64);
  const Tensor index = tensor(Rows{7, 4000, 7});
  const auto cubes = [&](const Tensor& x) { return sum(pow(embedding(index, x), 3.0)); };
  const Tensor direction = randn({kRows, kWidth}, generator, float64);
  const Tensor got = hvp(cubes, table, direction);
  for (const std::int64_t row : {0, 7, 4000, 4999}) {
    const double uses = row == 7 ? 2 : row == 4000 ? 1 : 0;
    for (std::int64_t k = 0; k < kWidth; ++k) {
      EXPECT_NEAR(got.at({row, k}), uses * 6 * table.at({row, k}) * direction.at({row, k}), 1e-12);
    }
  }
}

TEST(ZeroRows, AGradientBecomesAParameter) {
  const Tensor table = parameter(1);
  sweep(table, {7});
  Tensor g = table.grad();
  g.set_requires_grad();
  nn::SGD({g}, {.lr = 1}).step();
  sweep(g, {8});
  EXPECT_TRUE(same_bits(g.grad(), dense_gradient({8})));
}

/// Trains two equal tables, one with gradients of which no rows are known; their bits have to agree.
template <class Optimizer, class Options> void expect_same_steps(Options options) {
  Tensor a = parameter(1), b = parameter(1);
  Optimizer first({a}, options), second({b}, options);
  for (std::int64_t step = 0; step < 6; ++step) {
    const Rows index{step, 7, 40 * step, 4999 - step};
    sweep(a, index, 0.5);
    b.set_grad(contiguous(dense_gradient(index, 0.5)));
    ASSERT_NE(known(a.grad()), nullptr);
    first.step();
    second.step();
    first.zero_grad();
  }
  EXPECT_TRUE(same_bits(a, b));
}

TEST(ZeroRows, OptimizersTakeTheSameSteps) {
  expect_same_steps<nn::SGD>(nn::SGDOptions{.lr = 0.3});
  expect_same_steps<nn::SGD>(nn::SGDOptions{.lr = 0.3, .maximize = true});
  expect_same_steps<nn::SGD>(nn::SGDOptions{.lr = 0.3, .weight_decay = 0.1});
  expect_same_steps<nn::SGD>(nn::SGDOptions{.lr = 0.3, .momentum = 0.9});
  expect_same_steps<nn::Adagrad>(nn::AdagradOptions{.lr = 0.3});
  expect_same_steps<nn::Adagrad>(nn::AdagradOptions{.lr = 0.3, .weight_decay = 0.1});
  expect_same_steps<nn::Adagrad>(
      nn::AdagradOptions{.lr = 0.3, .initial_accumulator_value = 1, .eps = 0});
  expect_same_steps<nn::Adam>(nn::AdamOptions{.lr = 0.3});
}

TEST(ZeroRows, ClippingScalesThem) {
  Tensor table = parameter(1);
  sweep(table, {7, 8}, 10);
  EXPECT_NEAR(nn::clip_grad_norm_({table}, 1.0), 40, 1e-5);
  EXPECT_NEAR(sum(square(table.grad())).item(), 1, 1e-4);
}

/// Bytes in use, once the thread's first sweep has left what tapes keep.
std::size_t current_bytes() {
  sweep(parameter(1), {7});
  return memory_stats().current_bytes;
}

TEST(ZeroRows, WaitingBlocksCountAsCached) {
  current_bytes();
  empty_cache();
  const MemoryStats before = memory_stats();
  {
    const Tensor table = parameter(1);
    sweep(table, {7});
  }
  const MemoryStats after = memory_stats();
  EXPECT_EQ(after.current_bytes, before.current_bytes);
  EXPECT_GE(detail::waiting_zeros(), std::size_t{kRows * kWidth * 4});
  EXPECT_GE(after.cached_bytes, before.cached_bytes + detail::waiting_zeros());
  empty_cache();
  EXPECT_EQ(detail::waiting_zeros(), 0u);
  EXPECT_EQ(memory_stats().current_bytes, before.current_bytes);
}

// More tables than blocks may wait.
TEST(ZeroRows, ManyTables) {
  const std::size_t before = current_bytes();
  {
    std::vector<Tensor> tables;
    for (std::uint64_t i = 0; i < 20; ++i) tables.push_back(parameter(i));
    for (std::int64_t step = 0; step < 3; ++step) {
      for (std::size_t i = 0; i < tables.size(); ++i) {
        const Rows index{step * 7, static_cast<std::int64_t>(i) * 100};
        sweep(tables[i], index);
        EXPECT_TRUE(same_bits(tables[i].grad(), dense_gradient(index)));
      }
      for (Tensor& table : tables) table.zero_grad();
    }
  }
  EXPECT_EQ(memory_stats().current_bytes, before);
}

TEST(ZeroRows, GivenBackByOtherThreads) {
  for (int round = 0; round < 20; ++round) {
    std::vector<std::thread> threads;
    for (std::int64_t i = 0; i < 4; ++i) {
      Tensor table = parameter(1);
      sweep(table, {i, 40 + i});
      threads.emplace_back([table, i]() mutable {
        EXPECT_TRUE(same_bits(table.grad(), dense_gradient({i, 40 + i})));
        table.zero_grad();
        sweep(table, {100 + i});
        EXPECT_TRUE(same_bits(table.grad(), dense_gradient({100 + i})));
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
}

TEST(ZeroRows, BagsOfWordsHoldNoMoreMemoryWithTime) {
  nn::EmbeddingBag bag(kRows, kWidth);
  nn::SGD sgd(bag.parameters(), {.lr = 0.1});
  const auto step = [&](std::int64_t i) {
    Tape tape;
    const Tensor loss = sum(bag(tensor(Rows{i, 2 * i, 17, 3 * i}), tensor(Rows{0, 2})));
    sgd.zero_grad();
    tape.backward(loss);
    sgd.step();
  };
  for (std::int64_t i = 0; i < 10; ++i) step(i);
  const MemoryStats warm = memory_stats();
  for (std::int64_t i = 0; i < 100; ++i) step(i);
  EXPECT_EQ(memory_stats().system_allocations, warm.system_allocations);
  EXPECT_EQ(memory_stats().current_bytes, warm.current_bytes);
}

}  // namespace
}  // namespace autograd
