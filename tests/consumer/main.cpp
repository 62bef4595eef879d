// SPDX-License-Identifier: Apache-2.0
// Uses both installed targets; exit status 0 when the numbers are right.
#include <autograd/autograd.hpp>
#include <cstdio>
#include <nn/nn.hpp>

double slope_of_square(double at);

int main() {
  autograd::Generator generator(1);
  nn::Linear layer(2, 1, generator);
  const autograd::Tensor x = autograd::tensor({{1, 2}, {3, 4}});  // [2, 2]
  const autograd::Tensor y = autograd::tensor({{1}, {2}});        // [2, 1]
  autograd::Tape tape;
  autograd::Tensor loss = nn::mse_loss(layer(x), y);
  tape.backward(loss);
  const double slope = slope_of_square(3.0);
  std::printf("slope %g\n", slope);
  return slope == 6.0 ? 0 : 1;
}
