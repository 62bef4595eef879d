// SPDX-License-Identifier: Apache-2.0
// Training asks the system for nothing once it is warm, and stays as large as it was.
#include <gtest/gtest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <functional>

namespace nn {
namespace {

namespace ag = autograd;
using ag::Tensor;

/// Bytes of this process in memory; 0 under a sanitizer, which keeps for long what was freed.
std::size_t resident() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return 0;
#endif
  std::ifstream file("/proc/self/statm");
  std::size_t total = 0, pages = 0;
  file >> total >> pages;
  return pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

/// After a tenth of the steps: not one allocation, not one byte held more, and no growth to speak of.
void expect_steady(std::int64_t steps, const std::function<void()>& step) {
  for (std::int64_t i = 0; i < steps / 10; ++i) step();
  const ag::MemoryStats warm = ag::memory_stats();
  const std::size_t before = resident();
  for (std::int64_t i = 0; i < steps; ++i) step();
  EXPECT_EQ(ag::memory_stats().system_allocations, warm.system_allocations);
  EXPECT_EQ(ag::memory_stats().current_bytes, warm.current_bytes);
  EXPECT_LE(resident(), before + (256u << 10));
}

/// One step of Adam on the loss of `model` over a batch.
template <class Model> std::function<void()> training(Model model, Tensor x, Tensor y) {
  auto adam = std::make_shared<Adam>(model.parameters(), AdamOptions{.lr = 1e-3});
  return [=]() mutable {
    ag::Tape tape;
    const Tensor loss = cross_entropy_loss(model(x), y);
    adam->zero_grad();
    tape.backward(loss);
    adam->step();
  };
}

std::function<void()> perceptron() {
  ag::Generator generator(1);
  const Sequential model{Linear(20, 32, generator), ReLU(), Dropout(0.2), Linear(32, 4, generator)};
  return training(model, ag::randn({16, 20}, generator), ag::randint(0, 4, {16}, generator));
}
std::function<void()> convolutions() {
  ag::Generator generator(2);
  const Sequential model{
      Conv2d(1, 8, 3, generator),  BatchNorm2d(8), ReLU(), MaxPool2d(2), Flatten(),
      Linear(8 * 36, 4, generator)};
  return training(model, ag::randn({8, 1, 14, 14}, generator), ag::randint(0, 4, {8}, generator));
}

TEST(SteadyMemory, Perceptron) { expect_steady(2000, perceptron()); }
TEST(SteadyMemory, Convolutions) { expect_steady(200, convolutions()); }

TEST(SteadyMemory, BatchesOfALoaderWithWorkers) {
  ag::Generator generator(3);
  const Sequential model{Linear(20, 4, generator)};
  DataLoader loader(
      TensorDataset({ag::randn({256, 20}, generator), ag::randint(0, 4, {256}, generator)}),
      {.batch_size = 32, .shuffle = true, .workers = 2});
  SGD sgd(model.parameters(), {.lr = 0.1});
  const auto epoch = [&] {
    for (const Batch& batch : loader) {
      ag::Tape tape;
      const Tensor loss = cross_entropy_loss(model(batch[0]), batch[1]);
      sgd.zero_grad();
      tape.backward(loss);
      sgd.step();
    }
  };
  for (int i = 0; i < 20; ++i) epoch();
  const std::size_t before = resident();
  for (int i = 0; i < 100; ++i) epoch();
  EXPECT_LE(resident(), before + (2u << 20));
}

TEST(SteadyMemorySlow, HundredThousandSteps) { expect_steady(100'000, perceptron()); }

}  // namespace
}  // namespace nn
