// SPDX-License-Identifier: Apache-2.0
// The list of all operations: what tests, benchmarks and the op table walk. An op that is not here, or
// has no cases, does not compile.
#pragma once

#include <concepts>
#include <span>
#include <string>
#include <vector>

#include "decompositions_factor.hpp"
#include "decompositions_solve.hpp"
#include "elementwise.hpp"
#include "elementwise_ops.hpp"
#include "linear_algebra.hpp"
#include "loss.hpp"
#include "matrix_functions.hpp"
#include "op.hpp"
#include "reduce.hpp"
#include "sections.hpp"
#include "shape_ops.hpp"

namespace autograd::ops {

template <class... Ops> struct OpList {
  template <class Op> static constexpr bool contains = (std::same_as<Op, Ops> || ...);
  template <class F> static void for_each(F&& f) { (f.template operator()<Ops>(), ...); }
};

// One list for each family file, in the order of the op table.
using ReduceOps = OpList<Sum, Mean, Max, LogSumExp, Softmax, LogSoftmax, SumTo>;
using LinearAlgebraOps =
    OpList<Matmul, Linear, LinearThen<Sigmoid>, LinearThen<Tanh>, LinearThen<Relu>, LinearNoBias>;
using DecompositionOps = OpList<Inverse, Solve, SolveTriangular, Det, Cofactors, LogAbsDet,
                                Cholesky, Qr, Eigh, Svd, MatrixExp, Pinv, Lstsq, Part, Unpart>;
using ShapeOps = OpList<Transpose, Reshape, BroadcastTo, Contiguous, Cast, Where, Pick, Unpick>;
using LossOps = OpList<MeanSquaredError>;

template <class... Lists> struct Joined;
template <class... Ops> struct Joined<OpList<Ops...>> { using type = OpList<Ops...>; };
template <class... A, class... B, class... Rest>
struct Joined<OpList<A...>, OpList<B...>, Rest...> {
  using type = typename Joined<OpList<A..., B...>, Rest...>::type;
};
using StructuredOps =
    Joined<ReduceOps, LinearAlgebraOps, ShapeOps, LossOps, DecompositionOps>::type;

template <class Op>
concept HasCases = requires {
  { Op::cases() } -> std::same_as<std::vector<OpCase>>;
};

// Rows check their own list and cases in RowList::index_of.
template <class Op> struct Listed {
  static_assert(HasCases<Op>, "this op has no cases: give it static std::vector<OpCase> cases()");
  static constexpr bool value = StructuredOps::contains<Op>;
};
template <class Row> struct Listed<UnaryOp<Row>> {
  static constexpr bool value = UnaryRows::contains<Row>;
};
template <class Row> struct Listed<BinaryOp<Row>> {
  static constexpr bool value = BinaryRows::contains<Row>;
};
template <class Row> struct Listed<BroadcastOp<Row>> {
  static constexpr bool value = BinaryRows::contains<Row>;
};
template <class Op> inline constexpr bool kListed = Listed<Op>::value;

/// What is known of one operation at run time.
struct OpEntry {
  std::string name, value, derivative, note;
  double ulp = 0;  // of elementwise rows
  int arity = 1;   // of elementwise rows; 0 for structured ops
  std::vector<OpCase> cases;
};
/// All operations, in the order of the lists.
const std::vector<OpEntry>& all_ops();

}  // namespace autograd::ops
