// SPDX-License-Identifier: Apache-2.0
// Making the nodes of small tensors without a call: half of what a tiny operation costs is its result.
// Internal; ops that have a tiny case include it (through ops/op.hpp), users' pages do not.
#pragma once

#include "node.hpp"
#include "thread_state.hpp"

namespace autograd::detail {

inline constexpr std::int64_t kInlineElements = kInlineBytes / 8;  // of any dtype

/// A node as the kept ones are.
Node* new_node(ThreadState* state);

/// What this thread takes its nodes from.
AUTOGRAD_INLINE ThreadState* ready_thread() {
  ThreadState* state = this_thread;
  if (!state || state->pending.load(std::memory_order_relaxed)) [[unlikely]]
    return prepare_thread();
  return state;
}

/// An owner of its inline elements, all members set but extents, strides, `tiny` and `next`.
AUTOGRAD_INLINE Node* fresh_node(ThreadState* state, DType dtype) {
  Node* node = state->kept;
  if (node) [[likely]] {
    state->kept = node->next;
    state->kept_count.store(state->kept_count.load(std::memory_order_relaxed) - 1,
                            std::memory_order_relaxed);
  } else {
    node = new_node(state);
  }
  node->generation = 0;
  node->slot.raw = 0;
  node->version.raw = 0;
  node->dtype = dtype;
  return node;
}
AUTOGRAD_INLINE Node* fresh_node(DType dtype) { return fresh_node(ready_thread(), dtype); }

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

/// make_node of the shape of a scalar.
AUTOGRAD_INLINE Node* make_scalar(DType dtype) {
  Node* node = fresh_node(dtype);
  node->numel = 1;
  node->tiny = tiny_kind(1, dtype);
  node->shape = Shape();
  node->strides[0] = 1;
  node->strides[1] = 1;
  return node;
}

/// make_node of the shape and dtype of a tiny node of at most two axes.
AUTOGRAD_INLINE Node* make_tiny_like(ThreadState* state, const Node* of) {
  Node* node = fresh_node(state, of->dtype);
  node->numel = of->numel;
  node->tiny = of->tiny;
  node->shape.copy_two(of->shape);
  // One by one: they were just written that way, and a vector load would have to wait for that.
  node->strides[0] = of->strides[0];
  asm volatile("");
  node->strides[1] = of->strides[1];
  return node;
}

/// make_node of the shape and dtype of a contiguous node, whose extents are copied as they are.
AUTOGRAD_INLINE Node* make_like(const Node* of) {
  if (of->numel > kInlineElements || of->shape.dim() > 2) [[unlikely]] {
    return make_node(of->shape, of->dtype);
  }
  Node* node = make_tiny_like(ready_thread(), of);
  if (node->tiny == Tiny::no) node->tiny = tiny_kind(of->numel, of->dtype);
  return node;
}

}  // namespace autograd::detail
