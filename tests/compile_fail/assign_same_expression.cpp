// expect: write autograd::Var instead of auto
// SPDX-License-Identifier: Apache-2.0
// The same as assign_to_expression, where the new expression has the type of the old one.
#include <autograd/var.hpp>

autograd::Var f(const autograd::Var& x) {
#ifdef MUST_NOT_COMPILE
  auto s = x * x;
#else
  auto kept = x * x;  // fine to keep and to read
  autograd::Var s = x * x;
  s = s + kept;
#endif
  s = x * x;
  return s;
}
