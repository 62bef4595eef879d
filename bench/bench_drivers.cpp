// SPDX-License-Identifier: Apache-2.0
// What the drivers over scalars cost: products with the Hessian, Hessians and Jacobians as multiples of
// the gradient of the same function, taken in turns in one process. Compiled for the processor at hand.
// usage: bench_drivers [SECONDS of each measurement, default 1]
#include <autograd/autograd.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <vector>

#include "timing.hpp"
#include "workloads.hpp"

namespace {

namespace ag = autograd;

using bench::now;

/// The smallest time in seconds of each job; they take turns.
std::vector<double> take_turns(const std::vector<std::function<void()>>& jobs, double seconds) {
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

double sink = 0;

template <class F>
void compare(const char* name, const F& f, const std::vector<double>& x, double seconds,
             bool with_hessian) {
  std::vector<double> v(x.size());
  for (std::size_t i = 0; i < v.size(); ++i) v[i] = 1.0 / (1.0 + static_cast<double>(i % 7));
  std::vector<std::function<void()>> jobs{[&] { sink += ag::grad(f, x)[0]; },
                                          [&] { sink += ag::hvp(f, x, v)[0]; },
                                          [&] { sink += ag::jvp(f, x, v).second; }};
  if (with_hessian) jobs.push_back([&] { sink += ag::hessian(f, x).at({0, 0}); });
  const std::vector<double> t = take_turns(jobs, seconds);
  std::printf("%-28s gradient %10.1f us   hvp %5.2f   jvp %5.2f gradients", name, t[0] * 1e6,
              t[1] / t[0], t[2] / t[0]);
  if (with_hessian) {
    std::printf("   hessian %7.2f = %5.2f a column", t[3] / t[0],
                t[3] / t[0] / static_cast<double>(x.size()));
  }
  std::printf("\n");
}

void compare_sparse(const bench::Rosenbrock& rosenbrock, double seconds) {
  const auto f = [&](const auto& x) { return rosenbrock.value(x.data()); };
  const std::vector<double> x = rosenbrock.point();
  ag::SparseHessian hessian(f, x);
  const std::vector<double> t = take_turns(
      {[&] { sink += ag::grad(f, x)[0]; }, [&] { sink += ag::sparse_hessian(f, x).values[0]; },
       [&] { sink += hessian(x).values[0]; }},
      seconds);
  std::printf(
      "sparse Hessian of rosenbrock, 100,000 variables, %d colors: %.2f gradients, %.2f with "
      "pattern and colors at hand\n",
      hessian.colors(), t[1] / t[0], t[2] / t[0]);
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 1;
  const bench::Heston heston(2000);
  const std::vector<double> heston_x = bench::Heston::point();
  compare(
      "heston, one path", [&](const auto& x) { return heston.term(x.data(), 7); }, heston_x,
      seconds, true);
  compare(
      "heston, 2,000 paths at once",
      [&](const auto& x) { return bench::value_of(heston, x.data()); }, heston_x, seconds, true);
  const bench::Libor libor;
  const std::vector<double> libor_x = bench::Libor::point();
  compare(
      "libor, one path", [&](const auto& x) { return libor.term(x.data(), 7); }, libor_x, seconds,
      true);
  const bench::Mlp mlp;
  const std::vector<double> mlp_x = bench::Mlp::point();
  compare(
      "mlp 2-8-8-1, 200 samples", [&](const auto& x) { return mlp.value(x.data()); }, mlp_x,
      seconds, true);
  const bench::Rosenbrock rosenbrock(100000);
  compare(
      "rosenbrock, 100,000", [&](const auto& x) { return rosenbrock.value(x.data()); },
      rosenbrock.point(), seconds, false);
  compare_sparse(rosenbrock, seconds);
  return sink == 0.123;
}
