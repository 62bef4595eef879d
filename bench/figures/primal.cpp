// SPDX-License-Identifier: Apache-2.0
#include "figures.hpp"

namespace bench {

double heston_primal(const Heston& heston, const double* x) { return heston.value(x); }
double rosenbrock_primal(const Rosenbrock& rosenbrock, const double* x) {
  return rosenbrock.value(x);
}

}  // namespace bench
