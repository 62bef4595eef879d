// SPDX-License-Identifier: Apache-2.0
// The life of a tape: recording, inputs, marks. Sweeping is in sweep.cpp.
#include "tape.hpp"

#include <cstring>
#include <exception>
#include <mutex>
#include <string>
#include <utility>

#include "batching.hpp"
#include "tape_inline.hpp"

namespace autograd {

namespace detail {

// Nodes give their links back to the pool.
TrackLink* make_link(std::uint64_t generation, std::int32_t slot, TrackLink* next) {
  return new (allocate(sizeof(TrackLink))) TrackLink{generation, slot, next};
}

}  // namespace detail

namespace {

constexpr int kIdBits = 21, kIdWeight = 10;

// The next codes of this thread.
struct Codes {
  static constexpr std::uint32_t kBatch = 64;
  std::uint32_t left;
  std::uint32_t of[kBatch];
};
constinit thread_local Codes codes{};

AUTOGRAD_COLD void refill_codes() {
  static constinit std::mutex mutex;
  static constinit std::uint32_t shared = (1u << kIdWeight) - 1;
  const std::lock_guard lock(mutex);
  for (std::uint32_t& code : codes.of) {
    code = shared;
    shared = detail::next_code(shared, kIdBits, kIdWeight);
  }
  codes.left = Codes::kBatch;
}

}  // namespace

std::uint32_t detail::next_tape_id() {
  if (codes.left == 0) [[unlikely]]
    refill_codes();
  return codes.of[--codes.left];
}

namespace {

// What throw_failure throws.
thread_local std::exception_ptr failure;

constexpr std::uint32_t kIdMask = (1u << 21) - 1;
// The recording part of a stamp: weight 5 in bits 21 to 30.
constexpr int kRecordingShift = 21, kRecordingBits = 10, kRecordingWeight = 5;
constexpr std::uint32_t kFirstRecording = ((1u << kRecordingWeight) - 1) << kRecordingShift;

std::uint32_t next_recording(std::uint32_t code) {
  return detail::next_code(code >> kRecordingShift, kRecordingBits, kRecordingWeight)
         << kRecordingShift;
}

#ifdef AUTOGRAD_CHECKED
constexpr bool kChecked = true;
#else
constexpr bool kChecked = false;
#endif

}  // namespace

Tape::Tape()
    : parent_(detail::recorder->tape),
      thread_(&detail::recorder),
      storage_(detail::TapeStorage::take()),
      adjoints_(nullptr),
      generation_(detail::next_serial()),
      id_(detail::next_tape_id()),
      recording_(kFirstRecording) {
  detail::TapeStorage& s = *storage_;
  s.chunk = 0;
  recorder_.top = s.chunks[0].begin;
  recorder_.counts = reinterpret_cast<detail::Count*>(s.end_of_chunk(0));
  recorder_.tape = this;
  set_recording(kFirstRecording, 0);
  // Position 0, which every recording shares, then the first stretch of statements.
  s.segments.resize(2);
  s.segments[0] = {0, detail::next_serial(), recording_};
  s.segments[1] = {1, generation_, recording_};
  if (s.adjoint_block) {
    adjoints_ = static_cast<double*>(s.adjoint_block) + s.input_capacity;
    input_room_ = s.input_capacity;
  }
  detail::recorder = &recorder_;
  detail::fusable = 0;
}

void Tape::set_recording(std::uint32_t recording, std::int32_t statements) {
  recording_ = recording;
  recorder_.last = detail::make_tag(id_ | recording, statements);
  recorder_.foreign = detail::make_tag(~(id_ | recording), 0);
}

Tape::~Tape() {
  detail::fusable = 0;
  if (detail::recorder == &recorder_) {
    detail::recorder = parent_ ? &parent_->recorder_ : &detail::no_tape;
  } else {  // destroyed out of order: close the gap in the chain
    for (Tape* t = detail::recorder->tape; t; t = t->parent_) {
      if (t->parent_ == this) t->parent_ = parent_;
    }
  }
  destroy_records(nullptr);
  if (pending_) drop_adjoints(1);
  storage_->drop_leaves(1);
  storage_->slots.shrink(1);
  detail::TapeStorage::give_back(storage_);
}

void detail::throw_failure() { std::rethrow_exception(std::exchange(failure, nullptr)); }

bool detail::grow(Recorder& r) noexcept try {
  r.tape->grow();
  return true;
} catch (...) {
  failure = std::current_exception();
  return false;
}

void Tape::grow() {
  detail::TapeStorage& s = *storage_;
  if (s.chunk + 1 == s.chunks.size()) s.add_chunk();
  s.chunks[s.chunk].top = recorder_.top;
  s.chunks[s.chunk].counts = recorder_.counts;
  detail::Chunk& next = s.chunks[++s.chunk];
  next.before = statements();
  recorder_.top = next.begin;
  recorder_.counts = reinterpret_cast<detail::Count*>(s.end_of_chunk(s.chunk));
}

// --- Scalars.

void Tape::make_room(const char* function) {
  check_ready(function);
  reserve_adjoints(storage_->statement_capacity, inputs_ + 1);
}

const char* Tape::why_unusable(detail::Tag tag) const {
  const std::int32_t index = detail::index_of(tag);
  const std::uint32_t stamp = detail::stamp_of(tag);
  if ((stamp & kIdMask) != id_) {
    return "it belongs to another tape, or to one that has ended; need a value of the tape in "
           "scope (make it an input with tape.input(x.value()), or use the constant x.value())";
  }
  const std::uint32_t recording = stamp & ~kIdMask;
  if (recording && kChecked) {
    const auto& segments = storage_->segments;
    auto segment = segments.rbegin();
    while (segment->first > index) ++segment;
    if (index <= statements() && segment->recording == recording) return nullptr;
  }
  if (recording && recording != recording_) {
    return "its statement is gone, consumed by backward or forgotten by rewind; need a value of "
           "the present recording (pass {.retain = true} to backward to keep it)";
  }
  if (index > statements() || -index > inputs_) {
    return "it was recorded after a mark that the tape was rewound to; need a value recorded since "
           "(compute it anew)";
  }
  return nullptr;
}

std::int32_t Tape::resolve(detail::Tag tag) const {
  if (tag & detail::kPassive) return 0;
  if (tag & recorder_.foreign) {
    if (const char* why = why_unusable(tag)) {
      throw TapeError(std::string("Var: a value cannot be used here: ") + why);
    }
  }
  return detail::index_of(tag);
}

detail::Tag detail::record_mixed(const Entry* entries, const Tag* tags, int n) noexcept try {
  Recorder& r = *recorder;
  if (!r.tape) return kPassive;
  // Operands that are constants have index 0, and so has a branch that was not taken, whatever its tag: its
  // value still is not a constant. No branches below that depend on which they are.
  Tag all = kPassive, unusual = 0;
  for (int i = 0; i < n; ++i) {
    all &= tags[i];
    unusual |= entries[i].index ? tags[i] & r.foreign : 0;
  }
  if (all) return kPassive;
  for (int i = 0; unusual && i < n; ++i) {
    if (entries[i].index)
      r.tape->resolve(tags[i]);  // throws unless the tape remembers its recording
  }
  if (!has_room(r, static_cast<std::size_t>(n))) r.tape->grow();
  auto* const first = reinterpret_cast<Entry*>(r.top);
  Entry* entry = first;
  for (int i = 0; i < n; ++i) {
    *entry = entries[i];
    entry += entries[i].index != 0;
  }
  r.top = reinterpret_cast<std::byte*>(entry);
  *--r.counts = static_cast<Count>(entry - first);
  return fusable = ++r.last;
} catch (...) {
  failure = std::current_exception();
  return kFailed;
}

std::int32_t Tape::add_values(std::int32_t n) {
  detail::fusable = 0;
  const std::int32_t first = statements() + 1;
  for (std::int32_t i = 0; i < n; ++i) {
    if (!detail::has_room(recorder_, 1)) grow();
    *--recorder_.counts = detail::Count{0};
    ++recorder_.last;
  }
  return first;
}

// --- Tensors.

std::int32_t Tape::find_linked(const detail::Node* node) const {
  for (const detail::TrackLink* link = node->more; link; link = link->next) {
    if (holds(link->slot, link->generation)) return link->slot;
  }
  return 0;
}

bool Tape::is_leaf(const detail::Node* node) const {
  const std::int32_t slot = node->slot.load(std::memory_order_relaxed);
  const auto i = static_cast<std::size_t>(-slot);
  return slot < 0 && i < storage_->leaves.size() && storage_->leaves[i].node == node;
}

detail::Node* Tape::leaf_at(std::int32_t slot) const {
  return slot < 0 ? storage_->leaves[static_cast<std::size_t>(-slot)].node : nullptr;
}

detail::Record* Tape::producer(std::int32_t slot) const {
  detail::Record* record = storage_->last;
  while (record && record->out != slot) record = record->previous;
  return record;
}

std::int32_t Tape::add_leaf(detail::Node* node, bool input) {
  detail::TapeStorage& s = *storage_;
  const std::uint32_t at = s.leaves.size();
  s.leaves.push_back({generation_, node, nullptr, input});
  s.leaf_filter |= detail::TapeStorage::leaf_bit(node);
  if (at >= detail::TapeStorage::kFewLeaves) {
    try {
      s.index_leaf(at);
    } catch (...) {
      s.leaves.shrink(at);
      throw;
    }
  }
  detail::retain(node);
  return -static_cast<std::int32_t>(at);
}

AUTOGRAD_OUTLINE std::int32_t Tape::join_slow(detail::Node* parameter) {
  // Its hint may have been overwritten by another thread's tape after it had joined this one.
  if (const std::int32_t joined = storage_->find_leaf(parameter)) return joined;
  const std::int32_t slot = add_leaf(parameter, false);
  parameter->slot.store(slot, std::memory_order_relaxed);
  return slot;
}

// Every step of a training loop goes here for every parameter: what needs a call is elsewhere.
std::int32_t Tape::join(detail::Node* parameter) {
  detail::TapeStorage& s = *storage_;
  const std::uint64_t bit = detail::TapeStorage::leaf_bit(parameter);
  const std::uint32_t at = s.leaves.size();
  const bool simple = !(s.leaf_filter & bit) && at < detail::TapeStorage::kFewLeaves &&
                      !s.leaves.full() && detail::owned(parameter);
  if (!simple) [[unlikely]]
    return join_slow(parameter);
  s.leaves.push({generation_, parameter, nullptr, false});
  s.leaf_filter |= bit;
  ++parameter->count.local;
  const std::int32_t slot = -static_cast<std::int32_t>(at);
  parameter->slot.store(slot, std::memory_order_relaxed);
  return slot;
}

Tensor Tape::input(const Tensor& x) {
  check_ready("Tape::input");
  if (!is_floating(x.dtype())) {
    throw TypeError(
        std::string("Tape::input: only floating-point tensors have gradients: dtype is ") +
        name(x.dtype()) + "; need float32 or float64 (convert with to(x, float32))");
  }
  detail::Node* source = x.node();
  Tensor leaf =
      detail::is_batched(source)
          ? detail::alias_of_batch(x)
          : Tensor::adopt(detail::make_view(source, source->data, source->shape, source->strides));
  detail::Node* node = leaf.node();
  const std::int32_t slot = add_leaf(node, true);
  node->slot.store(slot, std::memory_order_relaxed);
  node->generation = generation_;
  // Where an outer tape recorded x, the value that it knows is that of x then.
  node->tracked_version = source->generation
                              ? source->tracked_version
                              : source->base->version.load(std::memory_order_relaxed);
  // Outer tapes see the new input as x itself, so that derivatives of derivatives reach it.
  for (Tape* outer = parent_; outer; outer = outer->parent_) {
    if (const std::int32_t at = outer->find(source)) {
      const detail::TapeStorage& s = *outer->storage_;
      const std::uint64_t generation = at > 0 ? s.slots[static_cast<std::size_t>(at)].generation
                                              : s.leaves[static_cast<std::size_t>(-at)].generation;
      node->more = detail::make_link(generation, at, node->more);
    }
  }
  return leaf;
}

void Tape::make_record_room(std::size_t bytes) {
  detail::TapeStorage& s = *storage_;
  if (s.block_top + bytes > s.block_end) {
    if (s.block + 1 == s.blocks.size()) {
      if (s.blocks.size() == s.blocks.capacity()) s.blocks.reserve(2 * s.blocks.size());
      s.blocks.push_back(
          static_cast<std::byte*>(detail::allocate(detail::TapeStorage::kBlockBytes)));
    }
    s.use_block(s.block + 1);
  }
  if (!detail::has_room(recorder_, 1)) grow();
  if (s.slots.full()) s.slots.grow();
}

void Tape::link(detail::Node* y, std::int32_t slot) {
  y->more = detail::make_link(generation_, slot, y->more);
}

// --- Positions.

Tape::Mark Tape::start() const {
  Mark mark;
  mark.serial = storage_->segments.front().serial;
  mark.top = storage_->chunks[0].begin;
  mark.counts = reinterpret_cast<detail::Count*>(storage_->end_of_chunk(0));
  mark.inputs = inputs_;
  mark.slots = 1;
  mark.leaves = static_cast<std::int32_t>(storage_->leaves.size());
  return mark;
}

Tape::Mark Tape::mark() {
  check_ready("Tape::mark");
  detail::fusable = 0;
  const detail::TapeStorage& s = *storage_;
  auto segment = s.segments.rbegin();
  while (segment->first > statements()) ++segment;
  Mark mark;
  mark.serial = segment->serial;
  mark.chunk = s.chunk;
  mark.record = s.last;
  mark.top = recorder_.top;
  mark.counts = recorder_.counts;
  mark.size = statements();
  mark.inputs = inputs_;
  mark.slots = static_cast<std::int32_t>(s.slots.size());
  mark.leaves = static_cast<std::int32_t>(s.leaves.size());
  return mark;
}

void Tape::check_mark(const char* function, const Mark& mark) const {
  const detail::TapeStorage& s = *storage_;
  bool valid = mark.size <= statements() && mark.inputs <= inputs_ &&
               mark.leaves <= static_cast<std::int32_t>(s.leaves.size());
  if (valid) {
    auto segment = s.segments.rbegin();
    while (segment->first > mark.size) ++segment;
    valid = segment->serial == mark.serial;
  }
  if (!valid) {
    throw TapeError(std::string(function) +
                    ": the mark is not a position of this tape any more; need one taken since the "
                    "last backward and not rewound past");
  }
}

void Tape::rewind(const Mark& mark) {
  check_ready("Tape::rewind");
  check_mark("Tape::rewind", mark);
  forget_after(mark);
}

void Tape::forget_after(const Mark& mark) {
  detail::TapeStorage& s = *storage_;
  detail::fusable = 0;
  destroy_records(mark.record);
  // A sweep leaves none behind except those that wait for backward_from.
  if (pending_) drop_adjoints(mark.slots);
  s.slots.shrink(static_cast<std::size_t>(mark.slots));
  s.drop_leaves(static_cast<std::size_t>(mark.leaves));
  s.chunk = mark.chunk;
  recorder_.top = mark.top;
  recorder_.counts = mark.counts;
  inputs_ = mark.inputs;
  swept_inputs_ = std::min(swept_inputs_, inputs_);
  swept_ = std::min(swept_, mark.size);
  gathered_ = std::min(gathered_, mark.size);
  if (gathered_ == 0 && mark.slots == 1) pending_ = false;
  begin_stretch(mark.size);
}

// forget_after(start()) behind a sweep, which has destroyed all records; inputs and leaves stay.
void Tape::forget_all() {
  detail::TapeStorage& s = *storage_;
  detail::fusable = 0;
  s.slots.shrink(1);
  s.chunk = 0;
  recorder_.top = s.chunks[0].begin;
  recorder_.counts = reinterpret_cast<detail::Count*>(s.end_of_chunk(0));
  swept_ = gathered_ = 0;
  pending_ = false;
  begin_stretch(0);
}

// From now on what is recorded is told from what was forgotten behind the first `statements`.
AUTOGRAD_INLINE void Tape::begin_stretch(std::int32_t statements) {
  std::vector<detail::Segment>& segments = storage_->segments;
  generation_ = detail::next_serial();
  while (segments.back().first > statements) segments.pop_back();
  // At position 0 all statements are gone, and a new recording code tells them from the next ones in
  // every build. Elsewhere it would send those before the mark through the slow path.
  const bool fresh = kChecked || statements == 0;
  most_ = std::max(most_, this->statements());
  set_recording(fresh ? next_recording(recording_) : recording_, statements);
  segments.push_back({statements + 1, generation_, recording_});
}

void Tape::destroy_records(const detail::Record* until) {
  while (storage_->last != until) destroy_last();
}

std::size_t Tape::size() const {
  std::size_t inputs = 0;
  for (const detail::LeafSlot& leaf : storage_->leaves) inputs += leaf.input;
  return static_cast<std::size_t>(inputs_) + inputs + static_cast<std::size_t>(statements());
}

std::size_t Tape::memory() const { return storage_->bytes(); }

void Tape::check_ready(const char* function) const {
  if (thread_ != &detail::recorder) {
    throw TapeError(std::string(function) +
                    ": the tape belongs to another thread; need one tape for each thread");
  }
  if (sweeping_) {
    throw TapeError(std::string(function) +
                    ": the tape is being swept; need a tape of its own inside a backward rule");
  }
}

}  // namespace autograd
