// SPDX-License-Identifier: Apache-2.0
// custom_function: an operation whose derivative the user gives.
#include <new>

#include "apply.hpp"
#include "unrecorded.hpp"

namespace autograd {

namespace {

struct CustomRecord : detail::Record {
  BackwardFunction backward;
  std::vector<Tensor> inputs;
  Tensor y;
  std::vector<std::int32_t> slots;
  std::vector<std::uint32_t> versions;
  bool strict;  // backward may not read elements where it is recorded

  CustomRecord(BackwardFunction b, std::vector<Tensor> in, Tensor result,
               std::vector<std::int32_t> s, bool is_strict)
      : Record{&kInfo},
        backward(std::move(b)),
        inputs(std::move(in)),
        y(std::move(result)),
        slots(std::move(s)),
        strict(is_strict) {
    for (const Tensor& x : inputs) versions.push_back(detail::version_of(x.node()));
    versions.push_back(detail::version_of(y.node()));
  }

  void check(const std::vector<Tensor>& gradients) const {
    if (gradients.size() != inputs.size()) {
      throw ShapeError("custom_function: backward returned " + std::to_string(gradients.size()) +
                       " gradients; need one for each of the " + std::to_string(inputs.size()) +
                       " inputs (undefined: none)");
    }
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      const Tensor& g = gradients[k];
      if (!g.defined() || (g.shape() == inputs[k].shape() && g.dtype() == inputs[k].dtype())) {
        continue;
      }
      throw ShapeError("custom_function: gradient " + std::to_string(k) + " does not fit: it is " +
                       name(g.dtype()) + " " + to_string(g.shape()) + ", input " +
                       std::to_string(k) + " is " + name(inputs[k].dtype()) + " " +
                       to_string(inputs[k].shape()) + "; need equal shape and dtype");
    }
  }

  static void sweep(Record& base, Tape& tape, Tensor& dy) {
    auto& record = static_cast<CustomRecord&>(base);
    for (std::size_t k = 0; k <= record.inputs.size(); ++k) {
      const Tensor& saved = k < record.inputs.size() ? record.inputs[k] : record.y;
      const detail::Node* node = saved.node();
      if (record.versions[k] != detail::version_of(node)) {
        detail::throw_saved_changed("custom_function", node);
      }
    }
    const bool outer =
        std::exchange(detail::rule_is_recorded, detail::recorder->tape && record.strict);
    std::vector<Tensor> gradients;
    try {
      gradients = record.backward(record.inputs, record.y, dy);
    } catch (...) {
      detail::rule_is_recorded = outer;
      throw;
    }
    detail::rule_is_recorded = outer;
    record.check(gradients);
    for (std::size_t k = 0; k < gradients.size(); ++k) {
      if (record.slots[k] && gradients[k].defined()) {
        tape.accumulate(record.slots[k], std::move(gradients[k]));
      }
    }
  }
  static void destroy(Record& base) noexcept { static_cast<CustomRecord&>(base).~CustomRecord(); }
  static detail::RecordView view(const Record& base) {
    const auto& record = static_cast<const CustomRecord&>(base);
    return {record.slots, record.inputs, &record.y};
  }
  static constexpr detail::RecordInfo kInfo{"custom_function", &sweep, &destroy, &view};
};

// The user's forward with nothing recorded: only its result counts.
Tensor run(const TensorFunction& forward, const std::vector<Tensor>& inputs) {
  const detail::Unrecorded scope;
  std::vector<Tensor> values;
  for (const Tensor& x : inputs) values.push_back(detach(x));
  // A node of its own: forward may return an input.
  return detach(forward(values));
}

}  // namespace

TensorFunction custom_function(TensorFunction forward, BackwardFunction backward) {
  return detail::custom_function(std::move(forward), std::move(backward), true);
}

TensorFunction detail::custom_function(TensorFunction forward, BackwardFunction backward,
                                       bool strict) {
  if (!forward || !backward) {
    throw ValueError(std::string("custom_function: ") + (forward ? "backward" : "forward") +
                     " is empty; need a function to call");
  }
  return [forward = std::move(forward), backward = std::move(backward),
          strict](const std::vector<Tensor>& inputs) {
    for (const Tensor& x : inputs) {
      if (x.defined() && detail::is_batched(x.node())) detail::throw_batched();
    }
    Tensor y = run(forward, inputs);
    if (detail::modes & detail::kAnomaly) {
      std::vector<const detail::Node*> nodes;
      for (const Tensor& x : inputs) nodes.push_back(x.node());
      detail::check_forward("custom_function", nodes.data(), nodes.size(), y.node(), false);
    }
    for (Tape* tape = detail::recorder->tape; tape; tape = tape->parent()) {
      std::vector<std::int32_t> slots;
      bool any = false;
      for (const Tensor& x : inputs) {
        slots.push_back(detail::slot_of(*tape, x.node(), "custom_function"));
        any = any || slots.back() != 0;
      }
      if (!any) continue;
      tape->append<CustomRecord>(y.node(), backward, inputs, y, std::move(slots), strict);
    }
    return y;
  };
}

}  // namespace autograd
