// SPDX-License-Identifier: Apache-2.0
// Tape: records from construction to destruction on the thread that made it, and sweeps backward.
//
// Scalar statements and tensor records share one stream (recorder.hpp). Statements and records die with
// backward, unless retained; inputs live on and their gradients accumulate until zero_grad(). Tapes
// nest: a tensor operation is recorded by every tape in scope that tracks one of its operands, and the
// sweep of an inner tape is itself recorded by the outer ones. Nothing recurses.
//
// Threads: a tape, and what it recorded, belongs to the thread that made it; tapes of different
// threads share nothing but parameters, whose gradients the caller must not deposit concurrently.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "recorder.hpp"
#include "tensor.hpp"
#include "var.hpp"

namespace autograd {

struct VarBackwardOptions {
  double seed = 1.0;    ///< dL/dy, what the sweep starts from
  bool retain = false;  ///< keep the recording for another sweep
};
struct BackwardOptions {
  Tensor seed = {};     ///< dL/dy of y's shape; may be left out when y has one element
  bool retain = false;  ///< keep the recording for another sweep
};

namespace detail {
struct TapeStorage;
struct LeafSlot;
struct Record;
struct Linearization;
template <class R> struct Cursor;
}  // namespace detail

/// Belongs to the thread that makes it: record, sweep and destroy it there, and not inside of its own
/// sweep (a hook, a custom backward rule).
class Tape {
 public:
  /// A position in the recording, for rewind, backward_to and backward_from.
  struct Mark {
    std::uint64_t serial = 0;  // of the stretch of recording that the position is in
    std::size_t chunk = 0;
    const detail::Record* record = nullptr;
    std::byte* top = nullptr;
    detail::Count* counts = nullptr;
    std::int32_t size = 0, inputs = 0, slots = 0, leaves = 0;
  };

  Tape();
  ~Tape();
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  /// A new independent variable.
  AUTOGRAD_INLINE Var input(double value) {
    if (inputs_ >= input_room_ || thread_ != &detail::recorder) [[unlikely]]
      make_room("Tape::input");
    adjoints_[-++inputs_] = 0;
    return Var(value, detail::make_tag(id_, -inputs_));
  }
  /// The elements of x (shared) as a new independent variable. Throws TypeError for int64 and bool.
  Tensor input(const Tensor& x);

  /// Adds dy/dx to the gradient of every input and parameter x that y was computed from. Throws
  /// TapeError when y depends on none, when its recording was consumed by an earlier sweep, and while
  /// adjoints gathered by backward_to wait for backward_from. Adjoints of 0 are not carried on.
  void backward(const Var& y, VarBackwardOptions options = {});
  template <Expression E> void backward(const E& y, VarBackwardOptions options = {}) {
    backward(Var(y), options);
  }
  /// The same for a tensor; more than one element needs a seed of y's shape.
  void backward(const Tensor& y, BackwardOptions options = {});

  /// The present position.
  Mark mark();
  /// Forgets everything recorded after the mark. Throws TapeError for a position that is gone.
  /// Tensors and, at position 0, scalars that are used afterwards all the same throw; scalars recorded
  /// after a later mark, and scalar inputs made after one, are only noticed by checked builds
  /// (AUTOGRAD_CHECKED), because the test would cost every use of a value from before the mark.
  void rewind(const Mark& mark);
  /// Sweeps from y down to the mark, adds to the adjoints of what lies before it, rewinds to it.
  /// Each term may use values from before the mark, not those of earlier terms. When a backward rule
  /// throws, what was gathered so far is lost with the recording; gradients stay as they were.
  void backward_to(const Var& y, const Mark& mark, double seed = 1.0);
  template <Expression E> void backward_to(const E& y, const Mark& mark, double seed = 1.0) {
    backward_to(Var(y), mark, seed);
  }
  void backward_to(const Tensor& y, const Mark& mark, Tensor seed = {});
  /// Carries what was gathered before the mark on to the inputs and consumes the recording.
  void backward_from(const Mark& mark);

  /// Sets the gradients of scalar inputs to 0 and removes those of tensor inputs.
  void zero_grad();
  /// Inputs, statements and tensor records now held.
  std::size_t size() const;
  /// Bytes now held, tensors not counted.
  std::size_t memory() const;

  // --- Internal, used by what records and by the functional drivers.

  /// The slot of a tensor on this tape (a parameter joins); 0 when it is not tracked.
  std::int32_t find(detail::Node* node);
  /// A record made of `args` at the end of the stream; `y` (may be null) gets a new slot.
  template <class R, class... Args> R* append(detail::Node* y, Args&&... args);
  /// What has arrived at a slot; null: nothing yet.
  detail::Node*& adjoint_at(std::int32_t slot);
  /// Adds g to what has arrived at a slot.
  void accumulate(std::int32_t slot, Tensor&& g);
  void accumulate(std::int32_t slot, const Tensor& g);
  /// Adds dy to what has arrived at two slots (0: none), of which one may take it over.
  void pass(std::int32_t first, std::int32_t second, Tensor& dy);
  /// True in a sweep that gives each record back when it has run.
  bool consumes() const { return !retain_; }
  /// True in a sweep that has to be written in recorded functions.
  bool recorded() const { return recorded_; }
  /// True for an input of this tape or a parameter that has joined it.
  bool is_leaf(const detail::Node* node) const;
  /// True when a tape in scope, or one that is being swept, recorded the node.
  static bool is_known(detail::Node* node);
  Tape* parent() const { return parent_; }
  /// The input or parameter at a slot; null for a recorded value.
  detail::Node* leaf_at(std::int32_t slot) const;
  /// The record that made the value at a slot.
  detail::Record* producer(std::int32_t slot) const;
  /// Appends n values without arguments to the stream: scalars whose adjoints a record collects.
  std::int32_t add_values(std::int32_t n);
  double& adjoint(std::int32_t index) { return adjoints_[index]; }
  detail::Tag last() const { return recorder_.last; }
  bool holds(std::int32_t slot, std::uint64_t generation) const;
  bool owns(const Var& x) const;
  /// Throws TapeError unless the value may be used on this tape now; 0 for a passive one.
  std::int32_t resolve(detail::Tag tag) const;
  double gradient_of(const Var& x) const;
  /// The gradient of an input of this tape that a sweep has reached; null for all else.
  AUTOGRAD_INLINE const double* swept_input(detail::Tag tag) const {
    const std::int32_t index = detail::index_of(tag);
    const bool found = detail::stamp_of(tag) == id_ && index < 0 && -index <= swept_inputs_;
    return found ? adjoints_ + index : nullptr;
  }
  bool reached(const Var& x) const;
  /// Sweeps without depositing; the adjoints of `inputs`, undefined where nothing arrived.
  std::vector<Tensor> gradients(const Tensor& y, const Tensor& seed,
                                const std::vector<Tensor>& inputs, bool retain = false);
  /// Sweeps without depositing, seeds[i] from y[i]; the adjoints of the scalar inputs go to dx.
  void pull(std::span<const Var> y, std::span<const double> seeds, double* dx, bool retain);
  /// The adjoints of the scalar inputs for each y alone: rows is [y.size(), inputs]. Retains.
  void pull_rows(std::span<const Var> y, double* rows);
  /// The partial derivatives of the recording, as a linear map from the scalar inputs to y.
  detail::Linearization linearize(std::span<const Var> y);
  void grow();
  const char* why_unusable(detail::Tag tag) const;

 private:
  class SweepScope;

  void check_ready(const char* function) const;
  AUTOGRAD_COLD void make_room(const char* function);
  void check_mark(const char* function, const Mark& mark) const;
  void check_backward(const char* function) const;
  std::int32_t seed_index(const char* function, const Var& y) const;
  std::int32_t seed_slot(const char* function, const Tensor& y, Tensor& seed);
  std::int32_t checked_seed_slot(const char* function, const Tensor& y, Tensor& seed);
  void prepare_adjoints(std::int32_t from);
  void sweep_all(bool retain);
  void sweep_to(const Mark& mark);
  detail::Cursor<double> cursor_at_end(std::size_t chunk) const;
  void sweep_chunk(std::size_t chunk, std::int32_t from);
  void sweep_chunk_checked(std::size_t chunk, std::int32_t from);
  template <bool checked> void sweep_chunk_as(std::size_t chunk, std::int32_t from);
  template <bool checked> void run_record(detail::Record* record);
  void destroy_records(const detail::Record* until);
  void destroy_last();
  void forget_after(const Mark& mark);
  void forget_all();
  void begin_stretch(std::int32_t statements);
  void prepare_deposit(detail::LeafSlot& leaf);
  void deposit();
  void undo_sweep(const Mark& to, bool retain);
  void gather_before(const Mark& mark);
  std::int32_t statements() const { return detail::index_of(recorder_.last); }
  void set_recording(std::uint32_t recording, std::int32_t statements);
  void drop_adjoints(std::int32_t first_slot);
  void reserve_adjoints(std::int32_t statements, std::int32_t inputs);
  std::int32_t join(detail::Node* parameter);
  std::int32_t join_slow(detail::Node* parameter);
  std::int32_t find_linked(const detail::Node* node) const;
  void make_record_room(std::size_t bytes);
  void link(detail::Node* y, std::int32_t slot);
  static void add(detail::Node*& sum, Tensor&& g);
  static void add(detail::Node*& sum, const Tensor& g);
  static void add_to(detail::Node*& sum, detail::Node* g);
  std::int32_t add_leaf(detail::Node* node, bool input);
  Mark start() const;

  detail::Recorder recorder_;
  Tape* parent_;
  const void* thread_;  // which thread made the tape
  detail::TapeStorage* storage_;
  double* adjoints_;              // element 0 in the middle: inputs below, statements above
  std::uint64_t generation_;      // of slots made now
  std::uint32_t id_, recording_;  // the parts of the stamp
  std::int32_t inputs_ = 0;
  std::int32_t input_room_ = 0;    // inputs that fit; 0 during a sweep
  std::int32_t swept_inputs_ = 0;  // inputs that existed at the last sweep
  std::int32_t swept_ = 0;         // statements whose adjoints of a retained sweep can be read
  std::int32_t most_ = 0;          // statements that were ever recorded at once
  std::int32_t gathered_ = 0;      // statements whose adjoints are being gathered for backward_from
  bool pending_ = false;  // backward_to gathered adjoints that backward_from has to carry on
  bool sweeping_ = false;
  bool retain_ = false;    // the sweep under way leaves the recording for another
  bool recorded_ = false;  // an outer tape or a vmap records the sweep under way
};

namespace detail {
AUTOGRAD_COLD double gradient_or_throw(const Var& x);
}  // namespace detail

// Functions of many inputs spend much of their time here: the questions that a mistake asks for are
// kept out of the way.
template <> AUTOGRAD_INLINE double Var::grad() const {
  if (const Tape* tape = detail::recorder->tape) [[likely]] {
    if (const double* gradient = tape->swept_input(tag_)) [[likely]]
      return *gradient;
  }
  return detail::gradient_or_throw(*this);
}

}  // namespace autograd
