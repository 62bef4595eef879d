// SPDX-License-Identifier: Apache-2.0
// What the parts of bench_drivers share: how a function's derivatives are compared with its gradient. The
// functions are in files of their own because each takes the drivers anew, through nested types.
#pragma once

#include <autograd/autograd.hpp>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <vector>

#include "../timing.hpp"
#include "../workloads.hpp"

namespace bench {

void heston_drivers(double seconds);
void libor_drivers(double seconds);
void mlp_drivers(double seconds);
void rosenbrock_drivers(double seconds);

/// Takes every result, so that none of the work can be left out.
inline double driver_sink = 0;

/// The smallest time in seconds of each job; they take turns.
inline std::vector<double> turns(const std::vector<std::function<void()>>& jobs, double seconds) {
  std::vector<double> best(jobs.size(), 1e300);
  const double end = now() + seconds;
  do {
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      const double start = now();
      jobs[i]();
      best[i] = std::min(best[i], now() - start);
    }
  } while (now() < end);
  return best;
}

/// Prints the gradient's time, and products with the Hessian and the Jacobian and Hessians over it.
template <class F>
void compare(const char* name, const F& f, const std::vector<double>& x, double seconds,
             bool with_hessian) {
  std::vector<double> v(x.size());
  for (std::size_t i = 0; i < v.size(); ++i) v[i] = 1.0 / (1.0 + static_cast<double>(i % 7));
  std::vector<std::function<void()>> jobs{[&] { driver_sink += autograd::grad(f, x)[0]; },
                                          [&] { driver_sink += autograd::hvp(f, x, v)[0]; },
                                          [&] { driver_sink += autograd::jvp(f, x, v).second; }};
  if (with_hessian) jobs.push_back([&] { driver_sink += autograd::hessian(f, x).at({0, 0}); });
  const std::vector<double> t = turns(jobs, seconds);
  std::printf("%-28s gradient %10.1f us   hvp %5.2f   jvp %5.2f gradients", name, t[0] * 1e6,
              t[1] / t[0], t[2] / t[0]);
  if (with_hessian) {
    std::printf("   hessian %7.2f = %5.2f a column", t[3] / t[0],
                t[3] / t[0] / static_cast<double>(x.size()));
  }
  std::printf("\n");
}

}  // namespace bench
