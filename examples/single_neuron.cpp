// SPDX-License-Identifier: Apache-2.0
// XOR with a single sigmoid neuron: the classic NumPy notebook, digit by digit, and why it cannot work.
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cstdint>
#include <cstdio>
#include <random>

#include "support/options.hpp"

namespace ag = autograd;

// numpy.random.seed(s) seeds the Mersenne twister as std::mt19937(s) does; numpy.random.random() then
// makes a double from 53 bits of two draws, 27 of the first and 26 of the second.
static double numpy_random(std::mt19937& twister) {
  const std::uint32_t high = twister() >> 5;
  const std::uint32_t low = twister() >> 6;
  return (high * 67108864.0 + low) / 9007199254740992.0;
}

int main(int argc, char** argv) {
  support::takes_no_options(argc, argv,
                            "Trains one sigmoid neuron on XOR and shows what it learns.");
  const ag::Tensor x = ag::tensor({{0, 0}, {0, 1}, {1, 0}, {1, 1}}, ag::float64);  // [4, 2]
  const ag::Tensor y = ag::tensor({{0}, {1}, {1}, {0}}, ag::float64);              // [4, 1]

  std::mt19937 twister(1);
  const double w1 = numpy_random(twister), w2 = numpy_random(twister), b = numpy_random(twister);
  ag::Tensor weights = ag::tensor({{w1}, {w2}}, ag::float64).set_requires_grad();  // [2, 1]
  ag::Tensor bias = ag::tensor({{b}}, ag::float64).set_requires_grad();            // [1, 1]

  const auto report = [&](int epoch) {
    std::printf("%11d %13.8f %11.8f %11.8f\n", epoch, weights.at({0, 0}), weights.at({1, 0}),
                bias.at({0, 0}));
  };
  std::printf("%11s %13s %11s %11s\n", "epochs done", "weight 1", "weight 2", "bias");
  report(0);

  // The notebook adds 0.1 times error * output * (1 - output) times the input. That is a step of
  // gradient descent on half the summed squared error; here the tape finds the gradient.
  nn::SGD optimizer({weights, bias}, {.lr = 0.1});
  for (int epoch = 1; epoch <= 10000; ++epoch) {
    ag::Tape tape;
    const ag::Tensor output = ag::sigmoid(ag::matmul(x, weights) + bias);
    const ag::Tensor loss = 0.5 * ag::sum(ag::square(y - output));
    optimizer.zero_grad();
    tape.backward(loss);
    optimizer.step();
    if (epoch == 1000 || epoch == 10000) report(epoch);
  }

  const ag::Tensor output = ag::sigmoid(ag::matmul(x, weights) + bias);
  std::printf("\nFinal predictions:\n");
  for (int i = 0; i < 4; ++i) {
    std::printf("  %g xor %g -> %.8f\n", x.at({i, 0}), x.at({i, 1}), output.at({i, 0}));
  }
  std::printf(
      "\nThe classes are not linearly separable: no line through the plane has (0, 1) and (1, 0) "
      "on one\n"
      "side and (0, 0) and (1, 1) on the other, so the best that one neuron can say is 0.5 "
      "everywhere.\n"
      "The sharp predictions that the notebook's text promises need a hidden layer: see the "
      "example xor.\n");
}
