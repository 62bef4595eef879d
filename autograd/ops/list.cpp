// SPDX-License-Identifier: Apache-2.0
#include "list.hpp"

namespace autograd::ops {

namespace {

template <class Row> OpEntry row_entry(int arity) {
  return {
      Row::info.name, Row::info.value, Row::info.slope, Row::info.note, Row::info.ulp, arity, {}};
}

std::vector<OpEntry> make_entries() {
  std::vector<OpEntry> entries;
  UnaryRows::for_each([&]<class Row>() { entries.push_back(row_entry<Row>(1)); });
  BinaryRows::for_each([&]<class Row>() { entries.push_back(row_entry<Row>(2)); });
  StructuredOps::for_each([&]<class Op>() {
    entries.push_back(
        {Op::info.name, Op::info.value, Op::info.derivative, Op::info.note, 0, 0, Op::cases()});
  });
  return entries;
}

}  // namespace

const std::vector<OpEntry>& all_ops() {
  static const std::vector<OpEntry> entries = make_entries();
  return entries;
}

}  // namespace autograd::ops
