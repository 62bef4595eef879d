// expect: write autograd::Var instead of auto
// SPDX-License-Identifier: Apache-2.0
// The same as assign_to_expression, for +=.
#include <autograd/var.hpp>

autograd::Var f(const autograd::Var& x) {
#ifdef MUST_NOT_COMPILE
  auto s = exp(x);
#else
  auto kept = x * x;  // fine to keep and to read
  autograd::Var s = exp(x);
  s = s + kept;
#endif
  s += x;
  return s;
}
