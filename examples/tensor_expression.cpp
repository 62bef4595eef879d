// SPDX-License-Identifier: Apache-2.0
// Tensors on the tape: broadcasting, a gradient, scalars mixed in, and a derivative of a derivative.
#include <autograd/autograd.hpp>

#include <iostream>
#include <vector>

#include "support/options.hpp"

namespace ag = autograd;

int main(int argc, char** argv) {
  support::takes_no_options(argc, argv, "Gradients of expressions of tensors.");
  {
    ag::Tape tape;
    ag::Tensor a = tape.input(ag::tensor({{1, 2, 3}, {4, 5, 6}}));  // [2, 3]
    ag::Tensor b = tape.input(ag::tensor({1, 0, -1}));              // [3], broadcast over the rows
    tape.backward(ag::sum(ag::square(a * b + 1.0)));
    std::cout << "d sum((a b + 1)^2) / da =\n" << a.grad() << "\n... / db = " << b.grad() << "\n\n";
  }
  {
    ag::Tape tape;  // a scalar and a tensor on one tape
    ag::Var angle = tape.input(0.5);
    std::vector<ag::Var> entries{cos(angle), -sin(angle), sin(angle), cos(angle)};
    ag::Tensor rotation = ag::reshape(ag::stack(entries), {2, 2});
    ag::Tensor turned = ag::matmul(rotation, ag::tensor({{1}, {0}}, ag::float64));
    tape.backward(ag::unstack(ag::reshape(turned, {2}))[0]);    // the x coordinate, cos(angle)
    std::cout << "d x / d angle = " << angle.grad() << "\n\n";  // -sin(0.5)
  }
  ag::Tape outer;  // a tape around a gradient records that gradient
  ag::Tensor x = outer.input(ag::tensor({1, 2, 3}, ag::float64));
  const auto cubes = [](const std::vector<ag::Tensor>& in) { return ag::sum(ag::pow(in[0], 3.0)); };
  ag::Tensor slope = ag::grad(cubes, {x})[0];  // 3 x^2
  outer.backward(ag::sum(slope));              // 6 x
  std::cout << "d sum x^3 / dx = " << slope << "\nd2 sum x^3 / dx2 = " << x.grad() << "\n";
}
