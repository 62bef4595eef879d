// SPDX-License-Identifier: Apache-2.0
// Between an op and the tapes: computes, then appends a record to every tape in scope that tracks an
// operand. Internal; the public functions are one line each on top of it.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <new>
#include <string>
#include <utility>

#include "batching.hpp"
#include "modes.hpp"
#include "ops/list.hpp"
#include "ops/op.hpp"
#include "tape_inline.hpp"

namespace autograd {

namespace detail {

[[noreturn]] AUTOGRAD_COLD void throw_stale(const char* function);
/// Throws unless a tape in scope, or one that is being swept, recorded the node: a value that none of
/// them knows would silently count as a constant.
AUTOGRAD_COLD void require_known(Node* node, const char* function);
[[noreturn]] AUTOGRAD_COLD void throw_changed(const char* function, const Node* node);

inline std::uint32_t version_of(const Node* node) {
  return node->base->version.load(std::memory_order_relaxed);
}

/// In place of the version of a tensor that was saved for its shape alone.
inline constexpr std::uint32_t kUnchecked = ~0u;

/// The slot of an operand on a tape. A value that was changed in place after it was recorded no longer
/// is what the tape knows of, so using it throws; so does one that no tape in scope knows.
AUTOGRAD_INLINE std::int32_t slot_of(Tape& tape, Node* node, const char* function) {
  if (node->generation == 0 && !node->requires_grad) return 0;
  const std::int32_t slot = tape.find(node);
  if (slot > 0 && node->tracked_version != version_of(node)) [[unlikely]] {
    throw_changed(function, node);
  }
  if (slot == 0) [[unlikely]]
    require_known(node, function);
  return slot;
}

/// Ops that save nothing, whatever the operands: their records need no destruction.
template <class Op> inline constexpr bool kSavesNothing = false;
template <class Op>
  requires(requires { typename std::integral_constant<ops::Saves, Op::saved()>; })
inline constexpr bool kSavesNothing<Op> = Op::saved() == ops::Saves::nothing;

template <class Op, std::size_t N> struct SavedValues {
  ops::Saved<N> values;
  std::array<std::uint32_t, N + 1> versions;

  void check() const {
    constexpr bool kMayBeUnchecked = requires(const Op& op, const Node* x) {
      op.saves_shape(x, x);
    };
#pragma GCC unroll 4
    for (std::size_t k = 0; k <= N; ++k) {
      if constexpr (requires { Op::kSavedInputs; }) {
        if (k < N && !(Op::kSavedInputs >> k & 1)) continue;
      }
      const Node* node = k < N ? values.in[k].node() : values.y.node();
      if (!node || (kMayBeUnchecked && versions[k] == kUnchecked)) continue;
      if (versions[k] != version_of(node)) [[unlikely]]
        throw_saved_changed(Op::info.name, node);
    }
  }
};

/// What a backward rule is given; one that is a template over the class has set() without a call.
template <std::size_t N> class RecordGradients : public ops::Gradients<N> {
 public:
  using ops::Gradients<N>::Gradients;

  AUTOGRAD_INLINE void set(std::size_t k, Tensor&& gradient) {
    if (this->slots_[k]) this->tape_.accumulate(this->slots_[k], std::move(gradient));
  }
};

template <class Op, std::size_t N> struct OpRecord : Record {
  static constexpr bool kPlain = kSavesNothing<Op>;
  struct None {};

  Op op;
  std::array<std::int32_t, N> slots;
  std::conditional_t<kPlain, None, SavedValues<Op, N>> saved;

  OpRecord(const Op& o, const std::array<std::int32_t, N>& s) : Record{&kInfo}, op(o), slots(s) {}

  static void sweep(Record& base, Tape& tape, Tensor& dy) {
    auto& record = static_cast<OpRecord&>(base);
    if constexpr (requires { requires Op::kPassesThrough; }) {
      static_assert(N == 2);
      tape.pass(record.slots[0], record.slots[1], dy);
    } else {
      RecordGradients<N> dx(tape, record.slots, tape.recorded());
      if constexpr (kPlain) {
        record.op.backward({}, dy, dx);
      } else {
        record.saved.check();
        record.op.backward(record.saved.values, dy, dx);
      }
    }
  }
  static void destroy(Record& base) noexcept { static_cast<OpRecord&>(base).~OpRecord(); }
  static RecordView view(const Record& base) {
    const auto& record = static_cast<const OpRecord&>(base);
    if constexpr (kPlain) {
      return {record.slots, {}};
    } else {
      return {record.slots, record.saved.values.in, &record.saved.values.y};
    }
  }
  static constexpr RecordInfo kInfo{Op::info.name, &sweep, kPlain ? nullptr : &destroy, &view};
};

/// x = Tensor::share(node) for a fresh x, whose old value needs no release.
AUTOGRAD_INLINE void save(Tensor& x, Node* node) { new (&x) Tensor(Tensor::share(node)); }

template <class Op, std::size_t N>
AUTOGRAD_INLINE void record_on(Tape& tape, const Op& op, const std::array<Node*, N>& in,
                               const std::array<std::int32_t, N>& slots, Node* y) {
  auto* record = tape.append<OpRecord<Op, N>>(y, op, slots);
  if constexpr (!kSavesNothing<Op>) {
    auto& [values, versions] = record->saved;
    for (std::size_t k = 0; k < N; ++k) {
      if (ops::saves_inputs(op.saved())) {
        if constexpr (requires { Op::kSavedInputs; }) {
          if (!(Op::kSavedInputs >> k & 1)) continue;
        }
        save(values.in[k], in[k]);
        versions[k] = version_of(in[k]);
      } else if constexpr (requires { op.saves_shape(in[k], y); }) {
        if (op.saves_shape(in[k], y)) save(values.in[k], in[k]);
        versions[k] = kUnchecked;
      }
    }
    if (ops::saves_output(op.saved())) {
      save(values.y, y);
      versions[N] = version_of(y);
    }
  }
}

/// The slots of all operands on one tape; true when any is tracked.
template <class Op, std::size_t N>
AUTOGRAD_INLINE bool find_slots(Tape& tape, const std::array<Node*, N>& in,
                                std::array<std::int32_t, N>& slots) {
  std::int32_t any = 0;
#pragma GCC unroll 4
  for (std::size_t k = 0; k < N; ++k) any |= slots[k] = slot_of(tape, in[k], Op::info.name);
  return any != 0;
}

/// Records op(in...) = y on every tape in scope that tracks an operand.
template <class Op, std::size_t N>
AUTOGRAD_INLINE void record(const Op& op, const std::array<Node*, N>& in, Node* y) {
  for (Tape* tape = recorder->tape; tape; tape = tape->parent()) {
    std::array<std::int32_t, N> slots;
    if (!find_slots<Op>(*tape, in, slots)) continue;
    record_on(*tape, op, in, slots, y);
  }
}

template <class Op, std::size_t N>
Tensor apply_in_mode(const Op& op, const std::array<Node*, N>& in);

/// Infinities that an op was told to put into its result.
template <class Op> bool fills_with_infinity([[maybe_unused]] const Op& op) {
  if constexpr (requires { op.fill == 0.0; }) return std::isinf(op.fill);
  return false;
}

/// The operation on the operands [examples, ...] of a vmap, and recorded on the tapes inside of it.
template <class Op, std::size_t N>
AUTOGRAD_COLD Tensor apply_batched(const Op& op, const std::array<Node*, N>& in,
                                   const VmapScope& scope) {
  Tensor y;
  {
    const Outside outside(scope);
    std::array<BatchOperand, N> x;
    for (std::size_t k = 0; k < N; ++k) x[k] = operand_of(in[k], scope);
    if constexpr (requires { batch_rule(op, x, scope); }) {
      y = batched(batch_rule(op, x, scope), scope);
    } else if constexpr (requires { batch_rule(op, x); }) {
      y = batched(batch_rule(op, x), scope);
    } else {
      const auto one = [](const void* self, const Tensor* example) {
        std::array<Node*, N> nodes;
        for (std::size_t k = 0; k < N; ++k) nodes[k] = example[k].node();
        return apply_in_mode<Op, N>(*static_cast<const Op*>(self), nodes);
      };
      y = batched(batch_loop(&op, one, x.data(), N, scope.size()), scope);
    }
  }
  for (Tape* tape = recorder->tape; tape && tape != scope.tape(); tape = tape->parent()) {
    std::array<std::int32_t, N> slots;
    if (find_slots<Op>(*tape, in, slots)) record_on(*tape, op, in, slots, y.node());
  }
  return y;
}

/// apply() while a mode is on.
template <class Op, std::size_t N>
AUTOGRAD_COLD Tensor apply_in_mode(const Op& op, const std::array<Node*, N>& in) {
  if (modes & kVmap) {
    if (const VmapScope* scope = batch_scope(in.data(), N)) {
      return apply_batched<Op, N>(op, in, *scope);
    }
  }
  const Tensor y = [&]<std::size_t... K>(std::index_sequence<K...>) {
    return op.forward(Tensor::share(in[K])...);
  }
  (std::make_index_sequence<N>());
  if (modes & kAnomaly) {
    check_forward(Op::info.name, in.data(), N, y.node(), fills_with_infinity(op));
  }
  for (Tape* tape = recorder->tape; tape; tape = tape->parent()) {
    std::array<std::int32_t, N> slots;
    if (find_slots<Op>(*tape, in, slots)) record_on(*tape, op, in, slots, y.node());
  }
  return y;
}

}  // namespace detail

/// y = op.forward(inputs...), recorded.
template <class Op, class... Inputs>
AUTOGRAD_INLINE Tensor apply(const Op& op, const Inputs&... inputs) {
  static_assert(ops::kListed<Op>, "this op is not in ops/list.hpp: add it to the list");
  if (detail::modes) [[unlikely]]
    return detail::apply_in_mode<Op, sizeof...(Inputs)>(op, {inputs.node()...});
  Tensor y = op.forward(inputs...);
  if (!y.defined()) __builtin_unreachable();  // saves two tests in every record
  if (detail::recorder->tape) {
    detail::record<Op, sizeof...(Inputs)>(op, {inputs.node()...}, y.node());
  }
  return y;
}

}  // namespace autograd

#include "batch_rules.hpp"  // needs what is above
