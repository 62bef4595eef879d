// SPDX-License-Identifier: Apache-2.0
// Making nodes, and the biased reference counts that end them.
//
// `local` belongs to the thread whose state is `owner`; all others count in `shared` (a signed count
// << 2, and a state). References may move between threads, so only the sum means anything:
//   (1) references = local + (shared >> 2), including one that a queue holds of a queued node.
//   (2) While not merged, local > 0: the owner merges when it reaches 0. Hence a count below zero in
//       `shared` never means that the node is dead, and nobody but the owner may conclude that.
//   (3) A state goes 0 -> queued -> merged or 0 -> merged, never back; merged implies that `local`
//       is 0 for good and `owner` matches no thread (it is stored before the state).
//   (4) Who gives up a reference with shared == 0 and state 0 cannot tell whether it was the last.
//       It sets the state to queued instead of subtracting, and hands the reference to the owner's
//       queue under the owner's mutex. Later ones subtract, so a node is queued at most once.
//   (5) If the owner merges between the two steps of (4), `owner` is found to match no thread and
//       the reference is subtracted in the ordinary way: sum (1) says it is among `shared` by then.
//   (6) A state without a thread (dead, guarded by its mutex) has no one to touch `local`, so the one
//       who would queue merges instead, under the mutex that a thread adopting the state takes too.
//       The adopter is the owner in every respect; its mutex orders it after its predecessor.
//   (7) Whoever brings a merged count to 0, or merges to a sum of 0, destroys; exactly one does.
// Decrements release and the destroyer acquires, so all uses of the elements come before their reuse.
#include "node.hpp"

#include <algorithm>
#include <utility>

#include "node_inline.hpp"
#include "zero_rows.hpp"

namespace autograd::detail {
namespace {

constexpr std::int32_t kOne = 4;
constexpr std::int32_t kQueued = 1, kMerged = 2, kStateMask = 3;

ThreadState* no_thread() { return reinterpret_cast<ThreadState*>(std::uintptr_t{64}); }

// Adds `local` + extra to the shared count and marks it as merged; true when none is left.
bool merge(Node* node, std::int32_t extra) noexcept {
  RefCount& count = node->count;
  const std::int32_t local = static_cast<std::int32_t>(std::exchange(count.local, 0u)) + extra;
  count.owner.store(no_thread(), std::memory_order_release);
  std::int32_t shared = count.shared.load(std::memory_order_relaxed), merged = 0;
  do {
    merged = ((shared & ~kStateMask) + local * kOne) | kMerged;
  } while (!count.shared.compare_exchange_weak(shared, merged, std::memory_order_acq_rel,
                                               std::memory_order_relaxed));
  return merged == kMerged;
}

// Hands the caller's reference to the owner's queue; true when the node is to be destroyed instead.
bool enqueue(Node* node) noexcept {
  ThreadState* owner = node->count.owner.load(std::memory_order_acquire);
  if (owner == no_thread()) {  // (5)
    return node->count.shared.fetch_sub(kOne, std::memory_order_acq_rel) == (kOne | kMerged);
  }
  const std::lock_guard lock(owner->mutex);
  if (owner->dead) return merge(node, -1);
  node->next = owner->queue;
  owner->queue = node;
  owner->pending.store(true, std::memory_order_relaxed);
  return false;
}

// Gives up a reference that counts in `shared`; true when the node is to be destroyed.
bool drop_shared(Node* node) noexcept {
  std::atomic<std::int32_t>& shared = node->count.shared;
  std::int32_t old = shared.load(std::memory_order_relaxed), desired = 0;
  do {
    desired = old == 0 ? kQueued : old - kOne;
  } while (!shared.compare_exchange_weak(old, desired, std::memory_order_acq_rel,
                                         std::memory_order_relaxed));
  return old == 0 ? enqueue(node) : desired == kMerged;
}

// Gives up one reference; true when it was the last and the caller has to destroy the node.
bool drop(Node* node) noexcept {
  if (!owned(node)) return drop_shared(node);
  if (node->count.local > 1) {
    --node->count.local;
    return false;
  }
  if (node->count.shared.load(std::memory_order_acquire) == 0) return true;  // no one else has any
  node->count.local = 0;
  return merge(node, 0);
}

void drop_onto(Node*& dying, Node* node) noexcept {
  if (!drop(node)) return;
  node->next = dying;
  dying = node;
}

void free_node(Node* node) noexcept { deallocate(node, sizeof(Node)); }

// A gradient of a gradient and so on may be a long chain: those that die are listed, not recursed.
void destroy(Node* dying) noexcept {
  dying->next = nullptr;
  while (dying) {
    Node* node = std::exchange(dying, dying->next);
    if (node->grad) drop_onto(dying, node->grad);
    if (node->base != node) drop_onto(dying, node->base);
    if (is_batched(node)) drop_onto(dying, physical_node(node));
    const bool kept = node->more && keep_zeros(node);
    for (TrackLink *link = node->more, *next; link; link = next) {
      next = link->next;
      free_link(link);
    }
    if (node->block_bytes && !kept) deallocate(node->data, node->block_bytes);
    free_node(node);
  }
}

void merge_all(Node* queue) noexcept {
  while (queue) {
    Node* node = std::exchange(queue, queue->next);
    if (merge(node, -1)) destroy(node);
  }
}

Node* take_queue(ThreadState* state) noexcept {  // with its mutex locked
  state->pending.store(false, std::memory_order_relaxed);
  return std::exchange(state->queue, nullptr);
}

// A block for the elements of a node that may need one; frees the node when that throws.
__attribute__((noinline)) Node* with_block(Node* node) {
  try {
    node->numel = node->shape.numel();
    const std::size_t bytes = static_cast<std::size_t>(node->numel) * item_size(node->dtype);
    if (bytes <= kInlineBytes) return node;
    node->data = allocate(bytes);
    node->block_bytes = bytes;
    return node;
  } catch (...) {
    free_node(node);
    throw;
  }
}

bool row_major(const Node* node) {
  std::int64_t expected = 1;
  for (int i = node->shape.dim(); i-- > 0;) {
    const std::int64_t extent = node->shape[i];
    if (extent != 1 && node->strides[static_cast<std::size_t>(i)] != expected) return false;
    expected *= extent;
  }
  return true;
}

}  // namespace

void free_link(TrackLink* link) noexcept {
  if (link->generation == kHooks) return delete_hooks(link);
  if (link->generation == kRows) return delete_rows(link);
  deallocate(link, sizeof(TrackLink));
}

void drain_queue(ThreadState* state) noexcept {
  Node* queue = nullptr;
  {
    const std::lock_guard lock(state->mutex);
    queue = take_queue(state);
  }
  merge_all(queue);
}

void close_queue(ThreadState* state) noexcept {
  while (true) {
    Node* queue = nullptr;
    {
      const std::lock_guard lock(state->mutex);
      queue = take_queue(state);
      state->dead = !queue;
    }
    if (!queue) return;
    merge_all(queue);
  }
}

AUTOGRAD_COLD static Node* make_large(const Shape& shape, Node* node) {
  if (std::any_of(shape.begin(), shape.end(), [](std::int64_t extent) { return extent < 0; })) {
    free_node(node);
    throw ShapeError("Shape: negative extent: " + to_string(shape) + "; need >= 0");
  }
  std::int64_t numel = 1;
  bool too_many = false;
  for (int i = shape.dim(); i-- > 0;) {
    node->strides[static_cast<std::size_t>(i)] = numel;
    too_many |= __builtin_mul_overflow(numel, shape[i], &numel);
  }
  node->numel = numel;
  return too_many || numel > kInlineElements ? with_block(node) : node;
}

Node* make_node(const Shape& shape, DType dtype) {
  const int dim = shape.dim();
  const std::int64_t outer = dim > 1 ? shape[0] : 1, inner = dim > 0 ? shape[dim - 1] : 1;
  Node* node = fresh_node(dtype);
  node->shape = shape;
  if (dim <= 2 && !((outer | inner) >> 31) && outer * inner <= kInlineElements) [[likely]] {
    node->numel = outer * inner;
    node->tiny = tiny_kind(outer * inner, dtype);
    node->strides[0] = dim > 1 ? inner : 1;
    node->strides[1] = 1;
    return node;
  }
  node->tiny = Tiny::no;
  return make_large(shape, node);
}

Node* make_view(Node* of, void* data, const Shape& shape,
                const std::array<std::int64_t, kMaxDim>& strides) {
  if (is_batched(of)) throw_batched();
  const std::int64_t numel = shape.numel();
  Node* node = fresh_node(of->dtype);
  retain(of->base);
  node->base = of->base;
  node->data = data;
  node->numel = numel;
  node->shape = shape;
  std::copy_n(strides.begin(), shape.dim(), node->strides.begin());
  node->contiguous = numel == 0 || row_major(node);
  const bool inside = node->contiguous && data == static_cast<void*>(of->base->small);
  node->tiny = inside ? tiny_kind(numel, of->dtype) : Tiny::no;
  return node;
}

void retain_slow(Node* node) noexcept {
  node->count.shared.fetch_add(kOne, std::memory_order_relaxed);
}

AUTOGRAD_COLD static void release_other(Node* node) noexcept {
  if (drop(node)) destroy(node);
}

AUTOGRAD_OUTLINE Node* new_node(ThreadState* state) {
  Node* node = static_cast<Node*>(take_block(state, kNodeClass, sizeof(Node)));
  node->count.owner.store(state, std::memory_order_relaxed);
  node->count.local = 1;
  node->count.shared.store(0, std::memory_order_relaxed);
  node->data = node->small;
  node->base = node;
  node->grad = nullptr;
  node->more = nullptr;
  node->changed_by = nullptr;
  node->block_bytes = 0;
  node->requires_grad = false;
  node->contiguous = true;
  return node;
}

// The last reference to a node that is not to be kept as it is.
AUTOGRAD_OUTLINE static void release_unusual(ThreadState* state, Node* node) noexcept {
  if (node->grad || node->more || node->base != node) return release_other(node);
  if (node->block_bytes) deallocate(node->data, node->block_bytes);
  put_block(state, kNodeClass, node);
}

// All that it calls it calls last, so that it needs no stack.
void release_slow(Node* node) noexcept {
  ThreadState* state = this_thread;
  const RefCount& count = node->count;
  const bool last = count.owner.load(std::memory_order_relaxed) == state && count.local == 1 &&
                    count.shared.load(std::memory_order_acquire) == 0;
  if (!last) [[unlikely]]
    return release_other(node);
  const auto bits = [](const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); };
  const std::uintptr_t extras = bits(node->grad) | bits(node->more) |
                                (bits(node->base) ^ bits(node)) |
                                (bits(node->data) ^ bits(node->small));
  const std::uint32_t kept = state->kept_count.load(std::memory_order_relaxed);
  const bool plain = (extras == 0) & node->contiguous & !node->requires_grad;
  if (!plain || kept == kMostKeptNodes) [[unlikely]]
    return release_unusual(state, node);
  node->next = state->kept;
  state->kept = node;
  state->kept_count.store(kept + 1, std::memory_order_relaxed);
}

}  // namespace autograd::detail
