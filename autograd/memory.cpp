// SPDX-License-Identifier: Apache-2.0
// The central list of free blocks, the system behind it, and the coming and going of threads.
//
// Invariants: a block is in use, in a list of one thread, or in the central list. `out` counts those
// of the first two kinds, so current = out - (what threads cache) needs no counting on the hot path,
// and its maximum is the peak. Everything in Central is guarded by its mutex. Nothing here is ever
// destroyed: tensors in static variables outlive every destructor that could run.
#include "memory.hpp"

#include <pthread.h>
#ifdef __linux__
#include <sys/mman.h>
#endif
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <new>
#include <string>
#include <utility>

#include "error.hpp"
#include "thread_state.hpp"
#include "zero_rows.hpp"

namespace autograd {
namespace detail {

constinit thread_local ThreadState* this_thread = nullptr;

namespace {

constexpr std::size_t kSlabBytes = 64 * 1024;
constexpr int kSlabClasses = size_class(4 * 1024) + 1;  // cut from slabs
// What may be held beyond the largest use so far and a half: a program whose shapes change from step to
// step would otherwise collect blocks of every size class. (Translation with batches of all lengths
// held 3 GB where it used 0.5.)
constexpr std::size_t kIdleBytes = std::size_t{64} << 20;

/// The first 64 bytes of a slab; its blocks follow.
struct alignas(64) Slab {
  Slab* next;
  int cls;
  std::uint32_t blocks;
  std::uint32_t free;  // scratch of release_slabs
};

struct Central {
  std::mutex mutex;
  FreeBlock* batches[kClasses] = {};
  std::size_t cached_of[kClasses] = {};  // bytes
  std::size_t cached = 0;                // their sum
  std::size_t out = 0;
  std::size_t peak = 0;
  std::size_t limit = kMostBytes;
  std::uint64_t system_allocations = 0;
  Slab* slabs = nullptr;
  ThreadState *states = nullptr, *abandoned = nullptr;
};
constinit Central central;

std::size_t machine_bytes() {
  static const std::size_t bytes = static_cast<std::size_t>(sysconf(_SC_PHYS_PAGES)) *
                                   static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return bytes;
}

[[noreturn]] AUTOGRAD_COLD void throw_short(std::size_t bytes) {
  const MemoryStats stats = memory_stats();
  std::size_t limit = 0;
  {
    const std::lock_guard lock(central.mutex);
    limit = central.limit;
  }
  const std::string need = limit < kMostBytes ? "at most the limit of " + std::to_string(limit) +
                                                    " bytes (raise it with set_memory_limit; "
                                                    "rewind a tape, checkpoint a long computation)"
                                              : "memory for them (this machine has " +
                                                    std::to_string(machine_bytes()) + " bytes)";
  throw Error("allocate: cannot get " + std::to_string(bytes) +
              " bytes: " + std::to_string(stats.current_bytes) + " are in use and " +
              std::to_string(stats.cached_bytes) + " cached; need " + need);
}

// The functions of Central below are called with its mutex locked.

// Negative counts leave the list.
void count_cached(int cls, std::int64_t blocks) noexcept {
  const std::size_t bytes = static_cast<std::size_t>(blocks) * class_bytes(cls);  // modulo 2^64
  central.cached_of[cls] += bytes;
  central.cached += bytes;
}

void put_batch(int cls, FreeBlock* batch, std::uint32_t count) noexcept {
  batch->next_batch = central.batches[cls];
  batch->count = count;
  central.batches[cls] = batch;
  count_cached(cls, count);
}

FreeBlock* take_batch(int cls) noexcept {
  FreeBlock* batch = central.batches[cls];
  if (!batch) return nullptr;
  central.batches[cls] = batch->next_batch;
  count_cached(cls, -std::int64_t{batch->count});
  return batch;
}

// A block above kThreadClasses is followed by the number of its class, which lies behind the bytes of the
// smaller class that it is lent for.
constexpr std::size_t kFooterBytes = 64;
int& class_behind(void* block, int cls) noexcept {
  void* footer = static_cast<char*>(block) + class_bytes(cls);
  unpoison(footer, sizeof(int));
  return *static_cast<int*>(footer);
}

// Null when the system has none. A request beyond twice the machine's memory is not passed on: with
// overcommit the system may grant it, and the process dies when the elements are written.
void* system_block(std::size_t bytes) noexcept {
  const std::size_t held = central.cached + central.out;
  if (bytes / 2 > machine_bytes() || bytes > central.limit || held > central.limit - bytes) {
    return nullptr;
  }
  const bool huge = bytes >= kHugePage;
  void* block = nullptr;  // not by aligned_alloc, which wants a multiple of the alignment
  if (posix_memalign(&block, huge ? kHugePage : 64, bytes + kFooterBytes) != 0) return nullptr;
  ++central.system_allocations;
#ifdef __linux__
  if (huge) madvise(block, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
#endif
  return block;
}

// Cuts a slab into batches; the last one is handed out, the others go to the central list.
FreeBlock* new_slab(int cls) noexcept {
  char* memory = static_cast<char*>(system_block(kSlabBytes));
  if (!memory) return nullptr;
  const std::size_t size = class_bytes(cls);
  const auto blocks = static_cast<std::uint32_t>((kSlabBytes - sizeof(Slab)) / size);
  central.slabs = new (memory) Slab{central.slabs, cls, blocks, 0};
  FreeBlock* batch = nullptr;
  std::uint32_t count = 0;
  for (std::uint32_t i = blocks; i-- > 0;) {  // from the end, so that lists ascend
    batch = new (memory + sizeof(Slab) + i * size) FreeBlock{batch, nullptr, 0};
    poison(batch + 1, size - sizeof(FreeBlock));
    if (++count == batch_count(cls) && i != 0) {
      put_batch(cls, batch, count);
      batch = nullptr;
      count = 0;
    }
  }
  batch->count = count;
  return batch;
}

FreeBlock* new_batch(int cls) noexcept {
  if (cls < kSlabClasses) return new_slab(cls);
  void* memory = system_block(class_bytes(cls));
  if (!memory) return nullptr;
  if (cls >= kThreadClasses) class_behind(memory, cls) = cls;
  FreeBlock* block = new (memory) FreeBlock{nullptr, nullptr, 1};
  poison(block + 1, class_bytes(cls) - sizeof(FreeBlock));
  return block;
}

// True when more than the largest use and a half would be held, were `bytes` more to come from the system.
bool crowded(std::size_t bytes) noexcept {
  const std::size_t use = std::max(central.peak, central.out + bytes);
  return central.cached + central.out + bytes > use + use / 2 + kIdleBytes;
}

// An idle block of up to twice the size, and its class; null when there is none.
FreeBlock* take_larger(int& cls) noexcept {
  const int wanted = cls, most = std::min(cls + 4, kClasses - 1);
  while (cls < most) {
    if (FreeBlock* block = take_batch(++cls)) {
      class_behind(block, wanted) = cls;
      return block;
    }
  }
  cls = wanted;
  return nullptr;
}

// Gives large idle blocks back to the system, of the class that has most of them first, until it is
// not crowded any more.
void trim_cache(std::size_t bytes) noexcept {
  std::size_t* const first = central.cached_of + kThreadClasses;
  while (crowded(bytes)) {
    const std::size_t* most = std::max_element(first, std::end(central.cached_of));
    if (*most == 0) return;
    std::free(take_batch(static_cast<int>(most - central.cached_of)));
  }
}

// A batch from the central list or else from the system; null when both have none.
FreeBlock* get_batch(int cls) noexcept {
  FreeBlock* batch = take_batch(cls);
  if (!batch && cls >= kThreadClasses && crowded(class_bytes(cls))) {
    batch = take_larger(cls);
    if (!batch) trim_cache(class_bytes(cls));
  }
  if (!batch) batch = new_batch(cls);
  if (!batch) return nullptr;
  central.out += batch->count * class_bytes(cls);
  if (central.out > central.peak) central.peak = central.out;
  return batch;
}

void return_batch(int cls, FreeBlock* batch, std::uint32_t count) noexcept {
  const std::lock_guard lock(central.mutex);
  central.out -= count * class_bytes(cls);
  put_batch(cls, batch, count);
}

AUTOGRAD_COLD FreeBlock* get_batch_or_throw(int cls, std::size_t bytes) {
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (attempt > 0) empty_cache();  // blocks of other sizes may make room
    const std::lock_guard lock(central.mutex);
    if (FreeBlock* batch = get_batch(cls)) return batch;
  }
  throw_short(bytes);
}

// The slab that a block was cut from, among all n slabs by ascending address.
Slab* slab_of(Slab** slabs, std::size_t n, void* block) {
  return *(std::upper_bound(slabs, slabs + n, static_cast<Slab*>(block), std::less<>()) - 1);
}

// Takes all blocks of a class out of the central list and calls f with each; f may put some back.
template <class F> void take_all(int cls, F&& f) {
  FreeBlock* batch = std::exchange(central.batches[cls], nullptr);
  while (batch) {
    FreeBlock* next_batch = batch->next_batch;
    count_cached(cls, -std::int64_t{batch->count});
    for (FreeBlock *block = batch, *next = nullptr; block; block = next) {
      next = block->next;
      f(block);
    }
    batch = next_batch;
  }
}

// Takes the blocks of whole free slabs out of the central list.
void drop_blocks(int cls, Slab** slabs, std::size_t n) noexcept {
  FreeBlock* kept = nullptr;
  std::uint32_t count = 0;
  take_all(cls, [&](FreeBlock* block) {
    const Slab* slab = slab_of(slabs, n, block);
    if (slab->free == slab->blocks) return;
    block->next = kept;
    kept = block;
    if (++count < batch_count(cls)) return;
    put_batch(cls, std::exchange(kept, nullptr), std::exchange(count, 0u));
  });
  if (kept) put_batch(cls, kept, count);
}

// Frees the slabs whose blocks are all in the central list. They are found by counting, which is slow
// and needs nothing to be kept up to date before.
void release_slabs() noexcept {
  std::size_t n = 0;
  for (Slab* slab = central.slabs; slab; slab = slab->next) ++n;
  Slab** slabs = static_cast<Slab**>(std::malloc(n * sizeof(Slab*)));
  if (!slabs || n == 0) return std::free(slabs);
  Slab** end = slabs;
  for (Slab* slab = central.slabs; slab; slab = slab->next) {
    slab->free = 0;
    *end++ = slab;
  }
  std::sort(slabs, end, std::less<>());
  for (int cls = 0; cls < kSlabClasses; ++cls) {
    for (FreeBlock* batch = central.batches[cls]; batch; batch = batch->next_batch) {
      for (FreeBlock* block = batch; block; block = block->next) ++slab_of(slabs, n, block)->free;
    }
    drop_blocks(cls, slabs, n);
  }
  central.slabs = nullptr;
  for (Slab** slab = slabs; slab != end; ++slab) {
    if ((*slab)->free == (*slab)->blocks) {
      std::free(*slab);
    } else {
      (*slab)->next = std::exchange(central.slabs, *slab);
    }
  }
  std::free(slabs);
}

void flush_bins(ThreadState* state) noexcept {
  while (Node* node = state->kept) {
    state->kept = node->next;
    put_block(state, kNodeClass, node);
  }
  state->kept_count.store(0, std::memory_order_relaxed);
  for (int cls = 0; cls < kThreadClasses; ++cls) {
    Bin& bin = state->bins[cls];
    if (bin.head) return_batch(cls, bin.head, bin.count.load(std::memory_order_relaxed));
    bin.head = nullptr;
    bin.count.store(0, std::memory_order_relaxed);
  }
}

// --- threads ------------------------------------------------------------------------------------

// Runs when a thread ends, after the destructors of its thread_local variables (which is why this is
// a POSIX key and no such variable). Should one of them still allocate, it runs once more.
void abandon(void* argument) {
  ThreadState* state = static_cast<ThreadState*>(argument);
  close_queue(state);
  flush_bins(state);
  this_thread = nullptr;
  const std::lock_guard lock(central.mutex);
  state->next_abandoned = central.abandoned;
  central.abandoned = state;
}

pthread_key_t exit_key() {
  static const pthread_key_t key = [] {
    pthread_key_t made{};
    if (pthread_key_create(&made, abandon) != 0) {
      throw Error("allocate: cannot watch the end of threads: no POSIX keys left; need one");
    }
    return made;
  }();
  return key;
}

ThreadState* new_state() {
  void* memory = std::aligned_alloc(64, (sizeof(ThreadState) + 63) / 64 * 64);
  if (!memory) throw_short(sizeof(ThreadState));
  ThreadState* state = new (memory) ThreadState;
  for (int cls = 0; cls < kThreadClasses; ++cls) state->bins[cls].most = 2 * batch_count(cls);
  const std::lock_guard lock(central.mutex);
  state->next = central.states;
  central.states = state;
  return state;
}

ThreadState* adopt_state() {
  ThreadState* state = nullptr;
  {
    const std::lock_guard lock(central.mutex);
    state = central.abandoned;
    if (!state) return nullptr;
    central.abandoned = state->next_abandoned;
  }
  const std::lock_guard lock(state->mutex);  // orders us after all that its last thread did
  state->dead = false;
  return state;
}

}  // namespace

AUTOGRAD_COLD ThreadState* prepare_thread() {
  ThreadState* state = this_thread;
  if (!state) {
    const pthread_key_t key = exit_key();
    state = adopt_state();
    if (!state) state = new_state();
    this_thread = state;
    pthread_setspecific(key, state);
  }
  if (state->pending.load(std::memory_order_relaxed)) drain_queue(state);
  return state;
}

AUTOGRAD_COLD void* refill(ThreadState* state, int cls, std::size_t bytes) {
  Bin& bin = state->bins[cls];
  if (state->pending.load(std::memory_order_relaxed)) drain_queue(state);
  if (!bin.head) {
    FreeBlock* batch = get_batch_or_throw(cls, bytes);
    bin.count.store(batch->count, std::memory_order_relaxed);
    bin.head = batch;
  }
  return take_block(state, cls, bytes);
}

AUTOGRAD_COLD void spill(ThreadState* state, int cls, FreeBlock* block) noexcept {
  Bin& bin = state->bins[cls];
  const std::uint32_t kept = batch_count(cls), count = bin.count.load(std::memory_order_relaxed);
  FreeBlock* last = bin.head;
  for (std::uint32_t i = 1; i < kept; ++i) last = last->next;
  return_batch(cls, std::exchange(last->next, nullptr), count - kept);
  block->next = bin.head;
  bin.head = block;
  bin.count.store(kept + 1, std::memory_order_relaxed);
}

namespace {

AUTOGRAD_COLD void* allocate_large(std::size_t bytes) {
  if (bytes > kMostBytes) throw_short(bytes);
  prepare_thread();  // merges what other threads queued, which may free a block just like it
  FreeBlock* block = get_batch_or_throw(size_class(bytes), bytes);
  unpoison(block, bytes);
  return block;
}

// Large blocks, and any block in a thread without a state.
AUTOGRAD_COLD void deallocate_to_central(void* memory, int cls) noexcept {
  if (cls >= kThreadClasses) cls = class_behind(memory, cls);
  FreeBlock* block = static_cast<FreeBlock*>(memory);
  poison(block + 1, class_bytes(cls) - sizeof(FreeBlock));
  block->next = nullptr;
  return_batch(cls, block, 1);
}

}  // namespace

void* allocate(std::size_t bytes) {
  constexpr std::size_t kMost = class_bytes(kThreadClasses - 1);
  if (bytes > kMost) [[unlikely]]
    return allocate_large(bytes);
  ThreadState* state = this_thread;
  if (!state) [[unlikely]]
    state = prepare_thread();
  return take_block(state, size_class(bytes), bytes);
}

void deallocate(void* block, std::size_t bytes) noexcept {
  if (!block) return;
  const int cls = size_class(bytes);
  ThreadState* state = this_thread;
  if (!state || cls >= kThreadClasses) [[unlikely]]
    return deallocate_to_central(block, cls);
  put_block(state, cls, block);
}

std::size_t held_bytes(void* block, std::size_t bytes) noexcept {
  return class_bytes(class_behind(block, size_class(bytes)));
}

}  // namespace detail

MemoryStats memory_stats() {
  using namespace detail;
  if (this_thread) drain_queue(this_thread);
  const std::size_t zeros = waiting_zeros();
  const std::lock_guard lock(central.mutex);
  std::size_t kept = zeros;
  for (const ThreadState* state = central.states; state; state = state->next) {
    kept += class_bytes(kNodeClass) * state->kept_count.load(std::memory_order_relaxed);
    for (int cls = 0; cls < kThreadClasses; ++cls) {
      const Bin& bin = state->bins[cls];
      kept += class_bytes(cls) * bin.count.load(std::memory_order_relaxed);
    }
  }
  MemoryStats stats;
  // Other threads move on between the reads; what is in use never appears as less than nothing.
  stats.current_bytes = central.out > kept ? central.out - kept : 0;
  stats.peak_bytes = central.peak;
  stats.cached_bytes = central.cached + kept;
  stats.system_allocations = central.system_allocations;
  return stats;
}

void empty_cache() {
  using namespace detail;
  if (this_thread) {
    drain_queue(this_thread);
    flush_bins(this_thread);
  }
  release_zeros();
  const std::lock_guard lock(central.mutex);
  release_slabs();
  for (int cls = kSlabClasses; cls < kClasses; ++cls) {
    take_all(cls, [](FreeBlock* block) { std::free(block); });
  }
}

void set_memory_limit(std::size_t bytes) {
  const std::lock_guard lock(detail::central.mutex);
  detail::central.limit = bytes < detail::kMostBytes ? bytes : detail::kMostBytes;
}

}  // namespace autograd
