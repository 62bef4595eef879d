// SPDX-License-Identifier: Apache-2.0
// What a structured operation is made of. An op is a small struct with its attributes and
//   static constexpr OpInfo info     name, formula and derivative for the op table
//   static std::vector<OpCase> cases()   what tests run: shapes and a call of the public function
//   Saves saved() const             what its backward pass reads; where that is not all of the inputs,
//   static constexpr unsigned kSavedInputs, a bit for each one that it does read
//   Tensor forward(inputs...) const  checks shapes, computes; nothing is recorded yet
//   void backward(saved, dy, dx) const
// backward is given the adjoint dy of the result and puts those of the operands into dx. Written with
// the functions of functions.hpp it can itself be recorded; where dx.recorded() is false it may call
// kernels instead. An op never sees the tape: apply.hpp stands between.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "../functions.hpp"
#include "../node_inline.hpp"
#include "../tensor.hpp"
#include "rows.hpp"

namespace autograd {

class Tape;

namespace detail {
/// Adds g to what has arrived at a slot of the tape.
void accumulate(Tape& tape, std::int32_t slot, Tensor&& g);
/// What has arrived there, where it is dense and nothing else holds it; else null.
Node* arrived(Tape& tape, std::int32_t slot);
/// Memory for the gradient of x, which arrives at that slot: x, no longer tracked, where only the record
/// being swept holds it and is about to go; else a new tensor.
Tensor in_place_of(const Tensor& x, const Tape& tape, std::int32_t slot);
}  // namespace detail
}  // namespace autograd

namespace autograd::detail {
[[noreturn]] AUTOGRAD_COLD void throw_saved_changed(const char* function, const Node* node);
}  // namespace autograd::detail

namespace autograd::ops {

/// One line of the op table.
struct OpInfo {
  const char* name;
  const char* value;
  const char* derivative;
  const char* note = "";
};

/// A test case: inputs of these shapes, drawn from `range`, given to f.
struct OpCase {
  const char* label;
  std::vector<Shape> inputs;
  TensorFunction f;
  Interval range = {-2, 2};
};

enum class Saves : std::uint8_t { nothing, inputs, output, both };

constexpr bool saves_inputs(Saves saves) { return saves == Saves::inputs || saves == Saves::both; }
constexpr bool saves_output(Saves saves) { return saves == Saves::output || saves == Saves::both; }

/// What was saved; the tensors not asked for are undefined.
template <std::size_t N> struct Saved {
  std::array<Tensor, N> in;
  Tensor y;
};

/// A tensor that an op reads without differentiating it: a condition, an index.
class Attribute {
 public:
  Attribute(Tensor x)
      : tensor_(std::move(x)),
        version_(tensor_.node()->base->version.load(std::memory_order_relaxed)) {}
  const Tensor& tensor() const { return tensor_; }
  /// For backward: throws TapeError when its elements were changed in place since.
  const Tensor& unchanged(const char* function) const {
    const detail::Node* node = tensor_.node();
    if (version_ != node->base->version.load(std::memory_order_relaxed)) {
      detail::throw_saved_changed(function, node);
    }
    return tensor_;
  }

 private:
  Tensor tensor_;
  std::uint32_t version_;
};

/// Where backward puts the adjoints of the operands, each at most once.
template <std::size_t N> class Gradients {
 public:
  Gradients(Tape& tape, const std::array<std::int32_t, N>& slots, bool recorded)
      : tape_(tape), slots_(slots), recorded_(recorded) {}
  /// The operand is tracked; the adjoint of one that is not is thrown away.
  bool wants(std::size_t k) const { return slots_[k] != 0; }
  /// An outer tape records this backward pass: it has to be written in recorded functions.
  bool recorded() const { return recorded_; }
  /// What has arrived at the operand so far, where a rule that nothing records may add to its elements
  /// in place of calling set; else null.
  detail::Node* sum(std::size_t k) const {
    return slots_[k] ? detail::arrived(tape_, slots_[k]) : nullptr;
  }
  /// Where the gradient of the saved operand x can be written: into x itself when nothing reads it after
  /// this rule, which nothing records; else a new tensor.
  Tensor in_place_of(std::size_t k, const Tensor& x) const {
    return detail::in_place_of(x, tape_, slots_[k]);
  }
  void set(std::size_t k, Tensor&& gradient) {
    if (slots_[k]) detail::accumulate(tape_, slots_[k], std::move(gradient));
  }
  void set(std::size_t k, const Tensor& gradient) { set(k, Tensor(gradient)); }

 protected:
  Tape& tape_;
  const std::array<std::int32_t, N>& slots_;
  bool recorded_;
};

/// True when nothing else sees the elements of x.
inline bool unshared(const detail::Node* x) {
  return detail::unique(x) && x->base == x && x->contiguous;
}
/// True when they may be changed, too: no tape knows x, nor does anyone know which rows are zero.
inline bool exclusive(const detail::Node* x) { return unshared(x) && !x->more; }

/// x itself when it is contiguous, else a copy in row-major order that no tape sees.
Tensor row_major(const Tensor& x);

/// x as kernels want it: x itself when it is contiguous, else a copy that lives as long as this.
class Dense {
 public:
  explicit Dense(const Tensor& x) : node_(x.node()) {
    if (!node_->contiguous) [[unlikely]] {
      copy_ = row_major(x);
      node_ = copy_.node();
    }
  }
  template <class T> const T* data() const { return static_cast<const T*>(node_->data); }
  const detail::Node* node() const { return node_; }

 private:
  Tensor copy_;
  const detail::Node* node_;
};

/// A fresh contiguous tensor, elements uninitialized.
inline Tensor make(const Shape& shape, DType dtype) {
  return Tensor::adopt(detail::make_node(shape, dtype));
}
/// The same with the shape and dtype of a contiguous tensor.
AUTOGRAD_INLINE Tensor make_same(const detail::Node* x) {
  return Tensor::adopt(detail::make_like(x));
}
/// A fresh tensor [], [rows, columns] or [n].
AUTOGRAD_INLINE Tensor make_scalar(DType dtype) {
  return Tensor::adopt(detail::make_scalar(dtype));
}
AUTOGRAD_INLINE Tensor make_matrix(std::int64_t rows, std::int64_t columns, DType dtype) {
  return Tensor::adopt(detail::make_matrix(rows, columns, dtype));
}
AUTOGRAD_INLINE Tensor make_vector(std::int64_t n, DType dtype) {
  return Tensor::adopt(detail::make_vector(n, dtype));
}
template <class T> T* data(const Tensor& x) {
  void* elements = x.node()->data;
  if (!elements) [[unlikely]]
    detail::throw_batched();
  return static_cast<T*>(elements);
}
inline std::size_t count(const Tensor& x) { return static_cast<std::size_t>(x.node()->numel); }

}  // namespace autograd::ops
