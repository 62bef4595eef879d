// SPDX-License-Identifier: Apache-2.0
// What a Tensor handle points to: extents, elements, the tape position, the gradient. Internal.
//
// One pool block holds header, extents and the elements of small tensors (64 bytes and less), so that
// an operation on them takes a single allocation. Larger elements have a block of their own. A view
// holds a reference to `base`, the node that owns the elements and their version counter.
//
// Reference counts are biased (Choi, Shull, Torrellas: Biased reference counting, PACT 2018; CPython's
// PEP 703): the thread that made the node counts in `local` without atomics, all others in `shared`.
// Measured on the 4-element add: 6 to 9 ns with plain counts, 43 ns with atomic ones.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "dtype.hpp"
#include "memory.hpp"
#include "shape.hpp"

namespace autograd::detail {

struct Node;

/// A word that several threads may touch, where any order will do. Plain inside, so that the members
/// of a fresh node are cleared together.
template <class T> struct Relaxed {
  T raw;

  T load(std::memory_order = std::memory_order_relaxed) const {
    return __atomic_load_n(&raw, __ATOMIC_RELAXED);
  }
  void store(T value, std::memory_order = std::memory_order_relaxed) {
    __atomic_store_n(&raw, value, __ATOMIC_RELAXED);
  }
};

/// Counts of one node: local + (shared >> 2) references exist. See node.cpp for the protocol.
struct RefCount {
  std::atomic<ThreadState*> owner;  // never null; matches no thread once the counts are merged
  std::uint32_t local;
  std::atomic<std::int32_t> shared;  // count << 2 | state (0 default, 1 queued, 2 merged)
};

/// A further tape that recorded the node's value (nested tapes); a block of allocate(). A node gives
/// back its own.
struct TrackLink {
  std::uint64_t generation;
  std::int32_t slot;
  TrackLink* next;
};

inline constexpr std::size_t kInlineBytes = 64;

/// Contiguous and at most eight floating-point elements, at the start of the node that owns them:
/// registers of so many may be read whole, and written by an owner. One byte, because dtype and number in
/// two would be compared with one load, which waits until both stores have left the store buffer (10 ns).
enum class Tiny : std::uint8_t { no, four_floats, eight_floats, four_doubles, eight_doubles };

constexpr Tiny tiny_kind(std::int64_t numel, DType dtype) {
  if (numel > 8 || !is_floating(dtype)) return Tiny::no;
  if (dtype == DType::float32) return numel > 4 ? Tiny::eight_floats : Tiny::four_floats;
  return numel > 4 ? Tiny::eight_doubles : Tiny::four_doubles;
}

// The members that a fresh node starts at zero lie side by side, so that whole registers clear them.
struct alignas(64) Node {
  RefCount count;
  void* data;  // first element
  Node* base;  // owner of the elements: this node itself, or the one it is a view of
  std::uint64_t
      generation;  // with `slot`: position on the innermost tape that recorded it; 0: none
  Relaxed<std::int32_t> slot;      // threads may share a parameter; see Tape::find
  Relaxed<std::uint32_t> version;  // of an owner: how often its elements were changed in place
  Node* grad;                      // owned; null when nothing was deposited
  TrackLink* more;                 // owned
  const char* changed_by;          // of an owner: the last in-place operation
  std::size_t block_bytes;         // of an owner with a block of its own: its size, else 0
  std::int64_t numel;
  std::uint32_t tracked_version;  // the storage's version when a tape recorded this value
  DType dtype;
  Tiny tiny;
  bool requires_grad;
  bool contiguous;  // row-major without gaps
  Shape shape;
  std::array<std::int64_t, kMaxDim> strides;  // in elements
  Node* next;                                 // in a queue of nodes to merge or to destroy
  alignas(64) std::byte small[kInlineBytes];
};

/// A fresh contiguous node with one reference, elements uninitialized (those of small tensors are
/// padded to 64 bytes). Throws Error when memory is short.
Node* make_node(const Shape& shape, DType dtype);
/// A view of `of`'s elements starting at `data`; holds a reference to of->base.
Node* make_view(Node* of, void* data, const Shape& shape,
                const std::array<std::int64_t, kMaxDim>& strides);

/// In place of a generation: the link holds the hooks of a leaf (hooks.cpp).
inline constexpr std::uint64_t kHooks = ~std::uint64_t{0};
void delete_hooks(TrackLink* link) noexcept;
/// Likewise: the link holds the rows outside of which an owner's elements are zero (zero_rows.hpp).
inline constexpr std::uint64_t kRows = kHooks - 1;
void delete_rows(TrackLink* link) noexcept;
/// From now on anything may be written to the elements.
void forget_rows(Node* owner) noexcept;
void free_link(TrackLink* link) noexcept;

/// True for a tensor that stands for all examples of a vmap, and has no elements (batching.hpp).
inline bool is_batched(const Node* node) { return node->data == nullptr; }
/// The tensor with the elements of all examples.
Node* physical_node(const Node* batched);
[[noreturn]] AUTOGRAD_COLD void throw_batched();

void release_slow(Node* node) noexcept;  // not the owner, or the owner's last reference
void retain_slow(Node* node) noexcept;

/// True in the thread that may use count.local.
inline bool owned(const Node* node) noexcept {
  return node->count.owner.load(std::memory_order_relaxed) == this_thread;
}

inline void retain(Node* node) noexcept {
  if (owned(node)) [[likely]] {
    ++node->count.local;
  } else {
    retain_slow(node);
  }
}

inline void release(Node* node) noexcept {
  if (owned(node) && node->count.local > 1) [[likely]] {
    --node->count.local;
  } else {
    release_slow(node);
  }
}

/// Raises the version of the elements, which a tape then finds changed. Not a read-modify-write, which costs
/// more than a small update: writers synchronize themselves.
inline void note_change(Node* node, const char* function) noexcept {
  Node* base = node->base;
  base->version.store(base->version.load() + 1);
  base->changed_by = function;
}

/// True when the caller holds the only reference, so that it may reuse the elements.
inline bool unique(const Node* node) noexcept {
  return owned(node) && node->count.local == 1 &&
         node->count.shared.load(std::memory_order_acquire) == 0;
}

}  // namespace autograd::detail
