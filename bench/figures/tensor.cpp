// SPDX-License-Identifier: Apache-2.0
// What one operation on a tiny tensor costs, and one training step of the smallest network.
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <algorithm>

#include "figures.hpp"

namespace bench {
namespace {

namespace ag = autograd;

/// A chain of 64 adds of 4 elements on one tape. Everything is counted: making the tape goes into
/// forward; dropping the result and the gradients, and ending the tape, into backward.
class AddChain {
 public:
  static constexpr int kLength = 64;

  AddChain() : a_(ag::tensor({1, 2, 3, 4})), b_(ag::tensor({0.5, -0.4, 0.3, 0.8})) {
    a_.set_requires_grad();
    b_.set_requires_grad();
  }

  void run() {
    const double start = now();
    double middle = 0;
    {
      ag::Tape tape;
      ag::Tensor x = a_;
      for (int i = 0; i < kLength; ++i) x = x + b_;
      middle = now();
      tape.backward(x, {.seed = seed_});
      a_.zero_grad();
      b_.zero_grad();
    }
    const double end = now();
    forward_ = std::min(forward_, middle - start);
    backward_ = std::min(backward_, end - middle);
  }
  double forward() const { return forward_ / kLength; }
  double backward() const { return backward_ / kLength; }

 private:
  ag::Tensor a_, b_, seed_ = ag::ones({4});
  double forward_ = 1, backward_ = 1;
};

/// The 2-2-1 sigmoid network on the four rows of XOR, float32: one SGD step.
class XorStep {
 public:
  void run() {
    ag::Tape tape;
    run_on(tape);
  }
  void run_on(ag::Tape& tape) {
    const ag::Tensor loss = nn::mse_loss(model_(x_), y_);
    optimizer_.zero_grad();
    tape.backward(loss);
    optimizer_.step();
  }

 private:
  ag::Generator generator_{1};
  nn::Sequential model_{nn::Linear(2, 2, generator_), nn::Sigmoid(), nn::Linear(2, 1, generator_),
                        nn::Sigmoid()};
  nn::SGD optimizer_{model_.parameters(), {.lr = 0.5}};
  ag::Tensor x_ = ag::tensor({{0, 0}, {0, 1}, {1, 0}, {1, 1}});  // [4, 2]
  ag::Tensor y_ = ag::tensor({{0}, {1}, {1}, {0}});              // [4, 1]
};

constexpr int kStepsPerTape = 1000;

}  // namespace

void tensor_figures(Figures& figures, double seconds) {
  AddChain chain;
  XorStep step;
  const auto on_one_tape = [&] {
    ag::Tape tape;
    for (int i = 0; i < kStepsPerTape; ++i) step.run_on(tape);
  };
  const std::vector<double> times =
      take_turns({[&] { chain.run(); }, [&] { step.run(); }, on_one_tape}, seconds);
  figures.push_back({"add of 4 elements, gradients on: forward", chain.forward() * 1e9, "ns", 18,
                     "prototype 9, libtorch 1,120"});
  figures.push_back(
      {"the same: backward", chain.backward() * 1e9, "ns", 10, "prototype 3, libtorch 1,800"});
  figures.push_back({"XOR 2-2-1, batch 4, float32: one SGD step", times[1] * 1e9, "ns", 250,
                     "prototype 109, tiny-dnn 1,600, libtorch 44,000"});
  figures.push_back(
      {"the same, one tape for 1,000 steps", times[2] * 1e9 / kStepsPerTape, "ns", 0, ""});
}

}  // namespace bench
