// SPDX-License-Identifier: Apache-2.0
// Very deep recordings, on a stack of 256 KiB: recording, sweeping and destroying are loops.
#include <pthread.h>
#include <autograd/autograd.hpp>

#include <algorithm>
#include <stdexcept>

#include "figures.hpp"

namespace bench {
namespace {

namespace ag = autograd;

constexpr int kScalars = 10'000'000;
constexpr int kTensors = 1'000'000;
constexpr std::size_t kStack = 256 * 1024;

/// Runs f in a thread with a small stack, where deep recursion would end the program.
void on_small_stack(const std::function<void()>& f) {
  pthread_attr_t attributes;
  pthread_t thread;
  pthread_attr_init(&attributes);
  const auto call = [](void* what) -> void* {
    (*static_cast<const std::function<void()>*>(what))();
    return nullptr;
  };
  const bool started =
      pthread_attr_setstacksize(&attributes, kStack) == 0 &&
      pthread_create(&thread, &attributes, call, const_cast<std::function<void()>*>(&f)) == 0;
  pthread_attr_destroy(&attributes);
  if (!started) throw std::runtime_error("no thread with a stack of 256 KiB");
  pthread_join(thread, nullptr);
}

struct ScalarChain {
  double seconds = 1e9, bytes = 0, gradient = 0;

  void run() {
    const double start = processor_time();
    {
      ag::Tape tape;
      ag::Var x = tape.input(1.0), y = x;
      for (int i = 0; i < kScalars; ++i) y = y * x;  // two arguments a statement
      tape.backward(y);
      gradient = x.grad();
    }
    seconds = std::min(seconds, processor_time() - start);
  }
  /// What the tape holds after n more statements, per statement; the sweep makes room for adjoints.
  void count_bytes() {
    ag::Tape tape;
    ag::Var x = tape.input(1.0), y = x;
    const std::size_t before = tape.memory();
    int n = 0;
    const auto record = [&](int more) {
      for (int i = 0; i < more; ++i) y = y * x;
      n += more;
    };
    record(kScalars);
    // On until another chunk begins: how full the last one happens to be says nothing.
    const std::size_t full = tape.memory();
    while (tape.memory() == full) record(1000);
    tape.backward(y, {.retain = true});
    bytes = static_cast<double>(tape.memory() - before - ag::detail::kHugePage) / n;
  }
};

struct TensorChain {
  double seconds = 1e9, gradient = 0;

  void run() {
    const ag::Tensor one = ag::ones({4});
    const double start = processor_time();
    {
      ag::Tape tape;
      const ag::Tensor x = tape.input(one);
      ag::Tensor y = x;
      for (int i = 0; i < kTensors; ++i) y = y + x;
      tape.backward(y, {.seed = one});
      gradient = x.grad().at({0});
    }
    seconds = std::min(seconds, processor_time() - start);
  }
};

void require_equal(const char* what, double got, double want) {
  if (got != want) {
    throw std::runtime_error(std::string(what) + " is " + std::to_string(got) + "; need " +
                             std::to_string(want));
  }
}

}  // namespace

void chain_figures(Figures& figures) {
  ScalarChain scalars;
  TensorChain tensors;
  on_small_stack([&] {
    scalars.count_bytes();
    for (int i = 0; i < 5; ++i) {
      scalars.run();
      tensors.run();
    }
  });
  require_equal("scalar chain: gradient", scalars.gradient, kScalars + 1);
  require_equal("tensor chain: gradient", tensors.gradient, kTensors + 1);
  figures.push_back({"chain of 10,000,000 scalar operations: each, all in all",
                     scalars.seconds / kScalars * 1e9, "ns"});
  figures.push_back(
      {"scalar statement of two arguments, with its adjoint", scalars.bytes, "B", 33});
  figures.push_back({"chain of 1,000,000 tensor operations: each, all in all",
                     tensors.seconds / kTensors * 1e9, "ns"});
}

}  // namespace bench
