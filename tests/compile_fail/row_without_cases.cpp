// expect: this row has no cases
// SPDX-License-Identifier: Apache-2.0
// A listed row has to say from which intervals tests draw its arguments.
#include <autograd/ops/rows.hpp>

struct Tested {
  static constexpr autograd::RowInfo info{
      .name = "tested", .value = "x", .slope = "1", .cases = {{-1, 1}}};
};
struct Untested {
  static constexpr autograd::RowInfo info{.name = "untested", .value = "x", .slope = "1"};
};

using Rows = autograd::RowList<Tested, Untested>;
static_assert(Rows::index_of<Tested>() == 0);
#ifdef MUST_NOT_COMPILE
static_assert(Rows::index_of<Untested>() == 1);
#endif
