// SPDX-License-Identifier: Apache-2.0
// Functions of scalars whose derivative the caller gives: as numbers, or as a function that the sweep
// calls. What a tape cannot see inside (a library call, a table, a solver) joins it here. The same for
// tensors is custom_function.
#pragma once

#include <functional>
#include <initializer_list>
#include <span>
#include <vector>

#include "var.hpp"

namespace autograd {

/// A scalar of this value whose partial derivatives by the inputs are known: one statement, of 12 bytes
/// for each input. Throws ShapeError unless there is one partial for each input, TapeError for an input
/// of another tape. (The name is that of Stan's math library.)
Var precomputed_gradients(double value, std::span<const Var> inputs,
                          std::span<const double> partials);
Var precomputed_gradients(double value, std::initializer_list<Var> inputs,
                          std::initializer_list<double> partials);

/// The same for several outputs: values [m], inputs [n], jacobian [m, n] by rows. Throws ShapeError.
std::vector<Var> precomputed_jacobian(std::span<const double> values, std::span<const Var> inputs,
                                      std::span<const double> jacobian);

/// Adds to dx [n], which holds zeros, the vector-Jacobian product of dy [m].
using ScalarVjp = std::function<void(std::span<const double> dy, std::span<double> dx)>;
/// Scalars of these values [m], computed from the inputs [n] by means that no tape saw: one record. A
/// sweep that reaches one of them calls vjp once, which may use a tape of its own; what it throws ends
/// the sweep. Throws TapeError for an input of another tape.
std::vector<Var> custom_vjp(std::span<const double> values, std::span<const Var> inputs,
                            ScalarVjp vjp);

}  // namespace autograd
