// SPDX-License-Identifier: Apache-2.0
// The second translation unit: the umbrella header is included in both and must not clash.
#include <autograd/autograd.hpp>

double slope_of_square(double at) {
  autograd::Tape tape;
  autograd::Var x = tape.input(at);
  autograd::Var y = x * x;
  tape.backward(y);
  return x.grad();
}

#ifdef SCALAR_ONLY
int main() { return slope_of_square(3.0) == 6.0 ? 0 : 1; }
#endif
