// SPDX-License-Identifier: Apache-2.0
#include "scalars_and_tensors.hpp"

#include <new>

#include "apply.hpp"
#include "create.hpp"

namespace autograd {

namespace {

// A vector made of scalars: its adjoint goes to theirs.
struct StackRecord : detail::Record {
  std::vector<std::int32_t> indices;

  explicit StackRecord(std::vector<std::int32_t> i) : Record{&kInfo}, indices(std::move(i)) {}
  static void sweep(Record& base, Tape& tape, Tensor& dy) {
    auto& record = static_cast<StackRecord&>(base);
    const Tensor g = contiguous(dy);
    for (std::size_t i = 0; i < record.indices.size(); ++i) {
      // Index 0 is a constant.
      if (record.indices[i]) tape.adjoint(record.indices[i]) += ops::data<double>(g)[i];
    }
  }
  static void destroy(Record& base) noexcept { static_cast<StackRecord&>(base).~StackRecord(); }
  static constexpr detail::RecordInfo kInfo{"stack", &sweep, &destroy};
};

// Scalars taken from a vector: they follow the record on the stream, so that their adjoints are
// complete when the sweep arrives here.
struct UnstackRecord : detail::Record {
  std::int32_t slot, first = 0, n = 0;  // n is set when the scalars are there
  DType dtype;

  UnstackRecord(std::int32_t s, DType d) : Record{&kInfo}, slot(s), dtype(d) {}
  static void sweep(Record& base, Tape& tape, Tensor&) {
    auto& record = static_cast<UnstackRecord&>(base);
    bool any = false;
    for (std::int32_t i = 0; i < record.n; ++i) any = any || tape.adjoint(record.first + i) != 0;
    if (!any) return;
    Tensor g = ops::make({record.n}, record.dtype);
    dispatch_floating("unstack", record.dtype, [&]<class T>(T) {
      for (std::int32_t i = 0; i < record.n; ++i) {
        ops::data<T>(g)[i] = static_cast<T>(tape.adjoint(record.first + i));
      }
    });
    tape.accumulate(record.slot, std::move(g));
  }
  static void destroy(Record& base) noexcept { static_cast<UnstackRecord&>(base).~UnstackRecord(); }
  static constexpr detail::RecordInfo kInfo{"unstack", &sweep, &destroy};
};

}  // namespace

Tensor stack(std::span<const Var> values) {
  Tensor y = ops::make({static_cast<std::int64_t>(values.size())}, float64);
  for (std::size_t i = 0; i < values.size(); ++i) ops::data<double>(y)[i] = values[i].value();
  Tape* tape = detail::recorder->tape;
  if (!tape) return y;
  std::vector<std::int32_t> indices;
  bool any = false;
  for (const Var& value : values) {
    indices.push_back(tape->resolve(value.tag()));
    any = any || indices.back() != 0;
  }
  if (!any) return y;
  tape->append<StackRecord>(y.node(), std::move(indices));
  return y;
}

Tensor stack(std::initializer_list<Var> values) {
  return stack(std::span<const Var>(values.begin(), values.size()));
}

std::vector<Var> unstack(const Tensor& x) {
  if (x.dim() != 1 || !is_floating(x.dtype())) {
    throw ShapeError("unstack: wrong shape or dtype: x is " + std::string(name(x.dtype())) + " " +
                     to_string(x.shape()) + "; need one axis of float32 or float64 (reshape it)");
  }
  const Tensor values = contiguous(to(detach(x), float64));
  std::vector<Var> result;
  Tape* tape = detail::recorder->tape;
  std::int32_t slot = 0;
  for (Tape* t = tape; t; t = t->parent()) {
    const std::int32_t found = detail::slot_of(*t, x.node(), "unstack");
    if (found && t != tape) {
      throw TapeError(
          "unstack: x is tracked by an outer tape; need the innermost one alone, because "
          "scalars are recorded there only (take second derivatives with tensors)");
    }
    slot = t == tape ? found : slot;
  }
  std::int32_t first = 0;
  if (slot) {
    const auto n = static_cast<std::int32_t>(x.numel());
    auto* record = tape->append<UnstackRecord>(nullptr, slot, x.dtype());
    record->first = first = tape->add_values(n);
    record->n = n;
  }
  result.reserve(ops::count(x));
  for (std::size_t i = 0; i < ops::count(x); ++i) {
    const double value = ops::data<double>(values)[i];
    if (slot) {
      result.emplace_back(value, detail::make_tag(detail::stamp_of(tape->last()),
                                                  first + static_cast<std::int32_t>(i)));
    } else {
      result.emplace_back(value);
    }
  }
  return result;
}

}  // namespace autograd
