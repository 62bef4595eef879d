// SPDX-License-Identifier: Apache-2.0
// What the drivers over scalars cost: products with the Hessian, Hessians and Jacobians as multiples of
// the gradient of the same function, taken in turns in one process. Compiled for the processor at hand.
// usage: bench_drivers [SECONDS of each measurement, default 1]
#include <cstdlib>

#include "drivers/drivers.hpp"

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 1;
  bench::heston_drivers(seconds);
  bench::libor_drivers(seconds);
  bench::mlp_drivers(seconds);
  bench::rosenbrock_drivers(seconds);
  return bench::driver_sink == 0.123;
}
