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
// number of operands `(stamp | stamp | ...) & foreign`, foreign being ~current, is zero exactly when all of them are active
// and current: one test a statement finds passive, stale and foreign operands alike. Codes repeat after
// 352,716 tapes and 252 recordings of one tape.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "inline.hpp"

namespace autograd {

class Tape;

namespace detail {

// A partial derivative of type R and the index of what it is by. Bytes, because a class cannot be
// packed.
template <class R> struct __attribute__((packed)) BasicEntry {
  std::byte bytes[sizeof(R)];
  std::int32_t index;

  AUTOGRAD_INLINE void set(const R& partial) {
    if constexpr (requires { partial.store(bytes); }) {
      partial.store(bytes);
    } else {
      std::memcpy(bytes, static_cast<const void*>(&partial), sizeof(R));
    }
  }
  AUTOGRAD_INLINE R get() const {
    if constexpr (requires { R::load(bytes); }) {
      return R::load(bytes);
    } else {
      R partial;
      std::memcpy(static_cast<void*>(&partial), bytes, sizeof(R));
      return partial;
    }
  }
};
template <> struct __attribute__((packed)) BasicEntry<double> {
  double partial;
  std::int32_t index;

  AUTOGRAD_INLINE void set(double value) { partial = value; }
  AUTOGRAD_INLINE double get() const { return partial; }
};
using Entry = BasicEntry<double>;
static_assert(sizeof(Entry) == 12);

// A value's stamp and index in one word, so that copying and comparing take one instruction each.
using Tag = std::uint64_t;
inline constexpr Tag kPassive = Tag{1} << 63;
constexpr Tag make_tag(std::uint32_t stamp, std::int32_t index) {
  return Tag{stamp} << 32 | static_cast<std::uint32_t>(index);
}
constexpr std::int32_t index_of(Tag tag) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(tag));
}
constexpr std::uint32_t stamp_of(Tag tag) { return static_cast<std::uint32_t>(tag >> 32); }

/// The tape part of a stamp for a new tape.
std::uint32_t next_tape_id();

// How many arguments a statement has. An enumeration because a store to a plain byte may alias
// anything: the compiler would have to reload the tape's state after every statement.
enum class Count : std::uint8_t {};
inline constexpr int kMaxArguments = 250;
inline constexpr Count kTensorRecord{255};  // in place of an argument count

// What a statement changes has what it only reads in between: two neighbors would be stored as one
// vector, which the loads of the next statement wait for (Rosenbrock: 3.8 instead of 2.2 ns a statement).
struct Recorder {
  std::byte* top = nullptr;     // the next entry
  Tag foreign = ~Tag{0} << 32;  // complement of the current stamp, above; all ones: no tape
  Count* counts = nullptr;      // the last argument count
  Tape* tape = nullptr;
  Tag last = 0;  // tag of the last statement
};

extern constinit Recorder no_tape;

// The recorder of the innermost tape of this thread, or no_tape: never null.
extern constinit thread_local Recorder* recorder __attribute__((tls_model("initial-exec")));

// The statement that `y += expression` may extend: the last one, while its variable is uncopied and
// unread. 0: none. Reading a variable into an expression ends it too, because a kept expression
// (auto e = y * 2.0) must keep the derivative of the old y.
extern constinit thread_local Tag fusable __attribute__((tls_model("initial-exec")));

// The same two for the tapes whose partial derivatives are of another type R (tape_of.hpp).
template <class R> struct RecordingOf {
  static constinit inline thread_local Recorder* recorder = &no_tape;
  static constinit inline thread_local Tag fusable = 0;
};
template <class R> AUTOGRAD_INLINE Recorder& recorder_of() {
  if constexpr (std::same_as<R, double>) {
    return *recorder;
  } else {
    return *RecordingOf<R>::recorder;
  }
}
template <class R> AUTOGRAD_INLINE Tag& fusable_of() {
  if constexpr (std::same_as<R, double>) {
    return fusable;
  } else {
    return RecordingOf<R>::fusable;
  }
}

// True when some operands are constants and the others may be recorded: a constant's own bit is the only
// foreign one, and there is a stamp besides. The entries of constants have index 0, which nobody reads;
// of another R they would cost more than the way around them.
template <class R> AUTOGRAD_INLINE bool takes_constants(Tag tags, Tag foreign) {
  return std::same_as<R, double> && (tags & foreign) == kPassive && stamp_of(tags & ~kPassive) != 0;
}

// What a statement calls when it cannot be recorded at once leaves its exception to throw_failure. In a
// function that has destructors to run, a call that may throw would keep every number of the loop around it
// in memory, on its fast path, too: GCC saves no register around such a call (5.7 instead of 2.5 ns a
// statement).
inline constexpr Tag kFailed = kPassive | 1;
[[noreturn]] AUTOGRAD_COLD void throw_failure();

// Moves to the next chunk. Returns false when memory is short (Error), before anything is recorded.
AUTOGRAD_COLD bool grow(Recorder& r) noexcept;
template <class R> AUTOGRAD_COLD void grow_of(Recorder& r);

// Records a statement some of whose operands are passive; returns its tag, kPassive when all of them
// are, kFailed (TapeError) for an operand of another tape or of a consumed recording.
AUTOGRAD_COLD Tag record_mixed(const Entry* entries, const Tag* tags, int n) noexcept;
// Throws instead of the above two.
template <class R>
AUTOGRAD_COLD Tag record_mixed_of(const BasicEntry<R>* entries, const Tag* tags, int n);

// Leaves room for `entries` more entries and a count in the current chunk.
template <class R = double> AUTOGRAD_INLINE bool has_room(const Recorder& r, std::size_t entries) {
  return r.top + entries * sizeof(BasicEntry<R>) < reinterpret_cast<const std::byte*>(r.counts);
}

}  // namespace detail
}  // namespace autograd
