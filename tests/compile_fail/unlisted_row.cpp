// expect: this (op is not in ops/list.hpp|row is not in UnaryRows or BinaryRows)
// SPDX-License-Identifier: Apache-2.0
// A row that is in no list has no kernels and no tests: neither tensors nor scalars take it.
#include <autograd/apply.hpp>

struct Cube {
  static constexpr autograd::RowInfo info{
      .name = "cube", .value = "x^3", .slope = "3 x^2", .cases = {{-2, 2}}};
  template <class T> static T value(const T& x) { return x * x * x; }
  template <class T> static T slope(const T& x, const T&) { return 3.0 * x * x; }
};

template <class Row> autograd::Tensor of_tensor(const autograd::Tensor& x) {
  return autograd::apply(autograd::ops::UnaryOp<Row>{}, x);
}
template autograd::Tensor of_tensor<autograd::ops::Square>(const autograd::Tensor&);
#ifdef MUST_NOT_COMPILE
template autograd::Tensor of_tensor<Cube>(const autograd::Tensor&);
#endif
