// SPDX-License-Identifier: Apache-2.0
// apply() for ops of any number of operands: forward takes them as a list, backward(k, dy) returns the
// adjoint of the k-th and reads no operand. Internal.
#pragma once

#include <utility>
#include <vector>

#include "apply.hpp"

namespace autograd {

namespace detail {

template <class Op> struct ListRecord : Record {
  Op op;
  std::vector<std::int32_t> slots;

  ListRecord(const Op& o, std::vector<std::int32_t> s)
      : Record{&kInfo}, op(o), slots(std::move(s)) {}
  static void sweep(Record& base, Tape& tape, Tensor& dy) {
    auto& record = static_cast<ListRecord&>(base);
    for (std::size_t k = 0; k < record.slots.size(); ++k) {
      if (record.slots[k]) tape.accumulate(record.slots[k], record.op.backward(k, dy));
    }
  }
  static void destroy(Record& base) noexcept { static_cast<ListRecord&>(base).~ListRecord(); }
  static RecordView view(const Record& base) {
    return {static_cast<const ListRecord&>(base).slots, {}};
  }
  static constexpr RecordInfo kInfo{Op::info.name, &sweep, &destroy, &view};
};

}  // namespace detail

template <class Op>
void record_list(const Op& op, const std::vector<Tensor>& inputs, const Tensor& y,
                 const Tape* end) {
  for (Tape* tape = detail::recorder->tape; tape && tape != end; tape = tape->parent()) {
    std::vector<std::int32_t> slots;
    bool any = false;
    for (const Tensor& x : inputs) {
      slots.push_back(detail::slot_of(*tape, x.node(), Op::info.name));
      any = any || slots.back() != 0;
    }
    if (any) tape->append<detail::ListRecord<Op>>(y.node(), op, std::move(slots));
  }
}

/// Inside vmap; `batch_list(op, physical tensors)` does it for all examples.
template <class Op>
AUTOGRAD_COLD Tensor apply_list_batched(const Op& op, const std::vector<Tensor>& inputs,
                                        const detail::VmapScope& scope) {
  Tensor y;
  {
    const detail::Outside outside(scope);
    std::vector<Tensor> all;
    for (const Tensor& x : inputs) {
      const detail::BatchOperand operand = detail::operand_of(x.node(), scope);
      all.push_back(operand.batched
                        ? operand.x
                        : broadcast_to(x, detail::with_examples(scope.size(), x.shape())));
    }
    y = detail::batched(batch_list(op, all), scope);
  }
  record_list(op, inputs, y, scope.tape());
  return y;
}

/// y = op.forward(inputs), recorded.
template <class Op> Tensor apply_list(const Op& op, const std::vector<Tensor>& inputs) {
  static_assert(ops::kListed<Op>, "this op is not in ops/list.hpp: add it to the list");
  if (detail::modes & detail::kVmap) [[unlikely]] {
    std::vector<detail::Node*> nodes;
    for (const Tensor& x : inputs) nodes.push_back(x.node());
    if (const auto* scope = detail::batch_scope(nodes.data(), nodes.size())) {
      return apply_list_batched(op, inputs, *scope);
    }
  }
  Tensor y = op.forward(inputs);
  if (detail::modes & detail::kAnomaly) [[unlikely]] {
    std::vector<const detail::Node*> nodes;
    for (const Tensor& x : inputs) nodes.push_back(x.node());
    detail::check_forward(Op::info.name, nodes.data(), nodes.size(), y.node(), false);
  }
  record_list(op, inputs, y, nullptr);
  return y;
}

}  // namespace autograd
