// SPDX-License-Identifier: Apache-2.0
// Checking a gradient against finite differences, to first and second order, and catching a wrong one.
#include <autograd/autograd.hpp>

#include <cstdio>
#include <vector>

#include "support/options.hpp"

namespace ag = autograd;
using Tensors = std::vector<ag::Tensor>;

int main(int argc, char** argv) {
  support::takes_no_options(argc, argv,
                            "The gradient checker, on a right and on a wrong gradient.");
  ag::Generator generator(1);
  const ag::Tensor a = ag::randn({3, 4}, generator, ag::float64);
  const ag::Tensor b = ag::randn({4}, generator, ag::float64);

  const auto layer = [](const Tensors& in) { return ag::tanh(in[0] * in[1]); };
  std::printf("first order:  %s\n", ag::gradcheck(layer, {a, b}).message().c_str());
  std::printf("second order: %s\n", ag::gradgradcheck(layer, {a, b}).message().c_str());

  // A function with a derivative of its own, first right (3 x^2), then wrong on purpose (2 x^2).
  for (const double factor : {3.0, 2.0}) {
    const ag::TensorFunction cube =
        ag::custom_function([](const Tensors& in) { return in[0] * in[0] * in[0]; },
                            [=](const Tensors& in, const ag::Tensor&, const ag::Tensor& dy) {
                              return Tensors{dy * factor * in[0] * in[0]};
                            });
    const ag::GradcheckReport report = ag::gradcheck(cube, {b}, {.name = "cube"});
    std::printf("%.0f x^2 %s: %s\n", factor, report ? "passes" : "fails", report.message().c_str());
  }
}
