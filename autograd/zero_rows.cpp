// SPDX-License-Identifier: Apache-2.0
#include "zero_rows.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <mutex>
#include <utility>

#include "node_inline.hpp"

namespace autograd::detail {

namespace {

/// In the list of a node's links.
struct RowsLink : TrackLink {
  std::vector<std::int64_t> rows;
};

struct Waiting {
  void* block;
  std::size_t bytes;  // as asked for
};

/// Blocks of zeros, the oldest first. Never destroyed, as all that tensors in static variables need.
struct WaitingBlocks {
  std::mutex mutex;
  std::array<Waiting, 8> blocks =
      {};  // more tables than that in one model, and some are filled anew
  std::size_t count = 0;

  Waiting take(std::size_t i) noexcept {
    const Waiting taken = blocks[i];
    std::copy(blocks.begin() + i + 1, blocks.begin() + count, blocks.begin() + i);
    --count;
    return taken;
  }
};
constinit WaitingBlocks waiting;

const RowsLink* rows_link(const Node* node) noexcept {
  for (const TrackLink* link = node->more; link; link = link->next) {
    if (link->generation == kRows) return static_cast<const RowsLink*>(link);
  }
  return nullptr;
}

void* take_block_of_zeros(std::size_t bytes) noexcept {
  const std::lock_guard lock(waiting.mutex);
  for (std::size_t i = waiting.count; i-- > 0;) {
    if (waiting.blocks[i].bytes == bytes) return waiting.take(i).block;
  }
  return nullptr;
}

void* block_of_zeros(std::size_t bytes) {
  if (void* block = take_block_of_zeros(bytes)) return block;
  return std::memset(allocate(bytes), 0, bytes);
}

}  // namespace

Tensor zeros_but_rows(std::int64_t v, std::int64_t d, DType dtype, std::vector<std::int64_t> rows) {
  auto link = std::make_unique<RowsLink>(RowsLink{{kRows, 0, nullptr}, std::move(rows)});
  Node* node = fresh_node(dtype);
  node->tiny = Tiny::no;
  node->numel = v * d;
  node->shape = Shape::matrix(v, d);
  node->strides[0] = d;
  node->strides[1] = 1;
  Tensor y = Tensor::adopt(node);
  const std::size_t bytes = static_cast<std::size_t>(node->numel) * item_size(dtype);
  node->data = block_of_zeros(bytes);
  node->block_bytes = bytes;
  node->more = link.release();
  return y;
}

const std::vector<std::int64_t>* nonzero_rows(const Node* x) noexcept {
  const RowsLink* link = x->more && x->base == x && x->version.load() == 0 ? rows_link(x) : nullptr;
  return link ? &link->rows : nullptr;
}

void forget_rows(Node* node) noexcept {
  for (TrackLink** link = &node->more; *link; link = &(*link)->next) {
    if ((*link)->generation == kRows) return free_link(std::exchange(*link, (*link)->next));
  }
}

void delete_rows(TrackLink* link) noexcept { delete static_cast<RowsLink*>(link); }

bool keep_zeros(const Node* node) noexcept {
  const std::vector<std::int64_t>* rows = nonzero_rows(node);
  if (!rows) return false;
  const std::size_t row_bytes = static_cast<std::size_t>(node->shape[1]) * item_size(node->dtype);
  for (const std::int64_t row : *rows) {
    std::memset(static_cast<std::byte*>(node->data) + static_cast<std::size_t>(row) * row_bytes, 0,
                row_bytes);
  }
  Waiting oldest{};
  {
    const std::lock_guard lock(waiting.mutex);
    if (waiting.count == waiting.blocks.size()) oldest = waiting.take(0);
    waiting.blocks[waiting.count++] = {node->data, node->block_bytes};
  }
  deallocate(oldest.block, oldest.bytes);
  return true;
}

std::size_t waiting_zeros() noexcept {
  const std::lock_guard lock(waiting.mutex);
  std::size_t sum = 0;
  for (std::size_t i = 0; i < waiting.count; ++i) {
    sum += held_bytes(waiting.blocks[i].block, waiting.blocks[i].bytes);
  }
  return sum;
}

void release_zeros() noexcept {
  const std::lock_guard lock(waiting.mutex);
  while (waiting.count > 0) {
    const Waiting last = waiting.blocks[--waiting.count];
    deallocate(last.block, last.bytes);
  }
}

}  // namespace autograd::detail
