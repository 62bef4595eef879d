// SPDX-License-Identifier: Apache-2.0
// One tape for each thread: no locks between them, results that do not depend on how many there are,
// and mistakes across threads that throw. The tsan preset repeats this.
#include <gtest/gtest.h>
#include <autograd/autograd.hpp>

#include <array>
#include <atomic>
#include <thread>

#include "check.hpp"

namespace autograd {
namespace {

using check::message_of;
using Scalars = std::span<const Var>;

constexpr std::size_t kBlocks = 24;
using Sums = std::array<double, 3>;

// Every kind of scalar record, path by path, with random numbers of the block's own.
Sums block(Tape& tape, const std::array<Var, 2>& x, std::size_t number) {
  Generator generator(7);
  generator.seek(number << 32);
  tape.zero_grad();
  const Var scale = exp(x[0]);
  const Tape::Mark mark = tape.mark();
  Sums sums{};
  for (int path = 0; path < 40; ++path) {
    const double z = generator.normal();
    const Var y = checkpoint([z](Scalars in) { return sin(in[0] * z) * in[1]; }, {scale, x[1]});
    const Var w = linear_solve(std::vector<Var>{2.0 + scale, 1.0, x[1], 3.0 + y * y},
                               std::vector<Var>{y, z})[0];
    const Tensor t = stack({w, y});
    const Var u = precomputed_gradients(w.value() * 2, {w}, {2.0}) + unstack(t * t)[1];
    sums[0] += u.value();
    tape.backward_to(u, mark);
  }
  tape.backward_from(mark);
  for (std::size_t i = 0; i < 2; ++i) sums[i + 1] = x[i].grad();
  return sums;
}

Sums run(int threads) {
  std::array<Sums, kBlocks> blocks;
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    Tape tape;
    const std::array<Var, 2> x{tape.input(0.3), tape.input(0.5)};
    for (std::size_t b = next++; b < kBlocks; b = next++) blocks[b] = block(tape, x, b);
  };
  std::vector<std::thread> workers;
  for (int t = 0; t < threads; ++t) workers.emplace_back(work);
  for (std::thread& worker : workers) worker.join();
  Sums total{};
  for (const Sums& sums : blocks) {
    for (std::size_t i = 0; i < total.size(); ++i) total[i] += sums[i];
  }
  return total;
}

TEST(ThreadsTest, TheSameBitsForAnyNumberOfThreads) {
  const Sums one = run(1);
  EXPECT_NE(one[1], 0);
  for (const int threads : {2, 3, 4, 7}) EXPECT_EQ(run(threads), one) << threads;
}

TEST(ThreadsTest, ValuesOfAnotherThreadThrowWhereverATapeRecords) {
  Tape tape;
  const Var x = tape.input(2.0);
  Var ended;
  std::thread([&] {
    Tape own;
    ended = own.input(1.0) * 2.0;
    const Var y = own.input(3.0);
    for (const auto& use : std::vector<std::function<void()>>{
             [&] { (void)Var(x * y); },
             [&] { (void)checkpoint([](Scalars in) { return in[0]; }, {x}); },
             [&] { (void)checkpoint([&](Scalars in) { return in[0] * x; }, {y}); },
             [&] {
               (void)precomputed_gradients(1.0, {x, y}, {1.0, 1.0});
             },
             [&] { (void)custom_vjp(std::vector{1.0}, std::vector<Var>{x}, [](auto, auto) {}); },
             [&] { (void)linear_solve(std::vector<Var>{x}, std::vector<Var>{y}); },
             [&] { (void)stack({x}); }, [&] { own.backward(x); }}) {
      const std::string message = message_of<TapeError>(use);
      EXPECT_NE(message.find("another tape"), std::string::npos) << message;
    }
    own.backward(y * y);
    EXPECT_EQ(y.grad(), 6);
  }).join();
  EXPECT_NE(message_of<TapeError>([&] { (void)Var(ended * x); }).find("ended"), std::string::npos);
  tape.backward(x * x);
  EXPECT_EQ(x.grad(), 4);
}

}  // namespace
}  // namespace autograd
