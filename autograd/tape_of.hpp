// SPDX-License-Identifier: Apache-2.0
// TapeOf<R>: the tape of BasicVar<R>, where values and partial derivatives are Duals (forward over
// reverse) or Vars (reverse over reverse). Internal: the drivers make one, call the function on its
// inputs, and sweep. It shares expressions, statements and the sweep with Tape, and has none of the
// rest: no tensors, no marks. One type R per level of nesting keeps the levels apart.
//
// Inputs are the first statements. Chunks come from the library's cache of blocks.
// Threads: a tape belongs to the thread that made it.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <span>
#include <vector>

#include "error.hpp"
#include "memory.hpp"
#include "recorder.hpp"
#include "statement_sweep.hpp"
#include "var.hpp"

namespace autograd::detail {

[[noreturn]] void throw_foreign_value();

template <class R> inline constexpr bool kZeroIsBytes = std::same_as<R, double>;
template <int N, class T, class L>
inline constexpr bool kZeroIsBytes<Dual<N, T, L>> = kZeroIsBytes<T>;

template <class R> class TapeOf : private Recorder {
  static_assert(alignof(R) <= 64 && std::is_trivially_destructible_v<R>);

 public:
  TapeOf() : outer_(RecordingOf<R>::recorder) {
    const std::uint32_t id = next_tape_id();
    last = make_tag(id, 0);
    foreign = make_tag(~id, 0);
    add_chunk();
    RecordingOf<R>::recorder = this;
    RecordingOf<R>::fusable = 0;
  }
  ~TapeOf() {
    stop();
    RecordingOf<R>::fusable = 0;
  }
  TapeOf(const TapeOf&) = delete;
  TapeOf& operator=(const TapeOf&) = delete;

  /// A new independent variable; all of them come before the first statement.
  BasicVar<R> input(const R& value) {
    if (!has_room<R>(*this, 1)) add_chunk();
    *--counts = Count{0};
    ++inputs_;
    return BasicVar<R>(value, ++last);
  }

  /// The adjoints of the inputs for the outputs y with their seeds. Consumes the recording.
  std::vector<R> pull(std::span<const BasicVar<R>> y, std::span<const R> seeds) {
    stop();
    const auto n = static_cast<std::size_t>(index_of(last)) + 1;
    const Block block(n * sizeof(R));
    R* adjoints = static_cast<R*>(block.data());
    if constexpr (kZeroIsBytes<R>) {
      std::memset(block.data(), 0, n * sizeof(R));
    } else {
      for (std::size_t i = 0; i < n; ++i) new (adjoints + i) R(0.0);
    }
    for (std::size_t i = 0; i < y.size(); ++i) {
      if (const std::int32_t index = resolve(y[i].tag())) {
        adjoints[index] = add_product(adjoints[index], R(1.0), seeds[i]);
      }
    }
    chunks_.back().top = top;
    chunks_.back().counts = counts;
    std::int32_t end = index_of(last);
    for (std::size_t i = chunks_.size(); i-- > 0;) {
      const Chunk& chunk = chunks_[i];
      if (end <= inputs_) break;
      Cursor<R> cursor{reinterpret_cast<const BasicEntry<R>*>(chunk.top), chunk.counts, end};
      sweep_statements(adjoints, cursor, std::max(chunk.before, inputs_));
      end = chunk.before;
    }
    return {adjoints + 1, adjoints + 1 + inputs_};
  }

  std::int32_t resolve(Tag tag) const {
    if (tag & kPassive) return 0;
    if (tag & foreign) throw_foreign_value();
    return index_of(tag);
  }
  static TapeOf& of(Recorder& r) { return static_cast<TapeOf&>(r); }
  void add_chunk() {
    if (!chunks_.empty()) {
      chunks_.back().top = top;
      chunks_.back().counts = counts;
    }
    Block block(kChunkBytes);
    auto* begin = static_cast<std::byte*>(block.data());
    auto* end = reinterpret_cast<Count*>(begin + kChunkBytes);
    chunks_.push_back({std::move(block), begin, end, index_of(last)});
    top = begin;
    counts = end;
  }

 private:
  static constexpr std::size_t kChunkBytes = std::size_t{1} << 18;
  struct Chunk {
    Block block;
    std::byte* top;  // where it was left for the next chunk
    Count* counts;
    std::int32_t before;  // index of the last statement before the chunk
  };

  // The sweep of a tape of Vars records on the tapes further out, never here.
  void stop() {
    if (recording_) RecordingOf<R>::recorder = outer_;
    recording_ = false;
  }

  Recorder* outer_;
  std::vector<Chunk> chunks_;
  std::int32_t inputs_ = 0;
  bool recording_ = true;
};

template <class R> void grow_of(Recorder& r) { TapeOf<R>::of(r).add_chunk(); }

template <class R> Tag record_mixed_of(const BasicEntry<R>* entries, const Tag* tags, int n) {
  if (RecordingOf<R>::recorder == &no_tape) return kPassive;
  Recorder& r = *RecordingOf<R>::recorder;
  const TapeOf<R>& tape = TapeOf<R>::of(r);
  std::int32_t index[kMaxArguments];
  int kept = 0;
  bool active = false;
  for (int i = 0; i < n; ++i) {
    // A branch that was not taken has index 0 whatever its tag; the value still is not a constant.
    index[i] = entries[i].index == 0 ? 0 : tape.resolve(tags[i]);
    kept += index[i] != 0;
    active = active || !(tags[i] & kPassive);
  }
  if (!active) return kPassive;
  if (!has_room<R>(r, static_cast<std::size_t>(kept))) grow_of<R>(r);
  auto* entry = reinterpret_cast<BasicEntry<R>*>(r.top);
  for (int i = 0; i < n; ++i) {
    if (index[i]) *entry++ = entries[i];
  }
  r.top = reinterpret_cast<std::byte*>(entry);
  *--r.counts = static_cast<Count>(kept);
  return RecordingOf<R>::fusable = ++r.last;
}

}  // namespace autograd::detail
