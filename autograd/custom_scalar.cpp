// SPDX-License-Identifier: Apache-2.0
#include "custom_scalar.hpp"

#include <algorithm>
#include <new>
#include <string>

#include "tape_inline.hpp"

namespace autograd {

namespace {

void require_sizes(const char* function, std::size_t partials, std::size_t outputs,
                   std::size_t inputs) {
  if (partials == outputs * inputs) return;
  throw ShapeError(std::string(function) + ": " + std::to_string(partials) +
                   " partial derivatives of " + std::to_string(outputs) + " outputs by " +
                   std::to_string(inputs) + " inputs; need one for each pair (" +
                   std::to_string(outputs * inputs) + ")");
}

// One statement; a longer one than the tape takes becomes a chain in which each carries the last on.
detail::Tag record_statement(std::span<const Var> inputs, std::span<const double> partials) {
  constexpr std::size_t kMost = detail::kMaxArguments;
  detail::Entry entries[kMost];
  detail::Tag tags[kMost];
  detail::Tag y = detail::kPassive;
  for (std::size_t done = 0; done < inputs.size();) {
    int n = 0;
    const auto add = [&](double partial, detail::Tag tag) {
      entries[n].partial = partial;
      entries[n].index = detail::index_of(tag);
      tags[n++] = tag;
    };
    if (!(y & detail::kPassive)) add(1.0, y);
    for (; done < inputs.size() && n < static_cast<int>(kMost); ++done) {
      if (!(inputs[done].tag() & detail::kPassive)) add(partials[done], inputs[done].tag());
    }
    if (n > 0) y = detail::record_mixed(entries, tags, n);
    if (y == detail::kFailed) detail::throw_failure();
  }
  return y;
}

// The scalars follow the record on the stream, so that their adjoints are complete when the sweep
// arrives here.
struct VjpRecord : detail::Record {
  ScalarVjp vjp;
  std::vector<std::int32_t> inputs;
  std::int32_t first = 0, n = 0;  // n is set when the scalars are there

  VjpRecord(ScalarVjp f, std::vector<std::int32_t> in)
      : Record{&kInfo}, vjp(std::move(f)), inputs(std::move(in)) {}
  static void sweep(Record& base, Tape& tape, Tensor&) {
    auto& record = static_cast<VjpRecord&>(base);
    const double* adjoints = &tape.adjoint(record.first);
    const std::vector<double> dy(adjoints, adjoints + record.n);
    if (std::all_of(dy.begin(), dy.end(), [](double d) { return d == 0; })) return;
    std::vector<double> dx(record.inputs.size(), 0.0);
    record.vjp(dy, dx);
    for (std::size_t i = 0; i < dx.size(); ++i) {
      if (record.inputs[i]) tape.adjoint(record.inputs[i]) += dx[i];  // index 0 is a constant
    }
  }
  static void destroy(Record& base) noexcept { static_cast<VjpRecord&>(base).~VjpRecord(); }
  static constexpr detail::RecordInfo kInfo{"custom_vjp", &sweep, &destroy};
};

}  // namespace

Var precomputed_gradients(double value, std::span<const Var> inputs,
                          std::span<const double> partials) {
  require_sizes("precomputed_gradients", partials.size(), 1, inputs.size());
  const Tape* tape = detail::recorder->tape;
  if (!tape) return value;
  for (const Var& x : inputs) (void)tape->resolve(x.tag());  // throws before anything is recorded
  return {value, record_statement(inputs, partials)};
}

Var precomputed_gradients(double value, std::initializer_list<Var> inputs,
                          std::initializer_list<double> partials) {
  return precomputed_gradients(value, std::span<const Var>(inputs.begin(), inputs.size()),
                               std::span<const double>(partials.begin(), partials.size()));
}

std::vector<Var> precomputed_jacobian(std::span<const double> values, std::span<const Var> inputs,
                                      std::span<const double> jacobian) {
  require_sizes("precomputed_jacobian", jacobian.size(), values.size(), inputs.size());
  std::vector<Var> y;
  y.reserve(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    y.push_back(precomputed_gradients(values[i], inputs,
                                      jacobian.subspan(i * inputs.size(), inputs.size())));
  }
  return y;
}

std::vector<Var> custom_vjp(std::span<const double> values, std::span<const Var> inputs,
                            ScalarVjp vjp) {
  if (!vjp) throw ValueError("custom_vjp: vjp is empty; need a function to call");
  std::vector<Var> y(values.begin(), values.end());
  Tape* tape = detail::recorder->tape;
  if (!tape || y.empty()) return y;
  std::vector<std::int32_t> indices;
  indices.reserve(inputs.size());
  bool any = false;
  for (const Var& x : inputs) {
    indices.push_back(tape->resolve(x.tag()));
    any = any || indices.back() != 0;
  }
  if (!any) return y;
  auto* record = tape->append<VjpRecord>(nullptr, std::move(vjp), std::move(indices));
  const auto n = static_cast<std::int32_t>(y.size());
  record->first = tape->add_values(n);
  record->n = n;
  for (std::int32_t i = 0; i < n; ++i) {
    const detail::Tag tag = detail::make_tag(detail::stamp_of(tape->last()), record->first + i);
    y[static_cast<std::size_t>(i)] = Var(values[static_cast<std::size_t>(i)], tag);
  }
  return y;
}

}  // namespace autograd
