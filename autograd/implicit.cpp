// SPDX-License-Identifier: Apache-2.0
#include "implicit.hpp"

#include <cmath>
#include <memory>
#include <string>

#include "custom_scalar.hpp"
#include "lu.hpp"
#include "tape.hpp"
#include "text.hpp"

namespace autograd {

namespace {

std::vector<double> values_of(std::span<const Var> x) {
  std::vector<double> values;
  values.reserve(x.size());
  for (const Var& element : x) values.push_back(element.value());
  return values;
}

void require_system(std::size_t a, std::size_t b) {
  if (a == b * b) return;
  throw ShapeError("linear_solve: A has " + std::to_string(a) + " elements and b has " +
                   std::to_string(b) + "; need A of shape [n, n] for b of shape [n] (" +
                   std::to_string(b * b) + ")");
}

struct Linearization {
  std::vector<double> value, by_x, by_p;  // [n], [n, n], [n, m]
};

// F and its partial derivatives, row by row.
Linearization linearize(const Residual& residual, std::span<const double> x,
                        std::span<const double> p) {
  Tape tape;
  std::vector<Var> vx, vp;
  for (const double element : x) vx.push_back(tape.input(element));
  for (const double element : p) vp.push_back(tape.input(element));
  const std::vector<Var> f = residual(vx, vp);
  if (f.size() != x.size()) {
    throw ShapeError("implicit_function: F has " + std::to_string(f.size()) +
                     " elements and x has " + std::to_string(x.size()) +
                     "; need as many equations as unknowns");
  }
  Linearization result{values_of(f), {}, {}};
  for (const Var& row : f) {
    tape.zero_grad();
    const bool constant = (row.tag() & detail::kPassive) != 0;
    if (!constant) tape.backward(row, {.retain = true});
    for (const Var& v : vx) result.by_x.push_back(constant ? 0.0 : v.grad());
    for (const Var& v : vp) result.by_p.push_back(constant ? 0.0 : v.grad());
  }
  return result;
}

void require_solution(const detail::Lu& lu, std::vector<double> f, std::span<const double> x) {
  lu.solve(f);  // the Newton step
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (std::abs(f[i]) <= 1e-6 * (1 + std::abs(x[i]))) continue;
    throw ValueError(
        "implicit_function: the solver returned no solution: F(x, p) is not 0, a Newton "
        "step would move x[" +
        std::to_string(i) + "] = " + detail::text(x[i]) + " by " + detail::text(f[i]) +
        "; need at most 1e-6 (1 + |x|) (let the solver converge further)");
  }
}

}  // namespace

std::vector<Var> implicit_function(const Solver& solve, const Residual& residual,
                                   std::span<const Var> p) {
  if (!solve || !residual) {
    throw ValueError(std::string("implicit_function: ") + (solve ? "residual" : "solve") +
                     " is empty; need a function to call");
  }
  const std::vector<double> at = values_of(p);
  const std::vector<double> x = solve(at);
  Linearization f = linearize(residual, x, at);
  const std::size_t n = x.size(), m = at.size();
  detail::Lu lu("implicit_function", "dF/dx", std::move(f.by_x), n);
  require_solution(lu, std::move(f.value), x);
  return custom_vjp(x, p,
                    [lu = std::move(lu), by_p = std::move(f.by_p), n, m](std::span<const double> dy,
                                                                         std::span<double> dx) {
                      // dx = -(dF/dp)^T (dF/dx)^-T dy
                      std::vector<double> lambda(dy.begin(), dy.end());
                      lu.solve_transposed(lambda);
                      for (std::size_t i = 0; i < n; ++i) {
                        for (std::size_t k = 0; k < m; ++k) dx[k] -= lambda[i] * by_p[i * m + k];
                      }
                    });
}

std::vector<Var> linear_solve(std::span<const Var> a, std::span<const Var> b) {
  require_system(a.size(), b.size());
  const std::size_t n = b.size();
  detail::Lu lu("linear_solve", "A", values_of(a), n);
  std::vector<double> x = values_of(b);
  lu.solve(x);
  std::vector<Var> inputs(a.begin(), a.end());
  inputs.insert(inputs.end(), b.begin(), b.end());
  return custom_vjp(x, inputs,
                    [lu = std::move(lu), x, n](std::span<const double> dy, std::span<double> dx) {
                      const std::span<double> da = dx.first(n * n), db = dx.last(n);
                      std::copy(dy.begin(), dy.end(), db.begin());
                      lu.solve_transposed(db);
                      for (std::size_t i = 0; i < n; ++i) {
                        for (std::size_t j = 0; j < n; ++j) da[i * n + j] = -db[i] * x[j];
                      }
                    });
}

std::vector<double> linear_solve(std::span<const double> a, std::span<const double> b) {
  require_system(a.size(), b.size());
  std::vector<double> x(b.begin(), b.end());
  detail::Lu("linear_solve", "A", {a.begin(), a.end()}, b.size()).solve(x);
  return x;
}

}  // namespace autograd
