// SPDX-License-Identifier: Apache-2.0
// What apply() knows of vmap. Internal.
//
// Inside vmap a tensor that stands for all examples is a *batched* node: it has the shape of one example,
// no elements (data is null), and refers to the tensor [examples, ...] that has them, its physical one.
// An operation on batched nodes is done on the physical tensors, and recorded there, by the tapes outside
// of the vmap; tapes made inside of it record the operation on the batched nodes as it is written, so
// that their sweeps run for all examples, too. Backward rules then run in recorded functions.
//
// Whatever reads the elements of a batched node, a null pointer, throws NotBatched, and vmap calls the
// function for each example instead: no path needs to know of batches to be right.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "modes.hpp"
#include "recorder.hpp"
#include "tensor.hpp"

namespace autograd::detail {

/// Thrown by what has no meaning for a batch. A user sees it for a tensor that has left its vmap.
struct NotBatched : TapeError {
  using TapeError::TapeError;
};

/// A call of vmap that is running in this thread.
class VmapScope {
 public:
  explicit VmapScope(std::int64_t examples);
  ~VmapScope();
  VmapScope(const VmapScope&) = delete;
  VmapScope& operator=(const VmapScope&) = delete;

  std::int64_t size() const { return size_; }
  std::uint64_t serial() const { return serial_; }
  const VmapScope* outer() const { return outer_; }
  /// The innermost tape outside of it; null: none.
  Tape* tape() const { return recorder_->tape; }
  Recorder* recorder() const { return recorder_; }

 private:
  std::int64_t size_;
  std::uint64_t serial_;
  VmapScope* outer_;
  Recorder* recorder_;
};

/// While in scope, what is recorded is recorded by the tapes outside of a vmap.
class Outside {
 public:
  explicit Outside(const VmapScope& scope) : saved_(recorder) { set(scope.recorder()); }
  ~Outside() { set(saved_); }
  Outside(const Outside&) = delete;
  Outside& operator=(const Outside&) = delete;

 private:
  static void set(Recorder* to) {
    recorder = to;
    fusable = 0;
  }
  Recorder* saved_;
};

/// The innermost vmap that one of the nodes belongs to; null when none is batched. Throws NotBatched
/// for a node of a vmap that has ended.
const VmapScope* batch_scope(Node* const* in, std::size_t n);
const VmapScope* batch_scope(std::initializer_list<Tensor> in);

/// An operand as the tensors outside of a vmap are computed with.
struct BatchOperand {
  Tensor x;     ///< [examples, ...] when batched
  int dim = 0;  ///< axes of one example
  bool batched = false;
};
BatchOperand operand_of(Node* node, const VmapScope& scope);
/// The physical tensor with axes of extent 1 behind the examples, so that it broadcasts as one example of
/// `dim` axes does.
Tensor aligned(const BatchOperand& x, int dim);
/// The batched tensor of a physical one.
Tensor batched(const Tensor& physical, const VmapScope& scope);
/// Another node for the same elements; `physical` of a batched one is detached.
Tensor detached_batch(const Tensor& x);
Tensor alias_of_batch(const Tensor& x);
/// f(op, one example of each operand) for one example after the other, stacked.
Tensor batch_loop(const void* op, Tensor (*f)(const void* op, const Tensor* x),
                  const BatchOperand* x, std::size_t n, std::int64_t examples);

}  // namespace autograd::detail
