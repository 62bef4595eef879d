// SPDX-License-Identifier: Apache-2.0
// The smallest useful program: its size, start-up time and memory are what the library costs.
#include <autograd/autograd.hpp>

#include <cstdio>

int main() {
  autograd::Tape tape;
  autograd::Var x = tape.input(0.5);
  const autograd::Tensor a = tape.input(autograd::tensor({1, 2}));
  tape.backward(autograd::sum(a * a));
  tape.backward(sin(x));
  std::printf("%g %g\n", x.grad(), a.grad().at({1}));
}
