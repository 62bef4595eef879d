// SPDX-License-Identifier: Apache-2.0
// The checks and messages of anomaly mode. All of it runs behind the test of detail::modes.
#include "anomaly.hpp"

#include <atomic>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "modes.hpp"
#include "ops/op.hpp"
#include "statement_sweep.hpp"
#include "tape_inline.hpp"
#include "text.hpp"

namespace autograd {

constinit thread_local std::uint32_t detail::modes = detail::kNoMode;

namespace {

constinit thread_local AnomalyMode* innermost_scope = nullptr;
constinit std::atomic<detail::ModuleLookup> module_lookup = nullptr;

/// What a tensor holds besides finite numbers, and where the first of them is.
struct Content {
  bool nan = false, infinite = false;
  std::int64_t first = -1, count = 0, numel = 0;
  double value = 0;

  bool finite() const { return !nan && !infinite; }
  void add(const Content& other) {
    nan = nan || other.nan;
    infinite = infinite || other.infinite;
  }
};

Content content_of(const Tensor& x) {
  Content content;
  if (!x.defined() || !is_floating(x.dtype()) || !x.node()->data) return content;
  const ops::Dense elements(x);
  content.numel = x.numel();
  dispatch_floating("anomaly", x.dtype(), [&]<class T>(T) {
    const T* p = elements.data<T>();
    T all = 0;  // stays 0, or becomes NaN
    for (std::int64_t i = 0; i < content.numel; ++i) all += p[i] * T{0};
    if (all == 0) return;
    for (std::int64_t i = 0; i < content.numel; ++i) {
      if (std::isfinite(p[i])) continue;
      content.nan = content.nan || std::isnan(p[i]);
      content.infinite = content.infinite || std::isinf(p[i]);
      if (content.count++ == 0) {
        content.first = i;
        content.value = static_cast<double>(p[i]);
      }
    }
  });
  return content;
}

bool blamed(const Content& in, const Content& out, bool infinity_allowed) {
  return (out.nan && !in.nan) || (out.infinite && in.finite() && !infinity_allowed);
}

bool infinity_allowed() {
  const AnomalyMode* scope = AnomalyMode::innermost();
  return scope && scope->options().allow_infinity;
}

// "nan at [1, 2] of the result [2, 3], the first of 4".
std::string found(const Content& content, const std::string& what, const Shape& shape) {
  std::string index;
  std::int64_t rest = content.first;
  for (int i = shape.dim(); i-- > 0; rest /= shape[i]) {
    index = std::to_string(rest % shape[i]) + (index.empty() ? "" : ", ") + index;
  }
  std::string text =
      detail::text(content.value) + " at [" + index + "] of " + what + " " + to_string(shape);
  if (content.count > 1) text += ", the first of " + std::to_string(content.count);
  return text;
}

std::string module_of(const Tensor& parameter) {
  const detail::ModuleLookup lookup = module_lookup.load(std::memory_order_acquire);
  return parameter.defined() && lookup ? lookup(parameter) : "";
}

// The path as a part of the message; `reads`: the operation itself reads the parameter.
std::string place(const Tensor& parameter, bool reads) {
  const std::string path = module_of(parameter);
  if (path.empty()) return "";
  return std::string("; ") + (reads ? "module '" : "after module '") + path + "'";
}

constexpr const char* kNeed =
    "; need finite results of finite operands (AnomalyMode; {.allow_infinity = true} looks for NaN "
    "alone)";

const char* had(const Content& in) { return in.finite() ? ", all finite" : ", no NaN"; }

[[noreturn]] void throw_forward(const char* op, const detail::Node* const* in, std::size_t n,
                                const Tensor& y, const Content& inputs, const Content& result) {
  AnomalyMode* scope = AnomalyMode::innermost();
  std::string shapes;
  Tensor parameter = scope->last_parameter;
  bool reads = false;
  for (std::size_t k = 0; k < n; ++k) {
    shapes += (k ? ", " : "") + to_string(in[k]->shape);
    reads = reads || in[k]->requires_grad;
  }
  const std::string where =
      scope->backward_of ? "in backward of " + std::string(scope->backward_of) : "in forward";
  throw AnomalyError(std::string(op) + ": anomaly " + where + ": " +
                     found(result, "the result", y.shape()) + "; operands: " + shapes +
                     had(inputs) + place(parameter, reads) + kNeed);
}

/// Backward of one record.
struct Watched {
  detail::Record& record;
  Tape& tape;
  detail::RecordView view;
  Content known;  // of dy and of what the rule reads
  Shape dy;

  Tensor saved(std::size_t k) const { return k < view.saved.size() ? view.saved[k] : Tensor(); }
  [[noreturn]] void fail(std::size_t k, const Content& content, const Shape& shape) const;
};

// The parameter that the record reads, by what it saved or by the slot of a leaf.
Tensor parameter_of(const detail::Record& record, Tape& tape) {
  if (!record.info->view) return {};
  const detail::RecordView view = record.info->view(record);
  for (std::size_t k = 0; k < view.slots.size(); ++k) {
    if (k < view.saved.size() && view.saved[k].defined() && view.saved[k].requires_grad()) {
      return view.saved[k];
    }
    detail::Node* leaf = tape.leaf_at(view.slots[k]);
    if (leaf && leaf->requires_grad) return Tensor::share(leaf);
  }
  return {};
}

void Watched::fail(std::size_t k, const Content& content, const Shape& shape) const {
  std::string shapes;
  for (std::size_t i = 0; i < view.slots.size(); ++i) {
    const Tensor x = saved(i);
    shapes += (i ? ", " : "") + (x.defined() ? to_string(x.shape())
                                 : i == k    ? to_string(shape)
                                             : "not saved");
  }
  Tensor parameter = parameter_of(record, tape);
  const bool reads = parameter.defined();
  // Else the module that ran before.
  for (const detail::Record* r = record.previous; r && !parameter.defined(); r = r->previous) {
    parameter = parameter_of(*r, tape);
  }
  throw AnomalyError(std::string(record.info->name) + ": anomaly in backward: " +
                     found(content, "the gradient of operand " + std::to_string(k) + ",", shape) +
                     "; operands: " + shapes + "; dy: " + to_string(dy) + had(known) +
                     place(parameter, reads) + kNeed);
}

[[noreturn]] void throw_scalar_anomaly(std::int32_t statement, std::uint32_t argument,
                                       std::uint32_t arguments, std::int32_t index, double partial,
                                       double adjoint) {
  const std::string by = index < 0 ? "input " + std::to_string(-index) + " of the tape"
                                   : "statement " + std::to_string(index);
  throw AnomalyError(
      "Var: anomaly in backward: statement " + std::to_string(statement) + " of the tape, of " +
      std::to_string(arguments) + " arguments, carries an adjoint that is not finite to argument " +
      std::to_string(argument) + " (" + by + "): adjoint " + detail::text(adjoint) +
      ", partial derivative " + detail::text(partial) +
      "; need finite partial derivatives (count statements with tape.size() while recording)");
}

}  // namespace

AnomalyMode::AnomalyMode(AnomalyOptions options) : options_(options), outer_(innermost_scope) {
  innermost_scope = this;
  detail::modes |= detail::kAnomaly;
}

AnomalyMode::~AnomalyMode() {
  innermost_scope = outer_;
  if (!outer_) detail::modes &= ~static_cast<std::uint32_t>(detail::kAnomaly);
}

AnomalyMode* AnomalyMode::innermost() { return innermost_scope; }

void detail::set_module_lookup(ModuleLookup lookup) {
  module_lookup.store(lookup, std::memory_order_release);
}

void detail::check_forward(const char* op, const Node* const* in, std::size_t n, const Node* y,
                           bool deliberate) {
  AnomalyMode* scope = AnomalyMode::innermost();
  for (std::size_t k = 0; k < n && !scope->backward_of; ++k) {
    if (in[k]->requires_grad) scope->last_parameter = Tensor::share(const_cast<Node*>(in[k]));
  }
  const Tensor result = Tensor::share(const_cast<Node*>(y));
  const Content made = content_of(result);
  if (made.finite()) [[likely]]
    return;
  Content inputs;
  for (std::size_t k = 0; k < n; ++k) {
    inputs.add(content_of(Tensor::share(const_cast<Node*>(in[k]))));
  }
  if (!blamed(inputs, made, deliberate || infinity_allowed())) return;
  throw_forward(op, in, n, result, inputs, made);
}

void detail::sweep_checked(Record& record, Tape& tape, Tensor& dy) {
  Watched watched{record, tape, {}, content_of(dy), dy.defined() ? dy.shape() : Shape{}};
  if (record.info->view) watched.view = record.info->view(record);
  for (const Tensor& x : watched.view.saved) watched.known.add(content_of(x));
  if (watched.view.y) watched.known.add(content_of(*watched.view.y));
  // What had arrived before is set aside, so that what this rule adds can be seen.
  const auto slots = watched.view.slots;
  std::vector<Tensor> before(slots.size());
  for (std::size_t k = 0; k < slots.size(); ++k) {
    if (slots[k]) before[k] = Tensor::adopt(std::exchange(tape.adjoint_at(slots[k]), nullptr));
  }
  AnomalyMode* scope = AnomalyMode::innermost();
  const char* outer = std::exchange(scope->backward_of, record.info->name);
  try {
    record.info->sweep(record, tape, dy);
  } catch (...) {
    scope->backward_of = outer;
    throw;
  }
  scope->backward_of = outer;
  for (std::size_t k = 0; k < slots.size(); ++k) {
    if (!slots[k]) continue;
    bool again = false;  // f(x, x): both gradients are in the first's slot
    for (std::size_t i = 0; i < k; ++i) again = again || slots[i] == slots[k];
    if (again) continue;
    if (Node* added = tape.adjoint_at(slots[k])) {
      const Content content = content_of(Tensor::share(added));
      if (blamed(watched.known, content, infinity_allowed())) {
        watched.fail(k, content, added->shape);
      }
      if (before[k].defined()) {  // the sum may overflow where its parts do not
        watched.known.add(content);
        watched.known.add(content_of(before[k]));
        tape.accumulate(slots[k], std::move(before[k]));
        const Content sum = content_of(Tensor::share(tape.adjoint_at(slots[k])));
        if (blamed(watched.known, sum, infinity_allowed())) watched.fail(k, sum, added->shape);
      }
    } else if (before[k].defined()) {
      tape.accumulate(slots[k], std::move(before[k]));
    }
  }
}

bool detail::sweep_statements_checked(double* adjoint, Cursor<double>& cursor, std::int32_t low) {
  auto& [e, count, k] = cursor;
  while (k > low) {
    const std::int32_t statement = k--;
    const double a = adjoint[statement];
    const auto m = static_cast<std::uint32_t>(*count++);
    if (m == static_cast<std::uint32_t>(kTensorRecord)) {
      --e;
      return true;
    }
    e -= m;
    if (a == 0) continue;
    for (std::uint32_t j = m; j-- > 0;) {  // the order of sweep_statements: the same bits
      double& sum = adjoint[e[j].index];
      const double before = sum, partial = e[j].get();
      sum = add_product(before, partial, a);
      if (std::isfinite(sum) || !std::isfinite(before) || !std::isfinite(a)) continue;
      if (e[j].index == 0) continue;  // a constant
      if (std::isinf(sum) && infinity_allowed()) continue;
      throw_scalar_anomaly(statement, j, m, e[j].index, partial, a);
    }
  }
  return false;
}

}  // namespace autograd
