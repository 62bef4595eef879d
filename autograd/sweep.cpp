// SPDX-License-Identifier: Apache-2.0
// The backward sweep: one loop over the stream, from the last statement to the first
// (statement_sweep.hpp).
//
// Scalar statements are handled in the loop; tensor records are looked for only where it already
// handles a zero adjoint (nobody writes to the index of a record), so they cost scalars nothing.
#include <algorithm>
#include <cstring>
#include <string>

#include "functions.hpp"
#include "kernels/elementwise.hpp"
#include "modes.hpp"
#include "ops/op.hpp"
#include "ops/shape_ops.hpp"
#include "ops/tiny.hpp"
#include "statement_sweep.hpp"
#include "tape.hpp"
#include "tape_inline.hpp"

namespace autograd {

// While a tape is swept the outer tapes record: the sweep itself can be differentiated.
class Tape::SweepScope {
 public:
  SweepScope(Tape& tape, bool retain) : tape_(tape), outer_(std::exchange(innermost, this)) {
    detail::recorder = tape.parent_ ? &tape.parent_->recorder_ : &detail::no_tape;
    detail::fusable = 0;
    tape.sweeping_ = true;
    tape.retain_ = retain;
    tape.recorded_ = tape.parent_ || (detail::modes & detail::kVmap);
    tape.input_room_ = 0;  // sends Tape::input to its checks
  }
  ~SweepScope() {
    innermost = outer_;
    detail::recorder = &tape_.recorder_;
    detail::fusable = 0;
    tape_.sweeping_ = false;
    tape_.input_room_ = tape_.storage_->input_capacity;
  }
  SweepScope(const SweepScope&) = delete;
  SweepScope& operator=(const SweepScope&) = delete;

  /// True when a tape being swept recorded the node.
  static bool knows(detail::Node* node) {
    for (const SweepScope* scope = innermost; scope; scope = scope->outer_) {
      if (scope->tape_.find(node)) return true;
    }
    return false;
  }

 private:
  static constinit thread_local const SweepScope* innermost;

  Tape& tape_;
  const SweepScope* outer_;
};

constinit thread_local const Tape::SweepScope* Tape::SweepScope::innermost = nullptr;

bool Tape::is_known(detail::Node* node) {
  for (Tape* tape = detail::recorder->tape; tape; tape = tape->parent_) {
    if (tape->find(node)) return true;
  }
  return SweepScope::knows(node);
}

namespace {

using ops::exclusive;

AUTOGRAD_OUTLINE void add_elements(detail::Node* y, const detail::Node* x) {
  const auto n = static_cast<std::size_t>(y->numel);
  dispatch_floating("accumulate", y->dtype, [&]<class T>(T) {
    kernels::binary<ops::Add, T>(static_cast<const T*>(y->data), 1, static_cast<const T*>(x->data),
                                 1, static_cast<T*>(y->data), n);
  });
}
AUTOGRAD_INLINE void add_in_place(detail::Node* y, const detail::Node* x) {
  ops::both_tiny(y, x) ? ops::tiny<ops::Add>(y, x, y) : add_elements(y, x);
}

AUTOGRAD_OUTLINE void replace_by_sum(detail::Node*& sum, detail::Node* g) {
  Tensor total = Tensor::share(sum) + Tensor::share(g);  // sum stays as it is when this throws
  detail::release(std::exchange(sum, total.release_node()));
}

void drop(detail::Node*& node) {
  if (node) detail::release(std::exchange(node, nullptr));
}

}  // namespace

// sum = sum + g, in place when nothing else holds sum and no outer tape records.
void Tape::add_to(detail::Node*& sum, detail::Node* g) {
  if (!detail::recorder->tape && exclusive(sum) && g->contiguous) [[likely]] {
    add_in_place(sum, g);
  } else {
    replace_by_sum(sum, g);
  }
}

// Where a sum is under way dy is added to it; a slot without one takes dy over.
void Tape::pass(std::int32_t first, std::int32_t second, Tensor& dy) {
  detail::Node** a = first ? &adjoint_at(first) : nullptr;
  detail::Node** b = second ? &adjoint_at(second) : nullptr;
  if (a && *a) std::swap(a, b);
  if (b) add(*b, dy);
  if (a) add(*a, std::move(dy));
}

void Tape::drop_adjoints(std::int32_t first_slot) {
  detail::TapeStorage& s = *storage_;
  for (auto i = static_cast<std::size_t>(first_slot); i < s.slots.size(); ++i) {
    drop(s.slots[i].adjoint);
  }
  for (std::size_t i = 1; i < s.leaves.size(); ++i) drop(s.leaves[i].adjoint);
}

void Tape::reserve_adjoints(std::int32_t statements, std::int32_t inputs) {
  detail::TapeStorage& s = *storage_;
  if (adjoints_ && statements <= s.statement_capacity && inputs <= s.input_capacity) {
    input_room_ = s.input_capacity;
    return;
  }
  const auto grown = [](std::int32_t need, std::int32_t have) {
    return need <= have ? have : std::max(need, have + have / 2) + 64;
  };
  const std::int32_t high = grown(statements, s.statement_capacity);
  const std::int32_t low = grown(inputs, s.input_capacity);
  const std::size_t bytes =
      sizeof(double) * (static_cast<std::size_t>(low) + static_cast<std::size_t>(high) + 1);
  void* memory = nullptr;
  try {
    memory = detail::allocate(bytes);
  } catch (const Error&) {
    // A tape that met the memory limit and was rewound still holds what it had recorded into.
    if (!s.drop_spare_chunks()) throw;
    memory = detail::allocate(bytes);
  }
  auto* block = static_cast<double*>(memory);
  // What can be read or is being gathered moves along; the rest is zeroed before a sweep.
  if (adjoints_) {
    const std::int32_t kept = inputs_ + 1 + std::max(gathered_, swept_);
    std::memcpy(block + low - inputs_, adjoints_ - inputs_,
                sizeof(double) * static_cast<std::size_t>(kept));
    detail::deallocate(s.adjoint_block, s.adjoint_bytes);
  }
  s.adjoint_block = block;
  s.adjoint_bytes = bytes;
  s.statement_capacity = high;
  s.input_capacity = low;
  adjoints_ = block + low;
  input_room_ = low;
}

// Zeroes the adjoints of statements after `from`, for a sweep.
void Tape::prepare_adjoints(std::int32_t from) {
  // A value forgotten by a rewind may still be in a statement of a release build: its index has to
  // lie within the adjoints.
  const std::int32_t most = std::max(statements(), most_);
  if (adjoints_ && most <= storage_->statement_capacity) [[likely]] {
    input_room_ = storage_->input_capacity;
  } else {
    reserve_adjoints(most, inputs_);
  }
  // Only tensor records and anomaly mode throw.
  std::vector<double>& saved = storage_->saved;
  saved.clear();
  if (inputs_ && (storage_->last || detail::modes)) saved.assign(adjoints_ - inputs_, adjoints_);
  swept_ = 0;
  adjoints_[0] = 0;
  std::memset(adjoints_ + from + 1, 0,
              sizeof(double) * static_cast<std::size_t>(statements() - from));
}

// --- What starts a sweep.

void Tape::check_backward(const char* function) const {
  if (detail::recorder == &recorder_ && !sweeping_) [[likely]]
    return;
  check_ready(function);
  if (detail::recorder != &recorder_) {
    throw TapeError(std::string(function) +
                    ": a nested tape is still recording; need it to end before the outer sweep");
  }
}

namespace {

// Of a float32 or float64 scalar.
AUTOGRAD_INLINE void fill_number(detail::Node* x, double value) {
  if (x->dtype == float32) {
    *static_cast<float*>(x->data) = static_cast<float>(value);
  } else {
    *static_cast<double*>(x->data) = value;
  }
}

[[noreturn]] void throw_unreached(const char* function) {
  throw TapeError(std::string(function) +
                  ": no input reaches this output; need a value computed from tape.input(...) or "
                  "from a parameter (requires_grad) while this tape records");
}

}  // namespace

std::int32_t Tape::seed_index(const char* function, const Var& y) const {
  if (y.tag() & detail::kPassive) throw_unreached(function);
  if (const char* why = why_unusable(y.tag())) {
    throw TapeError(std::string(function) + ": cannot start from this value: " + why);
  }
  return detail::index_of(y.tag());
}

// The slot of y; a seed that was left out becomes 1.
std::int32_t Tape::seed_slot(const char* function, const Tensor& y, Tensor& seed) {
  const detail::Node* node = y.node();
  // What most sweeps start from: a number that this tape has just recorded.
  if (node && node->generation == generation_ && !seed.defined() && node->numel == 1 &&
      node->tiny != detail::Tiny::no && node->shape.dim() <= 2) [[likely]] {
    Tensor one = Tensor::adopt(detail::make_tiny_like(detail::ready_thread(), node));
    fill_number(one.node(), 1);
    seed = std::move(one);
    return node->slot.load();
  }
  return checked_seed_slot(function, y, seed);
}

AUTOGRAD_OUTLINE std::int32_t Tape::checked_seed_slot(const char* function, const Tensor& y,
                                                      Tensor& seed) {
  (void)y.shape();  // throws for no tensor at all
  const std::int32_t slot = find(y.node());
  if (!slot) {
    if (!y.node()->generation) throw_unreached(function);
    throw TapeError(std::string(function) +
                    ": the recording of this output is gone, or is on another tape; need a value "
                    "recorded on this tape since the last sweep (pass {.retain = true} to sweep "
                    "twice)");
  }
  if (!seed.defined()) {
    if (y.numel() != 1) {
      throw TapeError(std::string(function) + ": the output has more than one element: shape is " +
                      to_string(y.shape()) +
                      "; need one element (use sum) or a seed of that shape ({.seed = dy})");
    }
    Tensor one = Tensor::adopt(y.node()->contiguous ? detail::make_like(y.node())
                                                    : detail::make_node(y.shape(), y.dtype()));
    fill_number(one.node(), 1);
    seed = std::move(one);
    return slot;
  }
  if (!(seed.shape() == y.shape()) || seed.dtype() != y.dtype()) {
    throw ShapeError(std::string(function) + ": the seed does not fit: seed is " +
                     name(seed.dtype()) + " " + to_string(seed.shape()) + ", the output is " +
                     name(y.dtype()) + " " + to_string(y.shape()) + "; need equal shape and dtype");
  }
  return slot;
}

void Tape::backward(const Var& y, VarBackwardOptions options) {
  check_backward("backward");
  if (pending_) {
    throw TapeError(
        "backward: adjoints gathered by backward_to are waiting; need "
        "backward_from(mark) to carry them on, or zero_grad() to drop them");
  }
  const std::int32_t index = seed_index("backward", y);
  gathered_ = 0;
  prepare_adjoints(0);
  adjoints_[index] += options.seed;
  sweep_all(options.retain);
}

void Tape::backward(const Tensor& y, BackwardOptions options) {
  check_backward("backward");
  if (pending_) {
    throw TapeError(
        "backward: adjoints gathered by backward_to are waiting; need "
        "backward_from(mark) to carry them on, or zero_grad() to drop them");
  }
  const std::int32_t slot = seed_slot("backward", y, options.seed);
  gathered_ = 0;
  prepare_adjoints(0);
  accumulate(slot, std::move(options.seed));
  sweep_all(options.retain);
}

void Tape::backward_to(const Var& y, const Mark& mark, double seed_value) {
  check_backward("backward_to");
  check_mark("backward_to", mark);
  const std::int32_t index = seed_index("backward_to", y);
  gather_before(mark);
  adjoints_[index] += seed_value;
  sweep_to(mark);
}

void Tape::backward_to(const Tensor& y, const Mark& mark, Tensor seed_value) {
  check_backward("backward_to");
  check_mark("backward_to", mark);
  const std::int32_t slot = seed_slot("backward_to", y, seed_value);
  gather_before(mark);
  accumulate(slot, std::move(seed_value));
  sweep_to(mark);
}

// From now on the adjoints of what lies before the mark are kept from sweep to sweep.
void Tape::gather_before(const Mark& mark) {
  prepare_adjoints(gathered_);
  gathered_ = std::max(gathered_, mark.size);
}

void Tape::backward_from(const Mark& mark) {
  check_backward("backward_from");
  check_mark("backward_from", mark);
  forget_after(mark);
  prepare_adjoints(gathered_);
  pending_ = false;
  sweep_all(false);
}

std::vector<Tensor> Tape::gradients(const Tensor& y, const Tensor& seed_value,
                                    const std::vector<Tensor>& inputs, bool retain) {
  check_backward("grad");
  Tensor cotangent = seed_value;
  const std::int32_t start_slot = seed_slot("grad", y, cotangent);
  prepare_adjoints(0);
  accumulate(start_slot, std::move(cotangent));
  pending_ = true;  // what is not asked for goes with the tape
  const SweepScope scope(*this, retain);
  for (std::size_t chunk = storage_->chunk + 1; chunk-- > 0;) sweep_chunk(chunk, 0);
  std::vector<Tensor> result;
  for (const Tensor& x : inputs) {
    const std::int32_t slot = find(x.node());
    Tensor g;
    if (slot < 0) {
      g = Tensor::adopt(
          std::exchange(storage_->leaves[static_cast<std::size_t>(-slot)].adjoint, nullptr));
    }
    if (g.defined() && x.node()->more) g = detail::run_hooks(x.node(), std::move(g));
    // A result of its own, as in deposit.
    if (g.defined() && !detail::recorder->tape && !ops::unshared(g.node()) &&
        !detail::is_batched(g.node())) {
      g = ops::Contiguous{}.forward(g);
    }
    result.push_back(std::move(g));
  }
  if (retain) drop_adjoints(1);
  return result;
}

// --- Sweeps of the drivers over scalars.

AUTOGRAD_INLINE detail::Cursor<double> Tape::cursor_at_end(std::size_t index) const {
  const detail::Chunk& chunk = storage_->chunks[index];
  const bool open = index == storage_->chunk;
  return {reinterpret_cast<const detail::Entry*>(open ? recorder_.top : chunk.top),
          open ? recorder_.counts : chunk.counts,
          open ? statements() : storage_->chunks[index + 1].before};
}

void Tape::pull(std::span<const Var> y, std::span<const double> seeds, double* dx, bool retain) {
  check_backward("vjp");
  gathered_ = 0;
  prepare_adjoints(0);
  pending_ = true;  // what has arrived at tensors goes with the tape
  std::fill(adjoints_ - inputs_, adjoints_, 0.0);
  for (std::size_t i = 0; i < y.size(); ++i) {
    if (const std::int32_t index = resolve(y[i].tag())) adjoints_[index] += seeds[i];
  }
  const SweepScope scope(*this, retain);
  for (std::size_t chunk = storage_->chunk + 1; chunk-- > 0;) sweep_chunk(chunk, 0);
  std::reverse_copy(adjoints_ - inputs_, adjoints_, dx);
  if (retain) drop_adjoints(1);
}

void Tape::pull_rows(std::span<const Var> y, double* rows) {
  using detail::Lanes;
  const auto n = static_cast<std::size_t>(inputs_), m = y.size();
  if (storage_->last || detail::modes) {  // tensor records have one adjoint each
    const double one = 1;
    for (std::size_t i = 0; i < m; ++i) pull(y.subspan(i, 1), {&one, 1}, rows + i * n, true);
    return;
  }
  check_backward("jacobian");
  const auto statement_count = static_cast<std::size_t>(statements());
  const std::size_t bytes = (n + statement_count + 1) * sizeof(Lanes);
  const detail::Block block(bytes);
  Lanes* adjoints = static_cast<Lanes*>(block.data()) + n;
  for (std::size_t first = 0; first < m; first += Lanes::kCount) {
    const std::size_t lanes = std::min<std::size_t>(Lanes::kCount, m - first);
    std::memset(block.data(), 0, bytes);
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      if (const std::int32_t index = resolve(y[first + lane].tag())) adjoints[index].of[lane] = 1;
    }
    for (std::size_t i = storage_->chunk + 1; i-- > 0;) {
      const detail::Chunk& chunk = storage_->chunks[i];
      detail::Cursor<double> cursor = cursor_at_end(i);
      detail::sweep_statements(adjoints, cursor, chunk.before);
    }
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      double* row = rows + (first + lane) * n;
      for (std::size_t i = 0; i < n; ++i) row[i] = (adjoints - i - 1)->of[lane];
    }
  }
}

// --- The sweep itself.

void Tape::sweep_all(bool retain) {
  try {
    const SweepScope scope(*this, retain);
    for (std::size_t chunk = storage_->chunk + 1; chunk-- > 0;) sweep_chunk(chunk, 0);
    deposit();
  } catch (...) {
    undo_sweep(start(), retain);
    throw;
  }
  swept_inputs_ = inputs_;
  if (retain) {
    swept_ = statements();
  } else {
    forget_all();
  }
}

void Tape::sweep_to(const Mark& mark) {
  try {
    const SweepScope scope(*this, false);
    for (std::size_t chunk = storage_->chunk + 1; chunk-- > mark.chunk;) {
      sweep_chunk(chunk, mark.size);
    }
    deposit();
  } catch (...) {
    undo_sweep(mark, false);
    throw;
  }
  swept_inputs_ = inputs_;
  pending_ = mark.size > 0 || mark.slots > 1;
  forget_after(mark);
}

// After an exception gradients are what they were before. Terms gathered by earlier backward_to are
// lost, and with them the recording that backward_from would have carried them through.
void Tape::undo_sweep(const Mark& to, bool retain) {
  const std::vector<double>& saved = storage_->saved;
  if (!saved.empty()) std::memcpy(adjoints_ - inputs_, saved.data(), sizeof(double) * saved.size());
  drop_adjoints(1);
  gathered_ = 0;
  if (!retain) forget_after(pending_ ? start() : to);
  pending_ = false;
}

template <bool checked> AUTOGRAD_INLINE void Tape::run_record(detail::Record* record) {
  detail::Node* adjoint = nullptr;
  if (record->out) {
    adjoint =
        std::exchange(storage_->slots[static_cast<std::size_t>(record->out)].adjoint, nullptr);
  }
  if (adjoint || !record->out) {
    Tensor dy = Tensor::adopt(adjoint);
    if constexpr (checked) {
      detail::sweep_checked(*record, *this, dy);
    } else {
      record->info->sweep(*record, *this, dy);
    }
  }
  if (!retain_) destroy_last();
}

void detail::accumulate(Tape& tape, std::int32_t slot, Tensor&& g) {
  tape.accumulate(slot, std::move(g));
}
detail::Node* detail::arrived(Tape& tape, std::int32_t slot) {
  Node* sum = tape.adjoint_at(slot);
  return sum && exclusive(sum) ? sum : nullptr;
}

template <bool checked>
AUTOGRAD_INLINE void Tape::sweep_chunk_as(std::size_t index, std::int32_t from) {
  const std::int32_t low = std::max(storage_->chunks[index].before, from);
  detail::Cursor<double> cursor = cursor_at_end(index);
  const auto run = [&] {
    detail::Record* record;
    std::memcpy(&record, static_cast<const void*>(cursor.entry), sizeof record);
    run_record<checked>(record);
  };
  const auto to_record = [&]() AUTOGRAD_ALWAYS_INLINE {
    if constexpr (checked) return detail::sweep_statements_checked(adjoints_, cursor, low);
    return detail::sweep_statements(adjoints_, cursor, low);
  };
  while (to_record()) {
    run();
    // Records in a row, as tensor programs have them, need no look at the adjoints of scalars.
    while (cursor.k > low && *cursor.count == detail::kTensorRecord) {
      ++cursor.count;
      --cursor.entry;
      --cursor.k;
      run();
    }
  }
}

// Out of the way of the loop above.
AUTOGRAD_COLD void Tape::sweep_chunk_checked(std::size_t index, std::int32_t from) {
  sweep_chunk_as<true>(index, from);
}

// The statements of a chunk behind statement `from`.
void Tape::sweep_chunk(std::size_t index, std::int32_t from) {
  if (detail::modes & detail::kAnomaly) [[unlikely]]
    return sweep_chunk_checked(index, from);
  sweep_chunk_as<false>(index, from);
}

// --- Gradients of scalars.

bool Tape::owns(const Var& x) const {
  return !(x.tag() & detail::kPassive) && (detail::stamp_of(x.tag()) & ((1u << 21) - 1)) == id_;
}

bool Tape::reached(const Var& x) const {
  const std::int32_t index = detail::index_of(x.tag());
  return !why_unusable(x.tag()) && (index < 0 ? -index <= swept_inputs_ : index <= swept_);
}

double Tape::gradient_of(const Var& x) const {
  const std::int32_t index = detail::index_of(x.tag());
  if (const char* why = why_unusable(x.tag())) {
    throw TapeError(std::string("Var::grad: the gradient is gone: ") + why);
  }
  if (!reached(x)) {
    throw TapeError(index < 0 ? "Var::grad: no sweep has reached this input; need backward(...) "
                                "after it was made"
                              : "Var::grad: no retained sweep has reached this value; need "
                                "backward(y, {.retain = true}) for gradients of values between "
                                "inputs and output");
  }
  return adjoints_[index];
}

void Tape::zero_grad() {
  check_ready("Tape::zero_grad");
  for (std::int32_t i = 1; i <= inputs_; ++i) adjoints_[-i] = 0;
  for (detail::LeafSlot& leaf : storage_->leaves) {
    if (leaf.input && leaf.node->grad) drop(leaf.node->grad);
  }
  if (pending_) {
    drop_adjoints(1);
    gathered_ = 0;
    pending_ = false;
  }
}

namespace {

const Tape* tape_of(const Var& x) {
  for (const Tape* t = detail::recorder->tape; t; t = t->parent()) {
    if (t->owns(x)) return t;
  }
  return nullptr;
}

}  // namespace

double detail::gradient_or_throw(const Var& x) {
  if (x.tag() & detail::kPassive) {
    throw TapeError(
        "Var::grad: this value is a constant; need an input (tape.input) or a value "
        "computed from one while a tape records");
  }
  const Tape* tape = tape_of(x);
  if (!tape) {
    throw TapeError(
        "Var::grad: the tape of this value has ended, or belongs to another thread; "
        "need grad() while the tape is in scope");
  }
  return tape->gradient_of(x);
}

template <> bool Var::has_grad() const {
  const Tape* tape = tag_ & detail::kPassive ? nullptr : tape_of(*this);
  return tape && tape->reached(*this);
}

}  // namespace autograd
