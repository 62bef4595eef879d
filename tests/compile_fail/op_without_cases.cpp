// expect: this op has no cases
// SPDX-License-Identifier: Apache-2.0
// An op without cases would not be tested, so it cannot be applied, listed or not.
#include <autograd/apply.hpp>

struct Cased {
  static std::vector<autograd::ops::OpCase> cases();
};
struct Caseless {};

static_assert(!autograd::ops::kListed<Cased>);
#ifdef MUST_NOT_COMPILE
static_assert(!autograd::ops::kListed<Caseless>);
#endif
