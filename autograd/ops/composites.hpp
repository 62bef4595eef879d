// SPDX-License-Identifier: Apache-2.0
// Functions that have no op of their own: made of recorded ones (composites), or without a derivative.
// Here are their lines of the op table and their cases, which op_walk_test and random_graph_test run
// like those of ops. A function that gets an op of its own moves to that op's cases. Nothing but tests
// includes this; the functions themselves are in the public headers.
//
// To add one: a line in the file of its family, with a case for each of its branches.
#pragma once

#include <string>
#include <vector>

#include "list.hpp"

namespace autograd::ops {

/// Differentiable to any order, as what they are made of is.
std::vector<OpEntry> elementwise_composites();
std::vector<OpEntry> shape_composites();
std::vector<OpEntry> reduction_composites();
std::vector<OpEntry> linear_algebra_composites();
std::vector<OpEntry> network_composites();
/// Tests of numbers and logic.
std::vector<OpEntry> elementwise_constants();
/// Those, comparisons, positions and what makes tensors: results are constants. Cases are calls.
std::vector<OpEntry> constant_functions();

/// All of the op list and all composites: what tests walk.
const std::vector<OpEntry>& differentiable_functions();
/// Those and the constant ones, in the order of the op table.
const std::vector<OpEntry>& all_functions();

namespace detail {
/// A composite's entry. The derivative is that of its formula unless something is said.
OpEntry composite(const char* name, const char* value, Dtypes dtypes, std::vector<OpCase> cases,
                  const char* derivative = "that of the formula", const char* note = "");
/// The entry of a function whose result is a constant.
OpEntry constant_function(const char* name, const char* value, std::vector<OpCase> cases,
                          const char* note = "", Dtypes dtypes = Dtypes::all);
}  // namespace detail

}  // namespace autograd::ops
