// expect: this row is not in UnaryRows or BinaryRows
// SPDX-License-Identifier: Apache-2.0
// The same as unlisted_row, for scalars.
#include <autograd/var.hpp>

struct Cube {
  static constexpr autograd::RowInfo info{
      .name = "cube", .value = "x^3", .slope = "3 x^2", .cases = {{-2, 2}}};
  static double value(double x) { return x * x * x; }
  static double slope(double x, double) { return 3 * x * x; }
};

template <class Row> autograd::Var of_var(const autograd::Var& x) {
  return autograd::detail::Unary<Row, double, autograd::detail::Leaf<double>>(x);
}
template autograd::Var of_var<autograd::ops::Square>(const autograd::Var&);
#ifdef MUST_NOT_COMPILE
template autograd::Var of_var<Cube>(const autograd::Var&);
#endif
