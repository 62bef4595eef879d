// SPDX-License-Identifier: Apache-2.0
// Checkpoints: long computations whose recording would not fit. A checkpointed f runs without being
// recorded; the tape keeps its inputs, and the sweep, when it arrives there, records f again on a tape
// of its own. One more evaluation of f buys the memory of its recording (Griewank, Walther:
// Evaluating Derivatives, 2008, chapter 12). Checkpoints nest.
#pragma once

#include <concepts>
#include <functional>
#include <initializer_list>
#include <span>
#include <utility>
#include <vector>

#include "functions.hpp"
#include "var.hpp"

namespace autograd {

namespace detail {

using ScalarFunction = std::function<std::vector<Var>(std::span<const Var>)>;
std::vector<Var> checkpoint(ScalarFunction f, std::span<const Var> x);

template <class F>
concept FunctionOfScalars = std::invocable<F&, std::span<const Var>>;

/// Throws ValueError for a negative number.
void check_steps(int steps);

}  // namespace detail

/// f(x), for f from scalars to one Var or to a std::vector<Var>, recorded as one record that keeps x
/// and f. f runs again in the sweep: it must use no variables of the tape but x (throws TapeError), and
/// give the same values again (throws TapeError there). What f draws from default_generator(), dropout
/// for one, it draws again; another generator has to be made inside f. Without a tape just f(x).
template <detail::FunctionOfScalars F> auto checkpoint(F f, std::span<const Var> x) {
  using Result = std::invoke_result_t<F&, std::span<const Var>>;
  if constexpr (std::same_as<Result, std::vector<Var>>) {
    return detail::checkpoint(std::move(f), x);
  } else {
    return Var(detail::checkpoint(
        [f = std::move(f)](std::span<const Var> in) mutable {
          return std::vector<Var>{Var(f(in))};
        },
        x)[0]);
  }
}
template <detail::FunctionOfScalars F> auto checkpoint(F f, std::initializer_list<Var> x) {
  return checkpoint(std::move(f), std::span<const Var>(x.begin(), x.size()));
}

/// f(x) for numbers and forward-mode duals, which nothing records: one generic function serves them and
/// Var alike.
template <class F, class T>
  requires(!std::same_as<T, Var>)
&&std::invocable<F&, std::span<const T>> auto checkpoint(F f, const std::vector<T>& x) {
  return f(std::span<const T>(x));
}

/// The state after `steps` steps, state <- step(state, i), for step from (std::span<const Var>, int) to
/// a std::vector<Var>. Stretches of about sqrt(steps) steps are checkpoints, so that the memory needed
/// is that of 2 sqrt(steps) steps and the time one more evaluation. Throws as checkpoint does, and
/// ValueError for steps < 0.
template <class F>
  requires std::invocable < F&, std::span<const Var>,
int > std::vector<Var> checkpoint_steps(F step, int steps, std::span<const Var> state) {
  detail::check_steps(steps);
  int stretch = 1;
  while (stretch < steps / stretch) ++stretch;
  std::vector<Var> y(state.begin(), state.end());
  for (int first = 0; first < steps; first += stretch) {
    const int end = first + stretch < steps ? first + stretch : steps;
    y = checkpoint(
        [step, first, end](std::span<const Var> in) mutable {
          std::vector<Var> now(in.begin(), in.end());
          for (int i = first; i < end; ++i) now = step(std::span<const Var>(now), i);
          return now;
        },
        y);
  }
  return y;
}

/// The same for tensors: f(inputs), without what f would record. Derivatives of every order are right.
/// Random draws as above: dropout has the same mask again.
/// All that f differentiates has to be among the inputs: throws TapeError when it uses a parameter or
/// another tensor of a tape. Integer and bool inputs go along as constants.
Tensor checkpoint(const TensorFunction& f, const std::vector<Tensor>& inputs);

}  // namespace autograd
