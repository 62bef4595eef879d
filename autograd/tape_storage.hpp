// SPDX-License-Identifier: Apache-2.0
// The memory of a tape: chunks of statements, slots of tensors, records, adjoints. Internal.
// It outlives the tape: the next tape of the thread takes it over, because the first touch of a fresh
// page costs ten times the record that is written there.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "node.hpp"
#include "recorder.hpp"
#include "tensor.hpp"

namespace autograd::detail {

struct Record;

/// What anomaly mode sees of a record: the slots of its operands, and what it saved of them and of its
/// result.
struct RecordView {
  std::span<const std::int32_t> slots;
  std::span<const Tensor> saved;  // one for each slot, undefined where not saved; or none
  const Tensor* y = nullptr;
};

/// What a tape knows of a kind of record.
struct RecordInfo {
  const char* name;
  /// Turns the adjoint of the result into those of the operands, through tape.accumulate.
  /// It may take dy, which nothing needs afterwards.
  void (*sweep)(Record& record, Tape& tape, Tensor& dy);
  void (*destroy)(Record& record) noexcept;  // null: nothing to destroy
  RecordView (*view)(const Record& record) = nullptr;
};

/// Base of every tensor record; the stream holds a pointer to it.
struct Record {
  const RecordInfo* info;
  Record* previous = nullptr;
  std::int32_t out = 0;     // slot of the result; 0: the result is scalars
  std::uint32_t block = 0;  // of the arena
};

/// Statements: entries from `begin` up, counts from the end down. A tape that outgrows its first chunk
/// goes on in huge pages, each of which takes one entry of the processor's table of addresses where
/// small pages take 512: 1.2x on gradients that do not fit the cache.
struct Chunk {
  static constexpr std::size_t bytes(std::size_t number) {
    return number == 0 ? std::size_t{1} << 18 : kHugePage;
  }
  std::byte* begin;
  std::byte* top;  // where it was left for the next chunk
  Count* counts;
  std::int32_t before;  // index of the last statement before the chunk
};

/// A tensor value on the tape.
struct Slot {
  std::uint64_t generation;  // of the stretch of recording that made it
  Node* adjoint;
};

/// An input or a parameter; referenced with negative slot numbers.
struct LeafSlot {
  std::uint64_t generation;
  Node* node;     // owned
  Node* adjoint;  // owned
  bool input;
  bool in_place = false;  // during deposit: the adjoint is added to the gradient in place
};

/// A growing array whose size costs one load: a vector's is a subtraction and a shift, several times in
/// every recorded operation. T is plain data.
template <class T> class Pile {
 public:
  Pile() = default;
  Pile(const Pile&) = delete;
  Pile& operator=(const Pile&) = delete;
  ~Pile() {
    if (data_) deallocate(data_, capacity_ * sizeof(T));
  }

  std::uint32_t size() const { return size_; }
  std::uint32_t capacity() const { return capacity_; }
  bool full() const { return size_ == capacity_; }
  T& operator[](std::size_t i) { return data_[i]; }
  const T& operator[](std::size_t i) const { return data_[i]; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }
  T& back() { return data_[size_ - 1]; }
  /// There has to be room.
  AUTOGRAD_INLINE void push(const T& value) { data_[size_++] = value; }
  void push_back(const T& value) {
    if (full()) grow();
    push(value);
  }
  void shrink(std::size_t size) { size_ = static_cast<std::uint32_t>(size); }
  AUTOGRAD_COLD void grow() {
    const std::uint32_t capacity = capacity_ ? 2 * capacity_ : 64;
    T* data = static_cast<T*>(allocate(capacity * sizeof(T)));
    if (data_) {
      std::memcpy(static_cast<void*>(data), data_, size_ * sizeof(T));
      deallocate(data_, capacity_ * sizeof(T));
    }
    data_ = data;
    capacity_ = capacity;
  }

 private:
  T* data_ = nullptr;
  std::uint32_t size_ = 0, capacity_ = 0;
};

/// A stretch of recording between rewinds: statements from `first` on.
struct Segment {
  std::int32_t first;
  std::uint64_t serial;
  std::uint32_t recording;
};

struct TapeStorage {
  static constexpr std::size_t kBlockBytes = std::size_t{1} << 16;
  static constexpr std::uint32_t kFewLeaves = 16;  // so many are searched one by one

  std::vector<Chunk> chunks;
  std::size_t chunk = 0;
  Pile<Slot> slots;
  Pile<LeafSlot> leaves;
  std::uint64_t leaf_filter = 0;         // of every leaf since the first, its leaf_bit
  std::vector<std::int32_t> leaf_index;  // by address, open addressing; empty while leaves are few
  std::vector<Segment> segments;
  std::vector<std::byte*> blocks;  // of records
  std::size_t block = 0;
  std::byte* block_top = nullptr;
  std::byte* block_end = nullptr;
  Record* last = nullptr;
  std::vector<double> saved;  // gradients of scalar inputs, put back when a sweep throws
  void* adjoint_block = nullptr;
  std::size_t adjoint_bytes = 0;
  std::int32_t statement_capacity = 0, input_capacity = 0;
  TapeStorage* next = nullptr;  // in the list of spares

  TapeStorage() = default;
  ~TapeStorage();
  TapeStorage(const TapeStorage&) = delete;
  TapeStorage& operator=(const TapeStorage&) = delete;

  /// One of 64 bits, by address: where the filter lacks it the node is no leaf.
  static std::uint64_t leaf_bit(const Node* node) {
    return std::uint64_t{1} << (reinterpret_cast<std::uintptr_t>(node) * 0x9E3779B97F4A7C15u >> 58);
  }
  /// The slot of a leaf, 0 when the node is none.
  std::int32_t find_leaf(const Node* node) const;
  void index_leaf(std::size_t i);
  AUTOGRAD_COLD void index_anew();
  /// Releases the leaves from position `from` on.
  AUTOGRAD_INLINE void drop_leaves(std::size_t from) {
    if (from >= leaves.size()) return;
    for (const LeafSlot *leaf = leaves.begin() + from, *end = leaves.end(); leaf != end; ++leaf) {
      release(leaf->node);
    }
    leaves.shrink(from);
    if (from == 1) leaf_filter = 0;
    if (!leaf_index.empty()) [[unlikely]]
      index_anew();
  }
  void init();
  void add_chunk();
  void drop_chunk() noexcept;
  /// Gives back the chunks behind the present one; false when there are none.
  bool drop_spare_chunks() noexcept;
  void use_block(std::size_t i) {
    block = i;
    block_top = blocks[i];
    block_end = block_top + kBlockBytes;
  }
  std::byte* end_of_chunk(std::size_t i) const { return chunks[i].begin + Chunk::bytes(i); }
  std::size_t bytes() const;

  /// This thread's spare, or a new one.
  static TapeStorage* take();
  AUTOGRAD_COLD static TapeStorage* make();
  /// Keeps it for the next tape of this thread.
  static void give_back(TapeStorage* storage) noexcept;
};

/// What ended tapes of this thread have left.
extern constinit thread_local TapeStorage* spare_storages
    __attribute__((tls_model("initial-exec")));
AUTOGRAD_INLINE TapeStorage* TapeStorage::take() {
  TapeStorage* storage = spare_storages;
  if (!storage) [[unlikely]]
    return make();
  spare_storages = storage->next;
  return storage;
}

/// The numbers that this thread may still give out.
struct Serials {
  std::uint64_t next, end;
};
extern constinit thread_local Serials serials __attribute__((tls_model("initial-exec")));
AUTOGRAD_COLD void refill_serials();
/// A number that no stretch of recording, of any thread, had before.
AUTOGRAD_INLINE std::uint64_t next_serial() {
  if (serials.next == serials.end) [[unlikely]]
    refill_serials();
  return serials.next++;
}
/// The next larger word of the same weight among those of `bits` bits (Gosper's hack), starting over
/// after the last one.
constexpr std::uint32_t next_code(std::uint32_t code, int bits, int weight) {
  const std::uint32_t low = code & (~code + 1), ripple = code + low;
  const std::uint32_t next = (((ripple ^ code) >> 2) >> std::countr_zero(low)) | ripple;
  return next >> bits ? (1u << weight) - 1 : next;
}

}  // namespace autograd::detail
