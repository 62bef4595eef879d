// SPDX-License-Identifier: Apache-2.0
// What each thread owns: short lists of free blocks, and the identity and queue of biased reference
// counts. Internal to memory.cpp (lists), node.cpp (counts) and node_inline.hpp.
//
// A list (Bin) holds up to two batches. A full one gives the older half to the central list, an empty one
// takes a batch from there: a program that goes up and down by less than a batch never leaves the list.
// Counters are atomics written by the owner alone with a plain load and store; memory_stats() reads them.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include "memory.hpp"
#include "node.hpp"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#endif
#endif

namespace autograd::detail {

// Under AddressSanitizer, touching a free block is reported as if it had been freed.
inline void poison([[maybe_unused]] void* memory, [[maybe_unused]] std::size_t bytes) {
#ifdef ASAN_POISON_MEMORY_REGION
  ASAN_POISON_MEMORY_REGION(memory, bytes);
#endif
}
inline void unpoison([[maybe_unused]] void* memory, [[maybe_unused]] std::size_t bytes) {
#ifdef ASAN_UNPOISON_MEMORY_REGION
  ASAN_UNPOISON_MEMORY_REGION(memory, (bytes + 63) & ~std::size_t{63});
#endif
}

/// The first bytes of a free block. The last two members count only in the first block of a batch.
struct FreeBlock {
  FreeBlock* next;
  FreeBlock* next_batch;
  std::uint32_t count;
};

/// Size classes: multiples of 64 up to 1 KiB (0 to 15), then four per power of two.
constexpr int size_class(std::size_t bytes) {
  if (bytes <= 1024) return bytes == 0 ? 0 : static_cast<int>((bytes - 1) >> 6);
  const int log = static_cast<int>(std::bit_width(bytes - 1)) - 1;  // 10 and up
  return 16 + (log - 10) * 4 + static_cast<int>(((bytes - 1) >> (log - 2)) & 3);
}
constexpr std::size_t class_bytes(int cls) {
  if (cls < 16) return static_cast<std::size_t>(cls + 1) << 6;
  return static_cast<std::size_t>(5 + (cls & 3)) << (8 + (cls - 16) / 4);
}

inline constexpr std::size_t kMostBytes = std::size_t{1} << 47;
inline constexpr int kClasses = size_class(kMostBytes) + 1;
// Larger blocks go straight to the central list: a lock is nothing beside filling 32 KiB, and the
// statistics then know exactly which of them are in use.
inline constexpr int kThreadClasses = size_class(32 * 1024) + 1;
inline constexpr int kNodeClass = size_class(sizeof(Node));

/// Blocks in one batch of a class that threads keep.
constexpr std::uint32_t batch_count(int cls) {
  const std::size_t count = 32 * 1024 / class_bytes(cls);
  return static_cast<std::uint32_t>(count < 64 ? count : 64);
}

struct Bin {
  FreeBlock* head = nullptr;
  std::atomic<std::uint32_t> count{0};
  std::uint32_t most = 0;
};

/// Nodes of small tensors that a thread keeps as their last release left them: they are owners of their
/// inline elements, with one reference by this thread, no gradient, link, block or flag, which saves making
/// them anew (30 of 45 instructions). None under AddressSanitizer, which is to see them as freed.
#ifdef ASAN_POISON_MEMORY_REGION
inline constexpr std::uint32_t kMostKeptNodes = 0;
#else
inline constexpr std::uint32_t kMostKeptNodes = 64;
#endif

struct ThreadState {
  std::atomic<bool> pending{false};  // the queue is not empty; a hint, read without the mutex
  std::atomic<std::uint32_t> kept_count{0};
  Node* kept = nullptr;  // linked by `next`
  Bin bins[kThreadClasses];

  std::mutex mutex;  // guards queue and dead
  Node* queue = nullptr;
  bool dead = false;  // no thread has this state

  ThreadState* next = nullptr;            // all states
  ThreadState* next_abandoned = nullptr;  // those waiting for a thread
};

/// This thread's state, made or adopted when it has none; merges what is queued. Throws Error.
ThreadState* prepare_thread();
/// Merges the counts of the queued nodes; the caller's thread has the state.
void drain_queue(ThreadState* state) noexcept;
/// The same, marking the state as dead once its queue is empty.
void close_queue(ThreadState* state) noexcept;

void* refill(ThreadState* state, int cls, std::size_t bytes);
void spill(ThreadState* state, int cls, FreeBlock* block) noexcept;

/// A block from one of this thread's lists; `bytes` only words the error.
AUTOGRAD_INLINE void* take_block(ThreadState* state, int cls, std::size_t bytes) {
  Bin& bin = state->bins[cls];
  FreeBlock* block = bin.head;
  if (!block) [[unlikely]]
    return refill(state, cls, bytes);
  bin.head = block->next;
  bin.count.store(bin.count.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
  unpoison(block, bytes);
  return block;
}

AUTOGRAD_INLINE void put_block(ThreadState* state, int cls, void* memory) noexcept {
  Bin& bin = state->bins[cls];
  FreeBlock* block = static_cast<FreeBlock*>(memory);
  poison(block + 1, class_bytes(cls) - sizeof(FreeBlock));
  const std::uint32_t count = bin.count.load(std::memory_order_relaxed);
  if (count >= bin.most) [[unlikely]]
    return spill(state, cls, block);
  block->next = bin.head;
  bin.head = block;
  bin.count.store(count + 1, std::memory_order_relaxed);
}

}  // namespace autograd::detail
