// SPDX-License-Identifier: Apache-2.0
#include "list.hpp"

#include <algorithm>

namespace autograd::ops {

namespace {

template <class Row> OpEntry row_entry(int arity) {
  return {Row::info.name,
          Row::info.value,
          Row::info.slope,
          Row::info.note,
          Row::info.ulp,
          arity,
          {},
          Dtypes::integers_as_float32,
          "any"};
}

bool is_one_of(const std::string& name, std::initializer_list<const char*> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// op_table_test holds them against what the cases take.
Dtypes dtypes_of(const std::string& name, Dtypes of_family) {
  if (is_one_of(name, {"mean", "logsumexp", "softmax", "log_softmax", "norm", "var", "std",
                       "logcumsumexp"})) {
    return Dtypes::integers_as_float32;
  }
  if (is_one_of(name, {"sum_to", "linear_scan", "shift"})) return Dtypes::floating;
  return of_family;
}

template <class List> void add_family(std::vector<OpEntry>& entries, Dtypes of_family) {
  List::for_each([&]<class Op>() {
    entries.push_back({Op::info.name, Op::info.value, Op::info.derivative, Op::info.note, 0, 0,
                       Op::cases(), dtypes_of(Op::info.name, of_family), "any"});
  });
}

std::vector<OpEntry> make_entries() {
  std::vector<OpEntry> entries;
  UnaryRows::for_each([&]<class Row>() { entries.push_back(row_entry<Row>(1)); });
  BinaryRows::for_each([&]<class Row>() { entries.push_back(row_entry<Row>(2)); });
  const Dtypes all = Dtypes::all, floating = Dtypes::floating;
  add_family<ReduceOps>(entries, all);
  add_family<NormOps>(entries, all);
  add_family<ScanOps>(entries, all);
  add_family<OrderOps>(entries, all);
  add_family<LinearAlgebraOps>(entries, floating);
  add_family<DecompositionOps>(entries, floating);
  add_family<ShapeOps>(entries, all);
  add_family<ViewOps>(entries, all);
  add_family<ArrangeOps>(entries, all);
  add_family<IndexOps>(entries, all);
  add_family<LossOps>(entries, floating);
  add_family<NetworkOps>(entries, floating);
  return entries;
}

}  // namespace

const std::vector<OpEntry>& all_ops() {
  static const std::vector<OpEntry> entries = make_entries();
  return entries;
}

}  // namespace autograd::ops
