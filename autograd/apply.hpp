// SPDX-License-Identifier: Apache-2.0
// Between an op and the tapes: computes, then appends a record to every tape in scope that tracks an
// operand. Internal; the public functions are one line each on top of it.
#pragma once

#include <array>
#include <cstdint>
#include <new>
#include <string>

#include "ops/list.hpp"
#include "ops/op.hpp"
#include "tape.hpp"
#include "tape_storage.hpp"

namespace autograd {

namespace detail {

[[noreturn]] AUTOGRAD_COLD void throw_stale(const char* function);
[[noreturn]] AUTOGRAD_COLD void throw_changed(const char* function, const Node* node);
[[noreturn]] AUTOGRAD_COLD void throw_saved_changed(const char* function, const Node* node);

inline std::uint32_t version_of(const Node* node) {
  return node->base->version.load(std::memory_order_relaxed);
}

/// In place of the version of a tensor that was saved for its shape alone.
inline constexpr std::uint32_t kUnchecked = ~0u;

/// The slot of an operand on a tape. A value that was changed in place after it was recorded no longer
/// is what the tape knows of, so using it throws.
inline std::int32_t slot_of(Tape& tape, Node* node, const char* function) {
  if (node->generation == 0 && !node->requires_grad) return 0;
  const std::int32_t slot = tape.find(node);
  if (slot > 0 && node->tracked_version != version_of(node)) throw_changed(function, node);
  return slot;
}

template <class Op, std::size_t N>
struct OpRecord : Record {
  Op op;
  std::array<std::int32_t, N> slots;
  ops::Saved<N> saved;
  std::array<std::uint32_t, N + 1> versions;

  OpRecord(const Op& o, const std::array<std::int32_t, N>& s) : Record{&kInfo}, op(o), slots(s) {}

  void check_versions() const {
    for (std::size_t k = 0; k <= N; ++k) {
      const Node* node = k < N ? saved.in[k].node() : saved.y.node();
      if (node && versions[k] != kUnchecked && versions[k] != version_of(node)) {
        throw_saved_changed(Op::info.name, node);
      }
    }
  }

  static void sweep(Record& base, Tape& tape, const Tensor& dy) {
    auto& record = static_cast<OpRecord&>(base);
    record.check_versions();
    ops::Gradients<N> dx(record.slots, recorder->tape != nullptr);
    record.op.backward(record.saved, dy, dx);
    for (std::size_t k = 0; k < N; ++k) {
      if (!record.slots[k]) continue;
      Tensor g = dx.take(k);
      if (g.defined()) tape.accumulate(record.slots[k], std::move(g));
    }
  }
  static void destroy(Record& base) noexcept { static_cast<OpRecord&>(base).~OpRecord(); }
  static constexpr RecordInfo kInfo{Op::info.name, &sweep, &destroy};
};

template <class Op, std::size_t N>
void record_on(Tape& tape, const Op& op, const std::array<Node*, N>& in,
               const std::array<std::int32_t, N>& slots, Node* y) {
  using R = OpRecord<Op, N>;
  static_assert(alignof(R) <= 16);
  R* record = new (tape.allocate_record(sizeof(R))) R(op, slots);
  for (std::size_t k = 0; k < N; ++k) {
    if (ops::saves_inputs(op.saved())) {
      record->saved.in[k] = Tensor::share(in[k]);
      record->versions[k] = version_of(in[k]);
    } else if constexpr (requires { op.saves_shape(in[k], y); }) {
      if (op.saves_shape(in[k], y)) record->saved.in[k] = Tensor::share(in[k]);
      record->versions[k] = kUnchecked;
    }
  }
  if (ops::saves_output(op.saved())) {
    record->saved.y = Tensor::share(y);
    record->versions[N] = version_of(y);
  }
  tape.push_record(record, y);
}

/// Records op(in...) = y on every tape in scope that tracks an operand.
template <class Op, std::size_t N>
void record(const Op& op, const std::array<Node*, N>& in, Node* y) {
  bool tracked = false, recorded = false;
  for (Tape* tape = recorder->tape; tape; tape = tape->parent()) {
    std::array<std::int32_t, N> slots;
    std::int32_t any = 0;
    for (std::size_t k = 0; k < N; ++k) {
      slots[k] = slot_of(*tape, in[k], Op::info.name);
      any |= slots[k];
    }
    if (any == 0) continue;
    record_on(*tape, op, in, slots, y);
    tracked = true;
  }
  if (tracked) return;
  for (Node* node : in) recorded = recorded || node->generation != 0;
  if (recorded) throw_stale(Op::info.name);
}

}  // namespace detail

/// y = op.forward(inputs...), recorded.
template <class Op, class... Inputs>
AUTOGRAD_INLINE Tensor apply(const Op& op, const Inputs&... inputs) {
  static_assert(ops::kListed<Op>, "this op is not in ops/list.hpp: add it to the list");
  Tensor y = op.forward(inputs...);
  if (detail::recorder->tape) {
    detail::record<Op, sizeof...(Inputs)>(op, {inputs.node()...}, y.node());
  }
  return y;
}

}  // namespace autograd
