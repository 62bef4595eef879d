// SPDX-License-Identifier: Apache-2.0
// Scalar functions whose gradients are timed, each written once over a type T: double, or the scalar
// of a library. A workload owns its data, so that nothing but arithmetic is timed:
//   kName      its name in tables
//   point()    the inputs to evaluate it at
//   value(x)   the function; Monte Carlo workloads have terms() and term(x, i) instead, and the function
//              is the sum: its gradient is taken path by path
// A gradient's cost is given as a multiple of the same code run on double.
#pragma once

#include "workloads/chains.hpp"
#include "workloads/finance.hpp"
#include "workloads/fitting.hpp"

namespace bench {

/// A sum of independent terms.
template <class W>
concept MonteCarlo = requires(const W& w, const double* x) {
  w.term(x, 0);
};

/// The function itself.
template <class T, class W> T value_of(const W& workload, const T* x) {
  if constexpr (MonteCarlo<W>) {
    T sum = workload.term(x, 0);
    for (int i = 1; i < workload.terms(); ++i) sum += workload.term(x, i);
    return sum;
  } else {
    return workload.value(x);
  }
}

struct Workloads {
  Heston heston;
  Libor libor;
  Sabr sabr;
  Gmm gmm;
  Ba ba;
  Rosenbrock rosenbrock;
  Speelpenning speelpenning;
  LogSumExp logsumexp;
  Lorenz96 lorenz96;
  Mlp mlp;

  template <class F> void for_each(F&& f) const {
    f(heston), f(libor), f(sabr), f(gmm), f(ba), f(rosenbrock), f(speelpenning), f(logsumexp);
    f(lorenz96), f(mlp);
  }
};

}  // namespace bench
