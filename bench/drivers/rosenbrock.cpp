// SPDX-License-Identifier: Apache-2.0
#include "drivers.hpp"

namespace bench {

namespace {

void compare_sparse(const Rosenbrock& rosenbrock, double seconds) {
  const auto f = [&](const auto& x) { return rosenbrock.value(x.data()); };
  const std::vector<double> x = rosenbrock.point();
  autograd::SparseHessian hessian(f, x);
  const std::vector<double> t =
      turns({[&] { driver_sink += autograd::grad(f, x)[0]; },
             [&] { driver_sink += autograd::sparse_hessian(f, x).values[0]; },
             [&] { driver_sink += hessian(x).values[0]; }},
            seconds);
  std::printf(
      "sparse Hessian of rosenbrock, 100,000 variables, %d colors: %.2f gradients, %.2f with "
      "pattern and colors at hand\n",
      hessian.colors(), t[1] / t[0], t[2] / t[0]);
}

}  // namespace

void rosenbrock_drivers(double seconds) {
  const Rosenbrock rosenbrock(100000);
  compare(
      "rosenbrock, 100,000", [&](const auto& at) { return rosenbrock.value(at.data()); },
      rosenbrock.point(), seconds, false);
  compare_sparse(rosenbrock, seconds);
}

}  // namespace bench
