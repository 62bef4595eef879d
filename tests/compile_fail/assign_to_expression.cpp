// expect: write autograd::Var instead of auto
// SPDX-License-Identifier: Apache-2.0
// A name made with auto keeps an expression, which cannot change: the compiler says to write Var.
#include <autograd/var.hpp>

autograd::Var f(const autograd::Var& x) {
#ifdef MUST_NOT_COMPILE
  auto s = x * x;
#else
  auto kept = x * x;  // fine to keep and to read
  autograd::Var s = x * x;
  s = s + kept;
#endif
  s = s + x;
  return s;
}
