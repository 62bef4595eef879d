// SPDX-License-Identifier: Apache-2.0
#include "figures.hpp"

namespace bench {

double heston_primal(const Heston& heston, const double* x) { return value_of(heston, x); }
double rosenbrock_primal(const Rosenbrock& rosenbrock, const double* x) {
  return value_of(rosenbrock, x);
}

}  // namespace bench
