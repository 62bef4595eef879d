// SPDX-License-Identifier: Apache-2.0
// Per-thread scratch blocks; large ones ask for huge pages, which packing B of a large product
// needs.
#include "scratch.hpp"

#ifdef __linux__
#include <sys/mman.h>
#endif

#include <array>
#include <cstdlib>
#include <new>

namespace autograd::kernels {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

struct Block {
  void* data = nullptr;
  std::size_t bytes = 0;
  Block() = default;
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block() { std::free(data); }
};

}  // namespace

void* scratch_bytes(Scratch slot, std::size_t bytes) {
  static thread_local std::array<Block, static_cast<std::size_t>(Scratch::count)> blocks;
  Block& block = blocks[static_cast<std::size_t>(slot)];
  if (bytes <= block.bytes) return block.data;
  const std::size_t unit = bytes >= kHugePage / 2 ? kHugePage : 4096;
  const std::size_t rounded = (bytes + unit - 1) / unit * unit;
  void* data = std::aligned_alloc(unit, rounded);
  if (data == nullptr) throw std::bad_alloc();
#ifdef __linux__
  if (unit == kHugePage) madvise(data, rounded, MADV_HUGEPAGE);
#endif
  std::free(block.data);
  block.data = data;
  block.bytes = rounded;
  return data;
}

}  // namespace autograd::kernels
