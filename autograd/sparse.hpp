// SPDX-License-Identifier: Apache-2.0
// Sparse Jacobians and Hessians of functions of scalars (f as for drivers.hpp). What can be other than
// zero is read off a recording of f; columns (or rows) that never meet share a color, and one sweep
// serves a color: a Hessian with a band of three diagonals takes three sweeps, whatever its size.
//
// A pattern never misses an entry at the point it was found at, and may have entries that are zero
// there. It depends on the branches that f takes. SparseJacobian and SparseHessian keep pattern and
// colors for further points, and throw BranchError where f no longer has that pattern.
// autograd/eigen.hpp turns the result into an Eigen::SparseMatrix.
// Threads: any, at once; an object serves one thread at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "driver_call.hpp"
#include "drivers.hpp"
#include "sparsity.hpp"
#include "tape.hpp"
#include "trace.hpp"

namespace autograd {

/// Entries (rows[k], cols[k]) = values[k], by rows and then by columns; the others are 0. Both
/// triangles of a Hessian.
struct SparseMatrix {
  std::vector<std::int64_t> rows, cols;
  std::vector<double> values;
  std::array<std::int64_t, 2> shape{0, 0};

  /// The same as a float64 tensor with all its zeros. Copies.
  Tensor dense() const;
};

namespace detail {

/// Pattern and colors, and the test that they still hold: the matrix times one more direction.
class SparsePlan {
 public:
  Pattern pattern;
  Coloring coloring;
  bool by_rows = false;  // colors are of rows: reverse sweeps
  std::int32_t columns = 0;

  /// The direction of the test.
  static double probe(std::size_t i);
  /// The matrix from the products with the columns (rows) of each color. Throws BranchError unless
  /// `probed`, when it is not empty, is the product with the probe.
  SparseMatrix recover(const char* driver, const std::vector<double>& compressed,
                       const std::vector<double>& probed) const;
};

SparsePlan plan_hessian(const Trace& trace, std::int32_t n, std::int32_t y);
SparsePlan plan_jacobian(const Linearization& f);
SparseMatrix evaluate(const SparsePlan& plan, const Linearization& f, bool check);

template <class F, class X> SparsePlan plan_hessian_of(F& f, const X& x) {
  require_scalar<F, Traced>();
  Trace trace;
  std::vector<Traced> inputs;
  for (const double value : elements_of(x)) inputs.push_back({value, trace.input()});
  const std::vector<Traced> y = call<Traced>(f, inputs);
  trace.stop();
  return plan_hessian(trace, static_cast<std::int32_t>(inputs.size()), y[0].node());
}

template <class F, class X>
SparseMatrix evaluate_hessian(const SparsePlan& plan, F& f, const X& x, bool check) {
  constexpr int kLanes = kSparseLanes;
  using D = Forward<kLanes, double, F>;
  const std::span<const double> point = elements_of(x);
  check_length("sparse_hessian", "x", point.size(), "the pattern",
               static_cast<std::size_t>(plan.columns));
  const auto colors = static_cast<std::size_t>(plan.coloring.colors);
  std::vector<double> compressed(point.size() * colors), probed(check ? point.size() : 0);
  for (std::size_t first = 0; first < colors + check; first += kLanes) {
    const auto seeds = [&](std::size_t i, int lane) {
      const std::size_t color = first + static_cast<std::size_t>(lane);
      if (color == colors && check) return SparsePlan::probe(i);
      return plan.coloring.of[i] == static_cast<std::int32_t>(color) ? 1.0 : 0.0;
    };
    const auto inputs = with_tangents<D>(point, seeds);
    Recorded<D> recorded(f, std::span<const D>(inputs));
    const D one(1.0);
    const std::vector<D> adjoints = recorded.pull({&one, 1});
    for (std::size_t i = 0; i < point.size(); ++i) {
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        const double element = adjoints[i].tangent(static_cast<int>(lane));
        if (first + lane < colors) {
          compressed[i * colors + first + lane] = element;
        } else if (first + lane == colors && check) {
          probed[i] = element;
        }
      }
    }
  }
  return plan.recover("sparse_hessian", compressed, probed);
}

template <class F, class X> Linearization linearization_of(F& f, const X& x) {
  Recorded<double> recorded(f, elements_of(x));
  return recorded.tape().linearize(recorded.outputs());
}

}  // namespace detail

/// The Hessian of f, which returns one scalar, at points where f takes the same branches as at x.
template <class F> class SparseHessian {
 public:
  /// Finds pattern and colors at x.
  template <DoubleList X>
  SparseHessian(F f, const X& x) : f_(std::move(f)), plan_(detail::plan_hessian_of(f_, x)) {}
  /// The Hessian at x. Throws ShapeError for an x of another length, BranchError for another pattern.
  template <DoubleList X> SparseMatrix operator()(const X& x) {
    return detail::evaluate_hessian(plan_, f_, x, true);
  }
  std::int64_t nonzeros() const { return static_cast<std::int64_t>(plan_.pattern.columns.size()); }
  int colors() const { return plan_.coloring.colors; }

 private:
  F f_;
  detail::SparsePlan plan_;
};

/// The Jacobian of f at points where f takes the same branches as at x.
template <class F> class SparseJacobian {
 public:
  /// Finds pattern and colors at x.
  template <DoubleList X>
  SparseJacobian(F f, const X& x)
      : f_(std::move(f)), plan_(detail::plan_jacobian(detail::linearization_of(f_, x))) {}
  /// The Jacobian at x. Throws ShapeError for another number of inputs or outputs, BranchError for
  /// another pattern.
  template <DoubleList X> SparseMatrix operator()(const X& x) {
    return detail::evaluate(plan_, detail::linearization_of(f_, x), true);
  }
  std::int64_t nonzeros() const { return static_cast<std::int64_t>(plan_.pattern.columns.size()); }
  int colors() const { return plan_.coloring.colors; }

 private:
  F f_;
  detail::SparsePlan plan_;
};

/// All second derivatives of f, which returns one scalar, at x. Both triangles.
template <class F, DoubleList X> SparseMatrix sparse_hessian(F&& f, const X& x) {
  return detail::evaluate_hessian(detail::plan_hessian_of(f, x), f, x, false);
}

/// All first derivatives of f at x, [outputs, inputs]. Colors are of columns or of rows, whichever
/// promises to need fewer. A function that passes through tensors counts as dense.
template <class F, DoubleList X> SparseMatrix sparse_jacobian(F&& f, const X& x) {
  const detail::Linearization linear = detail::linearization_of(f, x);
  return detail::evaluate(detail::plan_jacobian(linear), linear, false);
}

}  // namespace autograd
