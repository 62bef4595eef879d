// SPDX-License-Identifier: Apache-2.0
// One entry per instruction set of a function that foreach_target.h compiled, and the choice among
// them. In place of HWY_EXPORT, which needs Highway's library at run time.
#pragma once

#include "simd_config.hpp"
// after simd_config.hpp
#include <hwy/highway.h>
#include <hwy/targets.h>

namespace autograd::kernels {

/// Which entry to take; tests restrict it.
hwy::ChosenTarget& chosen_target();

}  // namespace autograd::kernels

#if (HWY_TARGETS & (HWY_TARGETS - 1)) == 0
#define AUTOGRAD_EXPORT(function) static_assert(true)
#define AUTOGRAD_CHOOSE(function) HWY_STATIC_DISPATCH(function)
#else
// The first entry is Highway's for "not chosen yet", which chosen_target() never is.
#define AUTOGRAD_EXPORT(function)                                                  \
  static decltype(&HWY_STATIC_DISPATCH(function)) const function##_of_target[] = { \
      nullptr, HWY_CHOOSE_TARGET_LIST(function), HWY_CHOOSE_FALLBACK(function)}
#define AUTOGRAD_CHOOSE(function) (*function##_of_target[chosen_target().GetIndex()])
#endif
