// SPDX-License-Identifier: Apache-2.0
// The parts of Tape that every recorded tensor operation runs: finding slots, appending records,
// gathering adjoints. Internal; kept out of tape.hpp because they need the storage.
#pragma once

#include <cstring>
#include <new>
#include <utility>

#include "tape.hpp"
#include "tape_storage.hpp"

namespace autograd {

AUTOGRAD_INLINE bool Tape::holds(std::int32_t slot, std::uint64_t generation) const {
  const detail::TapeStorage& s = *storage_;
  if (slot >= 0) [[likely]] {
    const auto i = static_cast<std::size_t>(slot);
    return i < s.slots.size() && s.slots[i].generation == generation;
  }
  const auto i = static_cast<std::size_t>(-slot);
  return i < s.leaves.size() && s.leaves[i].generation == generation;
}

AUTOGRAD_INLINE std::int32_t Tape::find(detail::Node* node) {
  const std::int32_t slot = node->slot.load(std::memory_order_relaxed);
  // Slots made since the last rewind are all still there.
  if (node->generation == generation_) [[likely]]
    return slot;
  if (node->generation) {
    if (holds(slot, node->generation)) [[likely]]
      return slot;
    return find_linked(node);
  }
  if (!node->requires_grad) return 0;
  // Threads that share a parameter overwrite each other's hint; the leaf itself decides.
  const auto hint = static_cast<std::size_t>(-slot);
  if (slot < 0 && hint < storage_->leaves.size() && storage_->leaves[hint].node == node)
    return slot;
  return join(node);
}

template <class R, class... Args> AUTOGRAD_INLINE R* Tape::append(detail::Node* y, Args&&... args) {
  static_assert(alignof(R) <= 16);
  constexpr std::size_t kBytes = (sizeof(R) + 15) & ~std::size_t{15};
  detail::TapeStorage& s = *storage_;
  if (s.block_top + kBytes > s.block_end || !detail::has_room(recorder_, 1) || s.slots.full())
      [[unlikely]] {
    make_record_room(kBytes);
  }
  R* record = new (s.block_top) R(std::forward<Args>(args)...);
  detail::Record* base = record;
  s.block_top += kBytes;
  base->previous = s.last;
  base->block = static_cast<std::uint32_t>(s.block);
  base->out = 0;
  s.last = base;
  auto* entry = reinterpret_cast<detail::Entry*>(recorder_.top);
  std::memcpy(static_cast<void*>(entry), &base, sizeof base);
  entry->index = 0;
  recorder_.top += sizeof(detail::Entry);
  *--recorder_.counts = detail::kTensorRecord;
  ++recorder_.last;
  detail::fusable = 0;
  if (y) {
    base->out = static_cast<std::int32_t>(s.slots.size());
    s.slots.push({generation_, nullptr});
    y->tracked_version = y->base->version.load(std::memory_order_relaxed);
    if (y->generation == 0) [[likely]] {
      y->generation = generation_;
      y->slot.store(base->out, std::memory_order_relaxed);
    } else {
      link(y, base->out);
    }
  }
  return record;
}

AUTOGRAD_INLINE void Tape::destroy_last() {
  detail::TapeStorage& s = *storage_;
  detail::Record* record = s.last;
  s.last = record->previous;
  if (s.block != record->block) [[unlikely]]
    s.use_block(record->block);
  s.block_top = reinterpret_cast<std::byte*>(record);
  if (record->info->destroy) record->info->destroy(*record);
}

AUTOGRAD_INLINE detail::Node*& Tape::adjoint_at(std::int32_t slot) {
  detail::TapeStorage& s = *storage_;
  return slot > 0 ? s.slots[static_cast<std::size_t>(slot)].adjoint
                  : s.leaves[static_cast<std::size_t>(-slot)].adjoint;
}

AUTOGRAD_INLINE void Tape::add(detail::Node*& sum, Tensor&& g) {
  if (!sum) [[likely]] {
    sum = g.release_node();
  } else {
    add_to(sum, g.node());
  }
}
AUTOGRAD_INLINE void Tape::add(detail::Node*& sum, const Tensor& g) {
  if (!sum) {
    sum = Tensor(g).release_node();
  } else {
    add_to(sum, g.node());
  }
}

AUTOGRAD_INLINE void Tape::accumulate(std::int32_t slot, Tensor&& g) {
  add(adjoint_at(slot), std::move(g));
}
AUTOGRAD_INLINE void Tape::accumulate(std::int32_t slot, const Tensor& g) {
  add(adjoint_at(slot), g);
}

}  // namespace autograd
