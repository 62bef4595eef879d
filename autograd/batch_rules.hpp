// SPDX-License-Identifier: Apache-2.0
// How operations are done for all examples of a vmap at once. batch_rule(op, x) gets the operands, the
// batched ones with the examples in front (batching.hpp), and returns the result with the examples in
// front; at least one operand is batched. An op without a rule takes the examples one by one, and is right
// as well. To add a rule: a function here, its line in tests/vmap_test.cpp. Internal.
#pragma once

#include <algorithm>
#include <array>

#include "apply.hpp"
#include "ops/attention.hpp"
#include "shaping.hpp"

namespace autograd::detail {

template <class Op, class... X> Tensor call(const Op& op, const X&... x) {
  return apply_in_mode<Op, sizeof...(X)>(op, {x.node()...});
}

template <std::size_t N> int most_axes(const std::array<BatchOperand, N>& x) {
  int dim = 0;
  for (const BatchOperand& operand : x) dim = std::max(dim, operand.dim);
  return dim;
}

/// [examples, shape...].
inline Shape with_examples(std::int64_t examples, const Shape& shape) {
  Shape all{examples};
  for (const std::int64_t extent : shape) all.push_back(extent);
  return all;
}

// --- Elementwise.

template <class Row>
Tensor batch_rule(const ops::UnaryOp<Row>& op, const std::array<BatchOperand, 1>& x) {
  return call(op, x[0].x);
}
template <class Row> Tensor batch_binary(const std::array<BatchOperand, 2>& x) {
  const int dim = most_axes(x);
  const Tensor a = aligned(x[0], dim), b = aligned(x[1], dim);
  if (a.shape() == b.shape()) return call(ops::BinaryOp<Row>{}, a, b);
  return call(ops::BroadcastOp<Row>{}, a, b);
}
template <class Row>
Tensor batch_rule(const ops::BinaryOp<Row>&, const std::array<BatchOperand, 2>& x) {
  return batch_binary<Row>(x);
}
template <class Row>
Tensor batch_rule(const ops::BroadcastOp<Row>&, const std::array<BatchOperand, 2>& x) {
  return batch_binary<Row>(x);
}

// --- Ops of one operand whose axes move by one.

template <class Op>
concept ReducesAxes = requires(Op op) {
  op.axes = 0u;
  op.keepdim = true;
};
template <class Op>
concept AlongAxis = requires(Op op) {
  op.axis = 0;
}
&&!requires(Op op) { op.index; }
&&!requires(Op op) { op.map; };

/// Of scalars [examples, 1]: an axis to work along.
inline Tensor as_lines(const BatchOperand& x) {
  return x.dim == 0 ? reshape(x.x, Shape{x.x.shape()[0], 1}) : x.x;
}
template <ReducesAxes Op> Tensor batch_rule(Op op, const std::array<BatchOperand, 1>& x) {
  const Tensor lines = as_lines(x[0]);
  op.axes = x[0].dim == 0 ? 2 : op.axes << 1;
  op.keepdim = op.keepdim && x[0].dim > 0;
  if constexpr (requires { op.from; }) op.from = lines.shape();
  return call(op, lines);
}
// Softmax and its kind, products, scans.
template <class Op>
  requires(AlongAxis<Op> && !requires(Op op) { op.starts; })
Tensor batch_rule(Op op, const std::array<BatchOperand, 1>& x) {
  ++op.axis;
  const Tensor y = call(op, as_lines(x[0]));
  return x[0].dim == 0 ? reshape(y, Shape{x[0].x.shape()[0]}) : y;
}
template <class Op>
  requires(AlongAxis<Op>)
Tensor batch_rule(Op op, const std::array<BatchOperand, 2>& x) {
  const int dim = most_axes(x);
  if (!x[0].batched || !x[1].batched || dim == 0) throw_batched();  // rare: one by one
  ++op.axis;
  return call(op, x[0].x, x[1].x);
}
inline Tensor batch_rule(const ops::Contiguous& op, const std::array<BatchOperand, 1>& x) {
  return call(op, x[0].x);
}
inline Tensor batch_rule(const ops::Cast& op, const std::array<BatchOperand, 1>& x) {
  return call(op, x[0].x);
}
inline Tensor batch_rule(const ops::Triangle& op, const std::array<BatchOperand, 1>& x) {
  return call(op, x[0].x);
}
inline Tensor batch_rule(const ops::Transpose& op, const std::array<BatchOperand, 1>& x) {
  return call(ops::Transpose{op.axis0 + 1, op.axis1 + 1}, x[0].x);
}
inline Tensor batch_rule(const ops::Reshape& op, const std::array<BatchOperand, 1>& x) {
  const Shape& from = x[0].x.shape();
  return call(ops::Reshape{with_examples(from[0], op.shape), from}, x[0].x);
}
inline Tensor batch_rule(const ops::BroadcastTo& op, const std::array<BatchOperand, 1>& x) {
  const Tensor from = aligned(x[0], op.shape.dim());
  return broadcast_to(from, with_examples(from.shape()[0], op.shape));
}
inline Tensor batch_rule(const ops::SumTo& op, const std::array<BatchOperand, 1>& x) {
  const std::int64_t examples = x[0].x.shape()[0];
  Shape shape{examples};
  for (int i = op.shape.dim(); i < x[0].dim; ++i) shape.push_back(1);
  for (const std::int64_t extent : op.shape) shape.push_back(extent);
  return reshape(sum_to(x[0].x, shape), with_examples(examples, op.shape));
}

// --- Views.

/// All examples, and of each what the map takes.
inline ops::PermuteMap of_each(const ops::PermuteMap& map, std::int64_t) {
  ops::PermuteMap all;
  all.order[0] = 0;
  for (std::size_t i = 1; i < all.order.size(); ++i) {
    all.order[i] = static_cast<std::int8_t>(map.order[i - 1] + 1);
  }
  return all;
}
inline ops::SliceMap of_each(const ops::SliceMap& map, std::int64_t examples) {
  ops::SliceMap all = ops::SliceMap::whole(with_examples(examples, map.extent));
  for (int i = 0; i < map.extent.dim(); ++i) {
    const auto k = static_cast<std::size_t>(i);
    all.set(i + 1, map.start[k], map.extent[i], map.step[k]);
  }
  all.dropped = map.dropped << 1;
  all.added = map.added << 1;
  return all;
}
inline ops::DiagonalMap of_each(ops::DiagonalMap map, std::int64_t) {
  ++map.axis0;
  ++map.axis1;
  return map;
}
inline ops::WindowMap of_each(ops::WindowMap map, std::int64_t) {
  ++map.axis;
  return map;
}
inline ops::FlipMap of_each(ops::FlipMap map, std::int64_t) {
  map.axes <<= 1;
  return map;
}
template <class Map>
Tensor batch_rule(const ops::View<Map>& op, const std::array<BatchOperand, 1>& x) {
  const Shape& from = x[0].x.shape();
  return call(ops::View<Map>{of_each(op.map, from[0]), from}, x[0].x);
}
template <class Map>
Tensor batch_rule(const ops::Unview<Map>& op, const std::array<BatchOperand, 1>& y) {
  const std::int64_t examples = y[0].x.shape()[0];
  return call(
      ops::Unview<Map>{of_each(op.map, examples), with_examples(examples, op.shape), op.fill},
      y[0].x);
}

// --- Products of matrices.

inline Tensor batch_rule(const ops::Matmul& op, const std::array<BatchOperand, 2>& x) {
  const int dim = most_axes(x);
  return call(op, aligned(x[0], dim), aligned(x[1], dim));
}
/// x W^T + b for any of the three batched.
inline Tensor batch_linear(const BatchOperand& x, const BatchOperand& weight,
                           const BatchOperand* bias) {
  const int dim = std::max(x.dim, 2);
  BatchOperand transposed = weight;
  transposed.x = transpose(weight.x);
  BatchOperand row = x;
  if (x.dim == 1) {  // a vector is a row
    row.x = unsqueeze(x.x, -2);
    row.dim = 2;
  }
  Tensor y = matmul(aligned(row, dim), aligned(transposed, dim));
  if (bias) y = y + aligned(*bias, dim);
  return x.dim == 1 ? squeeze(y, -2) : y;
}
inline Tensor batch_rule(const ops::Linear& op, const std::array<BatchOperand, 3>& x) {
  if (x[1].batched || x[2].batched) return batch_linear(x[0], x[1], &x[2]);
  return call(op, x[0].x, x[1].x, x[2].x);
}
inline Tensor batch_rule(const ops::LinearNoBias& op, const std::array<BatchOperand, 2>& x) {
  if (x[1].batched) return batch_linear(x[0], x[1], nullptr);
  return call(op, x[0].x, x[1].x);
}
template <class Row>
Tensor batch_rule(const ops::LinearThen<Row>& op, const std::array<BatchOperand, 3>& x) {
  if (x[1].batched || x[2].batched) {
    return call(ops::UnaryOp<Row>{}, batch_linear(x[0], x[1], &x[2]));
  }
  return call(op, x[0].x, x[1].x, x[2].x);
}

// --- Others.

inline Tensor batch_rule(const ops::MeanSquaredError&, const std::array<BatchOperand, 2>& x) {
  const Tensor d = squared_difference(x[0].x, x[1].x);
  return mean(reshape(d, {d.shape()[0], -1}), {1});
}
/// The examples' rows, one after another.
inline Tensor batch_rule(const ops::CrossEntropy& op, const std::array<BatchOperand, 1>& x) {
  const std::int64_t b = x[0].x.shape()[0], n = x[0].x.shape()[1], c = x[0].x.shape()[2];
  const Tensor labels = contiguous(broadcast_to(op.label.tensor(), Shape{b, n}));
  const ops::CrossEntropy all{reshape(labels, {b * n}), op.smoothing,
                              ops::make(Shape{2, b * n}, x[0].x.dtype())};
  return reshape(call(all, reshape(x[0].x, {b * n, c})), {b, n});
}
inline Tensor batch_rule(const ops::Where& op, const std::array<BatchOperand, 2>& x,
                         const VmapScope& scope) {
  const BatchOperand c = operand_of(op.condition.tensor().node(), scope);
  const int dim = std::max(most_axes(x), c.dim);
  return where(aligned(c, dim), aligned(x[0], dim), aligned(x[1], dim));
}
/// Examples are one more leading axis; masks broadcast to it. Dropout: as below.
inline Tensor batch_rule(ops::Attention op, const std::array<BatchOperand, 3>& x,
                         const VmapScope& scope) {
  if (op.p > 0) throw NotBatched("attention: inside vmap dropout takes the examples one by one");
  if (op.attend) {
    const BatchOperand mask = operand_of(op.attend->tensor().node(), scope);
    op.attend = mask.batched ? aligned(mask, x[0].dim) : mask.x;
  }
  const auto whole = [&](const BatchOperand& operand) {
    if (operand.batched) return operand.x;
    return broadcast_to(operand.x, with_examples(scope.size(), operand.x.shape()));
  };
  return call(op, whole(x[0]), whole(x[1]), whole(x[2]));
}
/// The mask of each example is another one, and the backward rule draws it again: f for each example.
[[noreturn]] inline Tensor batch_rule(const ops::Dropout&, const std::array<BatchOperand, 1>&) {
  throw NotBatched("dropout: inside vmap the examples are taken one by one");
}

}  // namespace autograd::detail
