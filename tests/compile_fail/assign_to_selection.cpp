// expect: write autograd::Var instead of auto
// SPDX-License-Identifier: Apache-2.0
// The same as assign_to_expression, for a choice between two expressions.
#include <autograd/var.hpp>

autograd::Var f(const autograd::Var& x) {
#ifdef MUST_NOT_COMPILE
  auto s = where(x > 0.0, x * x, -x);
#else
  auto kept = x * x;  // fine to keep and to read
  autograd::Var s = where(x > 0.0, x * x, -x);
  s = s + kept;
#endif
  s = x;
  return s;
}
