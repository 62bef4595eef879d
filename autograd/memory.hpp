// SPDX-License-Identifier: Apache-2.0
// Where tensors get their bytes: size-class free lists per thread, backed by a central list and, last,
// the system. Blocks are kept for reuse and not returned to the system between steps, because munmap
// and page faults doubled the cost of large tensors in libraries that do. Only when idle large blocks of
// other sizes have piled up, one of them is lent for a smaller size, or makes room for a new one.
// Any thread may free a block that another one allocated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "inline.hpp"

namespace autograd {

/// What the library holds, in bytes of whole blocks, over all threads.
struct MemoryStats {
  std::size_t current_bytes = 0;  ///< in use by tensors, tapes and gradients
  /// The largest current_bytes so far, where the short lists of blocks of at most 32 KiB that each
  /// thread keeps (up to 64 KiB per size) count as in use; larger blocks are counted exactly.
  std::size_t peak_bytes = 0;
  std::size_t cached_bytes = 0;          ///< free, kept for reuse
  std::uint64_t system_allocations = 0;  ///< requests passed on to the system so far
};

/// Thread-safe. A training loop of fixed shapes adds nothing to system_allocations after its first
/// steps. One whose shapes keep changing holds, in use and idle in blocks above 32 KiB, at most one and
/// a half times its largest use, and 64 MiB.
MemoryStats memory_stats();

/// Gives the cached blocks of this thread and of the central list back to the system. Small blocks
/// are cut from slabs of 64 KiB, which go back once all of their blocks are there.
void empty_cache();

/// Bounds the bytes that the library holds of the system, tapes and tensors, caches included; beyond
/// it allocation throws Error. A tape that met the limit keeps what it has recorded, and records on
/// once rewound or swept. Unbounded unless set. Thread-safe.
void set_memory_limit(std::size_t bytes);

namespace detail {

struct Node;
struct ThreadState;

/// Blocks of at least this size are aligned to it, and the system is asked for pages that large.
inline constexpr std::size_t kHugePage = std::size_t{2} << 20;

/// This thread's state: pools and the identity that owns reference counts. Null until first needed.
extern constinit thread_local ThreadState* this_thread __attribute__((tls_model("initial-exec")));

/// A block of at least `bytes`, aligned to 64. Throws Error when the system has none.
void* allocate(std::size_t bytes);
/// Gives back what allocate(bytes) returned; `bytes` as asked for then.
void deallocate(void* block, std::size_t bytes) noexcept;

/// What a block above 32 KiB counts in memory_stats.
std::size_t held_bytes(void* block, std::size_t bytes) noexcept;

/// An allocated block that frees itself.
class Block {
 public:
  explicit Block(std::size_t bytes) : data_(allocate(bytes)), bytes_(bytes) {}
  Block(Block&& o) noexcept : data_(std::exchange(o.data_, nullptr)), bytes_(o.bytes_) {}
  Block& operator=(Block&& o) noexcept {
    std::swap(data_, o.data_);
    std::swap(bytes_, o.bytes_);
    return *this;
  }
  ~Block() {
    if (data_) deallocate(data_, bytes_);
  }
  void* data() const { return data_; }

 private:
  void* data_;
  std::size_t bytes_;
};

}  // namespace detail
}  // namespace autograd
