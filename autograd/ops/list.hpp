// SPDX-License-Identifier: Apache-2.0
// The list of all operations: what tests, benchmarks and the op table walk. An op that is not here, or
// has no cases, does not compile.
#pragma once

#include <concepts>
#include <span>
#include <string>
#include <vector>

#include "arrange_ops.hpp"
#include "attention.hpp"
#include "conv.hpp"
#include "ctc.hpp"
#include "decompositions_factor.hpp"
#include "decompositions_solve.hpp"
#include "dropout.hpp"
#include "elementwise.hpp"
#include "elementwise_ops.hpp"
#include "embedding.hpp"
#include "index_ops.hpp"
#include "linear_algebra.hpp"
#include "loss.hpp"
#include "matrix_functions.hpp"
#include "normalize.hpp"
#include "norms.hpp"
#include "op.hpp"
#include "order.hpp"
#include "pool.hpp"
#include "reduce.hpp"
#include "scan.hpp"
#include "sections.hpp"
#include "shape_ops.hpp"
#include "view_ops.hpp"

namespace autograd::ops {

template <class... Ops> struct OpList {
  template <class Op> static constexpr bool contains = (std::same_as<Op, Ops> || ...);
  template <class F> static void for_each(F&& f) { (f.template operator()<Ops>(), ...); }
};

// One list for each family file, in the order of the op table.
using ReduceOps = OpList<Sum, Mean, Max, Min, LogSumExp, Softmax, LogSoftmax, SumTo>;
using NormOps = OpList<Norm, Variance, StandardDeviation>;
using ScanOps = OpList<Prod, CumSum, CumProd, LogCumSumExp, LinearScan, Shift>;
using OrderOps = OpList<Median>;
using LinearAlgebraOps =
    OpList<Matmul, Linear, LinearThen<Sigmoid>, LinearThen<Tanh>, LinearThen<Relu>, LinearNoBias>;
using DecompositionOps = OpList<Inverse, Solve, SolveTriangular, Det, Cofactors, LogAbsDet,
                                Cholesky, Qr, Eigh, Svd, MatrixExp, Pinv, Lstsq, Part, Unpart>;
using ShapeOps = OpList<Transpose, Reshape, BroadcastTo, Contiguous, Cast, Where, Pick, Unpick>;
using ViewOps = OpList<View<PermuteMap>, View<SliceMap>, Unview<SliceMap>, View<DiagonalMap>,
                       Unview<DiagonalMap>, View<WindowMap>, Unview<WindowMap>, View<FlipMap>>;
using ArrangeOps = OpList<Cat, Triangle>;
using IndexOps = OpList<IndexSelect, IndexAdd, IndexCopy, Gather, ScatterAdd, Scatter>;
using LossOps = OpList<MeanSquaredError, CrossEntropy>;
using NetworkOps = OpList<Conv, ConvData, ConvWeight, PickEach, UnpickEach, Resample, Normalize,
                          Dropout, Embedding, EmbeddingGradient, Attention, CtcLoss>;

template <class... Lists> struct Joined;
template <class... Ops> struct Joined<OpList<Ops...>> { using type = OpList<Ops...>; };
template <class... A, class... B, class... Rest>
struct Joined<OpList<A...>, OpList<B...>, Rest...> {
  using type = typename Joined<OpList<A..., B...>, Rest...>::type;
};
using StructuredOps =
    Joined<ReduceOps, NormOps, ScanOps, OrderOps, LinearAlgebraOps, DecompositionOps, ShapeOps,
           ViewOps, ArrangeOps, IndexOps, LossOps, NetworkOps>::type;

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

/// What an operation takes. Integers include bool.
enum class Dtypes : std::uint8_t { floating, integers_as_float32, all };

/// What is known of one operation at run time.
struct OpEntry {
  std::string name, value, derivative, note;
  double ulp = 0;  // of elementwise rows
  int arity = 1;   // of elementwise rows; 0 for structured ops
  std::vector<OpCase> cases;
  Dtypes dtypes = Dtypes::integers_as_float32;
  std::string order = "any";  // how often it can be differentiated
};
/// All operations, in the order of the lists.
const std::vector<OpEntry>& all_ops();

}  // namespace autograd::ops
