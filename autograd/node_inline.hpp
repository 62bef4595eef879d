// SPDX-License-Identifier: Apache-2.0
// Making the nodes of small tensors without a call: half of what a tiny operation costs is its result.
// Internal; ops that have a tiny case include it (through ops/op.hpp), users' pages do not.
#pragma once

#include "node.hpp"
#include "thread_state.hpp"

namespace autograd::detail {

inline constexpr std::int64_t kInlineElements = kInlineBytes / 8;  // of any dtype

/// An owner of its inline elements, all members set but extents, strides, `tiny` and `next`.
AUTOGRAD_INLINE Node* fresh_node(DType dtype) {
  ThreadState* state = this_thread;
  if (!state || state->pending.load(std::memory_order_relaxed)) [[unlikely]] {
    state = prepare_thread();
  }
  Node* node = static_cast<Node*>(take_block(state, kNodeClass, sizeof(Node)));
  node->count.owner.store(state, std::memory_order_relaxed);
  node->count.local = 1;
  node->count.shared.store(0, std::memory_order_relaxed);
  node->data = node->small;
  node->base = node;
  node->generation = 0;
  node->slot.raw = 0;
  node->version.raw = 0;
  node->grad = nullptr;
  node->more = nullptr;
  node->changed_by = nullptr;
  node->block_bytes = 0;
  node->dtype = dtype;
  node->requires_grad = false;
  node->contiguous = true;
  return node;
}

/// make_node of a shape [rows, columns].
AUTOGRAD_INLINE Node* make_matrix(std::int64_t rows, std::int64_t columns, DType dtype) {
  if (rows * columns > kInlineElements || ((rows | columns) >> 31)) [[unlikely]] {
    return make_node(Shape::matrix(rows, columns), dtype);
  }
  Node* node = fresh_node(dtype);
  node->numel = rows * columns;
  node->tiny = tiny_kind(rows * columns, dtype);
  node->shape = Shape::matrix(rows, columns);
  node->strides[0] = columns;
  node->strides[1] = 1;
  return node;
}

/// make_node of a shape [n].
AUTOGRAD_INLINE Node* make_vector(std::int64_t n, DType dtype) {
  if (n > kInlineElements) [[unlikely]]
    return make_node(Shape::vector(n), dtype);
  Node* node = fresh_node(dtype);
  node->numel = n;
  node->tiny = tiny_kind(n, dtype);
  node->shape = Shape::vector(n);
  node->strides[0] = 1;
  return node;
}

/// make_node of the shape and dtype of a contiguous node, whose extents are copied as they are.
AUTOGRAD_INLINE Node* make_like(const Node* of) {
  if (of->numel > kInlineElements || of->shape.dim() > 2) [[unlikely]] {
    return make_node(of->shape, of->dtype);
  }
  Node* node = fresh_node(of->dtype);
  node->numel = of->numel;
  node->tiny = of->tiny != Tiny::no ? of->tiny : tiny_kind(of->numel, of->dtype);
  node->shape.copy_two(of->shape);
  // One by one: they were just written that way, and a vector load would have to wait for that.
  node->strides[0] = of->strides[0];
  asm volatile("");
  node->strides[1] = of->strides[1];
  return node;
}

}  // namespace autograd::detail
