// SPDX-License-Identifier: Apache-2.0
#include "tape_storage.hpp"

#include <atomic>
#include <bit>
#include <memory>

namespace autograd::detail {

constinit Recorder no_tape;
constinit thread_local Recorder* recorder = &no_tape;
constinit thread_local Tag fusable = 0;

// Not in the constructor: when memory is short, the destructor gives back what there is.
void TapeStorage::init() {
  segments.reserve(16);
  blocks.reserve(16);
  add_chunk();
  blocks.push_back(static_cast<std::byte*>(allocate(kBlockBytes)));
  use_block(0);
  slots.push_back({0, nullptr});  // slots count from 1
  leaves.push_back({0, nullptr, nullptr, false});
}

TapeStorage::~TapeStorage() {
  while (!chunks.empty()) drop_chunk();
  for (std::byte* records : blocks) deallocate(records, kBlockBytes);
  if (adjoint_block) deallocate(adjoint_block, adjoint_bytes);
}

void TapeStorage::add_chunk() {
  if (chunks.size() == chunks.capacity()) chunks.reserve(2 * chunks.size() + 1);
  const std::size_t bytes = Chunk::bytes(chunks.size());
  auto* begin = static_cast<std::byte*>(allocate(bytes));
  chunks.push_back({begin, begin, reinterpret_cast<Count*>(begin + bytes), 0});
}

void TapeStorage::drop_chunk() noexcept {
  deallocate(chunks.back().begin, Chunk::bytes(chunks.size() - 1));
  chunks.pop_back();
}

bool TapeStorage::drop_spare_chunks() noexcept {
  const bool any = chunks.size() > chunk + 1;
  while (chunks.size() > chunk + 1) drop_chunk();
  return any;
}

namespace {

std::size_t home(const Node* node, std::size_t size) {
  return (reinterpret_cast<std::uintptr_t>(node) * 0x9E3779B97F4A7C15u >> 32) & (size - 1);
}

}  // namespace

std::int32_t TapeStorage::find_leaf(const Node* node) const {
  if (leaf_index.empty()) {
    for (std::size_t i = 1; i < leaves.size(); ++i) {
      if (leaves[i].node == node) return -static_cast<std::int32_t>(i);
    }
    return 0;
  }
  for (std::size_t at = home(node, leaf_index.size());; at = (at + 1) & (leaf_index.size() - 1)) {
    const std::int32_t i = leaf_index[at];
    if (i == 0 || leaves[static_cast<std::size_t>(i)].node == node) return -i;
  }
}

void TapeStorage::index_leaf(std::size_t i) {
  const auto place = [&](std::size_t leaf) {
    std::size_t at = home(leaves[leaf].node, leaf_index.size());
    while (leaf_index[at]) at = (at + 1) & (leaf_index.size() - 1);
    leaf_index[at] = static_cast<std::int32_t>(leaf);
  };
  if (2 * leaves.size() > leaf_index.size()) {
    leaf_index.assign(std::bit_ceil(4 * leaves.size()), 0);
    for (std::size_t leaf = 1; leaf <= i; ++leaf) place(leaf);
  } else {
    place(i);
  }
}

void TapeStorage::index_anew() {
  leaf_index.clear();
  if (leaves.size() > kFewLeaves) index_leaf(leaves.size() - 1);
}

std::size_t TapeStorage::bytes() const {
  std::size_t statements = 0;
  for (std::size_t i = 0; i < chunks.size(); ++i) statements += Chunk::bytes(i);
  return statements + blocks.size() * kBlockBytes + adjoint_bytes +
         saved.capacity() * sizeof(double) + slots.capacity() * sizeof(Slot) +
         leaves.capacity() * sizeof(LeafSlot);
}

constinit thread_local TapeStorage* spare_storages = nullptr;

namespace {

constinit thread_local bool closed = false;  // the thread is ending: nothing is kept any more

struct Closer {
  ~Closer() {
    closed = true;
    while (spare_storages) {
      TapeStorage* next = spare_storages->next;
      delete spare_storages;
      spare_storages = next;
    }
  }
};

}  // namespace

TapeStorage* TapeStorage::make() {
  static thread_local Closer closer;
  (void)closer;
  auto storage = std::make_unique<TapeStorage>();
  storage->init();
  return storage.release();
}

void TapeStorage::give_back(TapeStorage* storage) noexcept {
  if (closed) {
    delete storage;
    return;
  }
  storage->next = spare_storages;
  spare_storages = storage;
}

constinit thread_local Serials serials{0, 0};

void refill_serials() {
  constexpr std::uint64_t kBatch = 1 << 16;
  static constinit std::atomic<std::uint64_t> used{1};
  serials.next = used.fetch_add(kBatch, std::memory_order_relaxed);
  serials.end = serials.next + kBatch;
}

}  // namespace autograd::detail
