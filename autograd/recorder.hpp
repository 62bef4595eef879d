// SPDX-License-Identifier: Apache-2.0
// The part of a tape that recording a scalar statement touches. Internal; included by var.hpp.
//
// A statement is one scalar assignment: a one-byte argument count and packed 12-byte {partial, index}
// entries. Its own index is implied by its position. Entries grow up from the start of a chunk, counts
// down from its end, so that one comparison finds a full chunk. Index 0 is "passive", inputs have
// negative indices (they outlive the statements), statements positive ones.
//
// Stamps make every value say which tape, and which recording of it, it belongs to. A stamp is a
// constant-weight code: 10 of 21 bits for the tape, 5 of 10 for the recording (none for inputs, which
// outlive recordings). Words of equal weight are subsets of each other only if equal, so that for any
// number of operands `(stamp | stamp | ...) & ~current` is zero exactly when all of them are active
// and current: one test a statement finds passive, stale and foreign operands alike. Codes repeat after
// 352,716 tapes and 252 recordings of one tape.
#pragma once

#include <cstddef>
#include <cstdint>

#include "inline.hpp"

namespace autograd {

class Tape;

namespace detail {

struct __attribute__((packed)) Entry {
  double partial;
  std::int32_t index;
};
static_assert(sizeof(Entry) == 12);

inline constexpr std::uint32_t kPassive = std::uint32_t{1} << 31;
inline constexpr int kMaxArguments = 250;          // of one statement
inline constexpr std::uint8_t kTensorRecord = 255;  // in place of an argument count

struct Recorder {
  std::byte* top = nullptr;         // the next entry
  std::uint8_t* counts = nullptr;   // the last argument count
  std::int32_t size = 0;            // index of the last statement
  std::uint32_t foreign = ~0u;      // complement of the current stamp; all ones: nothing records
  Tape* tape = nullptr;
};

extern constinit Recorder no_tape;

// The recorder of the innermost tape of this thread, or no_tape: never null.
extern constinit thread_local Recorder* recorder __attribute__((tls_model("initial-exec")));

// The statement that `y += expression` may extend: the last one, while its variable is uncopied and
// unread. 0: none. Reading a variable into an expression ends it too, because a kept expression
// (auto e = y * 2.0) must keep the derivative of the old y.
extern constinit thread_local std::int32_t fusable __attribute__((tls_model("initial-exec")));

// Moves to the next chunk. Throws Error when memory is short, before anything is recorded.
AUTOGRAD_COLD void grow(Recorder& recorder);

// Records a statement some of whose operands are passive; returns its index, or 0 when all of them
// are. Throws TapeError for an operand of another tape or of a consumed recording.
AUTOGRAD_COLD std::int32_t record_mixed(const Entry* entries, const std::uint32_t* stamps, int n);

// Leaves room for `entries` more entries and a count in the current chunk.
AUTOGRAD_INLINE bool has_room(const Recorder& r, std::size_t entries) {
  return r.top + entries * sizeof(Entry) < reinterpret_cast<const std::byte*>(r.counts);
}

}  // namespace detail
}  // namespace autograd
