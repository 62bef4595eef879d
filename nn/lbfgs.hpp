// SPDX-License-Identifier: Apache-2.0
// L-BFGS: minimizes over all parameters together, for losses that are the same at every call (whole
// batches, least squares, fits), with few steps. Not for mini-batches or dropout.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "optim.hpp"

namespace nn {

struct LBFGSOptions {
  double lr = 1.0;
  std::int64_t max_iter = 20;       ///< directions per step
  std::int64_t max_eval = 0;        ///< calls of the closure per step; 0: max_iter 5 / 4
  double tolerance_grad = 1e-7;     ///< done when no gradient is larger
  double tolerance_change = 1e-9;   ///< done when neither loss nor parameters change by more
  std::int64_t history_size = 100;  ///< pairs of moves and changes of the gradient that are kept
  bool strong_wolfe = false;        ///< search along each direction; else steps of length lr
};

/// Nocedal, Wright: Numerical Optimization, algorithms 7.4 and 7.5; the line search brackets and zooms
/// by cubic interpolation as PyTorch's (after M. Schmidt's minFunc). Its vectors are float64 whatever
/// the parameters are; a parameter without a gradient counts as one with gradient 0. A loss that is not
/// finite counts as infinite, so that the search shrinks the move. One group, no weight decay.
class LBFGS : public Optimizer {
 public:
  explicit LBFGS(std::vector<Tensor> parameters, LBFGSOptions options = {});

  /// Evaluates the loss anew: removes the gradients, computes the loss on a tape of its own, sweeps
  /// it, and returns the loss.
  using Closure = std::function<double()>;
  /// Up to max_iter moves; returns the loss at the start. When the closure throws, the parameters are
  /// as they were before the step and the history is forgotten.
  double step(const Closure& closure);
  /// Throws ValueError: there is no step without a closure.
  void step() override;
  /// Throws ValueError: there is one group.
  void add_group(ParameterGroup group) override;

  StateDict state_dict() const override;
  void load_state_dict(const StateDict& state) override;

 private:
  using Vector = std::vector<double>;
  struct Pair {
    Vector move, change;  // of the parameters, of the gradient
    double rho;           // 1 / (move . change)
  };
  struct Search;

  struct History {
    Vector direction, gradient;  // of the last move
    double length = 0, scale = 1, loss = 0;
    std::int64_t moves = 0;
    std::vector<Pair> pairs;  // oldest first
  };

  Vector gradient() const;
  Vector values() const;
  /// Parameters become from + length direction.
  void place(const Vector& from, double length, const Vector& direction);
  void remember(const Vector& gradient);
  Vector direction(const Vector& gradient) const;
  double iterate(const Closure& closure, Vector x);

  LBFGSOptions options_;
  std::size_t size_ = 0;  // elements of all parameters
  History history_;
};

}  // namespace nn
